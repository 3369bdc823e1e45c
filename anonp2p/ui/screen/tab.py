"""One room as the user has it before them: what events make of it."""

from typing import Literal

from msgspec import UNSET

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.events import Event
from anonp2p.ui import sanitize, wording
from anonp2p.ui.screen.input.drafts import Draft
from anonp2p.ui.screen.log_lines import (
    ChatMessage,
    CodeCard,
    Divider,
    JoiningLine,
    MembershipLine,
    SystemLine,
    mentions,
)
from anonp2p.ui.screen.scrollback import Scrollback
from anonp2p.ui.screen.warnings import Warnings


class Tab:
    """A room's log, and what else there is to know of it. label: empty for the page that is there before any room."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.name = ""
        self.log = Scrollback()
        self.draft = Draft()
        self.warnings = Warnings()
        self.link: Literal["", "connecting", "up", "lost"] = ""
        self.attempt = 0
        self.over = ""  # why, once we are out
        self.unread = 0
        self.mentions = 0
        self.speakers: dict[str, None] = {}  # nicks, who spoke last being the last
        self.has_moved = True  # whether its people may be others than they were
        self._nick = ""
        self._card: CodeCard | None = None
        self._waiting: JoiningLine | None = None
        self._ending: dict[int, int] = {}  # numbers of our messages that will end, by their seq
        self._past: Divider | None = None  # below what was said before we came

    @property
    def title(self) -> str:
        """What it is called, on one line."""
        return sanitize.one_line(self.name) or ("joining" if self.label else "anonp2p")

    def send(self, number: int, message: ChatMessage) -> None:
        """Something of ours is on its way."""
        self.log.wait(number, message)

    def wait(self, now: float) -> None:
        """The room was asked for."""
        self._waiting = self._waiting or JoiningLine(now)
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
                [text] = wording.said(event)
                self.tell(now, [text], "alarm")
                self.warnings.add_alarm(text)
            case events.Lookalike():
                self.tell(now, wording.said(event), "caution")
                self.warnings.add_lookalike(event)
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
        message = ChatMessage(
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
            self._past = Divider(event.at, "what was said before you came ends here", "quiet")
            self.log.add(self._past)
        self.unread += fresh
        self.mentions += fresh and called
        return called and not event.history

    def _entered(self, event: events.Entered, now: float) -> None:
        self._leave_waiting()
        self.name, self._nick = event.name, event.nick
        if event.role == "host":
            self._card = CodeCard(now, event.name, event.code)
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

    def _moves(self, now: float) -> MembershipLine:
        latest = self.log.last()
        if not isinstance(latest, MembershipLine) or latest.count >= limits.MERGED:
            latest = MembershipLine(now)
            self.log.add(latest)
        return latest

    def _settle(self, number: events.Re) -> None:
        if isinstance(number, int):
            self.log.settle(number)

    def tell(self, now: float, lines: list[str], style: str = "quiet") -> None:
        """The program says something in it, in lines."""
        if lines:
            self.log.add(SystemLine(now, lines, style, _MARKS.get(style, "·")))


_NAMED = 8  # of those who are there already
_MARKS = {"error": "!", "alarm": "!!", "caution": "!!", "title": "•"}
_MOVING = (events.Entered, events.Joined, events.Left, events.Renamed, events.Link, events.Gone)
