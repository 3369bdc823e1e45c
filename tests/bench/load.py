"""What a host does under load, on loopback; see scripts/bench."""

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, cycle, islice
from statistics import median

from anonp2p.protocol import frames
from tests.bench.children import BenchFailed, Measured, measured
from tests.bench.crowd import Crowd, Member, loopback

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
def room(seconds: float, *, gauged: bool = True) -> Iterator[tuple[Measured, Crowd]]:
    """A host and a crowd, still without members.

    seconds: after which all is over. gauged: whether stalls are measured, which takes processor time of its own.
    """
    with measured(*["--no-gauge"] * (not gauged)) as host:
        crowd = Crowd(loopback(host.port), host.room, seconds)
        try:
            yield host, crowd
        finally:
            crowd.close()


def piece(author: Member, first: int, messages: int = BATCH) -> Piece:
    """Signed messages, the first with this number, in one piece."""
    return [author.text(f"{number:08d} ".ljust(CHARACTERS, "x")) for number in range(first, first + messages)]


def pieces(authors: Sequence[Member]) -> Iterator[tuple[Member, Piece]]:
    """Pieces of all authors in turn, without end."""
    return ((author, piece(author, number * BATCH)) for number, author in zip(count(), cycle(authors), strict=False))


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
