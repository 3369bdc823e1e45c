"""What a link begins with: the hello of who is dialled, and what who dials asks for (PROTOCOL.md, 2.2 and 2.5)."""

import msgspec

from anonp2p.protocol.field_types import Bytes16, Bytes32, Bytes64, Count, EncryptionKeyBytes, Invited, Openings, Packed
from anonp2p.protocol.packing import decode

VERSION = 4


class Hello(Packed, frozen=True, tag=1):
    """Host, first on every link: the protocol version, 32 fresh bytes, and the current handshake key."""

    version: Count
    nonce: Bytes32
    handshake_key: EncryptionKeyBytes


class AnyHello(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """The part that the hellos of all versions have in common. The rest of it may have any form."""

    version: Count


class JoinRequest(Packed, frozen=True, tag=1):
    """Joiner: link secret, signature key, encryption key, the nick that it wants (empty: any), and its signature.

    index, digest: the log as far as it was shown it before; those of a newcomer are the defaults. invited: by which
    invitation it comes, if it has one.
    """

    link_secret: Bytes32
    key: Bytes32
    encryption_key: EncryptionKeyBytes
    nick: str
    signature: Bytes64
    index: Count = 0
    digest: Bytes32 = bytes(32)
    invited: Invited | None = None


class ResumeRequest(Packed, frozen=True, tag=2):
    """Member on a new link: it has the log up to this index and digest, and the secrets of this epoch.

    openings: the latest of that log; lost: whether it has lost its host.
    """

    link_secret: Bytes32
    member: Bytes16
    encryption_key: EncryptionKeyBytes
    epoch: Count
    index: Count
    digest: Bytes32
    openings: Openings
    lost: bool
    signature: Bytes64


class MeetRequest(Packed, frozen=True, tag=3):
    """Host, to another member that may host the room too: how far its log goes, and where it is reached."""

    link_secret: Bytes32
    member: Bytes16
    address: Bytes32
    index: Count
    digest: Bytes32
    openings: Openings
    signature: Bytes64


AnyRequest = JoinRequest | ResumeRequest | MeetRequest


def read_version(data: bytes) -> int:
    """The version in a packed hello, whatever follows it. Raises PeerFault."""
    hello: AnyHello = decode(AnyHello, data)
    return hello.version
