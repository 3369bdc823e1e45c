"""A network in memory, on which rooms are tested without Tor. Meant for a clock that jumps."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol, cast

import trio
import trio.testing
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anonp2p.errors import AnonError
from anonp2p.names.codes import RoomKey
from anonp2p.net.transport import DialFault, Place
from anonp2p.reasons import Reason
from anonp2p.room.hosting_events import Defence

_QUEUE = 1_000  # dials that a room has not accepted yet


def check_client(clients: Sequence[bytes], key: bytes) -> None:
    """What a Tor says where a service is to be found by these clients alone. Raises DialFault."""
    if clients and not key:
        raise DialFault(Reason("key-missing"), again=False)
    if clients and X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() not in clients:
        raise DialFault(Reason("key-wrong"), again=False)


class Wire(Protocol):
    """A connection in memory, by both its ends."""

    @property
    def dialler(self) -> trio.abc.Stream:
        """The end of who dialled."""

    @property
    def host(self) -> trio.abc.Stream:
        """The end of who was dialled."""

    def cut(self) -> None:
        """Breaks it: both ends fail at once."""


class MemoryPlace:
    """Where a room is reached: at once. undefended: see Place."""

    def __init__(self, listener: trio.abc.Listener[trio.abc.Stream]) -> None:
        self.listener = listener
        self.undefended: list[Defence] = []

    def admits(self, stream: trio.abc.Stream) -> bool:
        """As Place has it."""
        return True

    async def published(self) -> None:
        """As Place has it."""
        await trio.lowlevel.checkpoint()


class MemoryListener(trio.abc.Listener[trio.abc.Stream]):
    """Accepts what was dialled. clients: who may dial; without any, everybody may."""

    def __init__(self, clients: Sequence[bytes]) -> None:
        self.clients = clients
        self.incoming, self._queue = trio.open_memory_channel[trio.abc.Stream](_QUEUE)

    async def accept(self) -> trio.abc.Stream:
        """The next end of a wire that was dialled."""
        return await self._queue.receive()

    async def aclose(self) -> None:
        """Turns away those not accepted yet."""
        with suppress(trio.WouldBlock, trio.ClosedResourceError):
            while True:
                await trio.aclose_forcefully(self._queue.receive_nowait())
        self._queue.close()
        await trio.lowlevel.checkpoint()


class _Closable(Protocol):
    """What trio's testing streams are besides streams."""

    def close(self) -> None:
        """Closes it at once."""


class MemoryWire:
    """A wire between two streams in memory.

    lockstep: whether a send waits until the other end has read all of it. Otherwise the wire takes any amount.
    """

    def __init__(self, *, lockstep: bool = False) -> None:
        pair = trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
        near, far = pair()
        halves = (near.send_stream, near.receive_stream, far.send_stream, far.receive_stream)
        self._halves = [cast("_Closable", half) for half in halves]
        self._is_cut = False
        self.dialler = MemoryEnd(self.excuse, near)
        self.host = MemoryEnd(self.excuse, far)

    def cut(self) -> None:
        """As Wire has it."""
        self._is_cut = True
        for half in self._halves:
            half.close()

    def excuse(self) -> None:
        """Raises what an end meets that did not close itself."""
        if self._is_cut:
            raise trio.BrokenResourceError


class MemoryEnd(trio.abc.Stream):
    """One end of a wire. excuse: raises what is met on a closed stream, if it was not this end that closed it."""

    def __init__(self, excuse: Callable[[], None], stream: trio.StapledStream[Any, Any]) -> None:
        self.stream = stream
        self._excuse = excuse

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As the stream does."""
        try:
            await self.stream.send_all(data)
        except trio.ClosedResourceError:
            self._excuse()
            raise

    async def wait_send_all_might_not_block(self) -> None:
        """As the stream does."""
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """As the stream does."""
        try:
            return await self.stream.receive_some(max_bytes)
        except trio.ClosedResourceError:
            self._excuse()
            raise

    async def aclose(self) -> None:
        """As the stream does."""
        await self.stream.aclose()


class MemoryTransport:
    """Rooms reached over wires in memory. make_wire: what a dial gives."""

    lack: AnonError | None = None

    def __init__(self, make_wire: Callable[[], Wire]) -> None:
        self.lost = trio.Event()
        self.is_up = True  # whether dials lead anywhere
        self._wires: list[Wire] = []  # that were dialled
        self._make_wire = make_wire
        self._listeners: dict[str, list[MemoryListener]] = defaultdict(list)  # the last one hears

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Place]:
        """As Transport has it."""
        listener = MemoryListener(clients)
        self._listeners[key.code].append(listener)
        try:
            async with listener:
                yield MemoryPlace(listener)
        finally:
            self._listeners[key.code].remove(listener)

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        """As Transport has it."""
        await trio.lowlevel.checkpoint()
        if not self.is_up:
            raise DialFault(Reason("broken-circuit"))
        if not self._listeners[code]:
            raise DialFault(Reason("broken-circuit"), absent=True)
        check_client(self._listeners[code][-1].clients, client_key)
        wire = self._make_wire()
        self._wires.append(wire)
        try:
            self._listeners[code][-1].incoming.send_nowait(wire.host)
        except trio.BrokenResourceError:
            raise DialFault(Reason("broken-circuit"), absent=True) from None
        return wire.dialler

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        await trio.lowlevel.checkpoint()

    def cut(self) -> None:
        """Breaks every wire."""
        for wire in self._wires:
            wire.cut()
