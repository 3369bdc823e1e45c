"""One author's keys within an epoch: each used once, each made from the one before, none kept."""

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


class Chain:
    """A chain of keys (PROTOCOL.md, 6.6). link: its present secret; generation: whose it is."""

    __slots__ = ("generation", "link")

    def __init__(self, link: bytes, generation: int = 0) -> None:
        self.link = link
        self.generation = generation

    def take(self, generation: int) -> suite.Key:
        """The key of this generation; it, and those left out before it, are not to be had again. Raises PeerFault."""
        left_out = generation - self.generation
        if not 0 <= left_out <= limits.SKIPPED:
            raise PeerFault("a generation out of its order")
        for _ in range(left_out):
            self._step()
        key = suite.Key(suite.expand(self.link, "key"))
        self._step()
        return key

    def _step(self) -> None:
        self.link = suite.expand(self.link, "next")
        self.generation += 1
