"""A network whose people may be on two sides of a split, where neither side finds or hears the other."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio

from anonp2p.errors import AnonError
from anonp2p.names.codes import RoomKey
from anonp2p.net.transport import DialFault, Place, Transport
from anonp2p.reasons import Reason


class Land:
    """network: over which all of it goes. All are together, until it is split."""

    def __init__(self, network: Transport) -> None:
        self.network = network
        self.publishers: dict[str, str] = {}  # who has published each address last
        self.streams: list[tuple[str, str, trio.abc.Stream]] = []  # who dialled whom
        self._away: frozenset[str] = frozenset()

    def are_apart(self, one: str, other: str) -> bool:
        """Whether these are on different sides."""
        return (one in self._away) != (other in self._away)

    async def split(self, *names: str) -> None:
        """From now on these are apart from all others."""
        self._away = frozenset(names)
        for one, other, stream in self.streams:
            if self.are_apart(one, other):
                await trio.aclose_forcefully(stream)

    def heal(self) -> None:
        """All are together again."""
        self._away = frozenset()


class Home:
    """The network, as somebody of this name has it."""

    lack: AnonError | None = None

    def __init__(self, land: Land, name: str) -> None:
        self.lost = trio.Event()
        self._land = land
        self._name = name

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Place]:
        """As Transport has it."""
        self._land.publishers[key.code] = self._name
        async with self._land.network.listen(key, clients) as place:
            yield place

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        """As Transport has it."""
        other = self._land.publishers.get(code, self._name)
        if self._land.are_apart(self._name, other):
            await trio.lowlevel.checkpoint()
            raise DialFault(Reason("broken-circuit"))
        stream = await self._land.network.dial(code, isolation, hello=hello, fresh=fresh, client_key=client_key)
        self._land.streams.append((self._name, other, stream))
        return stream

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        await self._land.network.forget_keys(user)
