"""Links of a town: real connections, and between them a line with delays, on which all is lost while it is cut."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.protocol.connection import Connection


@dataclass(frozen=True, slots=True)
class Distances:
    """Seconds that things take: the shortest and the longest. line: one way; dial; publish: a service."""

    line: tuple[float, float]
    dial: tuple[float, float]
    publish: tuple[float, float]


PACES = {
    "near": Distances(line=(0.02, 0.3), dial=(0.1, 0.6), publish=(0.2, 1.0)),
    "far": Distances(line=(0.2, 0.8), dial=(5.0, 14.0), publish=(5.0, 30.0)),
}


class Side:
    """One end of a wire. owner: the number of who has it; number: of the link, for that one's room."""

    def __init__(self, wire: "Wire", owner: int, number: int, now: float, *, dialled: bool) -> None:
        self.wire = wire
        self.owner = owner
        self.number = number
        self.dialled = dialled
        longest, limit = (SIZES[-1], limits.UPLINK_QUEUE) if dialled else (limits.CLIENT_HANDSHAKE, limits.LINK_QUEUE)
        self.connection = Connection(now, longest, limit)
        self.arrives_at = 0.0  # when the latest that is on its way here does
        self.checked_at = float("inf")  # when its deadline is looked at next
        self.is_up = True  # whether the room has not been told of its end


class Wire:
    """A link: `near` is the end of who was dialled, `far` the end of who dialled."""

    def __init__(self, seed: str, pace: Distances, now: float, near: tuple[int, int], far: tuple[int, int]) -> None:
        self.near = Side(self, *near, now, dialled=False)
        self.far = Side(self, *far, now, dialled=True)
        self.is_broken = False  # whether nothing arrives any more, without anybody being told
        self._random = random.Random(seed)
        self._pace = pace

    def other(self, side: Side) -> Side:
        return self.far if side is self.near else self.near

    @property
    def ends(self) -> frozenset[int]:
        """Whom it joins."""
        return frozenset((self.near.owner, self.far.owner))

    def next_arrival(self, side: Side, now: float) -> float:
        """When what is sent to this end now arrives there: never before what was sent earlier."""
        side.arrives_at = max(side.arrives_at, now + self._random.uniform(*self._pace.line))
        return side.arrives_at


class Lines:
    """Who cannot hear whom, pair by pair, however many reasons there are for it."""

    def __init__(self) -> None:
        self._cuts: dict[frozenset[int], int] = {}

    def cut(self, pairs: list[frozenset[int]]) -> Callable[[], None]:
        """Cuts these; returns what mends them again."""
        for pair in pairs:
            self._cuts[pair] = self._cuts.get(pair, 0) + 1

        def mend() -> None:
            for pair in pairs:
                if self._cuts.get(pair):
                    self._cuts[pair] -= 1

        return mend

    def mend_all(self) -> None:
        self._cuts.clear()

    def are_open(self, one: int, other: int) -> bool:
        return one == other or not self._cuts.get(frozenset((one, other)))
