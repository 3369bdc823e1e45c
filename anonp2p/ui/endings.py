"""What becomes of the others in our rooms when we leave them, in words."""

from collections.abc import Iterable

from anonp2p import limits
from anonp2p.room.hosting_events import LeaveEndsRoomEvent
from anonp2p.room.snapshot import Snapshot
from anonp2p.ui.sanitize import sanitize_line

SAY_AGAIN = f"Type it again within {limits.LEAVE_CONFIRM:.0f} seconds to do so."


def describe_ending(event: LeaveEndsRoomEvent) -> str:
    """That a room ends, for how many, and, where a person is asked, how to go on."""
    why = f"Closing {event.name}" if event.closes else f"Nobody else here can host {event.name}: leaving"
    return f"{why} ends it for {_others(event.others, event.away)}.{f' {SAY_AGAIN}' if event.asks else ''}"


def foresee_quit(rooms: Iterable[tuple[str, Snapshot]]) -> str:
    """What becomes of our rooms for the others in them if we quit now; empty if nothing does. rooms: their titles."""
    ending, passed = [], []
    for title, snapshot in rooms:
        if snapshot.ends_with_us:
            ending.append(f"{title} for {_others(snapshot.others, snapshot.away)}")
        elif snapshot.hosting and snapshot.others > 0:
            passed.append(f"{snapshot.heir} takes {title} over.")
    ends = [f"That ends {', '.join(ending)}: nobody else there can host."] if ending else []
    return sanitize_line(" ".join([*ends, *passed]))


def foresee_close(title: str, snapshot: Snapshot) -> str:
    """What becomes of the others in a room if it is closed now; empty if there are none, or it is not for us to do."""
    if not snapshot.moderates or snapshot.others <= 0:
        return ""
    return sanitize_line(f"That ends {title} for {_others(snapshot.others, snapshot.away)}.")


def _others(count: int, away: int) -> str:
    """How many they are, and how many of them are away."""
    others = "1 other" if count == 1 else f"{count} others"
    absent = " (away)" if away == count else f" ({away} of them away)" if away else ""
    return f"{others}{absent}"
