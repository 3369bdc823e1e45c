"""How the clients that scripts/bench drives reach a room: over TCP on loopback, or by SOCKS over client Tors."""

import secrets
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle
from typing import Final, Protocol

from tests.bench.crowd import BenchFailed

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


class TorDialler:
    """Over Tors, in turn: each connection on circuits of its own."""

    def __init__(self, doors: Sequence[str], address: str, port: int, pool: "DiallingPool") -> None:
        self._doors = cycle(doors)
        self._address, self._port = address, port
        self._pool = pool
        self._ordered: list[Future[socket.socket]] = []

    def order(self, count: int) -> None:
        self._ordered += [self._pool.dial(next(self._doors), self._address, self._port) for _ in range(count)]

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

    def dial(self, door: str, address: str, port: int) -> "Future[socket.socket]":
        return self._threads.submit(dial, door, address, port, self._is_over)

    def close(self) -> None:
        """What has not begun is not done, and nothing is tried again."""
        self._is_over.set()
        self._threads.shutdown(wait=False, cancel_futures=True)


def dial(door: str, address: str, port: int, is_over: threading.Event | None = None) -> socket.socket:
    """A connection through the SOCKS port of a Tor, a unix socket. Raises BenchFailed.

    It is tried again for a while, unless it is over.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _try(door, address, port)
        except OSError as error:
            if time.monotonic() > deadline or (is_over is not None and is_over.is_set()):
                raise BenchFailed(f"{address} cannot be reached: {error}") from None
            time.sleep(PAUSE)


def _try(door: str, address: str, port: int) -> socket.socket:
    """On a circuit that no other connection shares. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(TRY)
        connection.connect(door.removeprefix("unix:"))
        user = secrets.token_hex(8).encode()
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
