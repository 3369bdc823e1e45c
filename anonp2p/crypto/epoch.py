"""Epochs: the secrets that the members share, and how they seal and open the log (PROTOCOL.md, 4 and 6)."""

import hmac
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from anonp2p.crypto import padding, suite
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.errors import PeerFault

ENTRY: Final = 0
COMMIT: Final = 1
OPENING: Final = 2

FLEETING: Final = 0  # ttl: shown to members who are present, never kept
KEPT: Final = 2**32 - 1  # ttl: kept until the room ends

_HEADER = struct.Struct(">B16sQII")
_COUNTERS = 2**53  # the bound that frames have too, so that a header fits into any of them


class Header(NamedTuple):
    """The readable part of an entry. kind: ENTRY, COMMIT or OPENING; author: member id; ttl: seconds, or the below."""

    kind: int
    author: bytes
    counter: int
    generation: int = 0
    ttl: int = KEPT

    def pack(self) -> bytes:
        """The 33 bytes of the wire format."""
        return _HEADER.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> "Header":
        """Raises PeerFault for anything but the 33 bytes of a header."""
        if len(data) != _HEADER.size:
            raise PeerFault("header-length")
        header = cls(*_HEADER.unpack(data))
        if header.counter >= _COUNTERS or not header._is_of_its_kind():
            raise PeerFault("bad-header")
        return header

    def _is_of_its_kind(self) -> bool:
        if (self.kind, self.counter) == (OPENING, 0) or self.kind == COMMIT:
            return (self.generation, self.ttl) == (0, KEPT)
        return self.kind == ENTRY


@dataclass(slots=True, repr=False)
class Epoch:
    """The secrets of an epoch. The epoch secret, from which they are derived, is not kept."""

    number: int
    init_secret: bytes
    log_key: bytes
    newcomer_secret: bytes
    ratchets: dict[bytes, Ratchet]
    _log: suite.Key = field(init=False)
    _before: dict[bytes, Ratchet] | None = field(init=False, default=None)  # ratchets that would be put back

    def __post_init__(self) -> None:
        self._log = suite.Key(self.log_key)

    @classmethod
    def begin(cls, secret: bytes, digest: bytes, host: bytes) -> "Epoch":
        """The first epoch of a room, with the host as its only member. digest: of the log without entries."""
        return cls._open(0, bytes(suite.SECRET), secret, digest, [host])[0]

    @classmethod
    def begin_term(cls, number: int, secret: bytes, digest: bytes, members: Iterable[bytes]) -> "Epoch":
        """The first epoch of an heir's term, into which everybody is let by a welcome.

        number: its own. digest: of the log with the opening.
        """
        return cls._open(number, bytes(suite.SECRET), secret, digest, members)[0]

    def follow(
        self, secret: bytes, digest: bytes, members: Iterable[bytes], number: int | None = None
    ) -> tuple["Epoch", bytes]:
        """The epoch that follows a commit, or an opening by the same host, and its confirmation tag.

        digest: of the log with that entry, which covers the group context; members: those who remain. number: of the
        epoch; the next one if None.
        """
        return self._open(self.number + 1 if number is None else number, self.init_secret, secret, digest, members)

    @classmethod
    def _open(
        cls, number: int, init: bytes, fresh: bytes, digest: bytes, members: Iterable[bytes]
    ) -> tuple["Epoch", bytes]:
        secret = suite.expand(suite.extract(init, fresh), "epoch", digest)
        epoch = cls(
            number,
            suite.expand(secret, "init"),
            suite.expand(secret, "batches"),
            suite.expand(secret, "newcomers"),
            {member: Ratchet(suite.expand(secret, "ratchet", member)) for member in members},
        )
        return epoch, hmac.digest(suite.expand(secret, "confirm"), digest, "sha256")

    def admit_member(self, member: bytes) -> None:
        """Gives a newcomer a ratchet. Later newcomers learn nothing about it.

        Raises PeerFault for a member who already had one in this epoch: with a second ratchet, an entry that the member
        signed could be sealed and ordered again.
        """
        if member in self.ratchets:
            raise PeerFault("joined-twice")
        self.ratchets[member] = Ratchet(suite.expand(self.newcomer_secret, "ratchet", member))
        self.newcomer_secret = suite.expand(self.newcomer_secret, "next")

    def skip_key(self, header: Header) -> None:
        """Deletes the key of this entry and the unused keys before it. Raises PeerFault."""
        if header.kind == ENTRY:
            self._ratchet(header.author).take_key(header.generation)

    @contextmanager
    def undo_on_fault(self) -> Iterator[None]:
        """Entries opened within have not been opened if it turns out that they are not what they should be.

        Otherwise whoever can put bytes on our link could use up keys for what others have yet to say.
        """
        self._before = {}
        try:
            yield
        except PeerFault:
            self.ratchets.update(self._before)
            raise
        finally:
            self._before = None

    # --- sealing

    def seal_entry(self, header: Header, body: bytes) -> bytes:
        """An entry of ours as it is sent. header: of kind ENTRY, with the next generation of our ratchet."""
        packed = header.pack()
        return packed + self._ratchet(header.author).take_key(header.generation).seal_text(0, body, packed)

    def seal_batch(self, batch: bytes, random: Callable[[int], bytes]) -> bytes:
        """A packed batch as it is sent. Raises ValueError if it is too long."""
        nonce = random(suite.NONCE)
        return padding.frame_content(
            nonce + self._log.seal_text(nonce, padding.fill_payload(batch, suite.NONCE + suite.TAG))
        )

    def _ratchet(self, author: bytes) -> Ratchet:
        if author not in self.ratchets:
            raise PeerFault("stranger")
        ratchet = self.ratchets[author]
        if self._before is not None and author not in self._before:
            self._before[author] = ratchet
            ratchet = self.ratchets[author] = Ratchet(ratchet.chain_key, ratchet.generation)
        return ratchet

    # --- opening

    def open_batch(self, content: bytes) -> bytes | None:
        """The packed batch if the content was sealed with the log key of this epoch, else None. Raises PeerFault."""
        if len(content) < suite.NONCE + suite.TAG:
            return None
        padded = self._log.open_sealed(content[: suite.NONCE], content[suite.NONCE :])
        return None if padded is None else padding.unfill_payload(padded, suite.NONCE + suite.TAG)

    def open_entry(self, entry: bytes) -> tuple[Header, bytes]:
        """Header and body of an entry. Deletes its key, even if it does not open. Raises PeerFault."""
        header = read_header(entry)
        if header.kind != ENTRY:
            raise PeerFault("unreadable-entry")  # no other kind is ever sealed
        key = self._ratchet(header.author).take_key(header.generation)
        body = key.open_sealed(0, entry[_HEADER.size :], entry[: _HEADER.size])
        if body is None:
            raise PeerFault("unreadable-entry")
        return header, body


def is_header_of(packed: bytes, author: bytes, counter: int) -> bool:
    """Whether these bytes are the header of this author's entry with this counter."""
    return len(packed) == _HEADER.size and Header(*_HEADER.unpack(packed))[1:3] == (author, counter)


def read_header(entry: bytes) -> Header:
    """The header of a sealed entry. Raises PeerFault."""
    return Header.unpack(entry[: _HEADER.size])
