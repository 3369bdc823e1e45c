"""Private messages: a box in an ordinary body, which does not reveal for whom it is (PROTOCOL.md, 5.15)."""

from collections.abc import Iterable

from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


def seal_message(encryption_key: bytes, text: bytes, info: bytes) -> bytes:
    """What is packed, in a box for the owner of this encryption key. Raises PeerFault for an invalid key."""
    return suite.seal_to_key(encryption_key, text, info)


def open_message(box: bytes, key_pairs: Iterable[suite.EncryptionKeyPair], info: bytes) -> bytes | None:
    """What is in a box for one of our encryption keys; None if it is for somebody else."""
    for key_pair in key_pairs:
        try:
            return key_pair.open_sealed(box, info)
        except PeerFault:
            continue
    return None


def bind_message(room: bytes, epoch: int, author: bytes, counter: int, recipient: bytes) -> bytes:
    """The context that a box is bound to, so that a copy of it in another place does not open."""
    return suite.label("private") + room + epoch.to_bytes(8, "big") + author + counter.to_bytes(8, "big") + recipient
