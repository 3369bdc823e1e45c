"""How soon one is in a room, and back after a link broke, where circuits hang; and how many circuits that takes.

Over a private Tor network with distances, of whose circuits some hang (`tornet --hang`), with second tries beside dials
that take long and without (`ways.WAYS`), in turn. Each newcomer has a Tor of its own, just booted. What has circuits
hang, has those of the host hang too.
"""

import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench.crowd import BenchFailed
from tests.bench.results import percentile
from tests.bench.ways import VARIABLE, WAYS
from tests.support.networks import private_network
from tests.support.peers import Event, Peer, PeerFailed
from tests.support.tors import RunningTor, running_tor

TIMES, CIRCUITS = 1 / 3, 1.3  # what second tries are to reach: of 95th percentiles, and of the mean, without them
PATIENCE = 240.0  # seconds after which one is lost
QUIET = 4.0  # seconds: Tor has the circuits in stock that it likes to have; what is left of a dial's goes
RETURNS = 4  # of each newcomer, whose link is broken
USES = re.compile(r"650 CIRC ([0-9]+) .* PURPOSE=HS_CLIENT_(HSDIR|INTRO|REND)\b")


@dataclass
class Figures:
    """What came of one way of dialling. joins, returns: seconds. circuits: of dials, for each join and each return."""

    joins: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    join_circuits: list[int] = field(default_factory=list)
    return_circuits: list[int] = field(default_factory=list)
    lost: int = 0


class _Circuits:
    """The circuits that a Tor uses for dials, from now on."""

    def __init__(self, tor: RunningTor) -> None:
        self._used: set[str] = set()
        self._tor = tor
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._tor.events("CIRC"):
            if match := USES.match(line):
                self._used.add(match[1])

    def take_count(self) -> int:
        """How many there were since the last time."""
        count = len(self._used)
        self._used = set()
        return count


def _is_up(event: Event) -> bool:
    return bool(event["type"] == "link" and event["state"] == "up")


def _is_lost(event: Event) -> bool:
    return bool(event["type"] == "link" and event["state"] == "lost")


def _time_of(peer: Peer, holds: Callable[[Event], bool], since: int) -> float:
    event = peer.wait(holds, PATIENCE, since=since)
    return peer.times[peer.events.index(event, since)]


def _try_once(torrc: str, code: str, way: str, found: Figures) -> None:
    """One newcomer: joins, and comes back some times. Raises PeerFailed."""
    with (
        running_tor(torrc) as tor,
        Peer("--control", tor.control, "--no-heir", environment={VARIABLE: way}, module="tests.bench.ways") as peer,
    ):
        peer.wait("ready", PATIENCE)
        circuits = _Circuits(tor)
        time.sleep(QUIET)
        circuits.take_count()
        began = time.monotonic()
        peer.send(f"/join {code}")
        found.joins.append(_time_of(peer, lambda event: event["type"] == "room", 0) - began)
        _time_of(peer, _is_up, 0)
        time.sleep(QUIET)
        found.join_circuits.append(circuits.take_count())
        for _ in range(RETURNS):
            since = len(peer.events)
            tor.close_circuits("HS_CLIENT_REND")
            broke = _time_of(peer, _is_lost, since)
            circuits.take_count()
            found.returns.append(_time_of(peer, _is_up, since) - broke)
            time.sleep(QUIET)
            found.return_circuits.append(circuits.take_count())
        peer.send("/quit")
        peer.result()


@contextmanager
def _room(torrc: str) -> Iterator[str]:
    with Peer("--torrc", torrc, "--nick", "hugo", "create", "demo") as host:
        code = host.wait("room")["code"]
        host.wait("reachable", PATIENCE)
        yield code


def measure(torrc: str, newcomers: int, at_once: int, ways: Sequence[str] = tuple(WAYS)) -> dict[str, Figures]:
    """So many newcomers of each way of dialling, some at once, the ways in turn."""
    found = {way: Figures() for way in ways}

    def run(way: str) -> None:
        try:
            _try_once(torrc, code, way, found[way])
        except PeerFailed:
            found[way].lost += 1

    with _room(torrc) as code, ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(run, list(ways) * newcomers):
            pass
    return found


def _describe(way: str, what: str, seconds: Sequence[float], circuits: Sequence[int]) -> str:
    shares = "".join(f"{percentile(seconds, share):>8.1f}" for share in (50, 80, 95, 100))
    return f"{way:<9}{what:<14}{len(seconds):>6}{shares}{statistics.mean(circuits):>10.2f}"


def dials(newcomers: int, at_once: int, delay: float, jitter: float, hang: float) -> None:
    """Prints the figures, and what second tries gain. delay, jitter: in milliseconds. hang: of 100 circuits.

    Raises BenchFailed where that is less than it is to be, or a newcomer was lost.
    """
    with private_network(delay, jitter, hang) as torrc:
        found = measure(torrc, newcomers, at_once)
    if lost := {way: figures.lost for way, figures in found.items() if figures.lost}:
        raise BenchFailed(f"newcomers were lost: {lost}")
    print("way      what           count  median     80%     95%   worst  circuits")
    for way, figures in found.items():
        print(_describe(way, "join", figures.joins, figures.join_circuits))
        print(_describe(way, "coming back", figures.returns, figures.return_circuits))
    others = [way for way in found if way != "hedged"]
    if too_little := [way for way in others if not _gains(found["hedged"], found[way], way)]:
        raise BenchFailed(f"second tries gain too little beside dials as these: {too_little}")


def _gains(ours: Figures, theirs: Figures, way: str) -> bool:
    """Prints what second tries gain; whether that is enough."""
    joins, returns = (
        percentile(some, 95) / percentile(others, 95)
        for some, others in ((ours.joins, theirs.joins), (ours.returns, theirs.returns))
    )
    mean, other = (statistics.mean(it.join_circuits + it.return_circuits) for it in (ours, theirs))
    print(f"hedged / {way}: join {joins:.2f}, coming back {returns:.2f} (95 %), circuits {mean / other:.2f} (mean)")
    return max(joins, returns) <= TIMES and mean / other <= CIRCUITS
