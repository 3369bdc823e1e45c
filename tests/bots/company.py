"""Bots on one network in memory, for the tests of the library."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from anonp2p import library
from anonp2p.config import Config
from anonp2p.errors import AnonError
from anonp2p.library import Room, Tor
from anonp2p.net.transport import Transport
from anonp2p.room import events
from tests.support.transports import MemoryNetwork

PATIENCE = 300.0  # virtual seconds after which what has not happened never will


class Company:
    """Whoever connects here reaches all others. lack: why there is no Tor to be had, while there is none."""

    def __init__(self) -> None:
        self.network = MemoryNetwork()
        self.lack: AnonError | None = None
        self.lost = trio.Event()

    def connect(self, nick: str = "", *, no_heir: bool = False) -> AbstractAsyncContextManager[Tor]:
        """As anonp2p.connect, over the network in memory."""
        return library.open_tor(Config(nick=nick, no_heir=no_heir), self._find)

    @asynccontextmanager
    async def _find(self, config: Config, tell: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
        await trio.lowlevel.checkpoint()
        if self.lack is not None:
            raise self.lack
        tell(events.ReadyEvent(version="0.4.8", tor="own"))
        yield self.network

    def lose_tor(self, why: AnonError) -> None:
        """Everybody's Tor ends, and there is none to be had any more."""
        self.lack = why
        self.network.lost.set()
        self.network.cut()

    @asynccontextmanager
    async def pair(self) -> AsyncIterator[tuple[Room, Room]]:
        """A host, and a member of its room."""
        async with (
            self.connect("ann") as tor,
            self.connect("bot") as its,
            tor.create("den") as ann,
            its.join(ann.code) as bot,
        ):
            yield ann, bot
