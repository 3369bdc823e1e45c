"""What each member gets of a commit: the fresh secret, sealed to its leaf (PROTOCOL.md, 6.9)."""

import hmac
from dataclasses import dataclass

from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """The secret of a commit, as long as there may be links that have not come to it. standing: of the room with it."""

    room: bytes
    epoch: int
    standing: bytes
    secret: bytes
    tag: bytes

    def slice(self, member: bytes, leaf: bytes) -> bytes:
        """A member's slice. Raises PeerFault for a leaf that cannot be sealed to."""
        return suite.seal_to(leaf, self.secret + self.tag, _info(self.room, member, self.epoch, self.standing))


def open_slice(
    box: bytes, leaf: suite.LeafKey, room: bytes, member: bytes, epoch: int, standing: bytes
) -> tuple[bytes, bytes]:
    """The fresh secret in our slice, and the tag that must come out. Raises PeerFault."""
    both = leaf.open(box, _info(room, member, epoch, standing))
    if len(both) != 2 * suite.SECRET:
        raise PeerFault("a slice of no proper length")
    return both[: suite.SECRET], both[suite.SECRET :]


def confirm(tag: bytes, given: bytes) -> None:
    """Raises PeerFault if a slice's tag is not the one that came out: its commit was made on another log."""
    if not hmac.compare_digest(tag, given):
        raise PeerFault("a commit that was made on another log")


def _info(room: bytes, member: bytes, epoch: int, standing: bytes) -> bytes:
    return suite.label("slice") + room + member + epoch.to_bytes(8, "big") + standing
