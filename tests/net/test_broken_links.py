"""Links that break, fall silent or are cut in the middle of a payload, and networks that are away. In virtual time."""

import random

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.net.transport import Transport
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import ReachableEvent
from anonp2p.room.moderation_inputs import KickInput
from tests.support.people import Gathering, Person, gathering
from tests.support.transports import HANG, MemoryNetwork, Tor, Wire

NICKS = ("ann", "bob", "cho")


async def met(gathered: Gathering, host: Person, *tors: Tor) -> list[Person]:
    """Members, each on a Tor of its own, once all know of all."""
    members = [await gathered.join(nick, network=tor.usable) for nick, tor in zip(NICKS, tors, strict=False)]
    for person in (host, *members):
        await person.until(lambda person=person: len(person.nicks) == 1 + len(members))  # type: ignore[misc]
    return members


async def agree(people: list[Person], lines: dict[str, list[str]]) -> None:
    """All see these lines of each nick: nothing missing, nothing twice, own lines in order, one order for everyone."""
    count = sum(map(len, lines.values()))
    for person in people:
        await person.until(lambda person=person: len(person.texts) >= count)  # type: ignore[misc]
    await trio.sleep(limits.HEARTBEAT)  # for anything that comes twice
    for person in people:
        assert person.session.outstanding == 0
        assert person.story == people[0].story
    for nick, own in lines.items():
        assert [message.text for message in people[0].heard(events.MessageEvent, nick=nick)] == own
    assert len(people[0].texts) == count


def assert_nobody_left(people: list[Person]) -> None:
    """Links were lost, and nothing else."""
    for person in people:
        assert sorted(person.nicks) == sorted(("host", *NICKS[: len(people) - 1]))
        assert not person.heard(events.AlarmEvent)
        assert not person.heard(events.ErrorEvent)
        assert len(person.heard(events.EnteredEvent)) == 1


# --- links that break


async def test_a_killed_link_is_had_again_and_nobody_else_notices(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann, bob = await gathered.join("ann"), await gathered.join("bob")
        before = [(person, list(person.told)) for person in (host, ann, bob)]
        memory.wires[0].fall_silent()
        await ann.say("on its way")
        await trio.testing.wait_all_tasks_blocked()
        memory.wires[0].cut()
        await agree([host, ann, bob], {"ann": ["on its way"]})
        kinds = [list(map(type, person.told[len(told) :])) for person, told in before]
        assert kinds == [[events.MessageEvent], [events.LinkEvent] * 3 + [events.MessageEvent], [events.MessageEvent]]
        assert [link.state for link in ann.heard(events.LinkEvent)[-3:]] == ["lost", "connecting", "up"]


async def test_a_silent_link_is_noticed_by_both_sides_in_time_and_harms_no_other(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host, ann, bob = await gathered.host(), await gathered.join("ann"), await gathered.join("bob")
        await trio.sleep(100)
        memory.wires[0].fall_silent()
        memory.otherwise = HANG
        lost = await ann.hears(events.LinkEvent, state="lost")
        assert lost.detail == Reason("silent")
        assert limits.LINK_LOST - limits.HEARTBEAT <= trio.current_time() - 100 <= limits.LINK_LOST
        assert (await host.hears(events.LeftEvent)).reason == "lost"
        assert limits.AWAY_SECONDS - limits.HEARTBEAT <= trio.current_time() - 100 <= limits.AWAY_SECONDS
        await bob.say("still here")
        await host.hears(events.MessageEvent)
        assert not bob.heard(events.LinkEvent, state="lost")


def stop_after(wire: Wire, count: int) -> None:
    """The host's end delivers so many bytes more, and then the wire breaks."""
    stream = wire.host.stream

    class Stopping:
        left = count

        async def send_all(self, data: bytes) -> None:
            await stream.send_all(bytes(data[: self.left]))
            self.left -= len(data)
            if self.left < 0:
                await trio.testing.wait_all_tasks_blocked()
                wire.cut()

        def __getattr__(self, name: str) -> object:
            return getattr(stream, name)

    wire.host.stream = Stopping()  # type: ignore[assignment]


async def test_a_link_that_breaks_anywhere_in_the_bytes_of_a_commit_and_its_share_is_made_up_for(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.12, 6.9"""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        (ann,) = await met(gathered, host, tor)
        for cut in range(0, 4_000, 200):
            bad = await gathered.join("bad")
            stop_after(tor.wires[-1], cut)
            await host.session.post_input(KickInput("bad"))
            await ann.say(f"ann {cut}")
            await host.say(f"host {cut}")
            for person in (host, ann):
                await person.hears(events.MessageEvent, text=f"ann {cut}")
                await person.hears(events.MessageEvent, text=f"host {cut}")
            assert (await bad.gone()).reason == "kicked"
        await trio.sleep(limits.HEARTBEAT)
        assert ann.texts == host.texts
        assert len(ann.texts) == len(set(ann.texts)) == 40
        assert len(ann.heard(events.LinkEvent, state="lost")) >= 5
        assert_nobody_left([host, ann])


def assert_shown(person: Person, host: Person, ttls: list[int]) -> None:
    """They were shown what the host was, but for what expired; and how much that was. ttls: of what was said."""
    seen = set(person.texts)
    assert len(seen) == len(person.texts), "nothing twice"
    assert person.texts == [text for text in host.texts if text in seen], "in the order of all"
    missed = [text for text in host.texts if text not in seen]
    assert {int(text.split()[-1]) for text in missed} <= {ttl for ttl in ttls if ttl != KEPT}
    assert sum(event.count for event in person.heard(events.ExpiredUnseenEvent)) == len(missed)
    ending = [it.seq for it in person.heard(events.MessageEvent) if it.ttl not in (None, FLEETING)]
    assert sorted(event.seq for event in person.heard(events.ExpiredEvent)) == sorted(ending)


@pytest.mark.parametrize("epoch", [limits.EPOCH, 0.7, 0.3], ids=["one epoch", "many epochs", "more epochs"])
@pytest.mark.parametrize("lockstep", [False, True], ids=["roomy", "tight"])
@pytest.mark.parametrize("ttls", [[KEPT], [KEPT, 1, 2, FLEETING]], ids=["kept", "expiring"])
async def test_links_cut_again_and_again_lose_and_repeat_and_reorder_nothing_but_what_has_expired(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    ttls: list[int],
    lockstep: bool,
    epoch: float,
) -> None:
    """5.12 to 5.17: and who misses what has expired is told how many."""
    monkeypatch.setattr(limits, "EPOCH", epoch)
    monkeypatch.setattr(limits, "COMMIT_SHARES", 2 * epoch)
    chance = random.Random(f"{ttls} {lockstep} {epoch}")
    memory.lockstep = lockstep
    tors = [Tor(memory) for _ in NICKS]
    async with gathering(memory) as gathered:
        host = await gathered.host()
        people = [host, *await met(gathered, host, *tors)]

        async def talk(person: Person, nick: str) -> None:
            for number in range(30):
                ttl = chance.choice(ttls)
                await person.session.post_input(inputs.RetainInput(ttl))
                await person.say(f"{nick} {number} {ttl}")
                await trio.sleep(chance.choice((0, 0.01, 0.3, 1)))

        async def cut(tor: Tor) -> None:
            for _ in range(10):
                await trio.sleep(chance.random())
                if chance.random() < 0.7:
                    tor.wires[-1].fall_silent()  # what is sent now is lost
                    await trio.sleep(chance.random() * 3)
                tor.wires[-1].cut()

        async with trio.open_nursery() as nursery:
            for person, nick in zip(people, ("host", *NICKS), strict=True):
                nursery.start_soon(talk, person, nick)
            for tor in tors:
                nursery.start_soon(cut, tor)
        monkeypatch.setattr(limits, "EPOCH", 1_000 * epoch)
        await host.session.post_input(inputs.RetainInput(KEPT))
        await host.say(f"all here {KEPT}")
        for person in people:
            await person.hears(events.MessageEvent, text=f"all here {KEPT}")
        await trio.sleep(limits.HEARTBEAT)  # for anything that comes twice, and for what ends
        for person in people:
            assert_shown(person, host, ttls)
            assert person.session.outstanding == 0
        assert len(host.texts) == 4 * 30 + 1
        for nick in ("host", *NICKS):
            own = [int(text.split()[1]) for text in host.texts if text.startswith(f"{nick} ")]
            assert own == list(range(30))
        assert_nobody_left(people)
        assert all([link.state for link in person.heard(events.LinkEvent)].count("up") > 2 for person in people[1:])
        if len(ttls) > 1:
            assert sum(len(person.texts) < len(host.texts) for person in people) > 1, "else nothing was tried"


# --- networks that are away


async def test_all_come_back_after_an_outage_and_what_was_typed_meanwhile_arrives(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        people = [host, *await met(gathered, host, *(Tor(memory) for _ in NICKS))]
        lines = {nick: [f"{nick} {number}" for number in range(20)] for nick in ("host", *NICKS)}
        await trio.sleep(100)
        memory.go_down()
        for number in range(20):
            await trio.sleep(15)
            for person, own in zip(people, lines.values(), strict=True):
                await person.say(own[number])
        assert host.nicks == ["host"]
        memory.come_up()
        await agree(people, lines)
        assert trio.current_time() <= 100 + 20 * 15 + limits.DIAL_PAUSE_MAX + limits.HEARTBEAT
        assert_nobody_left(people)


async def test_a_host_whose_tor_was_lost_is_reachable_again_and_all_come_back(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        tor = Tor(memory)
        host = await gathered.host(network=tor.usable)
        people = [host, *await met(gathered, host, *(Tor(memory) for _ in NICKS))]
        lines = {nick: [f"{nick} {number}" for number in range(3)] for nick in ("host", *NICKS)}
        for number in range(3):
            tor.lose()
            memory.cut()
            for person, own in zip(people, lines.values(), strict=True):
                await person.say(own[number])
            await trio.sleep(30)
            tor.regain()
            await host.until(lambda number=number: len(host.heard(ReachableEvent)) == 2 + number)  # type: ignore[misc]
            await trio.sleep(limits.DIAL_PAUSE_MAX)
        await agree(people, lines)
        assert_nobody_left(people)


async def test_a_host_that_ends_after_its_tor_was_lost_waits_for_no_link_of_before(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        tor = Tor(memory)
        host = await gathered.host(network=tor.usable)
        (ann,) = await met(gathered, host, Tor(memory))
        tor.lose()
        memory.cut()
        tor.regain()
        await ann.until(lambda: len(ann.heard(events.LinkEvent, state="up")) == 2)
        before = trio.current_time()
        await host.session.post_input(inputs.LeaveInput())
        assert (await host.gone()).reason == "left"
        assert (await ann.gone()).reason == "closed"
        assert trio.current_time() == before


async def test_a_host_does_not_insist_on_a_tor_that_is_lost_already(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    tor = Tor(memory)
    tries = []

    async def usable(pause: float) -> Transport:
        """A network that is lost when it is had, until it has been tried often enough."""
        tries.append(trio.current_time())
        network = await tor.usable(pause)
        if len(tries) < 50:
            network.lost.set()
        elif len(tries) == 50:
            tor.regain()
            network = await tor.usable(pause)
        return network

    async with gathering(memory) as gathered:
        await gathered.host(network=usable)
        assert tries[-1] - tries[0] > limits.TOR_RETRY
