"""When a second try is worth it beside a dial without an answer: after most dials have had theirs, and not too often.

A circuit that hangs does so for long: Tor waits a minute for one, while another has an answer in seconds. How long
dials take is a matter of the network, and of the Tor that leads to it: so this is remembered for each Tor, for as long
as it is used, and nowhere else. Random circuits make it the same for all rooms.
"""

import math
from collections import deque

from anonp2p import limits


class Hedge:
    """What the latest dials through one Tor took, and how many second tries it is good for.

    Where everything hangs, second tries help nobody, and would be twice the load: so they are paid for with tokens, of
    which each dial brings a part of one.
    """

    def __init__(self) -> None:
        self._seconds = deque([limits.HEDGE_FIRST], maxlen=limits.HEDGE_DIALS)
        self._tokens = limits.HEDGE_BUCKET

    @property
    def patience(self) -> float:
        """Seconds after which `HEDGE_SHARE` of the tries that had an answer had it."""
        ordered = sorted(self._seconds)
        return max(limits.HEDGE_LEAST, ordered[math.ceil(limits.HEDGE_SHARE * len(ordered)) - 1])

    def begin_dial(self) -> float | None:
        """After how many seconds a dial that begins now is to have a second try; None if there were many of late."""
        self._tokens = min(self._tokens + limits.HEDGE_RATE, limits.HEDGE_BUCKET)
        return self.patience if self._tokens >= 1.0 else None

    def spend(self) -> None:
        """A second try begins."""
        self._tokens -= 1.0

    def note_answer(self, seconds: float) -> None:
        """A try has led to its room after so many seconds."""
        self._seconds.append(seconds)
