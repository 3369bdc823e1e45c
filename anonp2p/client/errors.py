"""What a client does not do any more."""

from anonp2p.errors import TorLost


class BlockLeft(TorLost):
    about = "the block that had it was left"
