"""Rooms of any kind with clients in them: how soon a message is with all, and how many go out a second."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tests.bench.children import BenchFailed

CHARACTERS: Final = 300  # of a message
PATIENCE: Final = 120.0  # seconds for what was said to arrive
LOOK: Final = 0.02  # seconds that a room waits for news at most


class Room(Protocol):
    """A server and clients that are linked to it, all in this process. process: the server's, by its id.

    echoes: what one says comes back to oneself as well.
    """

    name: str
    process: int
    echoes: bool

    @property
    def size(self) -> int:
        """How many clients there are."""

    def join(self, count: int, deadline: float, idle: "Sequence[Room]" = ()) -> None:
        """So many more come in; idle: rooms whose links need their signs of life meanwhile. Raises BenchFailed."""

    def begin(self, authors: int, batch: int, stock: int) -> None:
        """From now on messages count; so many clients say them, in turn, so many in one piece.

        The first one only listens, where there are others. stock: messages that are made in advance, if need be; none:
        they are made as they are sent.
        """

    def send_piece(self) -> int:
        """The next piece goes out; how many messages. None are left: 0."""

    def heard(self, reader: int) -> int:
        """Messages that have come since it began."""

    def watch(self, author: int) -> float:
        """One client says one message that all look out for; when."""

    def seen(self, reader: int) -> float:
        """When it came to this one; 0: not yet."""

    def pump(self, wait: float) -> None:
        """Moves what there is to move. Raises BenchFailed."""

    def close(self) -> None:
        """Hangs up."""


def tend(idle: Sequence[Room]) -> None:
    """Lets rooms have the signs of life of their links."""
    for room in idle:
        room.pump(0)


def await_condition(room: Room, condition: Callable[[], bool], idle: Sequence[Room] = ()) -> None:
    """Pumps until this holds. Raises BenchFailed."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise BenchFailed(f"what was said in the room of {room.name} did not arrive")
        room.pump(LOOK)
        tend(idle)


def rest(rooms: Sequence[Room], seconds: float) -> None:
    """Lets all of them have their signs of life for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for room in rooms:
            room.pump(LOOK / len(rooms))


def latencies(room: Room, messages: int, pause: float, idle: Sequence[Room] = (), first: int = 0) -> list[float]:
    """Seconds from one client to each other one, by way of the host: one message at a time, so many seconds apart.

    first: who says the first one; others follow in turn.
    """
    found = []
    for number in range(first, first + messages):
        rest([room, *idle], pause)
        author = number % room.size
        readers = [reader for reader in range(room.size) if reader != author]
        waited_for = range(room.size) if room.echoes else readers  # what is still on its way would count as the next
        said = room.watch(author)
        await_condition(room, lambda: all(map(room.seen, waited_for)), idle)  # noqa: B023  # it is called here and now
        found += [room.seen(reader) - said for reader in readers]
    return found


@dataclass(frozen=True)
class Flow:
    """What a room delivered. rate: a second; rate_of_processor: a second of the server's processor."""

    rate: float
    rate_of_processor: float
    deliveries: int


def fan_out(
    room: Room,
    seconds: float,
    processor: Callable[[], float],
    *,
    authors: int,
    batch: int,
    window: int,
    stock: int = 0,
    idle: Sequence[Room] = (),
) -> Flow:
    """Clients say as much as goes out: never more than a window ahead of what the first of them has heard.

    processor: seconds that the server's has worked so far. Raises BenchFailed.
    """
    room.begin(authors, batch, stock)
    sent, used = 0, processor()
    began = time.monotonic()
    looked = began
    while (now := time.monotonic()) < began + seconds:
        if sent + batch - room.heard(0) <= window:
            pieces = room.send_piece()
            if not pieces:
                break
            sent += pieces
            room.pump(0)
        else:
            room.pump(LOOK)
        if idle and now > looked + LOOK:
            looked = now
            tend(idle)
    await_condition(room, lambda: room.heard(0) >= sent, idle)
    deliveries = sent * (room.size if room.echoes else room.size - 1)
    readers = range(room.size)
    await_condition(room, lambda: sum(map(room.heard, readers)) >= deliveries, idle)
    took = time.monotonic() - began
    worked = processor() - used
    return Flow(deliveries / took, deliveries / worked if worked else math.nan, deliveries)
