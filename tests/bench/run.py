"""What a host does under load; see scripts/bench."""

import argparse
import math
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, cycle, islice
from statistics import median

from anonp2p import limits
from anonp2p.protocol import frames
from tests.bench.attack import MIXED, attack, tor_network
from tests.bench.crowd import BenchFailed, Crowd, Measured, Member
from tests.bench.crypto import crypto
from tests.bench.failover import failover
from tests.bench.files import files
from tests.bench.irc import irc
from tests.bench.raid import raid
from tests.bench.rooms import rooms
from tests.bench.screen import screen
from tests.bench.strangers import HABITS

CHARACTERS = 300  # of a message
AUTHORS = 64  # many, so that what a host grants to each of them is not what is measured
FLOODERS = 8  # together they say more than a host keeps for those who lag
FEW = 25  # members of the room whose host's memory is measured
BATCH = 64  # messages that an author sends in one piece
WINDOW = 1_024  # messages sent and not back yet
RUNS = 3
DELIVERIES = 1_200_000  # a second: more is not to be expected of one processor, and need not be signed in advance
MESSAGES = 12_000  # a second: the same for a small room, where a host does little but verify signatures
SPEAKS = 0.1  # seconds between the messages of one who speaks during a flood
HEARTBEATS = 1_000  # records without frames that a flooder sends in one piece
PATIENCE = 150.0  # seconds for a room to fill, for messages to be signed, and for what is on its way to arrive
KIB = 1024

Piece = list[frames.SubmitFrame]


@contextmanager
def room(seconds: float) -> Iterator[tuple[Measured, Crowd]]:
    """A host and a crowd, still without members. seconds: after which all is over."""
    command = [sys.executable, "-m", "tests.bench.host"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            host = Measured(process.stdout, process.stdin)
            assert host.port is not None
            crowd = Crowd(host.port, host.room, seconds)
            try:
                yield host, crowd
            finally:
                crowd.close()
        finally:
            process.kill()


def piece(author: Member, first: int, messages: int = BATCH) -> Piece:
    """Signed messages, the first with this number, in one piece."""
    return [author.text(f"{number:08d} ".ljust(CHARACTERS, "x")) for number in range(first, first + messages)]


def pieces(authors: Sequence[Member]) -> Iterator[tuple[Member, Piece]]:
    """Pieces of all authors in turn, without end."""
    return ((author, piece(author, number * BATCH)) for number, author in zip(count(), cycle(authors), strict=False))


class Stock:
    """Pieces made in advance. What one run leaves is the next one's: an author may not leave out much of its chain."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._making = pieces(crowd.members[:AUTHORS])
        self._made: deque[tuple[Member, Piece]] = deque()

    def fill(self, most: int) -> None:
        """Makes so many, which takes long enough for links to need their beats."""
        while len(self._made) < most:
            self._made.append(next(self._making))
            self._crowd.pump(0)

    def __iter__(self) -> Iterator[tuple[Member, Piece]]:
        while self._made:
            yield self._made.popleft()


def talk(crowd: Crowd, said: Iterable[tuple[Member, Piece]], seconds: float = math.inf) -> int:
    """Sends pieces, at most a window ahead of what is back, until all have everything; how many messages."""
    witness, sent, until = crowd.members[0], 0, time.monotonic() + seconds
    for author, texts in said:
        crowd.until(lambda sent=sent: witness.ended or sent + BATCH - witness.entries <= WINDOW)  # type: ignore[misc]
        if witness.ended:
            raise BenchFailed("a member was cut off")
        crowd.say(author, texts)
        sent += BATCH
        if time.monotonic() > until:
            break
    crowd.until(lambda: all(member.ended or member.entries >= sent for member in crowd.members))
    return sent


def expect_alike(members: Sequence[Member], entries: int) -> None:
    """Raises BenchFailed unless all of them got so many entries, the same in the same order."""
    got = {member.entries for member in members}
    if got != {entries}:
        raise BenchFailed(f"of {entries} entries, members got {min(got)} to {max(got)}")
    if len({member.hash.digest() for member in members}) != 1:
        raise BenchFailed("not every member got every entry in the same order")


@dataclass
class Run:
    """One measurement of the fan-out. stall, own: see tests.bench.host. busy: the host's share of a processor."""

    rate: float
    rate_of_cpu: float
    stall: float
    own: float
    busy: float


def fanout(sizes: Sequence[int], seconds: float, *, beside: bool) -> None:
    """Deliveries a second, memory a member and stalls, for rooms of these sizes; beside: and what ngircd delivers."""
    print(
        "members  deliveries/s  per CPU s  runs                        "
        "KiB/member  after  stall ms  own ms  busy  joins/s"
    )
    for wanted in sizes:
        size = min(wanted, limits.MEMBERS - 1)  # beside the host
        with room(RUNS * (seconds + PATIENCE)) as (host, crowd):
            bare = host.read()["resident"]
            began = time.monotonic()
            crowd.join(size)
            joins = size / (time.monotonic() - began)
            crowd.settle()
            full = host.read()["resident"]
            stock = Stock(crowd)
            runs = [_fanout(host, crowd, stock, seconds) for _ in range(RUNS)]
            after = host.read()["resident"]
        rates = " ".join(f"{run.rate:,.0f}" for run in runs)
        print(
            f"{size:7,}  {median(run.rate for run in runs):12,.0f}  {median(run.rate_of_cpu for run in runs):9,.0f}  "
            f"{rates:26}  {(full - bare) / size / KIB:10.1f}  {(after - bare) / size / KIB:5.1f}  "
            f"{max(run.stall for run in runs) * 1e3:8.1f}  {max(run.own for run in runs) * 1e3:6.1f}  "
            f"{median(run.busy for run in runs):4.0%}  {joins:7,.0f}",
            flush=True,
        )
        if beside:
            with irc(size, RUNS * (seconds + PATIENCE)) as other:
                got = [other.talk(AUTHORS, BATCH, WINDOW, CHARACTERS, seconds) for _ in range(RUNS)]
            rates = " ".join(f"{rate:,.0f}" for rate, _ in got)
            print(
                f" ngircd  {median(rate for rate, _ in got):12,.0f}  {median(cpu for _, cpu in got):9,.0f}  {rates}",
                flush=True,
            )
    print("per CPU s: of the host. after: KiB a member after the runs, log included. stall: the longest of the host's")
    print("loop, with what other processes took from it; own: the longest that its own work accounts for.")


def _fanout(host: Measured, crowd: Crowd, stock: Stock, seconds: float) -> Run:
    members = crowd.members
    stock.fill(int(min(DELIVERIES / len(members), MESSAGES) * seconds) // BATCH)
    crowd.settle()
    before = host.read()
    began = time.monotonic()
    sent = talk(crowd, stock, seconds)
    took = time.monotonic() - began
    reading = host.read()
    expect_alike(members, sent)
    cpu, deliveries = reading["cpu"] - before["cpu"], sent * len(members)
    return Run(deliveries / took, deliveries / cpu, reading["stall"], reading["own"], cpu / took)


def floods(size: int, seconds: float) -> None:
    """What honest members notice while some flood the room, with texts or with beats, and another reads nothing."""
    for flood in ("texts", "beats"):
        with room(2 * seconds + PATIENCE) as (host, crowd):
            *honest, deaf = crowd.join(size)
            speaker, flooders = honest[0], honest[-FLOODERS:]
            crowd.settle()
            crowd.ignore(deaf)
            before = host.read()
            began = time.monotonic()
            delays, deaf_until = _speak(host, crowd, speaker, flooders, flood, began + seconds)
            crowd.until(lambda: all(not flooder.out or flooder.ended for flooder in flooders))  # noqa: B023  # it is called here and now
            crowd.calm()
            reading, took = host.read(), time.monotonic() - began
            told = {kind: reading.get(kind, 0) - before.get(kind, 0) for kind in ("MessageEvent", "LeftEvent")}
            if any(member.ended for member in honest):
                raise BenchFailed("an honest member was cut off")
            expect_alike(honest, told["MessageEvent"] + told["LeftEvent"])
        print(
            f"flood of {flood}: {told['MessageEvent'] / took:,.0f} messages/s ordered, all {len(honest)} honest "
            f"members alike; "
            f"one's own message was back after {median(delays) * 1e3:.0f} ms, {max(delays) * 1e3:.0f} at most, of "
            f"{len(delays)}; stall {reading['stall'] * 1e3:.0f} ms, own {reading['own'] * 1e3:.0f} ms; "
            f"host {(reading['cpu'] - before['cpu']) / took:.0%} busy"
        )
        if flood == "texts" and deaf_until is None:
            raise BenchFailed("who read nothing was not cut off")
        if deaf_until is not None:
            print(f"who read nothing was cut off after {deaf_until - began:.1f} s")
        sys.stdout.flush()


def _speak(
    host: Measured, crowd: Crowd, speaker: Member, flooders: Sequence[Member], flood: str, until: float
) -> tuple[list[float], float | None]:
    """One speaks while others flood: how long the first one's messages took, and when somebody was cut off."""
    delays: list[float] = []
    cut = None
    linked = host.read()["descriptors"]
    spoke = looked = time.monotonic()
    flooding = {flooder: pieces([flooder]) for flooder in flooders}
    waits = False  # for what it said to come back
    while (now := time.monotonic()) < until or waits:
        for flooder in flooders:
            if now < until and not flooder.out and not flooder.ended:
                if flood == "texts":
                    crowd.say(flooder, next(flooding[flooder])[1])
                else:
                    crowd.heartbeat(flooder, HEARTBEATS)
        if speaker.seen > spoke:
            delays.append(speaker.seen - spoke)
            speaker.seen, waits = 0.0, False
        if not waits and spoke + SPEAKS < now < until:
            texts = piece(speaker, len(delays), 1)
            crowd.batches.watched = texts[0].entry[-64:]  # what is sealed, which goes out as it came
            spoke, waits = now, True
            crowd.say(speaker, texts)
        if flood == "texts" and cut is None and now > looked + 0.25:  # a look starts the measuring of stalls anew
            looked = now
            cut = now if host.read()["descriptors"] < linked else None
        crowd.pump(0.005)
    return delays, cut


def memory(messages: int) -> None:
    """The host's memory while a small room says a lot."""
    steps = 5
    with room(messages / 500 + PATIENCE) as (host, crowd):
        crowd.join(FEW)
        for step in range(steps + 1):
            crowd.settle()
            print(
                f"{step * messages // steps:9,} messages: {host.read()['resident'] / KIB / KIB:6.1f} MiB resident",
                flush=True,
            )
            if step < steps:
                sent = talk(crowd, islice(pieces(crowd.members[:AUTHORS]), messages // steps // BATCH))
                expect_alike(crowd.members, sent)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description="Measures a host under load, on loopback.")
    commands = parser.add_subparsers(dest="what", required=True)
    one = commands.add_parser("fanout", help="deliveries a second, memory a member, stalls")
    one.add_argument("--members", default="50,200,1000", help="sizes of rooms (default: %(default)s)")
    one.add_argument("--beside-ngircd", action="store_true", help="and the same load on an ngircd, for comparison")
    one.add_argument("--seconds", type=float, default=5.0, help="of each of the three runs (default: %(default)s)")
    one = commands.add_parser("flood", help="some members flood, another never reads")
    one.add_argument("--members", type=int, default=20, help="in the room (default: %(default)s)")
    one.add_argument("--seconds", type=float, default=20.0, help="of each flood (default: %(default)s)")
    one = commands.add_parser("hostile", help="how soon honest users are in while others do their worst")
    one.add_argument("--streams", type=int, default=200, help="of those (default: %(default)s)")
    one.add_argument("--seconds", type=float, default=20.0, help="of each attack (default: %(default)s)")
    one.add_argument("--attacks", default=",".join([*HABITS, MIXED]), help="which (default: %(default)s)")
    one.add_argument("--tor", nargs="?", const="", metavar="TORRC", help="over Tor: a new private network, or this")
    one = commands.add_parser("raid", help="how soon a raid is over once a moderator has typed two commands")
    one.add_argument("--raiders", type=int, default=300, help="who say 20 messages each (default: %(default)s)")
    one.add_argument("--tor", nargs="?", const="", metavar="TORRC", help="over Tor: a new private network, or this")
    one = commands.add_parser("crypto", help="what sealing, opening, joining and removing cost")
    one.add_argument("--members", default="2,10,50,200,1000", help="sizes of rooms (default: %(default)s)")
    one = commands.add_parser("memory", help="whether a host grows with what was said")
    one.add_argument("--messages", type=int, default=100_000, help="said in all (default: %(default)s)")
    one = commands.add_parser("screen", help="how soon the full screen and a key on it are to be seen")
    one.add_argument("--size", default="120x40", help="columns and rows of the terminal (default: %(default)s)")
    one.add_argument("--seconds", type=float, default=10.0, help="at 200 messages a second (default: %(default)s)")
    one = commands.add_parser("rooms", help="how far apart two rooms of one user are left, and come back, over Tor")
    one.add_argument("--trials", type=int, default=10, help="of each kind (default: %(default)s)")
    one = commands.add_parser("failover", help="how soon a room goes on when its host leaves, dies or falls silent")
    one.add_argument("--people", type=int, default=5, help="in the room (default: %(default)s)")
    one.add_argument("--leaves", type=int, default=20, help="of hosts (default: %(default)s)")
    one.add_argument("--kills", type=int, default=20, help="of hosts with their Tors (default: %(default)s)")
    one.add_argument("--silences", type=int, default=0, help="hosts that are stopped (default: %(default)s)")
    one.add_argument("--delay", type=float, default=40, metavar="MS", help="from relay to relay (default: %(default)s)")
    one.add_argument("--jitter", type=float, default=15, metavar="MS", help="of it (default: %(default)s)")
    which = one.add_mutually_exclusive_group()
    which.add_argument("--near", action="store_true", help="only the network without distances")
    which.add_argument("--far", action="store_true", help="only the network with distances")
    one = commands.add_parser("files", help="how fast a file goes to a member, and whether talk is slower meanwhile")
    one.add_argument("--megabytes", type=int, default=50, help="of the file, in MiB (default: %(default)s)")
    one.add_argument("--trials", type=int, default=3, help="of each kind (default: %(default)s)")
    one.add_argument("--delay", type=float, default=0, metavar="MS", help="from relay to relay (default: %(default)s)")
    one.add_argument("--jitter", type=float, default=0, metavar="MS", help="of it (default: %(default)s)")
    one.add_argument("--onionshare", default="onionshare-cli", help="to measure beside it (default: %(default)s)")
    arguments = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        match arguments.what:
            case "fanout":
                fanout(
                    [int(size) for size in arguments.members.split(",")],
                    arguments.seconds,
                    beside=arguments.beside_ngircd,
                )
            case "crypto":
                crypto([int(size) for size in arguments.members.split(",")])
            case "flood":
                floods(arguments.members, arguments.seconds)
            case "hostile":
                with tor_network(arguments.tor) as torrc:
                    attack(arguments.attacks.split(","), arguments.streams, arguments.seconds, torrc)
            case "raid":
                with tor_network(arguments.tor) as torrc:
                    raid(arguments.raiders, torrc)
            case "memory":
                memory(arguments.messages)
            case "screen":
                columns, rows = map(int, arguments.size.split("x"))
                screen(columns, rows, arguments.seconds)
            case "rooms":
                rooms(arguments.trials)
            case "files":
                files(arguments.megabytes, arguments.trials, arguments.delay, arguments.jitter, arguments.onionshare)
            case "failover":
                losses = {"leave": arguments.leaves, "kill": arguments.kills, "silence": arguments.silences}
                distances = [(0.0, 0.0)] * (not arguments.far) + [(arguments.delay, arguments.jitter)] * (
                    not arguments.near
                )
                failover(arguments.people, losses, distances)
    except BenchFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
