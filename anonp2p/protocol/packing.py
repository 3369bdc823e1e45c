"""What travels packed: bytes <-> typed values (PROTOCOL.md, 0.2). All of it is packed with msgpack."""

from functools import cache
from typing import Any

import msgspec

from anonp2p.errors import PeerFault
from anonp2p.protocol.field_types import Packed

_encoder = msgspec.msgpack.Encoder()
_decoder = cache(msgspec.msgpack.Decoder)

# What msgspec raises for malformed bytes. For deep nesting and broken UTF-8 these are exceptions of Python.
_MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def pack(packed: Packed | list[Any]) -> bytes:
    """The bytes of what is sent, or of an array that is hashed and never sent."""
    return _encoder.encode(packed)


def unpack(kind: Any, data: bytes) -> Any:
    """The value of this kind in a peer's bytes, which are what `pack` makes of it (PROTOCOL.md, 0.2).

    Raises PeerFault.
    """
    value = decode(kind, data)
    if _encoder.encode(value) != data:
        raise PeerFault("malformed")
    return value


def decode(kind: Any, data: bytes) -> Any:
    """The value of this kind in a peer's bytes, in whatever form they have it. Raises PeerFault."""
    try:
        return _decoder(kind).decode(data)
    except _MALFORMED:
        raise PeerFault("malformed") from None
