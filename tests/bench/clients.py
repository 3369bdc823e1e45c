"""Clients of rooms of other kinds than ours, for scripts/bench: what they say, and what they make of what comes.

A `Codec` knows how one kind of client speaks; it does no I/O. `ClientRoom` moves what many of them send and get, in one
loop.
"""

import json
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle
from typing import Final, Protocol

from tests.bench.children import BenchFailed
from tests.bench.crowd import READ, RETRY
from tests.bench.dialling import Dialler
from tests.bench.talk import CHARACTERS, LOOK, Room, tend

COMING: Final = 8  # clients that are not in yet, at once: ngircd queues 10, and the next wait for a second
MESSAGE: Final = b"PRIVMSG #bench :"


class Codec(Protocol):
    """One client. is_in: it is in the room. heard: messages that have come."""

    is_in: bool
    heard: int

    def begin(self) -> bytes:
        """What it sends first."""

    def take(self, data: bytes) -> bytes:
        """Something has come; what is to be sent in answer."""

    def pack(self, text: bytes) -> bytes:
        """A message as it is sent."""


class RawCodec:
    """Of tests.bench.relay: lines, and nothing else."""

    def __init__(self) -> None:
        self.is_in = True
        self.heard = 0

    def begin(self) -> bytes:
        return b""

    def take(self, data: bytes) -> bytes:
        self.heard += data.count(b"\n")
        return b""

    def pack(self, text: bytes) -> bytes:
        return text + b"\n"


class IrcCodec:
    """Of an IRC server."""

    def __init__(self) -> None:
        self.is_in = False
        self.heard = 0
        self._rest = b""

    def begin(self) -> bytes:
        nick = b"m" + os.urandom(4).hex().encode()
        return b"NICK %s\r\nUSER %s 0 * :m\r\nJOIN #bench\r\n" % (nick, nick)

    def take(self, data: bytes) -> bytes:
        data = self._rest + data
        whole, _, self._rest = data.rpartition(b"\n")
        self.heard += whole.count(MESSAGE)
        if not self.is_in:
            self.is_in = b" 366 " in whole  # the end of the list of who is there
        return b"".join(b"PONG" + line[4:] + b"\n" for line in whole.split(b"\n") if line.startswith(b"PING"))

    def pack(self, text: bytes) -> bytes:
        return MESSAGE + text + b"\r\n"


class OnionShareCodec:
    """Of OnionShare's chat: a page, which says who one is, then Socket.IO 5 on a WebSocket, on the same connection.

    A browser fetches scripts and styles besides.
    """

    def __init__(self, host: str) -> None:
        self.is_in = False
        self.heard = 0
        self._host = host.encode()
        self._data = b""
        self._state: Callable[[], bytes | None] = self._read_page

    def begin(self) -> bytes:
        return b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % self._host

    def take(self, data: bytes) -> bytes:
        self._data += data
        answer = b""
        while (more := self._state()) is not None:
            answer += more
        return answer

    def pack(self, text: bytes) -> bytes:
        return _frame(b'42/chat,["text",{"msg":%s}]' % json.dumps(text.decode()).encode())

    def _read_head(self) -> tuple[bytes, list[bytes]] | None:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        return (rest, head.split(b"\r\n")) if end else None

    def _read_page(self) -> bytes | None:
        found = self._read_head()
        if found is None:
            return None
        rest, lines = found
        fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:])]
        length = int(dict(fields)[b"content-length"])
        if len(rest) < length:
            return None
        self._data = rest[length:]
        cookie = dict(fields)[b"set-cookie"].partition(b";")[0]
        self._state = self._read_upgrade
        return (
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Origin: http://%s\r\nCookie: %s\r\n\r\n" % (self._host, self._host, cookie)
        )

    def _read_upgrade(self) -> bytes | None:
        found = self._read_head()
        if found is None:
            return None
        self._data, lines = found
        if b" 101 " not in lines[0]:
            raise BenchFailed(f"OnionShare answers {lines[0].decode()}")
        self._state = self._read_frame
        return b""

    def _read_frame(self) -> bytes | None:
        """A frame of the WebSocket: of a server, so without a mask."""
        data = self._data
        if len(data) < 2:
            return None
        length, at = data[1], 2
        if length == 126:
            length, at = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, at = int.from_bytes(data[2:10], "big"), 10
        if len(data) < at + length:
            return None
        text = data[at : at + length]
        self._data = data[at + length :]
        if text.startswith(b'42/chat,["chat_message"'):
            self.heard += 1
        elif text.startswith(b"0{"):
            return _frame(b"40/chat,")
        elif text.startswith(b"40/chat,"):
            self.is_in = True
        elif text.startswith(b"44/chat"):
            raise BenchFailed("OnionShare refuses a client")
        elif text == b"2":
            return _frame(b"3")  # it asks whether we are there
        return b""


def _frame(text: bytes) -> bytes:
    """A frame of text as a client has to send it: masked, here with zeros."""
    size = len(text)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    return b"\x81" + length + bytes(4) + text


class _Client:
    def __init__(self, connection: socket.socket, codec: Codec) -> None:
        self.codec = codec
        self.connection = connection
        self.seen = 0.0  # when what is looked out for came
        self.base = 0  # messages that do not count
        self._tail = b""
        self.out = codec.begin()
        connection.setblocking(False)

    def send(self, data: bytes = b"") -> None:
        """Sends, or keeps what is not taken yet."""
        self.out += data
        with suppress(BlockingIOError):
            while self.out:
                self.out = self.out[self.connection.send(self.out) :]

    def receive(self, watched: bytes) -> None:
        """Raises OSError where the server hangs up."""
        try:
            data = self.connection.recv(READ)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError
        if watched:
            if not self.seen and watched in self._tail + data:
                self.seen = time.monotonic()
            self._tail = data[-len(watched) :]
        if answer := self.codec.take(data):
            self.send(answer)


class ClientRoom:
    """A room and its clients; see tests.bench.talk.Room."""

    def __init__(self, name: str, process: int, dialler: Dialler, codec: Callable[[], Codec], *, echoes: bool) -> None:
        self.name = name
        self.process = process
        self.echoes = echoes
        self._dialler, self._codec = dialler, codec
        self._clients: list[_Client] = []
        self._by_descriptor: dict[int, _Client] = {}
        self._epoll = select.epoll()
        self._watched = b""
        self._authors = cycle(range(1))
        self._piece, self._batch = b"", 0

    @property
    def size(self) -> int:
        return len(self._clients)

    def join(self, count: int, deadline: float, idle: Sequence[Room] = ()) -> None:
        self._dialler.order(count)
        coming: list[_Client] = []
        most = self.size + count
        while self.size < most or coming:
            connection = self._dialler.take() if self.size < most and len(coming) < COMING else None
            if connection is not None:
                client = _Client(connection, self._codec())
                self._clients.append(client)
                coming.append(client)
                self._by_descriptor[connection.fileno()] = client
                self._epoll.register(connection, select.EPOLLIN)
            self.pump(0 if connection else LOOK)
            tend(idle)
            coming = [client for client in coming if not client.codec.is_in]
            if time.monotonic() > deadline:
                raise BenchFailed(f"clients did not get into the room of {self.name}")

    def begin(self, authors: int, batch: int, stock: int) -> None:
        self._authors = cycle(range(1, min(authors, self.size - 1) + 1))
        self._piece = self._clients[0].codec.pack(b"x" * CHARACTERS) * batch
        self._batch = batch
        for client in self._clients:
            client.base = client.codec.heard

    def send_piece(self) -> int:
        self._clients[next(self._authors)].send(self._piece)
        return self._batch

    def heard(self, reader: int) -> int:
        client = self._clients[reader]
        return client.codec.heard - client.base

    def watch(self, author: int) -> float:
        self._watched = os.urandom(8).hex().encode()
        for client in self._clients:
            client.seen = 0.0
        now = time.monotonic()
        client = self._clients[author]
        client.send(client.codec.pack(b"x" * (CHARACTERS - len(self._watched)) + self._watched))
        return now

    def seen(self, reader: int) -> float:
        return self._clients[reader].seen

    def pump(self, wait: float) -> None:
        pending = [client for client in self._clients if client.out]
        try:
            for client in pending:
                client.send()
            for descriptor, _ in self._epoll.poll(min(wait, RETRY) if pending else wait):
                self._by_descriptor[descriptor].receive(self._watched)
        except OSError:
            raise BenchFailed(f"{self.name} hung up on a client") from None

    def close(self) -> None:
        for client in self._clients:
            client.connection.close()
        self._epoll.close()
