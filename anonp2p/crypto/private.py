"""Private messages: a box in an ordinary body, which does not reveal for whom it is (PROTOCOL.md, 5.15)."""

from collections.abc import Iterable

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


def seal(leaf: bytes, text: str, info: bytes) -> bytes:
    """The text in a box for the owner of this encryption key. Raises PeerFault for an invalid key."""
    return suite.seal_to(leaf, text.encode(), info)


def read(box: bytes, leaves: Iterable[suite.LeafKey], info: bytes) -> str | None:
    """The text in a box for one of our encryption keys; None if it is for somebody else or malformed."""
    for leaf in leaves:
        try:
            text = leaf.open(box, info)
            return text.decode() if 0 < len(text) <= limits.TEXT else None
        except UnicodeDecodeError:
            return None
        except PeerFault:
            continue
    return None


def about(room: bytes, epoch: int, author: bytes, counter: int, recipient: bytes) -> bytes:
    """The context that a box is bound to, so that a copy of it in another place does not open."""
    return suite.label("private") + room + epoch.to_bytes(8, "big") + author + counter.to_bytes(8, "big") + recipient
