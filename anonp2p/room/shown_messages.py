"""When the messages that the user was shown end."""

import heapq
from collections.abc import Mapping

from anonp2p import limits


class ShownMessages:
    """The shown messages that end, at most limits.EXPIRING of them, by their places in the log.

    All times are seconds of one clock, which the caller reads: `Now.age`, which counts what the machine has slept.
    """

    def __init__(self) -> None:
        self._ends: list[tuple[float, int]] = []  # a heap: when which message ends
        self._moved: set[int] = set()  # those in it that have another place by now

    @property
    def next_due(self) -> float | None:
        """When the next message ends; None while none does."""
        return self._ends[0][0] if self._ends else None

    def note_message(self, seq: int, end: float) -> list[int]:
        """Remembers when a message ends; returns those that end at once, because there are too many."""
        heapq.heappush(self._ends, (end, seq))
        return self.end_due(self._ends[0][0]) if len(self._ends) > limits.EXPIRING else []

    def end_due(self, age: float) -> list[int]:
        """Forgets the messages that end up to this time; returns them in the order in which they end."""
        ended: list[int] = []
        while self._ends and self._ends[0][0] <= age:
            _, seq = heapq.heappop(self._ends)
            if seq in self._moved:
                self._moved.remove(seq)
            else:
                ended.append(seq)
        return ended

    def move_messages(self, moved: Mapping[int, int]) -> None:
        """These have other numbers now, each under its old one."""
        if moved:
            self._ends = [(end, moved.get(seq, seq)) for end, seq in self._ends]
            heapq.heapify(self._ends)

    def forget_message(self, seq: int) -> None:
        """A message that was to end has another place, under which it is noted anew."""
        self._moved.add(seq)

    def end_all(self) -> list[int]:
        """Forgets all messages that were to end; returns them likewise."""
        return self.end_due(float("inf"))
