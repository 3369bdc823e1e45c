"""The wish to end the room for all: a person says it twice."""

from anonp2p import limits
from anonp2p.room import inputs
from anonp2p.room.context import Context
from anonp2p.room.errors import CloseNotAllowed
from anonp2p.room.hosting_events import LeaveEndsRoomEvent


class Closing:
    """What a moderator is told before the room ends, whoever hosts it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked_at = float("-inf")  # when (`Now.tick`) a person was last told that the room ends

    @property
    def others(self) -> int:
        """How many there are besides us, those who are away too: they may come back within minutes."""
        return len(self._context.replica.ledger.roster) - 1

    def may_end_room(self, event: inputs.LeaveInput) -> bool:
        """Whether the room is to end now; else the user is told why not, or is to say it again."""
        context, ledger = self._context, self._context.replica.ledger
        if event.close and not ledger.room_rights.is_moderator(context.replica.me.id):
            context.reporter.tell_error(CloseNotAllowed(), event.re)
            return False
        now = context.clock.tick
        asks = event.asks and self.others > 0 and now > self._asked_at + limits.LEAVE_CONFIRM
        if self.others and (asks or not event.close):
            context.reporter.tell_event(
                LeaveEndsRoomEvent(
                    room=context.label,
                    name=ledger.name,
                    others=self.others,
                    away=ledger.roster.away_count,
                    closes=event.close,
                    asks=asks,
                    re=event.re,
                )
            )
        if asks:
            self._asked_at = now
        return not asks
