"""Links: time, back-pressure, sockets, and streams that break. In virtual time, where no kernel is."""

import select
import socket
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto import padding, suite
from anonp2p.crypto.epoch import KEPT
from anonp2p.crypto.padding import SIZES
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.net.memory import MemoryEnd
from anonp2p.protocol.handshake import Channel
from anonp2p.room import inputs
from anonp2p.room.log.log import FIRST, Log, LogEntry
from anonp2p.room.log.reader import LogReader
from tests.support.transports import Wire

CONTENT = b"what is said".ljust(SIZES[0] - 2)
PAYLOAD = padding.frame_content(CONTENT)
ENCRYPTION_KEY = suite.EncryptionKeyPair(b"l" * 32)


class Linked:
    """A link that runs, and the other end of its wire."""

    def __init__(self, link: Link, wire: Wire) -> None:
        self.link = link
        self.connection = link.connection
        self.near = wire.host
        self.far = wire.dialler
        self.wire = wire
        self.arrived: list[tuple[bytes, float]] = []  # and when
        self.ended_at = 0.0
        self._ended = trio.Event()

    async def deliver(self, payload: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.arrived.append((payload, trio.current_time()))

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            await self.link.run(self.deliver, nursery, trio.CapacityLimiter(1))
        self.ended_at = trio.current_time()
        self._ended.set()

    async def end(self) -> str:
        """Why it ended, once it has."""
        with trio.fail_after(10_000):
            await self._ended.wait()
        return self.connection.reason

    @property
    def is_up(self) -> bool:
        return not self._ended.is_set()


@asynccontextmanager
async def linked(
    *, settled: bool = True, lockstep: bool = False, ready: bytes = b"", log: Log | None = None
) -> AsyncIterator[Linked]:
    """A link, given `ready` to send and `log` to follow before it runs."""
    wire = Wire(lockstep=lockstep)
    both = Linked(Link(wire.host, SIZES[-1]), wire)
    if settled:
        both.connection.settle(channel())
    if ready:
        both.connection.send_data(ready)
    if log:
        both.connection.follow_log(read_log(log, FIRST))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(both.run)
        yield both
        nursery.cancel_scope.cancel()


def channel() -> Channel:
    return Channel(b"k" * 32, b"h" * 32, up=False)


def read_log(log: Log, cursor: int) -> LogReader:
    return LogReader(log, cursor, b"m" * 16, ENCRYPTION_KEY.public, channel())


def log_of(*batches: bytes) -> Log:
    """A log of batches of one entry each, that are sent so: a link does not look into them."""
    log = Log()
    for batch in batches:
        put(log, batch)
    return log


def put(log: Log, batch: bytes) -> None:
    """One more batch, at once under its head."""
    log.append_entry(batch, LogEntry(bytes(33), b"d" * 32, b"body", KEPT))
    log.seal_batch(b"s" * 112, batch, log.time)


def pulse(link: Link, data: bytes) -> None:
    """Sends a head as the session does."""
    link.connection.send_head(data)
    link.flush()


async def is_at_end(stream: trio.abc.Stream) -> bool:
    """Whether nothing comes any more, and that is known."""
    with trio.move_on_after(1):
        return await stream.receive_some(1) == b""
    return False


async def keep_beating(stream: trio.abc.Stream) -> None:
    with suppress(trio.BrokenResourceError):
        while True:
            await stream.send_all(PAYLOAD)
            await trio.sleep(5)


# --- what goes out


async def test_what_was_queued_before_a_link_runs_goes_out_in_one_piece(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(ready=b"greeting ", log=log_of(b"one ", b"two ", b"three")) as both:
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [b"greeting one two three"]


async def test_what_is_queued_while_a_write_is_under_way_goes_out_together_after_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        for entry in (b"a", b"b", b"c"):
            put(log, entry)
            both.link.flush()
            await trio.testing.wait_all_tasks_blocked()
        both.connection.send_data(b"for you ")
        both.link.react()
        assert both.near.sent == [b"first"]
        assert await both.far.receive_some(100) == b"first"
        assert await both.far.receive_some(100) == b"for you abc"


async def test_what_is_done_to_a_connection_takes_effect_when_its_link_is_told(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(settled=False) as both:
        await trio.testing.wait_all_tasks_blocked()
        both.connection.send_frames([])
        both.link.react()
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [], "there is no channel"
        both.connection.settle(channel())
        both.link.react()
        await trio.testing.wait_all_tasks_blocked()
        assert list(map(len, both.near.sent)) == [SIZES[0]]


async def test_a_link_says_nothing_of_its_own_accord(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(log=log_of(b"entry")) as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.sleep(100)
        assert both.near.sent == [b"entry"]
        pulse(both.link, b"head")
        await trio.sleep(1)
        assert both.near.sent == [b"entry", b"head"]
        nursery.cancel_scope.cancel()


# --- over a socket


@asynccontextmanager
async def plugged(log: Log) -> AsyncIterator[tuple[Link, socket.socket, trio.Event]]:
    """A link that follows a log over a socket of the kernel's, whose other end never blocks, and when it has ended."""
    near, far = socket.socketpair()
    with far:
        far.setblocking(False)
        link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(near)), SIZES[-1])
        link.connection.settle(channel())
        link.connection.follow_log(read_log(log, log.end))
        ended = trio.Event()

        async def run() -> None:
            await link.run(ignore, nursery, trio.CapacityLimiter(1))
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
        put(log, b"entry")
        link.flush()
        assert far.recv(100) == b"entry"
        pulse(link, b"head")
        assert far.recv(100) == b"head"


async def test_what_a_socket_does_not_take_at_once_follows_in_order() -> None:
    log = log_of()
    async with plugged(log) as (link, far, _):
        entries = [bytes([number]) * SIZES[-1] for number in range(20)]
        for entry in entries[:10]:
            put(log, entry)
        link.flush()  # in part
        for entry in entries[10:]:  # before the writer has begun, then during its write
            put(log, entry)
            link.flush()
            pulse(link, b"no head: there is more to come")
            await trio.testing.wait_all_tasks_blocked()
        expected = b"".join(entries)
        assert await read(far, len(expected)) == expected
        await trio.testing.wait_all_tasks_blocked()
        pulse(link, b"head")
        assert far.recv(100) == b"head"


async def test_what_is_for_one_link_does_not_overtake_what_its_socket_has_not_taken() -> None:
    log = log_of()
    async with plugged(log) as (link, far, _):
        begun = b"b" * limits.WRITE_BYTES * 16
        put(log, begun)
        link.flush()
        link.connection.send_data(b"for you ")
        link.react()
        put(log, b"after")
        link.flush()
        expected = begun + b"for you after"
        assert await read(far, len(expected)) == expected


async def test_a_socket_that_takes_more_while_a_write_is_under_way_gets_everything_once() -> None:
    log = log_of()
    async with plugged(log) as (link, far, _):
        begun = b"b" * limits.WRITE_BYTES * 16
        put(log, begun)
        link.flush()
        await trio.testing.wait_all_tasks_blocked()
        got = far.recv(limits.WRITE_BYTES)
        put(log, b"after")
        link.flush()
        expected = begun + b"after"
        assert got + await read(far, len(expected) - len(got)) == expected


async def test_a_reader_that_lags_is_cut_while_its_socket_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of()
    async with plugged(log) as (link, _, ended):
        put(log, b"b" * limits.WRITE_BYTES * 16)
        link.flush()
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(20):
            put(log, b"more")
            link.flush()
        await ended.wait()
        assert link.connection.reason == "lagged"


async def test_a_socket_that_nobody_reads_any_more_ends_the_link() -> None:
    log = log_of()
    async with plugged(log) as (link, far, ended):
        put(log, b"entry")
        far.close()
        link.flush()
        link.flush()
        await ended.wait()
        assert link.connection.reason == "broken"


async def test_a_link_that_has_ended_writes_nothing_and_keeps_its_reason() -> None:
    log = log_of()
    async with plugged(log) as (link, far, ended):
        link.drop("displaced")
        put(log, b"entry")
        link.flush()
        assert link.connection.reason == "displaced"
        await ended.wait()
        link.flush()
        link.drop("silent")
        assert link.connection.reason == "displaced"
        assert far.recv(100) == b""


@pytest.mark.parametrize("slow", [True, False])
async def test_others_have_their_turn_while_links_are_woken_if_that_takes_long(
    monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    monkeypatch.setattr(limits, "LINKS_TURN", 0.0 if slow else 60.0)

    async def post(_: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()

    log, links = log_of(), Links(post)
    seen = set()
    with ExitStack() as stack:
        fars = []
        for _ in range(5):
            near, far = map(stack.enter_context, socket.socketpair())
            link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(near)), SIZES[-1])
            link.connection.follow_log(read_log(log, log.end))
            links.attach(link)
            fars.append(far)

        async def watch() -> None:
            while (told := len(select.select(fars, [], [], 0)[0])) < len(fars):
                seen.add(told)
                await trio.lowlevel.checkpoint()

        put(log, b"entry")
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch)
                nursery.start_soon(links.wake_links)
    assert seen & {1, 2, 3, 4} if slow else seen <= {0}


class _OnePiece:
    """A log that has one piece for a link, which notes when that was taken."""

    lags = is_out = holds_expired = False

    def __init__(self, note: Callable[[], None]) -> None:
        self._note = note
        self.is_through = False

    def count_batches(self) -> int:
        return 1

    def take_data(self, *, single: bool = False) -> bytes:
        if self.is_through:
            return b""
        self.is_through = True
        self._note()
        return PAYLOAD

    def mark_sent(self) -> None:
        pass


class _Turns(trio.abc.Instrument):
    """Of the loop."""

    def __init__(self) -> None:
        self.count = 0

    def before_io_wait(self, timeout: float) -> None:
        self.count += 1


async def test_links_that_lag_have_their_data_made_a_few_at_a_time() -> None:
    """After a commit each of them is sent a share of its own: for 1,000 at once that held all up for 170 ms."""
    turns, taken = _Turns(), Counter[int]()
    count = 5 * limits.WRITERS_TURN

    def note() -> None:
        taken[turns.count] += 1
        if taken.total() == count:
            nursery.cancel_scope.cancel()

    async def post(_: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()

    links = Links(post)
    trio.lowlevel.add_instrument(turns)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                link = Link(Wire().host, SIZES[-1])
                link.connection.settle(channel())
                link.connection.follow_log(_OnePiece(note))
                nursery.start_soon(link.run, ignore, nursery, links.turns)
    trio.lowlevel.remove_instrument(turns)
    assert taken.total() == count
    assert max(taken.values()) <= limits.WRITERS_TURN


# --- what comes in


async def test_what_came_before_a_bad_payload_arrives(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await both.far.send_all(PAYLOAD + b"\0\0" + PAYLOAD)
        assert await both.end() == "payload-length"
        assert both.arrived == [(CONTENT, 0)]
        assert await is_at_end(both.far)


async def test_what_comes_in_a_pause_is_read_after_it(autojump_clock: trio.testing.MockClock) -> None:
    """1.6: nothing of it is lost."""
    arrived: list[tuple[bytes, float]] = []

    async def deliver(payload: bytes) -> None:
        arrived.append((payload, trio.current_time()))
        link.connection.pause(limits.READ_PAUSE, trio.current_time())
        link.react()
        await trio.lowlevel.checkpoint()

    wire = Wire()
    link = Link(wire.host, SIZES[-1])
    link.connection.settle(channel())
    contents = [bytes([number]) * (SIZES[0] - 2) for number in range(3)]
    await wire.dialler.send_all(b"".join(map(padding.frame_content, contents)))
    await wire.dialler.aclose()
    async with trio.open_nursery() as nursery:
        await link.run(deliver, nursery, trio.CapacityLimiter(1))
    assert arrived == [(content, number * limits.READ_PAUSE) for number, content in enumerate(contents)]


async def test_a_pause_that_is_made_longer_while_it_lasts_is_waited_out(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        both.connection.pause(2.0, trio.current_time())
        await both.far.send_all(PAYLOAD)
        await trio.sleep(1)
        both.connection.pause(limits.READ_PAUSE, trio.current_time())
        both.link.react()
        await trio.sleep(20)
        assert both.arrived == [(CONTENT, 1 + limits.READ_PAUSE)]


async def test_what_comes_behind_a_client_handshake_is_read_at_its_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(settled=False) as both:
        both.connection.await_answer()
        await both.far.send_all(PAYLOAD)
        await trio.sleep(3)
        assert both.arrived == []
        both.connection.settle(channel())
        both.link.react()
        await trio.testing.wait_all_tasks_blocked()
        assert both.arrived == [(CONTENT, 3)]


class Data(bytearray):
    """What can be watched for whether anybody still holds it."""


class Once(trio.abc.ReceiveStream):
    """Gives this once, then nothing more."""

    def __init__(self, data: Data) -> None:
        self.given: list[Data] = [data]

    async def receive_some(self, max_bytes: int | None = None) -> bytearray:
        await trio.lowlevel.checkpoint()
        if not self.given:
            await trio.sleep_forever()
        return self.given.pop()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_an_idle_link_holds_nothing_of_what_it_has_read(autojump_clock: trio.testing.MockClock) -> None:
    data = Data(PAYLOAD)
    held, stream = weakref.ref(data), Once(data)
    del data
    both = Linked(Link(trio.StapledStream(trio.testing.MemorySendStream(), stream), SIZES[-1]), Wire())
    both.connection.settle(channel())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(both.run)
        await trio.testing.wait_all_tasks_blocked()
        assert [content for content, _ in both.arrived] == [CONTENT]
        assert held() is None
        nursery.cancel_scope.cancel()


# --- how a link ends


async def test_silence_ends_a_link_after_its_time(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await trio.sleep(3)
        await both.far.send_all(PAYLOAD[:1])
        assert await both.end() == "silent"
        assert both.ended_at == pytest.approx(3 + limits.LINK_LOST)


async def test_silence_right_after_the_handshake_ends_a_link_in_its_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(settled=False) as both:
        await trio.testing.wait_all_tasks_blocked()
        both.connection.settle(channel())
        both.link.react()
        assert await both.end() == "silent"
        assert both.ended_at == pytest.approx(limits.LINK_LOST)


async def test_a_heartbeat_now_and_then_keeps_a_link_up(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        for _ in range(20):
            await trio.sleep(limits.LINK_LOST - 0.1)
            await both.far.send_all(PAYLOAD)
        assert both.is_up
        assert await both.end() == "silent"
        assert both.ended_at == pytest.approx(20 * (limits.LINK_LOST - 0.1) + limits.LINK_LOST)


async def test_the_deadline_of_a_handshake_holds_while_what_came_is_delivered(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A room whose mailbox is full, or that answers no more than so many a second, does not keep it up."""

    async def deliver(_: bytes) -> None:
        await trio.sleep_forever()

    wire = Wire()
    link = Link(wire.host, SIZES[-1])
    await wire.dialler.send_all(PAYLOAD)
    async with trio.open_nursery() as nursery:
        await link.run(deliver, nursery, trio.CapacityLimiter(1))
    assert (link.connection.reason, trio.current_time()) == ("slow-handshake", limits.HANDSHAKE_SECONDS)


async def test_a_settled_link_outlives_the_deadline_of_its_handshake(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(settled=False) as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.sleep(29)
        both.connection.settle(channel())
        both.link.react()
        await trio.sleep(100)
        assert both.is_up
        nursery.cancel_scope.cancel()


async def test_a_reader_that_stopped_reading_but_sends_heartbeats_is_cut(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.sleep(1)
        for _ in range(20):
            put(log, b"more")
            both.link.flush()
        await trio.sleep(600)
        assert not both.is_up
        assert both.ended_at == 1
        nursery.cancel_scope.cancel()


async def test_a_reader_that_the_log_has_left_behind_when_it_is_written_to_is_cut(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of(b"first")
    async with linked(log=log) as both:
        for _ in range(20):  # before the link had its turn
            put(log, b"more")
        assert await both.end() == "lagged"
        assert both.ended_at == 0


async def test_a_peer_that_hangs_up_ends_the_link(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await both.far.aclose()
        assert await both.end() == "closed"
        assert both.ended_at == 0


async def test_a_peer_that_closes_its_half_and_does_not_read_ends_the_link(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(lockstep=True, ready=b"never read") as both:
        await trio.testing.wait_all_tasks_blocked()
        assert isinstance(both.far.stream, MemoryEnd)
        await both.far.stream.stream.send_stream.aclose()
        assert await both.end() == "closed"
        assert both.ended_at == 0


async def test_a_wire_that_breaks_during_a_write_ends_the_link(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(lockstep=True, ready=b"never read") as both:
        await trio.testing.wait_all_tasks_blocked()
        both.wire.cut()
        assert await both.end() == "broken"


async def test_the_stream_is_closed_when_the_link_is_cancelled(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await trio.testing.wait_all_tasks_blocked()
    assert both.connection.is_over, "so that nobody writes any more"
    assert await is_at_end(both.far)


async def test_a_link_dropped_before_it_runs_ends_at_once_for_that_reason(
    autojump_clock: trio.testing.MockClock,
) -> None:
    wire = Wire()
    both = Linked(Link(wire.host, SIZES[-1]), wire)
    both.link.drop("displaced")
    await both.run()
    assert (both.connection.reason, both.ended_at) == ("displaced", 0)
    assert await is_at_end(wire.dialler)


# --- finishing


def finish(link: Link) -> None:
    link.connection.finish(trio.current_time())
    link.react()


async def test_finishing_sends_all_there_is_and_waits_for_the_peer_to_close(
    autojump_clock: trio.testing.MockClock,
) -> None:
    entries = [bytes([number]) * 50_000 for number in range(20)]
    async with linked(ready=b"before ", log=log_of(*entries)) as both:
        finish(both.link)
        await trio.sleep(limits.LINGER_PATIENCE * 0.9)
        assert b"".join(both.near.sent) == b"before " + b"".join(entries)
        assert both.is_up
        await both.far.aclose()
        await both.end()
        assert both.ended_at == pytest.approx(limits.LINGER_PATIENCE * 0.9)


async def test_finishing_gives_a_stuck_reader_no_more_time(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(lockstep=True, ready=b"never read") as both:
        finish(both.link)
        await both.end()
        assert both.ended_at == pytest.approx(limits.LINGER_PATIENCE)
