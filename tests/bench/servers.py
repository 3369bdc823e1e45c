"""Rooms of all kinds that scripts/bench measures: ours, the floor, and peers, on loopback or behind one Tor."""

import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from tests.bench.children import BenchFailed, child, measured
from tests.bench.clients import ClientRoom, IrcCodec, OnionShareCodec, RawCodec
from tests.bench.crowd import Crowd
from tests.bench.dialling import Dialler, DiallingPool, Service
from tests.bench.ours import OurRoom
from tests.bench.peers import NGIRCD, ONIONSHARE, find_peer
from tests.bench.results import FLOOR, OURS
from tests.bench.talk import Room
from tests.support.tors import RunningTor, running_tor

DOORS: Final = 3  # client Tors, which all clients of all rooms share: each has a guard of its own
FILES: Final = 4_096  # that ngircd has open at most
LIFE: Final = 3_600.0  # seconds that a room is up at most
_START: Final = 5.0  # seconds until a server listens
_ONIONSHARE: Final = re.compile(r"http://([a-z2-7]{56}\.onion|127\.0\.0\.1:\d+)")
_NGIRCD: Final = """
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


Reach = Callable[[int], Dialler]  # makes what dials a server at this port of the machine


class Site:
    """A Tor that publishes, and client Tors that dial."""

    def __init__(self, serving: RunningTor, doors: Sequence[RunningTor], pool: DiallingPool) -> None:
        self.serving = serving
        self.doors = doors
        self._pool = pool

    def create_service(self) -> Service:
        """A service that is to be published here."""
        return Service(self.serving, self.doors, self._pool)


@contextmanager
def open_site(torrc: str, doors: int = DOORS) -> Iterator[Site]:
    """Its Tors are clients of this network. doors: that dial."""
    with ExitStack() as stack:
        tors = [stack.enter_context(running_tor(torrc)) for _ in range(1 + doors)]
        for each in tors:
            each.await_boot()
        yield Site(tors[0], tors[1:], stack.enter_context(closing(DiallingPool())))


@contextmanager
def open_ours(reach: Reach) -> Iterator[Room]:
    with measured("--no-gauge") as host:
        dialler = reach(host.port)
        crowd = Crowd(dialler.take, host.room, LIFE)
        try:
            yield OurRoom(host.process, crowd, dialler)
        finally:
            crowd.close()


@contextmanager
def open_relay(reach: Reach) -> Iterator[Room]:
    with child("tests.bench.relay") as relay:
        dialler = reach(relay.hear())
        with closing(ClientRoom(FLOOR, relay.process, dialler, RawCodec, echoes=True)) as room:
            yield room


@contextmanager
def open_ngircd(reach: Reach) -> Iterator[Room]:
    program = find_peer(NGIRCD)
    if program is None:
        raise BenchFailed("ngircd is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        configuration = Path(place) / "ngircd.conf"
        configuration.write_text(_NGIRCD.format(port=port))
        # For each client it starts a child, which closes as many files as there may be.
        command = ["sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh", program, "-n", "-f", str(configuration)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                _await_listener(process, port)
                with closing(ClientRoom(NGIRCD, process.pid, reach(port), IrcCodec, echoes=False)) as room:
                    yield room
            finally:
                process.kill()


@contextmanager
def open_onionshare(reach: Reach) -> Iterator[Room]:
    with serve_onionshare(None) as (process, address):
        dialler = reach(int(address.rpartition(":")[2]))
        with closing(
            ClientRoom(ONIONSHARE, process.pid, dialler, lambda: OnionShareCodec(address), echoes=True)
        ) as room:
            yield room


@contextmanager
def serve_onionshare(serving: RunningTor | None, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """OnionShare, by this Tor or on loopback; its process and its address. arguments: what it does, or else chat."""
    program = find_peer(ONIONSHARE)
    if program is None:
        raise BenchFailed("OnionShare is not installed")
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        command = [program, "--public", *(arguments or ["--chat"])]
        if serving is None:
            command.append("--local-only")
        else:
            settings = Path(place) / "onionshare.json"
            control = serving.control.removeprefix("unix:")
            settings.write_text(json.dumps({"connection_type": "socket_file", "socket_file_path": control}))
            command += ["--config", str(settings)]
        with subprocess.Popen(
            command,
            env={**os.environ, "HOME": place, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                said = ""
                for line in process.stdout:
                    said += line
                    if found := _ONIONSHARE.search(line):
                        break
                else:
                    raise BenchFailed(f"OnionShare shares nothing: {said[-500:]}")
                yield process, found[1]
            finally:
                process.kill()


def _await_listener(process: "subprocess.Popen[bytes]", port: int) -> None:
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


KINDS: Final[dict[str, Callable[[Reach], AbstractContextManager[Room]]]] = {
    OURS: open_ours,
    FLOOR: open_relay,
    ONIONSHARE: open_onionshare,
    NGIRCD: open_ngircd,
}


def kinds() -> list[str]:
    """Those that there are here: ours, the floor, and the peers that are installed."""
    return [name for name in KINDS if name in (OURS, FLOOR) or find_peer(name) is not None]


def processor_of(process: int) -> float:
    """Seconds that a process has worked."""
    spent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


def memory_of(process: int) -> int:
    """Bytes that are resident."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
