"""What a session does when a time has come: heads, ends of messages, a machine that sleeps. All in virtual time."""

import time
from itertools import pairwise

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.room import effects, events, inputs
from tests.support.people import Person, gathering, watch_inputs
from tests.support.transports import MemoryNetwork
from tests.support.world import log_of

SOON = 0.01


async def retain(person: Person, ttl: int) -> None:
    """Their messages are kept for so long from now on."""
    await person.session.post_input(inputs.RetainInput(ttl))
    await person.hears(events.ReplyEvent)


async def all_hear(text: str, *people: Person) -> int:
    """The first of them says this, and all are shown it; returns its place."""
    await people[0].say(text)
    [seq] = {(await person.hears(events.MessageEvent, text=text)).seq for person in people}
    return seq


def is_kept(host: Person, seq: int) -> bool:
    """Whether a host's log still holds anything of a message: its body or its batch's bytes."""
    batch = log_of(host.session.room).find_batch(seq)
    return bool(batch.entries[seq - batch.first].body or batch.wire)


def expired(person: Person) -> list[int]:
    """Of which messages they were told that they are gone."""
    return [event.seq for event in person.heard(events.ExpiredEvent)]


# --- in its time


async def test_an_idle_room_keeps_everybody_for_an_hour(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        people = [await gathered.host(), *[await gathered.join(nick) for nick in ("ann", "bob", "cho")]]
        await trio.testing.wait_all_tasks_blocked()
        told = [list(person.told) for person in people]
        await trio.sleep(3600)
        assert [person.told for person in people] == told
        assert len(memory.wires) == 3


async def test_many_messages_that_end_one_after_another_hold_up_nothing(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.16: at whatever fractions of a second they were said."""
    async with gathering(memory) as gathered:
        host, ann = await gathered.host(), await gathered.join("ann")
        await retain(ann, 60)
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
        assert len(seqs) == 500
        await trio.sleep(60)
        assert expired(ann) == expired(host) == seqs
        assert not any(is_kept(host, seq) for seq in seqs)
        assert not ann.heard(events.LinkEvent, state="lost")
        downs = memory.wires[0].host.times
        assert max(later - earlier for earlier, later in pairwise(downs)) <= limits.HEARTBEAT + SOON


async def test_a_head_that_is_due_when_something_ends_goes_out_all_the_same(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.4: however often something ends, nobody takes its link for dead."""
    monkeypatch.setattr(limits, "HEARTBEAT_JITTER", 0.0)
    async with gathering(memory) as gathered:
        host, ann = await gathered.host(), await gathered.join("ann")
        await retain(host, int(limits.HEARTBEAT))
        await all_hear("ends when the next head is due", host, ann)
        said = trio.current_time()
        seen = watch_inputs(host, monkeypatch)
        await trio.sleep(limits.HEARTBEAT + SOON)
        kinds = [set(map(type, done)) for _, done in seen]
        assert any({effects.SweepEffect, effects.HeartbeatEffect} <= of_one for of_one in kinds), "both at once"
        assert memory.wires[0].host.times[-1] == pytest.approx(said + limits.HEARTBEAT)


async def test_a_reader_that_does_not_read_until_a_message_has_ended_is_cut_and_misses_nothing_else(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.17: what lies on its way is taken off it."""
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host, slow, quick = await gathered.host(), await gathered.join("slow"), await gathered.join("quick")
        await retain(quick, 5)
        await trio.sleep(100)
        await trio.testing.wait_all_tasks_blocked()  # or a head that is due now would be the one write that it takes
        memory.wires[0].dialler.pause()
        await all_hear("not yet read", host, quick)
        seq = await all_hear("stuck", quick, host)
        await all_hear("kept", host, quick)
        link = host.session.links.find_link(2)  # 1 was its own
        assert link is not None
        assert link.connection.has_data_to_send
        await trio.sleep(5 - SOON)
        assert host.session.links.find_link(2) is link
        await trio.sleep(2 * SOON)
        assert link.connection.reason == "lagged"
        assert not link.connection.has_data_to_send
        assert not is_kept(host, seq)
        memory.wires[0].cut()  # with what of it has left the host: that is nobody's to take back
        memory.wires[0].dialler.resume()
        await slow.hears(events.MessageEvent, text="kept")
        await all_hear("all here", host, slow, quick)
        assert slow.texts == ["not yet read", "kept", "all here"]
        assert [event.count for event in slow.heard(events.ExpiredUnseenEvent)] == [1]
        for person in (host, quick):
            assert not person.heard(events.LeftEvent)
            assert not person.heard(events.LinkEvent, state="lost")


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
        people = [await gathered.host(), await gathered.join("ann"), await gathered.join("bob")]
        await retain(people[0], 3_600)
        seq = await all_hear("for an hour", *people)
        await trio.sleep(600)
        machine.sleep(2_900)
        await trio.sleep(limits.SLEEP_NOTICE + SOON)
        assert [expired(person) for person in people] == [[], [], []]
        machine.sleep(200)
        await trio.sleep(limits.SLEEP_NOTICE + SOON)
        assert [expired(person) for person in people] == [[seq]] * 3
        assert not is_kept(people[0], seq)
        await all_hear("all here", *people)
        assert not any(person.heard(events.LinkEvent, state="lost") for person in people)


async def test_a_clock_that_seems_to_have_slept_less_brings_nothing_back(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4.5: the room's time only grows."""
    machine = Sleep(monkeypatch)
    async with gathering(memory) as gathered:
        host, ann = await gathered.host(), await gathered.join("ann")
        await retain(ann, 30)
        machine.sleep(1_000)
        await trio.sleep(limits.HEARTBEAT)
        machine.sleep(-1_000)
        seq = await all_hear("for 30 s", ann, host)
        await trio.sleep(30 + SOON)
        assert [expired(person) for person in (host, ann)] == [[seq]] * 2
        await all_hear("all here", ann, host)
        assert not ann.heard(events.AlarmEvent)
