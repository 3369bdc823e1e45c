"""The host that scripts/bench measures: a real session in a process of its own, over TCP on loopback or a private Tor.

Says on stdout at which port it is reached and for which room, then answers every empty line on stdin with measurements,
as JSON, and one that begins with `VERIFY` with what it takes to verify a signature; any other is a command that its
user types. Ends with its stdin. With a code and a port it joins that room instead, ready to take it over unless told.
"""

import argparse
import json
import os
import resource
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anonp2p.cli import calm_collector
from anonp2p.config import Config, Endpoint
from anonp2p.names.codes import RoomKey, encode_key, parse_code
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor import tor
from anonp2p.room import events, inputs
from anonp2p.room.room import Room
from anonp2p.ui import commands
from tests.bench.children import VERIFY
from tests.support.transports import LoopbackNetwork

TICK = 0.001  # seconds: the finest stall that is noticed


class _Gauge:
    """How late a task of the loop is that wants to run every millisecond, since the last reading."""

    def __init__(self) -> None:
        self._stall = self._own = 0.0

    async def run(self) -> None:
        while True:
            wall, own = time.perf_counter(), time.thread_time()
            await trio.sleep(TICK)
            self._stall = max(self._stall, time.perf_counter() - wall - TICK)
            self._own = max(self._own, time.thread_time() - own)

    def read(self) -> tuple[float, float]:
        """The longest stall, and the longest that our own work accounts for: the rest was spent on other processes."""
        reading = self._stall, self._own
        self._stall = self._own = 0.0
        return reading


def read_usage() -> dict[str, float]:
    """What the process has and had. descriptors: its links, and some more, always as many.

    writes, written: how often it has written to anything, and bytes. To links it sends nothing else, unless they lag.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    moved = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {
        "resident": pages * os.sysconf("SC_PAGE_SIZE"),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "cpu": time.process_time(),
        "writes": int(moved["syscw"]),
        "written": int(moved["wchar"]),
    }


def measure_verification(times: int) -> float:
    """Processor seconds that it takes to verify one signature of an entry with 300 characters."""
    key, content = Ed25519PrivateKey.generate(), os.urandom(400)
    public, signature = key.public_key(), key.sign(content)
    began = time.process_time()
    for _ in range(times):
        public.verify(signature, content)
    return (time.process_time() - began) / times


@asynccontextmanager
async def _connected(way: str) -> AsyncIterator[LoopbackNetwork | tor.Tor]:
    if not way:
        yield LoopbackNetwork()
        return
    if way.startswith("unix:"):
        config = Config(tor="system", control=Endpoint.parse(way))
    else:
        config = Config(tor="own", torrc=Path(way), amnesic=True)
    async with tor.connect(config, lambda _: None) as network:
        yield network


async def _serve(way: str, code: str, port: int, *, gauged: bool, may_host: bool) -> None:
    async with _connected(way) as network:
        if isinstance(network, LoopbackNetwork) and code:
            network.ports[code] = port
        await _host(network, _create_room(code, may_host=may_host), gauged=gauged)


def _create_room(code: str, *, may_host: bool) -> Room:
    if code:
        key, random = parse_code(code).address, secrets.token_bytes
        return Room(label="r1", key=key, random=random, nick="ines", may_host=may_host)
    room_key = RoomKey(secrets.token_bytes(32))
    return Room(
        label="r1",
        key=room_key.public,
        random=secrets.token_bytes,
        nick="hugo",
        room_key=room_key,
        name="bench",
    )


async def _host(network: LoopbackNetwork | tor.Tor, room: Room, *, gauged: bool) -> None:
    gauge, told = _Gauge(), Counter[str]()

    def tell(event: events.Event) -> None:
        told[type(event).__name__] += 1

    async def usable(_: float) -> LoopbackNetwork | tor.Tor:
        await trio.lowlevel.checkpoint()
        return network

    async with trio.open_nursery() as nursery:
        session = Session(room, tell, SharedNetwork(usable))
        nursery.start_soon(session.run)
        if gauged:
            nursery.start_soon(gauge.run)
        await session.until_settled()
        port = network.ports[room.code] if isinstance(network, LoopbackNetwork) else 0
        print(json.dumps({"port": port, "code": room.code, "room": room.replica.ledger.room.hex()}), flush=True)
        async with trio.lowlevel.FdStream(os.dup(0)) as stdin:
            async for line in _lines(stdin):
                if line.startswith(VERIFY):
                    taken = measure_verification(int(line.removeprefix(VERIFY)))
                    print(json.dumps({"verification": taken}), flush=True)
                    continue
                if line:
                    typed = commands.parse_command(line)
                    assert isinstance(typed, inputs.Typed), "a command for the room"
                    await session.post_input(typed)
                    continue
                stall, own = gauge.read()
                ledger = room.replica.ledger
                ports = network.ports if isinstance(network, LoopbackNetwork) else {}
                reading = {
                    **read_usage(),
                    "entries": room.index,
                    "stall": stall,
                    "own": own,
                    "members": len(ledger.roster),
                    "hosting": room.hosting,
                    "heirs": len(ledger.heirs),
                    "address": ledger.address.hex(),
                    "port": ports.get(encode_key(ledger.address), 0),
                    **told,
                }
                print(json.dumps(reading), flush=True)
        nursery.cancel_scope.cancel()


async def _lines(stdin: trio.abc.ReceiveStream) -> AsyncIterator[str]:
    rest = b""
    while data := await stdin.receive_some():
        *lines, rest = (rest + bytes(data)).split(b"\n")
        for line in lines:
            yield line.decode()


if __name__ == "__main__":
    _parser = argparse.ArgumentParser()
    _parser.add_argument("way", nargs="?", default="", help="a torrc, or the control port of a Tor; none: loopback")
    _parser.add_argument("--code", default="", help="of the room that is joined")
    _parser.add_argument("--port", type=int, default=0, help="where that is reached")
    _parser.add_argument("--no-gauge", action="store_true", help="measures no stalls, which takes time of its own")
    _parser.add_argument("--no-heir", action="store_true", help="does not take over the room that it joins")
    _arguments = _parser.parse_args()
    _most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _most))
    calm_collector()
    _given = _arguments.way, _arguments.code, _arguments.port
    trio.run(partial(_serve, *_given, gauged=not _arguments.no_gauge, may_host=not _arguments.no_heir))
