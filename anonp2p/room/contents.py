"""What is signed of the log: by authors what they say, by hosts how far the log goes (PROTOCOL.md, 4.4 and 4.5)."""

from anonp2p import limits
from anonp2p.crypto import identity, padding
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies
from anonp2p.protocol.packing import pack, unpack


def unpack_content(body: bytes) -> bodies.Content:
    """The content of a body, without its signature. Raises PeerFault."""
    packed = padding.unpad_text(body[identity.SIGNATURE :])
    if len(body) - identity.SIGNATURE != _padded_length(len(packed)):
        raise PeerFault("body-padding")
    content: bodies.Content = unpack(bodies.Content, packed)
    return content


def padded_content(content: bodies.Content) -> bytes:
    """What an author signs of it (PROTOCOL.md, 4.4)."""
    packed = pack(content)
    return padding.pad_text(packed, _padded_length(len(packed)))


def _padded_length(length: int) -> int:
    """The length that so many bytes have once padded."""
    return -(-(length + padding.LENGTH) // limits.CONTENT_STEP) * limits.CONTENT_STEP


def entry_content(epoch: int, header: bytes, content: bytes) -> bytes:
    """What an author signs (PROTOCOL.md, 4.4)."""
    return epoch.to_bytes(8, "big") + header + content


def head_content(place: int, digest: bytes, time: int) -> bytes:
    """What a host signs in a head (PROTOCOL.md, 4.5). time: milliseconds since the room's creation."""
    return place.to_bytes(8, "big") + digest + time.to_bytes(8, "big")
