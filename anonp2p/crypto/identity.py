"""A member's identity: a fresh Ed25519 key for every room, the id and the tag derived from it, and signatures."""

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache, partial

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anonp2p import limits
from anonp2p.crypto import suite

ID_BYTES = 16
SIGNATURE = 64  # bytes
TAG_CHARACTERS = 8
NICK_CHARACTERS = 4

# The field of Ed25519, and the y coordinates of its points of order 8. Points of order 4, 2 and 1 have y = 0, -1 and 1
# (RFC 7748, 7 warns of them).
_P = 2**255 - 19
_Y8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_ORDER = frozenset((0, 1, _P - 1, _Y8, _P - _Y8))

_ID = b"anonp2p/4 member"
_LOG = b"anonp2p/4 log"
_GROUP_CONTEXT = b"anonp2p/4 group context"
_ROSTER_ENTRY = b"anonp2p/4 roster entry"
JOIN = b"anonp2p/4 join"
RESUME = b"anonp2p/4 resume"
WELCOME = b"anonp2p/4 welcome"
ENTRY = b"anonp2p/4 entry"
HEAD = b"anonp2p/4 head"
CREDENTIALS = b"anonp2p/4 credentials"
REFUSED = b"anonp2p/4 refused"
RESUMED = b"anonp2p/4 resumed"
WAITING = b"anonp2p/4 waiting"
HELD = b"anonp2p/4 held"
ADDRESS = b"anonp2p/4 address"
INVITED = b"anonp2p/4 invited"
REDIRECT = b"anonp2p/4 redirect"
MEET = b"anonp2p/4 meet"
FETCH = b"anonp2p/4 fetch"


class Identity:
    """Our own signature key in one room.

    seed: 32 random bytes. room: its identifier, the public key of the onion service with which it began. Every
    signature covers it, or the service that was dialled, so that none is valid elsewhere (PROTOCOL.md, 0.7).
    """

    def __init__(self, seed: bytes, room: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._room = room
        self.return_key = suite.expand(seed, "return")  # by which we find a private room after long (PROTOCOL.md, 5d)
        self.key = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = member_id(self.key)

    def sign(self, label: bytes, content: bytes) -> bytes:
        """The Ed25519 signature over label, room and content: 64 bytes."""
        return self.sign_for(self._room, label, content)

    def signer(self, service: bytes) -> Callable[[bytes, bytes], bytes]:
        """`sign_for` for this service."""
        return partial(self.sign_for, service)

    def enter_room(self, room: bytes) -> None:
        """The room is this one, as we know from its host: a code does not tell."""
        self._room = room

    def sign_for(self, service: bytes, label: bytes, content: bytes) -> bytes:
        """The same for a link to this onion service, whatever room that is of."""
        return self._private.sign(label + service + content)


def is_signed(label: bytes, room: bytes, content: bytes, signature: bytes, key: bytes) -> bool:
    """Whether the owner of the key signed this content under this label for this room."""
    if (verifier := _find_verifier(key)) is None:
        return False
    try:
        verifier.verify(signature, label + room + content)
    except InvalidSignature:
        return False
    return True


@lru_cache(limits.MEMBERS)  # who speaks does so again: a key takes 3 us to make ready, and half a KiB to keep
def _find_verifier(key: bytes) -> Ed25519PublicKey | None:
    """What verifies signatures by this key; None if it is no valid one."""
    try:
        return Ed25519PublicKey.from_public_bytes(key) if is_key(key) else None
    except ValueError:  # these are not 32 bytes, or no point of the curve
        return None


def is_key(key: bytes) -> bool:
    """Whether 32 bytes are a valid key: canonical, and not a point of small order, for which anybody can sign."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return y < _P and y not in _SMALL_ORDER


def member_id(key: bytes) -> bytes:
    """The 16 bytes that identify the owner of a key within a room."""
    return hashlib.sha256(_ID + key).digest()[:ID_BYTES]


@lru_cache(limits.MEMBERS)  # every event spells one: it would cost as much as all else that telling it does
def spell_member(member: bytes) -> str:
    """A member id as people and scripts see it: 26 characters of base32 in lower case."""
    return base64.b32encode(member).decode("ascii").rstrip("=").lower()


def short_id(member: bytes) -> str:
    """The first 8 characters of the spelled id, which tell members with similar nicks apart."""
    return spell_member(member)[:TAG_CHARACTERS]


def hash_room(room: bytes) -> bytes:
    """What stands for a digest at mark 0: everyone knows it from the room's code (PROTOCOL.md, 7.5)."""
    return hashlib.sha256(_LOG + room).digest()


def hash_roster_entry(packed: bytes) -> bytes:
    """What the group context has of one member (PROTOCOL.md, 4.8). packed: what it has of it in clear."""
    return hashlib.sha256(_ROSTER_ENTRY + packed).digest()


def hash_group_context(packed: bytes) -> bytes:
    """The group context (PROTOCOL.md, 4.8). packed: the state that the log leads to."""
    return hashlib.sha256(_GROUP_CONTEXT + packed).digest()


def hash_empty_log(room: bytes, group_context: bytes) -> bytes:
    """The digest of a log without entries (PROTOCOL.md, 4.6)."""
    return hashlib.sha256(_LOG + room + group_context).digest()


def extend_log_hash(previous: bytes, index: int, header: bytes, body: bytes, group_context: bytes) -> bytes:
    """The digest of a log with one more entry (PROTOCOL.md, 4.6).

    previous: the digest before it; body: the hash of its body; group_context: the one that the entry leads to.
    """
    entry = index.to_bytes(8, "big") + header + body + group_context
    return hashlib.sha256(_LOG + previous + entry).digest()
