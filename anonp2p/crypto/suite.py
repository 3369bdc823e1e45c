"""The cryptographic suite (PROTOCOL.md, 0). All primitives are from `cryptography`; only their combination is ours."""

import hashlib
import hmac
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from anonp2p.errors import PeerFault

SECRET: Final = 32  # bytes of every secret, seed and digest
TAG: Final = 16  # bytes that sealing adds to a text
NONCE: Final = 12  # bytes
ENCRYPTION_KEY: Final = 1_216  # bytes of a public encryption key

_MLKEM_PUBLIC = 1_184
_MLKEM_SEED = 64
_HPKE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def is_supported() -> bool:
    """Whether this build of `cryptography` has all primitives of the suite."""
    try:
        key = EncryptionKeyPair(bytes(SECRET))
        return key.open_sealed(seal_to_key(key.public, b"", b""), b"") == b""
    except (UnsupportedAlgorithm, PeerFault):
        return False


def label(name: str) -> bytes:
    """The label that separates keys and signatures by purpose and by version of the protocol."""
    return f"anonp2p/4 {name}".encode("ascii")


def expand(secret: bytes, name: str, context: bytes = b"") -> bytes:
    """32 bytes derived from a secret for one purpose (PROTOCOL.md, 0.4)."""
    info = _purpose(name) + context
    return hmac.digest(secret, info + b"\x01", "sha256")  # HKDF-Expand for one block: twice as fast


@cache
def _purpose(name: str) -> bytes:
    """The label of a purpose, of which there are a dozen, behind its length."""
    purpose = label(name)
    return bytes([len(purpose)]) + purpose


def extract(salt: bytes, secret: bytes) -> bytes:
    """32 bytes that only those know who have both arguments."""
    return HKDF.extract(hashes.SHA256(), salt, secret)


class Key:
    """An AES-256-GCM key. The caller never uses a nonce twice."""

    __slots__ = ("_aead",)

    def __init__(self, secret: bytes) -> None:
        self._aead = AESGCM(secret)

    def seal_text(self, nonce: int | bytes, text: bytes, data: bytes = b"") -> bytes:
        """The sealed text with its tag, which also authenticates `data`."""
        return self._aead.encrypt(_nonce(nonce), text, data)

    def open_sealed(self, nonce: int | bytes, sealed: bytes, data: bytes = b"") -> bytes | None:
        """The text; None if this key did not seal it."""
        try:
            return self._aead.decrypt(_nonce(nonce), sealed, data)
        except InvalidTag:
            return None


def _nonce(nonce: int | bytes) -> bytes:
    return nonce if isinstance(nonce, bytes) else nonce.to_bytes(NONCE, "big")


class EncryptionKeyPair:
    """A hybrid encryption key (X-Wing), made from a 32-byte seed. Others need `public` to seal to it."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes) -> None:
        both = hashlib.shake_256(seed).digest(_MLKEM_SEED + SECRET)
        quantum = mlkem.MLKEM768PrivateKey.from_seed_bytes(both[:_MLKEM_SEED])
        classic = x25519.X25519PrivateKey.from_private_bytes(both[_MLKEM_SEED:])
        self._private = hpke.MLKEM768X25519PrivateKey(quantum, classic)
        self.public = quantum.public_key().public_bytes_raw() + classic.public_key().public_bytes_raw()

    def open_sealed(self, box: bytes, info: bytes) -> bytes:
        """The text that was sealed to this key with this info. Raises PeerFault."""
        try:
            return _HPKE.decrypt(box, self._private, info)
        except (InvalidTag, ValueError):
            raise PeerFault("unreadable-box") from None


def seal_to_key(encryption_key: bytes, text: bytes, info: bytes) -> bytes:
    """The text in a box that only the owner of this key can open. Raises PeerFault for an invalid key."""
    try:
        quantum = mlkem.MLKEM768PublicKey.from_public_bytes(encryption_key[:_MLKEM_PUBLIC])
        classic = x25519.X25519PublicKey.from_public_bytes(encryption_key[_MLKEM_PUBLIC:])
        return _HPKE.encrypt(text, hpke.MLKEM768X25519PublicKey(quantum, classic), info)
    except ValueError:
        raise PeerFault("unusable-key") from None


def hash_data(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()
