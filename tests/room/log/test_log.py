"""The ordered log, batch by batch, against the simplest model of it: a list of everything that ever was in it."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anonp2p import limits
from anonp2p.crypto import commit, padding, suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import FLEETING, KEPT, Epoch
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter
from anonp2p.room.log.log import FIRST, Log, LogBatch, LogEntry
from anonp2p.room.log.reader import LogReader

LOG_BYTES, LOG_ENTRIES, BATCH = 6_000, 24, 1_200
ROOM, GROUP_CONTEXT, SECRET, TAG, HELLO = b"r" * 32, b"d" * 32, b"s" * 32, b"t" * 32, b"n" * 32
MEMBER = b"m" * 16
KEY, NEW_KEY = suite.EncryptionKeyPair(b"l" * 32), suite.EncryptionKeyPair(b"k" * 32)
SECOND, MINUTE = 1_000, 60_000  # milliseconds

Token = tuple[str, int]  # what a reader gets: an entry or a head by its index, a commit share by its epoch


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can reach."""
    shrink(monkeypatch)


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LOG_BYTES", LOG_BYTES), ("LOG_ENTRIES", LOG_ENTRIES), ("WRITE_BYTES", BATCH)):
        monkeypatch.setattr(limits, name, value)


def entry(index: int, ttl: int = KEPT, size: int | None = None) -> LogEntry:
    header = index.to_bytes(33, "big")
    body = b"b" * (index % 7 + 1 if size is None else size)
    return LogEntry(header, suite.hash_data(body), body, ttl)


def head(index: int) -> bytes:
    """Over all up to here."""
    return index.to_bytes(112, "big")


def content(first: int, end: int, size: int = SIZES[0]) -> bytes:
    """What stands for a sealed batch."""
    return (b"B" + first.to_bytes(4, "big") + end.to_bytes(4, "big")).ljust(size - 2, b".")


def put(log: Log, *ttls: int, time: int = 0, size: int = SIZES[0], bodies: int | None = None) -> list[LogBatch]:
    """One batch, of entries that are kept for so long."""
    first = log.end
    for ttl in ttls:
        log.append_entry(b"sealed", entry(log.end, ttl, bodies))
    return log.seal_batch(head(log.end - 1), padding.frame_content(content(first, log.end, size)), time)


def filled(*batches: int) -> Log:
    """One with batches of so many entries."""
    log = Log()
    for count in batches:
        put(log, *[KEPT] * count)
    return log


def sent(log: Log, *firsts: int) -> bytes:
    """The bytes of the batches that begin at these."""
    return b"".join(log.find_batch(first).wire for first in firsts)


def turn(epoch: int) -> CommitSecret:
    return CommitSecret(ROOM, epoch, GROUP_CONTEXT, SECRET, TAG)


def read(data: bytes) -> list[bytes]:
    return list(Splitter(SIZES[-1]).feed_data(data))


class Follower:
    """A member's end of a link, and the reader at the host's that serves it."""

    def __init__(self, log: Log, cursor: int, opened: int | None = None) -> None:
        self.reader = LogReader(log, cursor, MEMBER, KEY.public, Channel(SECRET, HELLO, up=False), opened)
        self.channel = Channel(SECRET, HELLO, up=True)
        self.got: list[Token] = []  # "E" for what came as it was sent, "opened" or "gone" for what did not
        self.pasts: list[frames.BackfillFrame] = []
        self.end: int | None = None  # for one who is out: what is from there on is nothing for it
        self.flying: set[int] = set()  # entries on their way, for the model
        self.gone_before: set[int] = set()  # what was gone when they were taken

    def take(self, key: suite.EncryptionKeyPair = KEY) -> bytes:
        data = self.reader.take_data()
        for payload in read(data):
            if payload[:1] == b"B" and payload[-100:] == b"." * 100:
                first, end = int.from_bytes(payload[1:5], "big"), int.from_bytes(payload[5:9], "big")
                self.got += [("E", index) for index in range(first, end)]
                self.got.append(("H", end - 1))
                continue
            for frame in self.channel.open_record(payload).frames:
                if isinstance(frame, frames.BackfillFrame):
                    self.note_past(frame)
                else:
                    assert isinstance(frame, frames.CommitShareFrame)
                    self.got.append(("slice", self.epoch_of(frame, key)))
        return data

    def note_past(self, past: frames.BackfillFrame) -> None:
        self.pasts.append(past)
        for said in past.entries:
            index = int.from_bytes(said.header, "big")
            whole = entry(index)
            if isinstance(said, frames.BackfilledEntry):
                assert said.body == whole.body
                self.got.append(("opened", index))
            else:
                assert said.digest == whole.digest
                self.got.append(("gone", index))
        self.got.append(("H", int.from_bytes(past.head, "big")))

    @staticmethod
    def epoch_of(sliced: frames.CommitShareFrame, key: suite.EncryptionKeyPair) -> int:
        for epoch in range(1, 100):
            try:
                assert commit.open_share(sliced.box, key, ROOM, MEMBER, epoch, GROUP_CONTEXT) == (SECRET, TAG)
            except PeerFault:
                continue
            return epoch
        raise AssertionError("a slice of no epoch")

    def read_on(self) -> list[Token]:
        """All that there is, taken and sent."""
        while not self.reader.is_through:
            self.take()
            self.reader.mark_sent()
        return self.got


class Readers(RuleBasedStateMachine):
    """A log, all that was ever put into it, and readers that come and go at their own pace."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        shrink(self.patch)
        self.log = Log()
        self.time = 0  # of the room, as the log knows it
        self.ttls: dict[int, int] = {}  # by index
        self.due: dict[int, int] = {}  # when entries go, by index
        self.gone: set[int] = set()
        self.spans: list[tuple[int, int]] = []  # of the batches: first, end
        self.commits: dict[int, int] = {}  # epochs by the index of their commit
        self.kept: list[int] = []  # epochs whose secret is still there
        self.epoch = 0
        self.forgotten = FIRST  # what is before has no bytes any more
        self.followers: list[tuple[int, int, Follower]] = []  # begun at, opened up to

    def teardown(self) -> None:
        self.patch.undo()

    def put(self, *ttls: int) -> None:
        first = self.log.end
        for index, ttl in enumerate(ttls, first):
            self.ttls[index] = ttl
            if ttl != KEPT:
                self.due[index] = self.time + (MINUTE if ttl == FLEETING else ttl * SECOND)
        oldest = self.log.oldest
        dropped = put(self.log, *ttls, time=self.time)
        self.spans.append((first, self.log.end))
        assert self.log.is_sealed
        assert [(it.first, it.end) for it in dropped] == self.batches(oldest, self.log.oldest)

    def batches(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Those that begin in between."""
        return [span for span in self.spans if begin <= span[0] < end]

    def span(self, index: int) -> tuple[int, int]:
        return next(span for span in self.spans if span[0] <= index < span[1])

    def has_bytes(self, index: int) -> bool:
        """Whether the batch with this entry is there as it was sent."""
        first, end = self.span(index)
        return first >= self.forgotten and not any(it in self.gone for it in range(first, end))

    @rule(ttls=st.lists(st.sampled_from([KEPT, KEPT, FLEETING, 1, 5, 90]), min_size=1, max_size=6))
    def append(self, ttls: list[int]) -> None:
        self.put(*ttls)

    @rule()
    def commit(self) -> None:
        self.put(KEPT)
        self.epoch += 1
        self.commits[self.log.end - 1] = self.epoch
        self.kept.append(self.epoch)
        self.log.end_epoch(turn(self.epoch))

    @precondition(lambda self: self.kept)
    @rule()
    def forget(self) -> None:
        epoch = self.kept.pop(0)
        [index] = [index for index, of in self.commits.items() if of == epoch]
        if index >= self.log.oldest:
            self.forgotten = index + 1
        self.log.forget_commit_secret(epoch)
        assert self.log.start > index

    @rule(more=st.sampled_from([0, 1, SECOND, 5 * SECOND, 30 * SECOND]))
    def expire(self, more: int) -> None:
        self.time += more
        passed = min((follower.reader.sent_up_to for _, _, follower in self.followers), default=self.log.end)
        over = {index for index, due in self.due.items() if due <= self.time and index not in self.gone}
        over |= {index for index, ttl in self.ttls.items() if ttl == FLEETING and index < passed} - self.gone
        assert self.log.expire_entries(self.time, passed) == bool(over)
        self.gone |= over

    @rule()
    def come(self) -> None:
        self.followers.append((self.log.end, self.log.end, Follower(self.log, self.log.end)))

    @rule(back=st.integers(0, 12))
    def come_from_before(self, back: int) -> None:
        """In the same epoch, from where some batch began."""
        firsts = [first for first, _ in self.spans if first >= self.log.start]
        cursor = [self.log.end, *reversed(firsts)][: back + 1][-1]
        self.followers.append((cursor, cursor, Follower(self.log, cursor)))

    @rule(back=st.integers(0, 2 * LOG_ENTRIES))
    def come_with_a_past(self, back: int) -> None:
        cursor = max(self.log.oldest, self.log.end - back)
        self.followers.append((cursor, self.log.end, Follower(self.log, cursor, self.log.end)))

    @precondition(lambda self: self.followers)
    @rule(number=st.integers(0, 9))
    def stop(self, number: int) -> None:
        _, _, follower = self.followers[number % len(self.followers)]
        if follower.end is None:
            follower.end = self.log.end
            follower.reader.stop_at_end()

    @precondition(lambda self: self.followers)
    @rule(number=st.integers(0, 9))
    def send(self, number: int) -> None:
        """What a reader gave has left."""
        follower = self.followers[number % len(self.followers)][2]
        follower.reader.mark_sent()
        follower.flying = set()

    @precondition(lambda self: self.followers)
    @rule(number=st.integers(0, 9), times=st.integers(1, 4))
    def read_on(self, number: int, times: int) -> None:
        number %= len(self.followers)
        follower = self.followers[number][2]
        for _ in range(times):
            self.send(number)
            through, before = follower.reader.is_through, len(follower.got)
            if follower.reader.lags:
                with pytest.raises(PeerFault, match="lagged"):
                    follower.take()
                del self.followers[number]
                return
            follower.take()
            new = follower.got[before:]
            assert bool(new) != through
            for how, index in new:
                if how in ("E", "opened", "gone"):
                    assert how == self.how(index, self.followers[number][1])
            follower.flying = {index for how, index in new if how in ("E", "opened")}
            follower.gone_before = set(self.gone)

    def how(self, index: int, opened: int) -> str:
        """The way in which an entry goes over a link now."""
        if index >= opened and self.has_bytes(index):
            return "E"
        return "gone" if index in self.gone else "opened"

    def expected(self, begun: int, opened: int, follower: Follower) -> list[Token]:
        end = self.log.end if follower.end is None else follower.end
        tokens: list[Token] = []
        for index in range(begun, end):
            tokens.append(("E", index))
            tokens += [("H", index)] * (index + 1 == self.span(index)[1])
            is_last = index + 1 == follower.end
            if index in self.commits and index >= opened and not is_last:
                tokens.append(("slice", self.commits[index]))
        return tokens

    @invariant()
    def everyone_has_read_exactly_what_lies_between(self) -> None:
        for begun, opened, follower in self.followers:
            expected = self.expected(begun, opened, follower)
            got = [("E" if how in ("opened", "gone") else how, index) for how, index in follower.got]
            if follower.end is not None and len(got) > len(expected):
                # Its commit share of the last commit had been sent before it was out.
                expected.append(("slice", self.commits[follower.end - 1]))
            assert got == expected[: len(got)]
            if follower.reader.is_through:
                assert got == expected

    @invariant()
    def the_log_holds_a_suffix_within_its_limits(self) -> None:
        assert self.log.end - self.log.oldest <= LOG_ENTRIES
        assert self.log.start == max(self.log.oldest, self.forgotten)
        batches = self.batches(self.log.oldest, self.log.end)
        held = sum(SIZES[0] for first, _ in batches if self.has_bytes(first))
        held += sum(len(entry(it).body) for it in range(self.log.oldest, self.log.end) if it not in self.gone)
        assert self.log.held_bytes == held
        assert held <= LOG_BYTES or len(batches) == 1

    @invariant()
    def nothing_that_is_gone_is_held(self) -> None:
        for index in range(self.log.oldest, self.log.end):
            batch = self.log.find_batch(index)
            assert (batch.first, batch.end) == self.span(index)
            found, whole = batch.entries[index - batch.first], entry(index)
            assert (found.header, found.digest) == (whole.header, whole.digest)
            assert found.body == (b"" if index in self.gone else whole.body)
            assert bool(batch.wire) == self.has_bytes(index)
        for payload in read(self.log.shared_piece):
            first, end = int.from_bytes(payload[1:5], "big"), int.from_bytes(payload[5:9], "big")
            assert first >= self.log.oldest
            assert not any(index in self.gone for index in range(first, end))

    @invariant()
    def who_has_something_that_is_gone_on_its_way_is_known(self) -> None:
        for _, _, follower in self.followers:
            since = self.gone - follower.gone_before
            assert follower.reader.holds_expired >= bool(follower.flying & since)
            around = {it for index in follower.flying for it in range(*self.span(index))}
            if follower.reader.sent_up_to >= self.log.oldest:
                assert follower.reader.holds_expired <= bool(around & since)

    @invariant()
    def the_next_expiry_is_when_something_goes(self) -> None:
        here = {index for index in self.due if index >= self.log.oldest or self.ttls[index] == FLEETING}
        due = [self.due[index] for index in here - self.gone]
        if any(ttl == FLEETING and index not in self.gone for index, ttl in self.ttls.items()):
            due.append(self.time + SECOND)
        assert self.log.next_expiry == min(due, default=None)

    @invariant()
    def nothing_is_sent_on_of_an_epoch_whose_secret_is_gone(self) -> None:
        for index, epoch in self.commits.items():
            if index >= self.log.oldest:
                known = self.log.find_batch(index).commit_secret
                assert (known is not None) == (epoch in self.kept and index >= self.log.start)
                assert known is None or known.epoch == epoch


TestReaders = Readers.TestCase
TestReaders.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_a_new_log_is_empty_at_its_first_place() -> None:
    log = Log()
    assert log.end == log.sealed_end == log.start == log.oldest == FIRST == 1
    assert log.join_batches(1, 1) == (b"", 1)
    assert log.is_sealed
    assert log.unsealed == []
    assert log.next_expiry is None
    assert log.find_index_since(0) == 1


def test_an_entry_shows_nothing_it_holds() -> None:
    log = filled(1)
    assert (repr(log.find_batch(1)), repr(log.find_batch(1).entries)) == ("<LogBatch>", "(<LogEntry>,)")


def test_a_head_lies_behind_the_last_entry_of_its_batch() -> None:
    """4.5: "entries one after another, perhaps none, and a head that covers them"."""
    log = Log()
    log.append_entry(b"one", entry(1))
    log.append_entry(b"two", entry(2))
    assert (log.end, log.sealed_end, log.is_sealed, log.unsealed) == (3, 1, False, [b"one", b"two"])
    log.seal_batch(head(2), b"wire", 7)
    assert (log.end, log.sealed_end, log.is_sealed, log.unsealed) == (3, 3, True, [])
    assert log.join_batches(1, 3) == (b"wire", 3)
    log.append_entry(b"three", entry(3))
    assert log.join_batches(1, log.sealed_end) == (b"wire", 3)
    batch = log.find_batch(2)
    assert (batch.first, batch.end, batch.head, batch.time) == (1, 3, head(2), 7)
    assert [it.open_for_backfill() for it in batch.entries] == [
        frames.BackfilledEntry(entry(it).header, entry(it).body) for it in (1, 2)
    ]


def test_nobody_gets_an_entry_before_its_head() -> None:
    """5.6: "A member MUST NOT apply an entry before its head is checked"."""
    log = filled(1)
    log.append_entry(b"two", entry(2))
    follower = Follower(log, 1)
    assert follower.read_on() == [("E", 1), ("H", 1)]
    assert follower.reader.is_through
    assert follower.take() == b""


@pytest.mark.parametrize("size", [129, 200, 1_000, 4_241, 5_345])
def test_a_batch_ends_where_one_more_entry_would_not_fit_the_usual_payload(size: int) -> None:
    """4.5: "end a batch where one more entry would make a payload of more than 64 units (`BATCH_BYTES`)"."""
    log, sealed = Log(), bytes(size)
    while log.fits_in_batch(sealed):
        log.append_entry(sealed, entry(log.end))
    epoch = Epoch.begin(bytes(32), GROUP_CONTEXT, MEMBER)

    def length(*more: bytes) -> int:
        packed = frames.pack(frames.Batch([*log.unsealed, *more], bytes(112)))
        return len(epoch.seal_batch(packed, bytes))

    assert length() == limits.BATCH_BYTES
    assert length(sealed, bytes(250)) == 2 * limits.BATCH_BYTES  # no two entries of the shortest would have fitted
    log.seal_batch(head(log.end - 1), b"", 0)
    assert log.fits_in_batch(sealed)


def test_an_entry_longer_than_the_usual_payload_has_a_batch_of_its_own() -> None:
    log = Log()
    assert log.fits_in_batch(bytes(limits.BATCH_BYTES))
    log.append_entry(bytes(limits.BATCH_BYTES), entry(1))
    assert not log.fits_in_batch(b"")
    log.seal_batch(head(1), b"wire", 0)
    log.append_entry(b"short", entry(2))
    assert not log.fits_in_batch(bytes(limits.BATCH_BYTES))


def test_readers_at_the_same_place_share_the_same_bytes() -> None:
    log = filled(1, 2)
    assert len(log.join_batches(1, 4)[0]) == 2 * SIZES[0]
    assert log.join_batches(1, 4)[0] is log.join_batches(1, 4)[0]


def test_what_was_read_before_does_not_stand_for_what_came_since() -> None:
    log = filled(1)
    assert log.join_batches(1, 2) == (sent(log, 1), 2)
    put(log, KEPT)
    assert log.join_batches(1, 3) == (sent(log, 1, 2), 3)
    assert log.join_batches(2, 3) == (sent(log, 2), 3)


def test_a_batch_ends_at_its_limit_and_between_entries() -> None:
    """Between batches, that is."""
    log = filled(2, 1, 1)
    assert log.join_batches(1, 5) == (sent(log, 1, 3), 4)
    assert log.join_batches(4, 5) == (sent(log, 4), 5)


def test_an_entry_over_the_batch_comes_alone() -> None:
    log = Log()
    for _ in range(2):
        put(log, KEPT, size=SIZES[2])
    assert log.join_batches(1, 3) == (sent(log, 1), 2)


def test_a_batch_ends_at_a_commit() -> None:
    """6.9: behind it comes what is each member's own."""
    log = filled(2)
    log.end_epoch(turn(1))
    put(log, KEPT)
    assert log.join_batches(1, 4) == (sent(log, 1), 3)
    assert log.join_batches(3, 4) == (sent(log, 3), 4)


def test_a_batch_ends_where_there_are_no_bytes() -> None:
    log = filled(1)
    put(log, 5)
    put(log, KEPT)
    assert log.join_batches(1, 4) == (sent(log, 1, 2), 3)
    log.expire_entries(5 * SECOND, 1)
    assert log.join_batches(1, 4) == (sent(log, 1), 2)
    assert log.join_batches(2, 4) == (b"", 2)
    assert log.join_batches(3, 4) == (sent(log, 3), 4)


def test_a_backfill_comes_in_pieces() -> None:
    log = filled(*[1] * 12)
    follower = Follower(log, 1, log.end)
    assert len(follower.take()) < 2 * BATCH
    assert 0 < len(follower.pasts) < 11
    assert follower.read_on() == [(how, index) for index in range(1, 13) for how in ("opened", "H")]


def test_a_backfill_begins_in_the_middle_of_a_batch_and_ends_with_it() -> None:
    """5.13: "A Past is a batch opened"; 5.18: the history begins anywhere."""
    log = filled(3)
    put(log, KEPT, KEPT, time=9)
    follower = Follower(log, 2, log.end)
    assert follower.read_on() == [("opened", 2), ("opened", 3), ("H", 3), ("opened", 4), ("opened", 5), ("H", 5)]
    assert [(past.head, past.index, past.time) for past in follower.pasts] == [(head(3), 5, 9), (head(5), 5, 9)]


def test_the_limits_drop_the_oldest() -> None:
    log = filled(*[1] * LOG_ENTRIES)
    log.expire_entries(0, 1)
    assert log.oldest == 13  # of 480 bytes each, and some
    log = Log()
    dropped = []
    for _ in range(LOG_ENTRIES + 1):
        log.append_entry(b"sealed", entry(log.end))
        dropped += log.seal_batch(head(log.end - 1), b"wire", 0)
    assert log.end == LOG_ENTRIES + 2
    assert log.oldest == log.start == log.end - LOG_ENTRIES * 7 // 8
    assert [(it.first, len(it.entries)) for it in dropped] == [(index, 1) for index in range(1, log.oldest)]


def test_the_limits_themselves_are_kept_whole() -> None:
    log = Log()
    for _ in range(LOG_ENTRIES // 6):
        assert put(log, *[KEPT] * 6) == []
    log = Log()
    for _ in range(LOG_BYTES // 500):
        assert put(log, KEPT, bodies=20) == []
    assert log.held_bytes == LOG_BYTES
    assert [it.first for it in put(log, KEPT, bodies=20)] == [1, 2, 3]  # an eighth more than need be


def test_bodies_count_against_the_limit_in_bytes() -> None:
    log = Log()
    put(log, KEPT, bodies=LOG_BYTES - 2 * SIZES[0])
    assert log.held_bytes == LOG_BYTES - SIZES[0]
    put(log, KEPT, bodies=1)
    assert log.start == log.oldest == 2


def test_a_head_counts_against_the_limit_in_bytes() -> None:
    """All that goes on the wire, that is: and yet the last batch stays, however long it is."""
    log = filled(1)
    put(log, KEPT, size=SIZES[4])
    assert log.start == log.oldest == 2
    assert log.join_batches(2, 3) == (sent(log, 2), 3)


def test_what_is_forgotten_with_a_commit_is_not_counted_any_more() -> None:
    log = Log()
    put(log, KEPT, size=SIZES[3])
    log.end_epoch(turn(1))
    log.forget_commit_secret(1)
    put(log, KEPT, size=SIZES[3])
    assert (log.oldest, log.start) == (1, 2)
    assert log.held_bytes == SIZES[3] + len(entry(1).body) + len(entry(2).body)


def test_what_is_dropped_for_want_of_room_is_not_shared_any_more() -> None:
    log = filled(1, 1)
    log.join_batches(1, 3)
    for _ in range(LOG_ENTRIES):
        put(log, KEPT)
    assert log.shared_piece == b""


def test_any_frame_fits_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert SIZES[-1] <= limits.WRITE_BYTES


@pytest.mark.parametrize(("time", "first"), [(0, 1), (1, 3), (10, 3), (11, 4), (20, 4), (21, 6)])
def test_the_first_entry_since_a_time_is_the_first_of_a_batch(time: int, first: int) -> None:
    """4.5: "The time of an entry is that of the head of its batch"."""
    log = Log()
    for ttls, at in (((KEPT, KEPT), 0), ((KEPT,), 10), ((KEPT, KEPT), 20)):
        put(log, *ttls, time=at)
    assert log.find_index_since(time) == first


# --- commits, on one member's way through it


def turned() -> Log:
    """An entry and a commit, and an entry of the next epoch."""
    log = filled(2)
    log.end_epoch(turn(1))
    put(log, KEPT)
    return log


def test_behind_a_commit_and_its_head_comes_the_commit_share_and_then_the_next_epoch() -> None:
    """6.9: "A commit ends its batch, ... Behind it, on each link, comes that member's Slice"."""
    follower = Follower(turned(), 1)
    follower.take()
    assert follower.got == [("E", 1), ("E", 2), ("H", 2), ("slice", 1)]
    follower.take()
    assert follower.got[4:] == [("E", 3), ("H", 3)]
    assert follower.reader.is_through


def test_a_commit_share_is_sealed_to_the_key_that_the_member_has_by_then() -> None:
    """2.7, 6.9"""
    follower = Follower(turned(), 1)
    follower.reader.encryption_key = NEW_KEY.public
    follower.take(NEW_KEY)
    assert ("slice", 1) in follower.got


def test_one_that_is_welcomed_behind_a_commit_gets_no_commit_share_of_it() -> None:
    log = filled(1)
    log.end_epoch(turn(1))
    followers = Follower(log, log.end), Follower(log, 1, log.end)
    put(log, KEPT)
    assert followers[0].read_on() == [("E", 2), ("H", 2)]
    assert followers[1].read_on() == [("opened", 1), ("H", 1), ("E", 2), ("H", 2)]


def test_one_that_comes_to_a_commit_after_its_welcome_gets_its_commit_share_though_it_was_shown_a_backfill() -> None:
    log = filled(1)
    follower = Follower(log, 1, log.end)
    put(log, KEPT)
    log.end_epoch(turn(1))
    put(log, KEPT)
    assert follower.read_on() == [("opened", 1), ("H", 1), ("E", 2), ("H", 2), ("slice", 1), ("E", 3), ("H", 3)]


def test_a_commit_share_follows_a_commit_also_where_its_batch_is_opened() -> None:
    """5.17, 6.9: something else in the batch has expired since."""
    log = Log()
    put(log, 5, KEPT)
    log.end_epoch(turn(1))
    put(log, KEPT)
    log.expire_entries(5 * SECOND, 1)
    follower = Follower(log, 1)
    assert follower.read_on() == [("gone", 1), ("opened", 2), ("H", 2), ("slice", 1), ("E", 3), ("H", 3)]


def test_one_who_is_out_gets_the_commit_that_says_so_and_no_commit_share() -> None:
    """6.8: nothing that is sealed to it, and nothing after."""
    for ttl in (KEPT, 5):
        log = Log()
        put(log, ttl, KEPT)
        follower = Follower(log, 1)
        log.end_epoch(turn(1))
        follower.reader.stop_at_end()
        put(log, KEPT)
        log.expire_entries(5 * SECOND, 1)
        assert follower.read_on()[-1] == ("H", 2)
        assert [index for how, index in follower.got if how != "H"] == [1, 2]
        assert follower.reader.is_through
        assert follower.take() == b""


def test_one_who_is_out_gets_nothing_after_its_end() -> None:
    """5.10: one who left, too, whose entry is no commit."""
    log = filled(1)
    follower = Follower(log, 1)
    follower.reader.stop_at_end()
    put(log, KEPT)
    assert follower.read_on() == [("E", 1), ("H", 1)]
    assert follower.reader.is_through


def test_a_laggard_that_has_not_come_to_a_commit_in_time_is_cut() -> None:
    """6.9"""
    log = turned()
    laggard, follower = Follower(log, 1), Follower(log, 3)
    log.forget_commit_secret(1)
    assert laggard.reader.lags
    with pytest.raises(PeerFault, match="lagged"):
        laggard.take()
    follower.take()
    assert follower.got == [("E", 3), ("H", 3)]
    assert log.find_batch(2).commit_secret is None


def test_one_who_is_out_and_has_read_it_all_does_not_lag() -> None:
    log = turned()
    follower = Follower(log, 1)
    follower.take()
    follower.reader.stop_at_end()
    follower.take()
    put(log, KEPT)
    log.end_epoch(turn(2))
    log.forget_commit_secret(1)
    log.forget_commit_secret(2)
    assert not follower.reader.lags
    assert follower.take() == b""


def test_what_was_opened_outlives_the_bytes() -> None:
    """5.12: for those who come back in another epoch."""
    log = turned()
    log.join_batches(1, 4)
    log.forget_commit_secret(1)
    assert (log.oldest, log.start, log.end) == (1, 3, 4)
    assert log.find_batch(1).wire == b""
    assert log.shared_piece == b""
    follower = Follower(log, 1, 4)
    assert not follower.reader.lags
    assert follower.read_on() == [("opened", 1), ("opened", 2), ("H", 2), ("opened", 3), ("H", 3)]


def test_one_whose_past_takes_longer_than_a_commit_is_kept_is_cut_at_the_commit() -> None:
    """6.9: "a link that has not come to it is cut": else it would have the commit, and no commit share of it ever."""
    log = filled(1)
    log.end_epoch(turn(1))
    follower = Follower(log, 1, log.end)
    put(log, KEPT)
    log.end_epoch(turn(2))
    for epoch in (1, 2):
        log.forget_commit_secret(epoch)
    assert not follower.reader.lags
    follower.take()
    assert follower.got == [("opened", 1), ("H", 1)]
    assert follower.reader.lags
    with pytest.raises(PeerFault, match="lagged"):
        follower.take()


def test_one_whose_past_is_dropped_while_it_reads_is_cut() -> None:
    log = filled(*[6] * (LOG_ENTRIES // 6))
    follower = Follower(log, 1, log.end)
    put(log, KEPT)
    assert follower.reader.lags
    with pytest.raises(PeerFault, match="lagged"):
        follower.take()


def test_a_key_that_cannot_be_sealed_to_costs_its_member_the_link_alone() -> None:
    log = turned()
    bad, good = Follower(log, 1), Follower(log, 1)
    bad.reader.encryption_key = KEY.public[:-32] + bytes(32)
    with pytest.raises(PeerFault, match="unusable-key"):
        bad.take()
    good.take()
    assert ("slice", 1) in good.got


# --- what expires


@pytest.mark.parametrize("ttl", [1, 60, 3_600, KEPT - 1])
def test_an_entry_is_gone_at_the_time_of_its_head_and_its_ttl_and_not_before(ttl: int) -> None:
    """5.16: "A text lives for its ttl ... Then everyone MUST drop its text, its sealed and opened body"."""
    log = Log()
    put(log, ttl, time=7)
    batch = log.find_batch(1)
    assert log.next_expiry == 7 + ttl * SECOND
    assert not log.expire_entries(7 + ttl * SECOND - 1, 2)
    assert (batch.entries[0].body, bool(batch.wire)) == (entry(1).body, True)
    assert log.expire_entries(7 + ttl * SECOND, 1)
    assert (batch.entries[0].body, batch.wire, log.held_bytes) == (b"", b"", 0)
    assert log.next_expiry is None
    assert not log.expire_entries(8 + ttl * SECOND, 2)


def test_of_what_is_gone_header_and_hash_stay() -> None:
    """5.16: "Header and H(body) stay as long as the log does"."""
    log = Log()
    put(log, 1, KEPT, 5)
    log.expire_entries(SECOND, 1)
    first, second, third = log.backfill_batch(1).entries
    assert first == frames.Tombstone(entry(1).header, entry(1).digest)
    assert second == frames.BackfilledEntry(entry(2).header, entry(2).body)
    assert third == frames.BackfilledEntry(entry(3).header, entry(3).body)


def test_what_is_kept_stays_for_ever() -> None:
    """4.1: "2^32 - 1 (`KEPT`): until the room ends"."""
    log = filled(1)
    assert log.next_expiry is None
    assert not log.expire_entries(2**52, 2)
    assert log.find_batch(1).wire


@pytest.mark.parametrize(("passed", "gone"), [(1, False), (2, False), (3, True), (9, True)])
def test_what_is_never_kept_goes_once_every_link_has_had_it(passed: int, gone: bool) -> None:
    """5.17: "Of ttl 0 it drops the body once every link has had it"."""
    log = Log()
    put(log, KEPT, FLEETING)
    assert log.next_expiry == SECOND
    assert log.expire_entries(SECOND, passed) == gone
    assert bool(log.find_batch(2).entries[1].body) != gone
    assert log.next_expiry == (None if gone else 2 * SECOND)


def test_what_is_never_kept_goes_after_a_minute_though_some_have_not_had_it() -> None:
    """5.17: "after 60 s at most (`FLEETING`)"."""
    log = Log()
    put(log, FLEETING, time=500)
    assert not log.expire_entries(60_499, 1)
    assert log.next_expiry == 60_500
    assert log.expire_entries(60_500, 1)
    assert log.find_batch(1).entries[0].body == b""


def test_what_is_never_kept_goes_where_nobody_else_is_there() -> None:
    log = Log()
    put(log, FLEETING)
    assert log.expire_entries(0, log.end)
    assert log.find_batch(1).entries[0].body == b""


def test_each_goes_at_its_own_time_in_whatever_order_they_came() -> None:
    log = Log()
    put(log, 90, 5, KEPT)
    put(log, 1, 30, time=2 * SECOND)
    times = []
    while (expiry := log.next_expiry) is not None:
        assert not log.expire_entries(expiry - 1, 1)
        assert log.expire_entries(expiry, 1)
        left = [it for it in range(1, 6) if log.find_batch(it).entries[it - log.find_batch(it).first].body]
        times.append((expiry // SECOND, left))
    assert times == [(3, [1, 2, 3, 5]), (5, [1, 3, 5]), (32, [1, 3]), (90, [3])]


def test_the_bytes_of_what_is_gone_count_no_more() -> None:
    log = Log()
    put(log, 5, KEPT)
    put(log, KEPT)
    assert log.held_bytes == 2 * SIZES[0] + sum(len(entry(it).body) for it in (1, 2, 3))
    log.expire_entries(5 * SECOND, 1)
    assert log.held_bytes == SIZES[0] + sum(len(entry(it).body) for it in (2, 3))
    log.end_epoch(turn(1))
    log.forget_commit_secret(1)
    assert log.held_bytes == sum(len(entry(it).body) for it in (2, 3))


def test_what_is_gone_is_no_longer_in_the_bytes_that_readers_share() -> None:
    """5.16: "and whatever holds them"."""
    log = filled(1)
    put(log, 5)
    assert len(log.join_batches(1, 3)[0]) == 2 * SIZES[0]
    log.expire_entries(5 * SECOND, 1)
    assert log.shared_piece == b""
    assert log.join_batches(1, 3) == (sent(log, 1), 2)


def test_what_expires_after_the_log_has_dropped_it_is_passed_over() -> None:
    log = Log()
    put(log, 5, FLEETING)
    for _ in range(LOG_ENTRIES):
        put(log, KEPT)
    held = log.held_bytes
    assert log.oldest > 2
    assert log.expire_entries(MINUTE, 1)
    assert log.held_bytes == held


def test_a_reader_gets_what_is_left_of_a_batch_and_all_around_it_as_it_was_sent() -> None:
    """5.17: "A host MUST NOT send it any more ... in its place goes Gone"."""
    log = filled(1)
    put(log, KEPT, 5, KEPT)
    put(log, KEPT)
    follower = Follower(log, 1)
    log.expire_entries(5 * SECOND, 1)
    assert follower.read_on() == [
        *[("E", 1), ("H", 1)],
        *[("opened", 2), ("gone", 3), ("opened", 4), ("H", 4)],
        *[("E", 5), ("H", 5)],
    ]
    [past] = follower.pasts
    assert (past.index, past.time) == (5, 5 * SECOND)


def test_one_who_was_welcomed_gets_no_more_than_gone_of_what_expired_meanwhile() -> None:
    log = Log()
    put(log, 5)
    follower = Follower(log, 1, log.end)
    log.expire_entries(5 * SECOND, 1)
    assert follower.read_on() == [("gone", 1), ("H", 1)]


# --- what is on its way when it expires


def test_bytes_that_are_not_out_when_something_in_them_expires_are_known() -> None:
    """5.17: "MUST cut links on whose way it still is"."""
    log = Log()
    put(log, 5)
    put(log, KEPT)
    slow, quick, later = Follower(log, 1), Follower(log, 1), Follower(log, 2)
    for follower in (slow, quick, later):
        assert not follower.reader.holds_expired
        follower.take()
    quick.reader.mark_sent()
    assert (slow.reader.sent_up_to, quick.reader.sent_up_to, later.reader.sent_up_to) == (1, 3, 2)
    log.expire_entries(5 * SECOND - 1, 1)
    assert not any(it.reader.holds_expired for it in (slow, quick, later))
    log.expire_entries(5 * SECOND, 1)
    assert [it.reader.holds_expired for it in (slow, quick, later)] == [True, False, False]
    slow.reader.mark_sent()
    assert not slow.reader.holds_expired


def test_so_they_are_though_more_was_taken_since() -> None:
    log = Log()
    put(log, 5)
    follower = Follower(log, 1)
    follower.take()
    put(log, KEPT)
    log.expire_entries(5 * SECOND, 1)
    assert follower.take()
    assert follower.reader.holds_expired


def test_so_they_are_where_it_was_opened() -> None:
    log = Log()
    put(log, KEPT)
    put(log, 5)
    follower = Follower(log, 1, log.end)
    follower.take()
    log.expire_entries(5 * SECOND, 1)
    assert follower.reader.holds_expired


def test_who_is_sent_what_was_gone_already_holds_nothing_that_is_gone() -> None:
    """Else whoever reads slowly what was before would be cut again and again."""
    log = Log()
    put(log, 5)
    put(log, KEPT)
    log.expire_entries(5 * SECOND, 1)
    same_epoch, welcomed = Follower(log, 1), Follower(log, 1, log.end)
    for follower in (same_epoch, welcomed):
        assert follower.take()
        assert not follower.reader.holds_expired
    put(log, 1, time=6 * SECOND)
    log.expire_entries(7 * SECOND, 1)
    assert not same_epoch.reader.holds_expired
    assert not welcomed.reader.holds_expired


def test_who_is_sent_opened_what_has_no_bytes_any_more_holds_nothing_that_is_gone() -> None:
    log = turned()
    log.forget_commit_secret(1)
    follower = Follower(log, 1, log.end)
    assert follower.take()
    assert not follower.reader.holds_expired


def test_what_the_log_has_dropped_since_it_was_taken_may_be_what_has_expired() -> None:
    log = Log()
    put(log, 5)
    follower = Follower(log, 1)
    follower.take()
    for _ in range(LOG_ENTRIES):
        put(log, KEPT)
    assert log.oldest > 2
    log.expire_entries(5 * SECOND, 1)
    assert follower.reader.holds_expired


def test_what_was_dropped_does_not_wait_for_its_end() -> None:
    log = Log()
    for _ in range(10 * LOG_ENTRIES):
        put(log, 10_000_000)
        assert log.scheduled <= LOG_ENTRIES
