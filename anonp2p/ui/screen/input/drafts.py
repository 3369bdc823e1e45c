"""What stands in a room's input line: a draft, and what was sent before, each with what has been made of it."""

from collections import deque
from dataclasses import dataclass, field

from anonp2p import limits


@dataclass(slots=True, eq=False, repr=False)
class EditBuffer:
    """A text being edited: cursor, and the states to go back to. Up to date only while it is not the one shown."""

    text: str = ""
    cursor: int = 0
    undo: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=limits.UNDOS))


@dataclass(slots=True, eq=False, repr=False)
class SentText:
    """What was sent, and what has been made of it since. number: its place, which stays when others are forgotten."""

    number: int
    message: int | None
    text: str
    buffer: EditBuffer


class SentTexts:
    """What was sent in one room, oldest first; the oldest goes when there is too much of it."""

    def __init__(self) -> None:
        self._entries: list[SentText] = []
        self._number = 0

    def add(self, text: str, message: int | None = None) -> None:
        """What was just sent. message: the id it is to be forgotten by, if ever."""
        if not text:
            return
        self._number += 1
        self._entries.append(SentText(self._number, message, text, EditBuffer(text, len(text))))
        size = sum(len(entry.text.encode()) for entry in self._entries)
        while len(self._entries) > limits.SENT_TEXTS or size > limits.SENT_BYTES:
            size -= len(self._entries.pop(0).text.encode())

    def forget(self, message: int) -> None:
        """No message of this id any more, nor anything made of it, but for what is shown just now."""
        self._entries = [entry for entry in self._entries if entry.message != message]

    def before(self, entry: SentText | None) -> SentText | None:
        """The one sent before this one, or the last; None if there is none."""
        return next((one for one in reversed(self._entries) if entry is None or one.number < entry.number), None)

    def after(self, entry: SentText) -> SentText | None:
        """The one sent after this one; None if there is none."""
        return next((one for one in self._entries if one.number > entry.number), None)

    def restore(self) -> None:
        """All as it was sent, whatever has been made of it since."""
        for entry in self._entries:
            entry.buffer = EditBuffer(entry.text, len(entry.text))


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    """What the input line of one room holds: a draft, what was sent before, and which of that is shown instead."""

    history: SentTexts = field(default_factory=SentTexts)
    own: EditBuffer = field(default_factory=EditBuffer)
    at: SentText | None = None

    @property
    def buffer(self) -> EditBuffer:
        """What is shown: the draft, or something sent before."""
        return self.at.buffer if self.at else self.own
