"""A room's log on the screen: which lines there are, and which rows of them are in sight.

What is not yet ordered stands below everything else. What has ended, was given back or is beyond the bounds is gone
from here at once. While one looks back, what is in sight stays where it is, whatever comes.
"""

from collections.abc import Iterator
from itertools import chain

from anonp2p import limits
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.log_lines import ChatMessage, Context, Layout, LogLine
from anonp2p.ui.screen.rows import Row


class Scrollback:
    """The entries of one room, oldest first."""

    def __init__(self) -> None:
        self._entries: dict[int, LogLine] = {}
        self._orders: dict[int, int] = {}  # of messages, by their seq
        self._fleeting: set[int] = set()  # the places of what is to be shown for a while only
        self._waiting: dict[int, ChatMessage] = {}  # what is not yet ordered, by its number
        self._next = 0
        self._size = 0
        self._foot: tuple[int, int] | None = None  # looking back: the lowest entry in sight, and its rows out of sight
        self._unread: int | None = None  # the first entry that came while nobody looked
        self._drawn: list[LogLine] = []  # what is in sight
        self._below = 0  # what has come since one looks back

    # --- what there is

    def add(self, entry: LogLine, *, unread: bool = False) -> None:
        """One more. unread: nobody is looking."""
        if unread and self._unread is None:
            self._unread = self._next
        self._entries[self._next] = entry
        if isinstance(entry, ChatMessage) and entry.seq is not None:
            self._orders[entry.seq] = self._next
            if entry.fleeting:
                self._fleeting.add(self._next)
        self._next += 1
        self._size += entry.size
        self._below += self._foot is not None
        while len(self._entries) > limits.SCROLLBACK or self._size > limits.SCROLLBACK_BYTES:
            self._remove(next(iter(self._entries)))

    def wait(self, number: int, message: ChatMessage) -> None:
        """A message of ours is on its way."""
        self._waiting[number] = message

    def settle(self, number: int) -> ChatMessage | None:
        """It is no longer on its way, whatever became of it."""
        return self._waiting.pop(number, None)

    @property
    def waiting(self) -> int:
        """How many messages of ours are on their way."""
        return len(self._waiting)

    def expire(self, seq: int) -> None:
        """A message has ended."""
        if (order := self._orders.get(seq)) is not None:
            self._remove(order)

    def remove(self, entry: LogLine) -> None:
        """Takes out an entry that the program made."""
        found = next((order for order, other in reversed(self._entries.items()) if other is entry), None)
        if found is not None:
            self._remove(found)

    def __contains__(self, entry: object) -> bool:
        return any(other is entry for other in self._entries.values())

    def last(self) -> LogLine | None:
        """The latest entry."""
        return next(reversed(self._entries.values()), None)

    def clear(self) -> None:
        """Forgets everything but what is on its way."""
        self._entries.clear()
        self._orders.clear()
        self._fleeting.clear()
        self._drawn.clear()
        self._size = self._below = 0
        self._foot = self._unread = None

    def fade(self, now: float) -> bool:
        """Takes out what was to be shown for a while only, and has been; whether there was anything."""
        fleeting = [(order, self._entries[order]) for order in self._fleeting]
        over = [order for order, entry in fleeting if isinstance(entry, ChatMessage) and entry.is_over(now)]
        for order in over:
            self._remove(order)
        return bool(over)

    def _remove(self, order: int) -> None:
        if self._foot and self._foot[0] == order:
            self._foot = next(((above, 0) for above in reversed(self._entries) if above < order), None)
        if self._unread == order:
            self._unread = next((below for below in self._entries if below > order), None)
        entry = self._entries.pop(order)
        self._drawn = [drawn for drawn in self._drawn if drawn is not entry]
        self._size -= entry.size
        if isinstance(entry, ChatMessage) and entry.seq is not None:
            del self._orders[entry.seq]
            self._fleeting.discard(order)

    # --- what is in sight

    @property
    def looking_back(self) -> bool:
        """Whether the latest is out of sight."""
        return self._foot is not None

    @property
    def below(self) -> int:
        """How many entries have come out of sight since one looks back."""
        return self._below

    def read(self) -> None:
        """What came while nobody looked has been seen: there is no line above it any more."""
        self._unread = None

    def unfold(self) -> None:
        """Shows all lines of the long messages in sight, or no longer does."""
        long = [entry for entry in self._drawn if isinstance(entry, ChatMessage) and entry.is_long]
        whole = not any(entry.whole for entry in long)
        for entry in long:
            entry.whole = whole

    def follow(self) -> None:
        """Back to the latest."""
        self._foot = None
        self._below = 0

    def scroll(self, by: int, height: int, layout: Layout, context: Context) -> None:
        """Moves up by so many rows, or down by less than none; no further than there is something to see."""
        entries = self._all()
        orders = list(entries)

        def rows_of(at: int) -> int:
            above = entries[orders[at - 1]] if at else None
            return self._height(orders[at], entries[orders[at]], above, layout, context)

        if not orders:
            return
        foot = len(orders) - 1
        hidden = by
        if self._foot is not None:
            foot = next((at for at in reversed(range(len(orders))) if orders[at] <= self._foot[0]), 0)
            hidden += min(self._foot[1], rows_of(foot) - 1)
        while hidden < 0 and foot + 1 < len(orders):
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
            self.to_top(height, layout, context)
        elif hidden <= 0 and foot + 1 == len(orders):
            self.follow()
        else:
            self._foot = orders[foot], hidden

    def to_top(self, height: int, layout: Layout, context: Context) -> None:
        """Moves to the beginning."""
        left = height
        above: LogLine | None = None
        entries = self._all()
        for order, entry in entries.items():
            left -= self._height(order, entry, above, layout, context)
            above = entry
            if left < 0 or (left == 0 and entry is not next(reversed(entries.values()))):
                self._foot = order, -left
                return
        self.follow()  # all of it is in sight

    def in_sight(self, height: int, layout: Layout, context: Context) -> tuple[list[Row], bool]:
        """So many rows, or fewer if there are no more; and whether any of them changes as time goes by."""
        if self._foot is not None:
            self.scroll(0, height, layout, context)  # there may be less to see now, or more rows to see it in
        drawn: list[Row] = []
        changing = False
        lowest, hidden = self._foot or (None, 0)
        before, self._drawn = self._drawn, []
        for order, entry, above in self._upward():
            if lowest is not None and order > lowest:
                continue
            if context.watched:
                entry.seen(context.now)
            of_entry = self._rows(order, entry, above, layout, context)
            self._drawn.append(entry)
            changing = changing or entry.is_changing()
            drawn[:0] = of_entry[: len(of_entry) - min(hidden, len(of_entry) - 1)]
            hidden = 0
            if len(drawn) >= height:
                break
        for entry in before:
            if not any(entry is other for other in self._drawn):
                entry.forget_rows()
        return drawn[max(0, len(drawn) - height) :], changing

    def _all(self) -> dict[int, LogLine]:
        """Every entry by its place, those on their way last."""
        return self._entries | {self._next + at: entry for at, entry in enumerate(self._waiting.values())}

    def _upward(self) -> Iterator[tuple[int, LogLine, LogLine | None]]:
        """Every entry from the lowest up, with its place and the entry above it."""
        below: tuple[int, LogLine] | None = None
        waiting = [(self._next + at, entry) for at, entry in enumerate(self._waiting.values())]
        for order, entry in chain(reversed(waiting), reversed(self._entries.items())):
            if below:
                yield (*below, entry)
            below = order, entry
        if below:
            yield (*below, None)

    def _height(self, order: int, entry: LogLine, above: LogLine | None, layout: Layout, context: Context) -> int:
        """How many rows it has, which stay nowhere."""
        rows_of = len(self._rows(order, entry, above, layout, context))
        if not any(entry is drawn for drawn in self._drawn):
            entry.forget_rows()
        return rows_of

    def _rows(self, order: int, entry: LogLine, above: LogLine | None, layout: Layout, context: Context) -> list[Row]:
        if order != self._unread:
            return entry.rows(layout, context, above)
        return [rows.rule("unread line", "new", layout.width), *entry.rows(layout, context, None)]
