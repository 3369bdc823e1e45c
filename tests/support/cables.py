"""Somebody's own way onto any network, which may be cut and mended."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio

from anonp2p.errors import AnonError, TorLost
from anonp2p.names.codes import RoomKey
from anonp2p.net.transport import Place, Transport


class Cable:
    """Leads to a network that is there all the time. Its `usable` is for a session."""

    def __init__(self, network: Transport) -> None:
        self._network = network
        self._far_end = _FarEnd(network)
        self._is_whole = trio.Event()
        self._is_whole.set()

    async def usable(self, pause: float = 0.0) -> Transport:
        """The network, once there is one, or so long after."""
        while not self._is_whole.is_set():
            await self._is_whole.wait()
            await trio.sleep(pause)
        await trio.lowlevel.checkpoint()
        return self._far_end

    async def cut(self) -> None:
        """It is of no use any more, and what went over it ends."""
        self._is_whole = trio.Event()
        self._far_end.lost.set()
        for stream in self._far_end.streams:
            await trio.aclose_forcefully(stream)

    def mend(self) -> None:
        """It is as before, or another is in its place."""
        self._far_end = _FarEnd(self._network)
        self._is_whole.set()


class _FarEnd:
    """The network, for as long as the cable is whole."""

    lack: AnonError | None = None

    def __init__(self, network: Transport) -> None:
        self.lost = trio.Event()
        self.streams: list[trio.abc.Stream] = []
        self._network = network

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Place]:
        """As Transport has it."""
        if self.lost.is_set():
            raise TorLost("it was cut")
        async with self._network.listen(key, clients) as place:
            yield place

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        """As Transport has it."""
        if self.lost.is_set():
            raise TorLost("it was cut")
        stream = await self._network.dial(code, isolation, hello=hello, fresh=fresh, client_key=client_key)
        self.streams.append(stream)
        return stream

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        await self._network.forget_keys(user)
