"""Our own onion service, by which we can be reached once we host: published when our host asks for it, and checked.

| state of the service | until |
| --- | --- |
| off | our host asks us to prepare |
| publishing | it can be found |
| checking | we have reached ourselves through it; after a dial in vain, we try again |
| ready | our host has its address: it is published while we are the first heir, or the host is lost |
| refused | for good: our Tor does not serve it |
"""

from typing import Literal

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import appointment, frames
from anonp2p.room import inputs
from anonp2p.room.context import Context
from anonp2p.room.gate import Gate
from anonp2p.room.ledger import expect
from anonp2p.room.member.uplink import Uplink
from anonp2p.room.self_check import SelfCheck

Service = Literal["off", "publishing", "checking", "ready", "refused"]


class OwnService:
    """Prepares our own service, and keeps it as long as it may be needed. gate: greets those who dial it.

    address: of the service; empty before we were asked for it. At first, that of one who has hosted before: the service
    and the code of then are kept for a while, for members that know no other way and not who hosts now.
    """

    def __init__(self, context: Context, uplink: Uplink, gate: Gate, address: bytes = b"") -> None:
        self.address = address
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._owner = context.replica.me.id  # who we were when it was made
        self._members_key = context.replica.ledger.rights.members_key  # with which our services go, in a private room
        self._serving = context.serving
        self._uplink = uplink
        self._check = SelfCheck(context, gate)
        self._service: Service = "ready" if address else "off"
        self._able_on: int | None = None  # the link on which we have said last that we may be asked
        self._check_due: float | None = None  # when (`Now.tick`) to dial ourselves again
        self._appointed_by: float | None = None  # when we stop, unless we have become an heir
        self._former: tuple[bytes, ...] = self._list_former() if address else ()  # services of who hosted
        self._former_until: float | None = self._clock.tick + limits.PLACE_SECONDS if address else None

    def _list_former(self) -> tuple[bytes, ...]:
        code = self._replica.ledger.code
        return (self.address, code) if self._serving.find_key(code) is not None else (self.address,)

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) `do_due_work` has something to do."""
        dues = (self._check_due, self._appointed_by, self._former_until)
        return min((due for due in dues if due is not None), default=None)

    # --- what our host asks for

    def tell_able(self) -> None:
        """We have been let in, and say that we may be asked, if so."""
        if self._context.may_host:
            self._able_on = self._uplink.link
            self._uplink.send(frames.AbleFrame())

    def prepare(self, _: frames.PrepareFrame) -> None:
        """Our host asks for the address of a service of ours. Raises PeerFault unless we have said that it may.

        Everybody could find our service of a private room, if we did not know who may.
        """
        self._forget_former()
        expect(self._context.may_host, "unexpected-preparation")
        expect(bool(self._context.pool.clients) or not self._replica.ledger.is_private, "unexpected-preparation")
        if self._service == "off" or self.address == self._replica.ledger.code:  # which is its host's by now
            self._serving.stop(self.address)
            key = RoomKey(self._context.random(32))
            self._serving.add_key(key)
            self.address = key.public
            self._service = "publishing"
        if self._service != "refused":
            self._serving.serve(self.address)
        if self._service == "ready":
            self._tell_address()

    def _forget_former(self) -> None:
        """A service of who we were before we came anew is of no use: it would tell that we are the same.

        Nor is one of before the keys of a private room were replaced: who knows of it is not to see that it is there.
        """
        owner, members_key = self._replica.me.id, self._replica.ledger.rights.members_key
        self._context.pool.follow(members_key)
        if (self._owner, self._members_key) == (owner, members_key):
            return
        self._owner, self._members_key = owner, members_key
        if self._service in ("publishing", "checking", "ready"):
            self._serving.stop(self.address)
            self._service = "off"
            self._check_due = self._appointed_by = None
        self._end_former()

    def take_key(self, entrusted: frames.EntrustFrame) -> None:
        """Our host gives us the key of the room's code. Raises PeerFault for one that is not."""
        ledger = self._replica.ledger
        me, own_keys = self._replica.me.id, self._replica.own_keys
        self._serving.add_key(appointment.open_room_key(entrusted.box, own_keys, ledger.room, me, ledger.code))

    def take_clients(self, told: frames.ClientsFrame) -> None:
        """Our host tells us who may find our service of a private room. Raises PeerFault where the room is none."""
        expect(self._replica.ledger.is_private, "unexpected-clients")
        self._context.pool.take_clients(tuple(told.clients))

    # --- our service

    def take_input(self, event: inputs.OuterInput) -> None:
        """Takes what happens to our services, and what comes of our own dial to this one."""
        match event:
            case inputs.PublishedInput(address=address):
                self._serving.note_published(address)
                if address == self.address and self._service == "publishing":
                    self._service = "checking"
                    self._check.begin(self.address)
            case inputs.UnpublishedInput(address=address):
                self._serving.note_unpublished(address)
            case inputs.ServeFailedInput(address=address):
                self._serving.stop(address)
                self._former = tuple(former for former in self._former if former != address)
                if address == self.address:
                    self._service = "refused"
            case inputs.ReceivedInput() | inputs.DialFailedInput() | inputs.DroppedInput():
                self._take_outcome(event)

    def _take_outcome(self, event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput) -> None:
        """Of the dial by which we try to reach ourselves, if this is it."""
        outcome = self._check.take_input(event)
        if outcome is None:
            return
        self._forget_former()
        if self._service == "off":
            return
        if outcome == "ours":
            self._service = "ready"
            self._tell_address()
        else:
            self._check_due = self._clock.tick + limits.DIAL_PAUSE_MAX

    def do_due_work(self) -> None:
        """Does what is due by now."""
        if self._check_due is not None and self._clock.tick >= self._check_due:
            self._check_due = None
            self._check.begin(self.address)
        if self._appointed_by is not None and self._clock.tick >= self._appointed_by:
            self._appointed_by = None
        if self._former_until is not None and self._clock.tick >= self._former_until:
            self._end_former()

    def _end_former(self) -> None:
        """Who hosts now is known to all who may come."""
        for address in self._former:
            if address != self.address:
                self._serving.stop(address)
        self._former, self._former_until = (), None

    def update(self, *, is_lost: bool) -> None:
        """Publishes our service, or stops, as follows from who is an heir. is_lost: whether we have lost the host."""
        self._forget_former()
        self._stand_in(is_lost=is_lost)
        if self._former:
            self._serve_former()
        if self._service != "ready" or self.address in self._former:
            return
        heirs, me = [heir.member for heir in self._replica.ledger.heirs], self._replica.me.id
        rank = heirs.index(me) if me in heirs else None
        if rank is not None:
            self._appointed_by = None
        if rank == 0 or self._appointed_by is not None or (is_lost and rank is not None):
            self._serving.serve(self.address)
        else:
            self._serving.stop(self.address)

    def _serve_former(self) -> None:
        """Where we were found before, we are found, unless that is to lead to the host, or to whose it was first."""
        ledger, me = self._replica.ledger, self._replica.me.id
        present = {member.id for member in ledger.roster if not member.away and member.id != me}
        others = {address for member, address in ledger.carriers.items() if member in present}
        for address in self._former:
            if address == ledger.code or address in others:
                self._serving.stop(address)
            else:
                self._serving.serve(address)

    def _stand_in(self, *, is_lost: bool) -> None:
        """An heir that has no new address yet, as the keys of a private room were replaced, has that of before.

        If the host is lost meanwhile, it is found there, by the new keys.
        """
        if not self._replica.ledger.is_private:
            return
        me, pool = self._replica.me.id, self._context.pool
        own = next((heir.address for heir in self._replica.ledger.heirs if heir.member == me), b"")
        if own in (b"", *self._former) or self._serving.find_key(own) is None:
            return
        if own == self.address and self._service != "off":
            return
        if is_lost and pool.clients:
            self._serving.serve(own)
        else:
            self._serving.stop(own)

    def _tell_address(self) -> None:
        """Our service has been reached: our host is told where, and appoints us soon, or needs us no more.

        Another host than asked for it throws out who says that before Able; it asks for itself once that is said.
        """
        key = self._serving.find_key(self.address)
        assert key is not None, "we have made it"
        if self._uplink.link == self._able_on:
            self._uplink.send(appointment.sign_address(key, self._replica.ledger.room, self._replica.me.id))
        self._appointed_by = self._clock.tick + limits.PREPARE
