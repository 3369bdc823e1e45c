"""Keys of the entries of one author in an epoch, or of the records one way on a link: each is used once and deleted."""

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.errors import PeerFault


class Ratchet:
    """A sequence of keys (PROTOCOL.md, 6.6).

    chain_key: the secret from which the next key is derived; generation: the number of that key.
    """

    __slots__ = ("chain_key", "generation")

    def __init__(self, chain_key: bytes, generation: int = 0) -> None:
        self.chain_key = chain_key
        self.generation = generation

    def take_key(self, generation: int) -> suite.Key:
        """The key of this generation. It and the skipped ones before it cannot be taken again. Raises PeerFault."""
        skipped = generation - self.generation
        if not 0 <= skipped <= limits.SKIPPED:
            raise PeerFault("generation")
        for _ in range(skipped):
            self._advance()
        return self.take_next_key()

    def take_next_key(self) -> suite.Key:
        """The key of the present generation. It cannot be taken again."""
        key = suite.Key(suite.expand(self.chain_key, "key"))
        self._advance()
        return key

    def _advance(self) -> None:
        self.chain_key = suite.expand(self.chain_key, "next")
        self.generation += 1
