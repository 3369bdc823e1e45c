"""How soon honest users get into a room whose host strangers and members do their worst to; see scripts/bench."""

import json
import math
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import trio

from anonp2p.config import Config
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor import tor
from anonp2p.net.transport import Transport
from anonp2p.room import events
from anonp2p.room.room import Room
from tests.bench.children import BenchFailed, Child, Measured, child, measured
from tests.bench.strangers import HABITS
from tests.support.networks import private_network
from tests.support.tors import running_tor
from tests.support.transports import LoopbackNetwork

DIALS: Final = 10_000  # more than anybody needs
PATIENCE: Final = 60.0  # seconds after which one who is not in counts as kept out
WARM_UP: Final = 5.0  # seconds of an attack before anything is measured
JOINING: Final = 30.0  # seconds in which an honest newcomer is to be in, whatever others do
RETURNING: Final = 15.0  # the same for a member whose link broke
MIXED: Final = "all"


class _Watched:
    """Somebody honest in a program of their own."""

    def __init__(self, host: Measured, network: Transport) -> None:
        async def usable(_: float) -> Transport:
            await trio.lowlevel.checkpoint()
            return network

        room = Room(label="r1", key=host.room, random=secrets.token_bytes, nick="")
        self._session = Session(room, self._take_event, SharedNetwork(usable))
        self._is_up = trio.Event()
        self.gone = False

    def _take_event(self, event: events.Event) -> None:
        match event:
            case events.LinkEvent(state="up"):
                self._is_up.set()
            case events.GoneEvent():
                self.gone = True
                self._is_up.set()

    async def live(self) -> None:
        """The program, until it is cancelled."""
        await self._session.run()

    async def time_arrival(self) -> float:
        """Seconds until the next time that it is in; infinite when it never is."""
        began = trio.current_time()
        with trio.move_on_after(PATIENCE):
            await self._is_up.wait()
        took = trio.current_time() - began
        return math.inf if self.gone or not self._is_up.is_set() else took

    async def time_return(self) -> float:
        """The same after its link broke."""
        self._is_up = trio.Event()
        for number in range(-1, -DIALS, -1):
            if (link := self._session.links.find_link(number)) is not None:
                link.drop("broken")
        return await self.time_arrival()


@dataclass
class _Found:
    """Seconds that honest users took, and what the host spent, a second of the attack."""

    joins: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    cpu: float = 0.0
    grown: float = 0.0  # bytes of memory, in all
    entries: float = 0.0
    sent: float = 0.0  # bytes to those who attack
    received: float = 0.0  # bytes from them
    links: float = 0.0
    done: dict[str, int] = field(default_factory=dict)


async def _time_newcomer(host: Measured, network: Transport) -> float:
    """Seconds until somebody new is in, who is gone then: that its program needs no processor any more."""
    async with trio.open_nursery() as nursery:
        newcomer = _Watched(host, network)
        nursery.start_soon(newcomer.live)
        took = await newcomer.time_arrival()
        nursery.cancel_scope.cancel()
    return took


class Attack:
    """The process that attacks."""

    def __init__(self, strangers: Child, plan: dict[str, Any]) -> None:
        self._strangers = strangers
        strangers.tell(json.dumps(plan))

    async def read(self) -> dict[str, int]:
        """What it has done so far."""
        done: dict[str, int] = await trio.to_thread.run_sync(self._strangers.ask, "")
        return done


@asynccontextmanager
async def honest_network(host: Measured, torrc: str) -> AsyncIterator[Transport]:
    """What honest users dial over."""
    if torrc:
        async with tor.connect(Config(tor="own", torrc=Path(torrc), amnesic=True), lambda _: None) as network:
            yield network
    else:
        loopback = LoopbackNetwork()
        loopback.ports[host.code] = host.port
        yield loopback


async def _measure(habits: Sequence[str], streams: int, seconds: float, torrc: str) -> _Found:
    """One attack on a fresh room; none, if there are no habits."""
    with ExitStack() as stack:
        host = stack.enter_context(measured(*[torrc] * bool(torrc)))
        plan: dict[str, Any] = {"habits": habits, "streams": streams, "room": host.room.hex()}
        if torrc:
            way = stack.enter_context(running_tor(torrc)).socks.removeprefix("unix:")
            plan |= {"socks": way, "code": host.code}
        else:
            plan |= {"port": host.port}
        found = _Found()
        async with honest_network(host, torrc) as network, trio.open_nursery() as nursery:
            member = _Watched(host, network)
            nursery.start_soon(member.live)
            if math.isinf(await member.time_arrival()):
                raise BenchFailed("a member does not get in though nobody attacks")
            attack = None
            if habits:
                attack = Attack(stack.enter_context(child("tests.bench.strangers")), plan)
                await trio.sleep(WARM_UP)
            before, done = host.read(), await attack.read() if attack else {}
            began = trio.current_time()
            while trio.current_time() < began + seconds:
                found.joins.append(await _time_newcomer(host, network))
                found.returns.append(await member.time_return())
                if member.gone:
                    raise BenchFailed("an honest member is out of the room")
            after, took = host.read(), trio.current_time() - began
            for name, number in (await attack.read() if attack else {}).items():
                found.done[name] = number - done.get(name, 0)
            found.cpu = (after["cpu"] - before["cpu"]) / took
            found.grown = after["resident"] - before["resident"]
            found.entries = (after["entries"] - before["entries"]) / took
            found.sent, found.received, found.links = (
                found.done.get(name, 0) / took for name in ("received", "sent", "links")
            )
            nursery.cancel_scope.cancel()
        return found


def attack(names: Sequence[str], streams: int, seconds: float, torrc: str) -> None:
    """Each attack of these, and before them none. Raises BenchFailed where honest users are kept out for too long."""
    print(f"{streams} hostile streams, {'over Tor' if torrc else 'on loopback'}; seconds: median (most) of how many")
    columns = ("host CPU", "MiB more", "entries/s", "kB/s out", "kB/s in", "links/s")
    print(f"attack      newcomer            returning member    {'  '.join(columns)}")
    late = []
    for name in ["none", *names]:
        habits = [] if name == "none" else list(HABITS) if name == MIXED else [name]
        found = trio.run(_measure, habits, streams, seconds, torrc)
        print(
            f"{name:10}  {_spell(found.joins):18}  {_spell(found.returns):18}  {found.cpu:8.0%}  "
            f"{found.grown / 2**20:8.1f}  {found.entries:9.0f}  {found.sent / 1e3:8.0f}  {found.received / 1e3:7.0f}  "
            f"{found.links:7.0f}",
            flush=True,
        )
        others = {what: number for what, number in found.done.items() if what not in ("received", "sent", "links")}
        if others:
            print(f"            {', '.join(f'{what}: {number:,}' for what, number in others.items())}", flush=True)
        if max(found.joins) > JOINING or max(found.returns) > RETURNING:
            late.append(name)
    if late:
        raise BenchFailed(f"honest users were kept out for too long by: {', '.join(late)}")


def _spell(seconds: Sequence[float]) -> str:
    return f"{median(seconds):5.2f} ({max(seconds):5.2f}) {len(seconds):3}"


@contextmanager
def tor_network(wanted: str | None) -> Iterator[str]:
    """The torrc of a private Tor network: the one that is wanted, or else of a new one; empty if none is wanted."""
    if wanted is None or wanted:
        yield wanted or ""
        return
    with private_network() as torrc:
        yield torrc
