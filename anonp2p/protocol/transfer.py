"""The link of a transfer, without I/O and without a clock (PROTOCOL.md, 5e): who serves a file, and who fetches it.

The bytes in are those of the other end, in pieces of any size; the bytes out are what is to be sent at once. Either end
reads no more than it has asked for.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.errors import PeerFault

HELLO: Final = 32  # bytes of what either end draws
CLAIM: Final = identity.ID_BYTES + identity.SIGNATURE  # bytes: who fetches, and its signature
SHORT: Final = 256  # bytes of a short record
LONG: Final = 1 + limits.CHUNK  # bytes of a long one
LIST_CHUNKS: Final = limits.CHUNK // suite.SECRET  # of so many chunks a piece of the list has the hashes

_CLAIM, _WANT_LIST, _WANT, _DONE = range(1, 5)  # tags of records of who fetches
_WAITING, _REFUSED = 1, 2  # tags of short records of who serves
_PIECE, _CHUNK = 1, 2  # tags of its long records
_KINDS = {b"\0": SHORT, b"\1": LONG}  # the byte in clear before a record of who serves, and what it is the length of

Refusal = Literal["not-yours", "over", "crowded"]
_REFUSALS: tuple[Refusal, ...] = ("not-yours", "over", "crowded")  # their numbers are their places


@dataclass(frozen=True, slots=True, repr=False)
class Claim:
    """Who fetches says that it may."""

    claim: bytes


@dataclass(frozen=True, slots=True)
class Want:
    """So many chunks of the file from this one on, or pieces of the list of their hashes."""

    kind: Literal["list", "chunks"]
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Done:
    """Who fetches has all of it."""


@dataclass(frozen=True, slots=True)
class Queued:
    """So many others are served before."""

    before: int


@dataclass(frozen=True, slots=True)
class NotServed:
    """Nothing is served on this link, or nothing more."""

    refusal: Refusal


@dataclass(frozen=True, slots=True, repr=False)
class ListPiece:
    """A piece of the list of hashes."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Chunk:
    """A chunk of the file; nothing says yet that it is the right one."""

    number: int
    data: bytes


Request = Claim | Want | Done
Answer = Queued | NotServed | ListPiece | Chunk


def derive_client_key(secret: bytes) -> bytes:
    """The X25519 private key by which the service of an offer is found."""
    return suite.expand(secret, "file client")


def find_client(secret: bytes) -> bytes:
    """The public half of that key, for the Tor of who serves."""
    private = X25519PrivateKey.from_private_bytes(derive_client_key(secret))
    return private.public_key().public_bytes_raw()


def count_chunks(size: int) -> int:
    """Of how many chunks a file of so many bytes consists."""
    return -(-size // limits.CHUNK)


def count_pieces(size: int) -> int:
    """Of how many pieces the list of their hashes does."""
    return -(-count_chunks(size) // LIST_CHUNKS)


def chunk_length(size: int, number: int) -> int:
    """Bytes of this chunk."""
    return min(limits.CHUNK, size - number * limits.CHUNK)


class HashList:
    """The hashes of the chunks of a file, one after the other."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def root(self) -> bytes:
        """What an offer says of it."""
        return suite.hash_data(self.data)

    def has(self, number: int, chunk: bytes) -> bool:
        """Whether this is the chunk with this number."""
        begin = number * suite.SECRET
        return suite.hash_data(chunk) == self.data[begin : begin + suite.SECRET]

    def piece(self, number: int) -> bytes:
        """A piece of it."""
        return self.data[number * limits.CHUNK : (number + 1) * limits.CHUNK]


class _Sealer:
    """Records of one direction, sealed under the count of those before."""

    __slots__ = ("_count", "_key")

    def __init__(self, secret: bytes, name: str, challenge: bytes) -> None:
        self._key = suite.Key(suite.expand(secret, name, challenge))
        self._count = 0

    def seal_record(self, text: bytes, length: int, kind: bytes = b"") -> bytes:
        record = kind + self._key.seal_text(self._count, text.ljust(length, b"\0"), kind)
        self._count += 1
        return record

    def open_record(self, sealed: bytes, kind: bytes = b"") -> bytes:
        """Raises PeerFault."""
        text = self._key.open_sealed(self._count, sealed, kind)
        if text is None:
            raise PeerFault("unreadable-record")
        self._count += 1
        return text


def _split(record: bytes, length: int) -> bytes:
    """So many bytes after the tag of a record; all others have to be zeros. Raises PeerFault."""
    end = 1 + length
    if record.count(0, end) != len(record) - end:
        raise PeerFault("padding")
    return record[1:end]


class ServingEnd:
    """The end of who serves. size: of the file. nonce: 32 random bytes, which are sent first."""

    def __init__(self, secret: bytes, nonce: bytes, size: int) -> None:
        self._secret = secret
        self.nonce = nonce
        self._size = size
        self._buffer = bytearray()
        self._keys: tuple[_Sealer, _Sealer] | None = None  # of what is sent, and of what comes
        self._is_claimed = False
        self._wants = 0  # under way
        self.challenge = b""

    @property
    def missing(self) -> int:
        """How many bytes may be read next: those of the next record, and no more."""
        return (HELLO if self._keys is None else SHORT + suite.TAG) - len(self._buffer)

    def receive_data(self, data: bytes | bytearray) -> Request | None:
        """Takes in at most the bytes that are missing; returns what they complete. Raises PeerFault."""
        self._buffer += data
        if self.missing:
            return None
        taken = bytes(self._buffer)
        self._buffer.clear()
        if self._keys is None:
            self.challenge = self.nonce + taken
            sending, receiving = (_Sealer(self._secret, f"{way} keys", self.challenge) for way in ("serve", "fetch"))
            self._keys = sending, receiving
            return None
        return self._read_request(self._keys[1].open_record(taken))

    def _read_request(self, record: bytes) -> Request:
        tag = record[0]
        if (tag == _CLAIM) == self._is_claimed:
            raise PeerFault("unexpected-request")
        if tag == _CLAIM:
            self._is_claimed = True
            return Claim(_split(record, CLAIM))
        if tag == _DONE:
            _split(record, 0)
            return Done()
        if tag not in (_WANT_LIST, _WANT):
            raise PeerFault("malformed")
        return self._read_want(tag == _WANT_LIST, _split(record, 8))

    def _read_want(self, is_list: bool, fields: bytes) -> Want:
        first, count = int.from_bytes(fields[:4], "big"), int.from_bytes(fields[4:], "big")
        total = count_pieces(self._size) if is_list else count_chunks(self._size)
        if not (1 <= count <= limits.SEGMENT and first + count <= total):
            raise PeerFault("malformed")
        self._wants += 1
        if self._wants > limits.WANTS:
            raise PeerFault("unexpected-request")
        return Want("list" if is_list else "chunks", first, count)

    def note_answered(self) -> None:
        """All that a Want has asked for is sealed."""
        self._wants -= 1

    def seal_piece(self, piece: bytes) -> bytes:
        """The next piece of the list that was wanted."""
        return self._seal_long(_PIECE, piece)

    def seal_chunk(self, chunk: bytes) -> bytes:
        """The next chunk that was wanted."""
        return self._seal_long(_CHUNK, chunk)

    def seal_waiting(self, before: int) -> bytes:
        """That so many are served before."""
        return self._seal_short(bytes([_WAITING]) + before.to_bytes(4, "big"))

    def seal_refusal(self, refusal: Refusal) -> bytes:
        """That nothing follows."""
        return self._seal_short(bytes([_REFUSED, _REFUSALS.index(refusal)]))

    def _seal_long(self, tag: int, data: bytes) -> bytes:
        assert self._keys is not None, "nothing is answered before it is asked"
        return self._keys[0].seal_record(bytes([tag]) + data, LONG, b"\1")

    def _seal_short(self, text: bytes) -> bytes:
        assert self._keys is not None, "nothing is answered before it is asked"
        return self._keys[0].seal_record(text, SHORT, b"\0")


class FetchingEnd:
    """The end of who fetches. size: of the file, as it was offered.

    nonce: 32 random bytes, which are sent once those of the other end are there.
    """

    def __init__(self, secret: bytes, nonce: bytes, size: int) -> None:
        self._secret = secret
        self.nonce = nonce
        self._size = size
        self._buffer = bytearray()
        self._kind = b""  # of the record that comes
        self._keys: tuple[_Sealer, _Sealer] | None = None
        self._wanted: deque[Want] = deque()  # in the order in which they will be answered
        self.challenge = b""

    @property
    def missing(self) -> int:
        """How many bytes complete what comes next."""
        if self._keys is None:
            return HELLO - len(self._buffer)
        return (_KINDS[self._kind] + suite.TAG if self._kind else 1) - len(self._buffer)

    def receive_data(self, data: bytes | bytearray) -> Answer | None:
        """Takes in at most the bytes that are missing; returns what they complete. Raises PeerFault."""
        self._buffer += data
        if self.missing:
            return None
        taken = bytes(self._buffer)
        self._buffer.clear()
        if self._keys is None:
            self.challenge = taken + self.nonce
            sending, receiving = (_Sealer(self._secret, f"{way} keys", self.challenge) for way in ("fetch", "serve"))
            self._keys = sending, receiving
            return None
        if not self._kind:
            if taken not in _KINDS:
                raise PeerFault("malformed")
            self._kind = taken
            return None
        record, self._kind = self._keys[1].open_record(taken, self._kind), b""
        return self._read_short(record) if len(record) == SHORT else self._read_long(record)

    @property
    def is_greeted(self) -> bool:
        """Whether the challenge is known, so that requests can be sealed."""
        return self._keys is not None

    @property
    def wants(self) -> tuple[Want, ...]:
        """What has been asked for and has not come, in its order."""
        return tuple(self._wanted)

    @staticmethod
    def _read_short(record: bytes) -> Queued | NotServed:
        if record[0] == _WAITING:
            return Queued(int.from_bytes(_split(record, 4), "big"))
        if record[0] != _REFUSED or record[1] >= len(_REFUSALS):
            raise PeerFault("malformed")
        return NotServed(_REFUSALS[_split(record, 1)[0]])

    def _read_long(self, record: bytes) -> ListPiece | Chunk:
        if not self._wanted:
            raise PeerFault("unexpected-frame")
        want = self._wanted[0]
        if record[0] != (_PIECE if want.kind == "list" else _CHUNK):
            raise PeerFault("malformed")
        rest = Want(want.kind, want.first + 1, want.count - 1)
        if rest.count:
            self._wanted[0] = rest
        else:
            self._wanted.popleft()
        if want.kind == "list":
            length = min(limits.CHUNK, suite.SECRET * count_chunks(self._size) - want.first * limits.CHUNK)
            return ListPiece(want.first, _split(record, length))
        return Chunk(want.first, _split(record, chunk_length(self._size, want.first)))

    def seal_claim(self, claim: bytes) -> bytes:
        """That we may have it: a member id and a signature over the challenge."""
        return self._seal(bytes([_CLAIM]) + claim)

    def seal_want(self, want: Want) -> bytes:
        """Asks for this, once; at most `WANTS` may be under way."""
        self._wanted.append(want)
        tag = _WANT_LIST if want.kind == "list" else _WANT
        return self._seal(bytes([tag]) + want.first.to_bytes(4, "big") + want.count.to_bytes(4, "big"))

    def seal_done(self) -> bytes:
        """That we have it whole."""
        return self._seal(bytes([_DONE]))

    def _seal(self, text: bytes) -> bytes:
        assert self._keys is not None, "the challenge comes first"
        return self._keys[0].seal_record(text, SHORT)
