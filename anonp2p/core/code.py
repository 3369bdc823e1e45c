"""The room code: the address of the room's onion service (rend-spec-v3, "Encoding onion addresses")."""

import base64
import binascii
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anonp2p.errors import BadCode

_VERSION = b"\x03"
_LENGTH = 56  # base32 characters: 32 bytes of key, 2 of checksum, 1 of version
_SCHEME = "anonp2p:"
_SUFFIX = ".onion"


def _checksum(key: bytes) -> bytes:
    return hashlib.sha3_256(b".onion checksum" + key + _VERSION).digest()[:2]


def encode(key: bytes) -> str:
    """The code of the room whose onion service has this Ed25519 public key (32 bytes): `….onion`, lower case."""
    return base64.b32encode(key + _checksum(key) + _VERSION).decode("ascii").lower() + _SUFFIX


def parse(text: str) -> bytes:
    """The onion service's Ed25519 public key (32 bytes) in a code as people pass it on.

    Forgives white space around it, any case, a leading `anonp2p:` and a missing `.onion`. Raises BadCode with the first
    thing that is wrong; the code itself is never repeated.
    """
    code = text.strip().lower().removeprefix(_SCHEME).strip()
    if ":" in code:
        raise BadCode("private rooms (ADDRESS:KEY) need a newer version of this program")
    code = code.removesuffix(_SUFFIX)
    if len(code) != _LENGTH:
        raise BadCode(f"it has {_LENGTH} characters before .onion, this one {len(code)}")
    try:
        raw = base64.b32decode(code.upper().encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        raise BadCode("only the letters a-z and the digits 2-7 occur in it") from None
    key, checksum, version = raw[:32], raw[32:34], raw[34:]
    if version != _VERSION or checksum != _checksum(key):
        raise BadCode("its checksum is wrong, so at least one character is mistyped")
    return key


class RoomKey:
    """The key of a room's onion service, made by us so that the code is known before Tor has answered.

    seed: 32 random bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
        self.public = public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def code(self) -> str:
        """The room code it stands for."""
        return encode(self.public)

    def expanded(self) -> str:
        """What Tor wants after `ED25519-V3:`: base64 of the clamped SHA-512 of the seed (RFC 8032, 5.1.5)."""
        digest = bytearray(hashlib.sha512(self._seed).digest())
        digest[0] &= 248
        digest[31] = digest[31] & 63 | 64
        return base64.b64encode(digest).decode("ascii")
