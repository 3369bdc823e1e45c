"""What draws the user's attention to the terminal: the bell, and notifications of the desktop."""

import os
import time
from collections.abc import Callable

from anonp2p import limits

_WORDS = "anonp2p: there is something new for you"
_OF_KITTY = f"\x1b]99;;{_WORDS}\x1b\\"
_OF_URXVT = f"\x1b]777;notify;anonp2p;{_WORDS}\x1b\\"
_OF_OTHERS = f"\x1b]9;{_WORDS}\x1b\\"  # iTerm2's, which most others understand


class Bell:
    """Rings when something calls the user, who looks elsewhere; and notifies, once that is switched on.

    is_on: whether it does at all. is_notifying: whether the desktop is told as well. ring, notify: do so.
    """

    def __init__(self, ring: Callable[[], None], notify: Callable[[], None]) -> None:
        self.is_on = True
        self.is_notifying = False
        self._ring = ring
        self._notify = notify
        self._pressed_at = time.monotonic()
        self._rung_at = float("-inf")

    def note_key(self) -> None:
        """Notes that the user is there, as a key was pressed."""
        self._pressed_at = time.monotonic()

    def call_user(self, *, watched: bool, is_private: bool) -> None:
        """Rings, if the user looks elsewhere. is_private: in a private room, which it would betray to bystanders.

        watched: whether the terminal says that its window has the keyboard, or says nothing.
        """
        now = time.monotonic()
        is_away = not watched or now - self._pressed_at > limits.IDLE
        if self.is_on and is_away and not is_private and now - self._rung_at >= limits.BELL_PAUSE:
            self._rung_at = now
            self._ring()
            if self.is_notifying:
                self._notify()


def notification() -> str:
    """The sequence that has this terminal notify its user: the only one of the three that it understands for sure."""
    kind = os.environ.get("TERM", "")
    if "kitty" in kind:
        return _OF_KITTY
    return _OF_URXVT if kind.startswith(("rxvt", "foot")) else _OF_OTHERS
