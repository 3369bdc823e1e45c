"""A host whose strangers and members come faster than they may."""

import errno

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.core import events, steps
from anonp2p.core.code import RoomKey
from anonp2p.net.links import Links
from anonp2p.net.serve import serve
from tests.support.people import gathering
from tests.support.transports import MemoryNetwork, _MemoryListener

RATE = 10.0  # a second


async def test_a_flood_is_read_at_its_pace_and_holds_up_nobody(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "MESSAGE_BURST", 20)
    monkeypatch.setattr(limits, "MESSAGE_RATE", RATE)
    monkeypatch.setattr(limits, "READ", limits.UNIT)  # what is read already is not waited with
    async with gathering(memory) as gathered:
        host, ann, bob = await gathered.host(), await gathered.join("ann"), await gathered.join("bob")
        await trio.sleep(limits.BEAT)

        async def flood() -> None:
            for number in range(50):
                await ann.say(f"{number}")
                await trio.testing.wait_all_tasks_blocked()  # else they go in one record

        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            await host.until(lambda: len(host.texts) >= 20)
            assert trio.current_time() < began + 1 / RATE, "a burst is read at once"
            await bob.say("hello")
            await bob.hears(events.Message, text="hello", mine=True)
            assert trio.current_time() < began + 2 / RATE, "who does not flood does not wait"
        await bob.until(lambda: len(bob.texts) == 51)
        assert trio.current_time() >= began + 29 / RATE
        assert [text for text in bob.texts if text != "hello"] == [f"{number}" for number in range(50)]
        assert len(ann.heard(events.Message, mine=True)) == 50


async def test_a_long_message_counts_for_as_many_as_it_could_have_been(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "MESSAGE_BURST", 20)
    monkeypatch.setattr(limits, "MESSAGE_RATE", RATE)
    monkeypatch.setattr(limits, "READ", limits.UNIT)
    async with gathering(memory) as gathered:
        host, ann = await gathered.host(), await gathered.join("ann")
        await trio.sleep(limits.BEAT)
        began = trio.current_time()
        for number in range(3):
            await ann.say("x" * limits.TEXT)
            await host.until(lambda number=number: len(host.texts) == 1 + number)  # type: ignore[misc]
        took = trio.current_time() - began - (2 * 16 - 20) / RATE
        assert 0 <= took + 1e-6 <= 1 / RATE, "each takes a payload of 16 units, and a beat may have taken one"


async def test_a_flood_of_joins_waits_and_those_who_are_in_do_not(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "JOIN_BURST", 10)
    monkeypatch.setattr(limits, "JOIN_RATE", 1.0)
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        began = trio.current_time()
        newcomers = [gathered.invite("") for _ in range(18)]
        await ann.say("hello")
        await host.hears(events.Message)
        assert trio.current_time() < began + 1
        for newcomer in newcomers:
            await newcomer.hears(events.Entered)
        assert trio.current_time() >= began + 9
        assert len(host.nicks) == 20


async def test_one_who_dialled_while_the_room_was_busy_holds_no_slot_once_the_network_is_gone(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    posted = trio.Event()

    async def post(step: steps.Input) -> None:
        if isinstance(step, steps.Linked):
            posted.set()
            await trio.sleep_forever()

    links = Links(post)
    key = RoomKey(b"k" * 32)
    async with memory.listen(key) as place, trio.open_nursery() as nursery:
        nursery.start_soon(serve, place.listener, links)
        stream = await memory.dial(key.code, "stranger:1")
        await posted.wait()
        assert links.half_open == 1
        nursery.cancel_scope.cancel()
    assert links.half_open == 0
    assert await stream.receive_some(1) == b""


async def test_a_host_that_may_open_no_more_files_goes_on_and_lets_in_who_has_waited(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortages = [errno.EMFILE, errno.ENFILE, errno.ENOMEM] * 20
    accept = _MemoryListener.accept

    async def accept_later(self: _MemoryListener) -> trio.abc.Stream:
        if shortages:
            await trio.lowlevel.checkpoint()
            raise OSError(shortages.pop(), "")
        return await accept(self)

    async with gathering(memory) as gathered:
        host = await gathered.host()
        monkeypatch.setattr(_MemoryListener, "accept", accept_later)
        await gathered.join("ann")
        await (await gathered.join("bob")).say("hello")
        await host.hears(events.Message, text="hello")
    assert not shortages
