"""How a room is, as whoever asks its session is told while its network goes and comes back."""

import trio
import trio.testing

from anonp2p import limits
from anonp2p.room import events, inputs
from anonp2p.room.health import HealthData
from anonp2p.room.hosting_events import ReachableEvent
from tests.support.people import Person, gathering
from tests.support.transports import MemoryNetwork, Tor


async def ask(person: Person) -> HealthData:
    """What /health answers them."""
    asked = len(person.heard(events.ReplyEvent))
    await person.session.post_input(inputs.AskInput("/health"))
    await person.until(lambda: len(person.heard(events.ReplyEvent)) > asked)
    data: HealthData = person.heard(events.ReplyEvent)[-1].data
    return data


async def test_a_host_whose_network_is_lost_can_be_reached_again_once_it_is_published_anew(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        tor = Tor(memory)
        host = await gathered.host(tor.usable)
        told = await ask(host)
        assert (told["ok"], told["tor"], told["reachable"]) == (True, True, True)
        tor.lose()
        await trio.testing.wait_all_tasks_blocked()
        told = await ask(host)
        assert (told["ok"], told["tor"], told["reachable"]) == (False, False, False)
        await trio.sleep(limits.TOR_RETRY)
        tor.regain()
        await host.until(lambda: len(host.heard(ReachableEvent)) == 2)
        told = await ask(host)
        assert (told["ok"], told["tor"], told["reachable"], told["reached"]) == (True, True, True, 0)


async def test_a_member_whose_network_is_lost_has_no_link_and_what_it_says_waits(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        tor = Tor(memory)
        ann = await gathered.join("ann", tor.usable)
        await ann.say("hello")
        await ann.hears(events.MessageEvent, text="hello")
        told = await ask(ann)
        assert (told["ok"], told["tor"], told["link"], told["members"], told["outstanding"]) == (True, True, "up", 2, 0)
        tor.lose()
        await ann.hears(events.LinkEvent, state="lost")
        await ann.say("is anybody there?")
        told = await ask(ann)
        assert (told["ok"], told["tor"], told["outstanding"]) == (False, False, 1)
        assert told["link"] != "up"
        tor.regain()
        await ann.hears(events.MessageEvent, text="is anybody there?")
        told = await ask(ann)
        assert (told["ok"], told["tor"], told["link"], told["outstanding"]) == (True, True, "up", 0)


async def test_before_there_is_a_network_a_room_says_so(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        tor = Tor(memory)
        tor.lose()
        host = gathered.invite("host", name="demo", network=tor.usable)
        told = await ask(host)
        assert (told["ok"], told["role"], told["tor"], told["reachable"], told["since"]) == (
            False,
            "host",
            False,
            False,
            0,
        )
        tor.regain()
        await host.hears(ReachableEvent)
        assert (await ask(host))["ok"]
