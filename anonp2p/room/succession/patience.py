"""For how long a member waits for a sign of life of its host before it counts the link as broken (PROTOCOL.md, 8.11).

How long the host takes depends on the network, and is known from the entries that it has ordered for us.
"""

from collections import deque

from anonp2p import limits


class Patience:
    """Learns from how long the host has taken to answer, on the present link. In seconds."""

    def __init__(self) -> None:
        self._took: deque[float] = deque(maxlen=limits.ECHO_ANSWERS)

    def note_answer(self, seconds: float) -> None:
        """The host has taken so long to answer something of ours."""
        self._took.append(seconds)

    def forget(self) -> None:
        """What comes next is answered by another way through the network, or by another host."""
        self._took.clear()

    @property
    def seconds(self) -> float:
        """Within which the host answers if it lives and our link to it is whole."""
        if not self._took:
            return limits.ECHO
        return min(limits.ECHO_MOST, max(limits.ECHO_LEAST, limits.ECHO_TIMES * max(self._took)))
