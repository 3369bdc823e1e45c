"""How often a peer may do something: a token bucket, without a clock of its own."""


class Pace:
    """So many at once, after that so many a second. burst: tokens it holds at most; rate: tokens that come a second."""

    __slots__ = ("_burst", "_rate", "_since", "_tokens")

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = self._tokens = burst
        self._rate = rate
        self._since = float("-inf")

    def take(self, now: float, cost: float = 1.0) -> float:
        """Takes as many tokens as this costs; returns in how many seconds there will have been as many, 0 if there are.

        Who takes what is not there yet owes it, so that the next has to wait longer; at most a burst is owed.
        """
        there = min(self._burst, self._tokens + (now - self._since) * self._rate)
        self._since = now
        self._tokens = max(-self._burst, there - cost)
        return max(0.0, -self._tokens / self._rate)

    def allows(self, now: float) -> bool:
        """Takes a token if there is one; whether there was. Who asks in vain owes nothing."""
        there = min(self._burst, self._tokens + (now - self._since) * self._rate)
        if there >= 1:
            self.take(now)
        return there >= 1
