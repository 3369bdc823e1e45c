"""The lines of a room's log on the screen, and those of them that are messages.

The author of a line is named left of the bar that runs down the screen, where no text of a peer is ever drawn: right
of the bar a text may imitate what it likes. On narrow screens the author is named on a row without the bar. Of several
messages of one author in a row only the first has the name; each has its time, or a branch of the bar where it begins.
"""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, NamedTuple

from anonp2p import limits
from anonp2p.ui import sanitize, wording
from anonp2p.ui.attention import find_nick
from anonp2p.ui.links import find_links
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.rows import Piece, Row
from anonp2p.ui.screen.shown_offer import ShownOffer
from anonp2p.ui.widths import width, wrap

_COUNTDOWN = 5  # columns at the right margin: a space, and up to 4 as in `364d`
_CLOCK = 6  # columns: `23:59 `
_BAR = 3  # columns: the bar, and a space on either side
UNFOLDED = 20  # lines of a message at most that are all shown unasked: about a screenful
FOLDED = 10  # lines that are shown of a longer one, so that what others say stays in sight
_CUT = 2  # columns beside an author whose text begins out of sight: a space, and an ellipsis
_TOGETHER = 5 * 60  # seconds between two messages that stand under one name


class Layout(NamedTuple):
    """Widths of the log and of its column of nicks; 0: there is none, and an author is named on a row above."""

    width: int
    nicks: int

    @property
    def room(self) -> int:
        """Columns for a text right of the bar."""
        return self.width - (_CLOCK + self.nicks + _BAR if self.nicks else 1)

    def rule(self, style: str, text: str) -> Row:
        """A line across with words in it, which leaves the bar as it is."""
        if not self.nicks:
            return rows.rule(style, text, self.width)
        blank: Row = [("", " " * (_CLOCK + self.nicks + 1)), ("bar", "│"), ("", " ")]
        return [*blank, *rows.rule(style, text, self.room)]


class LineContext(NamedTuple):
    """What else the looks of a line depend on. now: seconds since the epoch. tor: what it is doing; empty once up.

    watched: whether somebody looks. numbers: whether messages are shown with their numbers in place of their times.
    find_message: finds a message of the same log by its seq. number_of: by what number the user can name one.
    knock: whether newcomers have to wait. looks: of those who wrote it. selected: the message that is. sought: what is
    looked for; empty: nothing.
    """

    now: float
    tor: str = ""
    watched: bool = True
    numbers: bool = False
    find_message: "Callable[[int], ChatMessage | None]" = lambda _: None
    number_of: "Callable[[ChatMessage], int | None]" = lambda _: None
    knock: bool = False
    looks: MemberLooks = MemberLooks()
    selected: "ChatMessage | None" = None
    sought: str = ""


@dataclass(slots=True, repr=False, eq=False)
class LogLine(ABC):
    """Something in a log. at: seconds since the epoch. Never shows what it holds."""

    at: float
    _key: object = field(default=None, init=False)
    _drawn: list[Row] = field(default_factory=list, init=False)

    size: ClassVar[int] = 200  # bytes, about, beside its text

    def rows(self, layout: Layout, context: LineContext, after: "LogLine | None" = None) -> list[Row]:
        """As it is drawn, each row as wide as the layout. after: the line above it."""
        key = (layout, *self._changing(context, after))
        if key != self._key:
            self._drawn = [rows.fit(row, layout.width) for row in self._draw(layout, context, after)]
            self._key = key
        return self._drawn

    def forget_rows(self) -> None:
        """Forgets the drawn rows: out of sight, they would take more memory than all else."""
        self._key, self._drawn = None, []

    def is_changing(self) -> bool:
        """Whether it looks different as time goes by."""
        return False

    def seen(self, now: float) -> None:  # noqa: B027  # to most lines that makes no difference
        """It is on the screen."""

    @property
    def fades(self) -> bool:
        """Whether it is to be taken out once it was shown for a while."""
        return False

    def is_over(self, now: float) -> bool:
        """Whether that while is over."""
        return False

    def _changing(self, context: LineContext, after: "LogLine | None") -> tuple[object, ...]:
        """All that its looks depend on and that may change, except the layout."""
        return ()

    @abstractmethod
    def _draw(self, layout: Layout, context: LineContext, after: "LogLine | None") -> list[Row]: ...

    def _beside(self, layout: Layout, label: Row, body: list[Row], bar: Piece, clock: str) -> list[Row]:
        """A label, and beside it the rows that belong to it."""
        head: Row = [("time", f"{clock:{_CLOCK}}")]
        wide = sum(width(text) for _, text in label)
        if not layout.nicks:
            return [[*head, *label], *([bar, *row] for row in body)]
        blank: Row = [("", " " * (_CLOCK + layout.nicks))]
        gap: Row = [("", " "), bar, ("", " ")]
        first: Row = [*head, ("", " " * (layout.nicks - wide)), *label]
        return [[*(blank if at else first), *gap, *row] for at, row in enumerate(body)]


@dataclass(slots=True, repr=False, eq=False)
class ChatMessage(LogLine):
    """A message. text: as its author wrote it; of an offer, the name of the file. offer: that file.

    seq: None until it has its place. until: when it ends, by our clock.
    to, to_member: whom a private one of our own is for.
    former_seqs: those that it had before halves of the room met. reply: the seq of the message that it refers to;
    reply_gone: that is not there any more, or never was. late: it was not shown at its first place, which was cut.
    """

    member: str = ""
    nick: str = ""
    text: str = ""
    seq: int | None = None
    until: float | None = None
    fleeting: bool = False  # shown once: it ends a while after it has first been seen
    action: bool = False
    private: bool = False
    to: str = ""
    to_member: str = ""
    mine: bool = False
    history: bool = False
    late: bool = False
    former_seqs: tuple[int, ...] = ()
    reply: int | None = None
    reply_gone: bool = False
    mention: bool = False
    me: str = ""  # our nick at that time
    newcomer: bool = False  # its author came lately: no link in it is shown as one
    offer: ShownOffer | None = None
    whole: bool = False  # to be shown with all its lines, however many

    def is_changing(self) -> bool:
        """Whether it looks different as time goes by."""
        return self.until is not None

    def seen(self, now: float) -> None:
        """It is on the screen."""
        if self.fleeting and self.until is None:
            self.until = now + limits.FLEETING

    @property
    def fades(self) -> bool:
        """Whether it is shown only once."""
        return self.fleeting

    def is_over(self, now: float) -> bool:
        """Whether a fleeting message was shown for long enough."""
        return self.fleeting and self.until is not None and self.until <= now

    @property
    def is_long(self) -> bool:
        """Whether it has so many lines that not all are shown unless the user asks for them."""
        return self.text.count("\n") >= UNFOLDED

    @property
    def size(self) -> int:  # type: ignore[override]
        """Bytes it takes, about."""
        return LogLine.size + len(self.text)

    @property
    def is_reply(self) -> bool:
        """Whether it refers to another message."""
        return self.reply is not None or self.reply_gone

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        above = self.continues(after), self._is_same_minute(after)
        looks = context.looks.version, context.looks.style(self.member)
        shown = self._left(context), self._clock(context), self._quote(context), self.whole
        version = self.offer.version if self.offer else 0
        return *above, *looks, *shown, version, self.seq is None, context.selected is self, context.sought

    def _quote(self, context: LineContext) -> str:
        """What is quoted, if it is a reply: looked up each time, so that nothing of it is kept here."""
        if not self.is_reply:
            return ""
        found = None if self.reply is None or self.reply_gone else context.find_message(self.reply)
        if found is None:
            return wording.describe_quote(None)
        nick = found.nick + context.looks.mark(found.member)
        return wording.describe_quote(wording.Quote(nick, wording.excerpt(found.text)))

    def _left(self, context: LineContext) -> str:
        """The time until it expires, in a word."""
        return "" if self.until is None else _countdown(self.until - context.now)

    def continues(self, after: LogLine | None) -> bool:
        """Whether it may stand under the name of the message above it."""
        if not isinstance(after, ChatMessage) or self.is_reply or self.late:
            return False
        return self.kind == after.kind == (*self.kind[:3], False) and self.at - after.at < _TOGETHER

    @property
    def kind(self) -> tuple[str, str, bool, bool]:
        """What messages under one name have in common, and whether it is one that always has its own."""
        return self.member, self.nick, self.history, self.action or self.private

    def _is_same_minute(self, after: LogLine | None) -> bool:
        return after is not None and self.at // 60 == after.at // 60

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        left = self._left(context)
        clock = self._clock(context)
        columns = layout.room - (_COUNTDOWN if left else 0)
        body, hidden = self._body(columns, context)
        if left:
            body[0] = [*rows.fit(body[0], columns), ("expiring", f"{left:>{_COUNTDOWN}}")]
        continues = self.continues(after)
        label = [] if continues and layout.nicks else self._label(layout.nicks or layout.width - _CLOCK, context.looks)
        bar = ("selected", self._bar()[1]) if context.selected is self else self._bar()
        drawn = self._beside(layout, label, body, bar, clock)
        if hidden:  # it stands beside a mark that is no nick: no text of a peer's can say it
            note = rows.wrapped("quiet", f"{wording.more_lines(hidden)}: Alt-O shows all", layout.room)
            drawn += self._beside(layout, [("quiet", "·")], note, ("bar", "│"), clock)
        if quote := self._quote(context):
            drawn[:0] = self._draw_note(layout, "↳", quote)
        if self.late:
            drawn[:0] = self._draw_note(layout, "↺", wording.SAID_EARLIER)
        if layout.nicks or context.numbers or not continues or not self._is_same_minute(after):
            return drawn
        [(style, _), *first] = drawn[1]
        return [[(style, "├"), *first], *drawn[2:]]

    def name_row(self, row: Row, layout: Layout, context: LineContext) -> Row:
        """A row of its text with its author, where the row above that names them is out of sight.

        The name takes the place of a text where there is no column for it.
        """
        columns = layout.nicks or layout.width - _CLOCK - _CUT
        label = self._name(columns, context.looks) if self.action else self._label(columns, context.looks)
        [named] = self._beside(layout, label, [[]], self._bar(), self._clock(context))[:1]
        if layout.nicks:
            return rows.splice(named, row, _CLOCK + layout.nicks)
        return rows.fit([*named, ("quiet", f" {rows.MORE}")], layout.width)

    def count_notes(self, context: LineContext) -> int:
        """How many rows stand above the one with its author."""
        return self.late + bool(self._quote(context))

    def _clock(self, context: LineContext) -> str:
        """When it came, if it has its place; or the number by which it can be named."""
        if not context.numbers:
            return f"{rows.MORE:>{_CLOCK - 1}}" if self.seq is None else time_of_day(self.at)
        number = context.number_of(self)
        return "" if number is None else f"{number:>5}"

    def _draw_note(self, layout: Layout, mark: str, note: str) -> list[Row]:
        """What stands above it. The mark stands where no text of a peer's does, so that none can imitate it."""
        row: Row = [("quiet", sanitize.sanitize_line(note))]
        if not layout.nicks:
            return [[("quiet", f"{mark} "), *row]]
        return self._beside(layout, [("quiet", mark)], [rows.fit(row, layout.room)], self._bar(), "")

    def _bar(self) -> Piece:
        if self.private:
            return "private", "║"
        return "mention" if self.mention else "bar", ":" if self.history else "│"

    def _label(self, columns: int, looks: MemberLooks) -> Row:
        """The author, in no more than so many columns."""
        style = self._style(looks)
        if self.private:
            to_us = " → you" if columns > _WITH_YOU else " →"
            nick, member = (self.to, self.to_member) if self.mine else (self.nick, self.member)
            free = columns - (2 if self.mine else width(to_us))
            shown = looks.shorten(sanitize.sanitize_line(nick), member, free)
            return [("private", "→ "), (style, shown)] if self.mine else [(style, shown), ("private", to_us)]
        if self.action:
            return [(style, "*")]
        return self._name(columns, looks)

    def _name(self, columns: int, looks: MemberLooks) -> Row:
        return [(self._style(looks), looks.shorten(sanitize.sanitize_line(self.nick), self.member, columns))]

    def _style(self, looks: MemberLooks) -> str:
        """Of the author's nick."""
        return "pending" if self.seq is None else "own" if self.mine else looks.style(self.member)

    def _body(self, columns: int, context: LineContext) -> tuple[list[Row], int]:
        """Its rows, and how many of its lines are not shown."""
        if self.offer:
            return self.offer.draw(columns, context.looks.mark), 0
        text, hidden = sanitize.sanitize_text(self.text), 0
        if not self.whole:
            text, hidden = wording.fold_text(text, UNFOLDED, FOLDED)
        nick = sanitize.sanitize_line(self.nick) + context.looks.mark(self.member)
        style = "pending" if self.seq is None else ""
        marks = [] if self.newcomer else [(start, end, "link") for start, end in find_links(text)]
        marks += [(start, end, "mention") for start, end in find_nick(text, self.me) if self.mention]
        if context.sought:
            found = re.finditer(re.escape(context.sought), text, re.IGNORECASE)
            marks = [(match.start(), match.end(), "selected") for match in found]
        if self.action:
            shift = len(nick) + 1
            text = f"{nick} {text}"
            marks = [
                (0, shift - 1, self._style(context.looks)),
                *((a + shift, b + shift, what) for a, b, what in marks),
            ]
        marks.sort()
        return [_styled(text, start, end, marks, style) for start, end in wrap(text, columns)], hidden


_WITH_YOU = 20  # columns of a label from which it says that a private message is to us


def _styled(text: str, start: int, end: int, marks: list[tuple[int, int, str]], style: str) -> Row:
    """A part of a text, with other styles where there are marks."""
    row: Row = []
    at = start
    for first, last, marked in marks:
        a, b = max(first, at), min(last, end)
        if a < b:
            row += [(style, text[at:a]), (marked, text[a:b])]
            at = b
    return [*row, (style, text[at:end])]


def time_of_day(at: float) -> str:
    """The time of day at which this was."""
    return time.strftime("%H:%M", time.localtime(at))


@lru_cache(64)
def date_of(at: float) -> str:
    """The day on which this was, in words."""
    return time.strftime("%A %-d %B %Y", time.localtime(at))


def _countdown(seconds: float) -> str:
    """A time in at most 4 columns, rounded up: `59s`, `12m`, `23h`, `364d`."""
    left = max(0, int(-(-seconds // 1)))
    for unit, size in (("s", 60), ("m", 60), ("h", 24)):
        if left < size or (unit, left) == ("s", 60):
            return f"{left}{unit}"
        left = -(-left // size)
    return f"{left}d"
