"""The ordered log, batch by batch, against the simplest model of it: a list of everything that ever was in it."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.room.log.log import FIRST, Log
from tests.room.log.parts import (
    LOG_BYTES,
    LOG_ENTRIES,
    MINUTE,
    SECOND,
    Follower,
    Token,
    entry,
    held_batches,
    put,
    shrink,
    turn,
)


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
        assert self.log.oldest == self.oldest_kept(oldest)
        assert [(it.first, it.end) for it in dropped] == self.batches(oldest, self.log.oldest)
        self.due = {at: due for at, due in self.due.items() if at >= self.log.oldest or self.ttls[at] == FLEETING}

    def oldest_kept(self, oldest: int) -> int:
        """Where the log begins after a new batch: beyond a limit, it is cut back to seven eighths of both."""
        if self.fits(oldest, 1):
            return oldest
        firsts = [first for first, _ in self.batches(oldest, self.log.end)]
        return next((first for first in firsts if self.fits(first, 7 / 8)), firsts[-1])

    def fits(self, oldest: int, share: float) -> bool:
        """Whether what is there from this index on is within this share of the limits."""
        held = sum(SIZES[0] for first, _ in self.batches(oldest, self.log.end) if self.has_bytes(first))
        held += sum(len(entry(it).body) for it in range(oldest, self.log.end) if it not in self.gone)
        return held <= LOG_BYTES * share and self.log.end - oldest <= LOG_ENTRIES * share

    def batches(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Those that begin in between."""
        return [span for span in self.spans if begin <= span[0] < end]

    def span(self, index: int) -> tuple[int, int]:
        return next(span for span in self.spans if span[0] <= index < span[1])

    def has_bytes(self, index: int) -> bool:
        """Whether the batch with this entry is there as it is sent, sealed: one with a commit is not."""
        first, end = self.span(index)
        is_whole = not any(it in self.gone for it in range(first, end))
        return first >= self.forgotten and is_whole and end - 1 not in self.commits

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
    def what_is_sent_as_it_was_begins_behind_what_was_forgotten(self) -> None:
        assert self.log.start == max(self.log.oldest, self.forgotten)

    @invariant()
    def nothing_that_is_gone_is_held(self) -> None:
        for index in range(self.log.oldest, self.log.end):
            batch = self.log.find_batch(index)
            assert (batch.first, batch.end) == self.span(index)
            found, whole = batch.entries[index - batch.first], entry(index)
            assert (found.header, found.digest) == (whole.header, whole.digest)
            assert found.body == (b"" if index in self.gone else whole.body)
            assert bool(batch.wire) == self.has_bytes(index)
        for first, end in held_batches(self.log):
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
