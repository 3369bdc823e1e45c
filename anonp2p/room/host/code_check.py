"""The host dials the room's code, to learn whether another program with its key answers newcomers there.

| state | until |
| --- | --- |
| alone | somebody else has been given the key of the code |
| waiting | it is time to look, and our service can be found |
| dialling | there is an outcome: if another program answers, the user is warned, and the room has another code |

Only a hello that is not ours says something. A member without a link that has the key may have begun a term without us,
and answers rightly then: nobody is warned of that one for as long as it can be without a link and have its place. It
could have broken its link for the purpose, so that is counted from when it first was excused.
"""

from anonp2p import limits
from anonp2p.reasons import Reason
from anonp2p.room import inputs
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_between
from anonp2p.room.gate import Gate
from anonp2p.room.host.presence import Presence
from anonp2p.room.host.room_code import RoomCode
from anonp2p.room.self_check import SelfCheck


class CodeCheck:
    """Looks soon after somebody is given the key, and from then on every so often."""

    def __init__(self, context: Context, gate: Gate, presence: Presence, code: RoomCode) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._presence = presence
        self._code = code
        self._check = SelfCheck(context, gate)
        self._not_before = 0.0  # `Now.tick`: sooner, our Tor would not look anew
        self._excused_since: float | None = None  # since when another program answers, perhaps rightly

    @property
    def _others(self) -> list[bytes]:
        """Who else ever had the key of this code."""
        return [holder for holder in self._replica.ledger.holders if holder != self._replica.me.id]

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) to look."""
        is_found = self._context.serving.is_published(self._replica.ledger.code)
        return self._not_before if is_found and self._others and not self._check.is_under_way else None

    def do_due_work(self) -> None:
        """Dials, if it is time."""
        due = self.next_deadline()
        if due is not None and due <= self._clock.tick:
            self._check.begin(self._replica.ledger.code, fresh=True)

    def take_outcome(self, event: inputs.ReceivedInput | inputs.DialFailedInput | inputs.DroppedInput) -> bool:
        """Whether this is about the dial by which we look."""
        outcome = self._check.take_input(event)
        if outcome is None:
            return False
        if outcome == "ours":
            self._excused_since = None
            self._context.health.note_reached()
        pause = limits.CODE_CHECK if outcome == "ours" else limits.CODE_CHECK_AGAIN
        self._not_before = self._clock.tick + draw_between(self._context.random, *pause)
        if outcome == "another" and not self._is_excused():
            self._warn()
        return True

    def _is_excused(self) -> bool:
        """Whether one who answers may be a member that has lost us."""
        members = [holder for holder in self._others if self._replica.ledger.roster.find_member(holder)]
        if all(self._presence.find_link(member) is not None for member in members):
            return False
        if self._excused_since is None:
            self._excused_since = self._clock.tick
        return self._clock.tick < self._excused_since + limits.PLACE_SECONDS

    def _warn(self) -> None:
        others = self._others
        suspect = self._replica.ledger.roster.find_member(others[0]) if len(others) == 1 else None
        self._context.reporter.tell_alarm(suspect.id if suspect else None, Reason("other-at-code"))
        self._code.change()
        self._excused_since = None
