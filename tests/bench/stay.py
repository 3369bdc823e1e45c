"""A large room for minutes: people talk, come, leave, flood it and lag behind, and half way its host hands over.

All members but the host and its heir are of a crowd (tests.bench.crowd). What they got is accounted for at the end:
each entry reached each member that was there, once and in order, but for what the log had no more when one came back.
"""

import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.bench.children import BenchFailed, Measured, measured
from tests.bench.crowd import DIALLING, Crowd, Member, loopback
from tests.bench.load import FLOODERS, KIB, Piece, piece, pieces, room

SPEAKS: Final = 0.05  # seconds between messages of somebody
TURNOVER: Final = 5.0  # seconds after which one leaves, and another comes
ROUND: Final = 60.0  # seconds in which there is a flood, and then some lag
FLOODED: Final = 10.0  # of them
LAGGARDS: Final = 5
LAGGED: Final = 20.0  # seconds in which they read nothing
TOGETHER: Final = 16  # newcomers who dial at once while the room fills
LOOK: Final = 1.0  # seconds between readings of the host
AGAIN: Final = 10.0  # seconds after which who is not out yet says again that it leaves: its entry was of another epoch
SETTLING: Final = 120.0  # seconds for all that is on its way to arrive
FILLING: Final = 600.0  # seconds for a full room to come in, and to come back
STALL: Final = 0.1  # seconds of its own work after which the loop of a host is too slow
MIB: Final = KIB * KIB


@dataclass(frozen=True, slots=True)
class Reading:
    """Of who hosts. at: seconds since all were in; resident: bytes; stall, own: see tests.bench.host."""

    at: float
    host: str
    resident: int
    stall: float
    own: float
    members: int
    entries: int


@dataclass(slots=True)
class Stay:
    """What came of it. readings: one a second. deliveries: entries that members got. missed: that the log had no more.

    came, left, returned: how often; handed_over: seconds until all members had the new host.
    """

    readings: list[Reading] = field(default_factory=list)
    deliveries: int = 0
    missed: int = 0
    came: int = 0
    left: int = 0
    returned: int = 0
    handed_over: float = 0.0


class _Room:
    """The room, and what goes on in it."""

    def __init__(self, host: Measured, heir: Measured, crowd: Crowd, seconds: float) -> None:
        self.stay = Stay()
        self._host, self._heir, self._crowd = host, heir, crowd
        self._hosts = "first"
        self._seconds = seconds
        self._chance = random.Random(1)
        self._leaving: dict[Member, float] = {}  # and when it has said so
        self._lagging: list[Member] = []
        self._back: deque[Member] = deque()  # who has to come back
        self._dialling: list[Member] = []
        self._flooding: dict[Member, Iterator[tuple[Member, Piece]]] = {}
        self._began = time.monotonic()
        self._look_at = LOOK

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    def run(self) -> None:
        """All of it."""
        speak, turn = 0.0, TURNOVER
        while (now := self._now) < self._seconds:
            self._crowd.pump(0.002)
            self._mind_links()
            in_round = now % ROUND
            if now >= speak:
                speak = now + SPEAKS
                self._speak()
            if now >= turn:
                turn = now + TURNOVER
                self._turn_over()
            self._look()
            self._flood(on=in_round < FLOODED)
            self._lag(on=ROUND / 2 <= in_round < ROUND / 2 + LAGGED)
            if now >= self._seconds / 2 and self._hosts == "first" and not self._leaving:
                self._hand_over()
        self._flood(on=False)
        self._lag(on=False)
        self._settle()

    # --- links

    def _mind_links(self) -> None:
        """Who is out is forgotten; whose link has ended otherwise comes back."""
        self._dialling = [member for member in self._dialling if not (member.welcome or member.ended)]
        for member in [member for member in self._crowd.members if member.ended and not member.reads]:
            if member.is_out:
                del self._leaving[member]
                self._replace(member)
            elif member not in self._back and member not in self._lagging:
                self._back.append(member)
        while self._back and len(self._dialling) < DIALLING:
            member = self._back.popleft()
            self._crowd.come_back(member)
            self._dialling.append(member)
            self.stay.returned += 1

    def _replace(self, member: Member) -> None:
        """One is out, so that there is a place for another."""
        self.stay.left += 1
        self._account(member)
        self._crowd.forget(member)
        newcomer = self._crowd.begin_joining()
        assert newcomer is not None, "on loopback there is always a connection"
        self._dialling.append(newcomer)
        self.stay.came += 1

    def _account(self, member: Member) -> None:
        """Raises BenchFailed unless it got all that was ordered while it was in."""
        if member.entries + member.missed != member.index - member.first:
            raise BenchFailed(f"from {member.first} to {member.index} one got {member.entries}, {member.missed} missed")
        self.stay.deliveries += member.entries
        self.stay.missed += member.missed

    def _present(self) -> list[Member]:
        out = {*self._leaving, *self._lagging, *self._flooding}
        return [it for it in self._crowd.members if it.welcome and it.reads and not it.ended and it not in out]

    # --- what goes on

    def _speak(self) -> None:
        author = self._chance.choice(self._present())
        self._crowd.say(author, piece(author, 0, 1))

    def _turn_over(self) -> None:
        now = self._now
        going = [it for it, said in self._leaving.items() if said + AGAIN < now and it.welcome and not it.ended]
        if self._hosts != "first" or now < self._seconds / 2 - AGAIN:  # whose link ends then is not out for that
            going.append(self._chance.choice(self._present()))
        for each in going:
            self._leaving[each] = now
            self._crowd.say(each, [each.leave()])

    def _flood(self, *, on: bool) -> None:
        if not on:
            self._flooding.clear()
            return
        if not self._flooding:
            self._flooding = {it: pieces([it]) for it in self._chance.sample(self._present(), FLOODERS)}
        for flooder, texts in self._flooding.items():
            if flooder.welcome and not flooder.out and not flooder.ended:
                self._crowd.say(flooder, next(texts)[1])

    def _lag(self, *, on: bool) -> None:
        if on and not self._lagging:
            self._lagging = self._chance.sample(self._present(), LAGGARDS)
            for member in self._lagging:
                self._crowd.ignore(member)
        elif not on:
            for member in self._lagging:
                self._crowd.heed(member)
            self._lagging = []

    def _look(self) -> None:
        now = self._now
        if now < self._look_at:
            return
        self._look_at = now + LOOK
        reading = (self._host if self._hosts == "first" else self._heir).read()
        numbers: dict[str, Any] = {key: reading[key] for key in ("resident", "stall", "own", "members", "entries")}
        self.stay.readings.append(Reading(now, self._hosts, **numbers))

    def _hand_over(self) -> None:
        """The host leaves, and all members find its heir."""
        if not self._host.read()["heirs"]:
            raise BenchFailed("nobody can take the room over")
        self._lag(on=False)
        began = self._now
        self._host.type("/leave")
        while not (reading := self._heir.read())["hosting"]:
            self._crowd.pump()
        self._hosts = "heir"
        self._crowd.follow_host(loopback(reading["port"]), bytes.fromhex(reading["address"]))
        address = bytes.fromhex(reading["address"])
        while any(it.service != address or not it.welcome for it in self._crowd.members):
            self._crowd.pump(0.002)
            self._mind_links()
            self._look()
            if self._now - began > FILLING:
                raise BenchFailed("not everybody came to the new host")
        self.stay.handed_over = self._now - began

    def _settle(self) -> None:
        """Waits until everybody has everything."""
        until = self._now + SETTLING
        while (lacking := self._count_lacking()) or self._back or self._dialling:
            self._crowd.pump()
            self._mind_links()
            if self._now > until:
                raise BenchFailed(f"{lacking} members lack something of what was ordered")
        for member in self._crowd.members:
            self._account(member)

    def _count_lacking(self) -> int:
        entries = self._heir.read()["entries"]
        return sum(it.index != entries and it not in self._leaving for it in self._crowd.members)


def stay(members: int, seconds: float) -> Stay:
    """A room with so many members, its host and its heir among them, for so long once all are in."""
    with room(2 * FILLING + seconds) as (host, crowd), measured("--code", host.code, "--port", str(host.port)) as heir:
        while (missing := members - 2 - len(crowd.members)) > 0:
            crowd.join(min(missing, TOGETHER))
        crowd.settle()
        for member in crowd.members:
            member.first = member.index
        inside = _Room(host, heir, crowd, seconds)
        inside.run()
        return inside.stay


def print_stay(members: int, seconds: float) -> None:
    """Prints what came of it, minute by minute."""
    came = stay(members, seconds)
    print(" minute  host   members  entries  MiB      stall ms  own ms")
    for minute in range(int(seconds // 60) + 1):
        of = [it for it in came.readings if minute * 60 <= it.at < minute * 60 + 60]
        if of:
            last, stall, own = of[-1], max(it.stall for it in of), max(it.own for it in of)
            print(
                f"{minute:7}  {last.host:5}  {last.members:7,}  {last.entries:7,}  {last.resident / MIB:7.1f}  "
                f"{stall * 1e3:8.1f}  {own * 1e3:6.1f}"
            )
    print(
        f"{came.deliveries:,} deliveries, each once and in order; {came.missed:,} entries missed by those who lagged; "
        f"{came.came} came, {came.left} left, links came back {came.returned} times; "
        f"all had the new host after {came.handed_over:.1f} s"
    )
    sys.stdout.flush()
    if max(it.own for it in came.readings) > STALL:
        raise BenchFailed("the host's own work held up all else for too long")


def run_vast(members: int) -> None:
    """Prints what larger rooms cost; see tests.bench.vast, which is a program of its own."""
    if subprocess.run([sys.executable, "-m", "tests.bench.vast", "--members", str(members)], check=False).returncode:
        raise BenchFailed("a larger room does not work")
