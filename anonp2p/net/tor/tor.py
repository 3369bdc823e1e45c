"""Tor: a running one or our own, rooms as onion services on it, dials through it."""

import errno
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import trio

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, TorRefused, TorUntrusted
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import process, socks
from anonp2p.net.tor.control import Control, Tell
from anonp2p.net.tor.discovery import find_running_tor, find_socks_port, try_socks_port
from anonp2p.net.tor.errors import (
    ControlPortNeeded,
    NoRoomSocket,
    NotPublished,
    NotSocksPort,
    PeersUnknown,
    SocksPortLost,
    SocksPortTaken,
    SocksPortUnknown,
)
from anonp2p.net.tor.peer_uid import peer_uid, tor_uids
from anonp2p.net.tor.race import race
from anonp2p.net.transport import DialFault
from anonp2p.reasons import DialFailure, Reason
from anonp2p.room import events

# Arguments of ADD_ONION that defend a room.
_DEFENCES: dict[events.Defence, str] = {
    "streams": f"Flags=MaxStreamsCloseCircuit MaxStreams={limits.STREAMS}",
    "proof-of-work": "PoWDefensesEnabled=1",
}
_NOT_UNDERSTOOD = ("510", "512", "513")  # what filters, and Tors of several ages, answer to arguments they do not know
_TAKEN = "550"  # what it answers where it serves that address already

# What Tor's replies to a dial mean (proposal 304), whether to try again, whether they say that the room is not there.
_DIAL_FAULTS: dict[int, tuple[DialFailure, bool, bool]] = {
    0xF0: ("no-descriptor", True, True),
    0xF1: ("bad-descriptor", True, True),
    0xF2: ("no-introduction", True, True),
    0xF3: ("broken-circuit", True, False),
    0xF4: ("key-missing", False, False),
    0xF5: ("key-wrong", False, False),
    0xF6: ("bad-address", False, False),
    0xF7: ("introduction-timeout", True, False),
    0x04: ("not-found", True, True),
    0x05: ("service-silent", True, True),
}


_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # why no connection can be accepted for now


class _Gate(trio.abc.Listener[trio.SocketStream]):
    """Accepts connections of these users, which are Tor's; all others it closes at once.

    It takes all that wait at once: otherwise another user of this machine could connect so fast that Tor's connections
    would have to wait.
    """

    def __init__(self, listening: socket.socket, uids: frozenset[int]) -> None:
        self._listening = listening
        self._uids = uids
        listening.setblocking(False)

    def admits(self, connection: socket.socket | trio.socket.SocketType) -> bool:
        """Whether one of these users is at the other end."""
        uid = peer_uid(connection)
        return uid is not None and uid in self._uids

    async def accept(self) -> trio.SocketStream:
        """The next connection of Tor's, as soon as the system has room for it."""
        await trio.lowlevel.checkpoint()
        while True:
            for _ in range(limits.LINKS_AT_ONCE):
                try:
                    connection, _ = self._listening.accept()
                except BlockingIOError:
                    await trio.lowlevel.wait_readable(self._listening)
                except ConnectionAbortedError:  # it was closed before we accepted it
                    pass
                except OSError as error:
                    if error.errno not in _NO_ROOM:
                        raise
                    await trio.sleep(limits.ACCEPT_PAUSE)
                else:
                    if self.admits(connection):
                        return trio.SocketStream(trio.socket.from_stdlib_socket(connection))
                    connection.close()
            await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Stops listening."""
        trio.lowlevel.notify_closing(self._listening)
        self._listening.close()
        await trio.lowlevel.checkpoint()


class _Place:
    """A room's onion service on a Tor."""

    def __init__(self, listener: _Gate, undefended: list[events.Defence], uploaded: trio.Event) -> None:
        self.listener = listener
        self.undefended = undefended
        self._uploaded = uploaded

    def admits(self, stream: trio.abc.Stream) -> bool:
        assert isinstance(stream, trio.SocketStream), "the listener gives no others"
        return self.listener.admits(stream.socket)

    async def published(self) -> None:
        await self._uploaded.wait()


class Tor:
    """A usable Tor: a transport whose addresses are onion services.

    `lost` is set when it can be used no more. runtime: our directory for sockets that this Tor can reach, None where it
    is not ours to reach. proxy: its SOCKS port; None to ask the control port for it at each dial. uids: of the users
    that it may run as, None where it runs as we do.
    """

    def __init__(
        self,
        control: Control | None,
        proxy: Endpoint | None,
        runtime: Path | None,
        kind: Literal["own", "system"],
        uids: frozenset[int] | None = None,
    ) -> None:
        self.lost = control.lost if control else trio.Event()
        self.kind = kind
        self._control = control
        self._proxy = proxy
        self._runtime = runtime
        self._uids = uids or frozenset((os.getuid(),))
        self._unanswered: set[str] = set()  # the codes whose latest dial got no answer at all
        self._served: set[str] = set()  # the codes of our services

    @property
    def may_listen(self) -> bool:
        """Whether there is a control port, at which services can be asked for."""
        return self._control is not None

    @asynccontextmanager
    async def listen(self, key: RoomKey) -> AsyncIterator[_Place]:
        """Publishes the room, attached to our control connection: it ends with us, however we end.

        Raises TorRefused where there is no control port or it does not take the service, TorLost.
        """
        if self._control is None:
            raise ControlPortNeeded
        address = key.code.removesuffix(".onion")
        uploaded = trio.Event()

        def heard(event: Any) -> None:
            if event.address == address and event.action == "UPLOADED":
                uploaded.set()

        with _listener(self._runtime, self._uids) as (listener, target), self._control.listening("HS_DESC", heard):
            undefended = await self._publish(self._control, key, target)
            self._served.add(key.code)
            try:
                yield _Place(listener, undefended, uploaded)
            finally:
                self._served.discard(key.code)
                with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True), suppress(AnonError):
                    await self._control.send(f"DEL_ONION {address}")

    async def _publish(self, control: Control, key: RoomKey, target: str) -> list[events.Defence]:
        """Returns the defences that are not understood.

        What Tor still serves that we do not want any more, it has not withdrawn in time. What another room or program
        serves is withdrawn soon, if that is a host in whose place we go on.
        """
        deadline = trio.current_time() + limits.TAKEN_PATIENCE
        while True:
            status, undefended = await self._add_service(control, key, target)
            if status != _TAKEN or trio.current_time() >= deadline:
                break
            if key.code not in self._served:
                await control.send(f"DEL_ONION {key.code.removesuffix('.onion')}")
            await trio.sleep(limits.TAKEN_PAUSE)
        if status != "250":
            raise NotPublished(status)
        return undefended

    @staticmethod
    async def _add_service(control: Control, key: RoomKey, target: str) -> tuple[str, list[events.Defence]]:
        """ADD_ONION (control-spec 3.27), with all defences that are understood; its status, and those that are not."""
        ladder = (kept for count in (2, 1, 0) for kept in combinations(_DEFENCES, count))
        status = ""
        for kept in ladder:
            words = [
                f"ADD_ONION ED25519-V3:{key.expanded_private_key()}",
                *(_DEFENCES[defence] for defence in kept),
                target,
            ]
            status, _, _ = (await control.send(" ".join(words)))[-1]
            if status not in _NOT_UNDERSTOOD:
                break
        return status, [defence for defence in _DEFENCES if defence not in kept]

    async def dial(self, code: str, isolation: str, *, fresh: bool = False) -> trio.abc.Stream:
        """A stream to the room through the SOCKS port. Raises DialFault with what Tor's reply means, TorLost.

        After a dial that got no answer, the next one has Tor look anew where the room is, as a fresh one always has.
        So does a second try beside one that gets none for a while: where a host is gone at that moment, or another one
        takes its place, Tor waits for minutes for who cannot come any more.
        """
        if code in self._unanswered:
            if not await self._fetch(code) and self._control is not None and self.kind == "own":
                with suppress(TorRefused):
                    await self._control.send("SIGNAL NEWNYM")
        elif fresh:
            await self._fetch(code)
        self._unanswered.add(code)

        async def try_again() -> trio.abc.Stream:
            await self._fetch(code)
            return await self._connect(code, f"{isolation}:again")

        return await race(lambda: self._connect(code, isolation), try_again, limits.DIAL_BESIDE)

    async def _connect(self, code: str, isolation: str) -> trio.abc.Stream:
        """One try."""
        user, _, password = isolation.partition(":")
        proxy = self._proxy or await self._ask_proxy()
        discovered = self._proxy is None and self._control is not None and self._control.discovered
        try:
            stream = await socks.connect(proxy, code, limits.PORT, user, password, discovered=discovered)
        except TorUntrusted as error:  # somebody took the port that its Tor has given up
            raise SocksPortTaken(error.detail) from None
        except socks.SocksError as error:
            if error.code is None:
                raise NotSocksPort(proxy) from None
            failure, again, absent = _DIAL_FAULTS.get(error.code, ("failed-circuit", True, False))
            if absent:  # so Tor has looked
                self._unanswered.discard(code)
            raise DialFault(Reason(failure), again=again, absent=absent) from None
        except trio.BrokenResourceError:
            raise DialFault(Reason("tor-hung-up")) from None
        except OSError:
            raise SocksPortLost(proxy) from None
        self._unanswered.discard(code)
        return stream

    async def _fetch(self, code: str) -> bool:
        """Has Tor fetch the room's descriptor even if it has one; whether it has done so. Raises TorLost.

        A host that is back through another Tor, or on another network, has new introduction points. Those of before
        take calls for it, and Tor believes them, until their relays learn that the host is there no more. Only one that
        refuses makes Tor ask for a new descriptor by itself: without this, members dialled in vain for as long as we
        watched, minutes; with it they were back within 0.3 s.

        Tor asks each of a room's six directories once in 15 minutes, however often it is told to. Our own can be made
        to start afresh; on one that is not ours, that would take everybody's circuits.
        """
        if self._control is None:
            return False
        address = code.removesuffix(".onion")
        asked = False
        over = trio.Event()

        def heard(event: Any) -> None:
            nonlocal asked
            if event.address == address:
                asked |= event.action == "REQUESTED"
                if event.action in ("RECEIVED", "FAILED"):
                    over.set()

        with suppress(TorRefused), self._control.listening("HS_DESC", heard):
            status, _, _ = (await self._control.send(f"HSFETCH {address}"))[-1]
            if status == "250":
                with trio.move_on_after(limits.FETCH_PATIENCE):
                    await over.wait()
        return asked or over.is_set()

    async def _ask_proxy(self) -> Endpoint:
        """Asked each time: a Tor that was offline may have opened another one since. Raises TorLost."""
        assert self._control is not None, "without one, the proxy is given"
        try:
            return await find_socks_port(self._control)
        except TorRefused as error:
            raise SocksPortUnknown(error.detail) from None


@contextmanager
def _listener(runtime: Path | None, uids: frozenset[int]) -> Iterator[tuple[_Gate, str]]:
    """Where Tor hands us a room's connections, and how ADD_ONION says it: a unix socket, or else a loopback port.

    Raises Failed where there can be none.
    """
    with socket.socket(socket.AF_INET if runtime is None else socket.AF_UNIX) as listening:
        try:
            if runtime is None:
                listening.bind(("127.0.0.1", 0))
                target = f"Port={limits.PORT},127.0.0.1:{listening.getsockname()[1]}"
            else:
                path = runtime / f"room-{os.urandom(4).hex()}"
                listening.bind(str(path))
                target = f"Port={limits.PORT},unix:{path}"
            listening.listen(limits.BACKLOG)
        except OSError as error:
            raise NoRoomSocket(error.strerror) from None
        if runtime is None:
            _require_peer_uids(listening)
        yield _Gate(listening, uids), target


def _require_peer_uids(listening: socket.socket) -> None:
    """Raises TorRefused where the kernel does not tell whose connections these are: all others would be refused."""
    with socket.socket(listening.family) as ours:
        ours.connect(listening.getsockname())
        accepted, _ = listening.accept()
        with accepted:
            if peer_uid(accepted) is None:
                raise PeersUnknown


@asynccontextmanager
async def connect(config: Config, tell: Tell) -> AsyncIterator[Tor]:
    """A Tor as the configuration asks for it, found or started, and booted; `tell` hears of its progress.

    Raises TorMissing, TorRefused, TorLost, Failed; some of them within an ExceptionGroup.
    """
    control = None
    if config.tor == "system" or (config.tor == "auto" and not config.socks):
        control = await find_running_tor(config, tell)
    if control is None and config.socks:
        await try_socks_port(config.socks)
        yield _ready(Tor(None, config.socks, None, "system"), "", tell)
        return
    if control is None:
        async with (
            process.launch(config.torrc, amnesic=config.amnesic) as own,
            aclosing(await Control.open(Endpoint(path=own.control))) as control,
        ):
            await control.send("TAKEOWNERSHIP")
            await control.boot(tell)
            yield _ready(Tor(control, Endpoint(path=own.socks), own.runtime, "own"), await control.version(), tell)
        return
    async with aclosing(control):
        uid = await control.info("process/uid")
        ours = uid == str(os.getuid())
        with process.runtime_directory() as runtime:
            tor = Tor(control, config.socks, runtime if ours else None, "system", tor_uids(uid, control.owners))
            yield _ready(tor, await control.version(), tell)


def _ready(tor: Tor, version: str, tell: Tell) -> Tor:
    tell(events.ReadyEvent(version=version, tor=tor.kind))
    return tor
