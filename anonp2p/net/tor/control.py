"""The control port of a Tor (control-spec), the only user of stem.

stem uses threads. Every call to it goes through `Control.call`, which limits its time and turns its errors into ours.
Its events become calls in trio's thread. stem's own log is disabled: it would contain room keys.
"""

import hmac
import logging
import os
import re
import secrets
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import stem
import stem.control
import stem.socket
import trio
from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.errors import TorRefused
from anonp2p.net.tor import owner
from anonp2p.net.tor.complaints import Complaints
from anonp2p.net.tor.errors import (
    BootComplained,
    BootStalled,
    BridgesFailed,
    BridgesSilent,
    CommandRefused,
    ControlConnectionLost,
    ControlConnectionSilent,
    ControlPortForbidden,
    ControlPortHungUp,
    ControlPortSilent,
    CookieForbidden,
    CookieMissing,
    CookieUnknown,
    NoAuthentication,
    NoControlPort,
    NotControlPort,
    NotLetIn,
    OpenToAll,
    PasswordNeeded,
    TorEndedStarting,
)
from anonp2p.net.tor.replies import BoundedReplies
from anonp2p.reasons import Reason
from anonp2p.room import events

logging.getLogger("stem").disabled = True

T = TypeVar("T")
Tell = Callable[[events.Event], None]

# The replies to PROTOCOLINFO and AUTHCHALLENGE (control-spec 3.21, 3.24).
_AUTH = re.compile(r'AUTH METHODS=(?P<methods>[A-Z0-9_,]+)(?: COOKIEFILE="(?P<path>(?:[^"\\]|\\.)*)")?')
_ESCAPED = re.compile(r"\\([0-7]{1,3}|.)")
_CHALLENGE = re.compile(r"AUTHCHALLENGE SERVERHASH=(?P<hash>[0-9A-Fa-f]{64}) SERVERNONCE=(?P<nonce>[0-9A-Fa-f]{64})")

_BOOTED = 100  # percent
_WARNING = re.compile(r'BOOTSTRAP .*? WARNING="((?:[^"\\]|\\.)*)"')
_BOOT = re.compile(r'BOOTSTRAP PROGRESS=([0-9]{1,3}) .*?SUMMARY="([^"]*)"')


class Control:
    """An authenticated control connection. `lost` is set when it ends.

    owners: the uids of those who may listen there, if known. discovered: the user did not name the endpoint.
    """

    def __init__(
        self, controller: stem.control.Controller, owners: frozenset[int] = frozenset(), *, discovered: bool = False
    ) -> None:
        self.owners = owners
        self.discovered = discovered  # then its SOCKS ports have to be checked too
        self._controller = controller
        self._token = trio.lowlevel.current_trio_token()
        self._listeners: list[tuple[str, Callable[[Any], None]]] = []
        self.lost = trio.Event()
        controller.add_status_listener(self._changed)
        if not controller.is_alive():
            self.lost.set()

    @staticmethod
    async def open(endpoint: Endpoint, *, discovered: bool = False) -> "Control":
        """Connects and authenticates without asking the user.

        discovered: the user did not name this endpoint, so whoever listens there must be trusted, and must be somebody
        who may own the cookie. Raises TorMissing, TorRefused, TorUntrusted.
        """
        with trio.move_on_after(limits.CONTROL_PATIENCE):
            try:
                stream, owners = await owner.connect(endpoint, discovered=discovered)
            except PermissionError:
                raise ControlPortForbidden(endpoint) from None
            except OSError as error:
                reason = os.strerror(error.errno) if error.errno else str(error)  # trio's text repeats the endpoint
                raise NoControlPort(endpoint, reason) from None
            connected = socket.socket(fileno=stream.socket.detach())
            connected.setblocking(True)
            with ExitStack() as failing:
                failing.callback(_hang_up, connected)  # also after a time-out, so that the thread ends too
                try:
                    enter = partial(_enter, connected, endpoint, owners if discovered else None)
                    controller = await trio.to_thread.run_sync(enter, abandon_on_cancel=True)
                except stem.SocketError:
                    raise ControlPortHungUp(endpoint) from None
                except (stem.ControllerError, ValueError):
                    raise NotControlPort(endpoint) from None
                failing.pop_all()
            return Control(controller, owners, discovered=discovered)
        raise ControlPortSilent(endpoint)

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Calls a method of stem's controller. Raises TorLost, TorRefused; neither contains what was sent."""
        with trio.move_on_after(limits.CONTROL_PATIENCE):
            try:
                call = partial(function, self._controller, *arguments)
                return await trio.to_thread.run_sync(call, abandon_on_cancel=True)
            except stem.SocketError:
                raise ControlConnectionLost from None
            except (stem.ControllerError, ValueError):  # stem's parsers sometimes raise ValueError
                raise CommandRefused from None
        raise ControlConnectionSilent

    async def info(self, key: str) -> str:
        """A GETINFO value; empty if this Tor, or a filter before it, does not answer."""
        try:
            return str(await self.call(stem.control.Controller.get_info, key))
        except TorRefused:
            return ""

    async def version(self) -> str:
        """Tor's version, as `0.4.9.11`."""
        return (await self.info("version")).partition(" ")[0]

    async def subscribe(self, *kinds: str) -> None:
        """Makes Tor send events of these kinds, for `listening`. Raises TorLost, TorRefused."""
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
        """Sends one raw command, which may contain a key; returns the lines of the reply: (status, divider, text)."""
        reply = await self.call(stem.control.Controller.msg, line)
        return list(reply.content())

    async def aclose(self) -> None:
        """Closes the connection, without waiting for a Tor that does not respond."""
        with trio.move_on_after(limits.WITHDRAW_PATIENCE, shield=True):
            await trio.to_thread.run_sync(self._controller.close, abandon_on_cancel=True)

    async def is_booted(self) -> bool:
        """Whether this Tor has finished its bootstrap; assumed if it does not say."""
        return _progress(await self.info("status/bootstrap-phase"))[0] == _BOOTED

    async def boot(self, tell: Tell, complaints: Complaints | None = None) -> None:
        """Waits until Tor has finished its bootstrap, and reports progress. Raises TorRefused if there is none.

        complaints: what this Tor says elsewhere that is wrong, if that is known.
        """
        latest = (-1, "")
        moved = trio.Event()
        complaints = complaints or Complaints()

        def at(phase: str) -> None:
            nonlocal latest
            progress = _progress(phase)
            if _BOOT.search(phase) and progress[0] > latest[0]:
                if latest[0] >= 0:
                    complaints.forget()
                latest = progress
                tell(events.TorProgressEvent(progress=progress[0], summary=Reason("tor-words", progress[1])))
                moved.set()
            if warning := _WARNING.search(phase):
                complaints.hear_warning(warning[1])

        await self.subscribe("STATUS_CLIENT", "HS_DESC")
        with self.listening("STATUS_CLIENT", lambda event: at(str(event))):
            phase = await self.info("status/bootstrap-phase")
            at(phase if _BOOT.search(phase) else 'BOOTSTRAP PROGRESS=100 SUMMARY="Done"')
            while latest[0] < _BOOTED:
                moved = trio.Event()
                waited, told = 0.0, ""
                while not moved.is_set():
                    await _either(moved, self.lost, limits.BOOT_LOOK)
                    if self.lost.is_set():
                        raise TorEndedStarting
                    if moved.is_set():
                        break
                    waited += limits.BOOT_LOOK
                    if waited >= limits.BOOT_STALL or complaints.in_vain:
                        raise _stalled(*latest, complaints)
                    if waited % limits.BOOT_SLOW == 0 or complaints.words != told:
                        told = complaints.words
                        tell(
                            events.TorSlowEvent(
                                progress=latest[0],
                                summary=Reason("tor-words", latest[1]),
                                seconds=round(waited),
                                warning=_warning(complaints),
                            )
                        )

    def _changed(self, _: Any, state: Any, __: float) -> None:
        if state == stem.control.State.CLOSED:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self.lost.set)


def _hang_up(connected: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        connected.shutdown(socket.SHUT_RDWR)


class _Port(stem.socket.ControlSocket):  # type: ignore[misc]  # stem has no types; it is meant to be extended like this
    """A control connection for stem over a connected socket whose replies are bounded."""

    def __init__(self, replies: BoundedReplies) -> None:
        super().__init__()
        self._replies = replies
        self.connect()

    def _make_socket(self) -> BoundedReplies:
        return self._replies


class _Controller(stem.control.Controller):  # type: ignore[misc]  # stem has no types; events come by this method
    """stem's controller, whose event thread survives events that its parsers fail on with other errors than its own."""

    def _handle_event(self, event: Any) -> None:
        with suppress(AttributeError, LookupError, TypeError, ValueError):
            super()._handle_event(event)


def _enter(connected: socket.socket, endpoint: Endpoint, owners: frozenset[int] | None) -> stem.control.Controller:
    """Authenticates on this connection and closes it on failure. Runs in a thread; raises what `_authenticate` does."""
    port = _Port(BoundedReplies(connected))
    try:
        _authenticate(port, endpoint, owners)
        return _Controller(port, is_authenticated=True)
    except BaseException:
        port.close()
        raise


def _authenticate(port: _Port, endpoint: Endpoint, owners: frozenset[int] | None) -> None:
    """Authenticates (control-spec 3.5, 3.21, 3.24) without stem, which would send plain cookies.

    PROTOCOLINFO is only a claim of the other end: it can name any file as its cookie. With SAFECOOKIE it has to prove
    that it knows the file and gets a proof that we do. With plain COOKIE it would get the content of the file.

    owners: the uids of those who may listen there, if the user did not name the endpoint. Raises TorRefused, stem's
    errors, and ValueError if the answers are not those of a control port.
    """
    methods, path = _offers(port)
    refusals: list[type[TorRefused]] = []
    if "SAFECOOKIE" in methods:
        try:
            cookie = _read_cookie(path, owners)
        except OSError:
            refusals.append(CookieForbidden)
        else:
            if cookie:
                return _let_in(port, endpoint, f"AUTHENTICATE {_prove(port, endpoint, cookie)}")
            refusals.append(CookieMissing)
    if "HASHEDPASSWORD" in methods:
        if password := os.environ.get("TOR_CONTROL_PASSWD", ""):
            return _let_in(port, endpoint, f"AUTHENTICATE {os.fsencode(password).hex()}")
        refusals.append(PasswordNeeded)
    if "NULL" in methods:
        if owners is None or owners <= {os.getuid(), owner.ROOT}:
            return _let_in(port, endpoint, "AUTHENTICATE")
        refusals.append(OpenToAll)
    refusals.append(NoAuthentication)
    raise refusals[0](endpoint)


def _ask(port: _Port, command: str) -> list[str]:
    """The lines of the reply to a command; empty if it is refused. Raises stem's errors."""
    port.send(command)
    lines = port.recv().content()
    return [text for _, _, text in lines] if all(status == "250" for status, _, _ in lines) else []


def _let_in(port: _Port, endpoint: Endpoint, command: str) -> None:
    if not _ask(port, command):
        raise NotLetIn(endpoint)


def _offers(port: _Port) -> tuple[set[str], str]:
    """The methods and the path of the cookie in the reply to PROTOCOLINFO. Raises ValueError and stem's errors."""
    version, *lines = _ask(port, "PROTOCOLINFO 1") or [""]
    offers = [match for line in lines if (match := _AUTH.fullmatch(line))]
    if not version.startswith("PROTOCOLINFO ") or len(offers) != 1:
        raise ValueError
    path = _ESCAPED.sub(lambda escape: _unescape(escape[1]), offers[0]["path"] or "")
    return set(offers[0]["methods"].split(",")), path


def _unescape(what: str) -> str:
    """The character that an escape in a path stands for, as in C (control-spec 2.1.1)."""
    return chr(int(what, 8)) if what.isdigit() else {"n": "\n", "r": "\r", "t": "\t"}.get(what, what)


def _read_cookie(path: str, owners: frozenset[int] | None) -> bytes:
    """The content of a cookie file; empty if it is not one, or belongs to none of `owners`, root and Tor's user.

    Tor usually opens its port as root and then changes to its own user, who makes the cookie. The status of the file is
    checked before it is opened, since opening a device may have an effect. Raises OSError.
    """
    if not path.startswith("/") or "\0" in path:
        return b""
    found = os.open(path.encode("latin-1"), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(found)
        uid = status.st_uid
        is_theirs = owners is None or uid in owners | {owner.ROOT} or uid in owner.tor_users()
        if not (stat.S_ISREG(status.st_mode) and status.st_size == limits.COOKIE_BYTES and is_theirs):
            return b""
        with open(f"/proc/self/fd/{found}", "rb") as file:  # noqa: PTH123  # this file, even if it was renamed
            cookie = file.read(limits.COOKIE_BYTES + 1)
    finally:
        os.close(found)
    return cookie if len(cookie) == limits.COOKIE_BYTES else b""


def _prove(port: _Port, endpoint: Endpoint, cookie: bytes) -> str:
    """Our proof that we know the cookie, after the other end has proved it (control-spec 3.24).

    Raises TorRefused, ValueError and stem's errors.
    """
    nonce = secrets.token_bytes(32)
    answer = _CHALLENGE.fullmatch("\n".join(_ask(port, f"AUTHCHALLENGE SAFECOOKIE {nonce.hex()}")))
    if answer is None:
        raise ValueError
    both = cookie + nonce + bytes.fromhex(answer["nonce"])
    theirs = hmac.digest(b"Tor safe cookie authentication server-to-controller hash", both, "sha256")
    if not hmac.compare_digest(theirs, bytes.fromhex(answer["hash"])):
        raise CookieUnknown(endpoint)
    return hmac.digest(b"Tor safe cookie authentication controller-to-server hash", both, "sha256").hex()


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


def _progress(phase: str) -> tuple[int, str]:
    """Percent and summary of a bootstrap phase; 100 if Tor does not say."""
    match = _BOOT.search(phase)
    return (int(match[1]), match[2]) if match else (_BOOTED, "Done")


async def _either(first: trio.Event, second: trio.Event, seconds: float) -> None:
    """Waits for one of the events, at most for so many seconds."""
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_then_cancel, first, nursery.cancel_scope)
            await second.wait()
            nursery.cancel_scope.cancel()


async def _then_cancel(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
