"""Links: what is sent in one piece, heads, and every way in which a link ends. In virtual time, where no kernel is."""

import select
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.core import frames, steps
from anonp2p.core.epochs import commit, suite
from anonp2p.core.epochs.commit import Turn
from anonp2p.core.handshake import Channel
from anonp2p.core.log import FIRST, Log, Reader
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from tests.support.transports import End, Wire

BEAT = frames.on_wire(b"beat")
SAID = frames.on_wire(b"what is said")
MEMBER = b"m" * 16
LEAF = suite.LeafKey(b"l" * 32)
TURN = Turn(b"r" * 32, 1, b"d" * 32, b"s" * 32, b"t" * 32)


class Linked:
    """A link that runs, and the other end of its wire."""

    def __init__(self, link: Link, near: End, far: End, wire: Wire) -> None:
        self.link = link
        self.near = near
        self.far = far
        self.wire = wire
        self.arrived: list[bytes] = []
        self.ended_at = 0.0
        self._ended = trio.Event()

    async def run(self) -> None:
        async def arrived(payload: bytes) -> None:
            await trio.lowlevel.checkpoint()
            self.arrived.append(payload)

        await self.link.run(arrived)
        self.ended_at = trio.current_time()
        self._ended.set()

    async def end(self) -> str:
        """Why it ended, once it has."""
        with trio.fail_after(10_000):
            await self._ended.wait()
        return self.link.detail

    @property
    def is_up(self) -> bool:
        return not self._ended.is_set()


@asynccontextmanager
async def linked(
    *,
    settled: bool = True,
    lockstep: bool = False,
    longest: int = limits.FRAME,
    ready: bytes = b"",
    log: Log | None = None,
) -> AsyncIterator[Linked]:
    """A link, given `ready` to send and `log` to follow before it runs."""
    wire = Wire(lockstep=lockstep)
    link = Link(wire.host, longest)
    if settled:
        link.settle()
    if ready:
        link.send(ready)
    if log:
        link.follow(reading(log))
    both = Linked(link, wire.host, wire.dialler, wire)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(both.run)
        yield both
        nursery.cancel_scope.cancel()


def log_of(*entries: bytes) -> Log:
    log = Log()
    for entry in entries:
        log.append(entry, b"", b"")
    return log


def reading(log: Log, cursor: int = FIRST, past: int | None = None) -> Reader:
    return Reader(log, cursor, MEMBER, LEAF.public, Channel(b"k" * 32, b"h" * 32, up=False), past)


def opened(data: bytes) -> list[frames.Frame]:
    """The records that a link with a reader has sent, from the first on."""
    channel = Channel(b"k" * 32, b"h" * 32, up=True)
    return [channel.open(payload) for payload in frames.Splitter(limits.FRAME).feed(data)]


async def at_end(stream: trio.abc.Stream) -> bool:
    """Whether nothing comes any more, and that is known."""
    with trio.move_on_after(1):
        return await stream.receive_some(1) == b""
    return False


async def keep_beating(stream: trio.abc.Stream) -> None:
    with suppress(trio.BrokenResourceError):
        while True:
            await stream.send_all(BEAT)
            await trio.sleep(5)


# --- what goes out


async def test_all_that_is_at_hand_goes_out_in_one_piece(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(ready=b"greeting ", log=log_of(b"one ", b"two ", b"three")) as both:
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [b"greeting one two three"]


async def test_what_comes_while_a_write_is_under_way_goes_out_together_after_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        for entry in (b"a", b"b", b"c"):
            log.append(entry, b"", b"")
            both.link.wake()
            await trio.testing.wait_all_tasks_blocked()
        both.link.send(b"for you ")
        assert both.near.sent == [b"first"]
        assert await both.far.receive_some(100) == b"first"
        assert await both.far.receive_some(100) == b"for you abc"


async def test_a_long_log_goes_out_in_pieces_that_a_stuck_reader_may_pin(
    autojump_clock: trio.testing.MockClock,
) -> None:
    entries = [bytes([number]) * 50_000 for number in range(20)]
    async with linked(log=log_of(*entries)) as both:
        await trio.testing.wait_all_tasks_blocked()
        assert b"".join(both.near.sent) == b"".join(entries)
        assert max(map(len, both.near.sent)) <= limits.BATCH
        assert len(both.near.sent) == 4


async def test_the_log_is_sent_from_the_cursor_on(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        both.link.follow(reading(log_of(b"one", b"two", b"three"), 3))
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [b"three"]


async def test_a_commit_ends_a_piece_with_a_slice_for_the_leaf_of_that_moment(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """6.9"""
    log = log_of(b"entry", b"commit")
    log.turn(TURN)
    log.append(b"of the next epoch", b"", b"")
    reader, later = reading(log), suite.LeafKey(b"2" * 32)
    reader.leaf = later.public
    async with linked() as both:
        both.link.follow(reader)
        await trio.testing.wait_all_tasks_blocked()
        first, second = both.near.sent
        assert first.startswith(b"entrycommit")
        [sliced] = opened(first.removeprefix(b"entrycommit"))
        assert isinstance(sliced, frames.Slice)
        share = commit.open_slice(sliced.box, later, TURN.room, MEMBER, TURN.epoch, TURN.standing)
        assert share == (TURN.secret, TURN.tag)
        assert second == b"of the next epoch"


async def test_what_was_missed_goes_out_opened_before_the_log(autojump_clock: trio.testing.MockClock) -> None:
    """5.12"""
    log = log_of()
    for number in range(3):
        log.append(b"sealed", bytes([number]) * 33, b"body")
    async with linked() as both:
        both.link.follow(reading(log, 3, past=1))
        await trio.testing.wait_all_tasks_blocked()
        past, rest = both.near.sent
        assert opened(past) == [frames.Past(bytes([number]) * 33, b"body") for number in range(2)]
        assert rest == b"sealed"


async def test_one_who_is_out_gets_the_log_up_to_there(autojump_clock: trio.testing.MockClock) -> None:
    """5.10"""
    log = log_of(b"entry", b"its leave")
    reader = reading(log)
    async with linked() as both:
        reader.stop()
        log.append(b"after it", b"", b"")
        both.link.follow(reader)
        both.link.wake()
        both.link.finish()
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [b"entryits leave"]


# --- over a socket


@asynccontextmanager
async def plugged(log: Log) -> AsyncIterator[tuple[Link, socket.socket, trio.Event]]:
    """A link that follows a log over a socket of the kernel's, whose other end never blocks, and when it has ended."""
    near, far = socket.socketpair()
    with far:
        far.setblocking(False)
        link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(near)), limits.FRAME)
        link.settle()
        link.follow(reading(log, log.end))
        ended = trio.Event()

        async def run() -> None:
            await link.run(ignore)
            ended.set()

        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run)
                await trio.testing.wait_all_tasks_blocked()
                yield link, far, ended
                nursery.cancel_scope.cancel()


async def ignore(_: bytes) -> None:
    await trio.lowlevel.checkpoint()


async def read(far: socket.socket, size: int) -> bytes:
    """So many bytes of what comes."""
    data = b""
    while len(data) < size:
        await trio.lowlevel.wait_readable(far)
        data += far.recv(size - len(data))
    return data


async def test_a_socket_gets_at_once_what_it_takes() -> None:
    log = log_of()
    async with plugged(log) as (link, far, _):
        log.append(b"entry", b"", b"")
        link.wake()
        assert far.recv(100) == b"entry"
        link.pulse(b"head")
        assert far.recv(100) == b"head"


async def test_what_a_socket_does_not_take_at_once_follows_in_order() -> None:
    log = log_of()
    async with plugged(log) as (link, far, _):
        entries = [bytes([number]) * limits.FRAME for number in range(20)]
        for entry in entries[:10]:
            log.append(entry, b"", b"")
        link.wake()  # in part
        for entry in entries[10:]:  # before the writer has begun, then during its write
            log.append(entry, b"", b"")
            link.wake()
            link.pulse(b"no head: there is more to come")
            await trio.testing.wait_all_tasks_blocked()
        expected = b"".join(entries)
        assert await read(far, len(expected)) == expected
        await trio.testing.wait_all_tasks_blocked()
        link.pulse(b"head")
        assert far.recv(100) == b"head"


async def test_what_is_for_one_link_does_not_overtake_what_its_socket_has_not_taken() -> None:
    log = log_of()
    async with plugged(log) as (link, far, _):
        begun = b"b" * limits.BATCH * 16
        log.append(begun, b"", b"")
        link.wake()
        link.send(b"for you ")
        log.append(b"after", b"", b"")
        link.wake()
        expected = begun + b"for you after"
        assert await read(far, len(expected)) == expected


async def test_a_reader_that_lags_is_cut_while_its_socket_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of()
    async with plugged(log) as (link, _, ended):
        log.append(b"b" * limits.BATCH * 16, b"", b"")
        link.wake()
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(20):
            log.append(b"more", b"", b"")
            link.wake()
        await ended.wait()
        assert link.detail == "it lagged too far behind"


async def test_a_socket_that_nobody_reads_any_more_ends_the_link() -> None:
    log = log_of()
    async with plugged(log) as (link, far, ended):
        log.append(b"entry", b"", b"")
        far.close()
        link.wake()
        link.wake()
        await ended.wait()
        assert link.detail == "the connection broke"


async def test_a_link_that_has_ended_writes_nothing_and_keeps_its_reason() -> None:
    log = log_of()
    async with plugged(log) as (link, far, ended):
        link.drop("not wanted")
        log.append(b"entry", b"", b"")
        link.wake()
        assert link.detail == "not wanted"
        await ended.wait()
        link.wake()
        link.drop("too late")
        assert link.detail == "not wanted"
        assert far.recv(100) == b""


async def test_others_have_their_turn_while_many_links_are_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN", 2)

    async def post(_: steps.Input) -> None:
        await trio.lowlevel.checkpoint()

    log, links = log_of(), Links(post)
    seen = set()
    with ExitStack() as stack:
        fars = []
        for _ in range(5):
            near, far = map(stack.enter_context, socket.socketpair())
            link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(near)), limits.FRAME)
            link.follow(reading(log, log.end))
            links.attach(link)
            fars.append(far)

        async def watch() -> None:
            while (told := len(select.select(fars, [], [], 0)[0])) < len(fars):
                seen.add(told)
                await trio.lowlevel.checkpoint()

        log.append(b"entry", b"", b"")
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch)
                nursery.start_soon(links.wake)
    assert seen & {2, 4}
    assert seen <= {0, 2, 4}


# --- heads


async def test_a_link_says_nothing_of_its_own_accord(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(log=log_of(b"entry")) as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.sleep(100)
        assert both.near.sent == [b"entry"]
        both.link.pulse(b"head")
        await trio.sleep(1)
        assert both.near.sent == [b"entry", b"head"]
        nursery.cancel_scope.cancel()


async def test_a_head_goes_only_to_who_has_all_entries_before_it(autojump_clock: trio.testing.MockClock) -> None:
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        log.append(b"second", b"", b"")
        both.link.pulse(b"head")
        assert await both.far.receive_some(100) == b"first"
        assert await both.far.receive_some(100) == b"second"
        await trio.testing.wait_all_tasks_blocked()
        both.link.pulse(b"head")
        assert await both.far.receive_some(100) == b"head"


async def test_a_stranger_gets_no_heads(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(settled=False, ready=b"hello") as both:
        both.link.pulse(b"head")
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [b"hello"]


# --- how a link ends


async def test_silence_ends_a_link_after_its_time(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        assert await both.end() == "nothing was heard for 15 seconds"
        assert both.ended_at == pytest.approx(limits.LINK_LOST)


async def test_silence_counts_from_the_last_bytes_heard(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await trio.sleep(3)
        assert both.link.silence == pytest.approx(3)
        await both.far.send_all(BEAT[:1])
        await trio.testing.wait_all_tasks_blocked()
        assert both.link.silence == 0
        await both.end()
        assert both.link.silence == pytest.approx(limits.LINK_LOST)


async def test_silence_in_a_handshake_is_borne_until_its_deadline(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(settled=False) as both:
        assert await both.end() == "the handshake took too long"
        assert both.ended_at == pytest.approx(limits.HANDSHAKE_SECONDS)


async def test_silence_right_after_the_handshake_ends_a_link_in_its_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(settled=False) as both:
        await both.far.send_all(SAID)
        await trio.testing.wait_all_tasks_blocked()
        both.link.settle()
        assert await both.end() == "nothing was heard for 15 seconds"
        assert both.ended_at == pytest.approx(limits.LINK_LOST)


async def test_a_beat_now_and_then_keeps_a_link_up(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        for _ in range(20):
            await trio.sleep(limits.LINK_LOST - 0.1)
            await both.far.send_all(BEAT)
        assert both.is_up
        assert await both.end() == "nothing was heard for 15 seconds"
        assert both.ended_at == pytest.approx(20 * (limits.LINK_LOST - 0.1) + limits.LINK_LOST)


async def test_a_silent_wire_ends_a_link_though_sends_seem_to_work(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.sleep(101)
        both.wire.fall_silent()
        assert await both.end() == "nothing was heard for 15 seconds"
        assert both.ended_at == pytest.approx(100 + limits.LINK_LOST)
        nursery.cancel_scope.cancel()


async def test_a_handshake_that_drips_ends_at_its_deadline(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(settled=False) as both:
        for byte in SAID[:3]:
            await both.far.send_all(bytes([byte]))
            await trio.sleep(9)
        assert both.is_up
        assert await both.end() == "the handshake took too long"
        assert both.ended_at == pytest.approx(30)


async def test_a_settled_link_outlives_the_deadline_of_its_handshake(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(settled=False) as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.sleep(29)
        both.link.settle()
        await trio.sleep(100)
        assert both.is_up
        nursery.cancel_scope.cancel()


async def test_a_peer_that_hangs_up_ends_the_link(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await both.far.aclose()
        assert await both.end() == "the connection was closed"
        assert both.ended_at == 0


async def test_a_broken_wire_ends_the_link(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await trio.testing.wait_all_tasks_blocked()
        both.wire.cut()
        assert await both.end() == "the connection broke"


async def test_a_wire_that_breaks_during_a_write_ends_the_link(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(lockstep=True, ready=b"never read") as both:
        await trio.testing.wait_all_tasks_blocked()
        both.wire.cut()
        assert await both.end() == "the connection broke"


async def test_the_stream_is_closed_when_the_link_is_cancelled(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await trio.testing.wait_all_tasks_blocked()
    assert await at_end(both.far)


async def test_a_link_dropped_before_it_runs_ends_at_once_for_that_reason(
    autojump_clock: trio.testing.MockClock,
) -> None:
    wire = Wire()
    link = Link(wire.host, limits.FRAME)
    link.drop("not wanted")
    both = Linked(link, wire.host, wire.dialler, wire)
    await both.run()
    assert (link.detail, both.ended_at) == ("not wanted", 0)
    assert await at_end(wire.dialler)


async def test_a_length_over_the_limit_ends_the_link_before_its_payload_is_there(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(settled=False, longest=100) as both:
        await both.far.send_all(b"\x00\x65")
        assert await both.end() == "a frame too long"
        assert both.ended_at == 0


async def test_what_came_before_a_length_over_the_limit_arrives(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(settled=False, longest=100) as both:
        await both.far.send_all(SAID + b"\x00\x65" + SAID)
        assert await both.end() == "a frame too long"
        assert both.arrived == [b"what is said"]
        assert await at_end(both.far)


async def test_payloads_in_pieces_of_any_size_arrive_whole(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        data = SAID * 3
        for at in range(0, len(data), 5):
            await both.far.send_all(data[at : at + 5])
        await trio.testing.wait_all_tasks_blocked()
        assert both.arrived == [b"what is said"] * 3


async def test_a_payload_may_be_as_long_as_any_once_the_handshake_is_over(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """From the next one on, though it has come in one piece with the one that ended the handshake."""
    wire = Wire()
    link = Link(wire.host, 100)
    arrived: list[bytes] = []

    async def take(payload: bytes) -> None:
        await trio.lowlevel.checkpoint()
        arrived.append(payload)
        link.settle()

    longest = bytes(limits.FRAME)
    await wire.dialler.send_all(SAID + frames.on_wire(longest))
    await wire.dialler.aclose()
    await link.run(take)
    assert arrived == [b"what is said", longest]
    assert link.detail == "the connection was closed"


async def test_a_peer_that_makes_us_queue_too_much_is_dropped(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(lockstep=True, ready=b"stuck") as both:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(limits.DIRECT):
            both.link.send(b"denied")
        await trio.testing.wait_all_tasks_blocked()
        assert both.is_up
        both.link.send(b"denied")
        assert await both.end() == "it does not read what it asks for"
        assert both.ended_at == 0


async def test_a_peer_that_reads_may_cause_any_number_of_frames(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        for _ in range(10):
            for _ in range(limits.DIRECT):
                both.link.send(b"x")
            await trio.testing.wait_all_tasks_blocked()
        assert len(b"".join(both.near.sent)) == 10 * limits.DIRECT
        assert both.is_up


async def test_a_reader_that_lags_beyond_the_log_is_cut(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(20):
            log.append(b"more", b"", b"")
        both.link.wake()
        assert await both.far.receive_some(100) == b"first"
        assert await both.end() == "it lagged too far behind"
        assert await at_end(both.far)


async def test_a_reader_that_lags_within_the_log_gets_all_of_it(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(7):
            log.append(b"more", b"", b"")
        both.link.wake()
        assert await both.far.receive_some(100) == b"first"
        assert await both.far.receive_some(100) == b"more" * 7
        assert both.is_up


async def test_a_reader_that_stopped_reading_but_beats_is_cut_too(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.sleep(1)
        for _ in range(20):
            log.append(b"more", b"", b"")
            both.link.wake()
        await trio.sleep(600)
        assert not both.is_up
        nursery.cancel_scope.cancel()


async def test_who_has_not_come_to_a_commit_when_its_secret_goes_is_cut(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """6.9: at the next sign of life of the room, though it be only a head."""
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        log.append(b"commit", b"", b"")
        log.turn(TURN)
        both.link.wake()
        log.forget_turn(TURN.epoch)
        both.link.pulse(b"head")
        assert await both.end() == "it lagged too far behind"
        assert both.ended_at == 0
        assert both.near.sent == [b"first"]


async def test_who_has_come_to_a_commit_stays_when_its_secret_goes(autojump_clock: trio.testing.MockClock) -> None:
    log = log_of(b"commit")
    log.turn(TURN)
    async with linked(log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        log.forget_turn(TURN.epoch)
        both.link.pulse(b"head")
        log.append(b"after it", b"", b"")
        both.link.wake()
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent[1:] == [b"head", b"after it"]
        assert both.is_up


async def test_a_link_knows_who_ended_it(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as dropped, linked() as lost:
        dropped.link.drop("not wanted")
        lost.wire.cut()
        assert (await dropped.end(), dropped.link.dismissed) == ("not wanted", True)
        assert (await lost.end(), lost.link.dismissed) == ("the connection broke", False)


# --- finishing


async def test_finishing_sends_all_there_is_and_waits_for_the_peer_to_close(
    autojump_clock: trio.testing.MockClock,
) -> None:
    entries = [bytes([number]) * 50_000 for number in range(20)]
    async with linked(ready=b"before ", log=log_of(*entries)) as both:
        both.link.finish()
        await trio.sleep(limits.LINGER * 0.9)
        assert b"".join(both.near.sent) == b"before " + b"".join(entries)
        assert both.is_up
        await both.far.aclose()
        await both.end()
        assert both.ended_at == pytest.approx(limits.LINGER * 0.9)


async def test_finishing_does_not_wait_for_ever(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        both.link.finish()
        await both.end()
        assert both.ended_at == pytest.approx(limits.LINGER)
        nursery.cancel_scope.cancel()


async def test_finishing_gives_a_stuck_reader_no_more_time(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(lockstep=True, ready=b"never read") as both:
        both.link.finish()
        await both.end()
        assert both.ended_at == pytest.approx(limits.LINGER)
