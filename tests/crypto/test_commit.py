"""Shares of a commit: for one member, one epoch and one log each."""

import pytest

from anonp2p.crypto import commit, suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import Epoch
from anonp2p.errors import PeerFault

ROOM, DIGEST, SECRET, TAG = b"r" * 32, b"d" * 32, b"s" * 32, b"t" * 32
ANN, BOB = b"a" * 16, b"b" * 16
KEY, OTHER_KEY = suite.EncryptionKeyPair(b"a" * 32), suite.EncryptionKeyPair(b"b" * 32)
TURN = CommitSecret(ROOM, 7, DIGEST, SECRET, TAG)


def test_a_commit_share_holds_the_fresh_secret_and_the_tag() -> None:
    """6.9: "box(encryption key, fresh secret || tag, `anonp2p/4 commit share` || room || member || u64 epoch || group
    context)"."""
    box = TURN.seal_share(ANN, KEY.public)
    assert commit.open_share(box, KEY, ROOM, ANN, 7, DIGEST) == (SECRET, TAG)
    info = b"anonp2p/4 commit share" + ROOM + ANN + bytes(7) + b"\7" + DIGEST
    assert KEY.open_sealed(box, info) == SECRET + TAG


@pytest.mark.parametrize(
    ("encryption_key", "room", "member", "epoch", "digest"),
    [
        (OTHER_KEY, ROOM, ANN, 7, DIGEST),
        (KEY, b"q" * 32, ANN, 7, DIGEST),
        (KEY, ROOM, BOB, 7, DIGEST),
        (KEY, ROOM, ANN, 8, DIGEST),
        (KEY, ROOM, ANN, 7, b"e" * 32),
    ],
    ids=["leaf", "room", "member", "epoch", "digest"],
)
def test_a_commit_share_of_another(
    encryption_key: suite.EncryptionKeyPair, room: bytes, member: bytes, epoch: int, digest: bytes
) -> None:
    box = TURN.seal_share(ANN, KEY.public)
    with pytest.raises(PeerFault, match="unreadable-box"):
        commit.open_share(box, encryption_key, room, member, epoch, digest)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_commit_share_of_another_length_is_none(length: int) -> None:
    """Whoever seals it knows what it binds: the host itself."""
    info = b"anonp2p/4 commit share" + ROOM + ANN + bytes(7) + b"\7" + DIGEST
    box = suite.seal_to_key(KEY.public, bytes(length), info)
    with pytest.raises(PeerFault, match="share-length"):
        commit.open_share(box, KEY, ROOM, ANN, 7, DIGEST)


def test_a_commit_made_on_another_log_is_noticed_by_its_tag() -> None:
    """6.9: "A member that finds another tag was shown another log: alarm"."""
    ours, theirs = (Epoch.begin(SECRET, ROOM, ANN) for _ in "12")
    _, tag = ours.follow(SECRET, DIGEST, [ANN])
    _, same = theirs.follow(SECRET, DIGEST, [ANN])
    _, other = theirs.follow(SECRET, b"e" * 32, [ANN])
    commit.check_confirmation_tag(same, tag)
    with pytest.raises(PeerFault, match="commit-of-other-log"):
        commit.check_confirmation_tag(other, tag)


def test_a_commit_share_for_a_key_that_cannot_be_sealed_to_is_none() -> None:
    with pytest.raises(PeerFault, match="unusable-key"):
        TURN.seal_share(ANN, KEY.public[:-32] + bytes(32))


def test_a_turn_shows_nothing_it_holds() -> None:
    assert "CommitSecret object" in repr(TURN)
