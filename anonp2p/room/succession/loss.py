"""What a member does that has lost its host: whom it dials, and when; and whom it would ask first (PROTOCOL.md, 8).

Content --the host is lost, or sends us on--> Lost --somebody lets us in--> Content

In both states there may be a standby link: to the heir that goes on if the host is gone.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from anonp2p import limits
from anonp2p.protocol.field_types import Heir

_NEVER = float("-inf")


class Target(NamedTuple):
    """Whom to dial. member: who is to answer there; None for the room's code, where any host may."""

    member: bytes | None
    address: bytes


class Line(NamedTuple):
    """Whom the ledger names, in the order in which they take over.

    code: the address that newcomers dial, empty if it leads to us. handed_over: whether the host has given up its role.
    others: who can host or could once, and is not known to be gone. present: how many members are here.
    """

    me: bytes
    code: bytes
    host: Heir
    handed_over: bool
    heirs: Sequence[Heir]
    others: Sequence[Heir]
    present: int

    def rank_of(self, member: bytes | None) -> int:
        """The place among the heirs; of others, one after the last heir."""
        return next((rank for rank, heir in enumerate(self.heirs) if heir.member == member), len(self.heirs))


class Loss:
    """Whom a member without a host dials. Times are of one clock; draw: gives a number between two others."""

    def __init__(self, draw: Callable[[float, float], float]) -> None:
        self._draw = draw
        self._lost_at: float | None = None
        self._pledged_until = _NEVER  # until when we do not go back to the host
        self._lives_at = _NEVER  # when an heir said that it lives, since the loss
        self._hint: Target | None = None  # who hosts, as somebody says
        self._hinted_at = _NEVER
        self._sent_to: Target | None = None  # who hosts, as our host has said when we lost it
        self._is_sent_on = False  # and has not been found not to answer there
        self._standby: bytes | None = None
        self._dial_at = _NEVER
        self._standby_at = _NEVER  # when we may dial the first heir again
        self._tried: dict[bytes, float] = {}  # when each address was dialled last, since the loss
        self._first_tried: dict[bytes, float] = {}  # and when for the first time
        self._failed: dict[bytes, float] = {}  # when each member was last found not to answer

    @property
    def lost_at(self) -> float | None:
        """Since when there is no host; None while there is one."""
        return self._lost_at

    @property
    def sent_to(self) -> bytes | None:
        """Who hosts instead of our last host, as that has said itself."""
        return None if self._sent_to is None else self._sent_to.member

    @property
    def is_sent_on(self) -> bool:
        """Whether our host itself has said who hosts now, and where, and nobody has been found not to answer there."""
        return self._is_sent_on and self._lost_at is not None

    @property
    def standby(self) -> bytes | None:
        """The heir at the other end of our standby link."""
        return self._standby

    @property
    def failed(self) -> Collection[bytes]:
        """The members that do not answer, as far as we know: tried since the loss, or lost just before it."""
        if self._lost_at is None:
            return ()
        since = self._lost_at - limits.LINK_LOST
        return [member for member, at in self._failed.items() if at >= since]

    def first_try_of(self, address: bytes) -> float | None:
        """When this address was dialled for the first time since the loss, if it was."""
        return self._first_tried.get(address)

    # --- what happens

    def lose(self, now: float, hint: Target | None = None) -> None:
        """There is no host any more, or it sends us on to another one. Who is at the standby link is told at once."""
        if self._lost_at is not None:
            return
        self._lost_at = self._dial_at = now
        self._hint = hint
        self._sent_to, self._is_sent_on = hint, hint is not None
        self._lives_at = _NEVER
        self._tried.clear()
        self._first_tried.clear()
        self._pledged_until = _NEVER if self._standby is None else now + limits.PLEDGE

    def note_let_in(self) -> None:
        """Somebody hosts, and has let us in."""
        self._lost_at = self._hint = None

    def accept_standby(self, member: bytes, line: Line, now: float) -> bool:
        """An heir answers that it waits with us. Returns whether to keep that link, in place of one that we have."""
        self._failed.pop(member, None)
        if self._standby not in (None, member):
            rank, present = line.rank_of(member), line.rank_of(self._standby)
            if rank >= present:
                return False
        self._standby, self._standby_at = member, now
        return True

    def drop_standby(self) -> None:
        """We end the standby link ourselves, or it has become the link to our host."""
        self._standby = None

    def note_standby_lost(self, now: float) -> None:
        """The standby link is gone."""
        if self._standby is not None:
            self._failed[self._standby] = now
            self._standby = None
            self._standby_at = self._dial_at = min(max(self._dial_at, now), now + limits.HINT_PAUSE)

    def note_host_lives(self, now: float) -> None:
        """The heir says that the host answers it: our link alone is gone. If it says so again and again, it lies."""
        if now < self._lives_at + limits.PLEDGE:
            return
        self._lives_at, self._pledged_until = now, _NEVER
        self._dial_at = min(self._dial_at, now)

    def note_hint(self, target: Target, now: float) -> None:
        """Somebody says who hosts. Anybody may: it costs one dial, and of several in a second only the first.

        What is said while there is a host, is forgotten when it is lost.
        """
        if now < self._hinted_at + limits.HINT_PAUSE:
            return
        self._hint, self._hinted_at = target, now
        self._dial_at = min(self._dial_at, now)

    def note_failure(self, target: Target, now: float) -> None:
        """Whom we have dialled did not answer, or not as it should; it may be reached at another address."""
        if target.member is not None:
            self._failed[target.member] = now
        if self._sent_to is not None and target.address == self._sent_to.address:
            self._is_sent_on = False

    # --- what to do

    def has_wrong_standby(self, line: Line) -> bool:
        """Whether our standby link is to one who would not take over first, while there is time to change that."""
        return self._lost_at is None and self._standby is not None and self._standby != self._first_heir(line)

    def next_deadline(self, line: Line) -> float | None:
        """When `take_due` has something, if nothing else happens before."""
        if self._lost_at is not None:
            return self._dial_at
        return self._standby_at if self._lacks_standby(line) else None

    def take_due(self, line: Line, busy: Collection[bytes], now: float) -> list[Target]:
        """Whom to dial now. busy: the addresses of dials under way."""
        if self._lost_at is not None:
            return self._take_lost(self._lost_at, line, busy, now) if now >= self._dial_at else []
        if not self._lacks_standby(line) or now < self._standby_at:
            return []
        self._standby_at = now + limits.STANDBY_RETRY
        return [Target(*_fields(line.heirs[0]))] if line.heirs[0].address not in busy else []

    def _take_lost(self, lost_at: float, line: Line, busy: Collection[bytes], now: float) -> list[Target]:
        seconds = min(max(1.0, (now - lost_at) / limits.LOST_PAUSE), limits.LOST_PAUSE_MAX)
        self._dial_at = now + seconds * self._draw(0.5, 1.5)
        room = min(limits.LOST_DIALS, limits.LOST_DIALS_MAX - len(busy))
        targets = [it for it in self._candidates(lost_at, line, now) if it.address not in busy][: max(0, room)]
        for target in targets:
            self._tried[target.address] = now
            self._first_tried.setdefault(target.address, now)
        return targets

    def _candidates(self, lost_at: float, line: Line, now: float) -> list[Target]:
        """Whom a member without a host may dial, each address once: those not tried, or not for longest, first."""
        waits_behind = line.rank_of(self._standby) if self._standby is not None else len(line.heirs)
        if now >= lost_at + limits.LOST_BY_ONE:
            waits_behind = len(line.heirs)  # who does nothing is passed over
        keeps_pledge = now < self._pledged_until
        host = [] if line.handed_over or keeps_pledge else [line.host]
        heirs = line.heirs[:waits_behind]
        others = line.others if self._standby is None or waits_behind == len(line.heirs) else ()
        found = {it.address: Target(*_fields(it)) for it in (*host, *heirs, *others) if it.member != line.me}
        if self._hint is not None and self._hint.member != line.me:
            found = {self._hint.address: self._hint, **found}
        targets = sorted(found.values(), key=lambda target: self._tried.get(target.address, _NEVER))
        if line.code and self._standby is None and now >= lost_at + limits.CODE_WAIT:
            targets = [Target(None, line.code), *(it for it in targets if it.address != line.code)]
        return targets

    def _lacks_standby(self, line: Line) -> bool:
        return self._first_heir(line) not in (None, self._standby)

    @staticmethod
    def _first_heir(line: Line) -> bytes | None:
        """Whom we keep a standby link to."""
        if not line.heirs or line.heirs[0].member == line.me or line.present > limits.STANDBY_MEMBERS:
            return None
        return line.heirs[0].member


def _fields(heir: Heir) -> tuple[bytes, bytes]:
    return heir.member, heir.address
