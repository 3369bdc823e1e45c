"""The protocol once more, from docs/PROTOCOL.md alone and with nothing of anonp2p in it, to hold the vectors against.

HPKE and X-Wing are put together by hand from RFC 9180 and its primitives. Nothing is checked that seals, signatures and
digests do not check by themselves: it says what is right, not what is wrong.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, NamedTuple
from unicodedata import ucd_3_2_0 as unicode

import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Form = Callable[[Any], bool]  # whether a value is of it

KEPT = 2**32 - 1
SIZES = tuple(480 * units for units in (1, 2, 4, 7, 16, 32, 64, 128))
MARK = 600_000


class Malformed(Exception):
    """What a peer sent is none of what it may be."""


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
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return _int(value)
        case str():
            text = value.encode()
            return _sized(len(text), (0xA0, 32), 0xD9, 0xDA, 0xDB) + text
        case bytes():
            return _sized(len(value), (0, 0), 0xC4, 0xC5, 0xC6) + value
        case list() | tuple():
            return _sized(len(value), (0x90, 16), None, 0xDC, 0xDD) + b"".join(map(pack, value))
        case _:
            raise TypeError


def unpack(data: bytes) -> Any:
    """0.2. Raises Malformed for anything but the one encoding of a value."""
    try:
        value = msgspec.msgpack.decode(data)
        if pack(value) == data:
            return value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError, ValueError):
        pass
    raise Malformed


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
    return b"anonp2p/4 " + name.encode()


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


class KeyPair:
    """0.6: an X-Wing key."""

    def __init__(self, seed: bytes) -> None:
        both = hashlib.shake_256(seed).digest(96)
        self._quantum = mlkem.MLKEM768PrivateKey.from_seed_bytes(both[:64])
        self._classic = x25519.X25519PrivateKey.from_private_bytes(both[64:])
        self.public = self._quantum.public_key().public_bytes_raw() + self._classic.public_key().public_bytes_raw()

    def open_sealed(self, box: bytes, info: bytes) -> bytes:
        """What is in a box: 1,088 bytes for ML-KEM || 32 for X25519 || the text, sealed. Raises InvalidTag."""
        quantum = self._quantum.decapsulate(box[:1088])
        classic = self._classic.exchange(x25519.X25519PublicKey.from_public_bytes(box[1088:1120]))
        key, nonce = _hpke(_xwing(quantum, classic, box[1088:1120], self.public), info)
        return unaead(key, nonce, box[1120:])


def box(encryption_key: bytes, text: bytes, info: bytes) -> bytes:
    """0.6: another one each time."""
    once = x25519.X25519PrivateKey.generate()
    shown = once.public_key().public_bytes_raw()
    quantum, sealed = mlkem.MLKEM768PublicKey.from_public_bytes(encryption_key[:1184]).encapsulate()
    classic = once.exchange(x25519.X25519PublicKey.from_public_bytes(encryption_key[1184:]))
    key, nonce = _hpke(_xwing(quantum, classic, shown, encryption_key), info)
    return sealed + shown + aead(key, nonce, text)


def _xwing(quantum: bytes, classic: bytes, shown: bytes, key: bytes) -> bytes:
    return hashlib.sha3_256(quantum + classic + shown + key[1184:] + rb"\./" + rb"/^" + b"\\").digest()


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


def pad(text: bytes, length: int) -> bytes:
    """0.8"""
    assert len(text) + 2 <= length
    return (u(16, len(text)) + text).ljust(length, b"\0")


def unpad(padded: bytes) -> bytes:
    """0.8. Raises AssertionError."""
    text = padded[2 : 2 + int.from_bytes(padded[:2], "big")]
    assert pad(text, len(padded)) == padded
    return text


# --- what may be packed, by what it is: 2.2, 2.4, 2.7, 4.4, 4.5, 5.13, 5.15, 7.1


def number(below: int = 2**53, least: int = 0) -> Form:
    return lambda value: type(value) is int and least <= value < below


def blob(least: int = 0, most: int = 2**32) -> Form:
    return lambda value: isinstance(value, bytes) and least <= len(value) <= most


def exactly(length: int) -> Form:
    return blob(length, length)


def text(value: Any) -> bool:
    return isinstance(value, str)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def nil(value: Any) -> bool:
    return value is None


def word(*words: str) -> Form:
    return lambda value: isinstance(value, str) and value in words


def either(*forms: Form) -> Form:
    return lambda value: any(form(value) for form in forms)


def why(value: Any) -> bool:
    return text(value) and len(value) <= 200


def array(*forms: Form) -> Form:
    return lambda value: (
        isinstance(value, list)
        and len(value) == len(forms)
        and all(form(field) for form, field in zip(forms, value, strict=True))
    )


def many(form: Form, most: int = 2**32) -> Form:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(form, value))


def some(form: Form, most: int) -> Form:
    return lambda value: many(form, most)(value) and len(value) > 0


def tagged(tag: int, *forms: Form) -> Form:
    return array(number(tag + 1, tag), *forms)


_ID, _HASH, _SIGNATURE, _HEADER, _HEAD, _KEY = map(exactly, (16, 32, 64, 33, 112, 1216))
_CREDENTIALS = array(_HASH, _HASH, number(), _SIGNATURE)
_TTL = number(2**32)
_REPLY = either(nil, array(_ID, number()))
_MEMBER = (_HASH, text, number(), flag, _HASH)
_CONTEXTS = many(either(nil, _HASH))
_HEIR = array(_ID, _HASH)
_INVITED = either(nil, array(_HASH, _HASH, _SIGNATURE))
_FILE = either(nil, array(number(2**31 + 1), _HASH, _HASH, _HASH))
_BODY = either(
    tagged(1, text, flag, _REPLY, flag, _FILE),
    tagged(2, text),
    tagged(3),
    tagged(4, _HASH, text, _HASH, _INVITED),
    tagged(5, _ID),
    tagged(6),
    tagged(7, _ID),
    tagged(8, _HASH),
    tagged(9, flag),
    tagged(
        10,
        number(),
        many(array(_ID, word("lost", "kicked")), 1000),
        flag,
    ),
    tagged(11, blob(1140, 5170)),
    tagged(12, number()),
    tagged(13, number(), _HASH, _HASH, number()),
    tagged(14, many(_HEIR, 3), flag),
    tagged(15, flag),
    tagged(16, _HASH, either(nil, _HASH)),
    tagged(17, _ID, word("member", "moderator", "muted")),
    tagged(18, flag),
    tagged(19, number(3601)),
    tagged(20, flag),
    tagged(21, some(_ID, 1000), why, flag),
    tagged(22, _ID),
    tagged(23, _HASH, flag),
    tagged(24, _ID),
    tagged(25, _HASH, number(128), number(1001, 1), _HASH),
    tagged(26, _HASH),
)
_RESTRICTIONS = array(flag, flag, number(3601))
_RIGHTS = array(
    _RESTRICTIONS,
    either(nil, _RESTRICTIONS),
    many(_ID, 64),
    many(_ID, 1000),
    many(_ID, 1000),
    many(array(many(_ID, 1000), why), 16),
    many(array(_ID, text), 1000),
    many(_HASH, 64),
    flag,
    many(array(_HASH, number(128), number(1001, 1), number(1001), _ID, flag, many(_ID, 1000)), 128),
    many(_ID, 1000),
    either(nil, _HASH),
    many(array(_ID, _HASH), 1000),
)
_BACKFILLED = either(
    tagged(1, _HEADER, blob()), tagged(2, _HEADER, _HASH), tagged(3, _HEADER, _HASH, number(), _HEADER, blob())
)
_OPENINGS = some(array(number(), _ID, number(), _HASH, number()), 8)
_TERM = array(number(), _ID, _HASH, _HASH, many(_HEIR, 3), some(_ID, 64), flag, _OPENINGS)
_REDIRECT = tagged(
    23,
    array(
        number(),
        _ID,
        _HASH,
        number(),
        _HASH,
        _OPENINGS,
        many(array(number(), _HEADER, blob(most=512)), 3),
    ),
    _SIGNATURE,
)
_BACKFILL = tagged(8, many(_BACKFILLED), _CONTEXTS, _HEAD, _HEAD)
_FROM_MEMBER = either(
    tagged(1, number(), blob()),
    tagged(2, _KEY),
    tagged(3, _HASH),
    _BACKFILL,
    tagged(14),
    tagged(30),
    tagged(16, _HASH, _SIGNATURE),
    tagged(18),
    tagged(20, number()),
    tagged(21, flag, number(), _HASH, _OPENINGS),
    _REDIRECT,
)
_FROM_HOST = either(
    tagged(
        4,
        word(
            *("signature", "full", "locked", "bad-nick", "nick-taken", "not-allowed", "unknown", "kicked", "key"),
            *("turned-away", "not-invited", "crowded"),
        ),
        _CREDENTIALS,
        _SIGNATURE,
    ),
    tagged(5, blob(), number(41, 1)),
    tagged(6, blob(most=28_000)),
    tagged(7, _HEAD, _SIGNATURE),
    _BACKFILL,
    tagged(9, blob()),
    tagged(10, number(), word("nick-taken", "repeated", "too-often", "muted", "slow", "not-allowed", "moot")),
    tagged(11, _KEY),
    tagged(12, _HASH),
    tagged(13, many(either(exactly(65), exactly(97)), 256)),
    tagged(15),
    tagged(17, blob()),
    tagged(19),
    tagged(22, _SIGNATURE),
    _REDIRECT,
    tagged(24),
    tagged(25, number(), _HASH, _OPENINGS),
    tagged(26),
    tagged(27, _CREDENTIALS, _SIGNATURE),
    tagged(28, many(array(_HASH, text, number()), 64)),
    tagged(29, blob()),
    tagged(31, lambda value: many(_HASH, 129)(value) and len(value) == 129),
)
FORMS: dict[str, Form] = {
    "hello": tagged(1, number(), _HASH, _KEY),
    "request": either(
        tagged(1, _HASH, _HASH, _KEY, text, _SIGNATURE, number(), _HASH, _INVITED),
        tagged(2, _HASH, _ID, _KEY, number(), number(), _HASH, _OPENINGS, flag, _SIGNATURE),
        tagged(3, _HASH, _ID, _HASH, number(), _HASH, _OPENINGS, _SIGNATURE),
    ),
    "record up": array(flag, many(_FROM_MEMBER, 16)),
    "record down": array(many(_FROM_HOST, 16)),
    "content": array(_ID, number(), _HASH, _BODY),
    "batch": array(many(blob()), _CONTEXTS, _HEAD),
    "private text": array(text, _REPLY, flag, _FILE),
    "welcome": array(
        _HASH,
        text,
        _RIGHTS,
        _TERM,
        array(_TTL, _TTL, _TTL),
        array(number(), number()),
        number(),
        _HASH,
        _HASH,
        _HASH,
        _HEAD,
        array(_HASH, _HEADER, _HASH),
        _CREDENTIALS,
        many(array(*_MEMBER, number(2**31), _HASH), 1000),
        number(),
        either(nil, array(_HASH, number(), _RIGHTS, many(array(*_MEMBER), 1000), _TERM)),
        flag,
        many(_HEIR, 16),
        many(_HASH, 1000),
    ),
}


def read(form: str, data: bytes) -> Any:
    """0.2: what is packed, if it is of this form. Raises Malformed."""
    value = unpack(data)
    if not FORMS[form](value):
        raise Malformed
    return value


# --- 2 Payloads, hello and client handshake, 3 Members


def wire(content: bytes) -> bytes:
    """2.1"""
    assert len(content) + 2 in SIZES
    return u(16, len(content)) + content


def filled(text: bytes, beside: int) -> bytes:
    """2.1: beside it, the content has so many bytes."""
    return pad(text, min(size for size in SIZES if size >= 2 + beside + 2 + len(text)) - 2 - beside)


def unfilled(padded: bytes, beside: int) -> bytes:
    """2.1. Raises AssertionError."""
    text = unpad(padded)
    assert filled(text, beside) == padded
    return text


def hello(nonce: bytes, handshake_key: bytes) -> bytes:
    """2.2"""
    return pad(pack([1, 4, nonce, handshake_key]), 1918)


def read_hello(content: bytes) -> tuple[bytes, bytes, bytes]:
    """2.2: nonce, handshake key and H of it. Raises Malformed, AssertionError."""
    _, version, nonce, handshake_key = read("hello", unpad(content))
    assert (version, len(content)) == (4, 1918)
    return nonce, handshake_key, h(content)


def client_handshake(request: Any) -> bytes:
    """2.4: what goes into the box."""
    return pad(pack(request), 2206)


def ticket(link: bytes, hello_digest: bytes) -> bytes:
    """2.5a"""
    return expand(link, "ticket", hello_digest)[:16]


def record(chain_key: bytes, number: int, fields: list[Any]) -> bytes:
    """2.6 and 2.7: the content of the record with this number. chain_key: the first of its direction."""
    return aead(key_of(chain_key, number), 0, filled(pack(fields), 16))


def off_record(chain_key: bytes, number: int, content: bytes) -> Any:
    """2.6 and 2.7: what a record says. Raises InvalidTag."""
    return unpack(unfilled(unaead(key_of(chain_key, number), 0, content), 16))


def bound(name: str, room: bytes, hello_digest: bytes) -> bytes:
    """2.4 and 7.1: the info of a client handshake and of a Welcome's box."""
    return label(name) + room + hello_digest


def join_content(
    hello_digest: bytes,
    link: bytes,
    key: bytes,
    encryption_key: bytes,
    index: int,
    digest: bytes,
    nick: str,
    invited: list[bytes] | None,
) -> bytes:
    """2.5"""
    place = u(64, index) + digest
    return hello_digest + link + key + h(encryption_key) + place + h(pack([invited])) + nick.encode()


def resume_content(
    hello_digest: bytes, link: bytes, key: bytes, epoch: int, index: int, digest: bytes, openings: Any, lost: bool
) -> bytes:
    """2.5"""
    line = bytes([lost]) + h(pack(openings))
    return hello_digest + link + h(key) + u(64, epoch) + u(64, index) + digest + line


def meet_content(link_hello: bytes, link: bytes, address: bytes, index: int, digest: bytes, openings: Any) -> bytes:
    """2.5"""
    return link_hello + link + address + u(64, index) + digest + pack(openings)


def check_credentials(credentials: Any, room: bytes) -> None:
    """2.12. Raises InvalidSignature, AssertionError."""
    address, key, term, signature = credentials
    assert address == room
    verify(address, "credentials", room, key + u(64, term), signature)


def member_id(key: bytes) -> bytes:
    """3.1"""
    return h(label("member") + key)[:16]


def spell(member: bytes) -> str:
    """3.1"""
    return base64.b32encode(member).decode()[:26].lower()


_NOT_DRAWN = [
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0),
    *range(0xFE00, 0xFE10),
    *range(0xE0000, 0x110000),
]


def is_nick(text: str, most: int = 20) -> bool:
    """3.3"""
    kinds = [unicode.category(each) for each in text]
    marks = "".join("m" if kind in ("Mn", "Mc") else "-" for kind in kinds)
    return (
        1 <= len(text) <= most
        and unicode.normalize("NFKC", text) == text
        and all(
            each in "-_." or (kind in ("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd") and ord(each) not in _NOT_DRAWN)
            for each, kind in zip(text, kinds, strict=True)
        )
        and not marks.startswith("m")
        and "mmm" not in marks
        and any(kind[0] == "L" or kind == "Nd" for kind in kinds)
    )


def nick_keys(nick: str, confusables: dict[str, str]) -> set[str]:
    """3.3. confusables: those of UTS #39 that are needed."""

    def fold(text: str) -> str:
        once = unicode.normalize("NFKC", unicode.normalize("NFD", text).casefold())
        return unicode.normalize("NFKC", once.casefold())

    def draw(text: str) -> str:
        drawn = "".join(confusables.get(each, each) for each in unicode.normalize("NFD", text))
        return unicode.normalize("NFD", drawn)

    def capital(each: str) -> str:
        return each if any(unicode.category(one) == "Cn" for one in each.upper()) else each.upper()

    forms = fold(nick), fold(draw(nick)), fold(draw(fold(nick))), fold(draw("".join(map(capital, nick))))
    read = {"0": "o", "1": "l", "i": "l", "m": "rn"}
    return {"".join(read.get(each, each) for each in unicode.normalize("NFD", form)) for form in forms}


# --- 4 The log on the wire


def header(kind: int, author: bytes, counter: int, generation: int = 0, ttl: int = KEPT) -> bytes:
    """4.1"""
    return u(8, kind) + author + u(64, counter) + u(32, generation) + u(32, ttl)


def read_header(data: bytes) -> tuple[int, bytes, int, int, int]:
    """4.1-4.3a: kind, author, counter, generation and ttl. Raises Malformed."""
    kind, author, numbers = data[:1], data[1:17], (data[17:25], data[25:29], data[29:33])
    counter, generation, ttl = (int.from_bytes(each, "big") for each in numbers)
    is_alone = kind == b"\1" or (kind == b"\2" and counter == 0)
    plain = kind == b"\0" or (is_alone and (generation, ttl) == (0, KEPT))
    if len(data) != 33 or counter >= 2**53 or not plain:
        raise Malformed
    return kind[0], author, counter, generation, ttl


def entry(body_key: bytes, head: bytes, body: bytes) -> bytes:
    """4.1"""
    return head + aead(body_key, 0, body, head)


def off_entry(body_key: bytes, sealed: bytes) -> tuple[bytes, bytes]:
    """4.1: header and body. Raises InvalidTag."""
    return sealed[:33], unaead(body_key, 0, sealed[33:], sealed[:33])


def stepped(content: bytes) -> bytes:
    """4.4: the content as it is signed."""
    return pad(content, -(-(2 + len(content)) // 64) * 64)


def unstepped(padded: bytes) -> Any:
    """4.4: the content in what is signed. Raises Malformed, AssertionError."""
    content = unpad(padded)
    assert stepped(content) == padded
    return read("content", content)


def signed_entry(epoch: int, head: bytes, padded: bytes) -> bytes:
    """4.4: what an author signs."""
    return u(64, epoch) + head + padded


def batch(log_key: bytes, nonce: bytes, entries: list[bytes], contexts: list[bytes | None], head: bytes) -> bytes:
    """4.5: a batch's content."""
    return nonce + aead(log_key, nonce, filled(pack([entries, contexts, head]), 28))


def off_batch(log_key: bytes, content: bytes) -> tuple[list[bytes], list[bytes | None], bytes]:
    """4.5: entries, group contexts and head. Raises InvalidTag."""
    entries, contexts, head = unpack(unfilled(unaead(log_key, content[:12], content[12:]), 28))
    return entries, contexts, head


def head_content(index: int, digest: bytes, time: int) -> bytes:
    """4.5"""
    return u(64, index) + digest + u(64, time)


def genesis(room: bytes, context: bytes) -> bytes:
    """4.6"""
    return h(label("log") + room + context)


def longer(digest: bytes, index: int, head: bytes, body_digest: bytes, context: bytes) -> bytes:
    """4.6, of an entry of whose body the hash is given: it may be gone."""
    return h(label("log") + digest + u(64, index) + head + body_digest + context)


def group_context(
    room: bytes, name: str, epoch: int, term: list[Any], rules: list[Any], rights: list[Any], members: list[list[Any]]
) -> bytes:
    """4.8, of a term as in 7.1, and members with key, nick, away and H(encryption key)."""
    places = [[key, nick, away, key_digest] for key, nick, away, key_digest in members]
    roster = b"".join(h(label("roster entry") + pack(place)) for place in places)
    array = [room, name, epoch, *term[:7], rules, rights, roster]
    return h(label("group context") + pack(array))


# --- 5 Order, 5a Retention


def told(header: bytes, body: bytes, *, gone: bool, retract: list[Any] | None) -> list[Any]:
    """5.13: an entry in a Backfill. retract: epoch, header and body of its author's Retract, if there is one."""
    if retract is not None:
        return [3, header, h(body), *retract]
    return [2, header, h(body)] if gone else [1, header, body]


def backfill(entries: list[list[Any]], contexts: list[bytes | None], head: bytes, now: bytes) -> Any:
    """5.13, as a frame."""
    return [8, entries, contexts, head, now]


def private_info(room: bytes, epoch: int, author: bytes, counter: int, recipient: bytes) -> bytes:
    """5.15"""
    return label("private") + room + u(64, epoch) + author + u(64, counter) + recipient


def may_be_gone(ttl: int, ordered: int, time: int) -> bool:
    """5.13: of an entry whose head is of the time `ordered`, in a Backfill of this time."""
    return ttl != KEPT and time >= ordered + 1000 * ttl


def lives_on(ttl: int, ordered: int, newest: int) -> float:
    """5.16: for how many seconds from now, when the host has said that it is as late as `newest`."""
    return max(0.0, ttl - (newest - ordered) / 1000)


# --- 6 Epochs


class Epoch(NamedTuple):
    """6.2-6.4: what comes of a fresh secret."""

    secret: bytes
    init: bytes
    log_key: bytes
    newcomers: bytes
    confirmation_key: bytes
    tag: bytes


def epoch(init: bytes, fresh: bytes, digest: bytes) -> Epoch:
    """6.2-6.4"""
    secret = expand(extract(init, fresh), "epoch", digest)
    names = ("init", "batches", "newcomers", "confirm")
    init, log_key, newcomers, confirmation_key = (expand(secret, name) for name in names)
    tag = hmac.digest(confirmation_key, digest, "sha256")
    return Epoch(secret, init, log_key, newcomers, confirmation_key, tag)


def first_chain_key(secret: bytes, member: bytes) -> bytes:
    """6.3 of an epoch's secret, 6.5 of newcomers."""
    return expand(secret, "ratchet", member)


def after(secret: bytes) -> bytes:
    """6.5 of newcomers, 6.6 of a chain key."""
    return expand(secret, "next")


def key_of(chain_key: bytes, generations: int = 0) -> bytes:
    """6.6: the key so many generations after this chain key's."""
    for _ in range(generations):
        chain_key = after(chain_key)
    return expand(chain_key, "key")


def share_info(room: bytes, member: bytes, number: int, digest: bytes) -> bytes:
    """6.9"""
    return label("commit share") + room + member + u(64, number) + digest


# --- 8 Succession


def heir_number(number: int, rank: int) -> int:
    """8.1: of the term of an heir."""
    return 4 * (number // 4 + 1) + rank + 1


def host_number(number: int) -> int:
    """8.1: of the next term of a host above this number."""
    return 4 * (number // 4 + 1)


def place(openings: list[list[Any]], index: int) -> int:
    """8.1"""
    number: int = [number for number, *_, since in openings if since <= index][-1]
    return number * 2**32 + index


def fork(mine: list[list[Any]], my_index: int, theirs: list[list[Any]], their_index: int) -> int | None:
    """8.4; None if two logs are of different rooms."""
    common = [opening for opening in mine if opening in theirs]
    if not common:
        return None
    ends = []
    for openings, index in ((mine, my_index), (theirs, their_index)):
        after = openings[openings.index(common[-1]) + 1 :]
        ends.append(after[0][2] - 1 if after else index)
    return min(ends)


def room_key_info(room: bytes, member: bytes, code: bytes) -> bytes:
    """8.7"""
    return label("room key") + room + member + code


# --- 5d Private rooms


def invitation_key(pool: bytes, slot: int) -> bytes:
    """5d.2"""
    return expand(pool, "pool", u(16, slot))


def members_key(pool: bytes) -> bytes:
    """5d.2"""
    return expand(pool, "members")


def return_key(seed: bytes) -> bytes:
    """5d.2, of the member with the signature key from this seed."""
    return expand(seed, "return")


def client(key: bytes) -> bytes:
    """5d.2"""
    return x25519.X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()


def invitation_seed(key: bytes) -> bytes:
    """5d.2"""
    return expand(key, "invitation")


def spelled_key(key: bytes) -> str:
    """5d.4: a bit string of 256 bits and 4 more, five to each character."""
    bits = f"{int.from_bytes(key, 'big'):0256b}{h(label('key check') + key)[0] >> 4:04b}"
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[int(bits[at : at + 5], 2)] for at in range(0, 260, 5))


def pool_info(room: bytes, member: bytes) -> bytes:
    """5d.6"""
    return label("pool") + room + member


# --- 7a Safety words


def marks(time: int) -> list[int]:
    """7.5: the last two at this time of the room, the newest first."""
    latest = time // MARK * MARK
    return [mark for mark in (latest, latest - MARK) if mark >= 0]


def digest_at_zero(room: bytes) -> bytes:
    """7.5: what stands for a digest at mark 0."""
    return h(label("log") + room)


def at_mark(mark: int, room: bytes, heads: list[tuple[int, bytes]]) -> bytes:
    """7.5: the digest at a mark, by times and digests of heads."""
    return [digest_at_zero(room), *(digest for time, digest in heads if time < mark)][-1]


def words_of_room(room: bytes, digest: bytes, mark: int) -> bytes:
    """7.5: the bytes that are spelled."""
    return h(label("words of a room") + room + digest + u(64, mark))[:10]


def words_of_two(room: bytes, one: bytes, other: bytes) -> bytes:
    """7.6: the bytes that are spelled."""
    return h(label("words of two") + room + b"".join(sorted((one, other))))[:10]


def words(data: bytes, two_syllables: list[str], three_syllables: list[str]) -> list[str]:
    """7.5: each byte as a word of the lists, which are the PGP word list's."""
    return [(three_syllables if place % 2 else two_syllables)[byte] for place, byte in enumerate(data)]
