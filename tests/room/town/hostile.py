"""Those who do not keep to the rules: strangers who only have the code."""

from collections.abc import Callable

from anonp2p import limits
from anonp2p.crypto.padding import LENGTH, frame_content
from anonp2p.room import effects, inputs

LINKS = 12  # of one stranger at once
PAUSE = 0.5  # seconds between its dials


class Stranger:
    """Opens one link after the other to the room, and never asks properly to be let in.

    answers: whether it answers the hello, with bytes of which nothing can be made; otherwise it only waits.
    """

    def __init__(self, address: bytes, random: Callable[[int], bytes], *, answers: bool) -> None:
        self.over = False
        self.hosting = False
        self._address = address
        self._random = random
        self._answers = answers
        self._links: set[int] = set()
        self._dials = 0
        self._due_at: float | None = None

    def handle_input(self, event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        match event:
            case inputs.StartInput():
                self._due_at = now.tick
            case inputs.DroppedInput(link=link) | inputs.DialFailedInput(link=link):
                self._links.discard(link)
            case inputs.ReceivedInput(link=link) if self._answers:
                content = self._random(limits.CLIENT_HANDSHAKE - LENGTH)
                return [effects.SendEffect(link, frame_content(content))]
        if self._due_at is None or now.tick < self._due_at:
            return []
        self._due_at = now.tick + PAUSE
        if len(self._links) >= LINKS:
            return []
        self._dials += 1
        self._links.add(-self._dials)
        return [effects.DialEffect(-self._dials, self._address, limits.DIAL_TRIES[0], returns=False, pause=0.0)]

    def next_deadline(self) -> float | None:
        return self._due_at
