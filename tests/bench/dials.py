"""How soon one is in a room, and back after a link broke, where circuits hang; and how many circuits that takes.

Over a private Tor network with distances, of whose circuits some hang (`tornet --hang`), with further tries beside
dials that take long and without (`ways.WAYS`), in turn. A newcomer is a program that has just started, over a Tor that
has forgotten circuits and descriptors. What has circuits hang, has those of the host hang too.
"""

import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from tests.bench.children import BenchFailed
from tests.bench.machine import describe_machine
from tests.bench.results import percentile
from tests.bench.ways import VARIABLE, WAYS
from tests.support.networks import private_network
from tests.support.peers import Event, Peer, PeerFailed
from tests.support.tors import RunningTor, running_tor

TIMES, CIRCUITS = 1 / 3, 1.3  # what further tries are to reach: of 95th percentiles, and of the mean, without them
PATIENCE = 240.0  # seconds after which one is lost
STOCK = 4.0  # seconds: a Tor that has forgotten its circuits has those in stock that it likes to have
QUIET = 3.0  # seconds: it has them again after a dial
RETURNS = 2  # of each newcomer, whose link is broken
USES_OF_A_TOR = 4  # newcomers in turn, so that few Tors have to boot
USES = re.compile(r"650 CIRC ([0-9]+) .* PURPOSE=HS_CLIENT_(HSDIR|INTRO|REND)\b")
SHARES = (50, 80, 95, 100)  # percentiles


@dataclass
class Figures:
    """What came of one way of dialling. joins, returns: seconds. circuits: of dials, for each join and each return."""

    joins: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    join_circuits: list[int] = field(default_factory=list)
    return_circuits: list[int] = field(default_factory=list)
    lost: int = 0

    @property
    def circuits(self) -> float:
        """Their mean, over joins and returns."""
        return statistics.mean(self.join_circuits + self.return_circuits)


class _Circuits:
    """The circuits that a Tor uses for dials, from now on."""

    def __init__(self, tor: RunningTor) -> None:
        self._used: set[str] = set()
        self._counted = 0
        self._tor = tor
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._tor.events("CIRC"):
            if match := USES.match(line):
                self._used.add(match[1])

    def take_count(self) -> int:
        """How many there were since the last time."""
        count = len(self._used) - self._counted
        self._counted += count
        return count


def _is_up(event: Event) -> bool:
    return bool(event["type"] == "link" and event["state"] == "up")


def _is_lost(event: Event) -> bool:
    return bool(event["type"] == "link" and event["state"] == "lost")


def _time_of(peer: Peer, holds: Callable[[Event], bool], since: int) -> float:
    event = peer.wait(holds, PATIENCE, since=since)
    return peer.times[peer.events.index(event, since)]


def _try_once(tor: RunningTor, circuits: _Circuits, code: str, way: str, found: Figures) -> None:
    """One newcomer: joins, and comes back some times. Raises PeerFailed."""
    tor.signal("NEWNYM")
    stocked_at = time.monotonic() + STOCK
    with Peer("--control", tor.control, "--no-heir", environment={VARIABLE: way}, module="tests.bench.ways") as peer:
        peer.wait("ready", PATIENCE)
        time.sleep(max(0.0, stocked_at - time.monotonic()))
        circuits.take_count()
        began = time.monotonic()
        peer.send(f"/join {code}")
        seconds = _time_of(peer, lambda event: event["type"] == "room", 0) - began
        _time_of(peer, _is_up, 0)
        time.sleep(QUIET)
        found.joins.append(seconds)
        found.join_circuits.append(circuits.take_count())
        for _ in range(RETURNS):
            since = len(peer.events)
            tor.close_circuits("HS_CLIENT_REND")
            broke = _time_of(peer, _is_lost, since)
            seconds = _time_of(peer, _is_up, since) - broke
            time.sleep(QUIET)
            found.returns.append(seconds)
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

    def use_tor(turns: Sequence[str]) -> None:
        with running_tor(torrc) as tor:
            tor.await_boot()
            circuits = _Circuits(tor)
            for way in turns:
                try:
                    _try_once(tor, circuits, code, way, found[way])
                except PeerFailed as failure:
                    print(f"{way}: {failure}", file=sys.stderr)
                    found[way].lost += 1

    turns = list(ways) * newcomers
    parts = [turns[at : at + USES_OF_A_TOR] for at in range(0, len(turns), USES_OF_A_TOR)]
    with _room(torrc) as code, ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(use_tor, parts):
            pass
    return found


def describe(found: dict[str, Figures]) -> str:
    """The table, in Markdown."""
    what = "median, 80 %, 95 %, worst"
    lines = [f"| | join: {what} | coming back: {what} | circuits of a join or a return |", "| --- | --- | --- | --- |"]
    for way, figures in found.items():
        cells = [
            ", ".join(f"{percentile(seconds, share):.1f}" for share in SHARES)
            for seconds in (figures.joins, figures.returns)
        ]
        name = f"{way} ({len(figures.joins)}, {len(figures.returns)})"
        lines.append(f"| {name} | {' | '.join(cells)} | {figures.circuits:.2f} |")
    return "\n".join(lines)


def dials(newcomers: int, at_once: int, shape: Sequence[float], ways: Sequence[str], *, as_json: bool) -> None:
    """Prints the figures, and what further tries gain. shape: of the network, as private_network has it.

    Raises BenchFailed where that is less than it is to be, or a newcomer was lost.
    """
    with private_network(*shape) as torrc:
        found = measure(torrc, newcomers, at_once, ways)
    if as_json:
        machine = describe_machine()
        print(msgspec.json.format(msgspec.json.encode({"machine": machine, "found": found}), indent=1).decode())
    print(describe(found), file=sys.stderr if as_json else sys.stdout)
    if lost := {way: figures.lost for way, figures in found.items() if figures.lost}:
        raise BenchFailed(f"newcomers were lost: {lost}")
    others = [way for way in found if way != "hedged" and "hedged" in found]
    if too_little := [way for way in others if not _gains(found["hedged"], found[way], way)]:
        raise BenchFailed(f"further tries gain too little beside dials as these: {too_little}")


def _gains(ours: Figures, theirs: Figures, way: str) -> bool:
    """Prints what further tries gain; whether that is enough."""
    joins, returns = (
        percentile(some, 95) / percentile(others, 95)
        for some, others in ((ours.joins, theirs.joins), (ours.returns, theirs.returns))
    )
    circuits = ours.circuits / theirs.circuits
    gains = f"join {joins:.2f}, coming back {returns:.2f} (95 %), circuits {circuits:.2f} (mean)"
    print(f"hedged / {way}: {gains}", file=sys.stderr)
    return max(joins, returns) <= TIMES and circuits <= CIRCUITS
