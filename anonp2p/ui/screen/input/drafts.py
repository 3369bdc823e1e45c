"""What stands in a room's input line: a draft, and the texts sent before, each with its edits."""

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
    """A text that was sent, and its edits since. number: its place, which stays when others are forgotten."""

    number: int
    message: int | None
    text: str
    buffer: EditBuffer


class SentTexts:
    """The texts sent in one room, oldest first; of too many the oldest are forgotten."""

    def __init__(self) -> None:
        self._entries: list[SentText] = []
        self._number = 0
        self._places: dict[int, int] = {}  # by the seq of a message of ours that is kept: the id of its text

    def add(self, text: str, message: int | None = None) -> None:
        """Adds a text that was just sent. message: the id by which it is forgotten, if ever."""
        if not text:
            return
        self._number += 1
        self._entries.append(SentText(self._number, message, text, EditBuffer(text, len(text))))
        size = sum(len(entry.text.encode()) for entry in self._entries)
        while len(self._entries) > limits.SENT_TEXTS or size > limits.SENT_BYTES:
            size -= len(self._entries.pop(0).text.encode())

    def forget(self, message: int) -> None:
        """Forgets the text with this id and its edits, except for what is shown just now."""
        self._entries = [entry for entry in self._entries if entry.message != message]

    def note_place(self, seq: int, message: int) -> None:
        """The text with this id has this place in the room's log, and ends with it."""
        self._places[seq] = message
        if len(self._places) > limits.SENT_TEXTS:
            del self._places[next(iter(self._places))]

    def move_place(self, was: int, seq: int) -> None:
        """What had the one place in the room's log has the other now."""
        if message := self._places.pop(was, 0):
            self.note_place(seq, message)

    def forget_place(self, seq: int) -> None:
        """Forgets the text with this place in the room's log."""
        if message := self._places.pop(seq, 0):
            self.forget(message)

    def before(self, entry: SentText | None) -> SentText | None:
        """The one sent before this one, or the last; None if there is none."""
        return next((one for one in reversed(self._entries) if entry is None or one.number < entry.number), None)

    def after(self, entry: SentText) -> SentText | None:
        """The one sent after this one; None if there is none."""
        return next((one for one in self._entries if one.number > entry.number), None)

    def find_before(self, entry: SentText | None, words: str) -> SentText | None:
        """The last one sent before this one, or of all, that has these words in it."""
        words = words.casefold()
        before = (one for one in reversed(self._entries) if entry is None or one.number < entry.number)
        return next((one for one in before if words in one.text.casefold()), None)

    def find_after(self, entry: SentText | None, words: str) -> SentText | None:
        """The first one sent after this one that has these words in it; None if there is none."""
        words = words.casefold()
        after = (one for one in self._entries if entry is not None and one.number > entry.number)
        return next((one for one in after if words in one.text.casefold()), None)

    def __contains__(self, entry: object) -> bool:
        return any(one is entry for one in self._entries)

    def restore(self) -> None:
        """Drops all edits of the texts."""
        for entry in self._entries:
            entry.buffer = EditBuffer(entry.text, len(entry.text))


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    """What the input line of one room holds: a draft, the texts sent before, and which of them is shown instead."""

    history: SentTexts = field(default_factory=SentTexts)
    own: EditBuffer = field(default_factory=EditBuffer)
    at: SentText | None = None

    @property
    def buffer(self) -> EditBuffer:
        """What is shown: the draft, or a text sent before."""
        return self.at.buffer if self.at else self.own
