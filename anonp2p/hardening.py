"""Protects the memory of the process before it has any secret: no core dumps, and freed memory is overwritten.

A core dump would write every key and message of a room to the disk, or, with some settings of core_pattern, pass them
to a crash reporter, which ignores size limits. So the process has a limit of 0 and is also "not dumpable", which keeps
other programs of the same user from reading its memory (ptrace, /proc/PID/mem). Nothing stops root.

Expired text should be overwritten at once, not when its memory happens to be used again. Python overwrites freed memory
only with its debug allocators, which have to be chosen before it starts. For C libraries, glibc does it.
"""

import os
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_PR_GET_DUMPABLE = 3
_M_PERTURB = -6  # malloc.h
_FILL = 0xDD  # the value that Python uses

_TRIED = 2_000  # bytes of the block by which glibc is tried: more than its threads cache
_TRIED_OBJECT = 200  # bytes of the object by which Python is tried: of a size that it allocates itself
_EDGE = 64  # bytes at the beginning of freed blocks in which allocators keep their own books; as many are looked at

_ALLOCATORS = "PYTHONMALLOC"
_WIPING = "debug"  # the allocators of this Python, with hooks that fill every freed block


def restart_wiping() -> None:
    """Restarts the program in the same process, with a Python that overwrites freed memory; returns if it does already.

    Returns also if that is not possible. Has to be called before anything is read from stdin or started. Programs that
    we start later do not inherit the setting.
    """
    if os.environ.get(_ALLOCATORS) == _WIPING:
        del os.environ[_ALLOCATORS]
    elif command := _command():
        environment = {**os.environ, _ALLOCATORS: _WIPING}
        try:
            os.execve(command[0], command, environment)  # noqa: S606  # it is this program
        except OSError:
            return  # the program runs without it


def _command() -> list[str]:
    """The command that started us, with an absolute path; empty if unknown, or if Python ignores the environment."""
    if sys.implementation.name != "cpython" or sys.flags.ignore_environment or not sys.executable:
        return []
    return [sys.executable, *sys.orig_argv[1:]]


def harden() -> None:
    """Disables core dumps of this process, and has glibc, if present, overwrite what C libraries free.

    Programs that it starts inherit the limit of 0, but are dumpable unless they decide otherwise.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        wipe_freed()


def wipe_freed() -> None:
    """Has glibc overwrite freed blocks, except those below 1 KiB that a thread caches (tcache)."""
    import ctypes

    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_PERTURB, _FILL)


def is_dumpable() -> bool:
    """Whether other programs of this user may read our memory, and the kernel may dump it."""
    if sys.platform != "linux":
        return True
    import ctypes

    return bool(ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0))


def dumps_core() -> bool:
    """Whether a crash would write our memory to a file."""
    return resource.getrlimit(resource.RLIMIT_CORE)[0] != 0


def wipes_objects() -> bool:
    """Whether this Python overwrites what it frees. Tried with an object whose neighbours stay, and so its memory."""
    if sys.implementation.name != "cpython":
        return False
    import ctypes

    neighbours = [os.urandom(_TRIED_OBJECT) for _ in range(3)]
    address = id(neighbours[1])  # where it is, in CPython
    del neighbours[1]
    freed = ctypes.string_at(address + _EDGE, _EDGE)
    return freed == bytes([_FILL]) * len(freed)


def wipes_blocks() -> bool:
    """Whether the C library overwrites what is freed. Tried with a block whose neighbours stay, and so its memory."""
    import ctypes

    library = ctypes.CDLL(None)
    if getattr(library, "mallopt", None) is None:
        return False
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
    before, block, after = (library.malloc(_TRIED) for _ in range(3))
    ctypes.memset(block, 0, _TRIED)
    library.free(block)
    freed = ctypes.string_at(block + _EDGE, _EDGE)  # so few that it is not this block that they are copied to
    library.free(before)
    library.free(after)
    return freed == bytes([_FILL]) * len(freed)
