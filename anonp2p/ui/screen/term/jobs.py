"""Job control: whether the terminal is ours or another job's, and how we stop so that a shell can continue us."""

import os
import signal
from time import sleep

import trio

from anonp2p import limits

_LOOKS = 30  # for SIGCONT: where no shell can stop us, Ctrl-Z holds the program up for so many times the next number
_LOOK_INTERVAL = 0.01  # seconds


class Jobs:
    """Whose the terminal with this descriptor is, among the jobs of a shell.

    is_stopping: since SIGTSTP. is_continued: since SIGCONT, as another program may have used the terminal. is_away:
    the terminal belonged to another job when we looked last.
    """

    def __init__(self, keys: int) -> None:
        self.is_stopping = self.is_continued = self.is_away = False
        self._keys = keys
        self._left = trio.Event()  # it does

    def is_in_background(self) -> bool:
        """Whether the terminal is another job's now."""
        try:
            return os.tcgetpgrp(self._keys) != os.getpgrp()
        except OSError:  # it is not the terminal of this session, which has no jobs then
            return False

    def look_anew(self) -> None:
        """Forgets what signals have said, and notes whose the terminal is."""
        self.is_stopping = self.is_continued = False
        self.is_away = self.is_in_background()
        if self.is_away:
            self._left.set()

    async def wait_until_ours(self) -> None:
        """Returns once another job had the terminal, and has it no more: a shell need not say so to a running one."""
        await self._left.wait()
        self._left = trio.Event()
        while self.is_away and self.is_in_background():  # noqa: ASYNC110  # only the kernel knows
            await trio.sleep(limits.FOREGROUND)


def stop(target: int) -> bool:
    """Sends SIGTSTP, and returns once continued. False if it did not stop us: in an orphaned process group it does not.

    target: as of kill(2); 0 is the process group, which a shell has made a job. See POSIX, 2.4.3: a process stopped in
    an orphaned group could not be continued by any shell. The kernel may give SIGCONT to any thread, which may run
    later than this one: so it is looked for several times.
    """
    is_continued = False

    def note(*_: object) -> None:
        nonlocal is_continued
        is_continued = True

    before = signal.signal(signal.SIGCONT, note)
    try:
        os.kill(target, signal.SIGTSTP)
        for _ in range(_LOOKS):
            if is_continued:
                break
            sleep(_LOOK_INTERVAL)
    finally:
        signal.signal(signal.SIGCONT, before or signal.SIG_DFL)
    return is_continued
