"""Epochs: the secrets that the members share, and how they seal and open the log (PROTOCOL.md, 4 and 6)."""

import hmac
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from anonp2p.crypto import padding, suite
from anonp2p.crypto.ratchet import Chain
from anonp2p.errors import PeerFault

ENTRY: Final = 0
COMMIT: Final = 1

FLEETING: Final = 0  # ttl: shown to members who are present, never kept
KEPT: Final = 2**32 - 1  # ttl: kept until the room ends

_HEADER = struct.Struct(">B16sQII")
_COUNTERS = 2**53  # the bound that frames have too, so that a header fits into any of them


class Header(NamedTuple):
    """The readable part of an entry. kind: ENTRY or COMMIT; author: member id; ttl: seconds, FLEETING or KEPT."""

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
            raise PeerFault("a header of no proper length")
        header = cls(*_HEADER.unpack(data))
        if header.counter >= _COUNTERS or not header._is_of_its_kind():
            raise PeerFault("a header that is none")
        return header

    def _is_of_its_kind(self) -> bool:
        return self.kind == ENTRY or (self.kind, self.generation, self.ttl) == (COMMIT, 0, KEPT)


@dataclass(slots=True, repr=False)
class Epoch:
    """The secrets of an epoch. The epoch secret, from which they are derived, is not kept."""

    number: int
    init: bytes
    log_key: bytes
    newcomers: bytes
    chains: dict[bytes, Chain]
    _log: suite.Key = field(init=False)

    def __post_init__(self) -> None:
        self._log = suite.Key(self.log_key)

    @classmethod
    def first(cls, secret: bytes, genesis: bytes, host: bytes) -> "Epoch":
        """The first epoch of a room, with the host as its only member. genesis: the digest of the empty log."""
        return cls._open(0, bytes(suite.SECRET), secret, genesis, [host])[0]

    def next(self, secret: bytes, standing: bytes, members: Iterable[bytes]) -> tuple["Epoch", bytes]:
        """The epoch that follows a commit, and its confirmation tag.

        standing: of the room after the commit; members: those who remain.
        """
        return self._open(self.number + 1, self.init, secret, standing, members)

    @classmethod
    def _open(
        cls, number: int, init: bytes, fresh: bytes, standing: bytes, members: Iterable[bytes]
    ) -> tuple["Epoch", bytes]:
        secret = suite.expand(suite.extract(init, fresh), "epoch", standing)
        epoch = cls(
            number,
            suite.expand(secret, "init"),
            suite.expand(secret, "bursts"),
            suite.expand(secret, "newcomers"),
            {member: Chain(suite.expand(secret, "chain", member)) for member in members},
        )
        return epoch, hmac.digest(suite.expand(secret, "confirm"), standing, "sha256")

    def admit(self, member: bytes) -> None:
        """Gives a newcomer a ratchet. Later newcomers learn nothing about it.

        Raises PeerFault for a member who already had one in this epoch: with a second ratchet, an entry that the member
        signed could be sealed and ordered again.
        """
        if member in self.chains:
            raise PeerFault("one who joins twice in an epoch")
        self.chains[member] = Chain(suite.expand(self.newcomers, "chain", member))
        self.newcomers = suite.expand(self.newcomers, "next")

    def skip(self, header: Header) -> None:
        """Deletes the key of this entry and the unused keys before it. Raises PeerFault."""
        if header.kind == ENTRY:
            self._chain(header.author).take(header.generation)

    # --- sealing

    def seal_entry(self, header: Header, body: bytes) -> bytes:
        """An entry or a commit of ours as it is sent. header: has the next generation of our ratchet."""
        packed = header.pack()
        return packed + self._body_key(header).seal(0, body, packed)

    def seal_burst(self, burst: bytes, random: Callable[[int], bytes]) -> bytes:
        """A packed batch as it is sent. Raises ValueError if it is too long."""
        nonce = random(suite.NONCE)
        return padding.payload(nonce + self._log.seal(nonce, padding.fill(burst, suite.NONCE + suite.TAG)))

    def _body_key(self, header: Header) -> suite.Key:
        if header.kind == COMMIT:
            return suite.Key(suite.expand(self.init, "commit", header.pack()))
        return self._chain(header.author).take(header.generation)

    def _chain(self, author: bytes) -> Chain:
        if author not in self.chains:
            raise PeerFault("an entry of a stranger")
        return self.chains[author]

    # --- opening

    def open_burst(self, content: bytes) -> bytes | None:
        """The packed batch if the content was sealed with the log key of this epoch, else None. Raises PeerFault."""
        if len(content) < suite.NONCE + suite.TAG:
            return None
        padded = self._log.open(content[: suite.NONCE], content[suite.NONCE :])
        return None if padded is None else padding.unfill(padded, suite.NONCE + suite.TAG)

    def open_entry(self, entry: bytes) -> tuple[Header, bytes]:
        """Header and body of an entry or a commit. Deletes its key, even if it does not open. Raises PeerFault."""
        header = header_of(entry)
        body = self._body_key(header).open(0, entry[_HEADER.size :], entry[: _HEADER.size])
        if body is None:
            raise PeerFault("an entry that does not open")
        return header, body


def header_of(entry: bytes) -> Header:
    """The header of a sealed entry. Raises PeerFault."""
    return Header.unpack(entry[: _HEADER.size])
