"""Whether our host carries out what moderators order, and orders what we ask for as one (PROTOCOL.md, 5c.5)."""

from anonp2p import limits
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.errors import OrderIgnored
from anonp2p.room.member.head_check import HeadCheck
from anonp2p.room.member.states import LinkState
from anonp2p.room.rights import list_ordered_out


class OrderWatch:
    """Counts the time while we have a link to the host. What it finds wrong is told once; the room goes on.

    Of a host of which nothing was heard since, nothing is said: it may be gone, and whoever hosts next is asked again.
    """

    def __init__(self, context: Context, state: LinkState, heads: HeadCheck) -> None:
        self._clock = context.clock
        self._replica = context.replica
        self._outbox = context.outbox
        self._inviting = context.inviting
        self._reporter = context.reporter
        self._state = state
        self._heads = heads
        self._answer_patience = limits.ORDER_PATIENCE_COVER if context.cover else limits.ORDER_PATIENCE
        self._seen: dict[bytes, float] = {}  # since when (`Now.tick`) we know that a member is ordered out
        self._pool_asked_at: float | None = None  # since when (`Now.tick`) something waits for the pool
        self._heard_at = float("-inf")  # when (`Now.tick`) something came from the host
        self._told: set[bytes] = set()  # for whom the host was told of

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) something is overdue."""
        waits = [(since, limits.ORDER_PATIENCE) for member, since in self._seen.items() if member not in self._told]
        asked_at = self._outbox.asked_at if self._state.is_following else None
        if asked_at is not None:
            waits.append((asked_at, self._answer_patience))
        if self._pool_asked_at is not None:
            waits.append((self._pool_asked_at, self._answer_patience))
        return min((since + patience for since, patience in waits if since < self._heard_at), default=None)

    def note_heard(self) -> None:
        """Something has come from the host."""
        self._heard_at = self._clock.tick

    def update(self) -> None:
        """Something has happened: notes what there is to wait for, and tells what is overdue."""
        if not self._state.is_following:
            self._seen.clear()
            self._pool_asked_at = None
            return
        now, ordered = self._clock.tick, list_ordered_out(self._replica.ledger.rights)
        self._seen = {member: self._seen.get(member, now) for member in ordered}
        self._told.intersection_update(ordered)
        overdue = (it for it, since in self._seen.items() if since <= now - limits.ORDER_PATIENCE)
        late = {it for it in overdue if self._seen[it] < self._heard_at} - self._told
        if late:
            self._told |= late
            self._heads.tell_alarm(Reason("order-ignored"))
        unanswered = self._outbox.take_unanswered(now - self._answer_patience, before=self._heard_at)
        for re in (*unanswered, *self._take_unpooled()):
            self._reporter.tell_error(OrderIgnored(), re)

    def _take_unpooled(self) -> list[events.Re]:
        """The inputs that wait for the pool for which we have asked long ago."""
        if not self._inviting.awaits_answer:
            self._pool_asked_at = None
            return []
        now = self._clock.tick
        asked_at = self._pool_asked_at = now if self._pool_asked_at is None else self._pool_asked_at
        if asked_at > now - self._answer_patience or asked_at >= self._heard_at:
            return []
        self._pool_asked_at = None
        return self._inviting.take_unanswered()
