"""What a message costs in processor time, beside what nobody who is to check signatures can do without.

A member can do with one verification. A host cannot do without that, measured in its own process, and the writes: as
many as it made, each as long as its own were on average, to as many sockets, by a loop that does nothing else. All of
it in one run, by turns. This module run as a program is that loop: it says its port, and answers each line that it is
given.
"""

import json
import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count, cycle, islice
from typing import Any, Final

from anonp2p import limits
from tests.bench.children import BenchFailed, Child, Measured, child, measured
from tests.bench.crowd import READ, Crowd
from tests.bench.load import AUTHORS, BATCH, PATIENCE, expect_alike, piece, room, talk

MESSAGES: Final = 2_000  # back to back, of one measurement: fewer than a host grants to two members at once
SPACED: Final = 300  # one after the other
VERIFICATIONS: Final = 2_000
LEAST: Final = 1_000  # writes of one measurement
MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one message, in microseconds of processor time. host: of its process, for all that it does for the message.

    verification: of one signature, there. floor: of the writes alone. writes: how many each link got for a message.
    spaced: whether each message was sent when the one before had come back; otherwise as many as a window holds were
    under way.
    """

    members: int
    spaced: bool
    host: float
    verification: float
    floor: float
    writes: float

    @property
    def ratio(self) -> float:
        """How often the host's time is that of one verification and the writes."""
        return self.host / (self.verification + self.floor)


@dataclass(frozen=True, slots=True)
class MemberCost:
    """The same of a member that only listens. member: of its process: all of the program but what shows messages."""

    spaced: bool
    member: float
    verification: float


def measure_costs(members: int, runs: int) -> list[Cost]:
    """So many measurements of each kind of a host, in a room with so many members beside it."""
    with room(PATIENCE * (1 + runs), gauged=False) as (host, crowd), _writer(members) as writer:
        crowd.join(members)
        numbers = count()
        _talk(crowd, numbers, MESSAGES // 2)  # so that everything has been used once
        return [_measure(host, crowd, writer, numbers, spaced=spaced) for _ in range(runs) for spaced in (False, True)]


def measure_member_costs(others: int, runs: int) -> list[MemberCost]:
    """So many measurements of each kind of a member, in a room with a host and so many others, who talk."""
    with room(PATIENCE * (1 + runs), gauged=False) as (host, crowd):
        arguments = "--no-gauge", "--no-heir", "--code", host.code, "--port", f"{host.port}"
        with measured(*arguments) as member:
            crowd.join(others)
            numbers = count()
            _talk(crowd, numbers, MESSAGES // 2)  # so that everything has been used once
            kinds = [spaced for _ in range(runs) for spaced in (False, True)]
            return [_measure_member(host, member, crowd, numbers, spaced=spaced) for spaced in kinds]


def _measure_member(
    host: Measured, member: Measured, crowd: Crowd, numbers: Iterator[int], *, spaced: bool
) -> MemberCost:
    _await_entries(member, host.read()["entries"], crowd)
    verification = member.verify(VERIFICATIONS)
    before = member.read()
    messages = _talk_spaced(crowd, numbers) if spaced else _talk(crowd, numbers, MESSAGES)
    after = _await_entries(member, before["entries"] + messages, crowd)
    if (told := after["MessageEvent"] - before["MessageEvent"]) != messages:
        raise BenchFailed(f"of {messages} messages, the member's user was told {told}")
    return MemberCost(spaced, (after["cpu"] - before["cpu"]) / messages * MICRO, verification * MICRO)


def _await_entries(member: Measured, entries: int, crowd: Crowd) -> dict[str, Any]:
    """What it measures once it has so many; and calm."""
    crowd.settle()
    deadline = time.monotonic() + PATIENCE
    while (reading := member.read())["entries"] < entries:
        if time.monotonic() > deadline:
            raise BenchFailed("a member did not get every message")
        crowd.pump()
    return reading


def _measure(host: Measured, crowd: Crowd, writer: "_Writer", numbers: Iterator[int], *, spaced: bool) -> Cost:
    crowd.settle()
    verification = host.verify(VERIFICATIONS)
    before = host.read()
    messages = _talk_spaced(crowd, numbers) if spaced else _talk(crowd, numbers, MESSAGES)
    after = host.read()
    expect_alike(crowd.members, messages)
    members, writes = len(crowd.members), after["writes"] - before["writes"]
    floor = writer.measure(round((after["written"] - before["written"]) / writes), -(-LEAST // members)) * writes
    used = after["cpu"] - before["cpu"]
    return Cost(
        members,
        spaced,
        used / messages * MICRO,
        verification * MICRO,
        floor / messages * MICRO,
        writes / members / messages,
    )


def _talk(crowd: Crowd, numbers: Iterator[int], messages: int) -> int:
    """So many messages of many authors, back to back; how many there were."""
    said = zip(cycle(crowd.members[:AUTHORS]), islice(numbers, messages // BATCH), strict=False)
    return talk(crowd, [(author, piece(author, number * BATCH)) for author, number in said])


def _talk_spaced(crowd: Crowd, numbers: Iterator[int]) -> int:
    """The same, each message when all have the one before."""
    said = zip(cycle(crowd.members[:AUTHORS]), islice(numbers, SPACED), strict=False)
    made = [(author, piece(author, number, 1)) for author, number in said]
    for sent, (author, texts) in enumerate(made, 1):
        crowd.say(author, texts)
        crowd.until(lambda sent=sent: all(member.entries == sent for member in crowd.members))  # type: ignore[misc]
    return len(made)


# --- the writes alone


class _Writer:
    """The process that writes, and the links to it."""

    def __init__(self, process: Child, links: int) -> None:
        self._process = process
        port = process.hear()
        self._links = [socket.create_connection(("127.0.0.1", port)) for _ in range(links)]
        self._epoll = select.epoll()
        for link in self._links:
            link.setblocking(False)
            self._epoll.register(link, select.EPOLLIN)
        self._by_descriptor = {link.fileno(): link for link in self._links}

    def close(self) -> None:
        """Hangs up."""
        self._epoll.close()
        for link in self._links:
            link.close()

    def measure(self, size: int, rounds: int) -> float:
        """Processor seconds of one write of so many bytes, when each link is written to so many times."""
        self._process.tell(f"{len(self._links)} {size} {rounds}")
        left = len(self._links) * size * rounds
        while left:
            for descriptor, _ in self._epoll.poll(PATIENCE):
                left -= len(self._by_descriptor[descriptor].recv(READ))
        taken: float = self._process.hear()
        return taken


@contextmanager
def _writer(links: int) -> Iterator[_Writer]:
    with child("tests.bench.cost") as process, closing(_Writer(process, links)) as writer:
        yield writer


def _serve() -> None:
    """Writes as told."""
    with socket.create_server(("127.0.0.1", 0), backlog=limits.MEMBERS) as listener:
        print(json.dumps(listener.getsockname()[1]), flush=True)
        links: list[socket.socket] = []
        for line in sys.stdin:
            wanted, size, rounds = map(int, line.split())
            while len(links) < wanted:
                links.append(listener.accept()[0])
                links[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            descriptors, data = [link.fileno() for link in links], os.urandom(size)
            began = time.process_time()
            for _ in range(rounds):
                for descriptor in descriptors:
                    _write(descriptor, data)
            print(json.dumps((time.process_time() - began) / rounds / len(links)), flush=True)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest := rest[os.write(descriptor, rest) :]:
        pass


if __name__ == "__main__":
    _serve()
