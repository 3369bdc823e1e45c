"""What scripts/bench measures beside floors and peers: by name, on this machine alone and over private Tor networks."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.children import BenchFailed
from tests.bench.cost import measure_costs, measure_member_costs
from tests.bench.crypto import crypto
from tests.bench.failover import failover
from tests.bench.fanout import fanout
from tests.bench.files import files
from tests.bench.over_tor import Rounds, join, start, talk
from tests.bench.results import FAR, LOOPBACK, NEAR, Goal, Report, Result
from tests.support.company import AstrayError
from tests.support.networks import private_network
from tests.support.peers import PeerFailed

FAILURES: Final = (BenchFailed, PeerFailed, AstrayError, OSError, TimeoutError, ExceptionGroup)


_NEAR: Final = Rounds()
_FAR: Final = Rounds(starts=4, joins=4, spaced=2, back_to_back=3, seconds=4.0)


@dataclass(frozen=True)
class Plan:
    """How much is measured. networks: over which; delay, jitter: of the one with distances, in milliseconds.

    members, runs, seconds: of the fan-out on loopback. cost_members, cost_runs: of processor time.
    key_members, key_runs: of the keys. megabytes, trials: of files. people, leaves, kills, silences: of lost hosts.
    """

    networks: tuple[str, ...] = (NEAR, FAR)
    delay: float = 40.0
    jitter: float = 15.0
    members: tuple[int, ...] = (50, 200, 1000)
    runs: int = 2
    seconds: float = 2.0
    cost_members: tuple[int, ...] = (2, 50, 200)
    cost_runs: int = 3
    key_members: tuple[int, ...] = (2, 50, 1000)
    key_runs: int = 5
    near: Rounds = _NEAR
    far: Rounds = _FAR
    megabytes: int = 8
    trials: int = 4
    people: int = 5
    leaves: int = 3
    kills: int = 8  # one in four meets relays that tell of it seconds late
    silences: int = 0

    def rounds(self, where: str) -> Rounds:
        return self.near if where == NEAR else self.far


_FEW: Final = Rounds(starts=2, joins=2, sizes=(2, 10), talks=1, spaced=3, back_to_back=8, seconds=2.0)
WHOLE: Final = Plan()
QUICK: Final = Plan(
    networks=(NEAR,),
    members=(50, 200),
    runs=1,
    seconds=1.5,
    cost_members=(2, 50),
    cost_runs=1,
    key_members=(50,),
    key_runs=2,
    near=_FEW,
    far=_FEW,
    megabytes=5,
    trials=1,
    leaves=1,
    kills=1,
)


def _costs(plan: Plan) -> Iterator[Result]:
    """Processor time of a host, and of a member, for a message."""
    for members in plan.cost_members:
        costs = measure_costs(members, plan.cost_runs)
        for spaced in (False, True):
            some = [cost for cost in costs if cost.spaced == spaced]
            name = f"host's processor time for a message, {'spaced' if spaced else 'back to back'}"
            host, least = [cost.host for cost in some], [cost.verification + cost.floor for cost in some]
            floor_is, goal = "a verification and the writes", Goal(1.25, of_floor=True)
            yield Result(name, f"{members} members", LOOPBACK, "us", host, least, floor_is, goal=goal)
    for others in plan.cost_members:
        found = measure_member_costs(others, plan.cost_runs)
        for spaced in (False, True):
            mine = [cost for cost in found if cost.spaced == spaced]
            name = f"member's processor time for a message, {'spaced' if spaced else 'back to back'}"
            member, least = [cost.member for cost in mine], [cost.verification for cost in mine]
            yield Result(name, f"{others + 1} members", LOOPBACK, "us", member, least, "a verification")


Alone = Callable[[Plan], Iterator[Result]]
OverTor = Callable[[str, str, Plan], Iterator[Result]]

ALONE: Final[dict[str, Alone]] = {
    "crypto": lambda plan: crypto(plan.key_members, plan.key_runs),
    "cost": _costs,
    "fanout": lambda plan: fanout(plan.members, plan.seconds, plan.runs),
}
OVER_TOR: Final[dict[str, OverTor]] = {
    "start": lambda torrc, where, plan: start(torrc, where, plan.rounds(where)),
    "join": lambda torrc, where, plan: join(torrc, where, plan.rounds(where)),
    "latency": lambda torrc, where, plan: talk(torrc, where, plan.rounds(where)),
    "failover": lambda torrc, where, plan: failover(
        torrc, where, plan.people, {"leave": plan.leaves, "kill": plan.kills, "silence": plan.silences}
    ),
    "files": lambda torrc, where, plan: files(torrc, where, plan.megabytes, plan.trials),
}


def measure(names: Sequence[str], plan: Plan, report: Report) -> None:
    """All of these; what fails is named in the report, and the others go on."""
    for name in names:
        if name in ALONE:
            take_results(report, name, ALONE[name](plan))
    over_tor = [name for name in names if name in OVER_TOR]
    for where in plan.networks if over_tor else ():
        distances = (plan.delay, plan.jitter) if where == FAR else (0.0, 0.0)
        with private_network(*distances) as torrc:
            for name in over_tor:
                take_results(report, f"{name}, {where}", OVER_TOR[name](torrc, where, plan))


def take_results(report: Report, what: str, results: Iterator[Result]) -> None:
    """These become part of the report; a failure ends them, and is named there."""
    began = time.monotonic()
    print(f"bench: {what}", file=sys.stderr, flush=True)
    try:
        report.results.extend(results)  # one by one: those before a failure stay
    except FAILURES as failure:
        report.failures.append(f"{what}: {failure!r}")
        print(f"bench: {what} failed: {failure!r}", file=sys.stderr, flush=True)
    print(f"bench: {what} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
