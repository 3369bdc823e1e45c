"""The protocol once more, from docs/PROTOCOL.md alone and with nothing of anonp2p in it, to hold the vectors against.

HPKE and X-Wing are put together by hand from RFC 9180 and its primitives. Nothing is checked that seals, signatures and
digests do not check by themselves: it says what is right, not what is wrong.
"""

import base64
import hashlib
import hmac
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOREVER = 2**32 - 1
NOBODY = bytes(16)


# --- 0 Notation


def u(size: int, number: int) -> bytes:
    """0.1"""
    return number.to_bytes(size // 8, "big")


def h(data: bytes) -> bytes:
    """0.1"""
    return hashlib.sha256(data).digest()


def pack(value: Any) -> bytes:
    """0.2, each value in its shortest form."""
    match value:
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return _int(value)
        case str():
            text = value.encode()
            return _sized(len(text), (0xA0, 32), 0xD9, 0xDA, 0xDB) + text
        case bytes():
            return _sized(len(value), (0, 0), 0xC4, 0xC5, 0xC6) + value
        case _:
            return _sized(len(value), (0x90, 16), None, 0xDC, 0xDD) + b"".join(map(pack, value))


def unpack(data: bytes) -> Any:
    """0.2"""
    return msgspec.msgpack.decode(data)


def _int(number: int) -> bytes:
    for limit, lead, size in ((2**8, 0xCC, 8), (2**16, 0xCD, 16), (2**32, 0xCE, 32), (2**64, 0xCF, 64)):
        if number < 128:
            break
        if number < limit:
            return bytes([lead]) + u(size, number)
    return bytes([number])


def _sized(length: int, fix: tuple[int, int], *leads: int | None) -> bytes:
    if length < fix[1]:
        return bytes([fix[0] | length])
    size = next(size for size, lead in zip((8, 16, 32), leads, strict=True) if lead and length < 2**size)
    lead = leads[(8, 16, 32).index(size)]
    assert lead is not None
    return bytes([lead]) + u(size, length)


def label(name: str) -> bytes:
    """0.3"""
    return b"anonp2p/2 " + name.encode()


def expand(secret: bytes, name: str, context: bytes = b"") -> bytes:
    """0.4: one block of HKDF-Expand."""
    info = u(8, len(label(name))) + label(name) + context
    return hmac.digest(secret, info + b"\x01", "sha256")


def extract(salt: bytes, secret: bytes) -> bytes:
    """0.4"""
    return hmac.digest(salt, secret, "sha256")


def aead(key: bytes, nonce: int | bytes, text: bytes, data: bytes = b"") -> bytes:
    """0.5"""
    return AESGCM(key).encrypt(_nonce(nonce), text, data)


def unaead(key: bytes, nonce: int | bytes, sealed: bytes, data: bytes = b"") -> bytes:
    """0.5. Raises InvalidTag."""
    return AESGCM(key).decrypt(_nonce(nonce), sealed, data)


def _nonce(nonce: int | bytes) -> bytes:
    return u(96, nonce) if isinstance(nonce, int) else nonce


class Leaf:
    """0.6: an X-Wing key."""

    def __init__(self, seed: bytes) -> None:
        both = hashlib.shake_256(seed).digest(96)
        self._quantum = mlkem.MLKEM768PrivateKey.from_seed_bytes(both[:64])
        self._classic = x25519.X25519PrivateKey.from_private_bytes(both[64:])
        self.public = self._quantum.public_key().public_bytes_raw() + self._classic.public_key().public_bytes_raw()

    def open(self, box: bytes, info: bytes) -> bytes:
        """What is in a box: 1,088 bytes for ML-KEM || 32 for X25519 || the text, sealed. Raises InvalidTag."""
        quantum = self._quantum.decapsulate(box[:1088])
        classic = self._classic.exchange(x25519.X25519PublicKey.from_public_bytes(box[1088:1120]))
        key, nonce = _hpke(_xwing(quantum, classic, box[1088:1120], self.public), info)
        return unaead(key, nonce, box[1120:])


def box(leaf: bytes, text: bytes, info: bytes) -> bytes:
    """0.6: another one each time."""
    once = x25519.X25519PrivateKey.generate()
    shown = once.public_key().public_bytes_raw()
    quantum, sealed = mlkem.MLKEM768PublicKey.from_public_bytes(leaf[:1184]).encapsulate()
    classic = once.exchange(x25519.X25519PublicKey.from_public_bytes(leaf[1184:]))
    key, nonce = _hpke(_xwing(quantum, classic, shown, leaf), info)
    return sealed + shown + aead(key, nonce, text)


def _xwing(quantum: bytes, classic: bytes, shown: bytes, leaf: bytes) -> bytes:
    return hashlib.sha3_256(quantum + classic + shown + leaf[1184:] + rb"\./" + rb"/^" + b"\\").digest()


def _hpke(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """RFC 9180, 5.1: key and nonce of base mode, with KEM 0x647a, KDF 1 and AEAD 2."""
    suite = b"HPKE" + u(16, 0x647A) + u(16, 1) + u(16, 2)

    def labeled_extract(salt: bytes, name: bytes, secret: bytes) -> bytes:
        return extract(salt, b"HPKE-v1" + suite + name + secret)

    def labeled_expand(secret: bytes, name: bytes, length: int) -> bytes:
        labeled = u(16, length) + b"HPKE-v1" + suite + name + context
        return hmac.digest(secret, labeled + b"\x01", "sha256")[:length]

    context = u(8, 0) + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")
    return labeled_expand(secret, b"key", 32), labeled_expand(secret, b"base_nonce", 12)


def public(seed: bytes) -> bytes:
    """0.7"""
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, name: str, room: bytes, content: bytes) -> bytes:
    """0.7"""
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(label(name) + room + content)


def verify(key: bytes, name: str, room: bytes, content: bytes, signature: bytes) -> None:
    """0.7. Raises InvalidSignature."""
    ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, label(name) + room + content)


# --- 2 Payloads, hello and knock, 3 Members


def wire(payload: bytes) -> bytes:
    """2.1"""
    return u(16, len(payload)) + payload


def hello(nonce: bytes, door: bytes) -> bytes:
    """2.2"""
    return pack([1, 2, nonce, door])


def bound(name: str, room: bytes, hello_digest: bytes) -> bytes:
    """2.4 and 7.1: the info of a knock and of a Welcome's box."""
    return label(name) + room + hello_digest


def join_content(hello_digest: bytes, link: bytes, key: bytes, leaf: bytes, nick: str) -> bytes:
    """2.5"""
    return hello_digest + link + key + h(leaf) + nick.encode()


def resume_content(hello_digest: bytes, link: bytes, leaf: bytes, epoch: int, index: int, digest: bytes) -> bytes:
    """2.5"""
    return hello_digest + link + h(leaf) + u(64, epoch) + u(64, index) + digest


def member_id(key: bytes) -> bytes:
    """3.1"""
    return h(label("member") + key)[:16]


def spell(member: bytes) -> str:
    """3.1"""
    return base64.b32encode(member).decode()[:26].lower()


# --- 4 The log on the wire


def header(kind: int, author: bytes, counter: int, generation: int = 0, ttl: int = FOREVER) -> bytes:
    """4.1"""
    return u(8, kind) + author + u(64, counter) + u(32, generation) + u(32, ttl)


def signed_entry(epoch: int, head: bytes, content: bytes) -> bytes:
    """4.4: what an author signs."""
    return u(64, epoch) + head + content


def on_log(header_key: bytes, head: bytes, body: bytes) -> bytes:
    """4.1: a header and a sealed body as they go on the wire."""
    return aead(header_key, body[-16:][:12], head) + body


def off_log(header_key: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """4.1: the header, and the body as it was sealed. Raises InvalidTag."""
    return unaead(header_key, payload[-16:-4], payload[:49]), payload[49:]


def head_content(index: int, digest: bytes, time: int) -> bytes:
    """4.5"""
    return u(64, index) + digest + u(64, time)


def genesis(room: bytes) -> bytes:
    """4.6"""
    return h(label("log") + room)


def longer(digest: bytes, index: int, head: bytes, body: bytes) -> bytes:
    """4.6"""
    return h(label("log") + digest + u(64, index) + head + h(body))


# --- 6 Epochs


class Epoch(NamedTuple):
    """6.2-6.4: what comes of a fresh secret."""

    secret: bytes
    init: bytes
    header_key: bytes
    head_key: bytes
    newcomers: bytes
    confirmation_key: bytes
    tag: bytes


def standing(digest: bytes, array: bytes) -> bytes:
    """6.2"""
    return h(label("standing") + digest + array)


def epoch(init: bytes, fresh: bytes, standing: bytes) -> Epoch:
    """6.2-6.4"""
    secret = expand(extract(init, fresh), "epoch", standing)
    names = ("init", "header", "heads", "newcomers", "confirm")
    init, header_key, head_key, newcomers, confirmation_key = (expand(secret, name) for name in names)
    tag = hmac.digest(confirmation_key, standing, "sha256")
    return Epoch(secret, init, header_key, head_key, newcomers, confirmation_key, tag)


def chain(secret: bytes, member: bytes) -> bytes:
    """6.3 of an epoch's secret, 6.5 of newcomers."""
    return expand(secret, "chain", member)


def after(secret: bytes) -> bytes:
    """6.5 of newcomers, 6.6 of a link."""
    return expand(secret, "next")


def key_of(link: bytes, generations: int = 0) -> bytes:
    """6.6: the key so many generations after this link's."""
    for _ in range(generations):
        link = after(link)
    return expand(link, "key")


def commit_key(init: bytes, head: bytes) -> bytes:
    """4.3"""
    return expand(init, "commit", head)


def slice_info(room: bytes, member: bytes, number: int, digest: bytes) -> bytes:
    """6.9"""
    return label("slice") + room + member + u(64, number) + digest
