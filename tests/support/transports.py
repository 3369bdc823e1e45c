"""Networks without Tor: in memory, where everything can be made to happen, and over loopback TCP."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import trio

from anonp2p.errors import AnonError, TorLost
from anonp2p.names.codes import RoomKey
from anonp2p.net.memory import MemoryPlace, MemoryTransport, MemoryWire, check_client
from anonp2p.net.transport import DialFault, Place, Transport
from anonp2p.reasons import Reason
from anonp2p.room.hosting_events import Defence

Listener = trio.abc.Listener[trio.abc.Stream]

HANG: Final = "hang"  # planned for a dial: it takes for ever
CONNECT: Final = "connect"  # planned for a dial: it is as usual

_NOBODY = Reason("broken-circuit")


class Network(Transport, Protocol):
    """A transport to be tested over. patience: seconds after which what has not happened never will."""

    patience: float


class LoopbackNetwork:
    """Rooms on loopback ports that the kernel picks. Runs by the real clock. ports: by the codes of the rooms."""

    patience = 30.0
    lack: AnonError | None = None

    def __init__(self) -> None:
        self.lost = trio.Event()
        self.ports: dict[str, int] = {}
        self._clients: dict[str, Sequence[bytes]] = {}

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Place]:
        """As Transport has it."""
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = self.ports[key.code] = listener.socket.getsockname()[1]
        self._clients[key.code] = clients
        try:
            async with listener:
                yield MemoryPlace(listener)
        finally:
            if self.ports[key.code] == port:  # unless another has taken the place since
                del self.ports[key.code]

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
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
    """One end of a wire, watched; `sent` lists what went out, piece by piece, and `times` when. `stream`: the end."""

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
        else:
            await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Waits as the stream does."""
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receives, or waits for ever."""
        await self._flow.wait()
        data = await self.stream.receive_some(max_bytes)
        await self._flow.wait()
        return data

    async def aclose(self) -> None:
        """Closes it; the other end learns it unless the wire is silent."""
        if self._wire.silent:
            await trio.lowlevel.checkpoint()
        else:
            await self.stream.aclose()


class Wire:
    """A wire in memory that is watched, and may be paused or fall silent. lockstep: as MemoryWire has it."""

    def __init__(self, *, lockstep: bool = False) -> None:
        self._wire = MemoryWire(lockstep=lockstep)
        self.dialler = End(self, self._wire.dialler)
        self.host = End(self, self._wire.host)
        self.silent = False

    def cut(self) -> None:
        """Breaks it: both ends fail at once."""
        self._wire.cut()

    def fall_silent(self) -> None:
        """Delivers nothing any more, not even its end; sends seem to work."""
        self.silent = True


@dataclass(frozen=True, slots=True)
class Dialled:
    """A dial that was tried, and when."""

    at: float
    code: str
    isolation: str
    fresh: bool
    hello: int


class MemoryNetwork:
    """The network in memory, watched, on which dials can fail. Meant for a clock that jumps.

    plan: what becomes of the next dials, in this order: CONNECT, HANG, or an exception; of later ones, `otherwise`.
    lockstep: whether wires dialled from now on push back (see MemoryWire). undefended: of every place.
    """

    patience = 1_000.0
    lack: AnonError | None = None

    def __init__(self) -> None:
        self.plan: deque[Exception | str] = deque()
        self.otherwise: Exception | str = CONNECT
        self.lockstep = False
        self.undefended: list[Defence] = []
        self.dials: list[Dialled] = []
        self.forgotten: list[str] = []  # users of client keys
        self.wires: list[Wire] = []
        self._transport = MemoryTransport(self._make_wire)
        self.lost = self._transport.lost

    def _make_wire(self) -> Wire:
        self.wires.append(wire := Wire(lockstep=self.lockstep))
        return wire

    @asynccontextmanager
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Place]:
        """As Transport has it."""
        async with self._transport.listen(key, clients) as place:
            place.undefended = self.undefended
            yield place

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        """As Transport has it, after what is planned."""
        self.dials.append(Dialled(trio.current_time(), code, isolation, fresh, hello))
        planned = self.plan.popleft() if self.plan else self.otherwise
        await trio.lowlevel.checkpoint()
        if isinstance(planned, Exception):
            raise planned
        if planned == HANG:
            await trio.sleep_forever()
        return await self._transport.dial(code, isolation, hello=hello, fresh=fresh, client_key=client_key)

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        self.forgotten.append(user)
        await self._transport.forget_keys(user)

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
    async def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AsyncIterator[Place]:
        """As Transport has it."""
        if self.lost.is_set():
            raise TorLost("it ended, or hung up on us")
        async with self._network.listen(key, clients) as place:
            yield place

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        """As Transport has it."""
        if self.lost.is_set():
            raise TorLost("nothing answers at its SOCKS port")
        stream = await self._network.dial(code, isolation, hello=hello, fresh=fresh, client_key=client_key)
        self._wires.append(self._network.wires[-1])
        return stream

    async def forget_keys(self, user: str) -> None:
        """As Transport has it."""
        await self._network.forget_keys(user)
