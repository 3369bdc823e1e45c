"""Paths as people type and read them: `~` for the home directory, and what a begun one may become."""

import os
from heapq import nsmallest
from itertools import islice

from anonp2p import limits
from anonp2p.ui.sanitize import sanitize_line
from anonp2p.ui.shell_words import read_words


def expand_home(path: str) -> str:
    """The path that is meant: `~` alone, or before a slash, is the home directory."""
    return os.path.expanduser(path) if path == "~" or path.startswith("~/") else path  # noqa: PTH111  # stays a text


def shorten_home(path: str) -> str:
    """The path as it is shown: with `~` for the home directory."""
    home = os.path.expanduser("~").rstrip("/")  # noqa: PTH111  # as above
    is_inside = bool(home) and (path == home or path.startswith(f"{home}/"))
    return f"~{path[len(home) :]}" if is_inside else path


def list_paths(begun: str) -> list[str]:
    """What a path that begins so may be, in order; a directory ends with a slash.

    Hidden names are for who types their dot. Names that could not be shown as they are, nor typed, are left out, and so
    is what would be read as an option. A directory is not read to its end where it is very large.
    """
    parent, slash, beginning = begun.rpartition("/")
    wanted = beginning.casefold()
    shows_hidden = beginning.startswith(".")

    def fits(name: str) -> bool:
        is_wanted = name.casefold().startswith(wanted) and (shows_hidden or not name.startswith("."))
        return is_wanted and not (name.startswith("-") and not slash) and sanitize_line(name) == name

    try:
        with os.scandir(expand_home(parent + slash) or ".") as entries:
            found = nsmallest(
                limits.PATHS_OFFERED,
                (entry for entry in islice(entries, limits.NAMES_EXAMINED) if fits(entry.name)),
                key=lambda entry: entry.name,
            )
            return [f"{parent}{slash}{entry.name}{'/' * _is_directory(entry)}" for entry in found]
    except (OSError, ValueError):  # it is no directory, or not ours to read; or no path at all
        return []


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_dropped(text: str) -> bool:
    """Whether a text is nothing but files at home, as terminals type them when they are dropped there.

    Their paths tell the name of the user.
    """
    read = read_words(text.replace("file://", ""))
    inside = (word.text.startswith("/") and shorten_home(word.text).startswith("~") for word in read.words)
    return bool(read.words) and not read.is_open and all(inside)
