"""What a host does about others who host the same room: it looks for them, and stands or gives way (PROTOCOL.md, 8).

Hosting --one of a higher term, and we stand--> Hosting, in a term above
Hosting --one of a higher term, and we do not stand--> giving way: our members are sent on, and we follow
Hosting --our first heir hears more of those who lost us than we hear ourselves--> handing over
Hosting --who hosted before has been back for a while--> handing over
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from anonp2p import limits
from anonp2p.protocol.field_types import Heir
from anonp2p.room.succession import terms

_NEVER = float("-inf")


class Hosting(NamedTuple):
    """What a host knows.

    linked: the members that have a link to us. present: who is here by our log, with us; members: all of the roster.
    others: who can host too or could once, and is not known to be gone.
    """

    me: bytes
    number: int
    heirs: Sequence[bytes]
    others: Sequence[Heir]
    present: Collection[bytes]
    members: Collection[bytes]
    linked: Collection[bytes]

    @property
    def is_small_part(self) -> bool:
        """Whether no more than half of the members have a link to us, and our first heir, if there is one, has none.

        Those away count: where all have been lost, as to a machine that was asleep, nobody is an heir or present.
        """
        here = 1 + len([member for member in self.linked if member in self.members])
        return (not self.heirs or self.heirs[0] not in self.linked) and 2 * here <= len(self.members)


class Challenge(NamedTuple):
    """Another host of the room, whose term one of our heirs, or our host, has begun: that was proven.

    number, host: its latest term, as it says; opener: who has begun the first after the logs parted, as was proven,
    where the host may be any name. present, host_there: who was here, and who hosted, where its log and ours part.
    is_removed: whether we have thrown out since who began a term there. is_overruled: whether the host there has thrown
    out since who began a term of ours.
    """

    number: int
    host: bytes
    opener: bytes
    present: Collection[bytes]
    host_there: bytes
    is_removed: bool = False
    is_overruled: bool = False


class Stand(NamedTuple):
    """We begin the term of this number."""

    number: int


class GiveWay(NamedTuple):
    """We send our members to the challenger, and follow it."""


class Meeting:
    """Looks for other hosts of the room, and decides who goes on. Times are of one clock.

    draw: gives a number between two others. It is kept when the role is replaced: so hands back as seldom as it should.
    """

    def __init__(self, draw: Callable[[float, float], float]) -> None:
        self._draw = draw
        self._met_at = self._meet_at = _NEVER  # when we last looked for others, and when we do next
        self._rests_until: dict[bytes, float] = {}  # until when each who challenged us makes us begin no other term
        self._strays = 0  # how many members lost us, as our first heir says
        self._strays_at = _NEVER
        self._predecessor: bytes | None = None  # from whom we took over when it was lost
        self._back_at: float | None = None  # since when it has a link to us
        self._first_at: float | None = None  # since when it is our first heir
        self._handed_back_at = _NEVER
        self.gave_way_to = 0  # the number of the term of the host to which we gave way last

    def begin(self, now: float, predecessor: bytes | None) -> None:
        """We host from now on. predecessor: from whom we took over, if it was lost."""
        self._predecessor, self._back_at, self._first_at = predecessor, None, None
        self._strays_at = _NEVER
        self._met_at, self._meet_at = now, now + limits.MEET

    # --- looking for others

    @property
    def next_deadline(self) -> float:
        """When to look for others, if nothing happens before."""
        return self._meet_at

    def take_due(self, hosting: Hosting, busy: Collection[bytes], now: float) -> list[Heir]:
        """Whom to dial now and to tell how far our log is. busy: the addresses of dials under way."""
        if hosting.is_small_part:
            self._meet_at = min(self._meet_at, self._met_at + limits.MEET_SOON)
        if now < self._meet_at:
            return []
        self._met_at, self._meet_at = now, now + limits.MEET * self._draw(0.8, 1.2)
        away = [it for it in hosting.others if it.member != hosting.me and it.member not in hosting.linked]
        return [it for it in away if it.address not in busy]

    # --- another host

    def judge(self, challenge: Challenge, hosting: Hosting, now: float) -> Stand | GiveWay | None:
        """What to do about a host of a higher term, or of one with the same number as ours.

        With the same number we begin another in any case: or places of both would be the same, also if that host is
        gone, and only its members are left. So we do against one who was thrown out here; and if that is so for us, by
        the word of who hosted both, we give way, once the other is above us. None for nothing: if that host has made us
        begin a term just now, or one who was thrown out has more than once a while ago, as it may never give way.
        """
        is_alike = challenge.number == hosting.number
        counts = not (is_alike or challenge.is_removed)
        if challenge.is_overruled or (counts and not self._stands(challenge, hosting)):
            return None if is_alike else self._give_way(challenge)
        rests_until = self._rests_until.get(challenge.opener, _NEVER)
        spared = (limits.STAND_BUCKET_REMOVED - 1) * limits.STAND_PAUSE_REMOVED if challenge.is_removed else 0.0
        if now < rests_until - spared:
            return None
        number = terms.number_to_top(hosting.number, challenge.number)
        if number is None:
            return None
        self._rests_until = {opener: until for opener, until in self._rests_until.items() if now < until}
        pause = limits.STAND_PAUSE * max(1.0, (number - hosting.number) / limits.STAND_NUMBERS)
        pause = limits.STAND_PAUSE_REMOVED if challenge.is_removed else pause
        self._rests_until[challenge.opener] = max(now, rests_until) + pause
        if is_alike:
            self._meet_at = now
        return Stand(number)

    @staticmethod
    def _stands(challenge: Challenge, hosting: Hosting) -> bool:
        """Whether enough of those who were here where the logs part are with us."""
        return terms.stands(hosting.me, hosting.linked, present=challenge.present, host=challenge.host_there)

    def _give_way(self, challenge: Challenge) -> GiveWay:
        self.gave_way_to = challenge.number
        return GiveWay()

    # --- handing over

    def note_strays(self, count: int, now: float) -> None:
        """Our first heir says how many members have told it for a while that they lost us."""
        self._strays, self._strays_at = count, now

    def is_cut_off(self, hosting: Hosting, now: float) -> bool:
        """Whether our first heir reaches more members than we do, so that it should host.

        What it says is believed as far as it can be true: of those who have no link to us.
        """
        if not hosting.heirs or hosting.heirs[0] not in hosting.linked:
            return False
        if now >= self._strays_at + limits.STRAYS_FRESH:
            return False
        reached = len([it for it in hosting.linked if it in hosting.present and it != hosting.heirs[0]])
        unlinked = len([it for it in hosting.members if it != hosting.me and it not in hosting.linked])
        return reached < self._strays <= unlinked

    def find_returned(self, hosting: Hosting, now: float) -> bytes | None:
        """Who hosted before us, once it has had a link for a while: it is to be our first heir, and to host again."""
        if self._predecessor not in hosting.linked:
            self._back_at = None
            return None
        if self._back_at is None:
            self._back_at = now
        is_time = now >= self._back_at + limits.HAND_BACK and now >= self._handed_back_at + limits.HAND_BACK_PAUSE
        return self._predecessor if is_time else None

    def may_hand_back(self, returned: bytes | None, hosting: Hosting, now: float) -> bool:
        """Whether who is to host again has been our first heir for so long that the members wait there."""
        if returned is None or hosting.heirs[:1] != [returned]:
            self._first_at = None
            return False
        if self._first_at is None:
            self._first_at = now
        return now >= self._first_at + limits.HAND_BACK_READY

    def note_handed_back(self, now: float) -> None:
        """We have handed over to who hosted before us."""
        self._handed_back_at = now
