"""The lines of a room's log that the program says: who came and went, codes, what it waits for."""

from dataclasses import dataclass, field
from itertools import groupby

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.hosting_events import HeirsEvent
from anonp2p.ui import file_wording, hosting_wording, replies, rights_wording, sanitize, wording
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.log_lines import Layout, LineContext, LogLine, time_of_day
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.widths import width
from anonp2p.ui.wording import Move


@dataclass(slots=True, repr=False, eq=False)
class SystemLine(LogLine):
    """What the program says, in lines, or of an event. mark: stands in the column of nicks, and cannot be one.

    passing: it matters for a moment only. until: when it was there long enough for that.
    """

    lines: list[str] = field(default_factory=list)
    style: str = "quiet"
    mark: str = "·"
    passing: bool = False
    until: float | None = None
    event: events.Event | None = None

    def seen(self, now: float) -> None:
        """It is on the screen."""
        if self.until is None:
            self.until = now + limits.PASSING_LINE

    @property
    def fades(self) -> bool:
        """Whether it matters for a moment only."""
        return self.passing

    def is_over(self, now: float) -> bool:
        """Whether it was to be read for long enough."""
        return self.until is not None and self.until <= now

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return (context.looks.verified.version,)

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        indent = width(self.mark) + 1
        columns = layout.room if layout.nicks else layout.width - indent
        told = wording.describe_event(context.looks.verified.mark_event(self.event)) if self.event else self.lines
        body = [row for line in told for row in rows.wrapped(self.style, sanitize.sanitize_line(line), columns)]
        if layout.nicks:
            return self._beside(layout, [(self.style, self.mark)], body, ("bar", "│"), time_of_day(self.at))
        return [[(self.style, " " * indent if at else f"{self.mark} "), *row] for at, row in enumerate(body)]


@dataclass(slots=True, repr=False, eq=False)
class _Doings:
    """What one member did: the nick that it had at first, the one that it has now, and what it did last."""

    member: str
    first: str
    nick: str
    move: Move | None = None
    note: str = ""  # what else there is to be said of it

    def plain_move(self) -> Move | None:
        """What it did, if that can be told of several in one sentence."""
        return self.move if self.nick == self.first and not self.note else None

    def tell(self, looks: MemberLooks) -> str:
        """It as a sentence."""
        mark = looks.mark(self.member)
        first, nick = self.first + mark, self.nick + mark
        was = "" if nick == first else f" (was {first})"
        did = f"{wording.moved([nick], self.move)}{was}" if self.move else wording.renamed(first, nick)
        return f"{did}{self.note}"


@dataclass(slots=True, repr=False, eq=False)
class MembershipLine(LogLine):
    """Who came, went and changed nicks, in that order, in as few words as possible."""

    _done: dict[str, _Doings] = field(default_factory=dict)  # by member; who did something last is the last
    _is_without_heirs: bool = False  # whether nobody can take the room over now
    count: int = 0

    @property
    def size(self) -> int:  # type: ignore[override]
        """Bytes it takes, about."""
        return LogLine.size + 40 * limits.MERGED_MOVES

    def add_move(self, member: str, nick: str, move: Move, note: str = "") -> None:
        """Adds that a member came or went. Of several times only the last is told. note: what follows the sentence."""
        done = self._take(member, nick)
        done.nick, done.note = nick, note
        done.move = "back" if move == "joined" and done.move == "lost" else move

    def rename_member(self, member: str, was: str, nick: str, note: str = "") -> None:
        """Adds that a member has another nick."""
        done = self._take(member, was)
        done.nick, done.note = nick, note

    def tell_heirs(self, event: HeirsEvent) -> None:
        """Says if nobody can take the room over, until somebody can: who that is, the list of members shows."""
        self.count += 1
        self._is_without_heirs = not event.heirs

    def _take(self, member: str, nick: str) -> _Doings:
        """What a member did so far, which it goes on with now."""
        self.count += 1
        done = self._done.pop(member, None) or _Doings(member, nick, nick)
        self._done[member] = done
        return done

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return self.count, context.looks.verified.version

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        told: list[str] = []
        looks = context.looks
        for move, doings in groupby(self._done.values(), _Doings.plain_move):
            some = list(doings)
            nicks = [it.nick + looks.mark(it.member) for it in some]
            told += [wording.moved(nicks, move)] if move else [it.tell(looks) for it in some]
        hidden = len(told) - rights_wording.NAMED
        if hidden > 0:
            told = [f"{hidden} other changes", *told[-rights_wording.NAMED :]]
        heirs = [hosting_wording.NO_HEIRS] if self._is_without_heirs else []
        return SystemLine(self.at, [" · ".join([*told, *heirs])], "quiet", "↔").rows(layout, context)


@dataclass(slots=True, repr=False, eq=False)
class RemovalsLine(LogLine):
    """Who was thrown out for the same reason, `why`, which may be empty. It is told whatever else there is to tell."""

    why: str = ""
    removed: list[tuple[str, str]] = field(default_factory=list)  # members and nicks

    @property
    def size(self) -> int:  # type: ignore[override]
        """Bytes it takes, about."""
        return LogLine.size + 200 * len(self.removed)

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return len(self.removed), context.looks.verified.version

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        nicks = [nick + context.looks.mark(member) for member, nick in self.removed]
        said = wording.moved(nicks, "kicked") + (f": {self.why}" if self.why else "")
        return SystemLine(self.at, [said], "quiet", "·").rows(layout, context)


@dataclass(slots=True, repr=False, eq=False)
class AsideLine(LogLine):
    """How many messages of newcomers were put aside here, in place of them."""

    count: int = 0
    authors: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:  # type: ignore[override]
        """Bytes it takes, about."""
        return LogLine.size + 100 * len(self.authors)

    def add_message(self, member: str) -> None:
        """One more, of this member."""
        self.count += 1
        self.authors.add(member)

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return (self.count,)

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        said = wording.put_aside(self.count, len(self.authors))
        return SystemLine(self.at, [said], "quiet", "⋯").rows(layout, context)


@dataclass(slots=True, repr=False, eq=False)
class OffersLine(LogLine):
    """How many files were offered here, where so many were that they have no lines of their own."""

    count: int = 0
    authors: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:  # type: ignore[override]
        """Bytes it takes, about."""
        return LogLine.size + 100 * len(self.authors)

    def add_offer(self, member: str) -> None:
        """One more, of this member."""
        self.count += 1
        self.authors.add(member)

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return (self.count,)

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        said = file_wording.many_offers(self.count, len(self.authors))
        return SystemLine(self.at, [said], "quiet", "⋯").rows(layout, context)


@dataclass(slots=True, repr=False, eq=False)
class LookalikesLine(LogLine):
    """Whose nicks may be taken for others: the first ones named, so that those of a flood fill no screen."""

    alikes: list[tuple[str, str, str]] = field(default_factory=list)
    more: int = 0

    def add_event(self, event: events.LookalikeEvent) -> None:
        """One more."""
        if len(self.alikes) < limits.NAMED_AT_ONCE:
            self.alikes.append((event.nick, event.was, event.of))
        else:
            self.more += 1

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return len(self.alikes), self.more

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        return SystemLine(self.at, [wording.lookalikes(self.alikes, self.more)], "caution", "!!").rows(layout, context)


@dataclass(slots=True, repr=False, eq=False)
class WaitingLine(LogLine):
    """Who waits to be let in. people: nicks and tags of those who are named."""

    count: int = 0
    people: list[tuple[str, str]] = field(default_factory=list)

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return self.count, *self.people

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        return SystemLine(self.at, [rights_wording.waiting(self.count, self.people)], "title", "•").rows(
            layout, context
        )


_CARD = 67  # columns, as on a terminal of 80 beside the members; a code has 62


@dataclass(slots=True, repr=False, eq=False)
class CodeCard(LogLine):
    """A room's code, alone on its row so that it can be copied in one piece, and whether others can join already.

    reachable: None for a code that has taken the place of another. private: it leads nobody in who was not invited.
    """

    name: str = ""
    code: str = ""
    reachable: bool | None = False
    private: bool = False

    def is_changing(self) -> bool:
        """Whether it looks different as time goes by."""
        return self.reachable is False

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        clock = (int(context.now - self.at), context.tor) if self.reachable is False else (self.reachable,)
        return *clock, context.knock

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        name, columns = sanitize.sanitize_line(self.name), min(layout.width, _CARD)
        opens = "knock" if context.knock else "join"
        title = f"Whoever has this code can {opens}:" if self.reachable is not None else f"{hosting_wording.NEW_CODE}:"
        blank: list[Row] = [[]] if layout.nicks else []
        code = [*rows.wrapped("title", title, columns), *blank, *rows.code(self.code, columns), *blank]
        is_new = self.reachable is None
        private = f"{hosting_wording.NEW_CODE}. {replies.PRIVATE}" if is_new else replies.PRIVATE
        return [
            rows.rule("bar", f"room {name}", columns),
            *(rows.wrapped("title", private, columns) if self.private else code),
            *self._state(columns, context),
            *([] if self.private else rows.wrapped("quiet", rows.COPYING, columns)),
            rows.rule("bar", "", columns),
        ]

    def _state(self, columns: int, context: LineContext) -> list[Row]:
        """Whether others can join, where it is for us to say."""
        if self.reachable is None:
            return []
        if self.reachable:
            return rows.wrapped("ok", "Others can join now.", columns)
        doing = f"waits for Tor ({sanitize.sanitize_line(context.tor)})" if context.tor else "is being published"
        seconds = max(0, int(context.now - self.at))
        return rows.wrapped("progress", f"{_spinner(context.now)} The room {doing}: {seconds} s", columns)


@dataclass(slots=True, repr=False, eq=False)
class JoiningLine(LogLine):
    """We are on our way into a room."""

    attempt: int = 0
    detail: str = ""
    knocks: bool = False  # we are held until a moderator lets us in

    def is_changing(self) -> bool:
        """Whether it looks different as time goes by."""
        return True

    def _changing(self, context: LineContext, after: LogLine | None) -> tuple[object, ...]:
        return int(context.now - self.at), self.attempt, self.detail, self.knocks, context.tor

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        seconds = max(0, int(context.now - self.at))
        doing = f"Connecting to the room{f', try {self.attempt}' if self.attempt else ''}"
        if self.knocks:
            doing = wording.KNOCKING
        if context.tor:
            doing = f"Waits for Tor ({sanitize.sanitize_line(context.tor)})"
        why = f" ({sanitize.sanitize_line(self.detail)})" if self.detail and not (context.tor or self.knocks) else ""
        out = "; /leave gives up" if seconds >= limits.JOINING_LONG or self.knocks else ""
        return rows.wrapped("progress", f"{_spinner(context.now)} {doing}{why}: {seconds} s{out}", layout.width)


@dataclass(slots=True, repr=False, eq=False)
class Divider(LogLine):
    """A line across, with words in it."""

    text: str = ""
    style: str = "bar"

    def _draw(self, layout: Layout, context: LineContext, after: LogLine | None) -> list[Row]:
        return [layout.rule(self.style, self.text)]


def _spinner(now: float) -> str:
    return "|/-\\"[int(now) % 4]
