"""How soon a room goes on when its host leaves, dies or falls silent, over a private Tor network; see scripts/bench."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.bench.children import BenchFailed
from tests.bench.results import FAR, NEAR, Goal, Result
from tests.support.company import AstrayError, Company, Member
from tests.support.peers import PeerFailed

PATIENCE = 90.0  # seconds after which a room counts as lost
HEIR_PATIENCE = 60.0  # seconds for the first heir to be ready
QUIET = 3.0  # seconds of talk before each loss: links to the heir come up


def _leave(host: Member) -> None:
    host.peer.send("/quit")


KINDS: dict[str, Callable[[Member], None]] = {"leave": _leave, "kill": Member.kill, "silence": Member.stop}


GOALS: Final = {("leave", NEAR): 1.0, ("leave", FAR): 3.0, ("kill", NEAR): 2.0, ("kill", FAR): 5.0}  # seconds


@dataclass
class _Found:
    """What became of the rooms: seconds. failures: sentences."""

    reunions: list[float] = field(default_factory=list)
    since_break: list[float] = field(default_factory=list)
    newcomers: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def _lose_host(company: Company, newcomer: Member, how: Callable[[Member], None], found: _Found) -> None:
    """One loss of the host, whose place the newcomer takes. Raises PeerFailed, AstrayError."""
    newcomer.peer.wait("ready")
    with company.talking():
        company.await_heir(HEIR_PATIENCE)
        time.sleep(QUIET)
        lost = company.host
        moment = company.lose([lost], how)
        newcomer.peer.send(f"/join {company.code}")
        took = company.time_reunion(moment, PATIENCE)
        came = company.admit(newcomer, moment.at, PATIENCE)
    if how is Member.stop:
        lost.kill()
    company.require_agreement(PATIENCE)
    found.reunions.append(took)
    if how is not _leave and (broken := company.time_of_break(moment)) is not None:
        found.since_break.append(took - broken)
    found.newcomers.append(came)


def _measure(torrc: str, people: int, how: Callable[[Member], None], losses: int) -> _Found:
    """So many losses of hosts, one after the other in one room, or in as many as it takes."""
    found = _Found()
    left = losses
    while left:
        with Company(torrc) as company:
            company.create(people - 1)
            while left:
                left -= 1
                try:
                    _lose_host(company, company.boot(), how, found)
                except (PeerFailed, AstrayError) as error:
                    found.failures.append(str(error))
                    print(f"a room is lost: {error}", file=sys.stderr, flush=True)
                    break
    return found


def failover(torrc: str, where: str, people: int, losses: dict[str, int]) -> Iterator[Result]:
    """Hosts that leave, die or fall silent while all talk: so many of each.

    all talk: every survivor has heard every other one. since the break: the same since the first of their links broke,
    which a Tor may tell seconds after the loss. newcomer: one with the old code is in, who dials at the moment of the
    loss. Raises BenchFailed where a room was lost, or its members do not agree.
    """
    failures = []
    for kind, wanted in losses.items():
        if not wanted:
            continue
        found = _measure(torrc, people, KINDS[kind], wanted)
        failures += found.failures
        goal = Goal(GOALS[kind, where]) if (kind, where) in GOALS else None
        name, case = f"host lost ({kind})", f"{people} people"
        yield Result(name, f"{case}: all talk", where, "s", found.reunions, goal=goal)
        if found.since_break:
            yield Result(name, f"{case}: all talk, since the break", where, "s", found.since_break)
        yield Result(name, f"{case}: a newcomer is in", where, "s", found.newcomers)
    if failures:
        raise BenchFailed(f"{len(failures)} rooms were lost, or their members do not agree")
