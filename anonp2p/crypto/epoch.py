"""An epoch: what its members share, and what it seals and opens of the log (PROTOCOL.md, 4 and 6)."""

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

FLEETING: Final = 0  # ttl: shown to who is there, never kept
KEPT: Final = 2**32 - 1  # ttl: until the room ends

_HEADER = struct.Struct(">B16sQII")
_COUNTERS = 2**53  # as in frames: what is packed anywhere can be sent on


class Header(NamedTuple):
    """What goes before a body. kind: ENTRY or COMMIT; author: member id; ttl: seconds, or FLEETING, or KEPT."""

    kind: int
    author: bytes
    counter: int
    generation: int = 0
    ttl: int = KEPT

    def pack(self) -> bytes:
        """Its 33 bytes."""
        return _HEADER.pack(*self)

    @classmethod
    def unpack(cls, data: bytes) -> "Header":
        """A header from its 33 bytes. Raises PeerFault."""
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
    """An epoch's secrets; its own, from which they came, is gone."""

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
        """The epoch in which a room begins, with its host alone. genesis: the digest of the empty log."""
        return cls._open(0, bytes(suite.SECRET), secret, genesis, [host])[0]

    def next(self, secret: bytes, standing: bytes, members: Iterable[bytes]) -> tuple["Epoch", bytes]:
        """The epoch that a commit opens, and its tag. standing: of the room with it; members: those whom it leaves."""
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
        """A newcomer gets a chain, of which those who come later learn nothing. Raises PeerFault for one who had one.

        What its owner signed under the old one could be sealed again under the new.
        """
        if member in self.chains:
            raise PeerFault("one who joins twice in an epoch")
        self.chains[member] = Chain(suite.expand(self.newcomers, "chain", member))
        self.newcomers = suite.expand(self.newcomers, "next")

    def skip(self, header: Header) -> None:
        """The key of this entry is not needed, nor are those before it. Raises PeerFault."""
        if header.kind == ENTRY:
            self._chain(header.author).take(header.generation)

    # --- sealing

    def seal_entry(self, header: Header, body: bytes) -> bytes:
        """An entry or a commit of ours as it is sent. header: with the next generation of our chain."""
        packed = header.pack()
        return packed + self._body_key(header).seal(0, body, packed)

    def seal_burst(self, burst: bytes, random: Callable[[int], bytes]) -> bytes:
        """A packed burst as it goes on the wire. Raises ValueError for one too long."""
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
        """The packed burst in a content that is of this epoch's log; None for everything else. Raises PeerFault."""
        if len(content) < suite.NONCE + suite.TAG:
            return None
        padded = self._log.open(content[: suite.NONCE], content[suite.NONCE :])
        return None if padded is None else padding.unfill(padded, suite.NONCE + suite.TAG)

    def open_entry(self, entry: bytes) -> tuple[Header, bytes]:
        """Header and body of an entry or a commit. Its key is used up, whether it opens or not. Raises PeerFault."""
        header = header_of(entry)
        body = self._body_key(header).open(0, entry[_HEADER.size :], entry[: _HEADER.size])
        if body is None:
            raise PeerFault("an entry that does not open")
        return header, body


def header_of(entry: bytes) -> Header:
    """What an entry says outside of its seal. Raises PeerFault."""
    return Header.unpack(entry[: _HEADER.size])
