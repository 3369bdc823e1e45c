"""What `/health` answers: whether others can get in, and whether what we say arrives.

It names nobody and has no code in it: whoever watches a room by it may keep the answers.
"""

from typing import Literal, TypedDict

from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room.clock import Clock
from anonp2p.room.replica import Replica

_LinkWord = Literal["connecting", "up", "lost"]


class HealthData(TypedDict):
    """The answer. Times are in whole seconds.

    ok: whether nothing is wrong of what follows, as far as we know. tor: whether there is a Tor to use. reachable: as
    host, whether our service is published, and we have reached ourselves there since; None: we are not the host.
    reached: how long ago that was, the last time; None: never. link: as a member, what our link to the room is.
    trouble: why we do not reach ourselves, or why there is no link. heirs: how many are here who can take the room
    over. key_held: whether one of them has the key of its code. since: for how long we have been in; None: we are not.
    """

    ok: bool
    role: Literal["host", "member"]
    tor: bool
    reachable: bool | None
    reached: int | None
    link: _LinkWord | None
    trouble: Reason | None
    alarms: int
    outstanding: int
    locked: bool
    knock: bool
    members: int
    away: int
    heirs: int
    key_held: bool
    since: int | None


class Health:
    """What the parts of a room find out about that."""

    def __init__(self, clock: Clock, replica: Replica) -> None:
        self._clock = clock
        self._replica = replica
        self._has_network = False
        self._link: _LinkWord = "connecting"
        self._link_trouble = NO_REASON
        self._is_reachable = False
        self._reach_trouble = NO_REASON
        self._reached_at: float | None = None  # `Now.age`
        self._entered_at: float | None = None  # `Now.age`

    def note_network(self, *, up: bool) -> None:
        """There is a network, or none any more; with it goes our service."""
        self._has_network = up
        if not up:
            self.note_unreached()

    def note_entered(self) -> None:
        """We are in."""
        self._entered_at = self._clock.now.age

    def note_link(self, state: _LinkWord, trouble: Reason) -> None:
        """What the user is told of our link to the host. trouble: why there is none."""
        self._link, self._link_trouble = state, trouble

    def note_reached(self) -> None:
        """We have reached ourselves by the room's code."""
        self._is_reachable, self._reach_trouble = True, NO_REASON
        self._reached_at = self._clock.now.age

    def note_unreached(self, trouble: Reason = NO_REASON) -> None:
        """We have not reached ourselves since the code was published; or it is not. trouble: of a dial in vain."""
        self._is_reachable, self._reach_trouble = False, trouble

    def describe(self, role: Literal["host", "member"], *, outstanding: int, alarms: int) -> HealthData:
        """The answer, as of now."""
        hosting = role == "host"
        ledger = self._replica.ledger
        rules = ledger.rights.restrictions
        heirs = [heir.member for heir in ledger.heirs if not ledger.get_member(heir.member).away]
        works = self._is_reachable if hosting else self._link == "up"
        trouble = self._reach_trouble if hosting else self._link_trouble
        return {
            "ok": self._has_network and works and not alarms,
            "role": role,
            "tor": self._has_network,
            "reachable": self._is_reachable if hosting else None,
            "reached": self._passed_since(self._reached_at) if hosting else None,
            "link": None if hosting else self._link,
            "trouble": None if works or trouble == NO_REASON else trouble,
            "alarms": alarms,
            "outstanding": outstanding,
            "locked": rules.locked,
            "knock": rules.knock,
            "members": ledger.roster.present_count,
            "away": ledger.roster.away_count,
            "heirs": len(heirs),
            "key_held": any(heir in ledger.holders for heir in heirs),
            "since": self._passed_since(self._entered_at),
        }

    def _passed_since(self, age: float | None) -> int | None:
        return None if age is None else int(self._clock.now.age - age)
