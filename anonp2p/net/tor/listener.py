"""Where Tor hands us the connections to our onion services, and which of those that come there are Tor's."""

import errno
import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import trio

from anonp2p import limits
from anonp2p.config import Listen
from anonp2p.net.tor.errors import NoPortLeft, NoRoomSocket, PeersUnknown
from anonp2p.net.tor.peer_uid import peer_uid

Connection = socket.socket | trio.socket.SocketType

_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # why no connection can be accepted for now


class TorListener(trio.abc.Listener[trio.SocketStream]):
    """Accepts the connections that are Tor's; all others it closes at once. admits: whether one is.

    It takes all that wait at once: otherwise another user of this machine could connect so fast that Tor's connections
    would have to wait.
    """

    def __init__(self, listening: socket.socket, admits: Callable[[Connection], bool]) -> None:
        self.admits = admits
        self._listening = listening
        listening.setblocking(False)

    async def accept(self) -> trio.SocketStream:
        """The next connection of Tor's, as soon as the system has room for it."""
        await trio.lowlevel.checkpoint()
        while True:
            for _ in range(limits.ACCEPTED_AT_ONCE):
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


class Entrance(Protocol):
    """A way by which a Tor reaches us: each of our services has a listener of its own there."""

    def listen(self) -> AbstractContextManager[tuple[TorListener, str]]:
        """A listener, and how ADD_ONION says where it is. Raises Failed, TorRefused where there can be none."""


@dataclass(frozen=True, slots=True)
class UnixEntrance:
    """Unix sockets in a directory that only we can enter: for our own Tor.

    Another one may be in a container, where it finds none of our files though its uid is ours: the room would be
    published, and every dial fail.
    """

    runtime: Path

    @contextmanager
    def listen(self) -> Iterator[tuple[TorListener, str]]:
        """As Entrance has it."""
        with socket.socket(socket.AF_UNIX) as listening:
            path = self.runtime / f"room-{os.urandom(4).hex()}"
            try:
                listening.bind(str(path))
                listening.listen(limits.BACKLOG)
            except OSError as error:
                raise NoRoomSocket(error.strerror) from None
            yield TorListener(listening, lambda connection: peer_uid(connection) == os.getuid()), f"unix:{path}"


@dataclass(frozen=True, slots=True)
class LocalEntrance:
    """Loopback ports, for another Tor of this machine, whose users these are. ports: which ones; None for any."""

    uids: frozenset[int]
    ports: Listen | None = None

    @contextmanager
    def listen(self) -> Iterator[tuple[TorListener, str]]:
        """As Entrance has it. Raises TorRefused where the kernel does not tell whose connections are."""
        with _bind(self.ports or Listen("127.0.0.1", 0, 0)) as (listening, target):
            _require_peer_uids(listening)
            yield TorListener(listening, lambda connection: peer_uid(connection) in self.uids), target


@dataclass(frozen=True, slots=True)
class RemoteEntrance:
    """Ports that a Tor on another machine reaches, whose address is `gateway`: nobody else is let in."""

    ports: Listen
    gateway: str

    @contextmanager
    def listen(self) -> Iterator[tuple[TorListener, str]]:
        """As Entrance has it."""
        with _bind(self.ports) as (listening, target):
            yield TorListener(listening, self._admits), target

    def _admits(self, connection: Connection) -> bool:
        try:
            host = connection.getpeername()[0]
        except OSError:  # it has ended
            return False
        return ipaddress.ip_address(host) == ipaddress.ip_address(self.gateway)


@contextmanager
def _bind(ports: Listen) -> Iterator[tuple[socket.socket, str]]:
    """Listens at the first of these ports that is free. Raises Failed."""
    with socket.socket(socket.AF_INET6 if ":" in ports.host else socket.AF_INET) as listening:
        for port in range(ports.first, ports.last + 1):
            try:
                listening.bind((ports.host, port))
                listening.listen(limits.BACKLOG)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise NoRoomSocket(error.strerror) from None
        else:
            raise NoPortLeft
        host = f"[{ports.host}]" if ":" in ports.host else ports.host
        yield listening, f"{host}:{listening.getsockname()[1]}"


def _require_peer_uids(listening: socket.socket) -> None:
    """Raises TorRefused where the kernel does not tell whose connections these are: all others would be refused."""
    with socket.socket(listening.family) as ours:
        ours.connect(listening.getsockname())
        accepted, _ = listening.accept()
        with accepted:
            if peer_uid(accepted) is None:
                raise PeersUnknown
