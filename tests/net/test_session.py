"""Whole rooms: people, strangers and false hosts over networks that can be made to fail."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
import trio
import trio.testing
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import identity, padding, suite
from anonp2p.errors import Full, TorLost, TorMissing, Unreachable
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor.errors import SocksPortLost
from anonp2p.net.transport import DialFault, Transport
from anonp2p.protocol import frames
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import effects, events, inputs
from tests.room.peers import Placed, said
from tests.support.people import FalseHost, Gathering, Person, Stranger, always, gathering
from tests.support.transports import CONNECT, HANG, MemoryNetwork, Network

NICKS = ("ann", "bob", "cho", "dan", "eve")


async def all_joined(gathered: Gathering) -> tuple[Person, list[Person]]:
    """A host and five members, all of whom know of all."""
    host = await gathered.host()
    members = [gathered.invite(nick) for nick in NICKS]
    for person in (host, *members):
        await person.until(lambda person=person: len(person.nicks) == 1 + len(NICKS))  # type: ignore[misc]
    return host, members


async def chat(host: Person, *members: Person) -> None:
    """Each says something that all hear."""
    people = (host, *members)
    word = f"{len(host.told)}"
    async with trio.open_nursery() as nursery:
        for person in people:
            nursery.start_soon(person.say, word)
    for person in people:
        await person.until(lambda person=person: person.texts.count(word) == len(people))  # type: ignore[misc]


# --- conversations, over every network


async def test_a_creator_is_told_the_code_and_then_that_others_can_join(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host("ann", name="den")
        entered, reachable = host.told
        assert isinstance(entered, events.EnteredEvent)
        assert isinstance(reachable, events.ReachableEvent)
        assert (entered.code, entered.name, entered.nick, entered.role) == (gathered.key.code, "den", "ann", "host")
        assert [(person.nick, person.role) for person in entered.members] == [("ann", "host")]


async def test_five_join_and_know_of_one_another(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, members = await all_joined(gathered)
        for person in (host, *members):
            assert sorted(person.nicks) == sorted(("host", *NICKS))
        for person, nick in zip(members, NICKS, strict=True):
            entered = await person.hears(events.EnteredEvent)
            assert (entered.nick, entered.role, entered.name) == (nick, "member", "demo")
            assert [link.state for link in person.heard(events.LinkEvent)] == ["connecting", "up"]


async def test_all_see_the_same_messages_in_the_same_order(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, members = await all_joined(gathered)
        people = (host, *members)
        async with trio.open_nursery() as nursery:
            for number, person in enumerate(people):
                nursery.start_soon(person.say, *(f"{number}.{line}" for line in range(10)))
        for person in people:
            await person.until(lambda person=person: len(person.texts) == 60)  # type: ignore[misc]
        stories = [[part for part in person.story if part[0] == "message"] for person in people]
        assert all(story == stories[0] for story in stories)
        for number in range(len(people)):
            own = [text for text in host.texts if text.startswith(f"{number}.")]
            assert own == [f"{number}.{line}" for line in range(10)]
        seqs = [part[1] for part in stories[0]]
        assert seqs == sorted(set(seqs))


async def test_an_author_gets_a_receipt_and_the_others_the_message(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann, bob = await gathered.join("ann"), await gathered.join("bob")
        await ann.session.post_input(inputs.SayInput("waves", action=True, re=7))
        mine = await ann.hears(events.MessageEvent)
        assert (mine.mine, mine.re, mine.text, mine.action) == (True, 7, "waves", True)
        for other in (host, bob):
            seen = await other.hears(events.MessageEvent)
            assert (seen.mine, seen.re, seen.nick, seen.seq) == (False, UNSET, "ann", mine.seq)


async def test_a_new_nick_is_seen_by_all(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, members = await all_joined(gathered)
        await members[0].session.post_input(inputs.RenameInput("zoe"))
        for person in (host, *members):
            renamed = await person.hears(events.RenamedEvent)
            assert (renamed.was, renamed.nick) == ("ann", "zoe")
        await members[0].say("hi")
        assert (await members[1].hears(events.MessageEvent)).nick == "zoe"


async def test_of_two_who_want_one_nick_the_first_gets_it_and_only_the_other_hears_why(
    network: Network, clock: object
) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann, bob = await gathered.join("ann"), await gathered.join("bob")
        await bob.session.post_input(inputs.RenameInput("Ann", re=3))
        assert (await bob.hears(events.ErrorEvent)).re == 3
        await bob.say("still bob")
        await ann.hears(events.MessageEvent, nick="bob")
        assert not [event for person in (host, ann, bob) for event in person.heard(events.RenamedEvent)]
        assert not [event for person in (host, ann) for event in person.heard(events.ErrorEvent)]


async def test_a_leave_is_confirmed_and_seen_by_all(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host, members = await all_joined(gathered)
        await members[0].session.post_input(inputs.SayInput("bye"))
        await members[0].session.post_input(inputs.LeaveInput(re=9))
        gone = await members[0].gone()
        assert (gone.reason, gone.re) == ("left", 9)
        assert members[0].texts == ["bye"]
        for person in (host, *members[1:]):
            assert (await person.hears(events.LeftEvent)).reason == "left"
            assert person.texts == ["bye"]
        await chat(host, *members[1:])


async def test_one_who_left_may_come_again_under_the_same_nick(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        await ann.session.post_input(inputs.LeaveInput())
        await ann.gone()
        again = await gathered.join("ann")
        await chat(host, again)


@pytest.mark.parametrize("step", [inputs.LeaveInput(), inputs.LeaveInput(close=True)], ids=["leave", "close"])
async def test_a_room_ends_with_its_host_and_its_last_words_reach_all(
    network: Network, clock: object, step: inputs.LeaveInput
) -> None:
    async with gathering(network) as gathered:
        host, members = await all_joined(gathered)
        last = [f"last words {number}" for number in range(100)]
        await host.say(*last)
        await host.session.post_input(step)
        assert (await host.gone()).reason == "left"
        for person in members:
            assert (await person.gone()).reason == "closed"
            assert person.texts == last
            assert not person.heard(events.LinkEvent, state="lost")


async def test_what_is_typed_before_being_let_in_is_sent_afterwards(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        early = gathered.invite("early")
        await early.say("one", "two")
        assert early.session.outstanding == 2
        host = await gathered.host()
        await host.until(lambda: host.texts == ["one", "two"])
        await early.until(lambda: early.texts == ["one", "two"])
        assert early.session.outstanding == 0


async def test_all_that_may_be_typed_before_being_let_in_is_sent_afterwards(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        early = gathered.invite("early")
        texts = [str(number) for number in range(limits.PENDING)]
        await early.say(*texts)
        await gathered.host()
        await early.until(lambda: early.texts == texts or bool(early.heard(events.GoneEvent)))
        assert early.texts == texts


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


async def test_a_member_knows_when_all_it_typed_has_its_place(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        await gathered.host()
        ann = await gathered.join("ann")
        await ann.say(*map(str, range(20)))
        assert ann.session.outstanding > 0
        with trio.fail_after(network.patience):
            await ann.session.until(lambda: not ann.session.outstanding)
        assert ann.texts == [str(number) for number in range(20)]


async def test_until_returns_when_the_room_is_over_whatever_was_awaited(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
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
        session = (await gathered.host()).session
        posted = 0
        taken_after: list[int] = []
        handle = session.room.handle_input

        def noted(step: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
            taken_after.append(posted)
            return handle(step, now)

        monkeypatch.setattr(session.room, "handle_input", noted)
        for _ in range(3 * limits.MAILBOX):
            await session.post_input(inputs.TickInput())
            posted += 1
        assert taken_after[0] == limits.MAILBOX


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
        assert not await session.post_input(inputs.TickInput())


async def test_a_nick_that_is_taken_is_refused_and_nobody_inside_notices(network: Network, clock: object) -> None:
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        other = gathered.invite("ANN")
        await other.say("never sent")
        assert (await other.gone()).reason == "refused"
        assert [error.code for error in other.heard(events.ErrorEvent)] == ["nick-taken"]
        assert [unsent.text for unsent in other.heard(events.UnsentEvent)] == ["never sent"]
        assert not other.heard(events.EnteredEvent)
        await chat(host, ann)
        assert host.nicks == ["host", "ann"]


async def test_what_the_network_cannot_defend_against_is_told_to_the_host(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.undefended = ["streams"]
    async with gathering(memory) as gathered:
        host = await gathered.host()
        assert (await host.hears(events.UndefendedEvent)).defences == ["streams"]


# --- links that die


async def test_a_killed_link_is_had_again_and_nobody_else_notices(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann, bob = await gathered.join("ann"), await gathered.join("bob")
        await ann.session.post_input(inputs.AskInput("/who"))
        await ann.hears(events.ReplyEvent)
        told = len(ann.told)
        memory.wires[0].fall_silent()
        await ann.say("on its way")
        await trio.testing.wait_all_tasks_blocked()
        memory.wires[0].cut()
        for person in (host, ann, bob):
            await person.hears(events.MessageEvent, text="on its way")
        kinds = [(type(event), getattr(event, "state", "")) for event in ann.told[told:]]
        assert kinds == [
            (events.LinkEvent, "lost"),
            (events.LinkEvent, "connecting"),
            (events.LinkEvent, "up"),
            (events.MessageEvent, ""),
        ]
        await chat(host, ann, bob)
        for person in (host, ann, bob):
            assert person.texts.count("on its way") == 1
            assert not person.heard(events.LeftEvent)
            assert len(person.heard(events.EnteredEvent)) == 1


async def test_a_member_that_hangs_up_without_a_word_is_away_after_its_time(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        bob = await gathered.played("bob")
        await trio.sleep(7)
        await bob.heartbeat()
        await bob.close()
        for person in (host, ann):
            assert (await person.hears(events.LeftEvent)).reason == "lost"
            assert trio.current_time() == pytest.approx(7 + limits.AWAY_SECONDS)
            assert person.nicks == ["host", "ann"]


async def test_a_silent_link_is_noticed_by_both_sides_in_time(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        await trio.sleep(100)
        memory.wires[0].fall_silent()
        memory.otherwise = HANG
        lost = await ann.hears(events.LinkEvent, state="lost")
        assert lost.detail == Reason("silent")
        assert limits.LINK_LOST - limits.HEARTBEAT <= trio.current_time() - 100 <= limits.LINK_LOST
        assert (await host.hears(events.LeftEvent)).reason == "lost"
        assert limits.AWAY_SECONDS - limits.HEARTBEAT <= trio.current_time() - 100 <= limits.AWAY_SECONDS


async def test_a_silent_link_harms_no_other(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        first, *members = [await gathered.join(nick) for nick in NICKS]
        await trio.sleep(100)
        memory.wires[0].fall_silent()
        await first.hears(events.LinkEvent, state="lost")
        await chat(host, *members)
        for person in (host, *members):
            assert not person.heard(events.LinkEvent, state="lost")
        await chat(host, first, *members)


async def test_a_quiet_room_stays_up(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        members = [await gathered.join(nick) for nick in NICKS]
        await trio.sleep(600)
        for person in (host, *members):
            assert len(person.nicks) == 1 + len(NICKS)
            assert not person.heard(events.LeftEvent)
            assert not person.heard(events.LinkEvent, state="lost")


async def test_links_outlive_the_deadline_of_their_handshake(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        while trio.current_time() < limits.HANDSHAKE_SECONDS * 2:
            await trio.sleep(1)
            await chat(host, ann)


async def test_a_leave_that_the_host_does_not_confirm_takes_its_time_and_no_more(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        ann = await gathered.join("ann")
        memory.wires[0].fall_silent()
        before = trio.current_time()
        await ann.say("unheard")
        await ann.session.post_input(inputs.LeaveInput())
        assert (await ann.gone()).reason == "left"
        assert trio.current_time() - before == pytest.approx(limits.LEAVE_PATIENCE)
        assert [unsent.text for unsent in ann.heard(events.UnsentEvent)] == ["unheard"]


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


async def test_a_slow_reader_harms_nobody_and_misses_nothing(
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
        assert trio.current_time() == before
        assert len(slow.texts) < len(texts)
        memory.wires[0].dialler.resume()
        await slow.until(lambda: slow.texts == texts)
        assert trio.current_time() == before


async def test_a_reader_too_slow_for_the_log_is_cut_and_told_what_it_missed_and_nobody_else(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 100)
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host = await gathered.host()
        slow, quick = await gathered.join("slow"), await gathered.join("quick")
        memory.wires[0].dialler.pause()
        texts = [str(number) for number in range(500)]
        for text in texts:
            await host.say(text)
            await quick.hears(events.MessageEvent, text=text)
        memory.wires[0].dialler.resume()
        assert (await slow.hears(events.EntriesMissedEvent)).count > 0
        assert len(slow.heard(events.EnteredEvent)) == 2
        assert slow.heard(events.LinkEvent, state="lost")
        assert sorted(slow.nicks) == ["host", "quick", "slow"]
        await chat(host, slow, quick)
        assert quick.texts[: len(texts)] == texts
        for person in (host, quick):
            assert not person.heard(events.LeftEvent)
            assert not person.heard(events.LinkEvent, state="lost")


async def test_a_member_who_asks_for_denials_without_reading_them_is_cut_and_nobody_else(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.lockstep = True
    async with gathering(memory) as gathered:
        host = await gathered.host()
        good = await gathered.join("good")
        bad = await gathered.played("bad")
        entry = bad.entry(bad.me, frames.TextBody("again", action=False))
        before = trio.current_time()
        with suppress(trio.BrokenResourceError):  # at the latest when it has asked for too many
            for _ in range(limits.LINK_QUEUE // 40):
                await bad.send(bad.submit(*[entry] * limits.FRAMES))
        assert trio.current_time() == before
        assert (await good.hears(events.LeftEvent)).nick == "bad"
        assert trio.current_time() == pytest.approx(before + limits.AWAY_SECONDS)
        assert good.texts == ["again"]
        await chat(host, good)


async def test_however_fast_entries_come_a_head_covers_them_before_members_hold_too_many(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.6: a batch is no longer than a mailbox, though it is filled again as fast as it is emptied."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        bob = await gathered.played("bob")
        before = bob.ledger.index
        count = 4 * limits.MAILBOX
        async with trio.open_nursery() as nursery:
            for number in range(count):
                nursery.start_soon(host.session.post_input, inputs.SayInput(str(number)))
        await host.session.post_input(inputs.SayInput("last"))
        for _ in range(count + 1):
            await bob.hears()
        covered = [head.place for head in bob.heads]
        assert covered[-1] >= before + count
        assert all(later - head <= limits.MAILBOX for head, later in pairwise([before, *covered]))
        assert max(bob.batches) > limits.MAILBOX / 2, "and hardly shorter either"


async def test_a_member_that_talks_sends_no_heartbeats(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        ann = await gathered.join("ann")
        await trio.testing.wait_all_tasks_blocked()
        sent = memory.wires[0].dialler.sent
        before = len(sent)
        for _ in range(20):
            await ann.say("still here")
            await trio.sleep(limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER) * 0.9)
        assert len(sent) == before + 20


async def test_a_member_that_is_out_sends_no_heartbeats(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        await gathered.host()
        ann = await gathered.join("ann")
        await ann.session.post_input(inputs.LeaveInput())
        await ann.gone()
        sent = len(memory.wires[0].dialler.sent)
        await trio.sleep(10 * limits.HEARTBEAT)
        assert len(memory.wires[0].dialler.sent) == sent


# --- strangers


def client_handshake(stranger: Stranger, padded: bytes) -> bytes:
    """A knock with anything in it, which is cut off where a client handshake ends."""
    info = suite.label("knock") + stranger.ledger.room + stranger.hello
    room = limits.CLIENT_HANDSHAKE - padding.LENGTH - frames.BOX
    return padding.frame_content(
        suite.seal_to_key(stranger.greeting.handshake_key, padded[:room].ljust(room, b"\0"), info)
    )


def request(packed: bytes) -> bytes:
    """What is packed, padded as a request is."""
    return padding.pad_text(packed, limits.CLIENT_HANDSHAKE - padding.LENGTH - frames.BOX)


def altered(data: bytes) -> bytes:
    """All as it was but for one bit."""
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(lambda _: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="another protocol"),
        pytest.param(lambda _: b"\x00\x05\xff\xff\xff\xff\xff", id="garbage in a payload of no proper length"),
        pytest.param(lambda _: padding.frame_content(b"\xff" * 478), id="garbage in a payload"),
        pytest.param(lambda _: b"\x00\x00", id="an empty payload"),
        pytest.param(lambda _: (padding.SIZES[4] - 2).to_bytes(2, "big"), id="an oversize payload"),
        pytest.param(lambda _: padding.frame_content(b"\x91" * (padding.SIZES[-1] - 2)), id="the longest payload"),
        pytest.param(lambda _: b"\xff\xff" + b"\x91" * 65535, id="one longer than any"),
        pytest.param(lambda it: altered(it.client_handshake(it.join("bad"))), id="a knock with a bit turned"),
        pytest.param(
            lambda it: padding.frame_content(padding.fill_payload(frames.pack(it.join("bad")), 0)),
            id="a join that is not sealed",
        ),
        pytest.param(
            lambda it: client_handshake(it, request(frames.pack(frames.SubmitFrame(0, b"s" * 200)))),
            id="a submit for a knock",
        ),
        pytest.param(
            lambda it: client_handshake(it, request(frames.pack(frames.MemberRecord(False, [])))),
            id="a beat for a knock",
        ),
        pytest.param(
            lambda it: client_handshake(it, request(frames.pack(frames.ResumedFrame(1, 1)))),
            id="a host's frame for a knock",
        ),
        pytest.param(
            lambda it: client_handshake(it, request(frames.pack(it.join("bad")) + b"\0")),
            id="a join with something behind it",
        ),
        pytest.param(
            lambda it: client_handshake(it, request(frames.pack(it.join("bad")))[:-1] + b"\1"),
            id="a join that is badly padded",
        ),
        pytest.param(lambda it: client_handshake(it, request(b"\x91" * 2_000)), id="nested arrays for a knock"),
        pytest.param(lambda it: client_handshake(it, request(b"")), id="nothing for a knock"),
        pytest.param(lambda _: padding.frame_content(bytes(limits.CLIENT_HANDSHAKE // 2 - 2)), id="less than a knock"),
    ],
)
async def test_a_stranger_who_breaks_the_rules_is_dropped_and_nobody_notices(
    network: Network, clock: object, said: Callable[[Stranger], bytes]
) -> None:
    """2.8"""
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        stranger = await gathered.stranger()
        await stranger.greeted()
        start = trio.current_time()
        with suppress(trio.BrokenResourceError):  # it may be out before it has said everything
            await stranger.send(said(stranger))
        assert await stranger.ended() == []
        assert trio.current_time() - start < limits.LINK_LOST  # for what it said, not for its silence
        before = (list(host.told), list(ann.told))
        await trio.testing.wait_all_tasks_blocked()
        assert (host.told, ann.told) == before
        await chat(host, ann)
        await stranger.close()


async def test_a_stranger_who_sends_a_client_handshake_twice_is_cut_and_away_at_once_and_out_with_the_next_commit(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.8, 5.8: it was let in for the first knock, so that the second is a member's broken rule."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        stranger = await gathered.stranger()
        await stranger.greeted()
        asked = stranger.client_handshake(stranger.join("twice"))
        before = trio.current_time()
        await stranger.send(asked + asked)
        assert frames.RefusedFrame not in [type(heard) for heard in await stranger.ended()]
        for person in (host, ann):
            assert (await person.hears(events.LeftEvent, nick="twice")).reason == "lost"
        assert trio.current_time() == before
        await trio.sleep(limits.COMMIT_PAUSE)
        await gathered.join("twice")
        await chat(host, ann)
        assert host.nicks == ["host", "ann", "twice"]
        await stranger.close()


async def test_each_stranger_gets_a_hello_of_its_own(network: Network, clock: object) -> None:
    """2.2"""
    async with gathering(network) as gathered:
        await gathered.host()
        strangers = [await gathered.stranger() for _ in range(3)]
        hellos = [await stranger.greeted() for stranger in strangers]
        assert len({hello.nonce for hello in hellos}) == 3
        assert {hello.version for hello in hellos} == {frames.VERSION}
        for stranger in strangers:
            await stranger.close()


async def test_the_handshake_key_is_another_after_its_time_and_one_greeted_before_comes_in_by_the_old_one(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.2"""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        first = await gathered.stranger()
        await first.greeted()
        await trio.sleep(limits.HANDSHAKE_KEY - 1)
        early, late = await gathered.stranger(), await gathered.stranger()
        await early.greeted()
        await trio.sleep(2)
        again = await gathered.stranger()
        await again.greeted()
        assert first.greeting.handshake_key == early.greeting.handshake_key != again.greeting.handshake_key
        await late.joins("late")
        await host.hears(events.JoinedEvent, nick="late")


async def test_a_client_handshake_recorded_on_another_link_opens_nothing(network: Network, clock: object) -> None:
    """2.2, 2.4"""
    async with gathering(network) as gathered:
        host = await gathered.host()
        first, second = await gathered.stranger(), await gathered.stranger()
        await first.greeted()
        await second.greeted()
        await second.send(first.client_handshake(first.join("mallory")))
        assert await second.ended() == []
        assert not host.heard(events.JoinedEvent)
        await first.close()
        await second.close()


async def test_a_join_signed_on_another_link_is_refused(network: Network, clock: object) -> None:
    """2.5"""
    async with gathering(network) as gathered:
        host = await gathered.host()
        first, second = await gathered.stranger(), await gathered.stranger()
        await first.greeted()
        await second.greeted()
        await second.send(second.client_handshake(second.join("mallory", hello=first.hello)))
        assert (await second.expect(frames.RefusedFrame)).reason == "signature"
        assert not host.heard(events.JoinedEvent)
        await first.close()
        await second.close()


async def test_a_member_who_submits_in_anothers_name_is_out_and_unheard(network: Network, clock: object) -> None:
    """5.8: though everyone in the room has the keys to seal it."""
    async with gathering(network) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        mallory = await gathered.played("mallory")
        victim = identity.Identity(b"v" * 32, gathered.key.public)
        victim.id = next(member.id for member in mallory.ledger.roster if member.nick == "ann")
        await mallory.send(mallory.submit(mallory.entry(victim, frames.TextBody("I am ann", False), signer=mallory.me)))
        assert (await ann.hears(events.LeftEvent)).nick == "mallory"
        assert await mallory.ended() == []
        await chat(host, ann)
        assert "I am ann" not in host.texts
        await mallory.close()


async def test_what_one_sends_right_behind_its_client_handshake_counts(network: Network, clock: object) -> None:
    """2.6, 2.7: the commit share of the next commit is sealed to the encryption key that it has sent."""
    async with gathering(network) as gathered:
        host = await gathered.host()
        stranger = await gathered.stranger()
        await stranger.greeted()
        key = suite.EncryptionKeyPair(b"l" * 32)
        await stranger.send(
            stranger.client_handshake(stranger.join("quick")) + stranger.record(frames.KeyFrame(key.public))
        )
        await stranger.welcomed()
        stranger.key = key
        await gathered.join("bob")
        assert isinstance(await stranger.hears(), frames.JoinedBody)
        await host.session.post_input(inputs.KickInput("bob"))
        assert isinstance(await stranger.hears(), frames.CommitBody)
        await stranger.expect(frames.CommitShareFrame)
        await stranger.says(frames.TextBody("hi", action=False))
        assert (await host.hears(events.MessageEvent)).text == "hi"
        await stranger.close()


async def test_a_stranger_is_shown_nothing_of_the_room_whatever_goes_on_in_it(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.1, 5.2: the roster, the log and the heads are for those who were let in."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        silent, refused = await gathered.stranger(), await gathered.stranger()
        ann = await gathered.join("ann")
        await chat(host, ann)
        await silent.greeted()
        await refused.greeted()
        await refused.send(refused.client_handshake(refused.join("ANN")))
        await trio.sleep(limits.LINGER_PATIENCE + 1)
        await chat(host, ann)
        assert await refused.ended() == [frames.RefusedFrame("nick-taken")]
        assert await silent.ended() == []


async def test_one_who_leaves_and_keeps_its_link_hears_nothing_more(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """5.10: after its own Leave a member is out, and its link is closed at the latest after 5 s."""
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        bad = await gathered.played("bad")
        await bad.says(frames.LeaveBody())
        await ann.hears(events.LeftEvent, nick="bad")
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        with suppress(trio.BrokenResourceError):
            await bad.heartbeat()
            await bad.says(frames.TextBody("still here", action=False))
        await chat(host, ann)
        await trio.sleep(limits.LINGER_PATIENCE - 0.1)
        await chat(host, ann)
        [last] = await bad.ended()
        assert isinstance(last, Placed)
        assert (last.header.author, said(last)) == (bad.me.id, frames.LeaveBody())
        assert trio.current_time() == pytest.approx(before + limits.LINGER_PATIENCE)
        assert "still here" not in host.texts


async def test_a_stranger_who_drips_is_out_at_its_deadline(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """1.5: 30 s for the whole handshake, however it is spent."""
    async with gathering(memory) as gathered:
        await gathered.host()
        stranger = await gathered.stranger()
        await stranger.greeted()
        asked = stranger.client_handshake(stranger.join("slow"))
        began = trio.current_time()
        with suppress(trio.BrokenResourceError):
            for byte in asked:
                await stranger.send(bytes([byte]))
                await trio.sleep(1)
        assert len(asked) > limits.HANDSHAKE_SECONDS + 1
        assert limits.HANDSHAKE_SECONDS <= trio.current_time() - began <= limits.HANDSHAKE_SECONDS + 1


async def test_strangers_who_hang_up_free_their_places_at_once(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        for _ in range(2):
            strangers = [await gathered.stranger() for _ in range(limits.HALF_OPEN)]
            for stranger in strangers:
                await stranger.greeted()
                await stranger.close()
            await trio.testing.wait_all_tasks_blocked()
        ann = await gathered.join("ann")
        assert len(ann.heard(events.LinkEvent, state="connecting")) == 1
        await chat(host, ann)


async def test_members_do_not_count_as_half_open(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HALF_OPEN", 2)
    async with gathering(memory) as gathered:
        host = await gathered.host()
        members = [await gathered.join(nick) for nick in NICKS]
        assert trio.current_time() == 0
        await chat(host, *members)


# --- a member and its host


@asynccontextmanager
async def false_host(memory: MemoryNetwork, gathered: Gathering) -> AsyncIterator[trio.MemoryReceiveChannel[FalseHost]]:
    """Serves the room by hand: its end of each link that is dialled, one after another."""
    incoming, links = trio.open_memory_channel[FalseHost](100)

    async def attend(stream: trio.abc.Stream) -> None:
        await incoming.send(FalseHost(stream, gathered.key.public, memory.patience))
        await trio.sleep_forever()

    async with memory.listen(gathered.key) as place, trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, attend, [place.listener])
        yield links
        nursery.cancel_scope.cancel()


async def test_a_refusal_is_final(memory: MemoryNetwork, autojump_clock: trio.testing.MockClock) -> None:
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        ann = gathered.invite("ann")
        host = await links.receive()
        await host.greets()
        assert (await host.asked()).nick == "ann"
        await host.send(host.record(frames.RefusedFrame("full")))
        assert (await ann.gone()).reason == "refused"
        assert ann.session.room.failure == Full()
        assert await host.receive() is None
        assert len(memory.dials) == 1


async def test_a_host_of_another_version_is_not_asked(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.3"""
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        ann = gathered.invite("ann")
        host = await links.receive()
        await host.greets(frames.VERSION + 1)
        assert (await ann.gone()).reason == "refused"
        assert not ann.heard(events.AlarmEvent)
        assert await host.payload() is None


async def test_a_host_that_says_nothing_is_given_up_and_dialled_again(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        ann = gathered.invite("ann")
        await links.receive()
        second = await links.receive()
        assert limits.DIAL_PAUSE / 2 <= trio.current_time() - limits.HANDSHAKE_SECONDS <= limits.DIAL_PAUSE
        await second.lets_in()
        await ann.hears(events.EnteredEvent)
        assert [link.detail for link in ann.heard(events.LinkEvent)] == [NO_REASON, Reason("slow-handshake"), NO_REASON]


async def test_a_host_that_hangs_up_after_the_request_is_asked_again(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """2.5: with a signature and a secret for each link."""
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        ann = gathered.invite("ann")
        asked = []
        for _ in range(2):
            host = await links.receive()
            await host.greets()
            asked.append(await host.asked())
            await host.close()
        assert len(ann.heard(events.LinkEvent, state="connecting")) == 2
        assert asked[0].key == asked[1].key
        assert asked[0].link_secret != asked[1].link_secret


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(lambda it: it.record(frames.PageFrame(b"part")), id="a page of no welcome"),
        pytest.param(lambda it: it.greeting.wire, id="a second hello"),
        pytest.param(lambda it: it.record(frames.DeniedFrame(1, "repeated")), id="a denial of nothing"),
        pytest.param(lambda it: it.record(frames.ResumedFrame(0, 0)), id="a resumption that was not asked for"),
        pytest.param(lambda it: it.record(frames.CommitShareFrame(b"box")), id="a slice of no commit"),
        pytest.param(lambda it: it.record(frames.KeyRequestFrame(bytes(32))), id="a member's frame"),
        pytest.param(lambda it: it.record(frames.KeyResponseFrame(it.key.public)), id="a leaf that was not sought"),
        pytest.param(lambda it: altered(it.record(frames.RefusedFrame("full"))), id="a record with a bit turned"),
        pytest.param(lambda _: padding.frame_content(bytes(padding.SIZES[0] - 2)), id="a payload of nothing"),
        pytest.param(lambda it: it.record(*it.welcome()), id="a welcome without us"),
        pytest.param(lambda it: it.batch(), id="a head before the welcome"),
    ],
)
async def test_a_host_that_breaks_the_rules_is_left_with_an_alarm(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, said: Callable[[FalseHost], bytes]
) -> None:
    """5.9"""
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        ann = gathered.invite("ann")
        host = await links.receive()
        await host.greets()
        await host.asked()
        await host.send(said(host))
        assert (await ann.gone()).reason == "lost"
        assert len(ann.heard(events.AlarmEvent)) == 1
        assert await host.payload() is None


async def test_a_member_with_nothing_to_say_sends_heartbeats_often_and_at_no_set_times(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """1.4"""
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        ann = gathered.invite("ann")
        host = await links.receive()
        await host.lets_in()
        pauses = []
        for _ in range(100):
            before = trio.current_time()
            assert await host.receive() == frames.MemberRecord(False, [])
            pauses.append(trio.current_time() - before)
            await host.send(host.batch())
        assert min(pauses) >= limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER) - 0.001
        assert max(pauses) <= limits.HEARTBEAT + 0.001
        assert max(pauses) - min(pauses) > limits.HEARTBEAT * limits.HEARTBEAT_JITTER / 2
        assert not ann.heard(events.LinkEvent, state="lost")


async def test_one_who_waits_to_be_let_in_sends_no_heartbeats(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """1.4, 2.8"""
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        gathered.invite("ann")
        host = await links.receive()
        await host.greets()
        await host.asked()
        await trio.sleep(limits.HANDSHAKE_SECONDS - 1)
        assert len(memory.wires[0].dialler.sent) == 1, "only its knock"


async def test_a_welcome_of_another_link_lets_nobody_in(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    """7.1"""
    async with gathering(memory) as gathered, false_host(memory, gathered) as links:
        ann = gathered.invite("ann")
        host = await links.receive()
        await host.greets()
        asked = await host.asked()
        host.epoch.admit_member(host.ledger.add_member(asked.key, "ann", suite.hash_data(asked.encryption_key)).id)
        await host.send(host.record(*host.welcome(hello=b"n" * 32)))
        assert (await ann.gone()).reason == "lost"
        assert not ann.heard(events.EnteredEvent)


# --- dialling


async def test_a_room_without_a_trace_is_dialled_again_for_its_time_and_then_given_up(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        ann = gathered.invite("ann")
        await ann.say("hello?")
        assert (await ann.gone()).reason == "lost"
        assert 0 <= trio.current_time() - limits.ABSENT_PATIENCE <= limits.DIAL_PAUSE_MAX
        assert [error.code for error in ann.heard(events.ErrorEvent)] == ["unreachable"]
        assert [unsent.text for unsent in ann.heard(events.UnsentEvent)] == ["hello?"]
        assert ann.session.room.failure is not None
        assert ann.session.room.failure.status == 4
        links = ann.heard(events.LinkEvent, state="connecting")
        assert [link.attempt for link in links] == list(range(1, len(memory.dials) + 1))
        assert [link.detail for link in links] == [NO_REASON, *[Reason("broken-circuit")] * (len(links) - 1)]
        assert len({dial.isolation for dial in memory.dials}) == len(memory.dials)


async def test_a_room_that_appears_late_is_joined(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        ann = gathered.invite("ann")
        await trio.sleep(30)
        host = await gathered.host()
        await ann.hears(events.EnteredEvent)
        await chat(host, ann)
        assert trio.current_time() <= 30 + limits.DIAL_PAUSE_MAX


async def test_a_fault_that_no_other_try_mends_is_the_last(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.plan.append(DialFault(Reason("key-missing"), again=False))
    async with gathering(memory) as gathered:
        await gathered.host()
        ann = gathered.invite("ann")
        assert (await ann.gone()).reason == "lost"
        assert (trio.current_time(), len(memory.dials)) == (0, 1)
        assert ann.session.room.failure == Unreachable(Reason("key-missing"))


async def test_a_slow_dial_is_given_up_for_one_on_another_circuit(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.plan.extend([HANG, HANG, CONNECT])
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = gathered.invite("ann")
        await ann.hears(events.EnteredEvent)
        first, second, third = memory.dials
        assert 0.5 <= (second.at - first.at - limits.DIAL_TRIES[0]) / limits.DIAL_PAUSE <= 1
        assert 0.5 <= (third.at - second.at - limits.DIAL_TRIES[1]) / (limits.DIAL_PAUSE * 1.5) <= 1
        assert len({first.isolation, second.isolation, third.isolation}) == 3
        assert {dial.code for dial in memory.dials} == {gathered.key.code}
        details = [link.detail for link in ann.heard(events.LinkEvent, state="connecting")]
        assert details == [NO_REASON, Reason("dial-timeout", 15), Reason("dial-timeout", 25)]
        await chat(host, ann)


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


async def test_a_tor_lost_while_dialling_is_waited_out(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.plan.append(SocksPortLost("127.0.0.1:9050"))
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = gathered.invite("ann")
        await ann.say("hello?")
        await host.hears(events.MessageEvent, text="hello?")
        details = [link.detail for link in ann.heard(events.LinkEvent, state="connecting")]
        assert details == [NO_REASON, Reason("tor-lost", SocksPortLost("127.0.0.1:9050"))]
        assert not ann.heard(events.ErrorEvent)


async def test_a_tor_that_stays_lost_while_dialling_is_given_up(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    memory.otherwise = SocksPortLost("127.0.0.1:9050")
    async with gathering(memory) as gathered:
        ann = gathered.invite("ann")
        await ann.say("hello?")
        assert (await ann.gone()).reason == "lost"
        assert 0 <= trio.current_time() - limits.DIAL_PATIENCE <= limits.DIAL_PAUSE_MAX
        assert [error.code for error in ann.heard(events.ErrorEvent)] == ["unreachable"]
        assert [unsent.text for unsent in ann.heard(events.UnsentEvent)] == ["hello?"]


async def test_a_tor_that_the_host_will_never_have_again_ends_the_room_for_all(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock
) -> None:
    async with gathering(memory) as gathered:
        host = await gathered.host()
        ann = await gathered.join("ann")
        await host.session.post_input(inputs.BrokenInput(TorLost("it ended")))
        assert (await host.gone()).reason == "tor"
        assert (await ann.gone()).reason == "lost"
        assert (
            limits.PLACE_SECONDS
            <= trio.current_time()
            <= limits.PLACE_SECONDS + limits.DIAL_PAUSE_MAX + limits.LINK_LOST
        )
        assert ann.session.room.failure is not None
        assert ann.session.room.failure.code == "unreachable"


class NoNetwork:
    """A network on which no room can be made reachable."""

    def __init__(self) -> None:
        self.lost = trio.Event()

    @asynccontextmanager
    async def listen(self, key: RoomKey) -> AsyncIterator[None]:
        await trio.lowlevel.checkpoint()
        raise TorMissing("it is not here")
        yield

    async def dial(self, code: str, isolation: str) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise TorMissing("it is not here")


@pytest.mark.parametrize("name", ["demo", None], ids=["host", "member"])
async def test_a_room_without_a_network_is_gone_for_that_reason(
    memory: MemoryNetwork, autojump_clock: trio.testing.MockClock, name: str | None
) -> None:
    nowhere: Transport = NoNetwork()  # type: ignore[assignment]
    async with gathering(memory) as gathered:
        person = gathered.invite("ann", name=name, network=always(nowhere))
        assert (await person.gone()).reason == "tor"
        assert not person.heard(events.ReachableEvent)
        assert [error.code for error in person.heard(events.ErrorEvent)] == ["tor-missing"]
