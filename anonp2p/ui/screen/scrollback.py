"""A room's log on the screen: which lines there are, and which rows of them are in sight.

Messages that have no place in the room's order yet stand below everything else. A message that has expired or was
given back is gone from here at once, as are the oldest lines where there are too many. While the user looks back,
what is in sight stays where it is, whatever comes.

What the user reads and types as the number of a message is the index of its place in the room's log, which is small and
means one message: where two have the same, the place of the one in the earlier term was cut, and it has no number.
"""

from collections.abc import Callable, Iterator
from itertools import chain, dropwhile

from anonp2p import limits
from anonp2p.room.succession.terms import index_of
from anonp2p.ui.screen.log_lines import ChatMessage, Layout, LineContext, LogLine, date_of
from anonp2p.ui.screen.rows import Row


class Scrollback:
    """The lines of one room, oldest first."""

    def __init__(self) -> None:
        self._lines: dict[int, LogLine] = {}
        self._places: dict[int, int] = {}  # of messages, by their seq, those of before included
        self._numbered: dict[int, int] = {}  # which seq a number means
        self._fading: set[int] = set()  # the places of what is to be shown for a while only
        self._pending: dict[int, ChatMessage] = {}  # messages not yet ordered, by their numbers
        self._next = 0
        self._size = 0
        self._foot: tuple[int, int] | None = None  # looking back: the lowest line in sight, and its rows out of sight
        self._unread: int | None = None  # the first line that came while the user did not look
        self._drawn: list[LogLine] = []  # what is in sight
        self._below = 0  # lines that came while the user looks back
        self._selected: ChatMessage | None = None

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
        self._below += self._foot is not None
        while len(self._lines) > limits.SCROLLBACK or self._size > limits.SCROLLBACK_BYTES:
            self._remove(next(iter(self._lines)))

    def add_pending(self, number: int, message: ChatMessage) -> None:
        """Adds a message of ours that is on its way."""
        self._pending[number] = message

    def settle_pending(self, number: int) -> ChatMessage | None:
        """Takes out a message that is no longer on its way, whatever became of it."""
        return self._pending.pop(number, None)

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

    def messages_upward(self) -> Iterator[ChatMessage]:
        """The messages from the lowest in sight up that have their places."""
        lowest = next((line for line in self._drawn if isinstance(line, ChatMessage) and line.seq is not None), None)
        return dropwhile(lambda message: message is not lowest, self.latest_messages())

    def remove_line(self, line: LogLine) -> None:
        """Takes out a line that the program made."""
        found = next((place for place, other in reversed(self._lines.items()) if other is line), None)
        if found is not None:
            self._remove(found)

    def remove_messages(self, member: str) -> None:
        """Takes out all that somebody has said."""
        said = [place for place, line in self._lines.items() if isinstance(line, ChatMessage) and line.member == member]
        for place in said:
            self._remove(place)

    def __contains__(self, line: object) -> bool:
        return any(other is line for other in self._lines.values())

    def last_line(self) -> LogLine | None:
        """The latest line."""
        return next(reversed(self._lines.values()), None)

    def clear(self) -> None:
        """Forgets everything except messages on their way."""
        self._lines.clear()
        self._places.clear()
        self._numbered.clear()
        self._fading.clear()
        self._drawn.clear()
        self._selected = None
        self._size = self._below = 0
        self._foot = self._unread = None

    def drop_faded(self, now: float) -> bool:
        """Takes out what was shown for long enough; returns whether there was any."""
        over = [place for place in self._fading if self._lines[place].is_over(now)]
        for place in over:
            self._remove(place)
        return bool(over)

    def _remove(self, place: int) -> None:
        if self._foot and self._foot[0] == place:
            self._foot = next(((above, 0) for above in reversed(self._lines) if above < place), None)
        if self._unread == place:
            self._unread = next((below for below in self._lines if below > place), None)
        line = self._lines.pop(place)
        self._drawn = [drawn for drawn in self._drawn if drawn is not line]
        if self._selected is line:
            self._selected = None
        self._size -= line.size
        self._fading.discard(place)
        if isinstance(line, ChatMessage) and line.seq is not None:
            for seq in (*line.former_seqs, line.seq):
                self._places.pop(seq, None)
                if self._numbered.get(index_of(seq)) == seq:
                    del self._numbered[index_of(seq)]

    # --- the message that is selected

    @property
    def selected(self) -> ChatMessage | None:
        """The message that the user has selected, until it ends."""
        return self._selected

    def select_message(self, message: ChatMessage | None) -> None:
        """Selects a message, or none."""
        self._selected = message

    def next_message(self, by: int, wanted: Callable[[ChatMessage], bool] = lambda _: True) -> ChatMessage | None:
        """The next such message, up from the one that is selected, or down where `by` is negative.

        Where none is selected: the lowest one in sight and all above it; there is none below.
        """
        messages = [*self.latest_messages()]
        lowest = next((line for line in self._drawn if isinstance(line, ChatMessage) and line.seq is not None), None)
        start = self._selected or lowest
        at = next((at for at, message in enumerate(messages) if message is start), -1)
        if by < 0:
            below = messages[:at][::-1] if self._selected else []
            return next(filter(wanted, below), None)
        return next(filter(wanted, messages[at + 1 if self._selected else max(at, 0) :]), None)

    def show_message(self, message: ChatMessage, height: int, layout: Layout, context: LineContext) -> None:
        """Moves so that the message is in sight, in the middle if it was not."""
        if any(line is message for line in self._drawn[:-1]):
            return
        place = next((place for place, line in self._lines.items() if line is message), None)
        if place is not None:
            self._foot = place, 0
            self.scroll_by(-(height // 2), height, layout, context)

    # --- what is in sight

    @property
    def looking_back(self) -> bool:
        """Whether the latest is out of sight."""
        return self._foot is not None

    @property
    def below(self) -> int:
        """How many lines came, out of sight, while the user looks back."""
        return self._below

    def mark_read(self) -> None:
        """Removes the line above what came while the user did not look: it has been seen."""
        self._unread = None

    def toggle_long_messages(self, height: int, layout: Layout, context: LineContext) -> bool:
        """Shows all lines of the long message that is selected, or of those in sight; or no longer does.

        The uppermost of them is in sight from its beginning then. Returns whether there are any.
        """
        among = [self._selected] if self._selected else self._drawn
        long = [line for line in among if isinstance(line, ChatMessage) and line.is_long]
        whole = not any(line.whole for line in long)
        for line in long:
            line.whole = whole
        if long:
            self._show_from(long[-1], height, layout, context)
        return bool(long)

    def _show_from(self, message: ChatMessage, height: int, layout: Layout, context: LineContext) -> None:
        """Moves so that the first row of a message is the uppermost one, or as far up as may be."""
        place = next((place for place, line in self._all().items() if line is message), None)
        if place is None:
            return
        self._foot = place, 0
        above = next((line for at, line in reversed(self._all().items()) if at < place), None)
        rows_of = self._height(place, message, above, layout, context)
        self.scroll_by(rows_of - height, height, layout, context)

    def scroll_to_end(self) -> None:
        """Back to the latest."""
        self._foot = None
        self._below = 0

    def scroll_by(self, by: int, height: int, layout: Layout, context: LineContext) -> None:
        """Moves up by so many rows, or down if it is negative; no further than there are lines."""
        lines = self._all()
        places = list(lines)

        def rows_of(at: int) -> int:
            above = lines[places[at - 1]] if at else None
            return self._height(places[at], lines[places[at]], above, layout, context)

        if not places:
            return
        foot = len(places) - 1
        hidden = by
        if self._foot is not None:
            foot = next((at for at in reversed(range(len(places))) if places[at] <= self._foot[0]), 0)
            hidden += min(self._foot[1], rows_of(foot) - 1)
        while hidden < 0 and foot + 1 < len(places):
            foot += 1
            hidden += rows_of(foot)
        while foot and hidden >= rows_of(foot):
            hidden -= rows_of(foot)
            foot -= 1
        top, above = foot, rows_of(foot) - hidden
        while top and above < height:
            top -= 1
            above += rows_of(top)
        if above < height:  # that is beyond the beginning
            self.scroll_to_top(height, layout, context)
        elif hidden <= 0 and foot + 1 == len(places):
            self.scroll_to_end()
        else:
            self._foot = places[foot], hidden

    def scroll_to_top(self, height: int, layout: Layout, context: LineContext) -> None:
        """Moves to the beginning."""
        left = height
        above: LogLine | None = None
        lines = self._all()
        for place, line in lines.items():
            left -= self._height(place, line, above, layout, context)
            above = line
            if left < 0 or (left == 0 and line is not next(reversed(lines.values()))):
                self._foot = place, -left
                return
        self.scroll_to_end()  # all of it is in sight

    def draw_visible(self, height: int, layout: Layout, context: LineContext) -> tuple[list[Row], bool]:
        """So many rows, or fewer if there are no more; and whether any of them changes as time goes by."""
        if self._foot is not None:
            self.scroll_by(0, height, layout, context)  # there may be less to see now, or more rows to see it in
        drawn: list[Row] = []
        changing = False
        lowest, hidden = self._foot or (None, 0)
        before, self._drawn = self._drawn, []
        for place, line, above in self._upward():
            if lowest is not None and place > lowest:
                continue
            if context.watched:
                line.seen(context.now)
            of_line = self._rows(place, line, above, layout, context)
            self._drawn.append(line)
            changing = changing or line.is_changing()
            of_line = of_line[: len(of_line) - min(hidden, len(of_line) - 1)]
            hidden = 0
            drawn[:0] = of_line
            if len(drawn) >= height:
                self._name_top(drawn, len(drawn) - height, place, line, above, layout, context)
                break
        for line in before:
            if not any(line is other for other in self._drawn):
                line.forget_rows()
        return drawn[max(0, len(drawn) - height) :], changing

    def _name_top(
        self,
        drawn: list[Row],
        cut: int,
        place: int,
        line: LogLine,
        above: LogLine | None,
        layout: Layout,
        context: LineContext,
    ) -> None:
        """Names the author of the uppermost line in sight, if that is a message whose name is out of sight.

        cut: how many of its rows are.
        """
        if not isinstance(line, ChatMessage):
            return
        context = self._within(context)
        before = len(self._rows_before(place, line, above, layout))
        if (not before and line.continues(above)) or cut > before + line.count_notes(context):
            drawn[cut] = line.name_row(drawn[cut], layout, context)

    def _all(self) -> dict[int, LogLine]:
        """Every line by its place, those on their way last."""
        return self._lines | {self._next + at: line for at, line in enumerate(self._pending.values())}

    def _upward(self) -> Iterator[tuple[int, LogLine, LogLine | None]]:
        """Every line from the lowest up, with its place and the line above it."""
        below: tuple[int, LogLine] | None = None
        pending = [(self._next + at, line) for at, line in enumerate(self._pending.values())]
        for place, line in chain(reversed(pending), reversed(self._lines.items())):
            if below:
                yield (*below, line)
            below = place, line
        if below:
            yield (*below, None)

    def _height(self, place: int, line: LogLine, above: LogLine | None, layout: Layout, context: LineContext) -> int:
        """How many rows it has. The rows are not kept."""
        rows_of = len(self._rows(place, line, above, layout, context))
        if not any(line is drawn for drawn in self._drawn):
            line.forget_rows()
        return rows_of

    def _rows(
        self, place: int, line: LogLine, above: LogLine | None, layout: Layout, context: LineContext
    ) -> list[Row]:
        before = self._rows_before(place, line, above, layout)
        return [*before, *line.rows(layout, self._within(context), None if before else above)]

    def _rows_before(self, place: int, line: LogLine, above: LogLine | None, layout: Layout) -> list[Row]:
        """What stands between a line and the one above it: another date, and that what follows is new."""
        new = [layout.rule("unread line", "new")] if place == self._unread else []
        date = [layout.rule("quiet", date_of(line.at))] if above and date_of(above.at) != date_of(line.at) else []
        return [*date, *new]

    def _within(self, context: LineContext) -> LineContext:
        """With what only this log knows."""
        return context._replace(find_message=self.find_message, number_of=self.number_of, selected=self._selected)
