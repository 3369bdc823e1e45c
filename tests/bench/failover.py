"""How soon a room goes on when its host leaves, dies or falls silent, over private Tor networks; see scripts/bench."""

import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.bench.crowd import BenchFailed
from tests.support.company import AstrayError, Company, Member
from tests.support.networks import private_network
from tests.support.peers import PeerFailed

PATIENCE = 90.0  # seconds after which a room counts as lost
HEIR_PATIENCE = 60.0  # seconds for the first heir to be ready
QUIET = 3.0  # seconds of talk before each loss: links to the heir come up


def _leave(host: Member) -> None:
    host.peer.send("/quit")


KINDS: dict[str, Callable[[Member], None]] = {"leave": _leave, "kill": Member.kill, "silence": Member.stop}


@dataclass
class _Found:
    """What became of the rooms: seconds, and numbers of messages."""

    reunions: list[float] = field(default_factory=list)
    since_break: list[float] = field(default_factory=list)
    newcomers: list[float] = field(default_factory=list)
    cut: int = 0
    late: int = 0
    failures: list[str] = field(default_factory=list)

    def describe(self, kind: str, network: str) -> str:
        """A line of the report."""
        return (
            f"{kind:<8}  {network:<8}  {len(self.reunions) + len(self.failures):>6}"
            f"  {_spell(self.reunions)}  {_spell(self.since_break)}  {_spell(self.newcomers)}"
            f"  {self.cut:>4}  {self.late:>4}  {len(self.failures):>6}"
        )


def _spell(seconds: list[float]) -> str:
    """Median, 95th percentile and the worst."""
    if not seconds:
        return f"{'-':>6}  {'-':>6}  {'-':>6}"
    ordered = sorted(seconds)
    high = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return f"{statistics.median(ordered):6.1f}  {high:6.1f}  {ordered[-1]:6.1f}"


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
    for member in company.members:
        events = member.peer.events[moment.seen.get(member.nick, 0) :]
        found.cut += sum(event["count"] for event in events if event["type"] == "cut")
        found.late += sum(1 for event in events if event["type"] == "message" and event["late"] and event["mine"])


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


def failover(people: int, losses: dict[str, int], distances: Sequence[tuple[float, float]]) -> None:
    """Hosts that leave, die or fall silent while all talk. distances: delay and jitter of networks, in milliseconds.

    Raises BenchFailed where a room was lost, or its members do not agree.
    """
    print(f"{people} in the room; seconds: median, 95th percentile, worst. all talk: every survivor has heard every")
    print("other one; broken: the same since the first of their links broke, which a Tor may tell seconds after the")
    print("loss; newcomer: one with the old code is in, who dials at the moment of the loss")
    print("cause     delay     losses  all talk                broken                  newcomer", end="")
    print("                 cut  late  failed")
    failures = 0
    for delay, jitter in distances:
        with private_network(delay, jitter) as torrc:
            for kind, count in losses.items():
                found = _measure(torrc, people, KINDS[kind], count)
                print(found.describe(kind, f"{delay:g} ms"), flush=True)
                failures += len(found.failures)
    if failures:
        raise BenchFailed(f"{failures} rooms were lost, or their members do not agree")
