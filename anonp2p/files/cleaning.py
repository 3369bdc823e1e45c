"""Copies of files without traces of who made them, as mat2 makes them: in memory, under a name that says nothing."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from anonp2p import limits
from anonp2p.files.errors import CleanerUnable, FileUnreadable, NoMemoryForCopy, describe_failure
from anonp2p.files.outgoing_file import open_regular
from anonp2p.programs import find_program

_PROGRAM = "mat2"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME = "file"  # the name of the copy, before its extension: mat2 is told it, and others see what it is told
_EXTENSION: Final = 10  # characters of one, with its dot: mat2 knows none that is longer
_COPIED = ("PATH", "LANG", "LC_ALL")  # of our environment


@cache
def find_mat2() -> str | None:
    """The absolute path of mat2, resolved once; None where it is not installed."""
    return find_program(_PROGRAM) or None


def copy_into(descriptor: int, name: str, directory: Path) -> Path:
    """Copies an open file into a directory in memory, as `file` with the extension of its name. Raises Failed."""
    extension = os.path.splitext(name)[1].lower()  # noqa: PTH122
    path = directory / (_NAME + extension if extension.isascii() and len(extension) <= _EXTENSION else _NAME)
    try:
        copy = os.open(path, _NEW, limits.FILE_MODE)
    except OSError as error:
        raise FileUnreadable(describe_failure(error)) from None
    try:
        at = 0
        while data := os.pread(descriptor, limits.CHUNK, at):
            _write_all(copy, data)
            at += len(data)
    except OSError as error:
        raise FileUnreadable(describe_failure(error)) from None
    finally:
        os.close(copy)
    return path


def _write_all(copy: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(copy, view) :]
        except OSError:
            raise NoMemoryForCopy from None


def make_command(mat2: str, path: Path) -> list[str]:
    """What cleans this copy in its place."""
    return [mat2, "--inplace", path.name]


def make_environment(directory: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """That of mat2, and of what it starts: whatever they keep is in this directory, and ends with it."""
    kept = {name: environment[name] for name in _COPIED if name in environment}
    there = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), str(directory))
    return {**kept, **there, "PYTHONDONTWRITEBYTECODE": "1"}


def open_cleaned(path: Path, status: int) -> tuple[int, int]:
    """A descriptor of the cleaned copy, and its size. status: with which mat2 has ended. Raises Failed."""
    if status:
        raise CleanerUnable
    return open_regular(str(path))
