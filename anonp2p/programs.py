"""Programs that are started, by their absolute paths: what stands in a directory one happens to be in is not."""

import os
import shutil
from pathlib import Path


def find_program(name: str) -> str:
    """The absolute path that this name resolves to, by the absolute directories of PATH; empty if there is none."""
    places = [place for place in os.environ.get("PATH", "").split(os.pathsep) if Path(place).is_absolute()]
    found = shutil.which(name, path=os.pathsep.join(places)) if places else None
    return os.path.realpath(found) if found else ""
