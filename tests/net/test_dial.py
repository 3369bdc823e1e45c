"""Dials that are called off, and several at once."""

import trio
import trio.testing
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anonp2p.crypto import suite
from anonp2p.crypto.suite import EncryptionKeyPair
from anonp2p.names.codes import RoomKey
from anonp2p.net.dial import dial
from anonp2p.net.links import Links
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.protocol.handshake import HostHandshake
from anonp2p.room import effects, inputs
from anonp2p.room.room import Room
from tests.room.peers import randomness
from tests.support.people import always
from tests.support.transports import HANG, MemoryNetwork

KEY = RoomKey(b"k" * 32)


def dial_of(number: int, *, fresh: bool = False, key: bytes = b"") -> effects.DialEffect:
    return effects.DialEffect(number, KEY.public, 15.0, returns=False, pause=0.0, fresh=fresh, client_key=key)


class Dialler:
    """One who dials as often as the test wants, and is told what comes of it."""

    def __init__(self, memory: MemoryNetwork, nursery: trio.Nursery) -> None:
        self.posted: list[inputs.Input] = []
        self.links = Links(self._post)
        self._network = SharedNetwork(always(memory))
        self._nursery = nursery

    async def _post(self, what: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()
        self.posted.append(what)

    def dial(self, number: int, *, fresh: bool = False, key: bytes = b"") -> None:
        scope = self.links.begin_dial(number)
        self._nursery.start_soon(dial, dial_of(number, fresh=fresh, key=key), self._network, "we", self.links, scope)


async def test_links_that_are_dialled_at_once_have_the_numbers_of_their_dials(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    dialler = Dialler(memory, nursery)
    async with memory.listen(KEY) as place:
        memory.plan.extend((HANG, "connect"))
        dialler.dial(-1)
        await trio.testing.wait_all_tasks_blocked()  # so that it is the one that hangs
        dialler.dial(-2)
        stream = await place.listener.accept()
        await trio.testing.wait_all_tasks_blocked()
        assert dialler.links.find_link(-1) is None
        assert dialler.links.find_link(-2) is not None
        await stream.send_all(bytes([0, 1, 7]))
        await trio.sleep(20)
    assert [it.link for it in dialler.posted if isinstance(it, inputs.DialFailedInput)] == [-1]
    assert [it.link for it in dialler.posted if isinstance(it, inputs.ReceivedInput | inputs.DroppedInput)][:1] == [-2]


async def test_who_wants_to_know_where_a_service_is_now_has_that_looked_up(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    dialler = Dialler(memory, nursery)
    dialler.dial(-1)
    dialler.dial(-2, fresh=True)
    await trio.testing.wait_all_tasks_blocked()
    assert sorted((it.isolation, it.fresh) for it in memory.dials) == [("we:1", False), ("we:2", True)]


async def test_a_dial_says_how_long_the_hello_of_a_room_is(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    Dialler(memory, nursery).dial(-1)
    await trio.testing.wait_all_tasks_blocked()
    wire = HostHandshake(bytes(32), KEY.public, EncryptionKeyPair(bytes(suite.SECRET))).wire
    assert [it.hello for it in memory.dials] == [len(wire)]


async def test_of_a_dial_that_is_called_off_nothing_is_heard_again(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    dialler = Dialler(memory, nursery)
    memory.otherwise = HANG
    dialler.dial(-1)
    await trio.testing.wait_all_tasks_blocked()
    dialler.links.call_off(-1)
    await trio.sleep(100)
    assert dialler.posted == []
    dialler.links.call_off(-1)  # which is over already


async def test_a_link_that_is_called_off_when_it_has_just_come_to_be_is_closed(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    dialler = Dialler(memory, nursery)
    connect = memory.dial

    async def call_off_at_last(
        code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        stream = await connect(code, isolation, hello=hello, fresh=fresh, client_key=client_key)
        dialler.links.call_off(-1)
        return stream

    memory.dial = call_off_at_last  # type: ignore[method-assign]
    async with memory.listen(KEY) as place:
        dialler.dial(-1)
        stream = await place.listener.accept()
        assert await stream.receive_some(1) == b""
    assert dialler.links.find_link(-1) is None
    assert dialler.posted == []


async def test_a_private_room_is_dialled_by_its_key(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    key = b"K" * 32
    dialler = Dialler(memory, nursery)
    async with memory.listen(KEY, [X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()]) as place:
        dialler.dial(-1)
        dialler.dial(-2, key=b"L" * 32)
        await trio.testing.wait_all_tasks_blocked()
        failed = {
            it.link: (it.reason.code, it.again) for it in dialler.posted if isinstance(it, inputs.DialFailedInput)
        }
        assert failed == {-1: ("key-missing", False), -2: ("key-wrong", False)}
        dialler.dial(-3, key=key)
        await place.listener.accept()


async def test_a_room_calls_off_a_dial(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    memory.otherwise = HANG
    room = Room(label="r1", key=KEY.public, random=randomness(b"ann"), nick="ann")
    handle = room.handle_input

    def call_off(event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        return [effects.DropEffect(-1, "closed")] if isinstance(event, inputs.SayInput) else handle(event, now)

    room.handle_input = call_off  # type: ignore[method-assign]
    session = Session(room, lambda _: None, SharedNetwork(always(memory)))
    nursery.start_soon(session.run)
    await trio.testing.wait_all_tasks_blocked()
    await session.post_input(inputs.SayInput("no more"))
    await trio.sleep(100)
    assert len(memory.dials) == 1, "it would dial again, had it heard of a failure"
