"""Who takes the room over when its host is gone: up to three members who can be reached, the first with the room's key.

| a member is | when |
| --- | --- |
| able | it has said so |
| asked | one after the other, each for `PREPARE`: to publish a service of its own and to reach that |
| prepared | it has shown that service's address |
| an heir | it is prepared, and among the first three: whom the user wants, the present heirs, who has been in longest |
"""

from collections.abc import Collection

from anonp2p import limits
from anonp2p.protocol import appointment, bodies, frames
from anonp2p.protocol.field_types import Heir
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.presence import Presence
from anonp2p.room.host.room_code import RoomCode
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.ledger import expect
from anonp2p.room.rights import list_ordered_out


class Heirs:
    """Asks members who say that they can host, appoints some of them, and gives the key of the code to the first.

    When the keys of a private room are replaced, its heirs are asked anew: each for an address that nobody knows.
    """

    def __init__(self, context: Context, sequencer: Sequencer, presence: Presence, code: RoomCode) -> None:
        self._code = code
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._reporter = context.reporter
        self._serving = context.serving
        self._sequencer = sequencer
        self._presence = presence
        self._able: dict[bytes, int] = {}  # and on which link it has said so, once it had been let in there
        self._addresses: dict[bytes, bytes] = {}  # of those who are prepared
        self._asked: set[bytes] = set()
        self._waits_until: float | None = None  # when (`Now.tick`) the one asked last has had its time
        self._wanted = b""  # whom the user wants first
        self._preferred: bytes | None = None  # who comes next: one who hosted before us
        self._entrusted: tuple[int, bytes] | None = None  # the link on which the key of which code went out last
        self._sent_due: float | None = None  # when to look again whether somebody has been sent the present code
        self._seen = b""  # the group context as of the last look
        self._has_news = False  # whether anything else has changed since
        self._awaited = {heir.member for heir in context.replica.ledger.heirs}  # of the term before, till they come
        self._members_key = context.replica.ledger.rights.members_key  # with which addresses go, in a private room
        self._stale = set(self._awaited) if context.replica.ledger.is_private else set[bytes]()  # whose perhaps do not
        self._awaited_until = context.clock.tick + limits.HEIR_PATIENCE

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) somebody was asked or awaited in vain, or the key may go out."""
        dues = (self._waits_until, self._sent_due, self._awaited_until if self._awaited else None)
        return min((due for due in dues if due is not None), default=None)

    # --- what members say

    def take_able(self, link: int, member: bytes) -> None:
        """The member says on this link that it can host. It is asked again if that failed before."""
        self._able[member] = link
        self._awaited.discard(member)
        self._end_asking(member)
        self._has_news = True
        if any(heir.member == member for heir in self._replica.ledger.heirs):
            self._tell_clients(link)

    def take_address(self, member: bytes, said: frames.AddressFrame) -> None:
        """The member has prepared, perhaps because a host before us has asked it.

        Raises PeerFault for one that has not said that it can, or an address that is not its own.
        """
        expect(member in self._able, "unexpected-address")
        ledger = self._replica.ledger
        appointment.check_address(said, ledger.room, member)
        others = {**ledger.carriers, **self._addresses, b"": ledger.code}
        expect(all(said.address != address or who == member for who, address in others.items()), "unexpected-address")
        self._addresses[member] = said.address
        self._stale.discard(member)
        self._end_asking(member)
        self._has_news = True

    def _end_asking(self, member: bytes) -> None:
        """The member has answered, or may be asked again."""
        if member in self._asked:
            self._asked.discard(member)
            self._waits_until = None

    # --- what the user wants

    def want_member(self, member: bytes) -> bool:
        """This member is to be the first heir, and to hold the key; whether it can be, as far as it has said."""
        if member not in self._able:
            return False
        self._wanted = member
        self._end_asking(member)
        self._context.entrusts = self._has_news = True
        return True

    def prefer_member(self, member: bytes | None) -> None:
        """This member is to be the first heir, unless the user wants another."""
        self._has_news |= member != self._preferred
        self._preferred = member

    def entrust_nobody(self) -> None:
        """Nobody is given the key from now on."""
        self._context.entrusts = False

    # --- appointments

    def update(self) -> None:
        """Does what follows from who is here now, if that has changed or something is due."""
        ledger, due = self._replica.ledger, self.next_deadline()
        is_due = due is not None and due <= self._clock.tick
        if not (self._has_news or is_due or ledger.group_context != self._seen):
            return
        self._has_news = False
        self._forget_former()
        if any(holder in ledger.kicked for holder in (*ledger.holders, *ledger.rights.pooled)):
            self._code.change()
        self._forget_addresses()
        is_late = self._clock.tick >= self._awaited_until
        late, self._awaited = (self._awaited, set()) if is_late else (set(), self._awaited)
        heirs = self._choose(late)
        entrusts = self._entrusts(heirs)
        if heirs != ledger.heirs or (entrusts and heirs[0].member not in ledger.holders):
            self._sequencer.order_own(bodies.HeirsBody(list(heirs), entrusts))
        self._seen = ledger.group_context
        self._sent_due = None
        self._ask_next(heirs)
        self._entrust_first()

    def _entrusts(self, heirs: tuple[Heir, ...]) -> bool:
        """Whether the first of these heirs is given the key of the code, or has it."""
        ledger = self._replica.ledger
        if not heirs or not self._context.entrusts or self._serving.find_key(ledger.code) is None:
            return False
        first, may_be_more = heirs[0].member, len(ledger.holders) < limits.HOLDERS
        return first in ledger.holders or (may_be_more and self._presence.find_link(first) is not None)

    def _forget_former(self) -> None:
        roster = self._replica.ledger.roster
        for member in [member for member in self._able if roster.find_member(member) is None]:
            del self._able[member]
            self._addresses.pop(member, None)
            self._end_asking(member)

    def _forget_addresses(self) -> None:
        """Once the keys of a private room are replaced, who knows where an heir was before is not to see it there.

        All heirs are told the new ones at once, and not one after the other: we may be gone by then.
        """
        ledger = self._replica.ledger
        if ledger.rights.members_key == self._members_key:
            return
        self._members_key = ledger.rights.members_key
        self._addresses.clear()
        self._asked.clear()
        self._waits_until = None
        self._stale = {heir.member for heir in ledger.heirs}
        for member in self._stale:
            link = self._presence.find_link(member)
            if link is not None and self._able.get(member) == link:
                self._tell_clients(link)

    def _in_order(self, members: Collection[bytes]) -> list[bytes]:
        """Those of these members who are here, in the order in which they are to be heirs: who is muted comes last."""
        ledger = self._replica.ledger
        first = [self._wanted, self._preferred or b"", *(heir.member for heir in ledger.heirs)]
        ordered = dict.fromkeys([*first, *(member.id for member in ledger.roster)] if members else [])
        found = [it for id_ in ordered if id_ in members and (it := ledger.roster.find_member(id_)) is not None]
        out = (self._replica.me.id, *list_ordered_out(ledger.rights))
        here = [member.id for member in found if not member.away and member.id not in out]
        return sorted(here, key=ledger.rights.muted.__contains__)

    def _choose(self, late: set[bytes]) -> tuple[Heir, ...]:
        """The heirs as they should be. One without a link stays one until it is away; nobody becomes one without.

        late: of the term before, who have not come: they may have died with the host of that term.
        """
        heirs = {heir.member: heir.address for heir in self._replica.ledger.heirs if heir.member not in late}
        addresses = heirs | self._addresses
        linked = [it for it in self._in_order(addresses) if it in heirs or it not in self._presence.absences]
        return tuple(Heir(member, addresses[member]) for member in linked[: limits.HEIRS])

    def _ask_next(self, heirs: tuple[Heir, ...]) -> None:
        """Asks somebody to prepare, unless nobody is needed or somebody is being asked."""
        if self._waits_until is not None and self._clock.tick < self._waits_until:
            return
        self._waits_until = None
        needed = self._able.keys() - self._addresses.keys() - self._asked
        if len(heirs) >= limits.HEIRS:
            needed &= {self._wanted, *self._stale}
        for member in self._in_order(needed):
            link = self._able[member]
            if link == self._presence.find_link(member):
                if self._replica.ledger.is_private and not self._was_sent_code(link):
                    return  # the keys by which its service is to be found are those of that code
                self._asked.add(member)
                self._waits_until = self._clock.tick + limits.PREPARE
                self._ask(link)
                return

    def _was_sent_code(self, link: int) -> bool:
        """Whether the link has been sent the entry with the present code; if not, we look again soon."""
        if self._presence.links[link].reader.sent_up_to > self._code.changed_at:
            return True
        self._sent_due = self._clock.tick + limits.ENTRUST_CHECK
        return False

    def _ask(self, link: int) -> None:
        """Asks a member to prepare; in a private room it is told before that who may find its service."""
        self._tell_clients(link)
        self._reporter.add_effect(effects.RecordEffect(link, (frames.PrepareFrame(),)))

    def _tell_clients(self, link: int) -> None:
        """Without them, an heir of a private room could be found by nobody once we are gone."""
        if clients := self._context.pool.clients:
            self._reporter.add_effect(effects.RecordEffect(link, (frames.ClientsFrame(list(clients)),)))

    def _entrust_first(self) -> None:
        """Gives the first heir the key, once on each link, when it has been sent the entry with the present code."""
        ledger = self._replica.ledger
        first = ledger.heirs[0].member if ledger.heirs else b""
        link, key = self._presence.find_link(first), self._serving.find_key(ledger.code)
        if key is None or link is None or first not in ledger.holders or self._able.get(first) != link:
            return
        if self._entrusted == (link, ledger.code):
            return
        if not self._was_sent_code(link):
            return
        reader = self._presence.links[link].reader
        self._entrusted = link, ledger.code
        sealed = appointment.seal_room_key(key, reader.encryption_key, ledger.room, first)
        self._reporter.add_effect(effects.RecordEffect(link, (sealed,)))
        if self._context.pool.is_ours:
            pool = self._context.pool.seal_secret(reader.encryption_key, ledger.room, first)
            self._reporter.add_effect(effects.RecordEffect(link, (pool,)))
