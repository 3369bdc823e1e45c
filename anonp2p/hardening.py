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
_M_PERTURB = -6  # malloc.h
_FILL = 0xDD  # the value that Python uses

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
