"""What the process gives up before it has any secret: images of its memory, and what it has freed.

A core dump would put every key and message of a room on the disk, or, by the kernel's core_pattern, into the hands of
a crash reporter, which no limit on its size keeps out: hence both a limit of 0 and "not dumpable". The latter besides
keeps other programs of the same user from reading our memory (ptrace, /proc/PID/mem). Nothing keeps root.

What expires should be gone then, not whenever its memory happens to be used again. Python overwrites what it frees
only if its allocators are those for debugging, which it must be told before it starts; C libraries have glibc do so.
"""

import os
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_M_PERTURB = -6  # malloc.h
_FILL = 0xDD  # as Python's own

_ALLOCATORS = "PYTHONMALLOC"
_WIPING = "debug"  # whichever allocators this Python has, with hooks that fill every block as it is freed


def restart_wiping() -> None:
    """Starts the program anew, in the same process, with a Python that overwrites what it frees; returns if it does.

    It returns as well where that cannot be had. Nothing may have been read from stdin yet, nor begun. What we start
    later does not inherit the setting.
    """
    if os.environ.get(_ALLOCATORS) == _WIPING:
        del os.environ[_ALLOCATORS]
    elif command := _command():
        environment = {**os.environ, _ALLOCATORS: _WIPING}
        try:
            os.execve(command[0], command, environment)  # noqa: S606  # it is ourselves
        except OSError:
            return  # the program still runs, if less tidily


def _command() -> list[str]:
    """What started us, by absolute path; empty where the environment would not be heeded, or nobody knows."""
    if sys.implementation.name != "cpython" or sys.flags.ignore_environment or not sys.executable:
        return []
    return [sys.executable, *sys.orig_argv[1:]]


def harden() -> None:
    """No core dumps of this process. What it starts keeps the limit, but is dumpable anew unless it says otherwise.

    And what C libraries free is overwritten, where glibc is there to do it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        wipe_freed()


def wipe_freed() -> None:
    """Has glibc overwrite what is freed, but for blocks below 1 KiB that a thread keeps at hand (tcache)."""
    import ctypes

    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_PERTURB, _FILL)
