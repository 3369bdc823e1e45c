"""A network that can be split: SOCKS ports before the Tors of several programs, which know who reaches whom.

What a program dials is an onion service of another one, whose Tor tells when it publishes that. While two programs are
apart, nothing passes between them: links stand still, as they do where a network falls silent, and dials hang.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.support.tors import RunningTor

PIECE = 65_536


class Splits:
    """The ports, and who is apart."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._publishers: dict[str, str] = {}  # who published each address last
        self._groups: list[set[str]] = []
        self._is_over = False

    def split(self, *groups: Sequence[str]) -> None:
        """From now on these groups are apart; who is in none of them is with nobody."""
        with self._news:
            self._groups = [set(group) for group in groups]

    def heal(self) -> None:
        """All are together again, and what was on its way goes on."""
        with self._news:
            self._groups = []
            self._news.notify_all()

    def end(self) -> None:
        """Lets everything go that stands still."""
        self._is_over = True
        self.heal()

    def _are_apart(self, name: str, address: str) -> bool:
        other = self._publishers.get(address, name)
        return bool(self._groups) and name != other and not any({name, other} <= group for group in self._groups)

    def _wait(self, name: str, address: str) -> bool:
        """Returns once these are not apart; whether that matters still."""
        with self._news:
            self._news.wait_for(lambda: self._is_over or not self._are_apart(name, address))
        return not self._is_over

    @contextmanager
    def port(self, name: str, tor: RunningTor) -> Iterator[str]:
        """A SOCKS port for the program of this name, whose Tor this is."""

        def learn() -> None:
            for line in tor.events("HS_DESC"):
                match line.split():
                    case ["650", "HS_DESC", "UPLOAD", address, *_]:
                        with self._news:
                            self._publishers[f"{address}.onion"] = name

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    _start(self._pass_on, name, client, tor.socks.removeprefix("unix:"))

        with socket.create_server(("127.0.0.1", 0)) as server:
            _start(learn)
            _start(accept)
            yield f"127.0.0.1:{server.getsockname()[1]}"
            server.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, name: str, client: socket.socket, path: str) -> None:
        """One connection to the Tor at `path`."""
        with client, socket.socket(socket.AF_UNIX) as tor, suppress(OSError):
            tor.connect(path)
            tor.sendall(_read(client, 3))  # the greeting
            client.sendall(_read(tor, 2))
            tor.sendall(_read_counted(client, _read_counted(client, _read(client, 1))))  # user and password
            client.sendall(_read(tor, 2))
            request = _read_counted(client, _read(client, 4)) + _read(client, 2)
            address = request[5:-2].decode()
            if self._wait(name, address):
                tor.sendall(request)
                back = _start(self._pump, name, address, tor, client)
                self._pump(name, address, client, tor)
                back.join()

    def _pump(self, name: str, address: str, source: socket.socket, sink: socket.socket) -> None:
        """One way of a connection, until its end, which ends both."""
        with suppress(OSError):
            while (data := source.recv(PIECE)) and self._wait(name, address):
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _start(work: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _read(source: socket.socket, count: int) -> bytes:
    """Exactly so many bytes. Raises OSError at the end."""
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return data


def _read_counted(source: socket.socket, before: bytes) -> bytes:
    """What came before, and a piece whose length comes first."""
    length = _read(source, 1)
    return before + length + _read(source, length[0])
