"""Who waits to be let in, as far as we know, whoever hosts: what moderators are told of it, and name them by."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.names import nicks
from anonp2p.protocol import bodies, frames
from anonp2p.room import events
from anonp2p.room.clock import Clock
from anonp2p.room.ledger import expect
from anonp2p.room.moderation_events import Knocker, WaitingEvent
from anonp2p.room.replica import Replica
from anonp2p.room.reporter import Reporter


class Knock(NamedTuple):
    """One who waits: its key, the nick that it is to have, and since when (`Now.tick`) it waits."""

    key: bytes
    nick: str
    since: float

    def __repr__(self) -> str:
        return "<Knock>"


class KnockerList:
    """Those who wait, in the order in which they came; a moderator is told of it. room: as events name it."""

    def __init__(self, room: str, clock: Clock, replica: Replica, reporter: Reporter) -> None:
        self._room = room
        self._clock = clock
        self._replica = replica
        self._reporter = reporter
        self._knocks: tuple[Knock, ...] = ()
        self._told: tuple[Knock, ...] = ()
        self._told_at = float("-inf")  # when (`Now.tick`)
        self._turned_away: dict[bytes, None] = {}  # the keys that moderators want out, the latest last

    def replace(self, knocks: Sequence[Knock]) -> None:
        """These wait, and nobody else."""
        self._knocks = tuple(knocks)

    def take_told(self, told: frames.KnockersFrame) -> None:
        """Our host says who waits. Raises PeerFault."""
        expect(all(nicks.is_nick(person.nick) for person in told.people), "bad-nick")
        self.replace([Knock(it.key, it.nick, self._clock.tick - it.seconds) for it in told.people])

    @property
    def knocks(self) -> tuple[Knock, ...]:
        """Those who wait."""
        return self._knocks

    def differs_from(self, others: Sequence[Knock]) -> bool:
        """Whether others wait, or under other nicks."""
        return [knock[:2] for knock in self._knocks] != [knock[:2] for knock in others]

    def find_key(self, nick: str) -> bytes | None:
        """The key of the one who waits under this nick, or under one that looks like it."""
        looks = nicks.narrow_looks(nick)
        return next((knock.key for knock in self._knocks if looks & nicks.narrow_looks(knock.nick)), None)

    def note_decided(self, body: bodies.AdmitBody) -> None:
        """What a moderator has said of one that waits has its place."""
        self._turned_away.pop(body.key, None)
        if not body.admitted:
            self._turned_away[body.key] = None
        if len(self._turned_away) > limits.ADMITTED:
            del self._turned_away[next(iter(self._turned_away))]

    def is_turned_away(self, key: bytes) -> bool:
        """Whether a moderator wants the owner of this key out, who may not have heard of that if its host died."""
        return key in self._turned_away

    def tell_placed(self, body: bodies.AdmitBody, re: events.Re) -> None:
        """What we have said as a moderator of one that waits has its place: the user is told so."""
        nick = next((knock.nick for knock in self._knocks if knock.key == body.key), "")
        member = identity.spell_member(identity.member_id(body.key))
        data: dict[str, Any] = {
            "member": member,
            "nick": nick,
            "locked": self._replica.ledger.rights.restrictions.locked,
        }
        command = "/admit" if body.admitted else "/refuse"
        self._reporter.tell_event(events.ReplyEvent(room=self._room, command=command, data=data, re=re))

    @property
    def _shown(self) -> tuple[Knock, ...]:
        """Those of whom we may be told: all, or none."""
        if not self._knocks:
            return ()
        rights, me = self._replica.ledger.room_rights, self._replica.me.id
        return self._knocks if rights.is_moderator(me) else ()

    @property
    def _has_news(self) -> bool:
        return [knock[:2] for knock in self._shown] != [knock[:2] for knock in self._told]

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `tell_due` has something to tell."""
        return max(self._told_at + limits.KNOCKERS_TOLD, self._clock.tick) if self._has_news else None

    def tell_due(self) -> None:
        """Tells the user who waits, if that has changed, but not all the time."""
        now = self._clock.tick
        if not self._has_news or now < self._told_at + limits.KNOCKERS_TOLD:
            return
        self._told, self._told_at = self._shown, now
        people = [
            Knocker(
                nick=knock.nick,
                tag=identity.short_id(identity.member_id(knock.key)),
                seconds=round(max(0.0, now - knock.since)),
            )
            for knock in self._told
        ]
        self._reporter.tell_event(WaitingEvent(room=self._room, count=len(people), people=people))
