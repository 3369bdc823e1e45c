"""What frames and contents of entries are made of: the types of their fields, with bounds, and the form of them all."""

from typing import Annotated

import msgspec

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
