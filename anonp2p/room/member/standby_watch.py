"""Whether those who are to wait at us, the first heir, find our service (PROTOCOL.md, 8.9)."""

from anonp2p import limits
from anonp2p.room.context import Context
from anonp2p.room.standby import Standby

_NEVER = float("-inf")


class StandbyWatch:
    """Has our service published anew where a member that is here does not wait with us.

    Our address may have been the room's code once: another who had its key may have published it after us, and be gone
    from there, so that it leads nowhere. We cannot know by whom or when.
    """

    def __init__(self, context: Context, standby: Standby) -> None:
        self._clock = context.clock
        self._replica = context.replica
        self._serving = context.serving
        self._standby = standby
        self._missing: dict[bytes, float] = {}  # since when (`Now.tick`) a member does not wait that should
        self._renewed_at = _NEVER

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) the service is to be published anew."""
        if not self._missing:
            return None
        return max(min(self._missing.values()) + limits.STANDBY_MISSING, self._renewed_at + limits.STANDBY_RENEWED)

    def update(self, *, is_lost: bool) -> None:
        """Something has happened. is_lost: whether we have no host, so that it is no time to be away for a moment."""
        now, missing = self._clock.tick, () if is_lost else self._list_missing()
        self._missing = {member: self._missing.get(member, now) for member in missing}
        due = self.next_deadline()
        if due is not None and now >= due:
            self._renewed_at = now
            self._serving.renew(self._replica.ledger.heirs[0].address)
            self._missing.clear()

    def _list_missing(self) -> list[bytes]:
        """Who is to wait with us, and does not, while our service can be found."""
        ledger, me = self._replica.ledger, self._replica.me.id
        if not ledger.heirs or ledger.heirs[0].member != me or ledger.roster.present_count > limits.STANDBY_MEMBERS:
            return []
        if not self._serving.is_published(ledger.heirs[0].address):
            return []
        waiting = {link.member for link in self._standby.links.values()} | {me, ledger.host}
        return [member.id for member in ledger.roster if not member.away and member.id not in waiting]
