"""When an heir goes on as host: with whom it has counted, and after how long (PROTOCOL.md, 8).

Following --the host is lost--> Waiting --no heir before us answers--> Gathering --it is time--> a term of our own
Waiting, Gathering --somebody lets us in--> Following
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anonp2p import limits
from anonp2p.room.succession import terms


@dataclass(frozen=True, slots=True)
class Report:
    """What a member says on its standby link. lost: whether it has no host; number, host, index: how far its log is."""

    lost: bool
    number: int
    host: bytes
    index: int

    @property
    def place(self) -> tuple[int, bytes, int]:
        """How far its log is; of two logs, that of the higher term is ahead."""
        return self.number, self.host, self.index


@dataclass(frozen=True, slots=True)
class Situation:
    """What an heir knows.

    number, host, index: how far our log is; heirs: their members; present: who is here by our log, with us and the
    host; lost_at: since when we have no host; host_tried_at: since when it is dialled in vain; failed: who does not
    answer; reports: of the members that have a standby link with us; gave_way_to: the number of the latest term, of
    another host, to which we gave way.
    """

    me: bytes
    number: int
    host: bytes
    index: int
    heirs: Sequence[bytes]
    handed_over: bool
    present: Collection[bytes]
    lost_at: float | None
    host_tried_at: float | None
    failed: Collection[bytes]
    reports: Mapping[bytes, Report]
    gave_way_to: int = 0

    @property
    def place(self) -> tuple[int, bytes, int]:
        """How far our log is."""
        return self.number, self.host, self.index


class BeginTerm(NamedTuple):
    """We go on as host, in the term of this number."""

    number: int


class CatchUp(NamedTuple):
    """This member has more of the log than we have, and is to send it."""

    member: bytes


class Wait(NamedTuple):
    """Nothing is to be done before this time, if nothing happens. It may be infinity."""

    until: float


class Heirship:
    """Decides when to go on as host. Times are of one clock."""

    def __init__(self) -> None:
        self._lost_at: float | None = None  # when the host was lost that the others are about
        self._behind_at: float | None = None  # since when we know of one who lost the host too and is ahead of us
        self._asked_at = float("-inf")  # when we last asked for what we lack

    def decide(self, situation: Situation, now: float) -> BeginTerm | CatchUp | Wait:
        """What to do now: asked when something has happened, and when it was time to."""
        lost_at = situation.lost_at
        if lost_at is None:
            return Wait(float("inf"))
        if lost_at != self._lost_at:
            self._lost_at, self._behind_at = lost_at, None
        if situation.me not in situation.heirs:
            return self._decide_as_former_host(situation, lost_at, now)
        rank = situation.heirs.index(situation.me)
        passed_over_at = lost_at + limits.LOST_BY_ONE
        if now < passed_over_at and not all(heir in situation.failed for heir in situation.heirs[:rank]):
            return Wait(passed_over_at)
        if (waits := self._decide_to_catch_up(situation, lost_at, now)) is not None:
            return waits
        due = _due_at(situation, lost_at)
        return BeginTerm(terms.heir_number(situation.number, rank)) if now >= due else Wait(due)

    def _decide_as_former_host(self, situation: Situation, lost_at: float, now: float) -> BeginTerm | Wait:
        """One who gave way to another host that cannot be reached goes on itself, in a term above that one's."""
        if situation.me != situation.host or situation.handed_over:
            return Wait(float("inf"))
        due, above = lost_at + limits.REOPEN, max(situation.number, situation.gave_way_to)
        number = terms.number_to_top(situation.number, above)
        if number is None:
            return Wait(float("inf"))
        return BeginTerm(number) if now >= due else Wait(due)

    def _decide_to_catch_up(self, situation: Situation, lost_at: float, now: float) -> CatchUp | Wait | None:
        """What others have of the log, and we lack, comes first; but they have few seconds to send it."""
        ahead = {
            member: report.place
            for member, report in situation.reports.items()
            if report.lost and report.place > situation.place
        }
        if not ahead:
            return None
        if self._behind_at is None:
            self._behind_at = now
        until = min(self._behind_at + limits.CATCH_UP, lost_at + limits.LOST_BY_SOME)
        if now >= until:
            return None
        if now >= self._asked_at + 1:
            self._asked_at = now
            return CatchUp(max(ahead, key=lambda member: ahead[member]))
        return Wait(min(until, self._asked_at + 1))


def _due_at(situation: Situation, lost_at: float) -> float:
    """When we go on, with those who have told us by now that they lost the host too."""
    if situation.handed_over:
        return lost_at
    others = set(situation.present) - {situation.host}
    with_us = {situation.me, *(member for member, it in situation.reports.items() if it.lost and member in others)}
    tried_at = situation.host_tried_at
    if len(with_us) >= 2 and 2 * len(with_us) > len(others) and tried_at is not None:
        return max(lost_at, tried_at + limits.GATHER)
    content = [member for member, it in situation.reports.items() if not it.lost and member in others]
    is_small = len(others) <= limits.STANDBY_MEMBERS  # else those who have the host keep no standby link
    if len(with_us) >= 2 and len(with_us) > len(content) and is_small:
        return lost_at + limits.LOST_BY_SOME
    return lost_at + limits.LOST_BY_ONE
