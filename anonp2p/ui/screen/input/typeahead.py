"""Keys that the user presses while a room is being opened: they may be meant for that room."""

from collections.abc import Callable

from anonp2p import limits

_Size = tuple[int, int]


class Typeahead:
    """Holds keys back from the moment at which a room is asked for until it is there, or will not be."""

    def __init__(self) -> None:
        self._number = 0  # of the input that asked for the room; 0 while none is awaited
        self._held: list[tuple[_Size, str]] = []
        self._characters = 0  # of the keys held: a key may be a whole paste

    def begin(self, number: int) -> None:
        """The input with this number asks for a room."""
        self._number = number

    def is_awaiting(self, number: object) -> bool:
        """Whether the input with this number asked for the room that is awaited."""
        return self._number != 0 and self._number == number

    def hold_key(self, size: _Size, key: str) -> bool:
        """Keeps the key for later, if a room is awaited; of too many the last are dropped. Whether one is awaited."""
        if self._number and self._characters <= limits.INPUT_LINE:
            self._held.append((size, key))
            self._characters += len(key)
        return self._number != 0

    def end(self, press: Callable[[_Size, str], object]) -> None:
        """The room is there, or will not be: presses the keys that were held. They may ask for another room."""
        self._number = 0
        held, self._held, self._characters = self._held, [], 0
        for size, key in held:
            press(size, key)
