"""Rooms of one user over the same network: they come back one after the other, each at a time of its own."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.errors import TorMissing
from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.net.dial import dial
from anonp2p.net.links import Links
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.transport import Place, Transport
from anonp2p.room import effects, inputs
from anonp2p.room.room import Room
from tests.support.transports import HANG, MemoryNetwork, Tor


async def keep(_: inputs.Input) -> None:
    """What a room would take."""


def dial_again(
    network: SharedNetwork, room: str, pause: float, *, returns: bool = True
) -> Callable[[], Awaitable[None]]:
    """A dial of the room that the test calls so."""
    links = Links(keep)
    effect = effects.DialEffect(-1, room.encode().ljust(32, b"-"), limits.DIAL_TRIES[0], returns, pause)
    return lambda: dial(effect, network, room, links, links.begin_dial(-1))


def times_of(memory: MemoryNetwork) -> dict[str, float]:
    return {codes.parse_code(dialled.code).address.rstrip(b"-").decode(): dialled.at for dialled in memory.dials}


async def test_a_room_that_comes_back_alone_does_so_at_once(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    shared, start = SharedNetwork(Tor(memory).usable), trio.current_time()
    nursery.start_soon(dial_again(shared, "one", 5.0))
    await trio.testing.wait_all_tasks_blocked()
    assert times_of(memory) == {"one": start}


async def test_rooms_that_wait_for_the_same_network_come_back_one_after_the_other(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    tor = Tor(memory)
    tor.lose()
    shared = SharedNetwork(tor.usable)
    for code, pause in (("one", 5.0), ("two", 3.0), ("three", 0.5)):
        nursery.start_soon(dial_again(shared, code, pause))
        await trio.testing.wait_all_tasks_blocked()
    await trio.sleep(100)
    start = trio.current_time()
    tor.regain()
    await trio.sleep(20)
    assert times_of(memory) == {"one": start, "two": start + 3.0, "three": start + 3.5}


async def test_no_two_dials_wait_for_a_network_that_does_nothing_at_the_same_time(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """When it does something again, one of them succeeds, and the other a pause later."""
    memory.otherwise = HANG
    shared, start = SharedNetwork(Tor(memory).usable), trio.current_time()
    nursery.start_soon(dial_again(shared, "one", 5.0))
    await trio.testing.wait_all_tasks_blocked()
    nursery.start_soon(dial_again(shared, "two", 3.0))
    await trio.sleep(60)
    assert times_of(memory) == {"one": start, "two": start + limits.DIAL_TRIES[0] + 3.0}


async def test_rooms_of_one_host_appear_again_one_after_the_other(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though none of them holds up the others while it is served."""
    tor, seen = Tor(memory), {}
    shared = SharedNetwork(tor.usable)
    listen = memory.listen

    def watch(key: RoomKey, clients: Sequence[bytes] = ()) -> AbstractAsyncContextManager[Place]:
        seen[key.code] = trio.current_time()
        return listen(key, clients)

    monkeypatch.setattr(memory, "listen", watch)
    async with trio.open_nursery() as nursery:
        for number in range(3):
            key = RoomKey(bytes([number]) * 32)
            room = Room(label="r1", key=key.public, random=secrets.token_bytes, nick="hugo", room_key=key, name="demo")
            nursery.start_soon(Session(room, lambda _: None, shared).run)
        await trio.sleep(1)
        tor.lose()
        await trio.sleep(100)
        start = trio.current_time()
        tor.regain()
        await trio.sleep(3 * limits.RETURN_SPREAD)
        nursery.cancel_scope.cancel()
    first, second, third = sorted(seen.values())
    assert first == start
    assert first < second < third < start + 2 * limits.RETURN_SPREAD


async def test_who_comes_in_for_the_first_time_waits_for_nobody(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    memory.otherwise = HANG
    shared, start = SharedNetwork(Tor(memory).usable), trio.current_time()
    nursery.start_soon(dial_again(shared, "one", 5.0))
    await trio.testing.wait_all_tasks_blocked()
    nursery.start_soon(dial_again(shared, "two", 3.0, returns=False))
    await trio.testing.wait_all_tasks_blocked()
    assert times_of(memory) == {"one": start, "two": start}


async def test_where_there_will_be_no_network_nobody_keeps_the_turn(autojump_clock: trio.testing.MockClock) -> None:
    async def usable(_: float) -> Transport:
        await trio.lowlevel.checkpoint()
        raise TorMissing

    shared = SharedNetwork(usable)
    for _ in range(2):
        with pytest.raises(TorMissing):
            async with shared.take_turn("a room", 1.0):
                pass


async def test_dials_of_one_room_do_not_wait_for_each_other(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """One of them may be of a host that is dead."""
    memory.otherwise = HANG
    shared, start = SharedNetwork(Tor(memory).usable), trio.current_time()
    for _ in range(2):
        nursery.start_soon(hold_turn, shared, "one", 3.0)
        await trio.testing.wait_all_tasks_blocked()
    await trio.sleep(4)
    async with shared.take_turn("two", 2.0):
        assert trio.current_time() == start + 4


async def test_dials_of_one_room_that_begin_at_the_same_moment_do_not_wait_for_each_other(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    """As those of one who has lost its host do."""
    memory.otherwise = HANG
    shared, start = SharedNetwork(Tor(memory).usable), trio.current_time()
    links = Links(keep)
    for number, code in ((-1, "host"), (-2, "heir")):
        effect = effects.DialEffect(number, code.encode().ljust(32, b"-"), limits.DIAL_TRIES[0], True, 5.0)
        nursery.start_soon(dial, effect, shared, "room", links, links.begin_dial(number))
    await trio.sleep(4)
    assert times_of(memory) == {"host": start, "heir": start}


async def test_dials_of_one_room_wait_once_another_room_does(
    memory: MemoryNetwork, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    shared, start = SharedNetwork(Tor(memory).usable), trio.current_time()
    order: list[str] = []
    for room in ("one", "two", "one"):
        nursery.start_soon(hold_turn, shared, room, 3.0, order)
        await trio.testing.wait_all_tasks_blocked()
    await trio.sleep(60)
    assert order == ["one", "two", "one"]
    assert trio.current_time() == start + 60


async def hold_turn(shared: SharedNetwork, room: str, seconds: float, order: list[str] | None = None) -> None:
    """It is the turn of this room for so long."""
    async with shared.take_turn(room, 0.0):
        if order is not None:
            order.append(room)
        await trio.sleep(seconds)
