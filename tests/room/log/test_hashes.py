"""The hashes of entries that a host keeps, to prove to a member what it has missed."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.room.log.hashes import LogHashes, ProofReader


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
    hashes = LogHashes()
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
        kept = max(1, hashes.first - 1) <= index <= count
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


def test_what_is_kept_takes_no_more_than_was_said() -> None:
    """limits.PROOF_ENTRIES: "9 MB"."""
    assert (limits.PROOF_ENTRIES + limits.PROOF_EXCESS) * (33 + 3 * 32) < 9e6
