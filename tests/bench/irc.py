"""ngircd under the load that scripts/bench puts on a host: what plain IRC, in C, makes of it on the same machine."""

import os
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.bench.crowd import QUIET, READ, BenchFailed

_CONFIGURATION = """
[Global]
Name = bench.invalid
Info = bench
Listen = 127.0.0.1
Ports = {port}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxPenaltyTime = 0
PingTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
"""
_START = 5.0  # seconds until it listens


class _Client:
    def __init__(self, port: int, number: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(b"NICK m%d\r\nUSER m%d 0 * :m\r\nJOIN #bench\r\n" % (number, number))
        self.socket.setblocking(False)
        self.lines = 0
        self.out = b""

    def send(self, data: bytes) -> None:
        self.out += data
        with suppress(BlockingIOError):
            self.out = self.out[self.socket.send(self.out) :]

    def receive(self) -> None:
        data = self.socket.recv(READ)
        if not data:
            raise BenchFailed("ngircd hung up on a client")
        self.lines += data.count(b"\n")


class Irc:
    """An ngircd, and clients in one channel of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", clients: list[_Client], seconds: float) -> None:
        self._process = process
        self._clients = clients
        self._deadline = time.monotonic() + seconds
        self._epoll = select.epoll()
        self._by_descriptor = {client.socket.fileno(): client for client in clients}
        for client in clients:
            self._epoll.register(client.socket, select.EPOLLIN)
        self._calm()

    def _pump(self) -> bool:
        if time.monotonic() > self._deadline:
            raise BenchFailed("ngircd took too long")
        ready = self._epoll.poll(0.001)
        for descriptor, _ in ready:
            self._by_descriptor[descriptor].receive()
        for client in self._clients:
            if client.out:
                client.send(b"")
        return bool(ready)

    def _calm(self) -> None:
        quiet = time.monotonic() + QUIET
        while time.monotonic() < quiet:
            if self._pump():
                quiet = time.monotonic() + QUIET

    def _cpu(self) -> float:
        spent = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")

    def talk(self, authors: int, batch: int, window: int, characters: int, seconds: float) -> tuple[float, float]:
        """Deliveries a second, and a second of its processor. The first client only listens, and all others as well."""
        self._calm()
        for client in self._clients:
            client.lines = 0
        witness, *others = self._clients
        piece = (b"PRIVMSG #bench :" + b"x" * characters + b"\r\n") * batch
        began, cpu, sent, at = time.monotonic(), self._cpu(), 0, 0
        while time.monotonic() < began + seconds:
            while sent + batch - witness.lines > window:
                self._pump()
            others[at % min(authors, len(others))].send(piece)
            at, sent = at + 1, sent + batch
        while witness.lines < sent:
            self._pump()
        self._calm()
        took = time.monotonic() - QUIET - began
        deliveries = sum(client.lines for client in self._clients)
        if deliveries != sent * len(others):  # nobody gets what is its own
            raise BenchFailed(f"ngircd delivered {deliveries} messages of {sent * len(others)}")
        return deliveries / took, deliveries / (self._cpu() - cpu)


@contextmanager
def irc(size: int, seconds: float) -> Iterator[Irc]:
    """An ngircd and so many clients. seconds: after which all is over. Raises BenchFailed where there is no ngircd."""
    program = shutil.which("ngircd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise BenchFailed("ngircd is not installed (Debian has it: apt-get install ngircd)")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with ExitStack() as stack:
        configuration = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ngircd.conf"
        configuration.write_text(_CONFIGURATION.format(port=port))
        process = stack.enter_context(
            subprocess.Popen([program, "-n", "-f", str(configuration)], stdout=subprocess.DEVNULL)
        )
        stack.callback(process.kill)
        _await(process, port)
        clients: list[_Client] = []
        for number in range(size):
            clients.append(_Client(port, number))
            stack.callback(clients[-1].socket.close)
        yield Irc(process, clients, seconds)


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchFailed("ngircd did not start") from None
            time.sleep(0.01)
        else:
            return
