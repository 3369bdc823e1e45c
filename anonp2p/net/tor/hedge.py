"""When further tries are worth it beside a dial without an answer: after most dials have had theirs, and not too often.

A circuit that hangs does so for long: Tor waits a minute for one, while another has an answer in seconds. How long
dials take is a matter of the network, and of the Tor that leads to it: so this is remembered for each Tor, for as long
as it is used, and nowhere else. Random circuits make it the same for all rooms.
"""

import math
from collections import deque

from anonp2p import limits


class Hedge:
    """What the latest dials through one Tor took, and how many further tries it is good for.

    Where everything hangs, further tries help nobody, and would be a multiple of the load: so they are paid for with
    tokens, of which each dial brings a part of one. Seconds are those after Tor has found the room.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=limits.HEDGE_DIALS)
        self._tokens = limits.HEDGE_BUCKET

    @property
    def patience(self) -> float:
        """Seconds after which a try has probably hung: a part more than most of those took that had an answer.

        Of a few dials one cannot tell by more than that how long the next one may take; and of many, those that take
        only a little longer than most would each be made twice.
        """
        if not self._seconds:
            return limits.HEDGE_FIRST
        ordered = sorted(self._seconds)
        most = ordered[math.ceil(limits.HEDGE_SHARE * len(ordered)) - 1]
        return max(limits.HEDGE_LEAST, limits.HEDGE_MARGIN * most)

    def begin_dial(self) -> int:
        """How many tries a dial that begins now may have beside its first one: none if there were many of late.

        The second one begins when the first has had its time, and the third one when the second has.
        """
        self._tokens = min(self._tokens + limits.HEDGE_RATE, limits.HEDGE_BUCKET)
        return min(math.floor(self._tokens), limits.HEDGE_TRIES)

    def spend(self) -> None:
        """A try beside another one begins."""
        self._tokens -= 1.0

    def note_answer(self, seconds: float) -> None:
        """A try has led to its room after so many seconds."""
        self._seconds.append(seconds)
