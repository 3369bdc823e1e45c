"""The lines of a room's log on the screen.

Messages that have no place in the room's order yet stand below everything else. A message that has expired or was
given back is gone from here at once, as are the oldest lines where there are too many.

What the user reads and types as the number of a message is the index of its place in the room's log, which is small and
means one message: where two have the same, the place of the one in the earlier term was cut, and it has no number.
"""

from collections.abc import Callable, Iterator
from itertools import chain

from anonp2p import limits
from anonp2p.room.succession.terms import index_of
from anonp2p.ui.screen.log_lines import ChatMessage, LogLine


class Scrollback:
    """The lines of one room, oldest first.

    removed: is told each line that is taken out, with its place; cleared: that all are. So nobody keeps what has ended.
    """

    def __init__(self) -> None:
        self._lines: dict[int, LogLine] = {}
        self._places: dict[int, int] = {}  # of messages, by their seq, those of before included
        self._numbered: dict[int, int] = {}  # which seq a number means
        self._fading: set[int] = set()  # the places of what is to be shown for a while only
        self._pending: dict[int, ChatMessage] = {}  # messages not yet ordered, by their numbers
        self._next = 0
        self._size = 0
        self._unread: int | None = None  # the first line that came while the user did not look
        self.removed: Callable[[int, LogLine], None] = lambda _, __: None
        self.cleared: Callable[[], None] = lambda: None

    # --- what there is

    def add_line(self, line: LogLine, *, unread: bool = False) -> None:
        """Adds a line. unread: the user does not look at this log."""
        if unread and self._unread is None:
            self._unread = self._next
        self._lines[self._next] = line
        if isinstance(line, ChatMessage) and line.seq is not None:
            self._note_seq(line.seq, self._next)
        if line.fades:
            self._fading.add(self._next)
        self._next += 1
        self._size += line.size
        while len(self._lines) > limits.SCROLLBACK or self._size > limits.SCROLLBACK_BYTES:
            self._remove(next(iter(self._lines)))

    def add_pending(self, number: int, message: ChatMessage) -> None:
        """Adds a message of ours that is on its way."""
        self._pending[number] = message

    def settle_pending(self, number: int) -> ChatMessage | None:
        """Takes out a message that is no longer on its way, whatever became of it."""
        return self._pending.pop(number, None)

    def is_pending_offer(self, number: object) -> bool:
        """Whether a file of ours with this number is to be offered, and is not yet."""
        return isinstance(number, int) and number in self._pending and self._pending[number].offer is not None

    @property
    def pending_count(self) -> int:
        """How many messages of ours are on their way."""
        return len(self._pending)

    def expire_message(self, seq: int) -> None:
        """Takes out a message that has expired."""
        if (place := self._places.get(seq)) is not None:
            self._remove(place)

    def move_message(self, was: int, seq: int) -> None:
        """A message has another seq: it stays where it is, and is still found by that of before."""
        if (message := self.find_message(was)) is not None and message.seq is not None:
            message.former_seqs += (message.seq,)
            message.seq = seq
            self._note_seq(seq, self._places[was])

    def _note_seq(self, seq: int, place: int) -> None:
        self._places[seq] = place
        number = index_of(seq)
        self._numbered[number] = max(seq, self._numbered.get(number, 0))

    def find_numbered(self, number: int) -> ChatMessage | None:
        """The message that the user means by this number, or by a whole seq."""
        return self.find_message(self._numbered.get(number, number))

    def number_of(self, message: ChatMessage) -> int | None:
        """The number by which the user can name a message."""
        number = None if message.seq is None else index_of(message.seq)
        return number if number is not None and self._numbered.get(number) == message.seq else None

    def find_message(self, seq: int) -> ChatMessage | None:
        """The message with this seq, if it is still here."""
        place = self._places.get(seq)
        found = None if place is None else self._lines[place]
        return found if isinstance(found, ChatMessage) else None

    def latest_messages(self) -> Iterator[ChatMessage]:
        """The messages that have their places, the latest first."""
        return (line for line in reversed(self._lines.values()) if isinstance(line, ChatMessage))

    @property
    def added(self) -> int:
        """How many lines were ever added."""
        return self._next

    @property
    def unread(self) -> int | None:
        """The place of the first line that came while the user did not look."""
        return self._unread

    def mark_read(self) -> None:
        """What came while the user did not look has been seen."""
        self._unread = None

    def list_all(self) -> dict[int, LogLine]:
        """Every line by its place, those on their way last."""
        return self._lines | {self._next + at: line for at, line in enumerate(self._pending.values())}

    def all_upward(self) -> Iterator[tuple[int, LogLine, LogLine | None]]:
        """Every line from the lowest up, with its place and the line above it."""
        below: tuple[int, LogLine] | None = None
        pending = [(self._next + at, line) for at, line in enumerate(self._pending.values())]
        for place, line in chain(reversed(pending), reversed(self._lines.items())):
            if below:
                yield (*below, line)
            below = place, line
        if below:
            yield (*below, None)

    def find_place(self, line: LogLine) -> int | None:
        """Where a line is, if it is there."""
        return next((place for place, other in reversed(self._lines.items()) if other is line), None)

    def place_above(self, place: int) -> int | None:
        """The place of the line above one that is there or was."""
        return next((above for above in reversed(self._lines) if above < place), None)

    def remove_line(self, line: LogLine) -> None:
        """Takes out a line that the program made."""
        if (found := self.find_place(line)) is not None:
            self._remove(found)

    def remove_messages(self, member: str) -> None:
        """Takes out all that somebody has said."""
        said = [place for place, line in self._lines.items() if isinstance(line, ChatMessage) and line.member == member]
        for place in said:
            self._remove(place)

    def __contains__(self, line: object) -> bool:
        return any(other is line for other in self._lines.values())

    def lines_upward(self) -> Iterator[LogLine]:
        """Those with a place, the latest first."""
        return reversed(self._lines.values())

    def last_line(self) -> LogLine | None:
        """The latest line."""
        return next(reversed(self._lines.values()), None)

    def clear(self) -> None:
        """Forgets everything except messages on their way."""
        self._lines.clear()
        self._places.clear()
        self._numbered.clear()
        self._fading.clear()
        self._size = 0
        self._unread = None
        self.cleared()

    def drop_faded(self, now: float) -> bool:
        """Takes out what was shown for long enough; returns whether there was any."""
        over = [place for place in self._fading if self._lines[place].is_over(now)]
        for place in over:
            self._remove(place)
        return bool(over)

    def _remove(self, place: int) -> None:
        if self._unread == place:
            self._unread = next((below for below in self._lines if below > place), None)
        line = self._lines.pop(place)
        self.removed(place, line)
        self._size -= line.size
        self._fading.discard(place)
        if isinstance(line, ChatMessage) and line.seq is not None:
            for seq in (*line.former_seqs, line.seq):
                self._places.pop(seq, None)
                if self._numbered.get(index_of(seq)) == seq:
                    del self._numbered[index_of(seq)]
