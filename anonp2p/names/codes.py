"""The room code: the address of the room's onion service (rend-spec-v3, "Encoding onion addresses").

That of a private room has a key behind the address, which is as secret as what it lets one do.
"""

import base64
import binascii
import hashlib
import re
import unicodedata
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anonp2p import limits
from anonp2p.errors import BadCode
from anonp2p.names.errors import (
    CodeLength,
    CodeLetters,
    CodeMistyped,
    CodeWithEnding,
    CodeWithOtherPort,
    CodeWithPath,
    KeyMistyped,
    KeyWithoutAddress,
    OldAddress,
)

_VERSION = b"\x03"
_LENGTH = 56  # base32 characters: 32 bytes of key, 2 of checksum, 1 of version
_KEY = 52  # base32 characters of a private room's key: 256 bits, and 4 to check them by
_CHECK = b"anonp2p/4 key check"
_OLD = 16  # base32 characters of an address of version 2
_PORT_DIGITS = 5  # of the highest port
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_BASE32 = frozenset(_DIGITS)
_SCHEME = re.compile("(?:anonp2p|https?):/*")
# Quotes, brackets, emphasis and the end of a sentence.
_AROUND = "\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u2039\u203a\u00ab\u00bb<>()[]{}.,;:!?*_"
_SUFFIX = ".onion"


def _checksum(key: bytes) -> bytes:
    return hashlib.sha3_256(b".onion checksum" + key + _VERSION).digest()[:2]


def encode_key(key: bytes) -> str:
    """The code of the room whose onion service has this Ed25519 public key (32 bytes): `….onion`, lower case."""
    return base64.b32encode(key + _checksum(key) + _VERSION).decode("ascii").lower() + _SUFFIX


class Code(NamedTuple):
    """What a room code says. address: the onion service's Ed25519 public key (32 bytes).

    key: of an invitation to a private room (32 bytes), a secret; empty where there is none.
    """

    address: bytes
    key: bytes = b""

    def __repr__(self) -> str:
        return "<Code>"

    def spell(self) -> str:
        """As people pass it on: lower case, `….onion` or `….onion:KEY`."""
        return f"{encode_key(self.address)}:{_spell_key(self.key)}" if self.key else encode_key(self.address)


def _spell_key(key: bytes) -> str:
    checked = key + bytes([_check_bits(key) << 4])
    return base64.b32encode(checked).decode("ascii").lower()[:_KEY]


def _check_bits(key: bytes) -> int:
    """What is in the 4 bits that 52 characters have beyond a key: 15 of 16 mistyped ones are noticed by it."""
    return hashlib.sha256(_CHECK + key).digest()[0] >> 4


def parse_code(text: str) -> Code:
    """A code as people pass it on.

    Forgives any case, white space and invisible characters, quotes, brackets and punctuation around it, `anonp2p:`,
    `http://` or `https://` before it, and after it the room's port, a slash, and that `.onion` is missing. Raises
    BadCode with the first thing that is wrong; the code itself is never repeated.
    """
    code = _SCHEME.sub("", "".join(filter(_is_drawn, text.lower())).strip(_AROUND)).strip(_AROUND)
    code, slash, path = code.partition("/")
    if slash and path:
        raise CodeWithPath
    code, colon, ending = code.partition(":")
    secret = _parse_key(ending.strip(_AROUND)) if colon and ending != str(limits.PORT) else b""
    code = code.strip(_AROUND).removesuffix(_SUFFIX)
    if len(code) != _LENGTH:
        raise _not_a_code(code)
    try:
        raw = base64.b32decode(code.upper().encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        raise CodeLetters from None
    key, checksum, version = raw[:32], raw[32:34], raw[34:]
    if version != _VERSION or checksum != _checksum(key):
        raise CodeMistyped
    return Code(key, secret)


def is_meant(text: str) -> bool:
    """Whether a text is nothing but a code, or would be one without a mistake that its checksum finds."""
    try:
        parse_code(text)
    except BadCode as error:
        return isinstance(error, CodeMistyped | KeyMistyped)
    return True


def _is_drawn(character: str) -> bool:
    """Whether a character is visible."""
    return not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf", "Zs")


def _parse_key(given: str) -> bytes:
    """The key after a colon that the port of rooms does not follow. Raises BadCode."""
    if given.isascii() and given.isdigit() and len(given) <= _PORT_DIGITS:
        raise CodeWithOtherPort(limits.PORT)
    if len(given) != _KEY or not _BASE32.issuperset(given):
        raise CodeWithEnding(limits.PORT, _KEY)
    key, last = base64.b32decode(f"{given.upper()}A===")[:32], _DIGITS.index(given[-1])
    if last & 15 != _check_bits(key):
        raise KeyMistyped
    return key


def _not_a_code(given: str) -> BadCode:
    """What is wrong with a code that is too long or too short."""
    is_base32 = _BASE32.issuperset(given)
    if is_base32 and len(given) == _OLD:
        return OldAddress()
    if is_base32 and len(given) == _KEY:
        return KeyWithoutAddress()
    return CodeLength(_LENGTH, len(given))


class RoomKey:
    """The key of a room's onion service, made by us so that the code is known before Tor has answered.

    seed: 32 random bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def code(self) -> str:
        return encode_key(self.public)

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of the service: 64 bytes. What Tor signs with this key has none of our labels."""
        return self._private.sign(message)

    def expanded_private_key(self) -> str:
        """The key as Tor takes it after `ED25519-V3:`: base64 of the clamped SHA-512 of the seed (RFC 8032, 5.1.5)."""
        digest = bytearray(hashlib.sha512(self.seed).digest())
        digest[0] &= 248
        digest[31] = digest[31] & 63 | 64
        return base64.b64encode(digest).decode("ascii")
