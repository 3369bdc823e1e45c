"""How often a peer may do something: a token bucket, without a clock of its own."""


class TokenBucket:
    """So many at once, after that so many a second. capacity: tokens that it holds at most; rate: tokens a second."""

    __slots__ = ("_capacity", "_rate", "_since", "_tokens")

    def __init__(self, capacity: float, rate: float) -> None:
        self._capacity = self._tokens = capacity
        self._rate = rate
        self._since = float("-inf")

    def take_tokens(self, now: float, cost: float = 1.0) -> float:
        """Takes as many tokens as this costs; returns after how many seconds they are paid for, 0 if they are now.

        Tokens that are not there yet are owed, so that whatever comes next has to wait longer. The debt is at most the
        capacity.
        """
        there = min(self._capacity, self._tokens + (now - self._since) * self._rate)
        self._since = now
        self._tokens = max(-self._capacity, there - cost)
        return max(0.0, -self._tokens / self._rate)

    def try_token(self, now: float) -> bool:
        """Takes a token if there is one; returns whether there was. A failed attempt costs nothing."""
        there = min(self._capacity, self._tokens + (now - self._since) * self._rate)
        if there >= 1:
            self.take_tokens(now)
        return there >= 1
