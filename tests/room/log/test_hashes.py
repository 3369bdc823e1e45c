"""The hashes of entries that a host keeps, to prove to a member what it has missed."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto.epoch import KEPT
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter
from anonp2p.room.log.hashes import LogHashes, ProofReader
from anonp2p.room.log.log import Log
from anonp2p.room.log.reader import LogReader
from tests.room.log.parts import HELLO, KEY, MEMBER, SECRET, put


def header(index: int) -> bytes:
    return index.to_bytes(33, "big")


def body(index: int) -> bytes:
    return hashlib.sha256(header(index)).digest()


def digest(index: int) -> bytes:
    return hashlib.sha256(body(index)).digest()


def context(index: int) -> bytes | None:
    """Of every third entry."""
    return None if index % 3 else hashlib.sha256(digest(index)).digest()


def hashes_of(count: int) -> LogHashes:
    hashes = LogHashes(1, digest(0))
    for index in range(1, count + 1):
        hashes.append_entry(header(index), body(index), digest(index), context(index))
    return hashes


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PROOF_ENTRIES", 20)
    monkeypatch.setattr(limits, "PROOF_EXCESS", 4)
    monkeypatch.setattr(limits, "PROOF_STEPS", 3)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("count", range(60))
def test_the_latest_entries_are_kept_and_few_more(count: int) -> None:
    hashes = hashes_of(count)
    assert hashes.end == count + 1
    assert min(count, 20) <= hashes.end - hashes.first <= 24
    for index in range(count + 3):
        kept = hashes.first - 1 <= index <= count
        assert hashes.digest_at(index) == (digest(index) if kept else None)


@pytest.mark.usefixtures("_small")
@given(st.data())
def test_steps_are_those_between_two_places_in_pieces(data: st.DataObject) -> None:
    hashes = hashes_of(30)
    after = data.draw(st.integers(hashes.first - 1, 29))
    last = data.draw(st.integers(after + 1, 30))
    reader = ProofReader(hashes, after, last)
    pieces = []
    while reader.pieces_left:
        left = reader.pieces_left
        pieces.append(reader.take_steps())
        assert reader.pieces_left == left - 1
    assert all(1 <= len(piece) <= 3 for piece in pieces)
    steps = [step for piece in pieces for step in piece]
    assert steps == [header(index) + body(index) + (context(index) or b"") for index in range(after + 1, last + 1)]


@pytest.mark.usefixtures("_small")
def test_a_proof_that_is_read_too_slowly_lags() -> None:
    hashes = hashes_of(20)
    reader = ProofReader(hashes, 3, 20)
    assert not reader.lags
    for index in range(21, 26):
        hashes.append_entry(header(index), body(index), digest(index), context(index))
    assert hashes.first > 4
    assert reader.lags


def reader_of(log: Log, hashes: LogHashes, after: int, last: int) -> LogReader:
    """Of a link whose member is proven entries up to the last, and given what follows opened."""
    channel, proof = Channel(SECRET, HELLO, up=False), ProofReader(hashes, after, last)
    return LogReader(log, last + 1, MEMBER, KEY.public, channel, log.end, proof)


@pytest.mark.usefixtures("_small")
def test_a_link_is_given_the_proof_before_all_else_and_no_head_overtakes_it() -> None:
    log = Log()
    for _ in range(12):
        put(log, KEPT)
    reader = reader_of(log, hashes_of(12), 2, 10)
    member, got = Channel(SECRET, HELLO, up=True), []
    while not reader.is_through:
        left = reader.count_batches()
        for payload in Splitter(SIZES[-1]).feed_data(reader.take_data(single=True)):
            got += [type(frame) for frame in member.open_record(payload).frames]
        assert reader.count_batches() == left - 1
    assert got == [frames.ProofFrame] * 3 + [frames.BackfillFrame] * 2
    nothing_else = reader_of(log, hashes_of(12), 2, 12)
    assert not nothing_else.is_through
    assert nothing_else.take_data() != b""
    assert nothing_else.is_through


@pytest.mark.usefixtures("_small")
def test_who_reads_a_proof_too_slowly_is_left_behind() -> None:
    log, hashes = Log(), hashes_of(20)
    for _ in range(20):
        put(log, KEPT)
    reader = reader_of(log, hashes, 3, 20)
    assert not reader.lags
    for index in range(21, 26):
        hashes.append_entry(header(index), body(index), digest(index), context(index))
    assert reader.lags
    with pytest.raises(PeerFault, match="lagged"):
        reader.take_data()


def test_what_is_kept_takes_no_more_than_was_said() -> None:
    """limits.PROOF_ENTRIES: "9 MB"."""
    assert (limits.PROOF_ENTRIES + limits.PROOF_EXCESS) * (33 + 3 * 32) < 9e6
