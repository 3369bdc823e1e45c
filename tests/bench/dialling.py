"""How the clients that scripts/bench drives reach a room: over TCP on loopback, or by SOCKS over client Tors."""

import secrets
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count, islice
from typing import Final, Protocol

from tests.bench.children import BenchFailed
from tests.support.tors import RunningTor

AT_ONCE: Final = 10  # dials over Tor: a Tor that has to build more circuits at once builds each of them more slowly
PATIENCE: Final = 120.0  # seconds for one of them, tries included
TRY: Final = 30.0  # seconds for a try
PAUSE: Final = 0.5  # seconds between two

_ADDRESSES: Final = {1: 4, 4: 16}  # bytes of the address in a reply, by its kind


class Dialler(Protocol):
    """Dials for a crowd of clients, which take the connections as they come."""

    def order(self, count: int) -> None:
        """So many more are wanted."""

    def take(self) -> socket.socket | None:
        """One that was ordered, if one is there. Raises BenchFailed."""


class LoopbackDialler:
    """Over TCP, to this port of the machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    def order(self, count: int) -> None:
        pass

    def take(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port))


class Service:
    """An onion service of one server or several, each at a virtual port of its own, and what dials it over these Tors.

    The first client of each server has the same circuit, the second ones have another, and so on: what is measured of
    one server and the next then differs in nothing that Tor chose by chance.
    """

    def __init__(self, serving: RunningTor, doors: Sequence[RunningTor], pool: "DiallingPool") -> None:
        self._serving = serving
        self._doors = doors
        self._pool = pool
        self._ports: list[int] = []
        self._name = secrets.token_hex(8)
        self._address = ""

    def reach(self, port: int) -> "TorDialler":
        """What dials this port of the machine by the service, once it is published."""
        self._ports.append(port)
        return TorDialler(self, len(self._ports))

    def publish(self) -> None:
        """Returns once the service is up, with all ports so far."""
        self._address = self._serving.publish(*self._ports)

    def dial(self, client: int, port: int) -> "Future[socket.socket]":
        """Dials a virtual port. client: which one of the server's, from 0 on."""
        assert self._address, "it is published"
        door = self._doors[client % len(self._doors)]
        return self._pool.dial(door.socks, self._address, port, f"{self._name}{client}")


class TorDialler:
    """Over Tors, in turn: each connection on circuits that it shares with no other one of the same server."""

    def __init__(self, service: Service, port: int) -> None:
        self._service = service
        self._port = port
        self._clients = count()
        self._ordered: list[Future[socket.socket]] = []

    def order(self, count: int) -> None:
        self._ordered += [self._service.dial(client, self._port) for client in islice(self._clients, count)]

    def take(self) -> socket.socket | None:
        for future in self._ordered:
            if future.done():
                self._ordered.remove(future)
                return future.result()
        return None


class DiallingPool:
    """Threads that dial."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE)
        self._is_over = threading.Event()

    def dial(self, door: str, address: str, port: int, user: str) -> "Future[socket.socket]":
        return self._threads.submit(dial, door, address, port, user, self._is_over)

    def close(self) -> None:
        """What has not begun is not done, and nothing is tried again."""
        self._is_over.set()
        self._threads.shutdown(wait=False, cancel_futures=True)


def dial(door: str, address: str, port: int, user: str = "", is_over: threading.Event | None = None) -> socket.socket:
    """A connection through the SOCKS port of a Tor, a unix socket. Raises BenchFailed.

    It is tried again for a while, unless it is over. user: connections that have the same share circuits; without one
    it has its own.
    """
    user = user or secrets.token_hex(8)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _try(door, address, port, user.encode())
        except OSError as error:
            if time.monotonic() > deadline or (is_over is not None and is_over.is_set()):
                raise BenchFailed(f"{address} cannot be reached: {error}") from None
            time.sleep(PAUSE)


def _try(door: str, address: str, port: int, user: bytes) -> socket.socket:
    """Raises OSError."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(TRY)
        connection.connect(door.removeprefix("unix:"))
        name = f"{address}.onion".encode()
        connection.sendall(b"\x05\x01\x02")
        _read(connection, 2)
        connection.sendall(b"\x01" + bytes([len(user)]) + user + b"\x011")
        _read(connection, 2)
        connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big"))
        _, code, _, kind = _read(connection, 4)
        if code:
            raise ConnectionRefusedError(f"SOCKS code {code:#x}")
        _read(connection, _ADDRESSES[kind] + 2)
        connection.settimeout(None)
    except BaseException:
        with suppress(OSError):
            connection.close()
        raise
    return connection


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionResetError("the proxy hung up")
        data += piece
    return data
