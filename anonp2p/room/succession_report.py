"""What the user is told of who hosts, who would, and by which code newcomers come: whatever of it has changed.

So of a host that is the moderator, as the room has no other.
"""

from typing import Literal, NamedTuple

from msgspec import UNSET

from anonp2p.crypto import identity
from anonp2p.names import codes
from anonp2p.room import events
from anonp2p.room.hosting_events import CodeEvent, HeirEvent, HeirsEvent, HostEvent, HostingEvent, Successor
from anonp2p.room.ledger import Ledger
from anonp2p.room.moderation_events import RoleEvent
from anonp2p.room.replica import Replica
from anonp2p.room.reporter import Reporter


class _Told(NamedTuple):
    """What the user knows. heirs: each with whether it has had the key; rank, holds_key: our own.

    moderator: the host, where it is one only as there is no other; empty otherwise.
    """

    host: bytes
    host_away: bool
    handed_over: bool
    code: bytes
    moderator: bytes
    heirs: tuple[tuple[bytes, bool], ...]
    rank: int | None
    holds_key: bool


class SuccessionReport:
    """Looks at the room after each entry. Hosts change by entries, and where two halves of a room meet."""

    def __init__(self, label: str, replica: Replica, reporter: Reporter) -> None:
        self._label = label
        self._replica = replica
        self._reporter = reporter
        self._told: _Told | None = None

    def begin(self) -> None:
        """The user has just been told of the room, but for who can take it over."""
        self._told = self._look()._replace(heirs=(), rank=None, holds_key=False)
        self.tell_changes()

    def tell_changes(self, re: events.Re = UNSET, *, merged: bool = False) -> None:
        """Tells what is not as it was.

        re: the input that has caused it. merged: the room as it is now took the place of the one that we were in.
        """
        told, self._told = self._told, self._look()
        if told is None or told == self._told:
            return
        if self._told.host != told.host:
            self._tell_host(told, merged=merged)
        if self._told.moderator not in (b"", told.moderator):
            self._tell_moderator(self._told.moderator, re)
        if self._told.code != told.code:
            self._reporter.tell_event(CodeEvent(room=self._label, code=codes.encode_key(self._told.code), re=re))
        if self._told.heirs != told.heirs:
            self._reporter.tell_event(self._describe_heirs(self._told, re))
        if self._told[-2:] != told[-2:] and self._told.host != self._replica.me.id:
            rank, holds_key = self._told[-2:]
            heir = HeirEvent(room=self._label, rank=rank, was=told.rank, holds_key=holds_key)
            self._reporter.tell_event(heir)

    def _look(self) -> _Told:
        ledger, me = self._replica.ledger, self._replica.me.id
        host = ledger.roster.find_member(ledger.host)
        members = [heir.member for heir in ledger.heirs]
        return _Told(
            host=ledger.host,
            host_away=host is None or host.away,
            handed_over=ledger.handed_over,
            code=ledger.code,
            moderator=b"" if ledger.rights.moderators or host is None else host.id,
            heirs=tuple((member, member in ledger.holders) for member in members),
            rank=members.index(me) + 1 if me in members else None,
            holds_key=me in members and me in ledger.holders,
        )

    def _tell_host(self, told: _Told, *, merged: bool) -> None:
        ledger = self._replica.ledger
        before, host = ledger.roster.find_member(told.host), ledger.get_member(ledger.host)
        is_lost = not (told.handed_over or merged)
        if is_lost and before is not None and before.away and not told.host_away and before.id != self._replica.me.id:
            member = identity.spell_member(before.id)
            self._reporter.tell_event(
                events.LeftEvent(room=self._label, member=member, nick=before.nick, reason="lost")
            )
        cause: Literal["left", "lost", "merged"] = "merged" if merged else "lost" if is_lost else "left"
        member = identity.spell_member(host.id)
        self._reporter.tell_event(HostEvent(room=self._label, member=member, nick=host.nick, cause=cause))
        if host.id == self._replica.me.id:
            self._reporter.tell_event(HostingEvent(room=self._label))

    def _tell_moderator(self, host: bytes, re: events.Re) -> None:
        """The room has lost its last moderator, or the host that was one for that reason: nobody chose this one."""
        nick, member = self._replica.ledger.get_member(host).nick, identity.spell_member(host)
        room = self._label
        self._reporter.tell_event(RoleEvent(room=room, member=member, nick=nick, role="moderator", by=member, re=re))

    def _describe_heirs(self, told: _Told, re: events.Re) -> HeirsEvent:
        ledger: Ledger = self._replica.ledger
        heirs = [
            Successor(identity.spell_member(member), ledger.get_member(member).nick, holds_key)
            for member, holds_key in told.heirs
        ]
        return HeirsEvent(room=self._label, heirs=heirs, re=re)
