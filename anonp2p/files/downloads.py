"""Where an accepted file goes: the folder for downloads, or the path that the user gave."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from anonp2p import limits
from anonp2p.names.file_names import PART, clean_name, number_name

_DIRS = "user-dirs.dirs"  # xdg-user-dirs(5): where the desktop keeps the names of such folders
_DOWNLOADS = re.compile(r'^\s*XDG_DOWNLOAD_DIR="((?:[^"\\]|\\.)*)"\s*$', re.MULTILINE)
_DIRS_BYTES = 65_536  # of that file, which has some lines


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a file is to go. is_fixed: whether the user gave the whole path: then no other name will do."""

    folder: Path
    name: str
    is_fixed: bool

    def list_names(self) -> Iterator[str]:
        """The names that it may get, the best one first."""
        yield self.name
        if not self.is_fixed:
            yield from (number_name(self.name, number) for number in range(2, limits.FILE_NUMBERS + 1))


def find_destination(name: str, path: str, environment: Mapping[str, str] = os.environ) -> Destination:
    """Where a file goes. name: as its sender gave it. path: that the user wants; empty for the folder for downloads."""
    if not path:
        return Destination(find_folder(environment), clean_name(name), is_fixed=False)
    given = Path(path)
    if path.endswith("/") or os.path.isdir(given):  # noqa: PTH112  # Path's raises where we may not look
        return Destination(given, clean_name(name), is_fixed=False)
    return Destination(given.parent, given.name, is_fixed=True)


def show_path(name: str, path: str, environment: Mapping[str, str] = os.environ) -> str:
    """The path that a file would get now, for the user to see; with `~` for its home."""
    target = find_destination(name, path, environment)
    free = (each for each in target.list_names() if not is_taken(target.folder / each))
    whole = str(target.folder / next(free, target.name))
    home = environment.get("HOME", "").rstrip("/")
    return f"~{whole.removeprefix(home)}" if home and whole.startswith(f"{home}/") else whole


def is_taken(path: Path) -> bool:
    """Whether something has this name, of whatever kind."""
    return os.path.lexists(path)


def part_of(name: str) -> str:
    """The name of a file that is not whole yet."""
    return name + PART


def find_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder for downloads, which is there: the desktop's, or ~/Downloads; else the user's home."""
    home = Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111
    named = _find_named(Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / _DIRS, home)
    candidates = (folder for folder in (named, home / "Downloads") if folder is not None)
    return next((folder for folder in candidates if os.path.isdir(folder)), home)  # noqa: PTH112


def _find_named(path: Path, home: Path) -> Path | None:
    """The folder that the desktop names: an absolute path, or one below $HOME."""
    try:
        with path.open("rb") as file:
            text = file.read(_DIRS_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return None
    if (found := _DOWNLOADS.search(text)) is None:
        return None
    named = re.sub(r"\\(.)", r"\1", found[1])
    if named.startswith("$HOME/"):
        return home / named.removeprefix("$HOME/")
    return Path(named) if named.startswith("/") else None
