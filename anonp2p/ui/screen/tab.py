"""One room as the user has it before them: what events make of it."""

from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from msgspec import UNSET

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.events import Event
from anonp2p.ui import sanitize, wording
from anonp2p.ui.screen.input.drafts import Draft
from anonp2p.ui.screen.log_lines import Card, Line, Moves, Said, Told, Waiting, mentions
from anonp2p.ui.screen.scrollback import Scrollback

_Alike = tuple[str, str, str]  # a nick, what it may be taken for, and `of` of the event that told of it


@dataclass(frozen=True, slots=True, repr=False)
class Banner:
    """Something that must not be missed: it stands over everything until the user has put it away."""

    style: Literal["alarm", "caution"]
    text: str


class Tab:
    """A room's log, and what else there is to know of it. label: empty for the page that is there before any room."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.name = ""
        self.log = Scrollback()
        self.draft = Draft()
        self._alarms: list[Banner] = []
        self._lookalikes_of_speakers: dict[_Alike, None] = {}  # to be warned of, the oldest first
        self._lookalikes_of_others: dict[_Alike, None] = {}
        self._unnamed = 0  # further ones, of which there were too many to be kept
        self.link: Literal["", "connecting", "up", "lost"] = ""
        self.attempt = 0
        self.over = ""  # why, once we are out
        self.unread = 0
        self.mentions = 0
        self.speakers: dict[str, None] = {}  # nicks, who spoke last being the last
        self.has_moved = True  # whether its people may be others than they were
        self._nick = ""
        self._card: Card | None = None
        self._waiting: Waiting | None = None
        self._ending: dict[int, int] = {}  # numbers of our messages that will end, by their seq
        self._past: Line | None = None  # below what was said before we came

    @property
    def title(self) -> str:
        """What it is called, on one line."""
        return sanitize.one_line(self.name) or ("joining" if self.label else "anonp2p")

    @property
    def banners(self) -> list[Banner]:
        """What waits to be put away, in that order: alarms, then the nicks that others had, as many as are read."""
        named, count = self._named(), self._kept + self._unnamed
        caution = [Banner("caution", wording.lookalikes(named, count - len(named)))] if count else []
        return [*self._alarms, *caution]

    def put_away(self) -> None:
        """The user has read the first banner: what it names is not warned of any more."""
        if self._alarms:
            del self._alarms[0]
        elif self._kept:
            for alike in self._named():
                self._lookalikes_of_speakers.pop(alike, None)
                self._lookalikes_of_others.pop(alike, None)
        else:
            self._unnamed = 0

    @property
    def _kept(self) -> int:
        return len(self._lookalikes_of_speakers) + len(self._lookalikes_of_others)

    def _named(self) -> list[_Alike]:
        """The look-alikes that the banner names."""
        return list(islice(chain(self._lookalikes_of_speakers, self._lookalikes_of_others), limits.NAMED))

    def send(self, number: int, message: Said) -> None:
        """Something of ours is on its way."""
        self.log.wait(number, message)

    def wait(self, now: float) -> None:
        """The room was asked for."""
        self._waiting = self._waiting or Waiting(now)
        if self._waiting not in self.log:
            self.log.add(self._waiting)

    def take(self, event: Event, now: float, *, seen: bool) -> bool:
        """What happens in the room. seen: whether the user looks at it. Returns whether they are called."""
        match event:
            case events.Message():
                return self._said(event, seen=seen)
            case events.Expired(seq=seq):
                self.log.expire(seq)
                if number := self._ending.pop(seq, 0):
                    self.draft.history.forget(number)
            case events.Unsent(text=text, re=number):
                self._settle(number)
                self.tell(now, [wording.given_back(text)], "error")
            case events.Error(text=text, code=code, re=number):
                if code == "no-room":
                    self._settle(number)
                self.tell(now, [text], "error")
            case events.Entered():
                self._entered(event, now)
            case events.Reachable():
                self._reachable(now)
            case events.Joined(unknown_past=True):
                self._moves(now).tell(wording.said(event)[0])
            case events.Joined(member=member, nick=nick):
                self._moves(now).add(member, sanitize.one_line(nick), "joined")
            case events.Left(member=member, nick=nick, reason="left"):
                self._moves(now).add(member, sanitize.one_line(nick), "left")
            case events.Left(member=member, nick=nick, reason="lost"):
                self._moves(now).add(member, sanitize.one_line(nick), "lost")
            case events.Renamed():
                self._moves(now).tell(wording.said(event)[0])
            case events.Link():
                self._linked(event, now)
            case events.Alarm():
                self._sound(event, now)
            case events.Lookalike():
                self._caution(event, now)
            case events.Gone(reason=reason):
                self._leave_waiting()
                self.over = reason
                self.tell(now, wording.said(event), "error")
            case _:
                self.tell(now, wording.said(event))
        self.has_moved = self.has_moved or isinstance(event, _MOVING)
        if isinstance(event, events.Left):
            self.speakers.pop(event.nick, None)
        if isinstance(event, events.Renamed) and event.was in self.speakers:
            del self.speakers[event.was]
            self.speakers[event.nick] = None
        if isinstance(event, events.Renamed) and event.was == self._nick:
            self._nick = event.nick
        return False

    def look(self) -> None:
        """The user looks at it."""
        self.unread = self.mentions = 0

    # --- what the events mean

    def _said(self, event: events.Message, *, seen: bool) -> bool:
        called = not event.mine and (event.private or bool(mentions(event.text, self._nick)))
        if event.mine and isinstance(event.re, int):
            self._settle(event.re)
            if event.ttl == 0:
                self.draft.history.forget(event.re)
            elif event.ttl is not None:
                self._ending[event.seq] = event.re
        if not event.mine:
            self.speakers.pop(event.nick, None)
            self.speakers[event.nick] = None
        message = Said(
            event.at,
            event.member,
            event.nick,
            event.text,
            event.seq,
            event.at + event.ttl if event.ttl else None,
            fleeting=event.ttl == 0,
            action=event.action,
            private=event.private,
            to="" if event.to is UNSET else event.to,
            mine=event.mine,
            history=event.history,
            mention=called,
            me=self._nick,
        )
        fresh = not (seen or event.mine or event.history)
        if self._past and event.history:
            self.log.remove(self._past)
        self.log.add(message, unread=fresh)
        if event.history:
            self._past = Line(event.at, "what was said before you came ends here", "quiet")
            self.log.add(self._past)
        self.unread += fresh
        self.mentions += fresh and called
        return called and not event.history

    def _entered(self, event: events.Entered, now: float) -> None:
        self._leave_waiting()
        self.name, self._nick = event.name, event.nick
        if event.role == "host":
            self._card = Card(now, event.name, event.code)
            self.log.add(self._card)
            return
        self.link = "up"
        self.tell(now, [wording.entered(event, _NAMED)], "title")

    def _reachable(self, now: float) -> None:
        card = self._card if self._card in self.log else None
        if card and not card.reachable:
            card.reachable = True
        else:
            self.tell(now, [wording.REACHABLE_AGAIN])

    def _linked(self, event: events.Link, now: float) -> None:
        was, self.link, self.attempt = self.link, event.state, event.attempt
        if self.name:
            if event.state == "lost":
                self.tell(now, wording.said(event))
            elif event.state == "up" and was != "up":
                self.tell(now, [wording.LINK_UP_AGAIN])
        elif event.state == "connecting":
            self.wait(now)
            if self._waiting:
                self._waiting.attempt, self._waiting.detail = event.attempt, event.detail

    def _leave_waiting(self) -> None:
        if self._waiting:
            self.log.remove(self._waiting)
            self._waiting = None

    def _sound(self, alarm: events.Alarm, now: float) -> None:
        [text] = wording.said(alarm)
        self.tell(now, [text], "alarm")
        banner = Banner("alarm", text)
        if banner not in self._alarms and len(self._alarms) < limits.BANNERS:
            self._alarms.append(banner)

    def _caution(self, event: events.Lookalike, now: float) -> None:
        """All are kept until they have been read, so that nobody hides one behind others.

        Of too many the latest is only counted, first of those of nicks that nobody was seen to speak under. Who may be
        taken for a member who is here, or for the program, counts as much as who may be taken for one who spoke.
        """
        self.tell(now, wording.said(event), "caution")
        alike = event.nick, event.was, event.of
        if event.spoke or event.of != "former":
            self._lookalikes_of_others.pop(alike, None)
            self._lookalikes_of_speakers[alike] = None
        elif alike not in self._lookalikes_of_speakers:
            self._lookalikes_of_others[alike] = None
        if self._kept > limits.LOOKALIKES:
            (self._lookalikes_of_others or self._lookalikes_of_speakers).popitem()
            self._unnamed += 1

    def _moves(self, now: float) -> Moves:
        latest = self.log.last()
        if not isinstance(latest, Moves) or latest.count >= limits.MERGED:
            latest = Moves(now)
            self.log.add(latest)
        return latest

    def _settle(self, number: events.Re) -> None:
        if isinstance(number, int):
            self.log.settle(number)

    def tell(self, now: float, lines: list[str], style: str = "quiet") -> None:
        """The program says something in it, in lines."""
        if lines:
            self.log.add(Told(now, lines, style, _MARKS.get(style, "·")))


_NAMED = 8  # of those who are there already
_MARKS = {"error": "!", "alarm": "!!", "caution": "!!", "title": "•"}
_MOVING = (events.Entered, events.Joined, events.Left, events.Renamed, events.Link, events.Gone)
