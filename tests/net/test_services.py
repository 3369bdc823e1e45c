"""Several onion services of one session."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.net.links import Links
from anonp2p.net.services import Services
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import DialFault, Place
from anonp2p.reasons import Reason
from anonp2p.room import effects, inputs
from tests.support.transports import MemoryNetwork, Tor

OWN, OTHER = RoomKey(b"o" * 32), RoomKey(b"t" * 32)


class Server:
    """Serves what the test wants; `posted` is what a room would be told."""

    def __init__(self, memory: MemoryNetwork, nursery: trio.Nursery) -> None:
        self.memory = memory
        self.tor = Tor(memory)
        self.posted: list[inputs.Input] = []
        self.links = Links(self._post)
        self._services = Services("r1", SharedNetwork(self.tor.usable), self.links, lambda _: None)
        self._nursery = nursery

    async def _post(self, what: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()
        self.posted.append(what)

    async def serve(self, key: RoomKey, *clients: bytes) -> None:
        effect = effects.ServeEffect(key, returns=False, pause=0.0, clients=clients)
        self._nursery.start_soon(self._services.run, effect, self._services.begin(key))
        await trio.testing.wait_all_tasks_blocked()

    async def stop(self, key: RoomKey) -> None:
        self._services.stop(key.public)
        await trio.testing.wait_all_tasks_blocked()

    async def dial(self, key: RoomKey) -> trio.abc.Stream:
        stream = await self.memory.dial(key.code, "stranger:1")
        await trio.testing.wait_all_tasks_blocked()
        return stream

    def told(self, kind: type[inputs.Input]) -> list[inputs.Input]:
        return [what for what in self.posted if isinstance(what, kind)]


@asynccontextmanager
async def serving(memory: MemoryNetwork, *keys: RoomKey) -> AsyncIterator[Server]:
    async with trio.open_nursery() as nursery:
        server = Server(memory, nursery)
        for key in keys:
            await server.serve(key)
        yield server
        nursery.cancel_scope.cancel()


async def test_a_room_is_told_by_which_of_its_services_a_link_came(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with serving(memory, OWN, OTHER) as server:
        assert server.posted == [inputs.PublishedInput(OWN.public), inputs.PublishedInput(OTHER.public)]
        for key in (OTHER, OWN, OTHER):
            await server.dial(key)
        assert server.told(inputs.LinkedInput) == [
            inputs.LinkedInput(number, key.public) for number, key in enumerate((OTHER, OWN, OTHER), 1)
        ]


async def test_one_service_ends_and_its_links_and_the_other_service_stay(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with serving(memory, OWN, OTHER) as server:
        await server.dial(OWN)
        await server.stop(OWN)
        with pytest.raises(DialFault):
            await server.dial(OWN)
        assert server.links.find_link(1) is not None
        await server.dial(OTHER)
        assert server.links.find_link(2) is not None
        await server.serve(OWN)
        await server.dial(OWN)
        assert server.told(inputs.LinkedInput)[-1] == inputs.LinkedInput(3, OWN.public)


async def test_a_service_that_loses_its_network_is_told_of_and_can_be_had_again(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with serving(memory, OWN, OTHER) as server:
        stream = await server.dial(OWN)
        memory.wires.clear()  # the network is lost, though not with a broken wire
        server.tor.lose()
        await trio.sleep(limits.TOR_RETRY + 1)
        assert await stream.receive_some(1_000_000) == b""
        told = server.told(inputs.UnpublishedInput)
        assert len(told) == 2
        assert inputs.UnpublishedInput(OWN.public) in told
        assert inputs.UnpublishedInput(OTHER.public) in told
        server.tor.regain()
        await server.serve(OWN)
        await server.dial(OWN)
        assert server.links.find_link(2) is not None


async def test_of_a_service_that_is_not_wanted_any_more_nothing_is_heard(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with serving(memory, OWN, OTHER) as server:
        await server.stop(OWN)
        server.tor.lose()
        await trio.sleep(limits.TOR_RETRY / 2)
        await server.stop(OTHER)
        await trio.sleep(limits.TOR_RETRY + 1)
        assert server.told(inputs.UnpublishedInput) == []


async def test_a_service_that_is_wanted_again_at_once_is_published_after_it_was_withdrawn(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Tor that still has it does not take it a second time."""
    listen, done = memory.listen, []

    @asynccontextmanager
    async def withdraw_slowly(key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Place]:
        async with listen(key) as place:
            done.append("published")
            try:
                yield place
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(limits.WITHDRAW_PATIENCE)
                done.append("withdrawn")

    monkeypatch.setattr(memory, "listen", withdraw_slowly)
    async with serving(memory, OWN) as server:
        await server.stop(OWN)
        await server.serve(OWN)
        await trio.sleep(2 * limits.WITHDRAW_PATIENCE)
        assert done == ["published", "withdrawn", "published"]
        await server.dial(OWN)


async def test_a_private_service_is_to_be_found_by_its_clients_alone(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with serving(memory) as server:
        await server.serve(OWN, b"c" * 32)
        with pytest.raises(DialFault) as caught:
            await server.dial(OWN)
    assert caught.value.reason == Reason("key-missing")
