"""Files between members over a private Tor network, beside a plain stream over the same Tors; see scripts/bench."""

import json
import os
import re
import resource
import secrets
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import trio

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import socks
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault
from anonp2p.room import events
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.file_inputs import AcceptInput, SendFileInput
from tests.bench.crowd import BenchFailed
from tests.support.networks import private_network
from tests.support.own_tors import own_tor
from tests.support.people import Person, always, gathering
from tests.support.tors import RunningTor, running_tor

CIRCUITS = (1, 2)
PAUSE = 0.25  # seconds between messages whose latency is measured
TALK = 15.0  # seconds of talk without a transfer
PATIENCE = 600.0  # seconds for one transfer
PIECE = 65_536  # bytes that a plain stream is written in
MIB, KIB = 1_048_576, 1_024

_SOURCE = "source.bin"
_ONIONSHARE = re.compile(r"http://([a-z2-7]{56}\.onion)")


async def _dial(tor: Tor, code: str) -> trio.abc.Stream:
    """Right after it was published, a service is not found everywhere."""
    while True:
        try:
            return await tor.dial(code, f"{secrets.token_hex(8)}:1")
        except DialFault:
            await trio.sleep(1.0)


async def _stream(hosts: Tor, others: Tor, size: int) -> float:
    """Seconds that so many bytes take on a plain stream, once it is there."""
    key, data = RoomKey(secrets.token_bytes(32)), secrets.token_bytes(PIECE)

    async def serve(stream: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError):  # of two dials side by side, the slower one is given up
            async with stream:
                for _ in range(size // PIECE):
                    await stream.send_all(data)

    async with hosts.listen(key) as place, trio.open_nursery() as nursery:
        nursery.start_soon(partial(trio.serve_listeners, serve, [place.listener]))
        await place.published()
        stream = await _dial(others, key.code)
        left = size // PIECE * PIECE
        begun = ended = time.monotonic()
        async with stream:
            while left and (came := await stream.receive_some(PIECE)):
                left -= len(came)
        ended = time.monotonic()
        nursery.cancel_scope.cancel()
    if left:
        raise BenchFailed("a plain stream broke")
    return ended - begun


async def _talk(ada: Person, ben: Person, latencies: list[float]) -> None:
    """Says something now and then, until it is cancelled."""
    while True:
        text = secrets.token_hex(8)
        begun = time.monotonic()
        await ben.say(text)
        await ada.hears(events.MessageEvent, text=text)
        latencies.append(time.monotonic() - begun)
        await trio.sleep(PAUSE)


@asynccontextmanager
async def _talking(ada: Person, ben: Person, latencies: list[float]) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_talk, ada, ben, latencies)
        yield
        nursery.cancel_scope.cancel()


async def _transfer(ada: Person, ben: Person, source: Path, folder: Path, circuits: int) -> float:
    """Seconds from /accept until the file is there."""
    setattr(limits, "FILE_CIRCUITS", circuits)  # noqa: B010  # it is Final to all others
    known = len(ben.heard(OfferEvent))
    await ada.session.post_input(SendFileInput(str(source)))
    await ben.until(lambda: len(ben.heard(OfferEvent)) > known)
    offer = ben.heard(OfferEvent)[-1].offer
    await trio.sleep(4.0)  # until it is published
    begun = time.monotonic()
    await ben.session.post_input(AcceptInput(offer, f"{folder}/{offer}.bin"))
    ends = ("done", "failed")
    await ben.until(lambda: any(it.offer == offer and it.state in ends for it in ben.heard(TransferEvent)))
    seconds = time.monotonic() - begun
    if not ben.heard(TransferEvent, offer=offer, state="done"):
        raise BenchFailed("a file did not come")
    return seconds


def _describe(name: str, size: int, seconds: list[float], latencies: list[float]) -> str:
    rate = f"{size / MIB / statistics.median(seconds):8.2f}" if seconds else " " * 8
    times = sorted(latencies)
    told = f"{statistics.median(times) * 1000:9.0f}{times[int(0.95 * len(times))] * 1000:9.0f}" if times else ""
    return f"{name:<36}{rate}{told}"


async def _measure(torrc: str, size: int, trials: int, directory: Path) -> list[str]:
    source = directory / _SOURCE
    found: dict[str, tuple[list[float], list[float]]] = {}

    def row(name: str) -> tuple[list[float], list[float]]:
        return found.setdefault(name, ([], []))

    async with (
        own_tor(torrc) as hosts,
        own_tor(torrc) as others,
        gathering(SimpleNamespace(patience=PATIENCE)) as gathered,
    ):
        ada = await gathered.host(always(hosts))
        ben = await gathered.join("ben", always(others))
        for _ in range(trials):
            async with _talking(ada, ben, row("no transfer")[1]):
                await trio.sleep(TALK)
            async with _talking(ada, ben, row("plain stream")[1]):
                row("plain stream")[0].append(await _stream(hosts, others, size))
            for circuits in CIRCUITS:
                name = f"ours, {circuits} circuits, from /accept"
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                async with _talking(ada, ben, row(name)[1]):
                    row(name)[0].append(await _transfer(ada, ben, source, directory, circuits))
                grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
                print(f"  {name}: {row(name)[0][-1]:.1f} s; both ends have grown by {grown} KiB", flush=True)
    return [_describe(name, size, *measured) for name, measured in found.items()]


@contextmanager
def _sharing(program: str, serving: RunningTor, directory: Path) -> Iterator[str]:
    """OnionShare shares the file by this Tor; the address at which."""
    settings = directory / "onionshare.json"
    settings.write_text(
        json.dumps({"connection_type": "socket_file", "socket_file_path": serving.control.removeprefix("unix:")})
    )
    command = [program, "--config", str(settings), "--public", "--no-autostop-sharing", str(directory / _SOURCE)]
    environment = {**os.environ, "HOME": str(directory), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            said = ""
            for line in process.stdout:
                said += line
                if found := _ONIONSHARE.search(line):
                    yield found[1]
                    return
            raise BenchFailed(f"OnionShare shares nothing: {said[-500:]}")
        finally:
            process.kill()


async def _download(address: str, socks_port: str, size: int) -> float:
    """Seconds from the first byte of the file, as a browser fetches it, to its last."""
    proxy = Endpoint(path=socks_port.removeprefix("unix:"))
    stream: trio.abc.Stream | None = None
    begun = time.monotonic()
    with trio.fail_after(PATIENCE):
        while stream is None:
            begun = time.monotonic()
            try:
                stream = await socks.connect(proxy, address, 80, secrets.token_hex(8), "1")
            except (socks.SocksError, trio.BrokenResourceError):
                await trio.sleep(1.0)
        async with stream:
            await stream.send_all(f"GET /download HTTP/1.0\r\nHost: {address}\r\nAccept: */*\r\n\r\n".encode())
            came = 0
            while data := await stream.receive_some(PIECE):
                came += len(data)
    if came < size:
        raise BenchFailed("OnionShare sent less than the file")
    return time.monotonic() - begun


def _beside_onionshare(program: str, torrc: str, size: int, trials: int, directory: Path) -> str:
    with (
        running_tor(torrc) as serving,
        running_tor(torrc) as fetching,
        _sharing(program, serving, directory) as address,
    ):
        seconds = [trio.run(_download, address, fetching.socks, size) for _ in range(trials)]
    return _describe("OnionShare, from the dial", size, seconds, [])


def files(megabytes: int, trials: int, delay: float, jitter: float, onionshare: str) -> None:
    """One file from a host to a member, in turn on a plain stream and as members have it, with talk meanwhile.

    onionshare: the program onionshare-cli, if it is to be measured beside it.
    """
    size = megabytes * MIB
    program = shutil.which(onionshare)
    with tempfile.TemporaryDirectory() as name, private_network(delay, jitter) as torrc:
        directory = Path(name)
        (directory / _SOURCE).write_bytes(secrets.token_bytes(size))
        rows = trio.run(_measure, torrc, size, trials, directory)
        if program is not None:
            rows.append(_beside_onionshare(program, torrc, size, trials, directory))
    print(f"{megabytes} MiB, {delay:g} ms a hop{'':<14}MiB/s  latency of talk, ms: median, p95")
    print("\n".join(rows))
    if program is None:
        print(f"OnionShare was not measured: there is no {onionshare}")
