"""The floor that scripts/bench measures by: a line that one client sends goes to all, as it is, and that is all.

No keys, no names, no checks. Says on stdout at which port of the machine it listens, and ends with its stdin.
"""

import os
import select
import socket
import sys
import threading
from contextlib import suppress

READ = 256 * 1024
BACKLOG = 1_024


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""  # of a line that is not whole yet
        self.out = bytearray()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> bool:
        """Sends, or keeps what the kernel does not take; whether nothing is kept."""
        if not self.out:
            with suppress(BlockingIOError):
                data = data[self.connection.send(data) :]
        self.out += data
        return not self.out

    def flush(self) -> bool:
        with suppress(BlockingIOError):
            del self.out[: self.connection.send(self.out)]
        return not self.out


def _relay(listener: socket.socket) -> None:
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    clients: dict[int, _Client] = {}

    def drop(descriptor: int) -> None:
        epoll.unregister(descriptor)
        clients.pop(descriptor).connection.close()

    while True:
        for descriptor, what in epoll.poll():
            if descriptor == listener.fileno():
                client = _Client(listener.accept()[0])
                clients[client.connection.fileno()] = client
                epoll.register(client.connection, select.EPOLLIN)
                continue
            client = clients[descriptor]
            try:
                if what & select.EPOLLOUT and client.flush():
                    epoll.modify(descriptor, select.EPOLLIN)
                if not what & select.EPOLLIN:
                    continue
                data = client.connection.recv(READ)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                drop(descriptor)
                continue
            lines, newline, client.rest = (client.rest + data).rpartition(b"\n")
            if not newline:
                continue
            for number, other in list(clients.items()):
                try:
                    if not other.write(lines + newline):
                        epoll.modify(number, select.EPOLLIN | select.EPOLLOUT)
                except OSError:
                    drop(number)


def main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        _relay(listener)


if __name__ == "__main__":
    main()
