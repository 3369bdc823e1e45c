"""What a process inherits and what could break the program: descriptors and limits."""

import errno
import mmap
import os
import resource
from contextlib import suppress

from anonp2p import limits
from anonp2p.errors import OutOfFiles, OutOfMemory, OutOfResources, OutOfSpace, OutOfThreads

_STDERR = 2
_UNUSABLE = getattr(os, "O_PATH", os.O_RDONLY)  # with O_PATH, reading and writing give EBADF

_LACKS: dict[int, type[OutOfResources]] = {
    errno.ENOMEM: OutOfMemory,
    errno.EMFILE: OutOfFiles,
    errno.ENFILE: OutOfFiles,
    errno.ENOSPC: OutOfSpace,
    errno.EDQUOT: OutOfSpace,
}
_NO_THREAD = "can't start new thread"  # the text of threading: this error has no number
_NO_MAPPING = "failed to map segment from shared object"  # the text of the dynamic loader when memory is missing


def fill_descriptors() -> None:
    """Opens those of the descriptors 0, 1 and 2 that were closed when we started. Call it before anything is opened.

    Otherwise the next file or socket gets such a number: the program once printed events into trio's own socket. The
    descriptors are as unusable as closed ones, and are closed in programs that we execute.
    """
    try:
        while (descriptor := os.open("/", _UNUSABLE | os.O_CLOEXEC)) <= _STDERR:
            pass
    except OSError:
        return  # no more descriptors are allowed, so these are open
    os.close(descriptor)


def allow_files() -> None:
    """Raises the limit on open files as far as allowed: the usual 1,024 are fewer than a full room needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, limits.OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # the system may have its own maximum
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def require_memory() -> None:
    """Raises OSError if a limit leaves less memory than the program needs.

    With less, libraries abort the process or fail again while they handle a failure, so no error could be shown.
    """
    mmap.mmap(-1, limits.FREE_MEMORY, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()


def find_lack(error: BaseException) -> OutOfResources | None:
    """Which resource was short, if the error says so, or one of its group, or one of its causes."""
    waiting: list[BaseException | None] = [error]
    looked_at: set[int] = set()  # groups and causes may form a cycle
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in looked_at:
            continue
        looked_at.add(id(one))
        if lack := _lack(one):
            return lack()
        waiting.append(one.__cause__)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return None


def _lack(error: BaseException) -> type[OutOfResources] | None:
    if isinstance(error, MemoryError):
        return _LACKS[errno.ENOMEM]
    if isinstance(error, OSError):
        return _LACKS.get(error.errno or 0)
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return OutOfThreads
    if isinstance(error, ImportError):
        words = str(error)
        if words.endswith(_NO_MAPPING):
            return _LACKS[errno.ENOMEM]
        return next((lack for number, lack in _LACKS.items() if os.strerror(number) in words), None)
    return None
