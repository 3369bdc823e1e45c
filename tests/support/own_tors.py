"""Tors as the program starts them, in a private network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anonp2p.config import Config
from anonp2p.net.tor import tor
from anonp2p.net.tor.tor import Tor


@asynccontextmanager
async def own_tor(torrc: str) -> AsyncIterator[Tor]:
    """A Tor as the program starts it."""
    config = Config(tor="own", torrc=Path(torrc), amnesic=True)
    async with tor.connect(config, lambda _: None) as started:
        yield started
