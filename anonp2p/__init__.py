"""anonp2p: anonymous group chat for the terminal, peer to peer over Tor."""

__version__ = "0.1.0"
