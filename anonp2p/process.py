"""What a process inherits from whoever started it, as far as it could break the program: descriptors and limits."""

import errno
import mmap
import os
import resource
from contextlib import suppress

from anonp2p import limits

_STDERR = 2
_UNUSABLE = getattr(os, "O_PATH", os.O_RDONLY)  # with O_PATH neither reading nor writing works: both give EBADF

_LACKS = {
    errno.ENOMEM: "too little memory",
    errno.EMFILE: "too few open files",
    errno.ENFILE: "too few open files",
    errno.ENOSPC: "too little space on the disk",
    errno.EDQUOT: "too little space on the disk",
}
_NO_THREAD = "can't start new thread"  # threading's words: this error has no number
_NO_MAPPING = "failed to map segment from shared object"  # the dynamic loader's words, where memory is what is missing


def fill_descriptors() -> None:
    """Takes those of the descriptors 0, 1 and 2 that whoever started us had closed. Before anything else is opened.

    Otherwise the next file or socket that is opened gets such a number: we printed events into trio's own socket. They
    stay as unusable as a closed descriptor is, and are closed again for whatever is executed.
    """
    try:
        while (descriptor := os.open("/", _UNUSABLE | os.O_CLOEXEC)) <= _STDERR:
            pass
    except OSError:
        return  # no more may be open: so these are
    os.close(descriptor)


def allow_files() -> None:
    """Raises the limit on open files to what may be asked for: the usual one, 1,024, is less than a full room takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.FILES if hard == resource.RLIM_INFINITY else min(hard, limits.FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # the system may have a maximum of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def require_memory() -> None:
    """Raises OSError where a limit leaves less memory than the program needs for itself.

    Below that, libraries abort the process, or fail again while they handle their failure: nothing could be said.
    """
    mmap.mmap(-1, limits.MEMORY, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()


def lack(error: BaseException) -> str:
    """What there was too little of, if the error says so, or one of its group, or one that it was raised from."""
    waiting: list[BaseException | None] = [error]
    looked_at: set[int] = set()  # a group and what it was raised from may hold each other
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in looked_at:
            continue
        looked_at.add(id(one))
        if said := _lack(one):
            return said
        waiting.append(one.__cause__)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return ""


def _lack(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return _LACKS[errno.ENOMEM]
    if isinstance(error, OSError):
        return _LACKS.get(error.errno or 0, "")
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return "too few threads, or too little memory for them"
    if isinstance(error, ImportError):
        words = str(error)
        if words.endswith(_NO_MAPPING):
            return _LACKS[errno.ENOMEM]
        return next((said for number, said in _LACKS.items() if os.strerror(number) in words), "")
    return ""
