"""The time of the input that a room handles."""

from anonp2p import limits
from anonp2p.room.inputs import Now

_MOMENT = 0.001  # seconds: a time that is nearer than a clock can tell would be waited for in vain


class Clock:
    """Holds the time that was passed in with the latest input."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = Now(0.0, 0.0)

    @property
    def tick(self) -> float:
        """Seconds of the clock that only grows."""
        return self.now.tick

    def tick_at(self, age: float) -> float:
        """When (`Now.tick`) to look whether this age has come: soon, since a clock that slept shows it late."""
        return self.now.tick + min(max(_MOMENT, age - self.now.age), limits.SLEEP_NOTICE)
