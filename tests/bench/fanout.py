"""How many messages a room delivers on loopback, and what memory a client costs its server; see scripts/bench."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from anonp2p import limits
from tests.bench.dialling import LoopbackDialler
from tests.bench.peers import ONIONSHARE, PEERS
from tests.bench.results import FLOOR, LOOPBACK, OURS, Goal, Result
from tests.bench.servers import KINDS, kinds, memory_of, processor_of
from tests.bench.talk import Flow, fan_out, rest

AUTHORS: Final = 64  # many, so that what a host grants to each of them is not what is measured
BATCH: Final = 64  # messages that an author sends in one piece
WINDOW: Final = 1_024  # messages sent and not back yet
DELIVERIES: Final = 1_200_000  # a second: more is not to be expected of one processor, and need not be made in advance
MESSAGES: Final = 12_000  # a second: the same for a small room, where a host does little but verify signatures
JOINING: Final = 120.0  # seconds for all clients to get in
QUIET: Final = 0.3  # seconds without a word before memory is read
MOST_FOR: Final = {ONIONSHARE: 50}  # clients: with more, its seconds are minutes
LARGE: Final = 200  # clients, from which on what a room costs without any does not count
MEMORY: Final = 20.0  # KiB a client: the goal
KIB: Final = 1_024
RELAY: Final = "raw relay"


def fanout(sizes: Sequence[int], seconds: float, runs: int) -> Iterator[Result]:
    """For rooms of these sizes, each kind of room anew in each run, in turn."""
    for wanted in sizes:
        size = min(wanted, limits.MEMBERS - 1)  # beside the host
        flows: dict[str, list[Flow]] = {}
        memory: dict[str, list[float]] = {}
        joins: list[float] = []
        for run in range(runs):
            names = [name for name in kinds() if size <= MOST_FOR.get(name, size)]
            for name in names[run % len(names) :] + names[: run % len(names)]:
                with KINDS[name](LoopbackDialler) as room:
                    bare = memory_of(room.process)
                    began = time.monotonic()
                    room.join(size, began + JOINING)
                    if name == OURS:  # the others let anybody in, unseen
                        joins.append(size / (time.monotonic() - began))
                    rest([room], QUIET)
                    memory.setdefault(name, []).append((memory_of(room.process) - bare) / size / KIB)
                    flow = fan_out(
                        room,
                        seconds,
                        lambda process=room.process: processor_of(process),  # type: ignore[misc]
                        authors=AUTHORS,
                        batch=BATCH,
                        window=WINDOW,
                        stock=int(min(DELIVERIES / size, MESSAGES) * seconds),
                    )
                    flows.setdefault(name, []).append(flow)
        case = f"{size} clients"
        rates = {name: [flow.rate for flow in found] for name, found in flows.items()}
        yield beside("fan-out", case, LOOPBACK, "deliveries/s", rates, RELAY, more_is_better=True)
        of_processor = {name: [flow.rate_of_processor for flow in found] for name, found in flows.items()}
        unit = "deliveries a second of the server's processor"
        yield beside("fan-out", case, LOOPBACK, unit, of_processor, RELAY, more_is_better=True)
        yield Result("joining", case, LOOPBACK, "clients/s", joins, more_is_better=True)
        goal = Goal(MEMORY) if size >= LARGE else None
        yield beside("memory", case, LOOPBACK, "KiB a client", memory, RELAY, goal)


def beside(
    name: str,
    case: str,
    where: str,
    unit: str,
    found: dict[str, list[float]],
    floor_is: str = "",
    goal: Goal | None = None,
    *,
    more_is_better: bool = False,
) -> Result:
    """A result of samples by the kinds of rooms."""
    return Result(
        name,
        case,
        where,
        unit,
        found.get(OURS, []),
        found.get(FLOOR, []),
        floor_is,
        {peer: found[peer] for peer in PEERS if peer in found},
        goal,
        more_is_better,
    )
