"""Files between members over a private Tor network, beside a plain stream over the same Tors; see scripts/bench."""

import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import trio

from anonp2p.config import Endpoint
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import socks
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault
from anonp2p.room import events
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.file_inputs import AcceptInput, SendFileInput
from tests.bench.children import BenchFailed
from tests.bench.over_tor import in_turn
from tests.bench.peers import ONIONSHARE, find_peer
from tests.bench.results import FLOOR, OURS, Result
from tests.bench.servers import serve_onionshare
from tests.support.own_tors import own_tor
from tests.support.people import Person, always, gathering
from tests.support.tors import running_tor

PAUSE = 0.25  # seconds between messages whose latency is measured
TALK = 8.0  # seconds of talk without a transfer
PATIENCE = 600.0  # seconds for one transfer
PIECE = 65_536  # bytes that a plain stream is written in
MIB = 1_048_576
MS = 1_000
NOTHING = "nothing"

_SOURCE = "source.bin"


async def _dial(tor: Tor, code: str) -> tuple[float, trio.abc.Stream]:
    """When the dial began, and the stream. Right after it was published, a service is not found everywhere."""
    while True:
        begun = time.monotonic()
        try:
            return begun, await tor.dial(code, f"{secrets.token_hex(8)}:1")
        except DialFault:
            await trio.sleep(1.0)


async def _stream(hosts: Tor, others: Tor, size: int) -> float:
    """Seconds that so many bytes take on a plain stream, from the dial on."""
    key, data = RoomKey(secrets.token_bytes(32)), secrets.token_bytes(PIECE)

    async def serve(stream: trio.abc.Stream) -> None:
        with suppress(trio.BrokenResourceError):  # of two dials side by side, the slower one is given up
            async with stream:
                for _ in range(size // PIECE):
                    await stream.send_all(data)

    async with hosts.listen(key) as place, trio.open_nursery() as nursery:
        nursery.start_soon(partial(trio.serve_listeners, serve, [place.listener]))
        await place.published()
        begun, stream = await _dial(others, key.code)
        left = size // PIECE * PIECE
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


async def _transfer(ada: Person, ben: Person, source: Path, folder: Path) -> float:
    """Seconds from /accept until the file is there."""
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


@dataclass
class _Found:
    """seconds: for a file. talk: seconds for each message meanwhile."""

    seconds: list[float] = field(default_factory=list)
    talk: list[float] = field(default_factory=list)


@asynccontextmanager
async def _pair(torrc: str) -> AsyncIterator[tuple[Tor, Tor, Person, Person]]:
    """Two in a room, and their Tors."""
    async with (
        own_tor(torrc) as hosts,
        own_tor(torrc) as others,
        gathering(SimpleNamespace(patience=PATIENCE)) as gathered,
    ):
        ada = await gathered.host(always(hosts))
        yield hosts, others, ada, await gathered.join("ben", always(others))


@contextmanager
def _sharing(torrc: str, source: Path) -> Iterator[tuple[str, str]]:
    """OnionShare shares it; by which SOCKS port it is fetched, and from which address."""
    with (
        running_tor(torrc) as serving,
        running_tor(torrc) as fetching,
        serve_onionshare(serving, "--no-autostop-sharing", str(source)) as (_, address),
    ):
        yield fetching.socks, address


async def _measure(torrc: str, size: int, trials: int, directory: Path, quiet: float) -> dict[str, _Found]:
    source = directory / _SOURCE
    found = {name: _Found() for name in (NOTHING, FLOOR, OURS, ONIONSHARE)}
    with ExitStack() as stack:
        shared = stack.enter_context(_sharing(torrc, source)) if find_peer(ONIONSHARE) else None
        async with _pair(torrc) as (hosts, others, ada, ben):
            ways: dict[str, Callable[[], Awaitable[float]]] = {
                FLOOR: partial(_stream, hosts, others, size),
                OURS: partial(_transfer, ada, ben, source, directory),
            }
            if shared is not None:
                ways[ONIONSHARE] = partial(_download, *shared, size)
            for trial in range(trials):
                async with _talking(ada, ben, found[NOTHING].talk):
                    await trio.sleep(quiet)
                for name in in_turn([*ways], trial):
                    async with _talking(ada, ben, found[name].talk):
                        found[name].seconds.append(await ways[name]())
    return found


async def _download(socks_port: str, address: str, size: int) -> float:
    """Seconds from the dial on until it is there, as a browser fetches it."""
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


def files(torrc: str, where: str, megabytes: int, trials: int, quiet: float = TALK) -> Iterator[Result]:
    """One file from a host to a member, in turn on a plain stream and as members have it, with talk meanwhile.

    quiet: seconds of talk without a file.
    """
    size = megabytes * MIB
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / _SOURCE).write_bytes(secrets.token_bytes(size))
        found = trio.run(_measure, torrc, size, trials, directory, quiet)

    def rates(seconds: list[float]) -> list[float]:
        return [megabytes / each for each in seconds]

    case, stream = f"{megabytes} MiB", "plain stream"
    of_peers = {name: rates(found[name].seconds) for name in (ONIONSHARE,) if found[name].seconds}
    ours, floor = rates(found[OURS].seconds), rates(found[FLOOR].seconds)
    yield Result("file", case, where, "MiB/s", ours, floor, stream, of_peers, more_is_better=True)
    talk = {name: [seconds * MS for seconds in one.talk] for name, one in found.items()}
    yield Result("latency while a file goes", case, where, "ms", talk[OURS], talk[FLOOR], f"while a {stream} goes")
    yield Result("latency while nothing goes", "", where, "ms", talk[NOTHING])
