"""What follows for the user from what happens in a room, in a sentence: what a ban is worth, what a raid asks for."""

from collections import deque

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.hosting_events import CodeEvent
from anonp2p.room.moderation_events import BanEvent, RoleEvent
from anonp2p.room.snapshot import Snapshot
from anonp2p.ui.frontend import RoomView
from anonp2p.ui.sanitize import sanitize_line


class Advice:
    """For one room. `now`, as it is given each time: seconds, by a clock of the frontend's choice."""

    def __init__(self) -> None:
        self._joins: deque[float] = deque(maxlen=limits.RAID_JOINS)  # when the latest came
        self._warned = float("-inf")

    def follow_event(self, event: events.Event, now: float, room: RoomView | None) -> str:
        """What there is to say; mostly nothing. room: where it has happened, while we are there."""
        if room is None or not isinstance(event, _FOLLOWED):
            return ""
        if not isinstance(event, events.JoinedEvent):
            return sanitize_line(_advise(event, room.snapshot()))
        self._joins.append(now)
        is_raid = len(self._joins) == limits.RAID_JOINS and now - self._joins[0] <= limits.RAID_SECONDS
        if not is_raid or now - self._warned < limits.RAID_WARNED:
            return ""
        self._warned = now
        return _RAID + (_END_RAID if room.snapshot().moderates else "") + _SIT_IT_OUT


def _advise(event: events.Event, seen: Snapshot) -> str:
    match event:
        case CodeEvent() if seen.private and seen.moderates:
            return "Codes of invitations that were given out before lead nowhere now: /invite makes new ones."
        case BanEvent(banned=True, by=seen.member, nick=nick) if not (seen.knock or seen.private):
            return (
                f"The key of {nick} is banned; but this room is open, and {nick} can come back with another one. "
                "/knock on has newcomers wait until you let them in."
            )
        case RoleEvent(member=seen.member, role="moderator"):
            return "That is you: /kick, /ban, /mute, /knock, /raid and more are yours to use now; /help explains them."
        case RoleEvent(member=seen.member, role="muted"):
            return "That is you: nothing you say goes out until a moderator types /unmute."
    return ""


_FOLLOWED = (BanEvent, RoleEvent, CodeEvent, events.JoinedEvent)
_RAID = f"{limits.RAID_JOINS} people came within {limits.RAID_SECONDS:.0f} seconds. "
_END_RAID = "If that is a raid, /raid and then /purge 1m end it. "
_SIT_IT_OUT = "/quiet 10 puts aside what newcomers say."
