"""The entry keys of one author within an epoch: each is derived from the one before, used once and deleted."""

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


class Chain:
    """A sequence of keys (PROTOCOL.md, 6.6).

    link: the secret from which the next key is derived; generation: the number of that key.
    """

    __slots__ = ("generation", "link")

    def __init__(self, link: bytes, generation: int = 0) -> None:
        self.link = link
        self.generation = generation

    def take(self, generation: int) -> suite.Key:
        """The key of this generation. It and the skipped ones before it cannot be taken again. Raises PeerFault."""
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
