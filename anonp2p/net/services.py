"""The onion services of one session."""

from collections.abc import Callable
from contextlib import suppress

import trio

from anonp2p import limits
from anonp2p.errors import TorLost
from anonp2p.names.codes import RoomKey
from anonp2p.net.links import Links
from anonp2p.net.serve import serve
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import Place, Transport
from anonp2p.room import effects, events, inputs
from anonp2p.room.hosting_events import UndefendedEvent


class Services:
    """Keeps services reachable, each until it is not wanted any more or its network is lost.

    room: how events name it. tell: as a session has it. links: take the links that are dialled to the services.
    """

    def __init__(self, room: str, network: SharedNetwork, links: Links, tell: Callable[[events.Event], None]) -> None:
        self._room = room
        self._network = network
        self._links = links
        self._tell = tell
        self._scopes: dict[bytes, trio.CancelScope] = {}  # by address: in which it is served
        self._locks: dict[bytes, trio.Lock] = {}  # each held until the service has been withdrawn

    def begin(self, key: RoomKey) -> trio.CancelScope:
        """A service is wanted from now on; returns the scope for `run`."""
        assert key.public not in self._scopes, "a room asks once for a service"
        scope = self._scopes[key.public] = trio.CancelScope()
        return scope

    def stop(self, address: bytes) -> None:
        """A service is not wanted any more. Its links stay."""
        if (scope := self._scopes.pop(address, None)) is not None:
            scope.cancel()

    async def run(self, effect: effects.ServeEffect, scope: trio.CancelScope) -> None:
        """Carries out a `ServeEffect`, as long as there are links that somebody has dialled. Raises AnonError."""
        address = effect.key.public
        async with trio.open_nursery() as attending:
            with scope:
                await self._host(effect, attending)
                attending.cancel_scope.cancel()  # the network is lost
        if not scope.cancel_called:
            await trio.sleep(limits.TOR_RETRY)
            if self._scopes.get(address) is scope:
                del self._scopes[address]
                await self._links.post(inputs.UnpublishedInput(address))

    async def _host(self, effect: effects.ServeEffect, attending: trio.Nursery) -> None:
        """Keeps a service reachable as long as this network lasts."""
        network = await self._wait_for_network(effect)
        lock = self._locks.setdefault(effect.key.public, trio.Lock())  # a Tor takes no service that it has
        with suppress(TorLost):
            async with lock, network.listen(effect.key, effect.clients) as place, trio.open_nursery() as nursery:
                nursery.start_soon(serve, place, effect.key.public, self._links, attending)
                nursery.start_soon(self._publish, place, effect.key.public)
                await network.lost.wait()
                nursery.cancel_scope.cancel()

    async def _wait_for_network(self, effect: effects.ServeEffect) -> Transport:
        if not effect.returns:
            return await self._network.usable(effect.pause)
        async with self._network.take_turn(self._links, effect.pause) as network:
            return network  # others may come back while this one is served

    @trio.lowlevel.enable_ki_protection
    async def _publish(self, place: Place, address: bytes) -> None:
        if place.undefended:
            self._tell(UndefendedEvent(room=self._room, defences=place.undefended))
        await place.published()
        await self._links.post(inputs.PublishedInput(address))
