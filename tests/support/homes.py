"""A home for copies of the program, in which it can be seen what they write and leave."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LEFT_BEHIND = "anonp2p-run-"  # how directories begin that are removed at a start, if nobody holds them


@dataclass(frozen=True)
class Home:
    """Every place that the program could write to without being told: two of its own, and all that it may think are."""

    base: Path

    @property
    def state(self) -> Path:
        return self.base / "state"

    @property
    def runtime(self) -> Path:
        return self.base / "run"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.base / "home"),
            "TMPDIR": str(self.base / "tmp"),
            "XDG_STATE_HOME": str(self.state),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def is_ours(self, path: Path) -> bool:
        """Whether we and our Tor may write there: its DataDirectory, and where sockets are."""
        path = Path(os.path.normpath(path))
        return path.is_relative_to(self.state / "anonp2p") or (self.runtime in path.parents)

    def may_go(self, path: Path) -> bool:
        """Whether we may remove it: what is ours, or what another copy of the program left when it was killed."""
        return self.is_ours(path) or any(name.startswith(LEFT_BEHIND) for name in path.parts)

    def left(self) -> list[Path]:
        """All files that are there now."""
        return [path for path in self.base.rglob("*") if path.is_file()]


@contextmanager
def a_home(parent: Path | None = None) -> Iterator[Home]:
    """A home in a place with a short path, as sockets need it. parent: where it is instead of in `$TMPDIR`."""
    base = Path(tempfile.mkdtemp(prefix="home-", dir=parent))
    try:
        for name in ("home", "tmp", "state", "run"):
            (base / name).mkdir(mode=0o700)
        yield Home(base)
    finally:
        shutil.rmtree(base)
