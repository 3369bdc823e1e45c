"""Which rows of a room's log are in sight, and which message is selected.

While the user looks back, what is in sight stays where it is, whatever comes.
"""

from collections.abc import Callable, Iterator
from itertools import dropwhile

from anonp2p.ui.screen.log_lines import ChatMessage, Layout, LineContext, LogLine, date_of
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.screen.scrollback import Scrollback


class Sight:
    """What is in sight of one log."""

    def __init__(self, log: Scrollback) -> None:
        self.log = log
        self._foot: tuple[int, int] | None = None  # looking back: the lowest line in sight, and its rows out of sight
        self._since = 0  # how many lines had been added when the user began to look back
        self._drawn: list[LogLine] = []  # what is in sight
        self._selected: ChatMessage | None = None
        log.removed, log.cleared = self._forget_line, self._forget_all

    def _forget_line(self, place: int, line: LogLine) -> None:
        """A line is gone: where it was the lowest in sight, the one above it is."""
        if self._foot and self._foot[0] == place:
            above = self.log.place_above(place)
            self._foot = None if above is None else (above, 0)
        self._drawn = [drawn for drawn in self._drawn if drawn is not line]
        if self._selected is line:
            self._selected = None

    def _forget_all(self) -> None:
        self._drawn.clear()
        self._selected = self._foot = None

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
        messages = [*self.log.latest_messages()]
        start = self._selected or self._lowest
        at = next((at for at, message in enumerate(messages) if message is start), -1)
        if by < 0:
            below = messages[:at][::-1] if self._selected else []
            return next(filter(wanted, below), None)
        return next(filter(wanted, messages[at + 1 if self._selected else max(at, 0) :]), None)

    def show_message(self, message: ChatMessage, height: int, layout: Layout, context: LineContext) -> None:
        """Moves so that the message is in sight, in the middle if it was not."""
        if any(line is message for line in self._drawn[:-1]):
            return
        place = self.log.find_place(message)
        if place is not None:
            self._look_at(place, 0)
            self.scroll_by(-(height // 2), height, layout, context)

    def messages_upward(self) -> Iterator[ChatMessage]:
        """The messages from the lowest in sight up that have their places."""
        return dropwhile(lambda message: message is not self._lowest, self.log.latest_messages())

    @property
    def _lowest(self) -> ChatMessage | None:
        """The lowest message in sight that has its place."""
        return next((line for line in self._drawn if isinstance(line, ChatMessage) and line.seq is not None), None)

    # --- what is in sight

    def shows(self, line: LogLine) -> bool:
        """Whether some of this line was in sight when the log was drawn last."""
        return any(drawn is line for drawn in self._drawn)

    @property
    def looking_back(self) -> bool:
        """Whether the latest is out of sight."""
        return self._foot is not None

    @property
    def below(self) -> int:
        """How many lines came, out of sight, while the user looks back."""
        return self.log.added - self._since if self._foot else 0

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
            place = next((place for place, line in self.log.list_all().items() if line is long[-1]), None)
            self._show_from(place, height, layout, context)
        return bool(long)

    def show_unread(self, height: int, layout: Layout, context: LineContext) -> bool:
        """Moves so that the first line that came unseen is the uppermost one; returns whether there is any."""
        self._show_from(self.log.unread, height, layout, context)
        return self.log.unread is not None

    def _show_from(self, place: int | None, height: int, layout: Layout, context: LineContext) -> None:
        """Moves so that the first row of this line is the uppermost one, or as far up as may be."""
        lines = self.log.list_all()
        if place is None or place not in lines:
            return
        self._look_at(place, 0)
        above = next((line for at, line in reversed(lines.items()) if at < place), None)
        rows_of = self._height(place, lines[place], above, layout, context)
        self.scroll_by(rows_of - height, height, layout, context)

    def scroll_to_end(self) -> None:
        """Back to the latest."""
        self._foot = None

    def _look_at(self, place: int, hidden: int) -> None:
        """Has this line be the lowest in sight, with so many of its rows out of sight."""
        if self._foot is None:
            self._since = self.log.added
        self._foot = place, hidden

    def scroll_by(self, by: int, height: int, layout: Layout, context: LineContext) -> None:
        """Moves up by so many rows, or down if it is negative; no further than there are lines."""
        lines = self.log.list_all()
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
            self._look_at(places[foot], hidden)

    def scroll_to_top(self, height: int, layout: Layout, context: LineContext) -> None:
        """Moves to the beginning."""
        left = height
        above: LogLine | None = None
        lines = self.log.list_all()
        for place, line in lines.items():
            left -= self._height(place, line, above, layout, context)
            above = line
            if left < 0 or (left == 0 and line is not next(reversed(lines.values()))):
                self._look_at(place, -left)
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
        for place, line, above in self.log.all_upward():
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
        new = [layout.rule("unread line", "new")] if place == self.log.unread else []
        date = [layout.rule("quiet", date_of(line.at))] if above and date_of(above.at) != date_of(line.at) else []
        return [*date, *new]

    def _within(self, context: LineContext) -> LineContext:
        """With what only this log knows."""
        return context._replace(
            find_message=self.log.find_message, number_of=self.log.number_of, selected=self._selected
        )
