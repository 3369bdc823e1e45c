"""What frames and contents of entries are made of: the types of their fields, with bounds, and the form of them all."""

from typing import Annotated

import msgspec

from anonp2p import limits

Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes33 = Annotated[bytes, msgspec.Meta(min_length=33, max_length=33)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Bytes65To97 = Annotated[bytes, msgspec.Meta(min_length=65, max_length=97)]
Bytes112 = Annotated[bytes, msgspec.Meta(min_length=112, max_length=112)]
EncryptionKeyBytes = Annotated[bytes, msgspec.Meta(min_length=1_216, max_length=1_216)]
BOX = 1_136  # bytes that a box adds to its text
COUNTS = 2**53  # JSON numbers are exact below it
Count = Annotated[int, msgspec.Meta(ge=0, lt=COUNTS)]
Ttl = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]  # seconds; the greatest value: until the room ends


class Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A msgpack array without reference cycles, so the garbage collector ignores it. Its `repr` shows no content."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Opening(Packed, frozen=True):
    """Where a term began: its number and host, and index and digest of the log with the entry that opened it.

    since: the index from which on entries have places of its number. The founder's term, whose number is 0, began with
    the empty log.
    """

    number: Count
    host: Bytes16
    index: Count
    digest: Bytes32
    since: Count = 0

    @property
    def term(self) -> tuple[int, bytes]:
        """The term; of two terms, the one that compares as higher goes before the other."""
        return self.number, self.host


Openings = Annotated[list[Opening], msgspec.Meta(min_length=1, max_length=limits.OPENINGS)]


class Invited(Packed, frozen=True):
    """By which invitation somebody comes, and that its key is known to who does (PROTOCOL.md, 5d).

    client: the public half of the return key of who comes.
    """

    invitation: Bytes32
    client: Bytes32
    signature: Bytes64


class Heir(Packed, frozen=True):
    """A member that can carry the room, and the address of the service by which it is reached then."""

    member: Bytes16
    address: Bytes32
