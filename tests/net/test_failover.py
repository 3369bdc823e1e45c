"""Sessions whose host goes, over a network in memory with a clock that jumps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import HeirsEvent, HostEvent
from tests.support.people import Gathering, Person, gathering
from tests.support.transports import MemoryNetwork, Tor


class Company:
    """A host behind a Tor of its own, and three members who may take over, of whom the first one is the first heir."""

    def __init__(self, gathered: Gathering, tor: Tor, host: Person, members: list[Person]) -> None:
        self.gathered = gathered
        self.tor = tor
        self.host = host
        self.members = members
        self._rounds = 0

    async def talk(self, *people: Person) -> None:
        """Each says something, and all hear each of them once."""
        self._rounds += 1
        words = [f"{number} in round {self._rounds}" for number in range(len(people))]
        for person, text in zip(people, words, strict=True):
            await person.say(text)
        for person in people:
            for text in words:
                await person.hears(events.MessageEvent, text=text)
        assert all(sorted(set(person.texts)) == sorted(person.texts) for person in people)
        assert len({tuple(person.story[-len(people) :]) for person in people}) == 1

    def hosts(self) -> list[Person]:
        return [person for person in self.members if person.session.room.hosting]


@asynccontextmanager
async def company(memory: MemoryNetwork) -> AsyncIterator[Company]:
    async with gathering(memory) as gathered:
        tor = Tor(memory)
        host = await gathered.host(tor.usable)
        members = [await gathered.join(nick, may_host=True) for nick in ("ann", "bob", "cho")]
        for person in members:
            await person.until(
                lambda person=person: any(len(it.heirs) == limits.HEIRS for it in person.heard(HeirsEvent))  # type: ignore[misc]
            )
        await trio.sleep(limits.STANDBY_RETRY)
        yield Company(gathered, tor, host, members)


async def test_a_room_whose_host_leaves_goes_on_at_once_and_its_code_too(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        await room.talk(room.host, *room.members)
        await room.host.session.post_input(inputs.LeaveInput())
        assert (await room.host.gone()).reason == "left"
        before = trio.current_time()
        await room.talk(*room.members)
        assert trio.current_time() < before + 1
        assert room.hosts() == [room.members[0]]
        late = await room.gathered.join("dan")
        await room.talk(*room.members, late)
        for person in room.members[1:]:
            states = [link.state for link in person.heard(events.LinkEvent)]
            assert states == ["connecting", "up", "lost", "up"], "it waits, and dials nobody"
            assert [host.cause for host in person.heard(HostEvent)] == ["left"]


async def test_a_room_whose_host_dies_goes_on_within_moments_and_its_code_too(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        await room.talk(room.host, *room.members)
        room.tor.lose()
        before = trio.current_time()
        await room.talk(*room.members)
        assert trio.current_time() < before + limits.GATHER + 0.5
        assert room.hosts() == [room.members[0]]
        late = await room.gathered.join("dan")
        await room.talk(*room.members, late)
        for person in room.members[1:]:
            assert [link.state for link in person.heard(events.LinkEvent)][2:] == ["lost", "up"]
            assert [host.cause for host in person.heard(HostEvent)] == ["lost"]


async def test_a_room_whose_host_says_nothing_any_more_goes_on(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with company(memory) as room:
        await room.talk(room.host, *room.members)
        monkeypatch.setattr(room.host.session.room, "handle_input", lambda *_: [])
        monkeypatch.setattr(room.host.session.room, "next_deadline", lambda: None)
        before = trio.current_time()
        await room.members[0].until(lambda: bool(room.hosts()))
        assert trio.current_time() < before + limits.LINK_LOST + limits.HEARTBEAT + limits.GATHER + 1
        await room.talk(*room.members)
        assert room.hosts() == [room.members[0]]


async def test_what_is_said_while_there_is_no_host_is_heard_once(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        room.tor.lose()
        await trio.testing.wait_all_tasks_blocked()
        await room.members[2].say("anybody there?")
        for person in room.members:
            await person.hears(events.MessageEvent, text="anybody there?")
        await trio.sleep(60)
        assert [person.texts for person in room.members] == [["anybody there?"]] * 3


async def test_the_second_host_goes_as_well(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    async with company(memory) as room:
        room.tor.lose()
        await room.talk(*room.members)
        await trio.sleep(limits.PREPARE)
        ann, bob, cho = room.members
        await ann.session.post_input(inputs.LeaveInput())
        await ann.gone()
        await room.talk(bob, cho)
        late = await room.gathered.join("dan")
        await room.talk(bob, cho, late)
