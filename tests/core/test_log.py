"""The ordered log as bytes, against the simplest model of it: a list of everything that ever was in it."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from anonp2p import limits
from anonp2p.core.log import Log

LOG_BYTES, LOG_ENTRIES, BATCH = 400, 24, 60
HEAD = b"#" * 9


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a test can reach."""
    shrink(monkeypatch)


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LOG_BYTES", LOG_BYTES), ("LOG_ENTRIES", LOG_ENTRIES), ("BATCH", BATCH)):
        monkeypatch.setattr(limits, name, value)


def filled(entries: list[bytes], first: int = 1) -> Log:
    log = Log(first)
    for entry in entries:
        log.append(entry, digest(log.end))
    return log


def digest(index: int) -> bytes:
    """Stands for the log's hash up to this entry."""
    return index.to_bytes(32, "big")


def read(log: Log, cursor: int) -> bytes:
    """All that a reader at this place gets, batch by batch."""
    whole = b""
    while (batch := log.since(cursor)) is not None and batch[0]:
        whole += batch[0]
        assert batch[1] > cursor
        cursor = batch[1]
    assert batch == (b"", log.end)
    return whole


class Readers(RuleBasedStateMachine):
    """A log, all that was ever put into it, and readers that come and go at their own pace."""

    @initialize(first=st.integers(0, 2**53))
    def open(self, first: int) -> None:
        self.patch = pytest.MonkeyPatch()
        shrink(self.patch)
        self.first = first
        self.log = Log(first)
        self.all: list[bytes] = []
        self.readers: list[tuple[int, int, bytes]] = []  # begun at, cursor, read since

    def teardown(self) -> None:
        if hasattr(self, "patch"):
            self.patch.undo()

    @rule(size=st.integers(1, BATCH - len(HEAD)), count=st.integers(1, 6))
    def append(self, size: int, count: int) -> None:
        """A burst. Nobody reads before it has its head."""
        assert self.log.is_sealed
        for _ in range(count):
            assert self.log.end == self.first + len(self.all)
            entry = str(len(self.all)).encode().rjust(size, b".")[-size:]
            self.all.append(entry)
            self.log.append(entry, digest(self.log.end))
            assert not self.log.is_sealed
        self.all[-1] += HEAD
        self.log.seal(HEAD)
        assert self.log.is_sealed

    @rule()
    def come(self) -> None:
        self.readers.append((self.log.end, self.log.end, b""))

    @rule(back=st.integers(0, 2 * LOG_ENTRIES))
    def come_from_before(self, back: int) -> None:
        cursor = max(self.first, self.log.end - back)
        if self.log.since(cursor) is not None:
            self.readers.append((cursor, cursor, b""))

    @rule(number=st.integers(0, 9))
    def read_on(self, number: int) -> None:
        if not self.readers:
            return
        number %= len(self.readers)
        begun, cursor, got = self.readers[number]
        batch = self.log.since(cursor)
        if batch is None:
            del self.readers[number]  # lagged too far behind
            return
        assert len(batch[0]) <= BATCH
        assert (batch[1] > cursor) == (cursor < self.log.end)
        self.readers[number] = begun, batch[1], got + batch[0]

    @invariant()
    def everyone_has_read_exactly_what_lies_between(self) -> None:
        for begun, cursor, got in self.readers:
            assert got == b"".join(self.all[begun - self.first : cursor - self.first])

    @invariant()
    def the_log_holds_a_suffix_within_its_limits(self) -> None:
        held = [cursor for cursor in range(self.first, self.log.end + 1) if self.log.since(cursor) is not None]
        assert held == list(range(held[0], self.log.end + 1))
        suffix = self.all[held[0] - self.first :]
        assert len(suffix) <= LOG_ENTRIES
        assert sum(map(len, suffix)) <= LOG_BYTES + len(HEAD)
        assert read(self.log, held[0]) == b"".join(suffix)

    @invariant()
    def one_who_has_anything_of_it_goes_on_behind_it(self) -> None:
        for index in range(max(0, self.log.start - 2), self.log.end + 2):
            cursor = self.log.cursor_after(index, digest(index))
            assert cursor == (index + 1 if self.log.start <= index < self.log.end else None)
            assert self.log.cursor_after(index, bytes(31) + b"?") is None

    @invariant()
    def no_more_is_dropped_than_an_eighth_below_the_limits(self) -> None:
        start = next(cursor for cursor in range(self.first, self.log.end + 1) if self.log.since(cursor) is not None)
        if start > self.first:
            kept = self.all[start - self.first - 1 :]  # and one more
            assert len(kept) > LOG_ENTRIES * 7 // 8 or sum(map(len, kept)) > LOG_BYTES * 7 // 8


TestReaders = Readers.TestCase
TestReaders.settings = settings(max_examples=60, stateful_step_count=30)


def test_a_new_log_is_empty_at_its_first_place() -> None:
    log = Log(7)
    assert log.end == 7
    assert log.since(7) == (b"", 7)
    assert log.since(6) is None


def test_readers_at_the_same_place_share_the_same_bytes() -> None:
    log = filled([b"one", b"two"])
    one, other = log.since(1), log.since(1)
    assert one is not None
    assert other is not None
    assert one[0] is other[0]


def test_what_was_read_before_does_not_stand_for_what_came_since() -> None:
    log = filled([b"one"])
    assert log.since(1) == (b"one", 2)
    log.append(b"two", digest(2))
    assert log.since(1) == (b"onetwo", 3)
    assert log.since(2) == (b"two", 3)


def test_a_batch_ends_at_its_limit_and_between_entries() -> None:
    log = filled([b"x" * 25] * 3)
    assert log.since(1) == (b"x" * 50, 3)
    assert log.since(3) == (b"x" * 25, 4)
    assert filled([b"x" * (BATCH // 2)] * 3).since(1) == (b"x" * BATCH, 3)


def test_an_entry_over_the_batch_comes_alone() -> None:
    log = filled([b"x" * (BATCH + 1), b"y"])
    assert log.since(1) == (b"x" * (BATCH + 1), 2)


def test_what_is_dropped_is_known_as_such() -> None:
    log = filled([b"x"] * (LOG_ENTRIES + 1))
    assert log.since(1) is None
    assert log.end == LOG_ENTRIES + 2
    assert read(log, log.end - 1) == b"x"


def test_the_limit_in_bytes_holds_too() -> None:
    log = filled([b"x" * 50] * (LOG_BYTES // 50 + 1))
    assert log.since(1) is None
    assert log.end == LOG_BYTES // 50 + 2


def test_the_limits_themselves_are_kept_whole() -> None:
    assert filled([b"x"] * LOG_ENTRIES).since(1) is not None
    assert filled([b"x" * 50] * (LOG_BYTES // 50)).since(1) is not None


def test_any_frame_fits_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 2 + limits.FRAME <= limits.BATCH


def test_a_head_lies_behind_the_last_entry_of_its_burst() -> None:
    log = Log(1)
    assert log.is_sealed
    log.append(b"one", digest(1))
    log.append(b"two", digest(2))
    assert not log.is_sealed
    log.seal(b"#head")
    assert log.is_sealed
    log.append(b"three", digest(3))
    assert not log.is_sealed
    log.seal(b"#end")
    assert log.since(1) == (b"onetwo#headthree#end", 4)
    assert log.since(2) == (b"two#headthree#end", 4)
    assert log.since(3) == (b"three#end", 4)


def test_a_head_counts_against_the_limit_in_bytes() -> None:
    log = filled([b"x" * 50] * (LOG_BYTES // 50 - 1))
    log.seal(b"#" * 50)
    log.append(b"y", digest(log.end))
    assert log.since(1) is None
    assert log.end == LOG_BYTES // 50 + 1


def test_one_who_has_an_entry_goes_on_behind_it() -> None:
    log = filled([b"one", b"two", b"three"])
    for index in (1, 2, 3):
        assert log.cursor_after(index, digest(index)) == index + 1


def test_one_who_has_another_log_goes_on_nowhere() -> None:
    log = filled([b"one", b"two", b"three"])
    assert log.cursor_after(2, digest(3)) is None
    assert log.cursor_after(2, bytes(32)) is None


@pytest.mark.parametrize("index", [0, 4, 5, 2**53 - 1])
def test_one_who_has_what_is_not_in_the_log_goes_on_nowhere(index: int) -> None:
    assert filled([b"one", b"two", b"three"]).cursor_after(index, digest(index)) is None
    assert Log(1).cursor_after(index, digest(index)) is None


def test_one_who_has_what_the_log_has_dropped_goes_on_nowhere() -> None:
    log = filled([b"x"] * (LOG_ENTRIES + 1))
    held = [index for index in range(log.end + 2) if log.cursor_after(index, digest(index)) is not None]
    assert held == list(range(log.start, log.end))
    assert log.start > 1
