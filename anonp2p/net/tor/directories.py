"""Our directories on a machine with other users, who must not be able to make or change them.

Temporary directories are locked (flock(2)) as long as a process uses them. A process that was killed leaves some
behind, which are not locked: the next start removes those.
"""

import fcntl
import grp
import os
import pwd
import re
import shutil
import stat
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import islice
from pathlib import Path

from anonp2p import limits
from anonp2p.net.tor.errors import Unsafety

_PREFIX = "anonp2p-run-"  # `anonp2p-` alone was used by versions that did not lock them
_TEMPORARY = re.compile(_PREFIX + "[a-z0-9_]{8}")  # as mkdtemp makes names
_LINKS = 40  # symbolic links of one path, as many as Linux follows
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeError(Exception):
    """Another user of this machine could change a path. The text says which part of it, and why."""

    def __init__(self, path: Path, why: Unsafety) -> None:
        super().__init__(f"{os.fsencode(path).decode(errors='replace')} {why.value}")


def trusted(path: Path, *, make: bool = False) -> Path:
    """The path, absolute and without symbolic links, if only we and root can change where it leads.

    sshd(8) is as strict. make: creates missing directories, which only we can enter. Raises UnsafeError, OSError.
    """
    safe, parts, links = Path("/"), deque(path.absolute().parts[1:]), 0
    _require_trusted(safe, safe.lstat())
    while parts:
        part = parts.popleft()
        if part == "..":
            safe = safe.parent
            continue
        step = safe / part
        if make and not os.path.lexists(step):
            step.mkdir(0o700, exist_ok=True)
        status = step.lstat()
        _require_trusted(step, status)
        if stat.S_ISLNK(status.st_mode):
            target = step.readlink()
            links += 1
            if links > _LINKS:
                raise UnsafeError(path, Unsafety.LOOP)
            safe = Path("/") if target.is_absolute() else safe
            parts.extendleft(reversed(target.parts[target.is_absolute() :]))
        else:
            safe = step
    return safe


def require_own_directory(path: Path) -> None:
    """Creates this directory if it is missing. Its parent has to be trusted.

    Raises UnsafeError if it is a link or not ours, OSError.
    """
    with suppress(FileExistsError):
        path.mkdir(0o700)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise UnsafeError(path, Unsafety.LINK if stat.S_ISLNK(status.st_mode) else Unsafety.NOT_A_DIRECTORY)
    if status.st_uid != os.getuid():
        raise UnsafeError(path, Unsafety.OTHER_OWNER)
    _require_trusted(path, status)


def open_own_file(path: Path) -> int:
    """A descriptor of this file, which is created if it is missing.

    Raises UnsafeError if it is a link, not ours, or has another name too; OSError.
    """
    if path.is_symlink():
        raise UnsafeError(path, Unsafety.LINK)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_nlink != 1:
        os.close(descriptor)
        raise UnsafeError(path, Unsafety.NOT_OUR_FILE)
    return descriptor


def is_private(path: Path) -> bool:
    """Whether a directory is ours and nobody else can write to it."""
    status = path.stat()
    return status.st_uid == os.getuid() and not _is_open_to_others(status)


def _require_trusted(path: Path, status: os.stat_result) -> None:
    # The owner of / counts as root: in a container it may have another uid than 0.
    if status.st_uid not in (os.getuid(), 0, Path("/").stat().st_uid):
        raise UnsafeError(path, Unsafety.OTHER_OWNER)
    # In a sticky directory like /tmp others may add names, but cannot remove or replace ours.
    if not stat.S_ISLNK(status.st_mode) and not status.st_mode & stat.S_ISVTX and _is_open_to_others(status):
        raise UnsafeError(path, Unsafety.WRITABLE)


def _is_open_to_others(status: os.stat_result) -> bool:
    """Whether others can write. A group of which we are the only member does not count."""
    group = status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid)
    return bool(status.st_mode & stat.S_IWOTH or group)


def _is_own_group(gid: int) -> bool:
    try:
        us, group = pwd.getpwuid(os.getuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == us.pw_name and us.pw_gid == gid and set(group.gr_mem) <= {us.pw_name}


@contextmanager
def temporary(base: Path) -> Iterator[tuple[Path, int]]:
    """A new directory that only we can enter, removed with the context; and the descriptor that locks it.

    It is locked as long as any process has the descriptor, also a program that we start. Raises OSError.
    """
    path, held = make_held(base)
    with ExitStack() as stack:
        stack.callback(os.close, held)
        stack.callback(shutil.rmtree, path, ignore_errors=True)
        yield path, held


def make_held(base: Path) -> tuple[Path, int]:
    """A new directory and a lock on it. Tries again if another program removed the directory before it was locked."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        with ExitStack() as stack, suppress(FileNotFoundError, BlockingIOError):
            held = os.open(path, _OPEN_DIRECTORY)
            stack.callback(os.close, held)
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(path.lstat(), os.fstat(held)):
                stack.pop_all()
                return path, held


def remove_left_behind(bases: Iterable[Path]) -> None:
    """Removes some of our unlocked temporary directories from these directories, at each start."""
    with closing(_unheld(bases)) as left:
        for path in islice(left, limits.LEFT_BEHIND):
            shutil.rmtree(path, ignore_errors=True)


def find_left_behind(bases: Iterable[Path]) -> list[Path]:
    """Those that the next start would remove."""
    with closing(_unheld(bases)) as left:
        return list(islice(left, limits.LEFT_BEHIND))


def _unheld(bases: Iterable[Path]) -> Generator[Path, None, None]:
    """Our temporary directories that nobody holds. Each is held until the next one is asked for."""
    for base in bases:
        with suppress(OSError), os.scandir(base) as entries:
            for entry in islice(entries, limits.NAMES_EXAMINED):
                if _TEMPORARY.fullmatch(entry.name):
                    with _holding(base / entry.name) as is_ours:
                        if is_ours:
                            yield base / entry.name


@contextmanager
def _holding(path: Path) -> Iterator[bool]:
    """Holds a directory of ours that nobody else holds; whether it is one."""
    try:
        descriptor = os.open(path, _OPEN_DIRECTORY)
    except OSError:  # it is not ours, a link, not a directory, or removed already
        yield False
        return
    try:
        yield _is_unheld(descriptor)
    finally:
        os.close(descriptor)


def _is_unheld(descriptor: int) -> bool:
    """Locks a directory of ours if nobody else has."""
    status = os.fstat(descriptor)
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) != stat.S_IRWXU:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
