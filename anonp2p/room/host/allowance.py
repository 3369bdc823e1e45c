"""What one member may cost its host, on whichever of its links: kept from its join until it is out."""

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.room.token_bucket import Pace


class Allowance:
    """The token buckets of one member. joined_at: `Now.tick` of its join.

    renewable: how many commits had let members renew their leaves by then. It belongs to the member, not to a link: who
    dials again finds it as it was.
    """

    __slots__ = ("_answers", "_by_kind", "_entries", "_renewable", "_renewed", "_units", "joined_at", "spoke")

    def __init__(self, joined_at: float, renewable: int) -> None:
        self.joined_at = joined_at
        self.spoke = False  # whether a message of the member's was ordered
        self._units = Pace(limits.MESSAGE_BURST, limits.MESSAGE_RATE)
        self._entries = Pace(limits.ENTRY_BURST, limits.ENTRY_RATE)
        self._answers = Pace(limits.ANSWER_BURST, limits.ANSWER_RATE)
        self._by_kind: dict[type, Pace] = {}  # made when needed: most members never change their nick
        self._renewable = renewable
        self._renewed = 0

    def take(self, now: float, *, units: int = 0, entries: int = 0, answers: int = 0) -> float:
        """Takes what the member has caused; returns for how many seconds no more of it is to be read.

        units: of payloads that came; entries: those that were opened; answers: bytes that were asked for.
        """
        waits = (
            self._units.take(now, units),
            self._entries.take(now, entries),
            self._answers.take(now, answers),
        )
        return min(max(waits), limits.PAUSE)

    def allows(self, body: frames.Nick | frames.Private, now: float) -> bool:
        """Whether one more of its kind may be ordered now. One that may not be costs nothing."""
        kind = type(body)
        if kind not in self._by_kind:
            burst, rate = limits.NICK_BURST, limits.NICK_RATE
            if kind is frames.Private:
                burst, rate = limits.PRIVATE_BURST, limits.PRIVATE_RATE
            self._by_kind[kind] = Pace(burst, rate)
        return self._by_kind[kind].allows(now)

    def renews(self, renewable: int) -> bool:
        """Takes one renewal; whether there was one. renewable: how many commits have let members renew by now.

        What an honest member has not used is kept: it may be away, or its renewal may be sealed anew in a later epoch.
        """
        self._renewed += 1
        return self._renewed <= renewable - self._renewable
