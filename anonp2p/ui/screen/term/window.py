"""The title of the window that the terminal is in. It names nobody."""

from collections.abc import Callable
from typing import Final

TITLE_BACK: Final = "\x1b]2;\x1b\\\x1b[23;2t"  # empties the title, and restores the one that was kept
_KEEP = "\x1b[22;2t"


class Title:
    """The window's title: how many things call the user, in place of the title that there was; else that one.

    write: to the terminal.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._count = 0

    def show_count(self, count: int) -> None:
        """Shows that so many things call the user."""
        if count == self._count:
            return
        if count:
            self._write(f"{'' if self._count else _KEEP}\x1b]2;({count}) anonp2p\x1b\\")
        else:
            self._write(TITLE_BACK)
        self._count = count
