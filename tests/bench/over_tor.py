"""Start, join, latency and fan-out over a private Tor network, where all kinds of rooms share the same Tors."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from tests.bench.children import measured
from tests.bench.dialling import dial
from tests.bench.fanout import RELAY, beside
from tests.bench.peers import ONIONSHARE
from tests.bench.results import FLOOR, OURS, Goal, Result
from tests.bench.servers import KINDS, Site, kinds, open_site, processor_of, serve_onionshare
from tests.bench.talk import Room, fan_out, latencies, rest
from tests.support.peers import Peer

JOINING: Final = 240.0  # seconds for all clients to get in
SPACED: Final = 0.5  # seconds between messages: Tor has nothing on its way
WINDOW: Final = 256  # messages sent and not back yet: more than a circuit holds
BATCH: Final = 8  # messages that a client sends in one piece
NEW_CIRCUITS: Final = 11.0  # seconds between two times that a Tor is told to forget all: it obeys once in ten
SETTLING: Final = 2.0  # seconds for a Tor that was told so to build circuits in advance, and for descriptors to be up
MS: Final = 1_000


@dataclass(frozen=True)
class Rounds:
    """How often what is measured. sizes: clients in a room. seconds: of each fan-out.

    joins, talks: of four kinds of rooms each is as often the first as any other one, the second, and so on.
    """

    starts: int = 8
    joins: int = 8
    sizes: tuple[int, ...] = (2, 10, 30)
    talks: int = 4
    spaced: int = 4  # messages of each talk
    back_to_back: int = 6
    seconds: float = 2.0
    least_for_fan_out: int = 10


def in_turn(names: Sequence[str], turn: int) -> list[str]:
    """All of these, another one first each time."""
    return [*names[turn % len(names) :], *names[: turn % len(names)]]


def start(torrc: str, where: str, rounds: Rounds) -> Iterator[Result]:
    """Seconds until a room has an address, and until it is reached by that, for a Tor that runs already."""
    shown: dict[str, list[float]] = {}
    reached: dict[str, list[float]] = {}
    with open_site(torrc, doors=0) as site:
        programs: dict[str, Callable[[Site], tuple[float, float]]] = {
            OURS: _start_ours,
            FLOOR: _publish,
            ONIONSHARE: _start_onionshare,
        }
        names = [name for name in kinds() if name in programs]
        for turn in range(rounds.starts):
            for name in in_turn(names, turn):
                first, second = programs[name](site)
                shown.setdefault(name, []).append(first)
                reached.setdefault(name, []).append(second)
    del shown[FLOOR]
    yield beside("start: address shown", "", where, "s", shown, goal=Goal(0.4))
    yield beside(
        "start: others can join", "", where, "s", reached, "first descriptor and a dial", Goal(1.0, of_floor=True)
    )


def _start_ours(site: Site) -> tuple[float, float]:
    began = time.monotonic()
    with Peer("--control", site.serving.control, "--nick", "ada", "create", "demo") as peer:
        first, second = (peer.times[peer.events.index(peer.wait(kind))] for kind in ("room", "reachable"))
        return first - began, second - began


def _publish(site: Site) -> tuple[float, float]:
    """An onion service, which its own Tor dials."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        began = time.monotonic()
        address = site.serving.publish(listener.getsockname()[1])
        dial(site.serving.socks, address, 1).close()
        return 0.0, time.monotonic() - began


def _start_onionshare(site: Site) -> tuple[float, float]:
    began = time.monotonic()
    with serve_onionshare(site.serving) as (_, address):
        shown = time.monotonic() - began
        dial(site.serving.socks, address.removesuffix(".onion"), 80).close()
        return shown, time.monotonic() - began


def join(torrc: str, where: str, rounds: Rounds) -> Iterator[Result]:
    """Seconds for a newcomer whose Tor runs, and was never there."""
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        site = stack.enter_context(open_site(torrc, doors=1))
        host = stack.enter_context(measured("--no-gauge", site.serving.control))
        rooms = {}
        for name in kinds():
            if name != OURS:
                service = site.create_service()
                rooms[name] = stack.enter_context(KINDS[name](service.reach))
                service.publish()
        (door,) = site.doors
        newcomer = stack.enter_context(Peer("--control", door.control, "--nick", "ben"))
        newcomer.wait("ready")
        for turn in range(rounds.joins):
            rest([*rooms.values()], NEW_CIRCUITS - SETTLING)
            door.signal("NEWNYM")
            rest([*rooms.values()], SETTLING)
            for name in in_turn([OURS, *rooms], turn):
                took = _join_ours(newcomer, host.code) if name == OURS else _join(rooms, name)
                found.setdefault(name, []).append(took)
    yield beside("join", "", where, "s", found, "dial", Goal(1.1, of_floor=True))


def _join(rooms: dict[str, Room], name: str) -> float:
    """One more client comes in."""
    began = time.monotonic()
    rooms[name].join(1, began + JOINING, _others(rooms, rooms[name]))
    return time.monotonic() - began


def _join_ours(newcomer: Peer, code: str) -> float:
    """The whole program joins, and leaves again."""
    since, began = len(newcomer.events), time.monotonic()
    newcomer.send(f"/join {code}")
    entered = newcomer.wait("room", JOINING, since=since)
    took = newcomer.times[newcomer.events.index(entered, since)] - began
    newcomer.send("/leave")
    newcomer.wait("gone", since=since)
    return took


@dataclass
class _Talk:
    """Seconds, and deliveries a second, of one kind of room."""

    spaced: list[float] = field(default_factory=list)
    back_to_back: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)


def talk(torrc: str, where: str, rounds: Rounds) -> Iterator[Result]:
    """How soon a message is with all, and how many are delivered, while all rooms are there, on the same circuits."""
    with ExitStack() as stack:
        service = stack.enter_context(open_site(torrc)).create_service()
        rooms = {name: stack.enter_context(KINDS[name](service.reach)) for name in kinds()}
        service.publish()
        for size in rounds.sizes:
            for room in rooms.values():
                room.join(size - room.size, time.monotonic() + JOINING, _others(rooms, room))
            rest([*rooms.values()], SETTLING)
            found = {name: _Talk() for name in rooms}
            for turn in range(rounds.talks):
                for name in in_turn([*rooms], turn):
                    _talk(rooms[name], rounds, turn, found[name], _others(rooms, rooms[name]))
            yield from _results(found, where, size)


def _others(rooms: dict[str, Room], room: Room) -> list[Room]:
    return [other for other in rooms.values() if other is not room]


def _talk(room: Room, rounds: Rounds, turn: int, found: _Talk, idle: Sequence[Room]) -> None:
    found.spaced += latencies(room, rounds.spaced, SPACED, idle, turn * rounds.spaced)
    found.back_to_back += latencies(room, rounds.back_to_back, 0.0, idle, turn * rounds.back_to_back)
    if room.size >= rounds.least_for_fan_out:
        flow = fan_out(
            room,
            rounds.seconds,
            lambda: processor_of(room.process),
            authors=room.size - 1,
            batch=BATCH,
            window=WINDOW,
            idle=idle,
        )
        found.rates.append(flow.rate)


def _results(found: dict[str, _Talk], where: str, size: int) -> Iterator[Result]:
    case, goal = f"{size} clients", Goal(1.05, of_floor=True)
    spaced = {name: [seconds * MS for seconds in one.spaced] for name, one in found.items()}
    yield beside("latency, spaced", case, where, "ms", spaced, RELAY, goal)
    together = {name: [seconds * MS for seconds in one.back_to_back] for name, one in found.items()}
    yield beside("latency, back to back", case, where, "ms", together, RELAY, goal)
    if rates := {name: one.rates for name, one in found.items() if one.rates}:
        at_least = Goal(0.95, of_floor=True)
        yield beside("fan-out", case, where, "deliveries/s", rates, RELAY, at_least, more_is_better=True)
