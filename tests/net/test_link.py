"""Links: what is sent in one piece, heads, and every way in which a link ends. In virtual time, where no kernel is."""

import select
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.crypto import commit, padding, suite
from anonp2p.crypto.commit import Turn
from anonp2p.crypto.epoch import KEPT
from anonp2p.crypto.padding import SIZES
from anonp2p.net.link import _AROUND as AROUND
from anonp2p.net.link import Link
from anonp2p.net.links import Links
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter
from anonp2p.room import inputs
from anonp2p.room.log.log import FIRST, Entry, Log, Reader
from tests.support.transports import Wire
from tests.support.world import payloads

BEAT = padding.payload(b"beat".ljust(SIZES[0] - 2))
WORDS = b"what is said".ljust(SIZES[0] - 2)
SAID = padding.payload(WORDS)
MEMBER = b"m" * 16
DENIED = frames.Denied(1, "repeated")
LEAF = suite.LeafKey(b"l" * 32)
FOUND = frames.Found(LEAF.public)
HEADER, DIGEST, HEAD = bytes(33), b"d" * 32, b"s" * 112
TURN = Turn(b"r" * 32, 1, b"d" * 32, b"s" * 32, b"t" * 32)


class Linked:
    """A link that runs, and the other end of its wire."""

    def __init__(self, link: Link, line: Wire) -> None:
        self.link = link
        self.near = line.host
        self.far = line.dialler
        self.wire = line
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
    longest: int = SIZES[-1],
    ready: bytes = b"",
    log: Log | None = None,
) -> AsyncIterator[Linked]:
    """A link, given `ready` to send and `log` to follow before it runs."""
    line = Wire(lockstep=lockstep)
    link = Link(line.host, longest)
    if settled:
        link.settle(channel())
    if ready:
        link.send(ready)
    if log:
        link.follow(reading(log))
    both = Linked(link, line)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(both.run)
        yield both
        nursery.cancel_scope.cancel()


def log_of(*bursts: bytes) -> Log:
    """A log of bursts of one entry each, that are sent so: a link does not look into them."""
    log = Log()
    for burst in bursts:
        put(log, burst)
    return log


def put(log: Log, burst: bytes, ttl: int = KEPT) -> None:
    """One more burst, at once under its head."""
    log.append(burst, Entry(HEADER, DIGEST, b"body", ttl))
    log.seal(HEAD, burst, log.time)


def channel(*, up: bool = False) -> Channel:
    return Channel(b"k" * 32, b"h" * 32, up=up)


def reading(log: Log, cursor: int = FIRST, opened: int | None = None, over: Channel | None = None) -> Reader:
    """The host's reader of a log, whose records go over this channel."""
    return Reader(log, cursor, MEMBER, LEAF.public, over or channel(), opened)


def records(data: bytes) -> list[frames.MemberRecord | frames.HostRecord]:
    """What a link has said, from the first record on."""
    far = channel(up=True)
    return [far.open(payload) for payload in payloads(data)]


def said(*data: bytes) -> list[frames.Frame]:
    """The same, but for how it was split into records."""
    return [frame for record in records(b"".join(data)) for frame in record.frames]


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
            put(log, entry)
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
    put(log, b"of the next epoch")
    reader, later = reading(log), suite.LeafKey(b"2" * 32)
    reader.leaf = later.public
    async with linked() as both:
        both.link.follow(reader)
        await trio.testing.wait_all_tasks_blocked()
        first, second = both.near.sent
        assert first.startswith(b"entrycommit")
        [sliced] = said(first.removeprefix(b"entrycommit"))
        assert isinstance(sliced, frames.Slice)
        share = commit.open_slice(sliced.box, later, TURN.room, MEMBER, TURN.epoch, TURN.standing)
        assert share == (TURN.secret, TURN.tag)
        assert second == b"of the next epoch"


async def test_what_was_missed_goes_out_opened_before_the_log(autojump_clock: trio.testing.MockClock) -> None:
    """5.12"""
    log = log_of(b"sealed", b"sealed too", b"sealed later")
    async with linked() as both:
        both.link.follow(reading(log, 1, opened=3))
        await trio.testing.wait_all_tasks_blocked()
        past, rest = both.near.sent
        assert said(past) == [frames.Past([frames.Opened(HEADER, b"body")], HEAD, 3, 0)] * 2
        assert rest == b"sealed later"


async def test_one_who_is_out_gets_the_log_up_to_there(autojump_clock: trio.testing.MockClock) -> None:
    """5.10"""
    log = log_of(b"entry", b"its leave")
    reader = reading(log)
    async with linked() as both:
        reader.stop()
        put(log, b"after it")
        both.link.follow(reader)
        both.link.wake()
        both.link.finish()
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [b"entryits leave"]


# --- records


async def test_frames_that_are_said_at_once_go_in_one_record(autojump_clock: trio.testing.MockClock) -> None:
    """2.7"""
    async with linked() as both:
        both.link.say([DENIED])
        both.link.say([frames.Missing(DIGEST), DENIED])
        await trio.testing.wait_all_tasks_blocked()
        [piece] = both.near.sent
        assert records(piece) == [frames.HostRecord(False, [DENIED, frames.Missing(DIGEST), DENIED])]
        assert len(piece) == SIZES[0]


async def test_frames_that_are_said_while_a_write_is_under_way_go_in_one_record_after_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(lockstep=True, ready=SAID) as both:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(10):
            both.link.say([DENIED])
            await trio.testing.wait_all_tasks_blocked()
        assert await both.far.receive_some(SIZES[0]) == SAID
        assert records(bytes(await both.far.receive_some(SIZES[-1]))) == [frames.HostRecord(False, [DENIED] * 10)]


async def test_nothing_said_is_a_record_without_frames(autojump_clock: trio.testing.MockClock) -> None:
    """2.7: a beat."""
    async with linked() as both:
        both.link.say([])
        await trio.testing.wait_all_tasks_blocked()
        [piece] = both.near.sent
        assert records(piece) == [frames.HostRecord(False, [])]
        assert len(piece) == SIZES[0]
        await trio.sleep(limits.BEAT)
        assert len(both.near.sent) == 1


async def test_one_answer_is_asked_for_however_often_one_is_wanted_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """2.7"""
    async with linked() as both:
        both.link.say([], echo=True)
        both.link.say([DENIED])
        both.link.say([], echo=True)
        await trio.testing.wait_all_tasks_blocked()
        both.link.say([])
        await trio.testing.wait_all_tasks_blocked()
        assert records(b"".join(both.near.sent)) == [
            frames.HostRecord(True, [DENIED]),
            frames.HostRecord(False, []),
        ]


async def test_more_than_a_record_holds_goes_in_as_few_as_do(autojump_clock: trio.testing.MockClock) -> None:
    """2.7"""
    pages = [frames.Page(bytes([number]) * limits.PAGE) for number in range(3)]
    async with linked() as both:
        both.link.say([DENIED] * (2 * limits.FRAMES + 1), echo=True)
        await trio.testing.wait_all_tasks_blocked()
        both.link.say([DENIED, *pages])
        await trio.testing.wait_all_tasks_blocked()
        small, *large = both.near.sent
        assert [len(record.frames) for record in records(small)] == [limits.FRAMES, limits.FRAMES, 1]
        assert [record.echo for record in records(small)] == [True, False, False]
        assert said(small, *large)[-4:] == [DENIED, *pages]
        assert [len(piece) for piece in large] == [limits.BURST] * 3


async def test_what_is_said_is_sealed_in_the_order_in_which_it_leaves(autojump_clock: trio.testing.MockClock) -> None:
    """2.6: with what the reader says, over the same channel, whoever spoke first."""
    log, over = log_of(*[b"sealed"] * 3), channel()
    line = Wire(lockstep=True)
    link = Link(line.host, SIZES[-1])
    link.settle(over)
    link.follow(reading(log, 1, opened=3, over=over))
    both = Linked(link, line)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(both.run)
        await trio.testing.wait_all_tasks_blocked()
        link.say([DENIED])
        put(log, b"later")
        link.wake()
        await trio.testing.wait_all_tasks_blocked()
        data = bytes(await both.far.receive_some(SIZES[-1]))
        rest = bytes(await both.far.receive_some(SIZES[-1])).removesuffix(b"sealedlater")
        past = frames.Past([frames.Opened(HEADER, b"body")], HEAD, 3, 0)
        assert said(data, rest) == [past, past, DENIED]
        nursery.cancel_scope.cancel()


async def test_a_stranger_is_said_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """2.6: there is no channel before the knock is answered; then all goes out that was to be said."""
    async with linked(settled=False, ready=SAID) as both:
        both.link.say([DENIED])
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [SAID]
        both.link.settle(channel())
        both.link.say([])
        await trio.testing.wait_all_tasks_blocked()
        assert said(both.near.sent[1]) == [DENIED]


# --- what has expired


async def test_one_on_whose_way_something_lies_that_has_expired_is_cut(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """5.17: it is not sent any more, though the write of it has begun."""
    log = log_of()
    put(log, b"to expire", ttl=30)
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        both.link.wake()
        await trio.testing.wait_all_tasks_blocked()
        assert not log.expire(29_999, FIRST)
        both.link.wake()
        await trio.testing.wait_all_tasks_blocked()
        assert both.is_up
        assert log.expire(30_000, FIRST)
        both.link.wake()
        assert await both.end() == "it lagged too far behind"
        assert both.ended_at == 0
        assert not both.link._rest


async def test_one_on_whose_way_it_lies_behind_something_else_is_cut_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log = log_of()
    put(log, b"x" * (limits.BURST + 1), ttl=30)
    async with linked(lockstep=True, ready=b"greeting ", log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        assert await both.far.receive_some(100) == b"greeting "
        await trio.testing.wait_all_tasks_blocked()
        assert log.expire(30_000, FIRST)
        both.link.wake()
        assert await both.end() == "it lagged too far behind"


async def test_one_on_whose_way_it_lies_opened_is_cut_too(autojump_clock: trio.testing.MockClock) -> None:
    log = log_of()
    put(log, b"to expire", ttl=30)
    line = Wire(lockstep=True)
    link = Link(line.host, SIZES[-1])
    link.settle(channel())
    link.follow(reading(log, 1, opened=2))
    both = Linked(link, line)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(both.run)
        await trio.testing.wait_all_tasks_blocked()
        assert log.expire(30_000, FIRST)
        both.link.pulse(b"head")
        assert await both.end() == "it lagged too far behind"
        nursery.cancel_scope.cancel()


async def test_one_who_has_taken_it_stays(autojump_clock: trio.testing.MockClock) -> None:
    log = log_of()
    put(log, b"to expire", ttl=30)
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        assert await both.far.receive_some(100) == b"to expire"
        await trio.testing.wait_all_tasks_blocked()
        put(log, b"kept")
        both.link.wake()
        await trio.testing.wait_all_tasks_blocked()
        assert log.expire(30_000, FIRST)
        both.link.wake()
        assert await both.far.receive_some(100) == b"kept"
        await trio.testing.wait_all_tasks_blocked()
        assert both.is_up


async def test_one_who_had_not_begun_with_it_is_told_that_it_is_gone(autojump_clock: trio.testing.MockClock) -> None:
    """5.13, 5.17"""
    log = log_of(b"stuck")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        put(log, b"to expire", ttl=30)
        put(log, b"kept")
        both.link.wake()
        assert log.expire(30_000, FIRST)
        both.link.wake()
        await trio.testing.wait_all_tasks_blocked()
        assert await both.far.receive_some(100) == b"stuck"
        [gone] = said(bytes(await both.far.receive_some(SIZES[-1])))
        assert gone == frames.Past([frames.Gone(HEADER, DIGEST)], HEAD, 3, 30_000)
        assert await both.far.receive_some(100) == b"kept"
        assert both.is_up


@pytest.mark.parametrize("expired", [True, False], ids=["expired before", "of another epoch"])
async def test_one_who_reads_slowly_what_it_has_missed_is_not_cut_for_what_was_gone_before(
    autojump_clock: trio.testing.MockClock, expired: bool
) -> None:
    """5.12, 5.13"""
    log = log_of()
    put(log, b"missed", ttl=30 if expired else KEPT)
    if expired:
        assert log.expire(30_000, FIRST)
    else:
        log.turn(TURN)
        log.forget_turn(TURN.epoch)
    line = Wire(lockstep=True)
    link = Link(line.host, SIZES[-1])
    link.settle(channel())
    link.follow(reading(log, 1, opened=2))
    both = Linked(link, line)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(both.run)
        await trio.testing.wait_all_tasks_blocked()
        put(log, b"later")
        link.wake()
        link.pulse(b"head")
        await trio.testing.wait_all_tasks_blocked()
        assert both.is_up
        [past] = said(bytes(await both.far.receive_some(SIZES[-1])))
        assert isinstance(past, frames.Past)
        assert await both.far.receive_some(100) == b"later"
        nursery.cancel_scope.cancel()


# --- over a socket


@asynccontextmanager
async def plugged(log: Log) -> AsyncIterator[tuple[Link, socket.socket, trio.Event]]:
    """A link that follows a log over a socket of the kernel's, whose other end never blocks, and when it has ended."""
    near, far = socket.socketpair()
    with far:
        far.setblocking(False)
        link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(near)), SIZES[-1])
        link.settle(channel())
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
        put(log, b"entry")
        link.wake()
        assert far.recv(100) == b"entry"
        link.pulse(b"head")
        assert far.recv(100) == b"head"


async def test_what_a_socket_does_not_take_at_once_follows_in_order() -> None:
    log = log_of()
    async with plugged(log) as (link, far, _):
        entries = [bytes([number]) * SIZES[-1] for number in range(20)]
        for entry in entries[:10]:
            put(log, entry)
        link.wake()  # in part
        for entry in entries[10:]:  # before the writer has begun, then during its write
            put(log, entry)
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
        put(log, begun)
        link.wake()
        link.send(b"for you ")
        put(log, b"after")
        link.wake()
        expected = begun + b"for you after"
        assert await read(far, len(expected)) == expected


async def test_a_reader_that_lags_is_cut_while_its_socket_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of()
    async with plugged(log) as (link, _, ended):
        put(log, b"b" * limits.BATCH * 16)
        link.wake()
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(20):
            put(log, b"more")
            link.wake()
        await ended.wait()
        assert link.detail == "it lagged too far behind"


async def test_a_socket_that_nobody_reads_any_more_ends_the_link() -> None:
    log = log_of()
    async with plugged(log) as (link, far, ended):
        put(log, b"entry")
        far.close()
        link.wake()
        link.wake()
        await ended.wait()
        assert link.detail == "the connection broke"


async def test_a_link_that_has_ended_writes_nothing_and_keeps_its_reason() -> None:
    log = log_of()
    async with plugged(log) as (link, far, ended):
        link.drop("not wanted")
        put(log, b"entry")
        link.wake()
        assert link.detail == "not wanted"
        await ended.wait()
        link.wake()
        link.drop("too late")
        assert link.detail == "not wanted"
        assert far.recv(100) == b""


async def test_others_have_their_turn_while_many_links_are_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN", 2)

    async def post(_: inputs.Input) -> None:
        await trio.lowlevel.checkpoint()

    log, links = log_of(), Links(post)
    seen = set()
    with ExitStack() as stack:
        fars = []
        for _ in range(5):
            near, far = map(stack.enter_context, socket.socketpair())
            link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(near)), SIZES[-1])
            link.follow(reading(log, log.end))
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
        put(log, b"second")
        both.link.pulse(b"head")
        assert await both.far.receive_some(100) == b"first"
        assert await both.far.receive_some(100) == b"second"
        await trio.testing.wait_all_tasks_blocked()
        both.link.pulse(b"head")
        assert await both.far.receive_some(100) == b"head"


@pytest.mark.parametrize(
    "welcome",
    [[frames.Resumed(0, 0)], [frames.Welcome(b"box", 3), *[frames.Page(bytes(limits.PAGE))] * 3]],
    ids=["short", "of several records"],
)
async def test_no_head_overtakes_a_welcome(autojump_clock: trio.testing.MockClock, welcome: list[frames.Frame]) -> None:
    """4.5, 7.1: who is not in yet cannot open it, and takes it for a lie."""
    async with linked(lockstep=True) as both:
        theirs = channel(up=True)
        both.link.follow(reading(log_of()), welcome)
        heard: list[frames.Frame] = []
        splitter = Splitter(SIZES[-1])
        while len(heard) < len(welcome):
            both.link.pulse(b"head")
            for payload in splitter.feed(bytes(await both.far.receive_some(SIZES[-1]))):
                heard += theirs.open(payload).frames
        assert heard == welcome
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
        both.link.settle(channel())
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
        both.link.settle(channel())
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
    line = Wire()
    link = Link(line.host, SIZES[-1])
    link.drop("not wanted")
    both = Linked(link, line)
    await both.run()
    assert (link.detail, both.ended_at) == ("not wanted", 0)
    assert await at_end(line.dialler)


async def test_a_length_over_the_limit_ends_the_link_before_its_payload_is_there(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with linked(settled=False, longest=SIZES[0] - 2) as both:
        await both.far.send_all((958).to_bytes(2, "big"))
        assert await both.end() == "a payload too long"
        assert both.ended_at == 0


@pytest.mark.parametrize("length", [0, 1, 477, 479, 480, 957, 3_837, 61_439, 65_535])
async def test_a_length_of_no_payload_ends_the_link_before_its_payload_is_there(
    autojump_clock: trio.testing.MockClock, length: int
) -> None:
    """2.1"""
    async with linked() as both:
        await both.far.send_all(SAID + length.to_bytes(2, "big"))
        assert "a payload" in await both.end()
        assert both.ended_at == 0
        assert both.arrived == [WORDS]


@pytest.mark.parametrize("size", SIZES)
async def test_payloads_of_all_eight_sizes_arrive(autojump_clock: trio.testing.MockClock, size: int) -> None:
    """2.1"""
    async with linked() as both:
        content = bytes(range(256)) * 256
        await both.far.send_all(padding.payload(content[: size - 2]))
        await trio.testing.wait_all_tasks_blocked()
        assert both.arrived == [content[: size - 2]]


async def test_what_came_before_a_length_over_the_limit_arrives(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(settled=False, longest=SIZES[0] - 2) as both:
        await both.far.send_all(SAID + (958).to_bytes(2, "big") + SAID)
        assert await both.end() == "a payload too long"
        assert both.arrived == [WORDS]
        assert await at_end(both.far)


async def test_payloads_in_pieces_of_any_size_arrive_whole(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        data = SAID * 3
        for at in range(0, len(data), 50):
            await both.far.send_all(data[at : at + 50])
        await trio.testing.wait_all_tasks_blocked()
        assert both.arrived == [WORDS] * 3


async def test_a_payload_may_be_as_long_as_any_once_the_handshake_is_over(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """From the next one on, though it has come in one piece with the one that ended the handshake."""
    line = Wire()
    link = Link(line.host, SIZES[0] - 2)
    arrived: list[bytes] = []

    async def take(payload: bytes) -> None:
        await trio.lowlevel.checkpoint()
        arrived.append(payload)
        link.settle(channel())

    longest = bytes(SIZES[-1] - 2)
    await line.dialler.send_all(SAID + padding.payload(longest))
    await line.dialler.aclose()
    await link.run(take)
    assert arrived == [WORDS, longest]
    assert link.detail == "the connection was closed"


def most(frame: frames.Frame) -> int:
    """How many of these may wait on one link."""
    return limits.DIRECT // (len(frames.pack(frame)) + AROUND)


@pytest.mark.parametrize("frame", [DENIED, FOUND])
async def test_a_peer_that_makes_us_queue_too_much_is_dropped(
    autojump_clock: trio.testing.MockClock, frame: frames.Frame
) -> None:
    """1.7: by what it takes, whatever it is."""
    async with linked(lockstep=True, ready=b"stuck") as both:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(most(frame)):
            both.link.say([frame])
        await trio.testing.wait_all_tasks_blocked()
        assert both.is_up
        both.link.say([frame])
        assert await both.end() == "it does not read what it asks for"
        assert both.ended_at == 0


async def test_a_peer_that_is_sent_heads_that_it_does_not_read_is_dropped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """1.7"""
    async with linked(lockstep=True, ready=b"stuck", log=log_of()) as both, trio.open_nursery() as nursery:
        nursery.start_soon(keep_beating, both.far)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(limits.DIRECT // SIZES[0]):
            both.link.pulse(bytes(SIZES[0]))
        await trio.testing.wait_all_tasks_blocked()
        assert both.is_up
        both.link.pulse(bytes(SIZES[0]))
        assert await both.end() == "it does not read what it is sent"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("frame", [DENIED, FOUND])
async def test_a_peer_that_reads_may_cause_any_number_of_frames(
    autojump_clock: trio.testing.MockClock, frame: frames.Frame
) -> None:
    async with linked() as both:
        for _ in range(10):
            for _ in range(most(frame)):
                both.link.say([frame])
            await trio.testing.wait_all_tasks_blocked()
        assert len(said(*both.near.sent)) == 10 * most(frame)
        assert both.is_up


async def test_a_peer_that_reads_slowly_may_ask_on_as_it_reads(autojump_clock: trio.testing.MockClock) -> None:
    """1.7: what it has read does not count."""
    async with linked(lockstep=True) as both:
        got = b""
        for _ in range(5 * most(FOUND)):
            both.link.say([FOUND])
            await trio.testing.wait_all_tasks_blocked()
            got += await both.far.receive_some(len(frames.pack(FOUND)) + 200)
        assert both.is_up


async def test_a_welcome_does_not_count_as_what_a_peer_does_not_read(autojump_clock: trio.testing.MockClock) -> None:
    """1.7: it is as large as the room."""
    pages = [frames.Page(bytes([number]) * limits.PAGE) for number in range(limits.PAGES)]
    log = log_of(b"log")
    async with linked(lockstep=True) as both:
        both.link.follow(reading(log), pages)
        for _ in range(most(FOUND)):
            both.link.say([FOUND])
        await trio.testing.wait_all_tasks_blocked()
        assert both.is_up
        got = b""
        while not got.endswith(b"log"):
            got += await both.far.receive_some(limits.READ)
        assert said(got.removesuffix(b"log")) == [*pages, *[FOUND] * most(FOUND)]


async def test_a_welcome_that_was_sent_leaves_no_more_room_for_what_a_peer_asks_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log = log_of(b"log")
    async with linked(lockstep=True) as both:
        both.link.follow(reading(log), [frames.Page(bytes(limits.PAGE))] * limits.PAGES)
        got = b""
        while not got.endswith(b"log"):
            got += await both.far.receive_some(limits.READ)
        both.link.send(b"stuck")
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(most(FOUND) + 1):
            both.link.say([FOUND])
        assert await both.end() == "it does not read what it asks for"


async def test_what_a_peer_that_does_not_read_has_asked_for_is_sealed_a_record_at_a_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """1.7: until then a leaf is the one that all others see."""
    async with linked(lockstep=True) as both:
        for _ in range(most(FOUND)):
            both.link.say([FOUND])
        await trio.testing.wait_all_tasks_blocked()
        assert len(both.near.sent) == 1
        assert len(both.near.sent[0]) <= 2 * limits.BURST


async def test_a_long_piece_of_the_log_is_not_copied_for_one_who_is_sent_something_else_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """1.7: those who are stuck at one place pin the same bytes."""
    log = log_of(*[b"x" * limits.BURST] * 4)
    shared = log.since(FIRST, log.sealed_end)[0]
    async with linked(ready=b"greeting ", log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        assert both.near.sent == [b"greeting ", shared]
        assert both.near.sent[1] is shared


# --- pauses


async def test_what_comes_in_a_pause_is_read_after_it(autojump_clock: trio.testing.MockClock) -> None:
    """1.6: nothing of it is lost."""
    arrived: list[tuple[bytes, float]] = []

    async def take(payload: bytes) -> None:
        arrived.append((payload, trio.current_time()))
        link.pause(limits.PAUSE)
        await trio.lowlevel.checkpoint()

    line = Wire()
    link = Link(line.host, SIZES[-1])
    link.settle(channel())
    contents = [bytes([number]) * (SIZES[0] - 2) for number in range(3)]
    await line.dialler.send_all(b"".join(map(padding.payload, contents)))
    await line.dialler.aclose()
    await link.run(take)
    assert arrived == [(content, number * limits.PAUSE) for number, content in enumerate(contents)]


async def test_a_pause_does_not_count_as_silence(autojump_clock: trio.testing.MockClock) -> None:
    """1.6"""
    async with linked() as both:
        await both.far.send_all(SAID)
        await trio.testing.wait_all_tasks_blocked()
        both.link.pause(limits.PAUSE)
        await both.far.send_all(SAID)
        assert await both.end() == "nothing was heard for 15 seconds"
        assert both.ended_at == limits.PAUSE + limits.LINK_LOST


async def test_a_link_that_ends_in_a_pause_was_silent_only_before_it(autojump_clock: trio.testing.MockClock) -> None:
    async with linked() as both:
        await trio.sleep(3)
        assert both.link.silence == 3
        both.link.pause(2.0)
        await trio.sleep(1)
        assert both.link.silence == 0
        await trio.sleep(4)
        assert both.link.silence == 3


async def test_a_pause_keeps_nothing_from_going_out(autojump_clock: trio.testing.MockClock) -> None:
    async with linked(log=log_of(b"one")) as both:
        both.link.pause(limits.PAUSE)
        both.link.say([DENIED])
        await trio.testing.wait_all_tasks_blocked()
        assert trio.current_time() == 0
        assert b"".join(both.near.sent).endswith(b"one")


async def test_a_reader_that_lags_beyond_the_log_is_cut(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    log = log_of(b"first")
    async with linked(lockstep=True, log=log) as both:
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(20):
            put(log, b"more")
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
            put(log, b"more")
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
            put(log, b"more")
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
        put(log, b"commit")
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
        put(log, b"after it")
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
