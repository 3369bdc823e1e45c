"""The link of a transfer: both ends against each other, and either against one that lies."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import transfer
from anonp2p.protocol.transfer import (
    Answer,
    Chunk,
    Claim,
    Done,
    FetchingEnd,
    HashList,
    ListPiece,
    NotServed,
    Queued,
    Request,
    ServingEnd,
    Want,
)

SECRET, OURS, THEIRS = b"s" * 32, b"o" * 32, b"t" * 32
CLAIM = bytes(range(transfer.CLAIM))
SIZE = 2 * limits.CHUNK + 5  # bytes: three chunks
SHORT = transfer.SHORT + suite.TAG


def feed(end: ServingEnd | FetchingEnd, data: bytes, step: int = 1 << 20) -> Iterator[Request | Answer]:
    """What these bytes complete, given in pieces no longer than may be read."""
    at = 0
    while at < len(data):
        piece = data[at : at + min(step, end.missing)]
        at += len(piece)
        if (got := end.receive_data(piece)) is not None:
            yield got


def greeted(size: int = SIZE) -> tuple[ServingEnd, FetchingEnd]:
    serving, fetching = ServingEnd(SECRET, OURS, size), FetchingEnd(SECRET, THEIRS, size)
    assert list(feed(fetching, OURS)) == []
    assert list(feed(serving, fetching.nonce)) == []
    return serving, fetching


def claimed(size: int = SIZE) -> tuple[ServingEnd, FetchingEnd]:
    serving, fetching = greeted(size)
    assert list(feed(serving, fetching.seal_claim(CLAIM))) == [Claim(CLAIM)]
    return serving, fetching


def test_both_ends_know_the_same_challenge_that_both_have_drawn() -> None:
    serving, fetching = greeted()
    assert serving.challenge == fetching.challenge == OURS + THEIRS


@given(st.integers(1, 200_000))
def test_what_is_wanted_comes_in_its_order_in_pieces_of_any_size(step: int) -> None:
    serving, fetching = claimed()
    wants = Want("list", 0, 1), Want("chunks", 1, 2)
    assert list(feed(serving, b"".join(map(fetching.seal_want, wants)), step)) == list(wants)
    data = serving.seal_waiting(3) + serving.seal_piece(b"h" * 96) + serving.seal_chunk(b"b" * limits.CHUNK)
    data += serving.seal_chunk(b"c" * 5) + serving.seal_refusal("over")
    assert list(feed(fetching, data, step)) == [
        *(Queued(3), ListPiece(0, b"h" * 96), Chunk(1, b"b" * limits.CHUNK), Chunk(2, b"c" * 5), NotServed("over")),
    ]
    assert fetching.wants == ()
    assert list(feed(serving, fetching.seal_done(), step)) == [Done()]


def test_all_records_of_one_direction_and_kind_are_of_one_length() -> None:
    serving, fetching = claimed()
    want, done = fetching.seal_want(Want("chunks", 0, 3)), fetching.seal_done()
    assert {len(record) for record in (want, done)} == {SHORT}
    assert len(serving.seal_waiting(0)) == len(serving.seal_refusal("crowded")) == 1 + SHORT
    assert len(serving.seal_piece(b"h" * 96)) == len(serving.seal_chunk(b"c")) == 1 + transfer.LONG + suite.TAG


def test_neither_end_reads_more_than_what_comes_next() -> None:
    serving, fetching = ServingEnd(SECRET, OURS, SIZE), FetchingEnd(SECRET, THEIRS, SIZE)
    assert (serving.missing, fetching.missing) == (transfer.HELLO, transfer.HELLO)
    serving, fetching = claimed()
    assert (serving.missing, fetching.missing) == (SHORT, 1)
    fetching.receive_data(b"\1")
    assert fetching.missing == transfer.LONG + suite.TAG


def refused_by_serving(record: Callable[[FetchingEnd], bytes], *, claim: bool = True) -> str:
    serving, fetching = claimed() if claim else greeted()
    with pytest.raises(PeerFault) as caught:
        list(feed(serving, record(fetching)))
    return caught.value.fault


def three_wants(fetching: FetchingEnd) -> bytes:
    return b"".join(fetching.seal_want(Want("chunks", number, 1)) for number in range(3))


def edited(record: bytes, at: int) -> bytes:
    return record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]


@pytest.mark.parametrize(
    ("record", "claim", "fault"),
    [
        (lambda it: it.seal_want(Want("chunks", 0, 1)), False, "unexpected-request"),
        (lambda it: it.seal_done(), False, "unexpected-request"),
        (lambda it: it.seal_claim(CLAIM), True, "unexpected-request"),
        (three_wants, True, "unexpected-request"),
        (lambda it: it.seal_want(Want("chunks", 0, 0)), True, "malformed"),
        (lambda it: it.seal_want(Want("chunks", 0, 4)), True, "malformed"),
        (lambda it: it.seal_want(Want("chunks", 3, 1)), True, "malformed"),
        (lambda it: it.seal_want(Want("chunks", 2**32 - 1, 2)), True, "malformed"),
        (lambda it: it.seal_want(Want("list", 0, 2)), True, "malformed"),
        (lambda it: edited(it.seal_done(), 0), True, "unreadable-record"),
        (lambda it: edited(it.seal_done(), SHORT - 1), True, "unreadable-record"),
        (lambda it: it.seal_done() and it.seal_done(), True, "unreadable-record"),  # one is left out
        (lambda it: bytes(SHORT), False, "unreadable-record"),
    ],
)
def test_what_no_fetcher_sends_is_a_fault(record: Callable[[FetchingEnd], bytes], claim: bool, fault: str) -> None:
    assert refused_by_serving(record, claim=claim) == fault


def sealed_up(text: bytes) -> bytes:
    """A record of a fetcher with any text, as the first one."""
    key = suite.Key(suite.expand(SECRET, "fetch keys", OURS + THEIRS))
    return key.seal_text(0, text.ljust(transfer.SHORT, b"\0"))


def sealed_down(text: bytes, kind: bytes) -> bytes:
    """The same of who serves."""
    key = suite.Key(suite.expand(SECRET, "serve keys", OURS + THEIRS))
    return kind + key.seal_text(0, text.ljust(transfer.LONG if kind == b"\1" else transfer.SHORT, b"\0"), kind)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (bytes([0]), "unexpected-request"),
        (bytes([1]) + CLAIM + b"!", "padding"),
        (bytes([1]) + CLAIM.ljust(255, b"!"), "padding"),
    ],
)
def test_a_claim_is_first_and_nothing_else_is_beside_it(text: bytes, fault: str) -> None:
    serving, _ = greeted()
    with pytest.raises(PeerFault) as caught:
        list(feed(serving, sealed_up(text)))
    assert caught.value.fault == fault


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\2", "malformed"),
        (sealed_down(bytes([0]), b"\0"), "malformed"),
        (sealed_down(bytes([3]), b"\0"), "malformed"),
        (sealed_down(bytes([2, 3]), b"\0"), "malformed"),
        (sealed_down(bytes([2, 0, 1]), b"\0"), "padding"),
        (sealed_down(bytes([1]) + bytes(4) + b"!", b"\0"), "padding"),
        (sealed_down(bytes([2]), b"\1"), "malformed"),  # a chunk in place of the list
        (sealed_down(bytes([3]), b"\1"), "malformed"),
        (sealed_down(bytes([1]) + b"h" * 97, b"\1"), "padding"),  # the list has 96 bytes
        (b"\1" + sealed_down(bytes([1]), b"\0")[1:].ljust(transfer.LONG + 16), "unreadable-record"),
        (edited(sealed_down(bytes([1]), b"\0"), 5), "unreadable-record"),
    ],
)
def test_what_no_sender_sends_is_a_fault(data: bytes, fault: str) -> None:
    fetching = FetchingEnd(SECRET, THEIRS, SIZE)
    list(feed(fetching, OURS))
    fetching.seal_want(Want("list", 0, 1))
    with pytest.raises(PeerFault) as caught:
        list(feed(fetching, data))
    assert caught.value.fault == fault


def test_a_chunk_more_than_was_wanted_is_a_fault() -> None:
    serving, fetching = claimed()
    fetching.seal_want(Want("chunks", 0, 1))
    assert list(feed(fetching, serving.seal_chunk(b"a" * limits.CHUNK))) == [Chunk(0, b"a" * limits.CHUNK)]
    with pytest.raises(PeerFault, match="unexpected-frame"):
        list(feed(fetching, serving.seal_chunk(b"b" * limits.CHUNK)))


def test_the_last_chunk_is_as_long_as_the_file_says() -> None:
    serving, fetching = claimed()
    fetching.seal_want(Want("chunks", 2, 1))
    with pytest.raises(PeerFault, match="padding"):
        list(feed(fetching, serving.seal_chunk(b"c" * 6)))


def test_what_is_sealed_for_one_link_opens_on_no_other() -> None:
    _, fetching = greeted()
    other = ServingEnd(SECRET, b"x" * 32, SIZE)
    list(feed(other, fetching.nonce))
    with pytest.raises(PeerFault, match="unreadable-record"):
        list(feed(other, fetching.seal_claim(CLAIM)))


@pytest.mark.parametrize(
    ("size", "chunks", "pieces"),
    [(0, 0, 0), (1, 1, 1), (limits.CHUNK, 1, 1), (limits.CHUNK + 1, 2, 1), (limits.FILE, 32_768, 16)],
)
def test_a_file_has_so_many_chunks_and_its_list_so_many_pieces(size: int, chunks: int, pieces: int) -> None:
    assert transfer.count_chunks(size) == chunks
    assert transfer.count_pieces(size) == pieces
    assert sum(transfer.chunk_length(size, number) for number in range(chunks)) == size


def test_a_list_knows_its_chunks_by_their_numbers() -> None:
    chunks = HashList(suite.hash_data(b"a") + suite.hash_data(b"b"))
    assert chunks.has(0, b"a")
    assert chunks.has(1, b"b")
    assert not chunks.has(1, b"a")
    assert not chunks.has(2, b"a")
    assert chunks.root == suite.hash_data(chunks.data)


def test_who_finds_the_service_has_the_key_whose_public_half_its_tor_was_told() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private = X25519PrivateKey.from_private_bytes(transfer.derive_client_key(SECRET))
    assert private.public_key().public_bytes_raw() == transfer.find_client(SECRET)
    assert transfer.find_client(SECRET) != transfer.find_client(b"t" * 32)
