"""Where our temporary directories go, which hold sockets, and Tor's directory where that is not kept."""

import os
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anonp2p import disks
from anonp2p.net.tor import directories
from anonp2p.net.tor.errors import NoMemoryDirectory, NoTemporaryDirectory, Unfit

PLAIN = frozenset(string.ascii_letters + string.digits + "/._-+=@")  # Tor takes no quotes around paths of sockets
_SOCKET_PATH = 90  # bytes that the path of a unix socket may have safely (sun_path has 108)
_OURS = 36  # of them that come after the place: our directory's name, and the socket's
_PRIVATE = "XDG_RUNTIME_DIR"  # it is one user's alone (XDG Base Directory Specification)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that is looked at. variable: of the environment, if one names it. unfit: why it is not used."""

    variable: str
    name: str
    unfit: Unfit | None

    @property
    def path(self) -> Path:
        return Path(os.path.realpath(self.name))


def list_candidates(environment: Mapping[str, str]) -> list[Candidate]:
    """All that are looked at, the best one first. Makes and removes nothing."""
    # tempfile.gettempdir() would test directories by writing to them. mkdtemp makes directories that only we can enter.
    named = [(variable, environment.get(variable, "")) for variable in (_PRIVATE, "TMPDIR")]
    places = [*((variable, name) for variable, name in named if name), ("", "/tmp"), ("", "/dev/shm")]  # noqa: S108
    return [Candidate(variable, name, _why_unfit(name, variable)) for variable, name in places]


def _why_unfit(name: str, variable: str) -> Unfit | None:
    """Why we cannot write there, Tor cannot take its name, or others can change it; None if it is fit."""
    if not name.startswith("/"):
        return Unfit.RELATIVE
    try:
        path = directories.trusted(Path(name))
        is_private = variable != _PRIVATE or directories.is_private(path)
    except directories.UnsafeError:
        return Unfit.UNSAFE
    except (OSError, ValueError):
        return Unfit.MISSING
    if len(os.fsencode(path)) > _SOCKET_PATH - _OURS or not PLAIN.issuperset(str(path)):
        return Unfit.NAME
    if not is_private:
        return Unfit.UNSAFE
    return None if path.is_dir() and os.access(path, os.W_OK | os.X_OK) else Unfit.CLOSED


def find_base(environment: Mapping[str, str], *, memory: bool) -> Path:
    """A directory for our temporary directories. memory: only a file system in memory will do. Raises TorRefused."""
    for candidate in list_candidates(environment):
        if candidate.unfit is None and not (memory and disks.keeping_of(disks.mount_of(candidate.path)) != "memory"):
            return candidate.path
    raise NoMemoryDirectory if memory else NoTemporaryDirectory


def find_left_behind(environment: Mapping[str, str]) -> list[Path]:
    """What killed programs of ours left behind where we look, at most some. Removes nothing."""
    return directories.find_left_behind(_places(environment))


def remove_left_behind(environment: Mapping[str, str]) -> None:
    """Removes it, at each start."""
    directories.remove_left_behind(_places(environment))


def _places(environment: Mapping[str, str]) -> list[Path]:
    """Where we look, each once."""
    fit = [candidate.path for candidate in list_candidates(environment) if candidate.unfit is None]
    return list(dict.fromkeys(fit))
