"""A Tor that starts when a test lets it: so what lasts only until it is there again can be looked at."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = """#!/bin/sh
while [ -e '{closed}' ]; do sleep 0.05; done
exec '{tor}' "$@"
"""


class Gate:
    """Open at first. path: the PATH of a program whose own Tor has to pass it."""

    def __init__(self, place: Path) -> None:
        tor = shutil.which("tor")
        assert tor
        self._closed = place / "closed"
        script = place / "tor"
        script.write_text(_SCRIPT.format(closed=self._closed, tor=os.path.realpath(tor)))
        script.chmod(0o700)
        self.path = f"{place}{os.pathsep}{os.environ['PATH']}"

    def close(self) -> None:
        """Tors that are started wait from now on. A program waits for `limits.LAUNCH_PATIENCE`, then starts another."""
        self._closed.touch()

    def open(self) -> None:
        """They go on."""
        self._closed.unlink()


@contextmanager
def tor_gate() -> Iterator[Gate]:
    """A gate; what waits in the end goes on."""
    with tempfile.TemporaryDirectory(prefix="gate-") as place:
        yield Gate(Path(place))
