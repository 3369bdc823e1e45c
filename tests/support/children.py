"""Which processes another one has started, by /proc. It needs no package, as the demo does not."""

from contextlib import suppress
from pathlib import Path


def list_children(process: int) -> list[int]:
    """The processes that this one has started, whichever of its threads did, and whether that has ended since."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it is gone
                _, parent, *_ = (entry / "stat").read_text().rpartition(") ")[2].split()
                if int(parent) == process:
                    found.append(int(entry.name))
    return found
