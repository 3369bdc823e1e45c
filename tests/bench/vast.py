"""A room of ten times as many members as may be, without a network: what breaks, and what that costs its host.

A program of its own, as it raises the limit. The host is a real room, each link a real connection; at the other end are
members of a crowd, which check by the heads that they get all. Time is counted, not waited for.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from anonp2p import limits

STEPS: Final = (50, 200, 1_000, 2_000, 5_000, 10_000)
vars(limits)["MEMBERS"] = STEPS[-1]  # before the types of frames are made of it

from anonp2p.cli import calm_collector  # noqa: E402
from anonp2p.names.codes import RoomKey  # noqa: E402
from anonp2p.protocol import bodies  # noqa: E402
from anonp2p.protocol.connection import Connection  # noqa: E402
from anonp2p.room import inputs  # noqa: E402
from anonp2p.room.link_effects import LinkEffect, apply_effect  # noqa: E402
from anonp2p.room.room import Room  # noqa: E402
from tests.bench.children import BenchFailed  # noqa: E402
from tests.bench.crowd import Batches, Member  # noqa: E402
from tests.room.peers import randomness  # noqa: E402

PUMPED: Final = 1_000  # entries after which all links are read: fewer than the log keeps
SAID: Final = 64  # messages whose cost is measured
PAGE: Final = 4_096
MICRO: Final = 1e6


class _Wire:
    """In place of a member's socket: what the host sends is put here, what the member sends is taken."""

    def __init__(self) -> None:
        self.coming, self.going = b"", b""

    def setsockopt(self, *_: int) -> None:
        """Nothing to set."""

    def setblocking(self, _: bool) -> None:
        """It never blocks."""

    def close(self) -> None:
        """Nothing to close."""

    def send(self, data: bytes) -> int:
        """Takes all."""
        self.going += data
        return len(data)

    def recv(self, _: int) -> bytes:
        """All there is."""
        data, self.coming = self.coming, b""
        return data


class _Line:
    """One link of the host's, with both ends."""

    def __init__(self, number: int, now: float, room: bytes, batches: Batches) -> None:
        self.number, self.wire = number, _Wire()
        self.connection = Connection(now, limits.CLIENT_HANDSHAKE)
        self.member = Member(cast("Any", self.wire), room, number, batches)


class Hall:
    """The room. spent: seconds of processor time that the host has worked; sent: bytes that it has sent."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.spent, self.sent = 0.0, 0
        self.lines: dict[int, _Line] = {}
        self._batches = Batches()
        self._key = RoomKey(bytes(range(32)))
        self.room = Room(
            label="r1", key=self._key.public, random=randomness(b"hall"), nick="hugo", room_key=self._key, name="hall"
        )
        self._handle(inputs.StartInput())
        self._handle(inputs.PublishedInput(self._key.public))

    @contextmanager
    def _working(self) -> Iterator[None]:
        began = time.process_time()
        yield
        self.spent += time.process_time() - began

    def _handle(self, item: inputs.Input) -> None:
        with self._working():
            done = self.room.handle_input(item, inputs.Now(self.now, self.now))
            for effect in done:
                number = getattr(effect, "link", None)
                if isinstance(effect, LinkEffect) and number in self.lines:
                    apply_effect(effect, self.lines[number].connection, self.now)

    def end_batch(self) -> None:
        """What was ordered is signed for."""
        self._handle(inputs.EndBatchInput())

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += seconds
        self._handle(inputs.TickInput())
        self.end_batch()

    def join(self) -> None:
        """One more comes in."""
        number = len(self.lines) + 1
        line = self.lines[number] = _Line(number, self.now, self._key.public, self._batches)
        self._handle(inputs.LinkedInput(number, self._key.public))
        for _ in range(100):
            self.move(line)
            if line.member.welcome:
                return
            self.wait(0.1)
        raise BenchFailed("a newcomer waits for ever")

    def take_last(self, number: int, payload: bytes) -> None:
        """A payload of one whose link is of no more use."""
        self._handle(inputs.ReceivedInput(number, payload))
        self.end_batch()

    def move(self, line: _Line) -> None:
        """What is under way on this link arrives, until there is nothing."""
        moving = True
        while moving:
            line.wire.coming += self._take(line)
            moving = bool(line.wire.coming)
            if moving:
                line.member.receive()
            said, line.wire.going = line.wire.going, b""
            if said:
                moving = True
                line.connection.receive_data(said, self.now)
                while (payload := line.connection.next_payload(self.now)) is not None:
                    self._handle(inputs.ReceivedInput(line.number, payload))
                self.end_batch()

    def _take(self, line: _Line) -> bytes:
        if line.connection.is_over:
            raise BenchFailed(f"the link of {line.member.nick} has ended: {line.connection.reason}")
        with self._working():
            data = bytes(line.connection.data_to_send())
            if data:
                line.connection.mark_sent(len(data))
        self.sent += len(data)
        return data

    def pump(self) -> None:
        """All links are read to the end of the log."""
        for line in self.lines.values():
            self.move(line)
            if line.member.index != self.room.index:
                raise BenchFailed(f"{line.member.nick} is at {line.member.index}, the host at {self.room.index}")

    def measure(self, what: Callable[[], None]) -> tuple[float, int]:
        """Seconds of the host's, and bytes that it has sent, for this."""
        spent, sent = self.spent, self.sent
        what()
        return self.spent - spent, self.sent - sent


@dataclass(frozen=True, slots=True)
class Vast:
    """A room of this size. join, message, commit: what one takes the host, in seconds, and bytes sent for it in all.

    join: without what goes to all others. message: of one burst. resident: bytes of this process, with all members.
    """

    members: int
    join: tuple[float, int]
    message: tuple[float, int]
    commit: tuple[float, int]
    resident: int


def measure_rooms(most: int) -> Iterator[Vast]:
    """Rooms of growing size, up to this one."""
    hall = Hall()
    for size in (step for step in STEPS if step <= most):
        while len(hall.lines) + 2 < size:  # the host, and one whose join is measured
            hall.join()
            if hall.room.index % PUMPED == 0:
                hall.pump()
            hall.now += 1.0  # so that nobody is kept waiting
        hall.pump()
        join = hall.measure(hall.join)
        hall.pump()
        author = next(iter(hall.lines.values()))

        def talk(author: _Line = author) -> None:
            author.member.say([author.member.text(f"{number:08d} ".ljust(300, "x")) for number in range(SAID)])
            hall.move(author)
            hall.pump()

        seconds, size_of_all = hall.measure(talk)
        yield Vast(size, join, (seconds / SAID, size_of_all // SAID), _commit(hall), _read_resident())


def _commit(hall: Hall) -> tuple[float, int]:
    """The newest member leaves, and all others get new keys."""
    number, line = hall.lines.popitem()
    line.member.say([line.member.entry(bodies.LeaveBody())])
    said, line.wire.going = line.wire.going, b""
    line.connection.receive_data(said, hall.now)
    payload = line.connection.next_payload(hall.now)
    assert payload is not None, "it was sent"
    epoch = hall.room.replica.ledger.epoch

    def commit() -> None:
        hall.take_last(number, payload)
        while hall.room.replica.ledger.epoch == epoch:
            hall.wait(1.0)
        hall.pump()

    return hall.measure(commit)


def _read_resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


def main() -> None:
    """Prints what each size takes."""
    parser = argparse.ArgumentParser(prog="vast", description=__doc__)
    parser.add_argument("--members", type=int, default=STEPS[-1])
    calm_collector()
    print("members  join ms  welcome kB  message us  of a member us  kB  commit ms  MB  resident MiB")
    for it in measure_rooms(parser.parse_args().members):
        print(
            f"{it.members:7,}  {it.join[0] * 1e3:7.1f}  {it.join[1] / 1e3:10.1f}  {it.message[0] * MICRO:10,.0f}  "
            f"{it.message[0] * MICRO / it.members:14.2f}  {it.message[1] / 1e3:7.1f}  {it.commit[0] * 1e3:9,.0f}  "
            f"{it.commit[1] / 1e6:6.1f}  {it.resident / 2**20:8.0f}",
            flush=True,
        )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
