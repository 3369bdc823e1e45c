"""The ordered log: batches, limits, commits, what expires, and what one link gets of it."""

from typing import Any

import pytest

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT, Epoch
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol.batches import BackfilledEntry, Batch, RetractedEntry, Tombstone
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import pack
from anonp2p.protocol.wire import Splitter
from anonp2p.room.log.log import Log, Retraction
from anonp2p.room.log.reader import LogReader
from tests.room.log.parts import (
    GROUP_CONTEXT,
    HELLO,
    KEY,
    LOG_BYTES,
    LOG_ENTRIES,
    MEMBER,
    NEW_KEY,
    SECOND,
    SECRET,
    Follower,
    entry,
    filled,
    head,
    put,
    sent,
    shrink,
    turn,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can reach."""
    shrink(monkeypatch)


def test_an_entry_shows_nothing_it_holds() -> None:
    log = filled(1)
    assert (repr(log.find_batch(1)), repr(log.find_batch(1).entries)) == ("<LogBatch>", "(<LogEntry>,)")


def test_a_head_lies_behind_the_last_entry_of_its_batch() -> None:
    """4.5: "entries one after another, perhaps none, and a head that covers them"."""
    log = Log()
    log.append_entry(b"one", entry(1))
    log.append_entry(b"two", entry(2))
    assert (log.end, log.sealed_end, log.is_sealed, [it for _, it in log.unsealed]) == (3, 1, False, [b"one", b"two"])
    log.seal_batch(head(2), b"wire", 7)
    assert (log.end, log.sealed_end, log.is_sealed, log.unsealed) == (3, 3, True, [])
    assert log.join_batches(1, 3)[:2] == (b"wire", 3)
    log.append_entry(b"three", entry(3))
    assert log.join_batches(1, log.sealed_end)[:2] == (b"wire", 3)
    batch = log.find_batch(2)
    assert (batch.first, batch.end, batch.head, batch.time) == (1, 3, head(2), 7)
    assert [it.open_for_backfill() for it in batch.entries] == [
        BackfilledEntry(entry(it).header, entry(it).body) for it in (1, 2)
    ]


def test_heads_alone_take_no_room_however_long_nobody_talks() -> None:
    """A member has one every few seconds."""
    log = filled(1)
    for time in (8, 9):
        assert log.seal_batch(head(1), b"", time) == []
    assert (len(log.batches), log.time, log.head) == (1, 9, head(1))


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
        entries = [*(it for _, it in log.unsealed), *more]
        packed = pack(Batch(entries, [None] * len(entries), bytes(112)))
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


@pytest.mark.parametrize(
    ("batches", "dropped"),
    [
        ([(6, 0, None)] * 5, [1, 7]),
        ([(1, 0, 20)] * 13, [1, 2, 3]),  # an eighth more than need be
        ([(1, 0, LOG_BYTES - 2 * SIZES[0]), (1, 0, 1)], [1]),
        ([(1, 0, None), (1, 4, None)], [1]),
    ],
    ids=["entries", "bytes", "bodies", "the last batch stays, however long it is"],
)
def test_a_log_beyond_a_limit_drops_the_oldest(batches: list[tuple[int, int, int | None]], dropped: list[int]) -> None:
    """Of entries, their sizes on the wire, and the sizes of their bodies."""
    log = Log()
    *fitting, last = [
        put(log, *[KEPT] * entries, size=SIZES[size], body_size=body_size) for entries, size, body_size in batches
    ]
    assert fitting == [[]] * len(fitting)
    assert [batch.first for batch in last] == dropped


@pytest.mark.parametrize(
    ("entries", "sizes", "cursor", "cursor_after"),
    [
        ([1, 1], [0, 0], 1, 3),
        ([2, 1, 1], [0, 0, 0], 1, 4),  # three would not fit
        ([2, 1, 1], [0, 0, 0], 4, 5),
        ([1, 1], [2, 2], 1, 2),  # each of them is over the limit
    ],
)
def test_a_piece_for_a_link_ends_between_batches_at_its_limit(
    entries: list[int], sizes: list[int], cursor: int, cursor_after: int
) -> None:
    log, firsts = Log(), []
    for count, size in zip(entries, sizes, strict=True):
        firsts.append(log.end)
        put(log, *[KEPT] * count, size=SIZES[size])
    expected = sent(log, *(first for first in firsts if cursor <= first < cursor_after))
    assert log.join_batches(cursor, log.end)[:2] == (expected, cursor_after)


# What is put into a log, "C" for a commit: where its reader begins, up to where it is opened, whether the member is out
# with what comes last but one, when something has expired, and what it gets.
READINGS: dict[str, tuple[list[Any], int, int | None, bool, int, str]] = {
    "a commit comes opened, with its share": ([KEPT, "C", KEPT], 1, None, False, 0, "E1 H1 O2 H2 S1 E3 H3"),
    "welcomed behind a commit": (["C", KEPT], 2, None, False, 0, "E2 H2"),
    "welcomed behind a commit, shown it opened": (["C", KEPT], 1, 2, False, 0, "O1 H1 E2 H2"),
    "a commit after a backfill": ([KEPT, "C", KEPT], 1, 2, False, 0, "O1 H1 O2 H2 S1 E3 H3"),
    "a commit behind what has expired": ([[5, "C"], KEPT], 1, None, False, 5, "G1 O2 H2 S1 E3 H3"),
    "out with a commit": ([KEPT, "C", KEPT], 1, None, True, 0, "E1 H1 O2 H2"),
    "out with a commit that is opened": ([[5, "C"], KEPT], 1, None, True, 5, "G1 O2 H2"),
    "out without a commit": ([KEPT, KEPT], 1, None, True, 0, "E1 H1"),
    "expired in the middle of a batch": ([KEPT, [KEPT, 5, KEPT], KEPT], 1, None, False, 5, "E1 H1 O2 G3 O4 H4 E5 H5"),
    "expired after its welcome": ([5], 1, 2, False, 5, "G1 H1"),
}


@pytest.mark.parametrize("case", READINGS)
def test_a_link_gets_what_is_its_members(case: str) -> None:
    """5.10, 5.17, 6.8, 6.9: "Behind it, on each link, comes that member's CommitShare"."""
    batches, cursor, opened, is_out, time, expected = READINGS[case]
    log, commits = Log(), 0
    follower = Follower(log, cursor, opened)
    for number, batch in enumerate(batches, 1):
        ttls = batch if isinstance(batch, list) else [batch]
        put(log, *(KEPT if ttl == "C" else ttl for ttl in ttls))
        if "C" in ttls:
            commits += 1
            log.end_epoch(turn(commits))
        if is_out and number == len(batches) - 1:
            follower.reader.stop_at_end()
    log.expire_entries(time * SECOND, 1)
    letters = {"E": "E", "H": "H", "slice": "S", "opened": "O", "gone": "G"}
    assert " ".join(f"{letters[how]}{index}" for how, index in follower.read_on()) == expected
    assert follower.reader.is_through
    assert follower.take() == b""


def test_a_backfill_begins_in_the_middle_of_a_batch_and_ends_with_it() -> None:
    """5.13: "A Backfill is a batch opened"; 5.18: the history begins anywhere."""
    log = filled(3)
    put(log, KEPT, KEPT, time=9)
    follower = Follower(log, 2, log.end)
    assert follower.read_on() == [("opened", 2), ("opened", 3), ("H", 3), ("opened", 4), ("opened", 5), ("H", 5)]
    assert [(past.head, past.now) for past in follower.pasts] == [(head(3), head(5)), (head(5), head(5))]


@pytest.mark.parametrize("opened", [1, 3, 4])
def test_a_reader_counts_the_batches_that_wait_and_gives_them_one_by_one(opened: int) -> None:
    """2.10: as they were sent, or as backfills."""
    log = filled(1, 2, 1)
    reader = LogReader(log, 2, MEMBER, KEY.public, Channel(SECRET, HELLO, up=False), opened)
    for left in (2, 1):
        assert reader.count_batches() == left
        assert len(list(Splitter(SIZES[-1]).feed_data(reader.take_data(single=True)))) == 1
    assert reader.count_batches() == 0
    assert reader.take_data(single=True) == b""


def test_any_frame_fits_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert SIZES[-1] <= limits.WRITE_BYTES
    assert 2 * SIZES[-1] > limits.WRITE_BYTES, "over Tor more waits for seconds, and is cut when anything of it expires"


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


def test_a_commit_share_is_sealed_to_the_key_that_the_member_has_by_then() -> None:
    """2.7, 6.9"""
    follower = Follower(turned(), 1)
    follower.reader.encryption_key = NEW_KEY.public
    follower.take(NEW_KEY)
    assert ("slice", 1) in follower.got


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


def test_what_was_opened_outlives_the_bytes() -> None:
    """5.12: for those who come back in another epoch."""
    log = turned()
    log.forget_commit_secret(1)
    assert (log.oldest, log.start, log.end) == (1, 3, 4)
    assert log.find_batch(1).wire == b""
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
    assert (batch.entries[0].body, batch.wire) == (b"", b"")
    assert log.next_expiry is None
    assert not log.expire_entries(8 + ttl * SECOND, 2)


def test_of_what_is_gone_header_and_hash_stay() -> None:
    """5.16: "Header and H(body) stay as long as the log does"."""
    log = Log()
    put(log, 1, KEPT, 5)
    log.expire_entries(SECOND, 1)
    first, second, third = log.backfill_batch(1).entries
    assert first == Tombstone(entry(1).header, entry(1).digest)
    assert second == BackfilledEntry(entry(2).header, entry(2).body)
    assert third == BackfilledEntry(entry(3).header, entry(3).body)


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


RETRACTION = Retraction(7, b"h" * 33, b"a Retract")


def test_what_is_retracted_goes_once_a_head_covers_the_retraction() -> None:
    """5.13, 5.20: in its place goes what shows that its author wanted it."""
    log = Log()
    put(log, KEPT, 3_600)
    log.append_entry(b"sealed", entry(log.end))
    log.retract_entry(2, RETRACTION)
    assert isinstance(log.backfill_batch(1).entries[1], BackfilledEntry)
    log.seal_batch(head(3), b"", 9)
    assert log.end_retracted()
    gone = log.backfill_batch(1)
    whole = entry(2)
    assert gone.entries[1] == RetractedEntry(whole.header, whole.digest, 7, b"h" * 33, b"a Retract")
    assert isinstance(gone.entries[0], BackfilledEntry)
    assert log.find_batch(1).wire == b""
    assert not log.end_retracted()


def test_what_is_retracted_in_its_own_batch_is_never_sent() -> None:
    log = Log()
    log.append_entry(b"sealed", entry(1))
    log.append_entry(b"sealed", entry(2))
    log.retract_entry(1, RETRACTION)
    log.seal_batch(head(2), b"a batch", 0)
    log.end_retracted()
    follower = Follower(log, 1)
    assert follower.read_on() == [("gone", 1), ("opened", 2), ("H", 2)]


def test_what_is_gone_already_is_not_retracted_nor_does_what_was_retracted_expire() -> None:
    """Links that hold nothing of it are left alone."""
    log = Log()
    put(log, 1, 2)
    log.expire_entries(1_000, 1)
    log.append_entry(b"sealed", entry(log.end))
    log.retract_entry(1, RETRACTION)
    log.retract_entry(2, RETRACTION)
    log.retract_entry(2, RETRACTION)
    log.seal_batch(head(3), b"", 1_000)
    before = log.expiries
    assert log.end_retracted()
    assert log.expiries == before + 1
    assert not log.expire_entries(2_000, 1)
    assert log.expiries == before + 1


def test_bytes_that_are_not_out_when_something_in_them_is_retracted_are_known() -> None:
    """5.17"""
    log = filled(2)
    late, early = Follower(log, 1), Follower(log, 1)
    early.read_on()
    late.take()
    log.append_entry(b"sealed", entry(3))
    log.retract_entry(1, RETRACTION)
    log.seal_batch(head(3), b"a batch", 0)
    log.end_retracted()
    assert late.reader.holds_expired
    assert not early.reader.holds_expired


def test_what_was_dropped_does_not_wait_for_its_end() -> None:
    log = Log()
    put(log, 10_000_000)
    for _ in range(LOG_ENTRIES):
        put(log, KEPT)
    assert log.next_expiry is None
