"""Payloads cut out of a stream of bytes (PROTOCOL.md, 2.1)."""

from collections.abc import Iterator

from anonp2p.crypto.padding import CONTENTS, LENGTH
from anonp2p.errors import PeerFault


class Splitter:
    """Contents from a stream of bytes, in pieces of any size. `longest`: how many bytes each may have from now on."""

    __slots__ = ("_buffer", "longest")

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._buffer = bytearray()

    def __len__(self) -> int:
        """How many bytes wait."""
        return len(self._buffer)

    def feed_data(self, data: bytes | bytearray) -> Iterator[bytes]:
        """Adds these bytes; the contents that are complete now, each read only when it is asked for."""
        self._buffer += data
        return iter(self.next_content, None)

    def next_content(self) -> bytes | None:
        """The first content, once it is complete. Raises PeerFault at an improper length; the stream ends there."""
        if len(self._buffer) < LENGTH:
            return None
        length = int.from_bytes(self._buffer[:LENGTH], "big")
        if length > self.longest:
            raise PeerFault("payload-too-long")
        if length not in CONTENTS:
            raise PeerFault("payload-length")
        end = LENGTH + length
        if len(self._buffer) < end:
            return None
        content = bytes(self._buffer[LENGTH:end])
        del self._buffer[:end]
        return content
