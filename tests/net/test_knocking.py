"""People who knock at a room, over a network in memory with a clock that jumps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.errors import TurnedAway
from anonp2p.room.hosting_events import HeirsEvent
from anonp2p.room.moderation_events import RoleEvent, WaitingEvent
from anonp2p.room.moderation_inputs import AdmitInput, KnockInput, RoleInput
from tests.support.people import Gathering, Person, gathering
from tests.support.transports import MemoryNetwork, Tor


class Company:
    """A room whose host has newcomers wait, and Ann, a moderator that would host it next."""

    def __init__(self, gathered: Gathering, tor: Tor, host: Person, ann: Person) -> None:
        self.gathered = gathered
        self.tor = tor
        self.host = host
        self.ann = ann

    async def knocks(self, nick: str) -> Person:
        """Somebody knocks, and is told to wait."""
        person = self.gathered.invite(nick)
        await person.until(lambda: is_waiting(person))
        return person


@asynccontextmanager
async def company(memory: MemoryNetwork) -> AsyncIterator[Company]:
    async with gathering(memory) as gathered:
        tor = Tor(memory)
        host = await gathered.host(tor.usable)
        ann = await gathered.join("ann", may_host=True)
        await host.session.post_input(RoleInput("ann", "moderator", "/op"))
        await host.session.post_input(KnockInput(on=True))
        await ann.hears(RoleEvent)
        await ann.until(lambda: any(it.heirs for it in ann.heard(HeirsEvent)))
        await trio.sleep(limits.STANDBY_RETRY)
        yield Company(gathered, tor, host, ann)


def is_waiting(person: Person, links: int = 1) -> bool:
    """Whether it was told so on so many links."""
    waits = events.LinkEvent.__name__, Reason("knocking")
    told = [it for it in person.heard(events.LinkEvent) if (type(it).__name__, it.detail) == waits]
    return len(told) >= links


async def sees(moderator: Person, *nicks: str) -> WaitingEvent:
    """What a moderator is told of these, once it is."""

    def shown() -> list[WaitingEvent]:
        return [it for it in moderator.heard(WaitingEvent) if [who.nick for who in it.people] == [*nicks]]

    await moderator.until(lambda: bool(shown()))
    return shown()[-1]


async def test_who_knocks_is_let_in_by_a_moderator_that_does_not_host(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        zoe = await room.knocks("zoe")
        await sees(room.host, "zoe")
        await sees(room.ann, "zoe")
        await trio.sleep(600)
        assert [it.state for it in zoe.heard(events.LinkEvent)] == ["connecting", "connecting"], "its link lasts"
        await room.ann.session.post_input(AdmitInput("zoe", admitted=True))
        await zoe.hears(events.EnteredEvent)
        await sees(room.ann)
        for person in (room.host, room.ann, zoe):
            await person.say("hello")
        for person in (room.host, room.ann, zoe):
            await person.until(lambda person=person: len(person.texts) == 3)  # type: ignore[misc]


async def test_who_is_turned_away_is_out_and_told_so(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        zoe = await room.knocks("zoe")
        await sees(room.ann, "zoe")
        await room.ann.session.post_input(AdmitInput("zoe", admitted=False))
        assert (await zoe.gone()).reason == "refused"
        assert (await zoe.hears(events.ErrorEvent)).code == "refused"
        await sees(room.ann)
        assert not room.host.heard(events.JoinedEvent, nick="zoe")


async def test_who_gives_up_is_gone_for_moderators_too(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        zoe = await room.knocks("zoe")
        await sees(room.ann, "zoe")
        await zoe.session.post_input(inputs.LeaveInput())
        assert (await zoe.gone()).reason == "left"
        await sees(room.host)
        await sees(room.ann)


async def test_who_waits_while_the_host_leaves_waits_at_the_next_one(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        zoe = await room.knocks("zoe")
        await sees(room.ann, "zoe")
        await trio.sleep(600)
        await room.host.session.post_input(inputs.LeaveInput())
        await room.ann.until(lambda: room.ann.session.room.hosting)
        await zoe.until(lambda: is_waiting(zoe, links=2))
        await room.ann.until(lambda: len([it for it in room.ann.heard(WaitingEvent) if it.count]) == 2)
        await room.ann.session.post_input(AdmitInput("zoe", admitted=True))
        assert [person.nick for person in (await zoe.hears(events.EnteredEvent)).members] == ["ann", "zoe"]


async def test_who_waits_while_the_host_dies_waits_at_the_next_one(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        zoe = await room.knocks("zoe")
        await sees(room.ann, "zoe")
        room.tor.lose()
        await room.ann.until(lambda: room.ann.session.room.hosting)
        await zoe.until(lambda: is_waiting(zoe, links=2))
        await room.ann.until(lambda: len([it for it in room.ann.heard(WaitingEvent) if it.count]) == 2)
        await room.ann.session.post_input(AdmitInput("zoe", admitted=True))
        await zoe.hears(events.EnteredEvent)


async def test_who_is_turned_away_while_the_host_dies_is_told_so_by_the_next_one(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with company(memory) as room:
        zoe = await room.knocks("zoe")
        await sees(room.ann, "zoe")
        room.tor.lose()
        await room.ann.session.post_input(AdmitInput("zoe", admitted=False))
        await zoe.gone()
        assert room.ann.session.room.hosting
        assert zoe.session.room.failure == TurnedAway()
        assert not is_waiting(zoe, links=2)


async def test_where_more_knock_than_may_wait_each_has_its_turn_and_members_talk_on(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KNOCKERS", 4)
    async with company(memory) as room:
        crowd = [room.gathered.invite(f"nick{number:02}x") for number in range(12)]
        for person in crowd:
            await person.until(lambda person=person: is_waiting(person))  # type: ignore[misc]
        await room.ann.say("hello")
        await room.host.until(lambda: room.host.texts == ["hello"])
        await trio.sleep(2 * limits.KNOCKERS_TOLD)
        told = room.ann.heard(WaitingEvent)
        assert all(event.count <= 4 for event in told)
        assert {who.nick for event in told for who in event.people} == {f"nick{number:02}x" for number in range(12)}
        await room.ann.session.post_input(KnockInput(on=False))
        for person in crowd:
            await person.hears(events.EnteredEvent)
