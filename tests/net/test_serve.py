"""A host whose strangers and members come faster than they may."""

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto.padding import LENGTH, SIZES, frame_content
from anonp2p.names.codes import RoomKey
from anonp2p.net.links import Links
from anonp2p.net.serve import serve
from anonp2p.room import events, inputs
from tests.support.people import Gathering, gathering
from tests.support.transports import MemoryNetwork

RATE = 10.0  # a second
CLIENT_HANDSHAKE = frame_content(bytes(limits.CLIENT_HANDSHAKE - LENGTH))  # which opens as nothing


async def test_a_flood_is_read_at_its_rate_and_holds_up_nobody(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "MESSAGE_BUCKET", 20)
    monkeypatch.setattr(limits, "MESSAGE_RATE", RATE)
    monkeypatch.setattr(limits, "READ", limits.UNIT)  # what is read already is not waited with
    async with gathering(memory) as gathered:
        host, ann, bob = await gathered.host(), await gathered.join("ann"), await gathered.join("bob")
        await trio.sleep(limits.HEARTBEAT)

        async def flood() -> None:
            for number in range(50):
                await ann.say(f"{number}")
                await trio.testing.wait_all_tasks_blocked()  # else they go in one record

        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            await host.until(lambda: len(host.texts) >= 20)
            assert trio.current_time() <= began + 1 / RATE + 1e-6, "a burst is read at once, but for a beat"
            await bob.say("hello")
            await bob.hears(events.MessageEvent, text="hello", mine=True)
            assert trio.current_time() < began + 2 / RATE, "who does not flood does not wait"
        await bob.until(lambda: len(bob.texts) == 51)
        assert trio.current_time() >= began + 29 / RATE
        assert [text for text in bob.texts if text != "hello"] == [f"{number}" for number in range(50)]
        assert len(ann.heard(events.MessageEvent, mine=True)) == 50


async def test_a_flood_of_joins_waits_and_those_who_are_in_do_not(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "JOIN_BUCKET", 10)
    monkeypatch.setattr(limits, "JOIN_RATE", 1.0)
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        began = trio.current_time()
        newcomers = [gathered.invite("") for _ in range(18)]
        await ann.say("hello")
        await host.hears(events.MessageEvent)
        assert trio.current_time() < began + 1
        for newcomer in newcomers:
            await newcomer.hears(events.EnteredEvent)
        assert trio.current_time() >= began + 9
        assert len(host.nicks) == 20


# --- half-open links


async def dialled(memory: MemoryNetwork, gathered: Gathering) -> trio.abc.Stream:
    """A stranger's end of a new link, once it was greeted."""
    stream = await memory.dial(gathered.key.code, "stranger:1")
    assert await stream.receive_some(limits.READ)
    return stream


async def test_half_open_strangers_are_bounded_and_give_way(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.5"""
    monkeypatch.setattr(limits, "HALF_OPEN", 8)
    async with gathering(memory) as gathered, trio.open_nursery() as nursery:
        host, ann = await gathered.host(), await gathered.join("ann")
        ended: list[int] = []

        async def wait_silently(number: int) -> None:
            stream = await dialled(memory, gathered)
            assert await stream.receive_some(1) == b""
            ended.append(number)

        for number in range(9):
            nursery.start_soon(wait_silently, number)
            await trio.testing.wait_all_tasks_blocked()
        assert len(ended) == 1
        assert ended != [8], "the newest had no time at all"
        before = trio.current_time()
        late = await gathered.join("late")
        assert trio.current_time() == before
        assert len(ended) == 2
        for person, text in ((ann, "one"), (late, "two")):
            await person.say(text)
            await host.hears(events.MessageEvent, text=text)
        await trio.sleep(limits.HANDSHAKE_SECONDS + 1)
        assert len(ended) == 9
        nursery.cancel_scope.cancel()


async def test_client_handshakes_of_those_who_gave_way_hold_up_nobody(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HALF_OPEN", 4)
    monkeypatch.setattr(limits, "JOIN_BUCKET", 100)
    monkeypatch.setattr(limits, "JOIN_RATE", 1.0)
    async with gathering(memory) as gathered:
        await gathered.host()
        for _ in range(300):
            await (await dialled(memory, gathered)).send_all(CLIENT_HANDSHAKE)
            await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        await gathered.join("ann")
        assert trio.current_time() - began <= limits.HALF_OPEN + 1


# --- links of no room


async def serving(
    nursery: trio.Nursery, memory: MemoryNetwork, post: Callable[[inputs.Input], Awaitable[object]], *admitted: bool
) -> tuple[Links, Callable[[], Awaitable[trio.abc.Stream]]]:
    """Links that are accepted for no room, and a way to open one. admitted: what the place says; always yes without."""
    links = Links(post)
    key = RoomKey(b"k" * 32)
    answers = list(admitted)

    async def run() -> None:
        async with trio.open_nursery() as attending, memory.listen(key) as place:
            if answers:
                place.admits = lambda _: answers.pop(0)  # type: ignore[method-assign, assignment]
            await serve(place, key.public, links, attending)

    async def dial() -> trio.abc.Stream:
        stream = await memory.dial(key.code, "stranger:1")
        await trio.testing.wait_all_tasks_blocked()
        return stream

    nursery.start_soon(run)
    await trio.testing.wait_all_tasks_blocked()
    return links, dial


async def test_a_stranger_may_send_a_client_handshake_and_nothing_longer(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.8: it is cut as soon as it announces more."""

    async def ignore(_: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        _, dial = await serving(nursery, memory, ignore)
        stream = await dial()
        await stream.send_all(CLIENT_HANDSHAKE[:-1])
        await trio.testing.wait_all_tasks_blocked()
        longer = await dial()
        await longer.send_all((SIZES[SIZES.index(limits.CLIENT_HANDSHAKE) + 1] - LENGTH).to_bytes(LENGTH, "big"))
        assert await longer.receive_some(1) == b""
        assert trio.current_time() == 0
        nursery.cancel_scope.cancel()


async def test_who_comes_from_the_network_no_more_when_it_sends_its_client_handshake_is_not_heard(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    posted: list[inputs.Input] = []

    async def post(step: inputs.Input) -> None:
        posted.append(step)
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        _, dial = await serving(nursery, memory, post, False)
        stream = await dial()
        await stream.send_all(CLIENT_HANDSHAKE)
        assert await stream.receive_some(1) == b""
        await trio.testing.wait_all_tasks_blocked()
        assert [type(step) for step in posted] == [inputs.LinkedInput, inputs.DroppedInput]
        nursery.cancel_scope.cancel()


async def test_one_who_dialled_while_the_room_was_busy_holds_no_slot_once_the_network_is_gone(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    posted = trio.Event()

    async def post(step: inputs.Input) -> None:
        if isinstance(step, inputs.LinkedInput):
            posted.set()
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        links, dial = await serving(nursery, memory, post)
        stream = await dial()
        await posted.wait()
        assert links.find_link(1) is not None
        nursery.cancel_scope.cancel()
    assert links.find_link(1) is None
    assert await stream.receive_some(1) == b""


async def test_while_the_room_is_busy_no_more_are_accepted_than_it_is_told_of(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    busy = trio.Event()

    async def post(step: inputs.Input) -> None:
        if isinstance(step, inputs.LinkedInput):
            await busy.wait()

    async with trio.open_nursery() as nursery:
        links, dial = await serving(nursery, memory, post)
        await dial()
        await dial()
        assert links.find_link(1) is not None
        assert links.find_link(2) is None
        busy.set()
        await trio.testing.wait_all_tasks_blocked()
        assert links.find_link(2) is not None
        nursery.cancel_scope.cancel()


async def test_the_room_is_told_of_links_that_end_with_the_network(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    posted: list[type[inputs.Input]] = []

    async def post(step: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()  # as while the room is busy
        posted.append(type(step))

    async with trio.open_nursery() as nursery:
        _, dial = await serving(nursery, memory, post)
        await dial()
        nursery.cancel_scope.cancel()
    assert posted == [inputs.LinkedInput, inputs.DroppedInput]


async def test_what_comes_behind_a_client_handshake_waits_until_the_room_has_answered_that(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """It is then read at the pace of whoever knocked."""
    heard = 0

    async def post(step: inputs.Input) -> None:
        nonlocal heard
        await trio.lowlevel.checkpoint()
        heard += isinstance(step, inputs.ReceivedInput)

    async with trio.open_nursery() as nursery:
        _, dial = await serving(nursery, memory, post)
        await (await dial()).send_all(CLIENT_HANDSHAKE * 2)
        await trio.testing.wait_all_tasks_blocked()
        assert heard == 1
        nursery.cancel_scope.cancel()
