"""The control port of a Tor (control-spec).

What waits for it does so in threads (`controller`), for a time that is limited here. Events become calls in trio's
thread.
"""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import trio
from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.errors import AnonError, TorRefused
from anonp2p.net.tor import commands, owner, place
from anonp2p.net.tor.complaints import Complaints
from anonp2p.net.tor.errors import (
    BootComplained,
    BootStalled,
    BridgesFailed,
    BridgesSilent,
    ControlConnectionSilent,
    ControlPortForbidden,
    ControlPortSilent,
    NoControlPort,
    PasswordNeeded,
    TorEndedStarting,
)
from anonp2p.reasons import Reason
from anonp2p.room import events

if TYPE_CHECKING:
    from anonp2p.net.tor.controller import Controller, Reply

Tell = Callable[[events.Event], None]

_BOOTED = 100  # percent
_WARNING = re.compile(r'BOOTSTRAP .*? WARNING="((?:[^"\\]|\\.)*)"')
_BOOT = re.compile(r'BOOTSTRAP PROGRESS=([0-9]{1,3}) .*?SUMMARY="([^"]*)"')


class Control:
    """An authenticated control connection. `lost` is set when it ends.

    endpoint: where it leads. owners: the uids of those who may listen there, if known. discovered: the user did not
    name the endpoint. refused: the commands that Tor, or a filter before it, did not take, and their statuses.
    """

    def __init__(
        self, controller: "Controller", endpoint: Endpoint, owners: frozenset[int], *, discovered: bool
    ) -> None:
        self.endpoint = endpoint
        self.owners = owners
        self.discovered = discovered  # then its SOCKS ports have to be checked too
        self.refused: dict[str, str] = {}
        self._controller = controller
        self._token = trio.lowlevel.current_trio_token()
        self._listeners: list[tuple[str, Callable[[str], None]]] = []
        self._kinds: list[str] = []  # of the events that we get
        self.lost = trio.Event()
        controller.watch(self._happened, self._ended)

    @staticmethod
    async def open(endpoint: Endpoint, *, discovered: bool = False, password: bytes = b"") -> "Control":
        """Connects and authenticates without asking the user.

        discovered: the user did not name this endpoint, so whoever listens there must be trusted, and must be somebody
        who may own the cookie. password: for a Tor that wants one. Raises TorMissing, TorRefused, TorUntrusted.
        """
        with trio.move_on_after(limits.CONTROL_PATIENCE):
            try:
                stream, owners = await owner.connect(endpoint, discovered=discovered)
            except PermissionError:
                raise ControlPortForbidden(endpoint, place.name_group(endpoint.path)) from None
            except OSError as error:
                reason = os.strerror(error.errno) if error.errno else str(error)  # trio's text repeats the endpoint
                raise NoControlPort(endpoint, reason) from None
            connected = socket.socket(fileno=stream.socket.detach())
            connected.setblocking(True)
            with ExitStack() as failing:
                failing.callback(_hang_up, connected)  # also after a time-out, so that the thread ends too

                def enter() -> "Controller":
                    from anonp2p.net.tor import controller  # here, as it takes long to load: meanwhile a room is shown

                    return controller.enter(connected, endpoint, owners if discovered else None, password)

                controller = await trio.to_thread.run_sync(enter, abandon_on_cancel=True)
                failing.pop_all()
            return Control(controller, endpoint, owners, discovered=discovered)
        raise ControlPortSilent(endpoint)

    async def send(self, line: str) -> "Reply":
        """Sends one command, which may contain a key; returns the reply. Raises TorLost, and tells nothing of it."""
        reply = await self._exchange(line)
        self._note(line, reply)
        return reply

    async def passes(self, line: str) -> bool:
        """Whether a command of this form gets to Tor: one about nothing, as a filter may log what it refuses.

        Raises TorLost.
        """
        try:
            reply = await self._exchange(line)
        except TorRefused:
            return False
        if reply[-1][0] != commands.FILTERED:
            return True
        self._note(line, reply)
        return False

    def _note(self, line: str, reply: "Reply") -> None:
        if reply[-1][0] != "250":
            self.refused[commands.name_command(line)] = reply[-1][0]

    async def _exchange(self, line: str) -> "Reply":
        with trio.move_on_after(limits.CONTROL_PATIENCE):
            return await trio.to_thread.run_sync(self._controller.ask, line, abandon_on_cancel=True)
        raise ControlConnectionSilent

    async def info(self, key: str) -> str | None:
        """A GETINFO value; None if this Tor, or a filter before it, does not answer. Raises TorLost."""
        with suppress(TorRefused):
            (status, _, text), *_ = await self.send(commands.get_info(key))
            if status == "250" and text.startswith(f"{key}="):
                return text.removeprefix(f"{key}=").strip()
        return None

    async def version(self) -> str:
        """Tor's version, as `0.4.9.11`; empty if it is not told."""
        return (await self.info(commands.VERSION) or "").partition(" ")[0]

    async def subscribe(self, kind: str) -> bool:
        """Makes Tor send events of this kind too, for `listening`; whether it does. Raises TorLost."""
        if kind not in self._kinds:
            reply: Reply = []
            with suppress(TorRefused):
                reply = await self.send(commands.set_events((*self._kinds, kind)))
            if not reply or reply[-1][0] != "250":
                return False
            self._kinds.append(kind)
        return True

    def hears(self, kind: str) -> bool:
        """Whether Tor sends events of this kind."""
        return kind in self._kinds

    @contextmanager
    def listening(self, kind: str, heard: Callable[[str], None]) -> Iterator[None]:
        """Calls `heard` in trio's thread with the text of each event of this kind, as long as the context lasts."""
        self._listeners.append((kind, heard))
        try:
            yield
        finally:
            self._listeners.remove((kind, heard))

    def _happened(self, text: str) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._dispatch, text)

    def _dispatch(self, text: str) -> None:
        for kind, heard in list(self._listeners):
            if kind == text.partition(" ")[0]:
                heard(text)

    async def aclose(self) -> None:
        """Closes the connection, without waiting for a Tor that does not respond."""
        with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True):
            await trio.to_thread.run_sync(self._controller.close, abandon_on_cancel=True)

    async def is_booted(self) -> bool:
        """Whether this Tor has finished its bootstrap; assumed if it does not say."""
        return _read_phase(await self.info(commands.PHASE))[0] == _BOOTED

    async def boot(self, tell: Tell, complaints: Complaints | None = None) -> None:
        """Waits until Tor has finished its bootstrap, and reports progress. Raises TorRefused if there is none.

        A Tor that does not say how far it is is taken to be there: one that others look after. complaints: what this
        Tor says elsewhere that is wrong, if that is known.
        """
        latest = (-1, "")
        moved = trio.Event()
        complaints = complaints or Complaints()

        def at(phase: str) -> None:
            nonlocal latest
            progress = _read_phase(phase)
            if _BOOT.search(phase) and progress[0] > latest[0]:
                if latest[0] >= 0:
                    complaints.forget()
                latest = progress
                tell(events.TorProgressEvent(progress=progress[0], summary=Reason("tor-words", progress[1])))
                moved.set()
            if warning := _WARNING.search(phase):
                complaints.hear_warning(warning[1])

        is_told = await self.subscribe(commands.BOOTING)
        with self.listening(commands.BOOTING, at):
            phase = await self.info(commands.PHASE) or ""
            at(phase if _BOOT.search(phase) else 'BOOTSTRAP PROGRESS=100 SUMMARY="Done"')
            waited, told = 0.0, ""
            while latest[0] < _BOOTED:
                pause = limits.BOOT_LOOK if is_told else limits.BOOT_ASK
                await _either(moved, self.lost, pause)
                if self.lost.is_set():
                    raise TorEndedStarting
                if not is_told and not moved.is_set():
                    at(await self.info(commands.PHASE) or "")
                if moved.is_set():
                    moved, waited, told = trio.Event(), 0.0, ""
                    continue
                waited += pause
                if waited >= limits.BOOT_STALL or complaints.in_vain:
                    raise _stalled(*latest, complaints)
                is_news = complaints.words != told and waited >= limits.BOOT_LOOK
                if waited % limits.BOOT_SLOW == 0 or is_news:
                    told = complaints.words
                    tell(
                        events.TorSlowEvent(
                            progress=latest[0],
                            summary=Reason("tor-words", latest[1]),
                            seconds=round(waited),
                            warning=_warning(complaints),
                        )
                    )

    def _ended(self) -> None:
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self.lost.set)


async def wants_password(endpoint: Endpoint) -> bool:
    """Whether this control port, which the user named, lets us in with a password alone, and we have none.

    One that does not say so soon does not: whatever is wrong with it is told when it is used.
    """
    with trio.move_on_after(limits.PASSWORD_PATIENCE):
        try:
            control = await Control.open(endpoint)
        except PasswordNeeded:
            return True
        except AnonError:
            return False
        await control.aclose()
    return False


def _hang_up(connected: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        connected.shutdown(socket.SHUT_RDWR)


def _stalled(progress: int, summary: str, complaints: Complaints) -> TorRefused:
    """Why its bootstrap is given up."""
    if complaints.words:
        kind = BridgesFailed if complaints.has_bridges and not complaints.in_vain else BootComplained
        return kind(progress, summary, complaints.words)
    return (BridgesSilent if complaints.has_bridges else BootStalled)(progress, summary)


def _warning(complaints: Complaints) -> Reason | UnsetType:
    """What is known to be wrong while it boots."""
    if complaints.words:
        return Reason("tor-complains", complaints.words)
    return Reason("bridges-silent") if complaints.has_bridges else UNSET


def _read_phase(phase: str | None) -> tuple[int, str]:
    """Percent and summary of a bootstrap phase; 100 if Tor does not say."""
    match = _BOOT.search(phase or "")
    return (int(match[1]), match[2]) if match else (_BOOTED, "Done")


async def _either(first: trio.Event, second: trio.Event, seconds: float) -> None:
    """Waits for one of the events, at most for so many seconds."""
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_then_cancel, first, nursery.cancel_scope)
            await second.wait()
            nursery.cancel_scope.cancel()


@trio.lowlevel.enable_ki_protection
async def _then_cancel(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
