"""Commit shares: the fresh secret of a commit, sealed to the encryption key of each member (PROTOCOL.md, 6.9)."""

import hmac
from dataclasses import dataclass

from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


@dataclass(frozen=True, slots=True, repr=False)
class CommitSecret:
    """The fresh secret of a commit, kept while some link may still need a share of it.

    digest: of the log with the commit, which covers the group context.
    """

    room: bytes
    epoch: int
    digest: bytes
    secret: bytes
    tag: bytes

    def seal_share(self, member: bytes, encryption_key: bytes) -> bytes:
        """The share of one member. Raises PeerFault if nothing can be sealed to its key."""
        return suite.seal_to_key(
            encryption_key, self.secret + self.tag, _info(self.room, member, self.epoch, self.digest)
        )


def open_share(
    box: bytes, key: suite.EncryptionKeyPair, room: bytes, member: bytes, epoch: int, digest: bytes
) -> tuple[bytes, bytes]:
    """The fresh secret in our share, and the confirmation tag that the new epoch must have. Raises PeerFault."""
    both = key.open_sealed(box, _info(room, member, epoch, digest))
    if len(both) != 2 * suite.SECRET:
        raise PeerFault("share-length")
    return both[: suite.SECRET], both[suite.SECRET :]


def check_confirmation_tag(tag: bytes, given: bytes) -> None:
    """Raises PeerFault if the tag in a share is not the one of our new epoch: the log of the host is another one."""
    if not hmac.compare_digest(tag, given):
        raise PeerFault("commit-of-other-log")


def _info(room: bytes, member: bytes, epoch: int, digest: bytes) -> bytes:
    return suite.label("commit share") + room + member + epoch.to_bytes(8, "big") + digest
