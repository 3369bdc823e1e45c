"""The code of the room: how it comes to another one, and for how long its host is still found where it was before.

| of a former way, in | it is served |
| --- | --- |
| an open room | till the code changes once more, or for as long as one can be away and have its place |
| a private room | for those who were members then, by their return keys, till each has been linked since, or is out |
"""

from dataclasses import dataclass

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.host.presence import Presence
from anonp2p.room.host.sequencer import Sequencer


@dataclass(slots=True, repr=False)
class _FormerWay:
    """Where members found us. since: when (`Now.tick`) they find us elsewhere. awaited: who may not know that yet."""

    since: float
    awaited: set[bytes]


class RoomCode:
    """Gives the room another code, and a private one other keys with it. changed_at: index of the entry that did."""

    def __init__(self, context: Context, sequencer: Sequencer, presence: Presence) -> None:
        self.changed_at = 0
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._serving = context.serving
        self._sequencer = sequencer
        self._presence = presence
        self._former: dict[bytes, _FormerWay] = {}  # by address
        self._look_at: float | None = None  # when (`Now.tick`) to look who has not come yet

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) somebody may have come for whom we are found where we were before."""
        return self._look_at

    def change(self, re: events.Re = UNSET) -> None:
        """The room has another code from now on, whose key we alone hold. re: the input that wants it.

        Who is away from a private room finds us by its return key alone, which nobody has who was thrown out.
        """
        ledger, key, ways = self._replica.ledger, RoomKey(self._context.random(32)), self._list_ways()
        members_key = self._context.pool.begin(self._context.random(suite.SECRET)) if ledger.is_private else None
        self._serving.add_key(key)
        self._serving.serve(key.public)
        self._sequencer.order_own(bodies.CodeBody(key.public, members_key), None, re)
        self.changed_at = ledger.index
        for way in ways:
            if way != ledger.address:
                self._note_former(way)
        kept = {ledger.code, ledger.address, *self._former}
        for address in self._serving.list_wanted():
            if address not in kept:
                self._serving.stop(address)
        if ledger.is_private:
            self._drop_reached()
            self._look_at = self._clock.tick + limits.FORMER_WAY if self._former else None
            for address in self._former:
                self._serving.serve_for(address, self._list_returning())

    def _list_ways(self) -> list[bytes]:
        """Where members look for us by now. Who has missed a hand-over of a private room may know its code alone."""
        ledger = self._replica.ledger
        has_both = ledger.is_private and self._serving.is_wanted(ledger.code)
        return list(dict.fromkeys([ledger.code, ledger.address] if has_both else [ledger.address]))

    def _note_former(self, way: bytes) -> None:
        """Members who are away know no other than that of then, and may have a place for so long."""
        now, me, ledger = self._clock.tick, self._replica.me.id, self._replica.ledger
        recent = [it for it in self._former.items() if ledger.is_private or now < it[1].since + limits.PLACE_SECONDS]
        awaited = {member.id for member in ledger.roster if member.id != me}
        self._former = dict([*recent, (way, _FormerWay(now, awaited))][-limits.FORMER_WAYS :])

    def _list_returning(self) -> tuple[bytes, ...]:
        """The return keys of all members, as far as one service takes them.

        First ours, by which we see whether it leads to us, then those of members without a link.
        """
        absences, me = self._presence.absences, self._replica.me.id
        returns = sorted(
            self._replica.ledger.rights.returns, key=lambda it: (it.member != me, it.member not in absences)
        )
        return tuple(it.client for it in returns[: limits.CLIENTS])

    def do_due_work(self) -> None:
        """Is not found any more where all have come from by now."""
        if self._look_at is None or self._clock.tick < self._look_at:
            return
        self._drop_reached()
        self._look_at = self._clock.tick + limits.HEARTBEAT if self._former else None

    def _drop_reached(self) -> None:
        """A link that is there some time after the code has changed is one on which its member has heard of that."""
        roster = self._replica.ledger.roster
        linked = {link.member for link in self._presence.links.values()}
        for address, way in list(self._former.items()):
            way.awaited = {member for member in way.awaited if roster.find_member(member) is not None}
            if self._clock.tick >= way.since + limits.FORMER_WAY:
                way.awaited -= linked
            if not way.awaited:
                del self._former[address]
                self._serving.stop(address)
