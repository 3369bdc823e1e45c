"""Tor: finding a running one or starting ours, its control port (the only user of stem), rooms as onion services on it.

stem lives in threads. Every call to it goes through `_Control.call`, which bounds it in time and turns its errors into
ours; its events come back as calls in trio's thread. stem's own log is silenced: it would hold room keys.
"""

import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import stem
import stem.connection
import stem.control
import stem.socket
import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.core import events
from anonp2p.core.code import RoomKey
from anonp2p.errors import AnonError, TorLost, TorMissing, TorRefused
from anonp2p.net import launch, socks
from anonp2p.net.transport import DialFault

logging.getLogger("stem").disabled = True

T = TypeVar("T")
Tell = Callable[[events.Event], None]

# Where `auto` looks for a running Tor, after what the environment names: Debian, tor's default, Tor Browser.
_USUAL = (
    Endpoint(path="/run/tor/control"),
    Endpoint(host="127.0.0.1", port=9051),
    Endpoint(host="127.0.0.1", port=9151),
)

_BOOT = re.compile(r'BOOTSTRAP PROGRESS=(\d+) .*?SUMMARY="([^"]*)"')
_LISTENER = re.compile(r'"([^"]*)"')
_BOOTED = 100  # percent
_UNKNOWN_KEYWORD = "512"  # what ADD_ONION answers to an argument that this Tor does not know

_NO_POW = "This Tor cannot defend the room against floods by proof of work; Tor 0.4.8 or newer can."

# What Tor's replies to a dial mean (proposal 304), whether to try again, whether they say that the room is not there.
_DIAL_FAULTS = {
    0xF0: ("Tor finds no trace of it: it has ended, or is not published yet", True, True),
    0xF1: ("what Tor found about it is not valid", True, True),
    0xF2: ("it does not answer: it has ended, or its Tor is away", True, True),
    0xF3: ("the circuit to it broke", True, False),
    0xF4: ("it is a private room, and the code lacks its key", False, False),
    0xF5: ("it is a private room, and the key in the code is wrong", False, False),
    0xF6: ("Tor takes the code for no onion address", False, False),
    0xF7: ("it did not answer in time", True, False),
    0x04: ("Tor does not find it, or it does not answer", True, True),
    0x05: ("its Tor answers, but the room does not", True, True),
}


class _Control:
    """A control connection that has let us in. `lost` is set when it ends."""

    def __init__(self, controller: stem.control.Controller) -> None:
        self._controller = controller
        self._token = trio.lowlevel.current_trio_token()
        self._listeners: list[tuple[str, Callable[[Any], None]]] = []
        self.lost = trio.Event()
        controller.add_status_listener(self._changed)
        if not controller.is_alive():
            self.lost.set()

    @staticmethod
    async def open(endpoint: Endpoint) -> "_Control":
        """Connects and authenticates, as far as that works without asking anybody. Raises TorMissing, TorRefused."""

        def connect() -> stem.control.Controller:
            port = stem.socket.ControlSocketFile(endpoint.path) if endpoint.path else None
            controller = stem.control.Controller(port or stem.socket.ControlPort(endpoint.host, endpoint.port))
            try:
                controller.authenticate()
            except BaseException:
                controller.close()
                raise
            return controller

        with trio.move_on_after(limits.CONTROL):
            try:
                return _Control(await trio.to_thread.run_sync(connect, abandon_on_cancel=True))
            except stem.connection.MissingPassword:
                raise TorRefused(
                    f"its control port {endpoint} wants a password; let it take cookies (CookieAuthentication 1)"
                ) from None
            except stem.connection.UnreadableCookieFile:
                raise TorRefused(
                    f"we may not read the cookie of its control port {endpoint}; join its group (Debian: debian-tor)"
                ) from None
            except stem.SocketClosed:
                raise TorRefused(f"what listens at {endpoint} is no control port of Tor, or it hung up") from None
            except stem.SocketError as error:
                reason = str(error).partition("] ")[2] or str(error)
                raise TorMissing(f"there is no control port to use at {endpoint} ({reason})") from None
            except (stem.ControllerError, stem.connection.AuthenticationFailure):
                raise TorRefused(
                    f"what listens at {endpoint} is no control port of Tor, or does not let us in"
                ) from None
        raise TorRefused(f"what listens at {endpoint} does not answer as a control port of Tor does")

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Calls a method of stem's controller. Raises TorLost, TorRefused; neither repeats what was sent."""
        with trio.move_on_after(limits.CONTROL):
            try:
                call = partial(function, self._controller, *arguments)
                return await trio.to_thread.run_sync(call, abandon_on_cancel=True)
            except stem.SocketError:
                raise TorLost("its control port hung up") from None
            except stem.ControllerError:
                raise TorRefused("it refuses what we need of its control port") from None
        raise TorLost("its control port does not answer")

    async def info(self, key: str) -> str:
        """A GETINFO value; empty where this Tor, or a filter before it, does not tell."""
        try:
            return str(await self.call(stem.control.Controller.get_info, key))
        except TorRefused:
            return ""

    async def version(self) -> str:
        """Tor's version, as `0.4.9.11`."""
        return (await self.info("version")).partition(" ")[0]

    async def subscribe(self, *kinds: str) -> None:
        """Asks for events of these kinds, for `listening`. Raises TorLost, TorRefused."""
        await self.call(stem.control.Controller.add_event_listener, self._happened, *kinds)

    @contextmanager
    def listening(self, kind: str, heard: Callable[[Any], None]) -> Iterator[None]:
        """Calls `heard` in trio's thread with each event of this kind, as long as the context lasts."""
        self._listeners.append((kind, heard))
        try:
            yield
        finally:
            self._listeners.remove((kind, heard))

    def _happened(self, event: Any) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._dispatch, event)

    def _dispatch(self, event: Any) -> None:
        for kind, heard in list(self._listeners):
            if kind == event.type:
                heard(event)

    async def send(self, line: str) -> list[tuple[str, str, bytes]]:
        """One raw command; the reply as (status, divider, text) lines. May hold a key: never put into an error."""
        reply = await self.call(stem.control.Controller.msg, line)
        return list(reply.content())

    async def aclose(self) -> None:
        """Hangs up, without waiting for a Tor that hangs."""
        with trio.move_on_after(limits.WITHDRAW, shield=True):
            await trio.to_thread.run_sync(self._controller.close, abandon_on_cancel=True)

    def _changed(self, _: Any, state: Any, __: float) -> None:
        if state == stem.control.State.CLOSED:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self.lost.set)


class _Place:
    """A room's onion service on a Tor."""

    def __init__(self, listener: trio.abc.Listener[trio.abc.Stream], notice: str, uploaded: trio.Event) -> None:
        self.listener = listener
        self.notice = notice
        self._uploaded = uploaded

    async def published(self) -> None:
        await self._uploaded.wait()


class Tor:
    """A usable Tor: a transport whose addresses are onion services.

    `lost` is set when it can be used no more. runtime: our directory for sockets that this Tor can reach, None where it
    is not ours to reach.
    """

    def __init__(
        self, control: _Control | None, proxy: Endpoint, runtime: Path | None, kind: Literal["own", "system"]
    ) -> None:
        self.lost = control.lost if control else trio.Event()
        self.kind = kind
        self._control = control
        self._proxy = proxy
        self._runtime = runtime

    @asynccontextmanager
    async def listen(self, key: RoomKey) -> AsyncIterator[_Place]:
        """Publishes the room, attached to our control connection: it ends with us, however we end.

        Raises TorRefused where there is no control port or it does not take the service, TorLost.
        """
        if self._control is None:
            raise TorRefused(
                "--socks alone is enough to join a room, but creating one needs a control port (--control)"
            )
        address = key.code.removesuffix(".onion")
        uploaded = trio.Event()

        def heard(event: Any) -> None:
            if event.address == address and event.action == stem.HSDescAction.UPLOADED:
                uploaded.set()

        with _listener(self._runtime) as (listener, target), self._control.listening("HS_DESC", heard):
            notice = await self._publish(self._control, key, target)
            try:
                yield _Place(listener, notice, uploaded)
            finally:
                with trio.move_on_after(limits.WITHDRAW, shield=True), suppress(AnonError):
                    await self._control.send(f"DEL_ONION {address}")

    async def _publish(self, control: _Control, key: RoomKey, target: str) -> str:
        """ADD_ONION (control-spec 3.27), with the proof-of-work defence where Tor has it; a notice where not."""
        notice = ""
        service = f"ADD_ONION ED25519-V3:{key.expanded()} "
        status, _, _ = (await control.send(f"{service}PoWDefensesEnabled=1 {target}"))[-1]
        if status == _UNKNOWN_KEYWORD:
            notice = _NO_POW
            status, _, _ = (await control.send(f"{service}{target}"))[-1]
        if status != "250":
            raise TorRefused(f"it does not publish the room (it answers {status})")
        return notice

    async def dial(self, code: str, isolation: str) -> trio.abc.Stream:
        """A stream to the room through the SOCKS port. Raises DialFault with what Tor's reply means, TorLost."""
        user, _, password = isolation.partition(":")
        try:
            return await socks.connect(self._proxy, code, limits.PORT, user, password)
        except socks.SocksError as error:
            if error.code is None:
                raise TorRefused(f"what listens at {self._proxy} is no SOCKS port of Tor") from None
            detail, again, absent = _DIAL_FAULTS.get(error.code, ("the circuit to it failed", True, False))
            raise DialFault(detail, again=again, absent=absent) from None
        except trio.BrokenResourceError:
            raise DialFault("Tor hung up on us") from None
        except OSError:
            raise TorLost(f"nothing answers at its SOCKS port {self._proxy}") from None


@contextmanager
def _listener(runtime: Path | None) -> Iterator[tuple[trio.SocketListener, str]]:
    """Where Tor hands us a room's connections, and how ADD_ONION says it: a unix socket, or else a loopback port."""
    if runtime is None:
        listening = socket.socket(socket.AF_INET)
        listening.bind(("127.0.0.1", 0))
        target = f"Port={limits.PORT},127.0.0.1:{listening.getsockname()[1]}"
    else:
        path = runtime / f"room-{os.urandom(4).hex()}"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        target = f"Port={limits.PORT},unix:{path}"
    with listening:
        listening.listen(limits.HALF_OPEN)
        yield trio.SocketListener(trio.socket.from_stdlib_socket(listening)), target


@asynccontextmanager
async def connect(config: Config, tell: Tell) -> AsyncIterator[Tor]:
    """A Tor as the configuration asks for it, found or started, and booted; `tell` hears of its progress.

    Raises TorMissing, TorRefused, TorLost, Failed; within an ExceptionGroup where it comes to that.
    """
    if config.tor != "own" and config.socks and not config.control and config.tor == "auto":
        await _try_socks(config.socks)
        yield _ready(Tor(None, config.socks, None, "system"), "", tell)
        return
    control = None if config.tor == "own" else await _running(config, tell)
    if control is None:
        async with (
            launch.launch(config.torrc, amnesic=config.amnesic) as own,
            aclosing(await _Control.open(Endpoint(path=own.control))) as control,
        ):
            await control.send("TAKEOWNERSHIP")
            await _boot(control, tell)
            yield _ready(Tor(control, Endpoint(path=own.socks), own.runtime, "own"), await control.version(), tell)
        return
    async with aclosing(control):
        proxy = config.socks or await _proxy(control)
        ours = await control.info("process/uid") == str(os.getuid())
        with launch.runtime_directory() as runtime:
            tor = Tor(control, proxy, runtime if ours else None, "system")
            yield _ready(tor, await control.version(), tell)


def _ready(tor: Tor, version: str, tell: Tell) -> Tor:
    tell(events.Ready(version=version, tor=tor.kind))
    return tor


async def _running(config: Config, tell: Tell) -> _Control | None:
    """A control connection to a running Tor; None where our own is wanted instead."""
    if config.control:
        control = await _Control.open(config.control)
        await _boot(control, tell)
        return control
    named = os.environ.get("TOR_CONTROL_HOST"), os.environ.get("TOR_CONTROL_PORT")
    candidates = (Endpoint.parse(f"{named[0] or '127.0.0.1'}:{named[1] or 9051}"), *_USUAL) if any(named) else _USUAL
    refusal: AnonError = TorMissing("no running Tor has a control port where we looked; name it with --control")
    for endpoint in candidates:
        try:
            control = await _Control.open(endpoint)
        except TorMissing:
            continue
        except TorRefused as error:
            refusal = error
            continue
        if _progress(await control.info("status/bootstrap-phase"))[0] == _BOOTED:
            await control.subscribe("HS_DESC")
            return control
        await control.aclose()
        refusal = TorRefused(f"the Tor at {endpoint} has not reached its network yet")
    if config.tor == "system":
        raise refusal
    return None


async def _proxy(control: _Control) -> Endpoint:
    """The SOCKS port of a running Tor; TCP before unix sockets, which may not be open to us."""
    listeners = _LISTENER.findall(await control.info("net/listeners/socks"))
    if not listeners:
        raise TorRefused("it has no SOCKS port; name one with --socks")
    return Endpoint.parse(sorted(listeners, key=lambda listener: listener.startswith("unix:"))[0])


async def _try_socks(proxy: Endpoint) -> None:
    """Whether a SOCKS port is there at all."""
    with trio.move_on_after(limits.CONTROL):
        try:
            async with await socks.open_endpoint(proxy) as stream:
                await socks.greet(stream, "anonp2p", "anonp2p")
                return
        except OSError:
            raise TorMissing(f"nothing answers at the SOCKS port {proxy}") from None
        except (socks.SocksError, trio.BrokenResourceError):
            pass
    raise TorRefused(f"what listens at {proxy} is no SOCKS port of Tor")


def _progress(phase: str) -> tuple[int, str]:
    """Percent and summary of a bootstrap phase; a Tor that does not tell is taken to be booted."""
    match = _BOOT.search(phase)
    return (int(match[1]), match[2]) if match else (_BOOTED, "Done")


async def _boot(control: _Control, tell: Tell) -> None:
    """Returns when Tor has reached its network, telling how far it is. Raises TorRefused when it gets nowhere."""
    latest = (-1, "")
    moved = trio.Event()

    def at(phase: str) -> None:
        nonlocal latest
        progress = _progress(phase)
        if _BOOT.search(phase) and progress[0] > latest[0]:
            latest = progress
            tell(events.TorProgress(progress=progress[0], summary=progress[1]))
            moved.set()

    await control.subscribe("STATUS_CLIENT", "HS_DESC")
    with control.listening("STATUS_CLIENT", lambda event: at(str(event))):
        at(await control.info("status/bootstrap-phase") or 'BOOTSTRAP PROGRESS=100 SUMMARY="Done"')
        while latest[0] < _BOOTED:
            moved = trio.Event()
            waited = 0.0
            while not moved.is_set():
                await _either(moved, control.lost, limits.BOOT_SLOW)
                if control.lost.is_set():
                    raise TorLost("it ended while starting")
                if moved.is_set():
                    break
                waited += limits.BOOT_SLOW
                if waited >= limits.BOOT_STALL:
                    raise TorRefused(f"it does not reach its network and is stuck at {latest[0]} % ({latest[1]})")
                text = f"Tor has been at {latest[0]} % ({latest[1]}) for {waited:.0f} seconds. Is this machine online?"
                tell(events.Notice(text=text, room=UNSET))


async def _either(first: trio.Event, second: trio.Event, seconds: float) -> None:
    """Returns when one of the events is set, or after so many seconds."""
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_then_cancel, first, nursery.cancel_scope)
            await second.wait()
            nursery.cancel_scope.cancel()


async def _then_cancel(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
