"""Whether newcomers reach us: once the room's code is published, we dial it ourselves, until our own hello comes.

That a service was uploaded says little: a Tor that cannot open our socket, or that a filter leads elsewhere, uploads it
too, and every dial fails.

| state | until |
| --- | --- |
| off | the code is published |
| dialling | there is an outcome: if we answered ourselves, others can join |
| waiting | it is time for the next dial |
| reached | the code is published anew, or it is another one |
"""

from anonp2p import limits
from anonp2p.reasons import Reason
from anonp2p.room import inputs
from anonp2p.room.context import Context
from anonp2p.room.gate import Gate
from anonp2p.room.hosting_events import ReachableEvent, UnreachedEvent
from anonp2p.room.self_check import SelfCheck


class Reach:
    """Tells the user that others can join, each time that this has become so; and, once, that nobody can for long."""

    def __init__(self, context: Context, gate: Gate) -> None:
        self._context = context
        self._clock = context.clock
        self._check = SelfCheck(context, gate)
        self._code = b""  # at which we are to be reached; empty where it is not published
        self._since = 0.0  # when (`Now.tick`) it was published
        self._pause = 0.0  # before the next dial
        self._due: float | None = None  # when that is
        self._is_fresh = False  # whether our Tor may know where the service was before
        self._is_told = False  # that nobody can join
        self.was_reached = False

    def begin(self, code: bytes) -> None:
        """The code is published."""
        self._is_fresh = code == self._code
        self._code, self._since, self._is_told = code, self._clock.tick, False
        self._pause = limits.DIAL_PAUSE
        self._context.health.note_unreached()
        self._dial()

    def stop(self) -> None:
        """The code is published no more, or not by us."""
        self._check.call_off()
        self._due = None
        self._context.health.note_unreached()

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) to dial again."""
        return self._due

    def do_due_work(self) -> None:
        """Dials, if it is time."""
        if self._due is not None and self._due <= self._clock.tick:
            self._dial()

    def _dial(self) -> None:
        self._due = None
        self._check.begin(self._code, fresh=self._is_fresh)

    def take_outcome(self, event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput) -> bool:
        """Whether this is about the dial by which we look."""
        outcome = self._check.take_input(event)
        if outcome is None:
            return False
        label, re = self._context.label, self._context.lifecycle.asked_by
        if outcome == "ours":
            self.was_reached = True
            self._context.health.note_reached()
            self._context.reporter.tell_event(ReachableEvent(room=label, re=re))
            return True
        self._due = self._clock.tick + self._pause
        self._pause = min(self._pause * 1.5, limits.REACH_PAUSE_MAX)
        self._is_fresh = True
        reason = _read_reason(event)
        self._context.health.note_unreached(reason)
        if not self._is_told and self._clock.tick >= self._since + limits.UNREACHED:
            self._is_told = True
            self._context.reporter.tell_event(UnreachedEvent(room=label, reason=reason, re=re))
        return True


def _read_reason(event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput) -> Reason:
    match event:
        case inputs.ReceivedInput():
            return Reason("other-at-code")
        case inputs.DialFailedInput(reason=reason):
            return reason
        case inputs.DroppedInput(reason=ended):
            return Reason(ended)
