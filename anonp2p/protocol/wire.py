"""Payloads cut out of a stream of bytes (PROTOCOL.md, 2.1)."""

from collections.abc import Iterator

from anonp2p.crypto.padding import CONTENTS, LENGTH
from anonp2p.errors import PeerFault


class Splitter:
    """Contents from a stream of bytes, in pieces of any size. `longest`: how many bytes each may have from now on."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The contents that these bytes complete. Raises PeerFault at an improper length; the stream ends there."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= LENGTH:
                length = int.from_bytes(self._buffer[start : start + LENGTH], "big")
                if length > self.longest:
                    raise PeerFault("a payload too long")
                if length not in CONTENTS:
                    raise PeerFault("a payload of no proper length")
                end = start + LENGTH + length
                if len(self._buffer) < end:
                    break
                content = bytes(self._buffer[start + LENGTH : end])
                start = end
                yield content
        finally:
            del self._buffer[:start]
