"""The terminal's bell: when it rings."""

import time
from collections.abc import Callable

_IDLE = 60.0  # seconds without a key after which we assume that the user looks elsewhere, if the terminal does not say


class Bell:
    """Rings when somebody mentions the user, or writes to the user alone, while the user looks elsewhere.

    ring: draws attention on the terminal.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self.is_on = True
        self._ring = ring
        self._pressed_at = time.monotonic()

    def note_key(self) -> None:
        """Notes that the user is there, as a key was pressed."""
        self._pressed_at = time.monotonic()

    def call_user(self, *, watched: bool, is_private: bool) -> None:
        """Rings, if the user looks elsewhere. is_private: in a private room, which it would betray to bystanders."""
        is_away = not watched or time.monotonic() - self._pressed_at > _IDLE
        if self.is_on and is_away and not is_private:
            self._ring()
