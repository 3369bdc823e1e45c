"""A room of many members, over real sockets."""

import pytest
import trio

from anonp2p import limits
from tests.support.people import Gathering, Person, gathering
from tests.support.transports import LoopbackNetwork

MEMBERS = 110


async def crowd(gathered: Gathering) -> list[Person]:
    """So many members, let in some at a time."""
    members: list[Person] = []
    some = trio.CapacityLimiter(16)

    async def join(number: int) -> None:
        async with some:
            members.append(await gathered.join(f"m{number}"))

    async with trio.open_nursery() as nursery:
        for number in range(MEMBERS):
            nursery.start_soon(join, number)
    return members


async def test_all_members_of_a_large_room_know_of_each_other_and_see_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network = LoopbackNetwork()
    network.patience = 240.0
    monkeypatch.setattr(limits, "LINK_LOST", network.patience)  # they all share one processor
    async with gathering(network) as gathered:
        host = await gathered.host()
        members = await crowd(gathered)
        people = [host, *members]
        for person in people:
            await person.until(lambda person=person: len(person.nicks) == 1 + MEMBERS)  # type: ignore[misc]
        for author in people[::30]:
            await author.say("hello", "all")
        said = 2 * len(people[::30])
        for person in people:
            await person.until(lambda person=person: len(person.texts) == said)  # type: ignore[misc]
        assert all(person.story == host.story for person in people)
