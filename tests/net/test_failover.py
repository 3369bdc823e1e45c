"""Sessions whose host goes, over a network in memory with a clock that jumps."""

import trio
import trio.testing

from anonp2p.room import inputs
from tests.support.people import Gathering, Person, gathering
from tests.support.transports import MemoryNetwork, Tor


async def company(gathered: Gathering, memory: MemoryNetwork) -> tuple[Tor, Person, list[Person]]:
    """A host behind a Tor of its own, and three members who may take over, once there are heirs and all are linked."""
    tor = Tor(memory)
    host = await gathered.host(tor.usable)
    members = [await gathered.join(nick, may_host=True) for nick in ("ann", "bob", "cho")]
    await trio.sleep(60)
    return tor, host, members


async def talk(people: list[Person], *, round_: int) -> None:
    """Each says something, and all hear all of it."""
    for person in people:
        await person.say(f"{person.session.room.snapshot().nick} {round_}")
    for person in people:
        await person.until(
            lambda person=person: sum(text.endswith(f" {round_}") for text in person.texts) == len(people)  # type: ignore[misc]
        )


async def test_x(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    async with gathering(memory) as gathered:
        tor, host, members = await company(gathered, memory)
        await talk([host, *members], round_=1)
        for m in members:
            print([type(e).__name__ for e in m.told])
            print(m.session.room.replica.ledger.heirs, m.session.room.role._search._waiting)
        before = trio.current_time()
        await host.session.post_input(inputs.LeaveInput())
        await trio.sleep(20)
        for p in [host, *members]:
            print(
                p.session.room.role.name,
                [(type(e).__name__, getattr(e, "state", ""), getattr(e, "text", "")) for e in p.told][-8:],
            )
        await talk(members, round_=2)
        print(trio.current_time() - before)
        late = await gathered.join("dan")
        await talk([*members, late], round_=3)
