"""An epoch: what its members share, and what it seals and opens of the log (PROTOCOL.md, 4 and 6)."""

import hmac
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from anonp2p.core.epochs import suite
from anonp2p.core.epochs.chain import Chain
from anonp2p.errors import PeerFault

ENTRY: Final = 0
COMMIT: Final = 1
HEAD: Final = 2

KEPT: Final = 2**32 - 1  # ttl: until the room ends

_HEADER = struct.Struct(">B16sQII")
_SEALED_HEADER = _HEADER.size + suite.TAG
_NOBODY = bytes(16)
_COUNTERS = 2**53  # as in frames: what is packed anywhere can be sent on


class Header(NamedTuple):
    """What goes before a body. kind: ENTRY, COMMIT or HEAD; author: member id; ttl: seconds."""

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
        if self.kind == HEAD:
            return (self.author, self.generation, self.ttl) == (_NOBODY, 0, 0)
        return self.ttl == KEPT and (self.kind == ENTRY or (self.kind == COMMIT and self.generation == 0))


@dataclass(slots=True, repr=False)
class Epoch:
    """An epoch's secrets; its own, from which they came, is gone."""

    number: int
    init: bytes
    header_key: bytes
    head_key: bytes
    newcomers: bytes
    chains: dict[bytes, Chain]
    heads: int = 0  # how many we have sealed
    _headers: suite.Key = field(init=False)

    def __post_init__(self) -> None:
        self._headers = suite.Key(self.header_key)

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
            suite.expand(secret, "header"),
            suite.expand(secret, "heads"),
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

    # --- sealing

    def seal_entry(self, header: Header, body: bytes) -> bytes:
        """An entry or a commit of ours as it goes on the wire. header: with the next generation of our chain."""
        return self._seal(header, body, self._body_key(header), 0)

    def seal_head(self, text: bytes) -> bytes:
        """A head of ours as it goes on the wire."""
        header = Header(HEAD, _NOBODY, self.heads, 0, 0)
        self.heads += 1
        return self._seal(header, text, suite.Key(self.head_key), header.counter)

    def _seal(self, header: Header, text: bytes, key: suite.Key, nonce: int) -> bytes:
        packed = header.pack()
        sealed = key.seal(nonce, text, packed)
        return self._headers.seal(_header_nonce(sealed), packed) + sealed

    def _body_key(self, header: Header) -> suite.Key:
        if header.kind == COMMIT:
            return suite.Key(suite.expand(self.init, "commit", header.pack()))
        return self.chains[header.author].take(header.generation)

    # --- opening

    def open_header(self, payload: bytes) -> Header | None:
        """The header of what is of this epoch's log; None for everything else."""
        packed = self._headers.open(_header_nonce(payload), payload[:_SEALED_HEADER])
        return None if packed is None else Header.unpack(packed)

    def open_entry(self, header: Header, payload: bytes) -> bytes:
        """The body of an entry or a commit. Its key is used up, whether it opens or not. Raises PeerFault."""
        if header.kind != COMMIT and header.author not in self.chains:
            raise PeerFault("an entry of a stranger")
        return self._open_body(header, payload, self._body_key(header), 0)

    def open_head(self, header: Header, payload: bytes) -> bytes:
        """What a head says. Raises PeerFault."""
        if header.kind != HEAD:
            raise PeerFault("an entry where a head has to be")
        return self._open_body(header, payload, suite.Key(self.head_key), header.counter)

    @staticmethod
    def _open_body(header: Header, payload: bytes, key: suite.Key, nonce: int) -> bytes:
        body = key.open(nonce, payload[_SEALED_HEADER:], header.pack())
        if body is None:
            raise PeerFault("an entry that does not open")
        return body


def _header_nonce(payload: bytes) -> bytes:
    """From the tag of the body, which never comes twice: no two headers share a nonce, and none is sent."""
    return payload[-suite.TAG :][:12].ljust(12, b"\0")
