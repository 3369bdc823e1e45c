"""Messages that end in their time, wherever they are by then. All in virtual time."""

import random
import time
from itertools import pairwise

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import frames
from anonp2p.room import effects, events, inputs
from anonp2p.room.retention import NO_HISTORY
from tests.support.people import Gathering, Person, gathering
from tests.support.transports import HANG, MemoryNetwork, Tor, Wire
from tests.support.world import log_of

SOON = 0.01


async def met(
    gathered: Gathering, *nicks: str, ttl: int = KEPT, history: frames.HistoryPolicy = NO_HISTORY
) -> tuple[Person, list[Person]]:
    """A host and members, all of whom know of all. ttl: of messages whose author says nothing of it."""
    host = await gathered.host(retention=frames.RetentionPolicy(FLEETING, ttl, KEPT), history=history)
    members = [await gathered.join(nick) for nick in nicks]
    for person in (host, *members):
        await person.until(lambda person=person: len(person.nicks) == 1 + len(nicks))  # type: ignore[misc]
    return host, members


async def retain(person: Person, ttl: int) -> None:
    """Their messages are kept for so long from now on."""
    count = len(person.heard(events.ReplyEvent))
    await person.session.post_input(inputs.RetainInput(ttl))
    await person.until(lambda: len(person.heard(events.ReplyEvent)) > count)


async def all_hear(text: str, *people: Person) -> list[events.MessageEvent]:
    """The first of them says this, and all are shown it."""
    await people[0].say(text)
    return [await person.hears(events.MessageEvent, text=text) for person in people]


def kept(host: Person, seq: int) -> list[bytes]:
    """What a host's log still holds of a message: its body, its batch's bytes, and what links share."""
    log = log_of(host.session.room)
    batch = log.find_batch(seq)
    assert batch.first <= seq < batch.end
    held = [batch.entries[seq - batch.first].body, batch.wire]
    return [it for it in held if it]


def shares(host: Person) -> bytes:
    """The bytes that links at the same place of the log were given last."""
    return log_of(host.session.room).shared_piece


def expired(person: Person) -> list[int]:
    """Of which messages they were told that they are gone."""
    return [event.seq for event in person.heard(events.ExpiredEvent)]


def expired_unseen(person: Person) -> list[int]:
    """What they were told of messages that they never saw: how many, each time."""
    return [event.count for event in person.heard(events.ExpiredUnseenEvent)]


async def keep_reading(*people: Person) -> None:
    """Nothing is lost that is kept: all hear a last word."""
    await all_hear("all here", *people)


async def stop_reading(wire: Wire) -> None:
    """Its dialler takes one more write, which it does not see, and then none: the one after that is stuck.

    A head that is due at this very moment arrives first. Else it would be that one write, and what a test sends
    next would be stuck one place too early.
    """
    await trio.testing.wait_all_tasks_blocked()
    wire.dialler.pause()


# --- in its time


@pytest.mark.parametrize("rule", ["its author's", "the room's"])
@pytest.mark.parametrize("author", ["the host", "a member"])
async def test_a_message_ends_for_all_in_its_time(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, rule: str, author: str
) -> None:
    """5.16"""
    async with gathering(memory) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob", ttl=KEPT if rule == "its author's" else 30)
        people = (host, ann, bob) if author == "the host" else (ann, host, bob)
        if rule == "its author's":
            await retain(people[0], 30)
        await trio.sleep(100)
        seen = await all_hear("not for long", *people)
        assert {(message.seq, message.ttl) for message in seen} == {(seen[0].seq, 30)}
        seq = seen[0].seq
        await trio.sleep(30 - SOON)
        assert [expired(person) for person in people] == [[], [], []]
        assert len(kept(host, seq)) == 2
        await trio.sleep(2 * SOON)
        assert [expired(person) for person in people] == [[seq]] * 3
        assert kept(host, seq) == []
        assert shares(host) == b""
        await trio.sleep(100)
        await keep_reading(*people)
        assert [expired(person) for person in people] == [[seq]] * 3
        assert [expired_unseen(person) for person in people] == [[], [], []]
        assert not any(person.heard(events.AlarmEvent) for person in people)


async def test_messages_end_each_in_its_own_time_whoever_spoke_first(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob")
        people = (host, ann, bob)
        seqs = {}
        for author, ttl in ((ann, 60), (bob, 20), (host, 40)):
            await retain(author, ttl)
            seqs[ttl] = (await all_hear(f"for {ttl} s", author, *(it for it in people if it is not author)))[0].seq
        await trio.sleep(20 + SOON)
        for gone in ([20], [20, 40], [20, 40, 60]):
            assert [expired(person) for person in people] == [[seqs[ttl] for ttl in gone]] * 3
            assert [ttl for ttl, seq in seqs.items() if not kept(host, seq)] == [it for it in seqs if it in gone]
            await trio.sleep(20)


async def test_many_messages_that_end_one_after_another_hold_up_nothing(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.16: at whatever fractions of a second they were said."""
    async with gathering(memory) as gathered:
        host, (ann,) = await met(gathered, "ann", ttl=60)
        took = 0
        handle = host.session.room.handle_input

        def count(event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
            nonlocal took
            took += isinstance(event, inputs.EndBatchInput)
            assert took < 50 * limits.MAILBOX, "a deadline that comes again and again"
            return handle(event, now)

        monkeypatch.setattr(host.session.room, "handle_input", count)
        for number in range(500):
            await ann.say(f"{number}")
            await trio.sleep(0.05)
        seqs = [message.seq for message in ann.heard(events.MessageEvent)]
        said = [message.at for message in ann.heard(events.MessageEvent)]
        assert len(seqs) == 500
        assert said == sorted(said)
        await trio.sleep(60)
        assert expired(ann) == expired(host) == seqs
        assert not any(kept(host, seq) for seq in seqs)
        assert not ann.heard(events.LinkEvent, state="lost")
        downs = memory.wires[0].host.times
        assert max(later - earlier for earlier, later in pairwise(downs)) <= limits.HEARTBEAT + SOON


async def test_a_private_message_ends_in_its_time_for_the_two_of_them(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.15, 5.16"""
    async with gathering(memory) as gathered:
        host, (ann, bob, cho) = await met(gathered, "ann", "bob", "cho", ttl=30)
        await ann.session.post_input(inputs.WhisperInput("bob", "psst"))
        seen = [await person.hears(events.MessageEvent, text="psst", private=True) for person in (ann, bob)]
        assert seen[0].seq == seen[1].seq
        await trio.sleep(30 + SOON)
        assert [expired(person) for person in (ann, bob, host, cho)] == [[seen[0].seq], [seen[0].seq], [], []]
        assert kept(host, seen[0].seq) == []


async def test_one_who_is_out_is_told_that_all_that_ends_has_ended(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host, (ann,) = await met(gathered, "ann", ttl=30)
        seen = await all_hear("not for long", ann, host)
        await ann.session.post_input(inputs.LeaveInput())
        await ann.gone()
        assert expired(ann) == [seen[0].seq]
        assert expired(host) == []


# --- a machine that sleeps


class Sleep:
    """A machine whose sleep only one of its clocks counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._slept = 0.0
        self._clock = time.clock_gettime
        monkeypatch.setattr(time, "clock_gettime", self._read)

    def _read(self, which: int) -> float:
        return self._clock(time.CLOCK_MONOTONIC) + (self._slept if which == time.CLOCK_BOOTTIME else 0.0)

    def sleep(self, seconds: float) -> None:
        self._slept += seconds


async def test_what_ended_while_the_machine_slept_is_gone_soon_after_it_wakes(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.16"""
    machine = Sleep(monkeypatch)
    async with gathering(memory) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob", ttl=3_600)
        people = (host, ann, bob)
        seen = await all_hear("for an hour", *people)
        await trio.sleep(600)
        assert [expired(person) for person in people] == [[], [], []]
        machine.sleep(2_900)
        await trio.sleep(limits.SLEEP_NOTICE + SOON)
        assert [expired(person) for person in people] == [[], [], []]
        machine.sleep(200)
        woke = trio.current_time()
        for person in people:
            await person.hears(events.ExpiredEvent, seq=seen[0].seq)
        assert trio.current_time() <= woke + limits.SLEEP_NOTICE
        await trio.sleep(max(0.0, woke + limits.SLEEP_NOTICE + SOON - trio.current_time()))
        assert kept(host, seen[0].seq) == []
        await keep_reading(*people)
        assert not any(person.heard(events.AlarmEvent) for person in people)
        assert not any(person.heard(events.LinkEvent, state="lost") for person in people)


async def test_one_that_hears_nothing_at_all_notices_too_that_the_machine_has_slept(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.16: what wakes it is its own."""
    machine = Sleep(monkeypatch)
    async with gathering(memory) as gathered:
        host, _ = await met(gathered, ttl=3_600)
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        seen = await all_hear("for an hour", host, ann)
        memory.otherwise = HANG
        tor.vanish()
        tor.regain()
        await ann.until(lambda: len(ann.heard(events.LinkEvent, state="connecting")) == 4)
        dials = len(memory.dials)
        machine.sleep(3_600)
        woke = trio.current_time()
        await ann.hears(events.ExpiredEvent, seq=seen[0].seq)
        assert trio.current_time() <= woke + limits.SLEEP_NOTICE
        assert len(memory.dials) <= dials + 1, "no other try of the dial has told it"


async def test_a_clock_that_seems_to_have_slept_less_brings_nothing_back(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4.5: the room's time only grows."""
    machine = Sleep(monkeypatch)
    async with gathering(memory) as gathered:
        host, (ann,) = await met(gathered, "ann", ttl=30)
        machine.sleep(1_000)
        await trio.sleep(limits.HEARTBEAT)
        machine.sleep(-1_000)
        seen = await all_hear("for 30 s", ann, host)
        await trio.sleep(30 + SOON)
        assert [expired(person) for person in (host, ann)] == [[seen[0].seq]] * 2
        await keep_reading(ann, host)
        assert not ann.heard(events.AlarmEvent)


# --- one who was not there


async def test_one_who_comes_back_after_the_end_of_a_message_is_told_so_and_misses_nothing_else(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.13, 5.17"""
    async with gathering(memory) as gathered:
        host, (bob,) = await met(gathered, "bob")
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        await trio.sleep(100)
        tor.vanish()
        await host.say("kept before")
        await retain(bob, 10)
        await bob.say("not for long", "nor this")
        await host.say("kept after")
        await bob.hears(events.MessageEvent, text="kept after")
        await trio.sleep(limits.AWAY_SECONDS)
        tor.regain()
        await ann.hears(events.MessageEvent, text="kept after")
        await keep_reading(host, bob, ann)
        assert ann.texts == ["kept before", "kept after", "all here"]
        assert expired_unseen(ann) == [2]
        assert ann.heard(events.ExpiredEvent) == []
        assert not ann.heard(events.AlarmEvent)
        assert len(ann.heard(events.EnteredEvent)) == 1


async def test_one_who_comes_back_in_another_epoch_is_told_so_too(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.12, 5.13"""
    async with gathering(memory) as gathered:
        host, (bob, bad) = await met(gathered, "bob", "bad")
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        await trio.sleep(100)
        tor.vanish()
        await retain(bob, 10)
        await all_hear("not for long", bob, host)
        await host.session.post_input(inputs.KickInput("bad"))
        await bad.gone()
        await all_hear("nor this", bob, host)
        await host.say("kept")
        await trio.sleep(limits.AWAY_SECONDS)
        tor.regain()
        await ann.hears(events.MessageEvent, text="kept")
        await keep_reading(host, bob, ann)
        assert ann.texts == ["kept", "all here"]
        assert expired_unseen(ann) == [2]
        assert not ann.heard(events.AlarmEvent)


async def test_one_who_comes_back_before_its_end_sees_it_for_what_is_left_of_its_time(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.16: by the newest time that the host has said."""
    async with gathering(memory) as gathered:
        host, (bob,) = await met(gathered, "bob", ttl=60)
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        await trio.sleep(100)
        tor.vanish()
        seen = await all_hear("for a minute", bob, host)
        said = trio.current_time()
        await trio.sleep(limits.AWAY_SECONDS)
        tor.regain()
        await ann.hears(events.MessageEvent, text="for a minute")
        late = trio.current_time() - said
        assert limits.AWAY_SECONDS <= late <= limits.AWAY_SECONDS + limits.DIAL_PAUSE_MAX
        await ann.hears(events.ExpiredEvent, seq=seen[0].seq)
        assert trio.current_time() == pytest.approx(said + 60, abs=0.1)
        assert expired_unseen(ann) == []


async def test_a_reader_that_does_not_read_until_a_message_has_ended_is_cut_and_told_so_and_misses_nothing_else(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.17: what lies on its way is taken off it."""
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host, (slow, quick) = await met(gathered, "slow", "quick")
        await retain(quick, 5)
        await trio.sleep(100)
        await stop_reading(memory.wires[0])
        await all_hear("not yet read", host, quick)
        seen = await all_hear("stuck", quick, host)
        await all_hear("kept", host, quick)
        link = host.session.links.find_link(1)
        assert link is not None
        assert link.connection.has_data_to_send
        await trio.sleep(5 - SOON)
        assert host.session.links.find_link(1) is link
        await trio.sleep(2 * SOON)
        assert link.connection.reason == "lagged"
        assert not link.connection.has_data_to_send
        assert kept(host, seen[0].seq) == []
        memory.wires[0].cut()  # with what of it has left the host: that is nobody's to take back
        memory.wires[0].dialler.resume()
        await slow.hears(events.MessageEvent, text="kept")
        await keep_reading(host, slow, quick)
        assert slow.texts == ["not yet read", "kept", "all here"]
        assert expired_unseen(slow) == [1]
        assert len(slow.heard(events.EnteredEvent)) == 1
        for person in (host, quick):
            assert expired(person) == [seen[0].seq]
            assert not person.heard(events.LeftEvent)
            assert not person.heard(events.LinkEvent, state="lost")


async def test_a_head_that_is_due_when_something_ends_goes_out_all_the_same(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.4: however often something ends, nobody takes its link for dead."""
    monkeypatch.setattr(limits, "HEARTBEAT_JITTER", 0.0)
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.played("ann")
        await retain(host, int(limits.HEARTBEAT))
        await host.say("ends when the next head is due")
        await ann.hears()
        heads, done = len(ann.heads), []
        handle = host.session.room.handle_input

        def watch(event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
            effects_of_one = handle(event, now)
            done.append({type(effect) for effect in effects_of_one})
            return effects_of_one

        monkeypatch.setattr(host.session.room, "handle_input", watch)
        await trio.sleep(limits.HEARTBEAT + SOON)
        assert [kinds for kinds in done if {effects.SweepEffect, effects.HeartbeatEffect} <= kinds], "both at once"
        await ann.says(frames.TextBody("behind it", action=False))
        await ann.hears()
        assert len(ann.heads) == heads + 2


async def test_what_of_ours_had_its_place_and_ended_before_we_knew_is_no_riddle_to_us(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.13, 5.14: its author is shown it, as the receipt, and at once its end; it is not sent again."""
    async with gathering(memory) as gathered:
        host, (bob,) = await met(gathered, "bob", ttl=10)
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        await trio.sleep(100)
        await stop_reading(tor.wires[0])
        await ann.say("heard by others")
        seen = await host.hears(events.MessageEvent, text="heard by others")
        await trio.sleep(limits.LINK_LOST)
        tor.wires[0].cut()
        tor.wires[0].dialler.resume()
        await ann.until(lambda: not ann.session.outstanding)
        assert ann.texts == ["heard by others"]
        await ann.hears(events.ExpiredEvent, seq=seen.seq)
        assert expired_unseen(ann) == []
        await keep_reading(ann, host, bob)
        assert host.texts == bob.texts == ["heard by others", "all here"]
        assert not ann.heard(events.UnsentEvent)


# --- what is never kept


async def test_what_is_never_kept_is_shown_to_all_who_are_there_and_gone_once_they_have_had_it(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.17"""
    async with gathering(memory) as gathered:
        host, (ann, bob) = await met(gathered, "ann", "bob")
        await retain(ann, FLEETING)
        seen = await all_hear("once", ann, host, bob)
        assert {message.ttl for message in seen} == {FLEETING}
        await trio.sleep(limits.FLEETING_CHECK + SOON)
        assert kept(host, seen[0].seq) == []
        assert shares(host) == b""
        await trio.sleep(limits.FLEETING)
        await keep_reading(ann, host, bob)
        assert [person.heard(events.ExpiredEvent) for person in (host, ann, bob)] == [[], [], []]
        assert not any(person.heard(events.LinkEvent, state="lost") for person in (ann, bob))


async def test_one_who_comes_back_after_what_is_never_kept_is_told_that_it_has_expired(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.13"""
    async with gathering(memory) as gathered:
        host, (bob,) = await met(gathered, "bob")
        tor = Tor(memory)
        ann = await gathered.join("ann", network=tor.usable)
        await trio.sleep(100)
        tor.vanish()
        await ann.hears(events.LinkEvent, state="lost")
        await host.until(lambda: host.session.links.find_link(2) is None)
        await retain(bob, FLEETING)
        seen = await all_hear("once", bob, host)
        await trio.sleep(limits.FLEETING_CHECK + SOON)
        assert kept(host, seen[0].seq) == [], "it waits for nobody who is not there"
        tor.regain()
        await ann.hears(events.ExpiredUnseenEvent)
        await keep_reading(host, bob, ann)
        assert ann.texts == ["all here"]
        assert expired_unseen(ann) == [1]
        assert not ann.heard(events.AlarmEvent)


@pytest.mark.parametrize("reads", [True, False], ids=["reads in time", "never reads"])
async def test_what_is_never_kept_waits_for_a_slow_reader_for_its_time_and_no_longer(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    """5.17"""
    monkeypatch.setattr(limits, "LINK_LOST", 2 * limits.FLEETING)  # so that it does not end for its silence
    monkeypatch.setattr(
        limits, "HEARTBEAT_JITTER", 0.0
    )  # so that a head is due at the moment in which it stops reading
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host, (slow, quick) = await met(gathered, "slow", "quick")
        await retain(quick, FLEETING)
        await trio.sleep(100)
        await stop_reading(memory.wires[0])
        await all_hear("not yet read", host, quick)
        seen = await all_hear("once", quick, host)
        link = host.session.links.find_link(1)
        assert link is not None
        await trio.sleep(limits.FLEETING - 1)
        assert len(kept(host, seen[0].seq)) == 2
        if not reads:
            await trio.sleep(1 + SOON)
            assert kept(host, seen[0].seq) == []
            assert link.connection.reason == "lagged"
            memory.wires[0].cut()
        memory.wires[0].dialler.resume()
        await slow.until(lambda: "once" in slow.texts or bool(expired_unseen(slow)))
        await trio.sleep(limits.FLEETING_CHECK + SOON)
        assert kept(host, seen[0].seq) == []
        await keep_reading(host, slow, quick)
        assert slow.texts == ["not yet read", *(["once"] if reads else []), "all here"]
        assert expired_unseen(slow) == ([] if reads else [1])
        assert len(slow.heard(events.EnteredEvent)) == 1


# --- newcomers


async def test_newcomers_are_shown_of_the_history_what_has_not_ended(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.18: and of the rest that it was there."""
    async with gathering(memory) as gathered:
        host, (ann,) = await met(gathered, "ann", history=frames.HistoryPolicy(10, 0))
        await retain(ann, 30)
        await all_hear("kept", host, ann)
        seen = await all_hear("not for long", ann, host)
        await all_hear("kept too", host, ann)
        await trio.sleep(20)
        bob = await gathered.join("bob")
        await bob.hears(events.MessageEvent, text="kept too", history=True)
        assert bob.texts == ["kept", "not for long", "kept too"]
        await bob.hears(events.ExpiredEvent, seq=seen[0].seq)
        assert trio.current_time() == pytest.approx(30, abs=0.1)
        await trio.sleep(1)
        cho = await gathered.join("cho")
        await cho.hears(events.MessageEvent, text="kept too", history=True)
        await keep_reading(host, ann, bob, cho)
        assert cho.texts == ["kept", "kept too", "all here"]
        assert expired_unseen(cho) == [], "it was not there when it was said"
        assert not any(person.heard(events.AlarmEvent) for person in (ann, bob, cho))


# --- links that break


@pytest.mark.parametrize(
    ("seed", "lockstep", "epoch"),
    [
        pytest.param(0, False, limits.EPOCH, id="roomy"),
        pytest.param(1, True, limits.EPOCH, id="tight"),
        pytest.param(2, False, 0.7, id="many epochs"),
        pytest.param(3, True, 0.7, id="many epochs and tight"),
    ],
)
async def test_links_cut_again_and_again_lose_nothing_but_what_has_ended_and_that_is_told(
    memory: MemoryNetwork,
    autojump_clock: trio.testing.MockClock,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    lockstep: bool,
    epoch: float,
) -> None:
    """5.12 to 5.17"""
    monkeypatch.setattr(limits, "EPOCH", epoch)
    monkeypatch.setattr(limits, "COMMIT_SHARES", 2 * epoch)
    chance = random.Random(seed)
    memory.lockstep = lockstep
    nicks = ("ann", "bob", "cho")
    tors = [Tor(memory) for _ in nicks]
    async with gathering(memory) as gathered:
        host = await gathered.host()
        members = [await gathered.join(nick, network=tor.usable) for nick, tor in zip(nicks, tors, strict=True)]
        people = [host, *members]

        async def talk(person: Person, nick: str, ttls: list[int], pauses: list[float]) -> None:
            for number, (ttl, pause) in enumerate(zip(ttls, pauses, strict=True)):
                await person.session.post_input(inputs.RetainInput(ttl))
                await person.say(f"{nick} {number} {ttl}")
                await trio.sleep(pause)

        async def cut(tor: Tor, pauses: list[float], silences: list[float]) -> None:
            for pause, silence in zip(pauses, silences, strict=True):
                await trio.sleep(pause)
                tor.wires[-1].fall_silent()
                await trio.sleep(silence)
                tor.wires[-1].cut()

        async with trio.open_nursery() as nursery:
            for person, nick in zip(people, ("host", *nicks), strict=True):
                ttls = [chance.choice((KEPT, 1, 2, FLEETING)) for _ in range(30)]
                nursery.start_soon(talk, person, nick, ttls, [chance.choice((0, 0.01, 0.3, 1)) for _ in ttls])
            for tor in tors:
                pauses = [chance.random() for _ in range(8)]
                nursery.start_soon(cut, tor, pauses, [chance.random() * 3 for _ in pauses])
        await trio.sleep(limits.AWAY_SECONDS)
        await retain(host, KEPT)
        await keep_reading(*people)
        assert len(host.texts) == 4 * 30 + 1
        for person in people:
            assert not person.heard(events.AlarmEvent)
            assert not person.session.outstanding
            assert len(person.heard(events.EnteredEvent)) == 1
            seen = set(person.texts)
            assert len(seen) == len(person.texts)
            assert person.texts == [text for text in host.texts if text in seen], "in the order of all"
            missed = [text for text in host.texts if text not in seen]
            assert all(text.endswith((" 1", " 2", " 0")) for text in missed), "nothing that is kept"
            assert sum(expired_unseen(person)) == len(missed)
            ending = [message.seq for message in person.heard(events.MessageEvent) if message.ttl in (1, 2)]
            assert sorted(expired(person)) == sorted(ending)
        assert sum(len(person.texts) < len(host.texts) for person in members) > 1, "else nothing was tried"
        assert not any(
            kept(host, message.seq) for message in host.heard(events.MessageEvent) if message.ttl is not None
        )
