"""How a moderator that does not host comes by the pool of a private room, without which it can invite nobody."""

from collections.abc import Callable

from anonp2p.errors import AnonError
from anonp2p.protocol import appointment, bodies, frames
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.errors import NoPool
from anonp2p.room.ledger import expect
from anonp2p.room.member.states import LinkState
from anonp2p.room.member.uplink import Uplink


class PoolWait:
    """Asks the host for the pool, and says what has waited for it. author: has an entry of ours ordered."""

    def __init__(
        self,
        context: Context,
        uplink: Uplink,
        state: LinkState,
        author: Callable[[bodies.Body, str | None, events.Re], None],
    ) -> None:
        self._inviting = context.inviting
        self._pool = context.pool
        self._replica = context.replica
        self._reporter = context.reporter
        self._uplink = uplink
        self._state = state
        self._author = author
        self._asked_with = context.pool.members_key  # as of the last look

    def request(self) -> None:
        """Asks for it. On a link that is not up yet, once it is."""
        if self._state.has_caught_up:
            self._uplink.send(frames.PoolRequestFrame())

    def request_again(self) -> None:
        """A link is up: what waits for the pool needs it."""
        if self._inviting.waits_for_pool:
            self.request()

    def take_pool(self, given: frames.PoolFrame) -> None:
        """Our host gives us the pool. Raises PeerFault where the room is not private, and where the box has none.

        Where our host has it, we have it too from now on, and what waits for it goes on: if need be, once the entry is
        there which says that it is the pool now.
        """
        ledger, me, own_keys = self._replica.ledger, self._replica.me.id, self._replica.own_keys
        expect(ledger.is_private, "unexpected-pool")
        if given.box:
            self._pool.take_secret(appointment.open_pool(given.box, own_keys, ledger.room, me))
        if self._pool.is_ours or not given.box:
            self._go_on()

    def update(self) -> None:
        """Something has happened: the pool may have been replaced, by one that we have already, or not yet."""
        if self._pool.members_key == self._asked_with:
            return
        self._asked_with = self._pool.members_key
        if self._inviting.waits_for_pool and self._pool.is_ours:
            self._go_on()
        else:
            self.request_again()

    def _go_on(self) -> None:
        for event in self._inviting.take_waiting():
            try:
                if not self._pool.is_ours:
                    raise NoPool
                body = self._inviting.read_invite(event)
            except AnonError as error:
                self._reporter.tell_error(error, event.re)
            else:
                assert body is not None, "we have the pool"
                self._author(body, None, event.re)
