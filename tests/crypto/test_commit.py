"""Slices of a commit: for one member, one epoch and one log each."""

import pytest

from anonp2p.crypto import commit, suite
from anonp2p.crypto.commit import Turn
from anonp2p.crypto.epoch import Epoch
from anonp2p.errors import PeerFault

ROOM, DIGEST, SECRET, TAG = b"r" * 32, b"d" * 32, b"s" * 32, b"t" * 32
ANN, BOB = b"a" * 16, b"b" * 16
LEAF, OTHER_LEAF = suite.LeafKey(b"a" * 32), suite.LeafKey(b"b" * 32)
TURN = Turn(ROOM, 7, DIGEST, SECRET, TAG)


def test_a_slice_holds_the_fresh_secret_and_the_tag() -> None:
    """6.9: "box(leaf, fresh secret || tag, `anonp2p/3 slice` || room || member || u64 epoch || standing)"."""
    box = TURN.slice(ANN, LEAF.public)
    assert commit.open_slice(box, LEAF, ROOM, ANN, 7, DIGEST) == (SECRET, TAG)
    info = b"anonp2p/3 slice" + ROOM + ANN + bytes(7) + b"\7" + DIGEST
    assert LEAF.open(box, info) == SECRET + TAG


@pytest.mark.parametrize(
    ("leaf", "room", "member", "epoch", "digest"),
    [
        (OTHER_LEAF, ROOM, ANN, 7, DIGEST),
        (LEAF, b"q" * 32, ANN, 7, DIGEST),
        (LEAF, ROOM, BOB, 7, DIGEST),
        (LEAF, ROOM, ANN, 8, DIGEST),
        (LEAF, ROOM, ANN, 7, b"e" * 32),
    ],
    ids=["leaf", "room", "member", "epoch", "digest"],
)
def test_a_slice_of_another(leaf: suite.LeafKey, room: bytes, member: bytes, epoch: int, digest: bytes) -> None:
    box = TURN.slice(ANN, LEAF.public)
    with pytest.raises(PeerFault, match="does not open"):
        commit.open_slice(box, leaf, room, member, epoch, digest)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_slice_of_another_length_is_none(length: int) -> None:
    """Whoever seals it knows what it binds: the host itself."""
    info = b"anonp2p/3 slice" + ROOM + ANN + bytes(7) + b"\7" + DIGEST
    box = suite.seal_to(LEAF.public, bytes(length), info)
    with pytest.raises(PeerFault, match="length"):
        commit.open_slice(box, LEAF, ROOM, ANN, 7, DIGEST)


def test_a_commit_made_on_another_log_is_noticed_by_its_tag() -> None:
    """6.9: "A member that finds another tag was shown another log: alarm"."""
    ours, theirs = (Epoch.first(SECRET, ROOM, ANN) for _ in "12")
    _, tag = ours.next(SECRET, DIGEST, [ANN])
    _, same = theirs.next(SECRET, DIGEST, [ANN])
    _, other = theirs.next(SECRET, b"e" * 32, [ANN])
    commit.confirm(same, tag)
    with pytest.raises(PeerFault, match="another log"):
        commit.confirm(other, tag)


def test_a_slice_for_a_leaf_that_cannot_be_sealed_to_is_none() -> None:
    with pytest.raises(PeerFault, match="cannot be sealed to"):
        TURN.slice(ANN, LEAF.public[:-32] + bytes(32))


def test_a_turn_shows_nothing_it_holds() -> None:
    assert "Turn object" in repr(TURN)
