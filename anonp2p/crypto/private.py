"""A message to one member: a box in an ordinary body, which says to nobody whose it is (PROTOCOL.md, 5.15)."""

from collections.abc import Iterable

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


def seal(leaf: bytes, text: str, info: bytes) -> bytes:
    """The text, for the owner of this leaf. Raises PeerFault for a leaf that takes none."""
    return suite.seal_to(leaf, text.encode(), info)


def read(box: bytes, leaves: Iterable[suite.LeafKey], info: bytes) -> str | None:
    """What a box says, if it is for one of our leaves; None also for one that says nothing proper to us."""
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
    """What a box is bound to, so that a copy of it says nothing."""
    return suite.label("private") + room + epoch.to_bytes(8, "big") + author + counter.to_bytes(8, "big") + recipient
