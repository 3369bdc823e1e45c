"""When the slots of members with cover are answered (PROTOCOL.md, 2.10)."""

from heapq import heappop, heappush

from anonp2p.room import cover, effects
from anonp2p.room.context import Context


class Answers:
    """Answers each slot, whatever it held, a random time after it came."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._random = context.random
        self._reporter = context.reporter
        self._due: list[tuple[float, int]] = []  # a heap of when (`Now.tick`) which link is answered

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) an answer is due."""
        return self._due[0][0] if self._due else None

    def take_slot(self, link: int) -> None:
        """A slot of this link has come: from now on there is nothing for it but answers."""
        self._reporter.add_effect(effects.CoverEffect(link))
        heappush(self._due, (self._clock.tick + cover.draw_answer(self._random), link))

    def send_due(self) -> None:
        """Sends the answers that are due; of links that are gone meanwhile, nothing is left to answer."""
        while self._due and self._due[0][0] <= self._clock.tick:
            self._reporter.add_effect(effects.AnswerEffect(heappop(self._due)[1]))
