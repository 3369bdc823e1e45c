"""Messages to one member: nobody else reads them, and a copy in another place says nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.crypto import private, suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import field_types

ROOM, ANN, BOB, EVE = b"r" * 32, b"a" * 16, b"b" * 16, b"e" * 16
KEY, OLD_KEY, OTHER_KEY = (suite.EncryptionKeyPair(name * 32) for name in (b"b", b"o", b"e"))
PLACE: dict[str, Any] = {"room": ROOM, "epoch": 3, "author": ANN, "counter": 5, "recipient": BOB}
INFO = private.bind_message(**PLACE)
BOX = private.seal_message(KEY.public, b"hello", INFO)


def test_a_box_is_bound_to_its_place() -> None:
    """5.15: "`anonp2p/4 private` || room || u64 epoch || author || u64 counter || recipient"."""
    assert (
        KEY.open_sealed(BOX, b"anonp2p/4 private" + ROOM + bytes(7) + b"\3" + ANN + bytes(7) + b"\5" + BOB) == b"hello"
    )


@given(st.binary(min_size=1, max_size=300))
def test_a_box_says_its_text_to_its_recipient(text: bytes) -> None:
    """5.15: "box(the recipient's encryption key by the log, packed [text: ..., reply: ...], ...)"."""
    box = private.seal_message(KEY.public, text, INFO)
    assert len(box) == field_types.BOX + len(text)
    assert private.open_message(box, [KEY], INFO) == text


@pytest.mark.parametrize("leaves", [[OTHER_KEY], [OTHER_KEY, OLD_KEY], []], ids=["another's", "two", "none"])
def test_a_box_says_nothing_to_anybody_else(leaves: list[suite.EncryptionKeyPair]) -> None:
    """5.15: "Everyone else tries to open it ..., and finds that it does not open"."""
    assert private.open_message(BOX, leaves, INFO) is None


def test_a_box_opens_with_whichever_key_of_ours_it_was_sealed_to() -> None:
    """5.15: "with each encryption key it has": who wrote it may not have known the new one."""
    for key in (KEY, OLD_KEY):
        box = private.seal_message(key.public, b"hello", INFO)
        assert private.open_message(box, [KEY, OLD_KEY], INFO) == b"hello"
        assert private.open_message(box, iter([OTHER_KEY, OLD_KEY, KEY]), INFO) == b"hello"


@pytest.mark.parametrize(
    "other",
    [
        {"room": b"q" * 32},
        {"epoch": 4},
        {"author": EVE},
        {"counter": 6},
        {"recipient": EVE},
        {"author": BOB, "recipient": ANN},
    ],
    ids=["room", "epoch", "author", "counter", "recipient", "author and recipient exchanged"],
)
def test_a_copy_of_a_box_in_another_place_says_nothing(other: dict[str, Any]) -> None:
    """5.15: nobody passes off as its own, or says again, what somebody else has written."""
    assert private.open_message(BOX, [KEY], private.bind_message(**PLACE)) == b"hello"
    assert private.open_message(BOX, [KEY], private.bind_message(**PLACE | other)) is None


@pytest.mark.parametrize("box", [b"", BOX[:-1], BOX + b"x", bytes(len(BOX)), BOX[1:] + b"x"], ids=len)
def test_what_is_no_box_says_nothing(box: bytes) -> None:
    assert private.open_message(box, [KEY], INFO) is None


@given(st.integers(0, len(BOX) * 8 - 1))
def test_a_box_with_a_bit_turned_says_nothing(bit: int) -> None:
    damaged = bytearray(BOX)
    damaged[bit // 8] ^= 1 << bit % 8
    assert private.open_message(bytes(damaged), [KEY], INFO) is None


def test_a_key_that_cannot_be_sealed_to_is_written_nothing() -> None:
    with pytest.raises(PeerFault, match="unusable-key"):
        private.seal_message(KEY.public[:-32] + bytes(32), b"hello", INFO)


def test_two_boxes_of_one_text_have_nothing_in_common() -> None:
    assert private.seal_message(KEY.public, b"hello", INFO)[:64] != BOX[:64]
    assert b"hello" not in BOX
    assert BOB not in BOX
