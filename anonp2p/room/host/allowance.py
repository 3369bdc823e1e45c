"""What one member may cost its host, on whichever of its links: kept from its join until it is out."""

from anonp2p import limits
from anonp2p.protocol import bodies
from anonp2p.room.token_bucket import TokenBucket


class Allowance:
    """The token buckets of one member. joined_at: `Now.tick` of its join.

    renewable: how many commits had let members renew their encryption keys by then. It belongs to the member, not
    to a link: dialling again does not renew it.
    """

    __slots__ = (
        "_answers",
        "_by_kind",
        "_entries",
        "_renewable",
        "_renewed",
        "_returns",
        "_units",
        "joined_at",
        "spoke",
    )

    def __init__(self, joined_at: float, renewable: int) -> None:
        self.joined_at = joined_at
        self.spoke = False  # whether a message of the member's was ordered
        self._units = TokenBucket(limits.MESSAGE_BUCKET, limits.MESSAGE_RATE)
        self._entries = TokenBucket(limits.ENTRY_BUCKET, limits.ENTRY_RATE)
        self._answers = TokenBucket(limits.ANSWER_BUCKET, limits.ANSWER_RATE)
        self._returns = TokenBucket(limits.MEMBER_RETURN_BUCKET, limits.MEMBER_RETURN_RATE)
        self._by_kind: dict[type, TokenBucket] = {}  # made when needed: most members never change their nick
        self._renewable = renewable
        self._renewed = 0

    def take_costs(self, now: float, *, units: int = 0, entries: float = 0, answers: int = 0) -> float:
        """Takes what the member has caused; returns for how many seconds no more of it is to be read.

        units: of payloads that came; entries: that were opened, or what took everyone as long; answers: bytes that were
        asked for.
        """
        waits = (
            self._units.take_tokens(now, units),
            self._entries.take_tokens(now, entries),
            self._answers.take_tokens(now, answers),
        )
        return min(max(waits), limits.READ_PAUSE)

    def try_kind(self, body: bodies.NickBody | bodies.PrivateBody, now: float) -> bool:
        """Whether one more of its kind may be ordered now. One that may not be costs nothing."""
        kind = type(body)
        if kind not in self._by_kind:
            batch, rate = limits.NICK_BUCKET, limits.NICK_RATE
            if kind is bodies.PrivateBody:
                batch, rate = limits.PRIVATE_BUCKET, limits.PRIVATE_RATE
            self._by_kind[kind] = TokenBucket(batch, rate)
        return self._by_kind[kind].try_token(now)

    def try_return(self, now: float) -> bool:
        """Whether the member may come back now before all strangers. One that may not waits among them."""
        return self._returns.try_token(now)

    def try_renewal(self, renewable: int) -> bool:
        """Takes one renewal; whether there was one. renewable: how many commits have let members renew by now.

        What an honest member has not used is kept: it may be away, or its renewal may be sealed anew in a later epoch.
        """
        self._renewed += 1
        return self._renewed <= renewable - self._renewable
