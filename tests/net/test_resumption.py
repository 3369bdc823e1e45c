"""Rooms whose links break, networks that are away, members and hosts who come back. All in virtual time."""

import random
from itertools import pairwise

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.net.transport import Transport
from anonp2p.protocol import frames
from anonp2p.room import events, inputs
from tests.support.people import FalseHost, Gathering, Person, gathering
from tests.support.transports import MemoryNetwork, Tor

NICKS = ("ann", "bob", "cho", "dan", "eve")


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
        assert [part for part in person.story if part[0] == "message"] == [
            part for part in people[0].story if part[0] == "message"
        ]
    for nick, own in lines.items():
        assert [message.text for message in people[0].heard(events.MessageEvent, nick=nick)] == own
    assert len(people[0].texts) == count


# --- links that break


@pytest.mark.parametrize(
    ("seed", "lockstep", "epoch"),
    [
        pytest.param(0, False, limits.EPOCH, id="roomy"),
        pytest.param(1, True, limits.EPOCH, id="tight"),
        pytest.param(2, True, limits.EPOCH, id="tight too"),
        pytest.param(3, False, 0.7, id="many epochs"),
        pytest.param(4, True, 0.7, id="many epochs and tight"),
        pytest.param(5, True, 0.3, id="more epochs and tight"),
    ],
)
async def test_links_cut_again_and_again_lose_and_repeat_and_reorder_nothing(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    lockstep: bool,
    epoch: float,
) -> None:
    monkeypatch.setattr(limits, "EPOCH", epoch)
    monkeypatch.setattr(limits, "COMMIT_SHARES", 2 * epoch)
    chance = random.Random(seed)
    memory.lockstep = lockstep
    tors = [Tor(memory) for _ in NICKS]
    async with gathering(memory) as gathered:
        host = await gathered.host()
        members = await met(gathered, host, *tors)
        lines = {nick: [f"{nick} {number}" for number in range(30)] for nick in ("host", *NICKS)}

        async def talk(person: Person, own: list[str], pauses: list[float]) -> None:
            for line, pause in zip(own, pauses, strict=True):
                await person.say(line)
                await trio.sleep(pause)

        async def cut(tor: Tor, pauses: list[float], silences: list[float]) -> None:
            for pause, silence in zip(pauses, silences, strict=True):
                await trio.sleep(pause)
                if silence < 0.5:
                    tor.wires[-1].fall_silent()  # what is sent now is lost
                    await trio.sleep(silence)
                tor.wires[-1].cut()

        async with trio.open_nursery() as nursery:
            for person, own in zip((host, *members), lines.values(), strict=True):
                nursery.start_soon(talk, person, own, [chance.choice((0, 0.01, 0.3)) for _ in own])
            for tor in tors:
                pauses = [chance.random() for _ in range(10)]
                nursery.start_soon(cut, tor, pauses, [chance.random() for _ in pauses])
        await agree([host, *members], lines)
        for person in (host, *members):
            assert not person.heard(events.LeftEvent)
            assert not person.heard(events.AlarmEvent)
            assert len(person.heard(events.EnteredEvent)) == 1
        for tor, person in zip(tors, members, strict=True):
            assert len(tor.wires) > 2
            assert [link.state for link in person.heard(events.LinkEvent)].count("up") > 2


async def test_a_link_that_lasts_no_time_is_not_dialled_again_without_a_pause(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        for count in range(1, 20):
            tor.wires[-1].cut()
            await ann.until(lambda count=count: len(ann.heard(events.LinkEvent, state="up")) > count)  # type: ignore[misc]
        pauses = [later.at - dial.at for dial, later in pairwise(memory.dials)]
        assert sum(pauses) > 5 * limits.DIAL_PAUSE


# --- who starts again


async def test_one_who_was_killed_and_starts_again_is_in_at_once_under_the_next_nick(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.1: each nick costs a dial, and no pause."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        for count, nick in enumerate(("ann", "ann-2", "ann-3"), 1):
            tor, began = Tor(memory), trio.current_time()
            ann = await gathered.join("ann", network=tor.usable)
            assert trio.current_time() - began < limits.DIAL_PAUSE / 2
            assert ann.heard(events.EnteredEvent)[0].nick == nick
            assert [link.attempt for link in ann.heard(events.LinkEvent)] == [*range(1, count + 1), count]
            await ann.say(f"as {nick}")
            await host.hears(events.MessageEvent, text=f"as {nick}")
            tor.lose()  # and never comes up again


# --- a network that is away


@pytest.mark.parametrize("seconds", [40, 300])
async def test_all_come_back_after_an_outage_and_what_was_typed_meanwhile_arrives(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, seconds: float
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        members = await met(gathered, host, *(Tor(memory) for _ in NICKS))
        people = [host, *members]
        lines = {nick: [f"{nick} {number}" for number in range(20)] for nick in ("host", *NICKS)}
        await trio.sleep(100)
        memory.go_down()
        for number in range(20):
            await trio.sleep(seconds / 20)
            for person, own in zip(people, lines.values(), strict=True):
                await person.say(own[number])
        assert host.nicks == ["host"]
        memory.come_up()
        await agree(people, lines)
        assert trio.current_time() <= 100 + seconds + limits.DIAL_PAUSE_MAX + limits.HEARTBEAT
        for person in people:
            assert sorted(person.nicks) == sorted(("host", *NICKS))
            assert not person.heard(events.GoneEvent)
            assert len(person.heard(events.EnteredEvent)) == 1
        assert {left.reason for left in host.heard(events.LeftEvent)} == {"lost"}
        assert len(host.heard(events.LeftEvent)) == len(host.heard(events.JoinedEvent)) - len(NICKS) == len(NICKS)


async def test_an_outage_shorter_than_an_absence_is_nobodys_business(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        members = await met(gathered, host, *(Tor(memory) for _ in NICKS))
        await trio.sleep(100)
        memory.go_down()
        await trio.sleep(limits.AWAY_SECONDS - limits.HEARTBEAT - limits.DIAL_PAUSE_MAX)
        memory.come_up()
        await host.say("still there?")
        await agree([host, *members], {"host": ["still there?"]})
        for person in (host, *members):
            assert not person.heard(events.LeftEvent)


async def test_a_member_that_was_suspended_comes_back_and_misses_nothing(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann, bob = await met(gathered, host, tor, Tor(memory))
        await trio.sleep(100)
        tor.vanish()
        lines = {nick: [f"{nick} {number}" for number in range(30)] for nick in ("host", "ann", "bob")}
        for number in range(30):
            for person, own in zip((host, ann, bob), lines.values(), strict=True):
                await person.say(own[number])
            await trio.sleep(10)
        for person in (host, bob):
            assert [(left.nick, left.reason) for left in person.heard(events.LeftEvent)] == [("ann", "lost")]
        assert ann.texts == []
        tor.regain()
        await agree([host, ann, bob], lines)
        for person in (host, ann, bob):
            assert sorted(person.nicks) == ["ann", "bob", "host"]
        assert len(ann.heard(events.EnteredEvent)) == 1


async def test_one_who_is_away_counts_no_more_but_keeps_its_nick(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        (ann,) = await met(gathered, host, tor)
        tor.vanish()
        await host.hears(events.LeftEvent)
        other = await gathered.join("ann")
        assert other.nicks == ["host", "ann-2"]
        bob = await gathered.join("bob")
        assert bob.nicks == ["host", "ann-2", "bob"]
        tor.regain()
        await bob.hears(events.JoinedEvent, nick="ann")
        await host.say("all here")
        await agree([host, ann, bob], {"host": ["all here"]})


# --- a place that is given up


@pytest.mark.parametrize(
    ("late", "taken"),
    [
        pytest.param(1, False, id="just"),
        pytest.param(3 * limits.LINK_LOST, False, id="long"),
        pytest.param(3 * limits.LINK_LOST, True, id="long, and its nick is taken"),
    ],
)
async def test_one_who_was_away_for_too_long_comes_back_as_somebody_new(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, taken: bool, late: float
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann, bob = await met(gathered, host, tor, Tor(memory))
        await trio.sleep(100)
        tor.vanish()
        await trio.sleep(limits.HEARTBEAT)
        await ann.say("never sent")
        await trio.sleep(limits.PLACE_SECONDS - limits.HEARTBEAT + late)
        if taken:
            await gathered.join("ann")
        tor.regain()
        if taken:
            assigned = await ann.hears(events.NickAssignedEvent)
            assert (assigned.wanted, assigned.free_in) == ("ann", None)
        await ann.hears(events.EntriesMissedEvent)
        assert [unsent.text for unsent in ann.heard(events.UnsentEvent)] == ["never sent"]
        before, after = ann.heard(events.EnteredEvent)
        assert before.member != after.member
        assert after.nick == ("ann-2" if taken else "ann")
        await bob.hears(events.JoinedEvent, member=after.member)
        await ann.say("here again")
        await agree([host, bob, ann], {after.nick: ["here again"]})
        assert len(host.heard(events.LeftEvent)) == 1


async def test_a_member_that_never_comes_back_has_no_place_after_its_time(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        await met(gathered, host, tor)
        tor.vanish()
        await trio.sleep(limits.PLACE_SECONDS - 1)
        other = await gathered.join("ann")
        assert other.nicks == host.nicks == ["host", "ann-2"]
        await trio.sleep(2)
        again = await gathered.join("ann")
        assert again.nicks == host.nicks == ["host", "ann-2", "ann"]
        assert [left.nick for left in host.heard(events.LeftEvent)] == ["ann"]


async def test_a_member_gives_up_a_room_that_is_away_for_as_long_as_it_keeps_a_place(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        (ann,) = await met(gathered, host, Tor(memory))
        memory.go_down()
        await ann.say("never sent")
        assert (await ann.gone()).reason == "lost"
        assert limits.PLACE_SECONDS <= trio.current_time() <= limits.PLACE_SECONDS + limits.DIAL_PAUSE_MAX
        assert [unsent.text for unsent in ann.heard(events.UnsentEvent)] == ["never sent"]
        assert [error.code for error in ann.heard(events.ErrorEvent)] == ["unreachable"]


# --- a host that is away


async def test_a_host_whose_tor_was_lost_is_reachable_again_and_all_come_back(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        tor = Tor(memory)
        host = await gathered.host(network=tor.usable)
        members = await met(gathered, host, *(Tor(memory) for _ in NICKS))
        lines = {nick: [f"{nick} {number}" for number in range(3)] for nick in ("host", *NICKS)}
        for number in range(3):
            tor.lose()
            memory.cut()
            for person, own in zip((host, *members), lines.values(), strict=True):
                await person.say(own[number])
            await trio.sleep(30)
            tor.regain()
            await host.until(lambda number=number: len(host.heard(events.ReachableEvent)) == 2 + number)  # type: ignore[misc]
            await trio.sleep(limits.DIAL_PAUSE_MAX)
        await agree([host, *members], lines)
        for person in (host, *members):
            assert sorted(person.nicks) == sorted(("host", *NICKS))
            assert not person.heard(events.ErrorEvent)
            assert len(person.heard(events.EnteredEvent)) == 1


async def test_a_member_that_stays_away_when_the_host_is_back_is_away(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        tor, away = Tor(memory), Tor(memory)
        host = await gathered.host(network=tor.usable)
        await met(gathered, host, away, Tor(memory))
        await trio.sleep(100)
        away.vanish()
        tor.lose()
        memory.cut()
        await trio.sleep(1)
        tor.regain()
        assert (await host.hears(events.LeftEvent)).nick == "ann"
        assert trio.current_time() <= 100 + limits.AWAY_SECONDS
        await trio.sleep(limits.PLACE_SECONDS)
        assert host.nicks == ["host", "bob"]


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
    tries = []

    class Lost(Tor):
        async def usable(self) -> Transport:
            tries.append(trio.current_time())
            if len(tries) == 50:
                self.regain()
            return await super().usable()

        def lose(self) -> None:
            super().lose()
            self._usable.set()

    async with gathering(memory) as gathered:
        tor = Lost(memory)
        tor.lose()
        await gathered.host(network=tor.usable)
        assert tries[-1] - tries[0] > limits.TOR_RETRY


# --- a log that does not reach back


async def test_one_whose_place_in_the_log_is_gone_enters_anew_and_is_told(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8 * limits.MAILBOX)
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann, bob = await met(gathered, host, tor, Tor(memory))
        await trio.sleep(10)
        tor.vanish()
        await ann.say("unheard")
        said = [str(number) for number in range(1_000)]
        await host.say(*said)
        await bob.until(lambda: bob.texts == said)
        await trio.sleep(limits.AWAY_SECONDS)
        tor.regain()
        await ann.hears(events.EntriesMissedEvent)
        before, after = ann.heard(events.EnteredEvent)
        assert (before.member, before.nick) == (after.member, after.nick)
        await bob.hears(events.MessageEvent, nick="ann", text="unheard")
        await ann.until(lambda: ann.texts == ["unheard"])
        await bob.say("hello again")
        await ann.until(lambda: ann.texts == ["unheard", "hello again"])
        assert bob.texts == host.texts == [*said, "unheard", "hello again"]
        assert not ann.heard(events.UnsentEvent)


async def test_what_was_ordered_among_what_one_missed_is_not_sent_again(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8 * limits.MAILBOX)
    async with gathering(memory) as gathered:
        host = await gathered.host()
        tor = Tor(memory)
        ann, bob = await met(gathered, host, tor, Tor(memory))
        tor.wires[0].dialler.pause()
        await ann.say("heard")
        await bob.hears(events.MessageEvent, text="heard")
        await host.say(*map(str, range(1_000)))
        await bob.hears(events.MessageEvent, text="999")
        tor.wires[0].cut()
        tor.wires[0].dialler.resume()
        await ann.hears(events.EntriesMissedEvent)
        assert ann.session.outstanding == 0
        assert not ann.heard(events.ErrorEvent)
        await ann.say("next")
        await bob.hears(events.MessageEvent, text="next")
        assert bob.texts.count("heard") == 1


# --- heads


async def test_an_idle_room_keeps_everybody_for_an_hour(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        members = await met(gathered, host, Tor(memory), Tor(memory))
        told = [list(person.told) for person in (host, *members)]
        await trio.sleep(3600)
        assert [person.told for person in (host, *members)] == told
        assert len(memory.wires) == 2


async def test_a_head_follows_every_batch_and_comes_about_every_heartbeat_when_idle(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """1.4, 5.6"""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.played("ann")
        await host.say("one", "two")
        await ann.hears()
        await ann.hears()
        index, digest = ann.ledger.index, ann.ledger.digest
        for _ in range(12):
            await trio.sleep(limits.HEARTBEAT)
            await ann.heartbeat()
        await host.session.post_input(inputs.LeaveInput())
        assert await ann.hears() == frames.CloseBody()
        assert await ann.ended() == []
        places = [head.place for head in ann.heads]
        assert places == sorted(places)
        idle = [head for head in ann.heads if head.place == index]
        assert {head.digest for head in idle} == {digest}
        assert 12 <= len(idle) <= 12 / (1 - limits.HEARTBEAT_JITTER) + 2
        times = [head.time for head in ann.heads]
        assert times == sorted(times)
        pauses = [later.time - head.time for head, later in pairwise(idle)]
        assert max(pauses) <= limits.HEARTBEAT * 1000
        assert places[-1] == index + 1
        await ann.close()


@pytest.mark.parametrize("recorded", [True, False], ids=["on another link", "by somebody else"])
async def test_a_resumption_that_the_member_did_not_sign_here_and_now_is_refused(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, recorded: bool
) -> None:
    """2.5"""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        (ann,) = await met(gathered, host, Tor(memory))
        me, second = await gathered.played("me"), await gathered.stranger()
        other = next(member.id for member in me.ledger.roster if member.nick == "ann")
        await second.greeted()
        request = me.resume() if recorded else me.resume(member=other, hello=second.hello)
        await second.send(second.client_handshake(request))
        assert (await second.expect(frames.RefusedFrame)).reason == "signature"
        await second.close()
        await host.say("undisturbed")
        await me.hears()
        await ann.hears(events.MessageEvent)
        assert not ann.heard(events.LinkEvent, state="lost")
        await me.close()


async def test_what_a_forged_head_covers_is_never_shown(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.6"""
    async with gathering(memory) as gathered, memory.listen(gathered.key) as place:
        ann = gathered.invite("ann")
        host = FalseHost(await place.listener.accept(), gathered.key.public, memory.patience)
        await host.lets_in()
        await host.send(host.batch(frames.TextBody("one", action=False)))
        await ann.hears(events.MessageEvent, text="one")
        forger = identity.Identity(b"m" * 32, gathered.key.public)
        await host.send(host.batch(frames.TextBody("two", action=False), signer=forger))
        assert (await ann.gone()).reason == "lost"
        assert ann.texts == ["one"]
        assert len(ann.heard(events.AlarmEvent)) == 1
        await host.close()
