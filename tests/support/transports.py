"""Networks without Tor: in memory, where everything can be made to happen, and over loopback TCP."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol, cast

import trio
import trio.testing
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anonp2p.errors import AnonError, TorLost
from anonp2p.names.codes import RoomKey, encode_key
from anonp2p.net.transport import DialFault, Transport
from anonp2p.reasons import Reason
from anonp2p.room.hosting_events import Defence

Listener = trio.abc.Listener[trio.abc.Stream]

HANG: Final = "hang"  # planned for a dial: it takes for ever
CONNECT: Final = "connect"  # planned for a dial: it is as usual

_NOBODY = Reason("broken-circuit")


def check_client(clients: Sequence[bytes], key: bytes) -> None:
    """What a Tor says where a service is to be found by these clients alone. Raises DialFault."""
    if clients and not key:
        raise DialFault(Reason("key-missing"), again=False)
    if clients and X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() not in clients:
        raise DialFault(Reason("key-wrong"), again=False)


class Network(Transport, Protocol):
    """A transport to be tested over. patience: seconds after which what has not happened never will."""

    patience: float


class _Place:
    """Where a room is reached: at once."""

    def __init__(self, listener: Listener, undefended: list[Defence]) -> None:
        self.listener = listener
        self.undefended = undefended

    def admits(self, stream: trio.abc.Stream) -> bool:
        return True

    async def published(self) -> None:
        await trio.lowlevel.checkpoint()


class LoopbackNetwork:
    """Rooms on loopback ports that the kernel picks. Runs by the real clock. ports: by the codes of the rooms."""

    patience = 30.0
    lack: AnonError | None = None

    def __init__(self) -> None:
        self.lost = trio.Event()
        self.ports: dict[str, int] = {}
        self._clients: dict[str, Sequence[bytes]] = {}

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[_Place]:
        """As Transport has it."""
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = self.ports[key.code] = listener.socket.getsockname()[1]
        self._clients[key.code] = clients
        try:
            async with listener:
                yield _Place(listener, [])
        finally:
            if self.ports[key.code] == port:  # unless another has taken the place since
                del self.ports[key.code]

    async def dial(self, code: str, isolation: str, *, fresh: bool = False, client_key: bytes = b"") -> trio.abc.Stream:
        """As Transport has it."""
        if code not in self.ports:
            raise DialFault(_NOBODY, absent=True)
        check_client(self._clients.get(code, ()), client_key)  # of a place in another process nothing is known
        try:
            return await trio.open_tcp_stream("127.0.0.1", self.ports[code])
        except OSError:
            raise DialFault(_NOBODY, absent=True) from None

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        await trio.lowlevel.checkpoint()


class End(trio.abc.Stream):
    """One end of a wire; `sent` lists what went out, piece by piece, and `times` when."""

    def __init__(self, wire: "Wire", stream: trio.abc.Stream) -> None:
        self.sent: list[bytes] = []
        self.times: list[float] = []
        self._wire = wire
        self.stream = stream
        self._flow = trio.Event()
        self._flow.set()

    def pause(self) -> None:
        """Whoever reads here gets nothing from now on, until it is resumed."""
        self._flow = trio.Event()

    def resume(self) -> None:
        """It goes on where it was."""
        self._flow.set()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Sends, or only seems to."""
        self.sent.append(bytes(data))
        self.times.append(trio.current_time())
        if self._wire.silent:
            await trio.lowlevel.checkpoint()
            return
        try:
            await self.stream.send_all(data)
        except trio.ClosedResourceError:
            self._wire.excuse()
            raise

    async def wait_send_all_might_not_block(self) -> None:
        """Waits as the stream does."""
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receives, or waits for ever."""
        await self._flow.wait()
        try:
            data = await self.stream.receive_some(max_bytes)
        except trio.ClosedResourceError:
            self._wire.excuse()
            raise
        await self._flow.wait()
        return data

    async def aclose(self) -> None:
        """Closes it; the other end learns it unless the wire is silent."""
        if self._wire.silent:
            await trio.lowlevel.checkpoint()
        else:
            await self.stream.aclose()


class _Closable(Protocol):
    """What trio's testing streams are besides streams."""

    def close(self) -> None:
        """Closes it at once."""


class Wire:
    """A connection in memory, and what can befall it.

    lockstep: whether a send waits until the other end has read all of it. Otherwise the wire takes any amount.
    """

    def __init__(self, *, lockstep: bool = False) -> None:
        pair = trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
        near, far = pair()
        halves = (near.send_stream, near.receive_stream, far.send_stream, far.receive_stream)
        self._halves = [cast("_Closable", half) for half in halves]
        self.dialler = End(self, near)
        self.host = End(self, far)
        self.silent = False
        self._is_cut = False

    def cut(self) -> None:
        """Breaks it: both ends fail at once."""
        self._is_cut = True
        for half in self._halves:
            half.close()

    def fall_silent(self) -> None:
        """Delivers nothing any more, not even its end; sends seem to work."""
        self.silent = True

    def excuse(self) -> None:
        """Raises what an end meets that did not close itself."""
        if self._is_cut:
            raise trio.BrokenResourceError


class MemoryListener(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self, clients: Sequence[bytes]) -> None:
        self.clients = clients
        self.incoming, self._queue = trio.open_memory_channel[trio.abc.Stream](1_000)

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


@dataclass(frozen=True, slots=True)
class Dialled:
    """A dial that was tried, and when."""

    at: float
    code: str
    isolation: str
    fresh: bool


class MemoryNetwork:
    """Rooms reached over wires in memory. Meant for a clock that jumps.

    plan: what becomes of the next dials, in this order: CONNECT, HANG, or an exception; of later ones, `otherwise`.
    lockstep: whether wires dialled from now on push back (see Wire). undefended: of every place.
    """

    patience = 1_000.0
    lack: AnonError | None = None

    def __init__(self) -> None:
        self.lost = trio.Event()
        self.plan: deque[Exception | str] = deque()
        self.otherwise: Exception | str = CONNECT
        self.lockstep = False
        self.undefended: list[Defence] = []
        self.dials: list[Dialled] = []
        self.forgotten: list[str] = []  # users of client keys
        self.wires: list[Wire] = []
        self._listeners: dict[str, list[MemoryListener]] = defaultdict(list)  # the last one hears

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[_Place]:
        """As Transport has it."""
        listener = MemoryListener(clients)
        self._listeners[key.code].append(listener)
        try:
            async with listener:
                yield _Place(listener, self.undefended)
        finally:
            self._listeners[key.code].remove(listener)

    async def dial(self, code: str, isolation: str, *, fresh: bool = False, client_key: bytes = b"") -> trio.abc.Stream:
        """As Transport has it, after what is planned."""
        self.dials.append(Dialled(trio.current_time(), code, isolation, fresh))
        planned = self.plan.popleft() if self.plan else self.otherwise
        await trio.lowlevel.checkpoint()
        if isinstance(planned, Exception):
            raise planned
        if planned == HANG:
            await trio.sleep_forever()
        if not self._listeners[code]:
            raise DialFault(_NOBODY, absent=True)
        check_client(self._listeners[code][-1].clients, client_key)
        wire = Wire(lockstep=self.lockstep)
        self.wires.append(wire)
        try:
            self._listeners[code][-1].incoming.send_nowait(wire.host)
        except trio.BrokenResourceError:
            raise DialFault(_NOBODY, absent=True) from None
        return wire.dialler

    def serves(self, address: bytes) -> bool:
        """Whether there is a service at this address, whoever may find it."""
        return bool(self._listeners[encode_key(address)])

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        self.forgotten.append(user)
        await trio.lowlevel.checkpoint()

    def forget_dials(self) -> None:
        """What was dialled so far is of no interest."""
        self.dials.clear()
        self.wires.clear()

    def cut(self) -> None:
        """Breaks every wire."""
        for wire in self.wires:
            wire.cut()

    def go_down(self) -> None:
        """Breaks every wire and refuses every dial, until it is up again."""
        self.otherwise = DialFault(Reason("broken-circuit"))
        self.cut()

    def come_up(self) -> None:
        """Dials are as usual again."""
        self.otherwise = CONNECT


class Tor:
    """Somebody's own way onto a MemoryNetwork, which may be lost and had again. Its `usable` is for a session."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.wires: list[Wire] = []
        self._network = network
        self._connection = _Connection(network, self.wires)
        self._usable = trio.Event()
        self._usable.set()

    async def usable(self, pause: float = 0.0) -> Transport:
        """The network, once there is one, or so long after."""
        while not self._usable.is_set():
            await self._usable.wait()
            await trio.sleep(pause)
        await trio.lowlevel.checkpoint()
        return self._connection

    def vanish(self) -> None:
        """Goes without a word: neither it nor the other side learns of it but by the silence."""
        self._usable = trio.Event()
        for wire in self.wires:
            wire.fall_silent()

    def lose(self) -> None:
        """It ends, and what goes over it; a room served through it is reached no more."""
        self._usable = trio.Event()
        self._connection.lost.set()
        for wire in self.wires:
            wire.cut()

    def regain(self) -> None:
        """It, or another, is there again."""
        self._connection = _Connection(self._network, self.wires)
        self._usable.set()


class _Connection:
    """What a Tor gives to a session, until it is lost."""

    lack: AnonError | None = None

    def __init__(self, network: MemoryNetwork, wires: list[Wire]) -> None:
        self.lost = trio.Event()
        self._network = network
        self._wires = wires

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[_Place]:
        """As Transport has it."""
        if self.lost.is_set():
            raise TorLost("it ended, or hung up on us")
        async with self._network.listen(key, clients) as place:
            yield place

    async def dial(self, code: str, isolation: str, *, fresh: bool = False, client_key: bytes = b"") -> trio.abc.Stream:
        """As Transport has it."""
        if self.lost.is_set():
            raise TorLost("nothing answers at its SOCKS port")
        stream = await self._network.dial(code, isolation, fresh=fresh, client_key=client_key)
        self._wires.append(self._network.wires[-1])
        return stream

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        await self._network.forget_keys(user)
