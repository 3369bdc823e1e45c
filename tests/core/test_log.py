"""The ordered log as bytes, against the simplest model of it: a list of everything that ever was in it."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anonp2p import limits
from anonp2p.core import frames
from anonp2p.core.epochs import commit, suite
from anonp2p.core.epochs.commit import Turn
from anonp2p.core.handshake import Channel
from anonp2p.core.log import FIRST, Log, Reader
from anonp2p.errors import PeerFault
from tests.core.peers import payloads

LOG_BYTES, LOG_ENTRIES, BATCH = 800, 24, 120
ROOM, STANDING, SECRET, TAG, HELLO = b"r" * 32, b"d" * 32, b"s" * 32, b"t" * 32, b"n" * 32
MEMBER = b"m" * 16
LEAF, NEW_LEAF = suite.LeafKey(b"l" * 32), suite.LeafKey(b"k" * 32)

Token = tuple[str, int]  # what a reader gets: an entry, a head or an opened entry by its index, a slice by its epoch


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can reach."""
    shrink(monkeypatch)


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LOG_BYTES", LOG_BYTES), ("LOG_ENTRIES", LOG_ENTRIES), ("BATCH", BATCH)):
        monkeypatch.setattr(limits, name, value)


def wire(index: int, size: int = 4) -> bytes:
    return frames.on_wire(b"E" + index.to_bytes(4, "big") + bytes(size))


def opened(index: int) -> tuple[bytes, bytes]:
    return index.to_bytes(33, "big"), b"b" * (index % 7)


def head(index: int) -> bytes:
    return frames.on_wire(b"H" + index.to_bytes(4, "big"))


def turn(epoch: int) -> Turn:
    return Turn(ROOM, epoch, STANDING, SECRET, TAG)


def filled(*wires: bytes) -> Log:
    log = Log()
    for data in wires:
        log.append(data, *opened(log.end))
    return log


class Follower:
    """A member's end of a link, and the reader at the host's that serves it."""

    def __init__(self, log: Log, cursor: int, past: int | None = None) -> None:
        self.reader = Reader(log, cursor, MEMBER, LEAF.public, Channel(SECRET, HELLO, up=False), past)
        self.channel = Channel(SECRET, HELLO, up=True)
        self.got: list[Token] = []

    def take(self, leaf: suite.LeafKey = LEAF, *, epoch: int | None = None) -> bytes:
        data = self.reader.take()
        for payload in payloads(data):
            if payload[:1] in (b"E", b"H") and len(payload) < 60:
                self.got.append((payload[:1].decode(), int.from_bytes(payload[1:5], "big")))
                continue
            frame = self.channel.open(payload)
            if isinstance(frame, frames.Past):
                index = int.from_bytes(frame.header, "big")
                assert (frame.header, frame.body) == opened(index)
                self.got.append(("past", index))
            else:
                assert isinstance(frame, frames.Slice)
                self.got.append(("slice", self.epoch_of(frame, leaf)))
        return data

    @staticmethod
    def epoch_of(sliced: frames.Slice, leaf: suite.LeafKey) -> int:
        for epoch in range(1, 100):
            try:
                assert commit.open_slice(sliced.box, leaf, ROOM, MEMBER, epoch, STANDING) == (SECRET, TAG)
            except PeerFault:
                continue
            return epoch
        raise AssertionError("a slice of no epoch")


class Readers(RuleBasedStateMachine):
    """A log, all that was ever put into it, and readers that come and go at their own pace."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        shrink(self.patch)
        self.log = Log()
        self.sizes: dict[int, int] = {}  # of wires, by index
        self.heads: set[int] = set()  # indices of the entries that have one behind them
        self.commits: dict[int, int] = {}  # epochs by the index of their commit
        self.kept: list[int] = []  # epochs whose secret is still there
        self.epoch = 0
        self.followers: list[tuple[int, int, Follower]] = []  # begun at, past from
        self.ends: dict[int, int] = {}  # by id of the follower

    def teardown(self) -> None:
        self.patch.undo()

    def put(self, size: int) -> None:
        index = self.log.end
        self.sizes[index] = len(wire(index, size))
        self.log.append(wire(index, size), *opened(index))
        assert not self.log.is_sealed

    def seal(self) -> None:
        index = self.log.end - 1
        self.heads.add(index)
        self.log.seal(head(index))
        assert self.log.is_sealed

    @rule(size=st.integers(0, 50), count=st.integers(1, 6))
    def append(self, size: int, count: int) -> None:
        """A burst. Nobody reads before it has its head."""
        assert self.log.is_sealed
        for _ in range(count):
            self.put(size)
        self.seal()

    @rule()
    def commit(self) -> None:
        self.put(3)
        self.seal()
        self.epoch += 1
        self.commits[self.log.end - 1] = self.epoch
        self.kept.append(self.epoch)
        self.log.turn(turn(self.epoch))

    @precondition(lambda self: self.kept)
    @rule()
    def forget(self) -> None:
        epoch = self.kept.pop(0)
        self.log.forget_turn(epoch)
        [index] = [index for index, of in self.commits.items() if of == epoch]
        assert self.log.start > index

    @rule()
    def come(self) -> None:
        self.followers.append((self.log.end, self.log.end, Follower(self.log, self.log.end)))

    @rule(back=st.integers(0, 2 * LOG_ENTRIES))
    def come_from_before(self, back: int) -> None:
        cursor = max(self.log.start, self.log.end - back)
        self.followers.append((cursor, cursor, Follower(self.log, cursor)))

    @rule(back=st.integers(0, 2 * LOG_ENTRIES))
    def come_with_a_past(self, back: int) -> None:
        past = max(self.log.oldest, self.log.end - back)
        self.followers.append((self.log.end, past, Follower(self.log, self.log.end, past)))

    @precondition(lambda self: self.followers)
    @rule(number=st.integers(0, 9))
    def stop(self, number: int) -> None:
        _, _, follower = self.followers[number % len(self.followers)]
        if id(follower) not in self.ends:
            self.ends[id(follower)] = self.log.end
            follower.reader.stop()

    @precondition(lambda self: self.followers)
    @rule(number=st.integers(0, 9), times=st.integers(1, 4))
    def read_on(self, number: int, times: int) -> None:
        number %= len(self.followers)
        follower = self.followers[number][2]
        for _ in range(times):
            through, before = follower.reader.is_through, len(follower.got)
            if follower.reader.lags:
                with pytest.raises(PeerFault, match="lagged"):
                    follower.take()
                del self.followers[number]
                return
            follower.take()
            assert (len(follower.got) > before) != through

    def expected(self, begun: int, past: int, follower: Follower) -> list[Token]:
        end = self.ends.get(id(follower), self.log.end)
        tokens: list[Token] = [("past", index) for index in range(past, begun)]
        for index in range(begun, end):
            tokens.append(("E", index))
            tokens += [("H", index)] * (index in self.heads)
            if index in self.commits and not (id(follower) in self.ends and index + 1 == end):
                tokens.append(("slice", self.commits[index]))
        return tokens

    @invariant()
    def everyone_has_read_exactly_what_lies_between(self) -> None:
        for begun, past, follower in self.followers:
            expected = self.expected(begun, past, follower)
            if id(follower) in self.ends and follower.got[: len(expected)] != expected[: len(follower.got)]:
                # Its slice of the last commit had been sent before it was out.
                assert follower.got[:-1] == expected
                assert follower.got[-1] == ("slice", self.commits[self.ends[id(follower)] - 1])
                continue
            assert follower.got == expected[: len(follower.got)]
            if follower.reader.is_through:
                assert follower.got == expected

    @invariant()
    def the_log_holds_a_suffix_within_its_limits(self) -> None:
        held = self.log.end - self.log.oldest
        assert held <= LOG_ENTRIES
        assert self.log.oldest <= self.log.start <= self.log.end
        assert self.log._bytes == self.size(self.log.start, self.log.oldest)
        assert self.log._bytes <= LOG_BYTES + len(head(0))
        for index in range(self.log.oldest, self.log.end):
            assert self.log.opened(index) == opened(index)

    def size(self, start: int, oldest: int) -> int:
        """Of what is held from there on."""
        wires = sum(self.sizes[it] + len(head(it)) * (it in self.heads) for it in range(start, self.log.end))
        return wires + sum(len(opened(it)[1]) for it in range(oldest, self.log.end))

    @invariant()
    def nothing_is_sent_on_of_an_epoch_whose_secret_is_gone(self) -> None:
        for index, epoch in self.commits.items():
            known = self.log.turn_before(index + 1)
            assert (known is not None) == (epoch in self.kept and index >= self.log.start)
            assert known is None or known.epoch == epoch


TestReaders = Readers.TestCase
TestReaders.settings = settings(max_examples=60, stateful_step_count=30)


def test_a_new_log_is_empty_at_its_first_place() -> None:
    log = Log()
    assert log.end == log.start == log.oldest == FIRST == 1
    assert log.since(1) == (b"", 1)
    assert log.is_sealed


def test_readers_at_the_same_place_share_the_same_bytes() -> None:
    log = filled(b"one", b"two")
    assert log.since(1)[0] is log.since(1)[0]


def test_what_was_read_before_does_not_stand_for_what_came_since() -> None:
    log = filled(b"one")
    assert log.since(1) == (b"one", 2)
    log.append(b"two", b"", b"")
    assert log.since(1) == (b"onetwo", 3)
    assert log.since(2) == (b"two", 3)


def test_a_batch_ends_at_its_limit_and_between_entries() -> None:
    log = filled(*[b"x" * 50] * 3)
    assert log.since(1) == (b"x" * 100, 3)
    assert log.since(3) == (b"x" * 50, 4)
    assert filled(*[b"x" * (BATCH // 2)] * 3).since(1) == (b"x" * BATCH, 3)


def test_an_entry_over_the_batch_comes_alone() -> None:
    assert filled(b"x" * (BATCH + 1), b"y").since(1) == (b"x" * (BATCH + 1), 2)


def test_a_batch_ends_at_a_commit() -> None:
    """6.9: behind it comes what is each member's own."""
    log = filled(b"one", b"commit")
    log.turn(turn(1))
    log.append(b"two", b"", b"")
    assert log.since(1) == (b"onecommit", 3)
    assert log.since(2) == (b"commit", 3)
    assert log.since(3) == (b"two", 4)


def test_a_past_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled(*[b"x"] * 12)
    follower = Follower(log, log.end, 1)
    assert len(follower.take()) < 3 * BATCH
    assert 0 < len(follower.got) < 11
    while not follower.reader.is_through:
        follower.take()
    assert follower.got == [("past", index) for index in range(1, 13)]


def test_the_limits_drop_the_oldest() -> None:
    log = filled(*[b"x"] * (LOG_ENTRIES + 1))
    assert log.end == LOG_ENTRIES + 2
    assert log.oldest == log.start == log.end - LOG_ENTRIES * 7 // 8
    log = filled(*[b"x" * 100] * (LOG_BYTES // 100 + 1))
    assert log.end == LOG_BYTES // 100 + 2
    assert log.start > 1


def test_the_limits_themselves_are_kept_whole() -> None:
    assert filled(*[b"x"] * LOG_ENTRIES).start == 1
    assert filled(*[b"x" * 97] * 8).start == 1  # with their bodies, 800 bytes at the most


def test_bodies_count_against_the_limit_in_bytes() -> None:
    log = Log()
    log.append(b"x" * 400, b"", b"y" * 401)
    assert log.start == log.oldest == 2


def test_a_head_counts_against_the_limit_in_bytes() -> None:
    log = Log()
    log.append(b"x" * 400, b"", b"")
    log.seal(b"#" * 400)
    log.append(b"y", b"", b"")
    assert log.start == log.oldest == 2
    assert log.since(2) == (b"y", 3)


def test_what_is_forgotten_with_a_commit_is_not_counted_any_more() -> None:
    log = filled(b"x" * 500)
    log.turn(turn(1))
    log.forget_turn(1)
    log.append(b"y" * 500, b"", b"")
    assert (log.oldest, log.start) == (1, 2)


def test_any_frame_fits_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 2 + limits.FRAME <= limits.BATCH


def test_a_head_lies_behind_the_last_entry_of_its_burst() -> None:
    log = filled(b"one", b"two")
    assert not log.is_sealed
    log.seal(b"#head")
    assert log.is_sealed
    log.append(b"three", b"", b"")
    assert not log.is_sealed
    log.seal(b"#end")
    assert log.since(1) == (b"onetwo#headthree#end", 4)
    assert log.since(2) == (b"two#headthree#end", 4)
    assert log.since(3) == (b"three#end", 4)


# --- commits, on one member's way through it


def turned() -> Log:
    """An entry, a commit with its head, and an entry of the next epoch with its."""
    log = filled(wire(1), wire(2))
    log.seal(head(2))
    log.turn(turn(1))
    log.append(wire(3), *opened(3))
    log.seal(head(3))
    return log


def test_behind_a_commit_and_its_head_comes_the_slice_and_then_the_next_epoch() -> None:
    """6.9"""
    follower = Follower(turned(), 1)
    follower.take()
    assert follower.got == [("E", 1), ("E", 2), ("H", 2), ("slice", 1)]
    follower.take()
    assert follower.got[4:] == [("E", 3), ("H", 3)]
    assert follower.reader.is_through


def test_a_slice_is_sealed_to_the_leaf_that_the_member_has_by_then() -> None:
    """2.7, 6.9"""
    follower = Follower(turned(), 1)
    follower.reader.leaf = NEW_LEAF.public
    follower.take(NEW_LEAF)
    assert ("slice", 1) in follower.got


def test_one_that_is_welcomed_behind_a_commit_gets_no_slice_of_it() -> None:
    log = filled(wire(1))
    log.seal(head(1))
    log.turn(turn(1))
    follower = Follower(log, log.end)
    log.append(wire(2), *opened(2))
    log.seal(head(2))
    follower.take()
    assert follower.got == [("E", 2), ("H", 2)]


def test_one_who_is_out_gets_the_commit_that_says_so_and_no_slice() -> None:
    """6.8: nothing that is sealed to it, and nothing after."""
    log = filled(wire(1))
    log.seal(head(1))
    follower = Follower(log, 1)
    log.turn(turn(1))
    follower.reader.stop()
    log.append(wire(2), *opened(2))
    log.seal(head(2))
    follower.take()
    assert follower.got == [("E", 1), ("H", 1)]
    assert follower.reader.is_through
    assert follower.take() == b""


def test_a_laggard_that_has_not_come_to_a_commit_in_time_is_cut() -> None:
    """6.9"""
    log = turned()
    laggard, follower = Follower(log, 1), Follower(log, 3)
    log.forget_turn(1)
    assert laggard.reader.lags
    with pytest.raises(PeerFault, match="lagged"):
        laggard.take()
    follower.take()
    assert follower.got == [("E", 3), ("H", 3)]
    assert log.turn_before(3) is None


def test_one_who_is_out_and_has_read_it_all_does_not_lag() -> None:
    log = turned()
    follower = Follower(log, 1)
    follower.take()
    follower.reader.stop()
    follower.take()
    log.append(wire(4), *opened(4))
    log.turn(turn(2))
    log.forget_turn(1)
    log.forget_turn(2)
    assert not follower.reader.lags
    assert follower.take() == b""


def test_what_was_opened_outlives_the_bytes() -> None:
    """5.12: for those who come back in another epoch."""
    log = turned()
    log.forget_turn(1)
    assert (log.oldest, log.start, log.end) == (1, 3, 4)
    follower = Follower(log, 4, past=1)
    assert not follower.reader.lags
    while not follower.reader.is_through:
        follower.take()
    assert follower.got == [("past", 1), ("past", 2), ("past", 3)]


def test_one_whose_past_is_dropped_while_it_reads_is_cut() -> None:
    log = filled(*[b"x"] * LOG_ENTRIES)
    follower = Follower(log, log.end, past=1)
    log.append(b"x", b"", b"")
    assert follower.reader.lags
    with pytest.raises(PeerFault, match="lagged"):
        follower.take()


def test_a_leaf_that_cannot_be_sealed_to_costs_its_member_the_link_alone() -> None:
    log = turned()
    bad, good = Follower(log, 1), Follower(log, 1)
    bad.reader.leaf = LEAF.public[:-32] + bytes(32)
    with pytest.raises(PeerFault, match="sealed to"):
        bad.take()
    good.take()
    assert ("slice", 1) in good.got
