"""Commit shares: the fresh secret of a commit, sealed to the encryption key of each member (PROTOCOL.md, 6.9)."""

import hmac
from dataclasses import dataclass

from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """The fresh secret of a commit, kept while some link may still need a share of it.

    standing: of the room after the commit.
    """

    room: bytes
    epoch: int
    standing: bytes
    secret: bytes
    tag: bytes

    def slice(self, member: bytes, leaf: bytes) -> bytes:
        """The share of one member. Raises PeerFault if nothing can be sealed to its key."""
        return suite.seal_to(leaf, self.secret + self.tag, _info(self.room, member, self.epoch, self.standing))


def open_slice(
    box: bytes, leaf: suite.LeafKey, room: bytes, member: bytes, epoch: int, standing: bytes
) -> tuple[bytes, bytes]:
    """The fresh secret in our share, and the confirmation tag that the new epoch must have. Raises PeerFault."""
    both = leaf.open(box, _info(room, member, epoch, standing))
    if len(both) != 2 * suite.SECRET:
        raise PeerFault("a slice of no proper length")
    return both[: suite.SECRET], both[suite.SECRET :]


def confirm(tag: bytes, given: bytes) -> None:
    """Raises PeerFault if the tag in a share is not the one of our new epoch: the log of the host is another one."""
    if not hmac.compare_digest(tag, given):
        raise PeerFault("a commit that was made on another log")


def _info(room: bytes, member: bytes, epoch: int, standing: bytes) -> bytes:
    return suite.label("slice") + room + member + epoch.to_bytes(8, "big") + standing
