"""A session: its mailbox, what it does for its room, dials, and the network that it waits for."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.errors import TorMissing, Unreachable
from anonp2p.names.codes import RoomKey
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor.errors import SocksPortLost
from anonp2p.net.transport import DialFault, Transport
from anonp2p.protocol.handshake import HandshakeKey
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import events, inputs
from anonp2p.room.hosting_events import ReachableEvent, UndefendedEvent
from anonp2p.room.room import Room
from tests.room.peers import randomness
from tests.support.people import Gathering, Person, always, gathering, watch_inputs
from tests.support.transports import CONNECT, HANG, MemoryNetwork, Network

# --- conversations, over every network


async def all_joined(gathered: Gathering, *nicks: str) -> list[Person]:
    """A host and members, all of whom know of all."""
    people = [await gathered.host(), *map(gathered.invite, nicks)]
    for person in people:
        await person.until(lambda person=person: len(person.nicks) == len(people))  # type: ignore[misc]
    return people


async def test_all_see_the_same_messages_in_the_same_order(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        people = await all_joined(gathered, "ann", "bob", "cho", "dan", "eve")
        async with trio.open_nursery() as nursery:
            for number, person in enumerate(people):
                nursery.start_soon(person.say, *(f"{number}.{line}" for line in range(10)))
        for person in people:
            await person.until(lambda person=person: len(person.texts) == 60)  # type: ignore[misc]
        assert all(person.story == people[0].story for person in people)
        for number in range(len(people)):
            own = [text for text in people[0].texts if text.startswith(f"{number}.")]
            assert own == [f"{number}.{line}" for line in range(10)]
        for person in people[1:]:
            assert [link.state for link in person.heard(events.LinkEvent)] == ["connecting", "up"]


async def test_a_room_ends_with_its_host_and_its_last_words_reach_all(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, *members = await all_joined(gathered, "ann", "bob", "cho")
        last = [f"last words {number}" for number in range(100)]
        await host.say(*last)
        await host.session.post_input(inputs.LeaveInput())
        assert (await host.gone()).reason == "left"
        for person in members:
            assert (await person.gone()).reason == "closed"
            assert person.texts == last
            assert not person.heard(events.LinkEvent, state="lost")


async def test_one_who_is_refused_hears_why_before_its_link_is_closed(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, ann = await all_joined(gathered, "ann")
        told = list(host.told), list(ann.told)
        other = gathered.invite("ANN")
        assert (await other.gone()).reason == "refused"
        assert [error.code for error in other.heard(events.ErrorEvent)] == ["nick-taken"]
        assert (host.told, ann.told) == told


async def test_a_stranger_who_breaks_the_rules_is_dropped_at_once_and_nobody_notices(
    network: Network, clock: object
) -> None:
    async with gathering(network) as gathered:
        host, ann = await all_joined(gathered, "ann")
        stranger = await network.dial(gathered.key.code, "stranger:1")
        await stranger.send_all(bytes.fromhex("0d1e").ljust(limits.CLIENT_HANDSHAKE, b"\0"))  # which opens as nothing
        told = list(host.told), list(ann.told)
        with trio.fail_after(limits.LINGER_PATIENCE - 1):
            while await stranger.receive_some(limits.READ):
                pass
        await stranger.aclose()
        assert (host.told, ann.told) == told
        await ann.say("undisturbed")
        await host.hears(events.MessageEvent)


async def test_with_cover_what_is_said_and_heard_goes_in_slots_and_answers_and_one_may_leave_at_any_time(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.9, 2.10"""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = gathered.invite("ann", cover=True)
        await ann.hears(events.EnteredEvent)
        wire = memory.wires[0]
        await trio.sleep(10 * limits.COVER_INTERVAL)
        ups, downs, start = len(wire.dialler.sent), len(wire.host.sent), trio.current_time()
        await ann.say("hello")
        await host.hears(events.MessageEvent, text="hello")
        await host.say("hello, ann")
        await ann.hears(events.MessageEvent, text="hello, ann")
        assert trio.current_time() - start <= 3 * (1.5 * limits.COVER_INTERVAL + limits.COVER_ANSWER)
        await trio.sleep(30 * limits.COVER_INTERVAL)
        slots, answers = wire.dialler.times[ups:], wire.host.times[downs:]
        assert {len(data) for data in wire.dialler.sent[ups:] + wire.host.sent[downs:]} == {limits.UNIT}
        assert len(slots) - len(answers) in (-1, 0, 1)
        assert all(gap >= 0.5 * limits.COVER_INTERVAL for gap in (b - a for a, b in pairwise(slots)))
        left_at = trio.current_time()
        await ann.session.post_input(inputs.LeaveInput())
        assert (await ann.gone()).reason == "left"
        assert trio.current_time() == left_at
        await host.hears(events.LeftEvent, nick="ann")


# --- the mailbox


async def test_what_is_typed_at_once_goes_up_in_one_record_and_down_in_one_batch(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.7, 4.5"""
    async with gathering(memory) as gathered:
        await gathered.host()
        ann, bob = await gathered.join("ann"), await gathered.join("bob")
        await trio.testing.wait_all_tasks_blocked()
        ends = [memory.wires[0].dialler, memory.wires[0].host, memory.wires[1].host]
        before = [len(end.sent) for end in ends]
        await ann.say("one", "two", "three")
        await bob.hears(events.MessageEvent, text="three")
        await trio.testing.wait_all_tasks_blocked()
        sent = [list(map(len, end.sent[count:])) for end, count in zip(ends, before, strict=True)]
        assert sent == [[2 * limits.UNIT]] * 3


async def test_all_that_may_be_typed_before_being_let_in_is_sent_afterwards_and_counted_until_then(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        early = gathered.invite("early")
        texts = [str(number) for number in range(limits.PENDING)]
        await early.say(*texts)
        assert early.session.outstanding == limits.PENDING
        await gathered.host()
        with trio.fail_after(memory.patience):
            await early.session.until_settled()
        assert early.texts == texts
        assert early.session.outstanding == 0


async def test_until_returns_when_the_room_is_over_whatever_was_awaited(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, ann = await all_joined(gathered, "ann")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.session.until, lambda: False)
            await host.session.post_input(inputs.LeaveInput())
            nursery.cancel_scope.deadline = trio.current_time() + network.patience
        assert not nursery.cancel_scope.cancelled_caught
        assert (await ann.gone()).reason == "closed"
        assert not await ann.session.post_input(inputs.SayInput("too late"))
        assert ann.session.outstanding == 0


async def test_what_a_room_has_not_taken_yet_is_bounded(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        seen = watch_inputs(host, monkeypatch)
        waiting = 0
        for _ in range(3 * limits.MAILBOX):
            await host.session.post_input(inputs.TickInput())
            waiting += not seen
        assert waiting == limits.MAILBOX


async def test_a_batch_is_one_for_several_mailboxes_filled_as_fast_as_they_are_emptied_and_bounded(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.6: so that a head covers entries before members hold too many."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        seen = watch_inputs(host, monkeypatch)
        async with trio.open_nursery() as nursery:
            for number in range(3 * limits.BATCH_UNITS):
                nursery.start_soon(host.session.post_input, inputs.SayInput(str(number)))
        await host.until(lambda: len(host.texts) == 3 * limits.BATCH_UNITS)
        lengths = [0]
        for what, _ in seen:
            if isinstance(what, inputs.EndBatchInput):
                lengths.append(0)
            else:
                lengths[-1] += 1
        assert limits.BATCH_UNITS <= max(lengths) < limits.BATCH_UNITS + limits.MAILBOX


async def test_others_have_their_turn_while_much_is_said(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        seen = watch_inputs(host, monkeypatch)
        async with trio.open_nursery() as nursery:
            for number in range(3 * limits.MAILBOX):
                nursery.start_soon(host.session.post_input, inputs.SayInput(str(number)))
            turns = [0]
            for _ in range(3 * limits.MAILBOX):  # the session handles at least one in each turn
                await trio.lowlevel.checkpoint()
                turns.append(sum(isinstance(what, inputs.SayInput) for what, _ in seen))
        assert turns[-1] == 3 * limits.MAILBOX
        # Twice as many where it is the session's turn first the second time.
        assert max(later - sooner for sooner, later in pairwise(turns)) <= 2 * limits.TURN_UNITS < limits.MAILBOX


async def test_whoever_waits_to_tell_a_room_something_is_told_that_it_has_ended(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        session = (await gathered.host()).session
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.post_input, inputs.LeaveInput(now=True))
                for _ in range(4 * limits.MAILBOX):
                    nursery.start_soon(session.post_input, inputs.TickInput())
            while await session.post_input(inputs.TickInput()):
                pass  # what was posted last may not be handled yet; a full mailbox makes us wait


# --- readers that are slow or do not read at all


async def test_a_member_may_type_ahead_while_its_link_is_slow(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.lockstep = True
    async with gathering(memory) as gathered:
        await gathered.host()
        ann = await gathered.join("ann")
        memory.wires[0].host.pause()
        texts = [str(number).ljust(limits.TEXT, "x") for number in range(limits.PENDING)]
        await ann.say(*texts)
        await trio.testing.wait_all_tasks_blocked()
        memory.wires[0].host.resume()
        await ann.until(lambda: ann.texts == texts or bool(ann.heard(events.GoneEvent)))
        assert ann.texts == texts
        assert not ann.heard(events.LinkEvent, state="lost"), "it does not come back by a new link either"


async def test_a_slow_reader_holds_up_nobody_and_misses_nothing(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host = await gathered.host()
        slow, quick = await gathered.join("slow"), await gathered.join("quick")
        memory.wires[0].dialler.pause()
        before = trio.current_time()
        texts = [str(number) for number in range(500)]
        await host.say(*texts)
        await quick.until(lambda: quick.texts == texts)
        assert len(slow.texts) < len(texts)
        memory.wires[0].dialler.resume()
        await slow.until(lambda: slow.texts == texts)
        assert trio.current_time() == before


async def test_a_reader_too_slow_for_the_log_is_cut_and_nobody_else_and_comes_back(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 20)
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host = await gathered.host()
        slow, quick = await gathered.join("slow"), await gathered.join("quick")
        memory.wires[0].dialler.pause()
        texts = [str(number) for number in range(100)]
        for text in texts:
            await host.say(text)
            await quick.hears(events.MessageEvent, text=text)
        memory.wires[0].dialler.resume()
        assert (await slow.hears(events.EntriesMissedEvent)).count > 0
        assert slow.heard(events.LinkEvent, state="lost")
        await slow.say("back")
        await quick.hears(events.MessageEvent, text="back")
        assert quick.texts == [*texts, "back"]
        for person in (host, quick):
            assert not person.heard(events.LeftEvent)
            assert not person.heard(events.LinkEvent, state="lost")


async def test_a_host_that_ends_does_not_wait_long_for_a_silent_member(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        await gathered.join("ann")
        bob = await gathered.join("bob")
        memory.wires[0].fall_silent()
        before = trio.current_time()
        await host.session.post_input(inputs.LeaveInput())
        assert (await host.gone()).reason == "left"
        assert trio.current_time() - before == pytest.approx(limits.FLUSH_PATIENCE)
        assert (await bob.gone()).reason == "closed"


async def test_a_host_that_ends_takes_no_new_link_while_it_says_its_last_words(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        await gathered.join("ann")
        memory.wires[0].fall_silent()
        await host.session.post_input(inputs.LeaveInput())
        await trio.sleep(limits.FLUSH_PATIENCE / 2)
        assert not host.session.ended.is_set()
        with pytest.raises(DialFault) as caught:
            await memory.dial(host.session.room.code, "stranger:1")
        assert caught.value.absent
        await host.gone()


# --- dialling


async def test_a_room_without_a_trace_is_dialled_again_for_its_time_and_then_given_up(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        ann = gathered.invite("ann")
        assert (await ann.gone()).reason == "lost"
        assert 0 <= trio.current_time() - limits.ABSENT_PATIENCE <= limits.DIAL_PAUSE_MAX
        links = ann.heard(events.LinkEvent, state="connecting")
        assert [link.attempt for link in links] == list(range(1, len(memory.dials) + 1))
        assert [link.detail for link in links] == [NO_REASON, *[Reason("broken-circuit")] * (len(links) - 1)]


async def test_a_fault_that_no_other_try_mends_is_the_last(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        memory.plan.append(DialFault(Reason("key-missing"), again=False))
        ann = gathered.invite("ann")
        assert (await ann.gone()).reason == "lost"
        assert (trio.current_time(), len(memory.dials)) == (0, 1)
        assert ann.session.room.failure == Unreachable(Reason("key-missing"))


async def test_a_room_takes_its_key_back_from_tor_when_it_is_over(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.plan.append(DialFault(Reason("key-wrong"), again=False))
    room = Room(label="r1", key=bytes(32), random=secrets.token_bytes, nick="ann", invitation=b"K" * 32)
    await Session(room, lambda _: None, SharedNetwork(always(memory))).run()
    assert memory.forgotten == [memory.dials[0].isolation.partition(":")[0]]


async def test_a_slow_dial_is_given_up_for_one_on_another_circuit(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        memory.plan.extend([HANG, HANG, CONNECT])
        ann = await gathered.join("ann")
        first, second, third = memory.dials
        assert 0.5 <= (second.at - first.at - limits.DIAL_TRIES[0]) / limits.DIAL_PAUSE <= 1
        assert 0.5 <= (third.at - second.at - limits.DIAL_TRIES[1]) / (limits.DIAL_PAUSE * 1.5) <= 1
        assert len({first.isolation, second.isolation, third.isolation}) == 3
        assert {dial.code for dial in memory.dials} == {gathered.key.code}
        details = [link.detail for link in ann.heard(events.LinkEvent, state="connecting")]
        assert details == [NO_REASON, Reason("dial-timeout", 15.0), Reason("dial-timeout", 25.0)]


async def test_a_host_that_says_nothing_is_given_up_and_dialled_again(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered, memory.listen(gathered.key) as place:
        ann = gathered.invite("ann")
        for _ in range(2):
            await place.listener.accept()
        assert limits.DIAL_PAUSE / 2 <= trio.current_time() - limits.HANDSHAKE_SECONDS <= limits.DIAL_PAUSE
        assert ann.heard(events.LinkEvent)[-1].detail == Reason("slow-handshake")


async def test_a_host_that_does_not_answer_a_request_is_asked_again_soon_and_then_waited_for(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """The circuit may hang; but strangers wait where there is a flood of them."""
    async with gathering(memory) as gathered, memory.listen(gathered.key) as place:
        gathered.invite("ann")
        times = []
        for _ in range(3):
            stream = await place.listener.accept()
            await stream.send_all(HandshakeKey(randomness(b"h")).begin_handshake(gathered.key.public, 0.0).wire)
            times.append(trio.current_time())
    soon, late = (after - before for before, after in pairwise(times))
    assert limits.DIAL_PAUSE / 2 <= soon - limits.ANSWER_SECONDS <= limits.DIAL_PAUSE
    assert limits.DIAL_PAUSE / 2 <= late - limits.HANDSHAKE_SECONDS <= limits.DIAL_PAUSE * 1.5


async def test_two_joiners_share_no_circuit(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        await gathered.join("ann")
        await gathered.join("bob")
        ann, bob = memory.dials
        assert ann.isolation.partition(":")[0] != bob.isolation.partition(":")[0]


async def test_leaving_while_dialling_ends_the_dial(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.otherwise = HANG
    async with gathering(memory) as gathered:
        ann = gathered.invite("ann")
        await trio.sleep(1)
        await ann.session.post_input(inputs.LeaveInput())
        assert (await ann.gone()).reason == "left"
        assert trio.current_time() == 1


# --- the network itself


async def test_what_the_network_cannot_defend_against_is_told_to_the_host(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.undefended = ["streams"]
    async with gathering(memory) as gathered:
        host = await gathered.host()
        assert (await host.hears(UndefendedEvent)).defences == ["streams"]


async def test_a_tor_lost_while_dialling_is_waited_out(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        memory.plan.append(SocksPortLost("127.0.0.1:9050"))
        ann = await gathered.join("ann")
        details = [link.detail for link in ann.heard(events.LinkEvent, state="connecting")]
        assert details == [NO_REASON, Reason("tor-lost", SocksPortLost("127.0.0.1:9050"))]
        assert not ann.heard(events.ErrorEvent)


class NoNetwork:
    """A network on which no room can be made reachable."""

    def __init__(self) -> None:
        self.lost = trio.Event()

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[None]:
        await trio.lowlevel.checkpoint()
        raise TorMissing("it is not here")
        yield

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise TorMissing("it is not here")

    async def forget_keys(self, user: str) -> None:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("name", ["demo", None], ids=["host", "member"])
async def test_a_room_without_a_network_is_gone_for_that_reason(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, name: str | None
) -> None:
    nowhere: Transport = NoNetwork()  # type: ignore[assignment]
    async with gathering(memory) as gathered:
        person = gathered.invite("ann", name=name, network=always(nowhere))
        assert (await person.gone()).reason == "tor"
        assert not person.heard(ReachableEvent)
        assert [error.code for error in person.heard(events.ErrorEvent)] == ["tor-missing"]


async def test_a_batch_ends_after_so_many_inputs_that_are_no_entries_too(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with gathering(memory) as gathered:
        session = (await gathered.host()).session
        batches = [0]
        handle = session.room.handle_input

        def counted(what: inputs.Input, now: inputs.Now) -> object:
            batches.append(0) if isinstance(what, inputs.EndBatchInput) else batches.append(batches.pop() + 1)
            return handle(what, now)

        monkeypatch.setattr(session.room, "handle_input", counted)
        async with trio.open_nursery() as nursery:
            for _ in range(3 * limits.BATCH_UNITS):
                nursery.start_soon(session.post_input, inputs.TickInput())
        assert limits.BATCH_UNITS <= max(batches) < limits.BATCH_UNITS + limits.MAILBOX
