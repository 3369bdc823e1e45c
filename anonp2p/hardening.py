"""What the process gives up before it has any secret: images of its memory.

A core dump would put every key and message of a room on the disk, or, by the kernel's core_pattern, into the hands of
a crash reporter, which no limit on its size keeps out: hence both a limit of 0 and "not dumpable". The latter besides
keeps other programs of the same user from reading our memory (ptrace, /proc/PID/mem). Nothing keeps root.
"""

import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def harden() -> None:
    """No core dumps of this process. What it starts keeps the limit, but is dumpable anew unless it says otherwise."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
