"""Whom the user has verified in one room, and the mark that stands behind their nicks wherever these are shown."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from anonp2p.room import events, file_events
from anonp2p.room.hosting_events import HeirsEvent, Successor

VERIFIED: Final = "✓"  # no nick can have it

_Named = events.Person | Successor
# What these say of a member's nick beside its keys is what the user is to type.
_TYPED_OFF = (events.LookalikeEvent,)


class Verified:
    """By their keys, so that a mark goes with its member from nick to nick, and never to another of the same nick.

    version: changes when a mark comes or goes.
    """

    def __init__(self) -> None:
        self.version = 0
        self._members: set[str] = set()
        self._nicks: dict[str, str] = {}  # of those in the room, by member

    def take_event(self, event: events.Event) -> None:
        """Follows who is in the room, under which nick, and whom the user verifies."""
        match event:
            case events.EnteredEvent(members=members):
                self._nicks = {person.member: person.nick for person in members}
            case events.JoinedEvent(member=member, nick=nick) | events.RenamedEvent(member=member, nick=nick):
                self._nicks[member] = nick
            case events.LeftEvent(member=member):
                self._nicks.pop(member, None)
            case events.VerifiedEvent(member=member, verified=verified):
                self.version += 1
                self._members = self._members | {member} if verified else self._members - {member}

    def mark(self, member: str) -> str:
        """What stands right behind the nick of a member."""
        return VERIFIED if member in self._members else ""

    def find_member(self, nick: str) -> str:
        """The member who has just this nick now; empty if there is none."""
        return next((member for member, known in self._nicks.items() if known == nick), "")

    def mark_nick(self, nick: str) -> str:
        """What stands right behind this nick, for the member who has it now."""
        return VERIFIED if any(self._nicks.get(member) == nick for member in self._members) else ""

    def mark_event(self, event: events.Event) -> events.Event:
        """The event as a person is shown it, with a mark behind each nick of somebody verified."""
        if not self._members or isinstance(event, _TYPED_OFF):
            return event
        match event:
            case events.MessageEvent(mine=True, to=str(to)) | file_events.OfferEvent(mine=True, to=str(to)):
                return msgspec.structs.replace(event, to=to + self.mark_nick(to))
            case events.EnteredEvent(members=members):
                return msgspec.structs.replace(event, members=self._mark_all(members))
            case events.RenamedEvent(member=member, nick=nick, was=was):
                mark = self.mark(member)
                return msgspec.structs.replace(event, nick=nick + mark, was=was + mark)
            case HeirsEvent(heirs=heirs):
                return msgspec.structs.replace(event, heirs=self._mark_all(heirs))
            case events.ReplyEvent(command="/who", data=people):
                return msgspec.structs.replace(event, data=self._mark_all(people))
            case events.ReplyEvent(command="/heirs", data=data):
                marked = {key: self.mark_rows(value) for key, value in data.items()}
                return msgspec.structs.replace(event, data=marked)
            case events.ReplyEvent(command="/files", data={"files": rows}):
                return msgspec.structs.replace(event, data={"files": self.mark_rows(rows)})
            case events.ReplyEvent(command="/numbers" | "/quiet", data=rows):
                return msgspec.structs.replace(event, data=self.mark_rows(rows))
        mark, nick = self.mark(getattr(event, "member", "")), getattr(event, "nick", "")
        return msgspec.structs.replace(event, nick=nick + mark) if nick and mark else event

    def _mark_all(self, named: Iterable[_Named]) -> list[_Named]:
        return [msgspec.structs.replace(one, nick=one.nick + self.mark(one.member)) for one in named]

    def mark_rows(self, data: Any) -> Any:
        """Rows of a reply, or one, with a mark behind each nick; what says nothing of whom it is is left alone."""
        if isinstance(data, list):
            return [self.mark_rows(row) for row in data]
        if isinstance(data, dict) and data.get("nick"):
            return {**data, "nick": data["nick"] + self.mark(data.get("member", ""))}
        return data
