"""The control port of a Tor (control-spec), the only user of stem.

stem lives in threads. Every call to it goes through `Control.call`, which bounds it in time and turns its errors into
ours; its events come back as calls in trio's thread. stem's own log is silenced: it would hold room keys.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import stem
import stem.connection
import stem.control
import stem.socket
import trio

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.core import events
from anonp2p.errors import TorLost, TorMissing, TorRefused

logging.getLogger("stem").disabled = True

T = TypeVar("T")
Tell = Callable[[events.Event], None]

_BOOTED = 100  # percent
_BOOT = re.compile(r'BOOTSTRAP PROGRESS=(\d+) .*?SUMMARY="([^"]*)"')


class Control:
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
    async def open(endpoint: Endpoint) -> "Control":
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
                return Control(await trio.to_thread.run_sync(connect, abandon_on_cancel=True))
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

    async def is_booted(self) -> bool:
        """Whether this Tor has reached its network; one that does not tell is taken to have."""
        return _progress(await self.info("status/bootstrap-phase"))[0] == _BOOTED

    async def boot(self, tell: Tell) -> None:
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

        await self.subscribe("STATUS_CLIENT", "HS_DESC")
        with self.listening("STATUS_CLIENT", lambda event: at(str(event))):
            at(await self.info("status/bootstrap-phase") or 'BOOTSTRAP PROGRESS=100 SUMMARY="Done"')
            while latest[0] < _BOOTED:
                moved = trio.Event()
                waited = 0.0
                while not moved.is_set():
                    await _either(moved, self.lost, limits.BOOT_SLOW)
                    if self.lost.is_set():
                        raise TorLost("it ended while starting")
                    if moved.is_set():
                        break
                    waited += limits.BOOT_SLOW
                    if waited >= limits.BOOT_STALL:
                        raise TorRefused(f"it does not reach its network and is stuck at {latest[0]} % ({latest[1]})")
                    text = (
                        f"Tor has been at {latest[0]} % ({latest[1]}) for {waited:.0f} seconds. Is this machine online?"
                    )
                    tell(events.Notice(text=text))

    def _changed(self, _: Any, state: Any, __: float) -> None:
        if state == stem.control.State.CLOSED:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self.lost.set)


def _progress(phase: str) -> tuple[int, str]:
    """Percent and summary of a bootstrap phase; a Tor that does not tell is taken to be booted."""
    match = _BOOT.search(phase)
    return (int(match[1]), match[2]) if match else (_BOOTED, "Done")


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
