"""What moderators do, whom they throw out, and who knocks, in words."""

from anonp2p.room.moderation_events import (
    AbsentRemovedEvent,
    AnyModerationEvent,
    BanEvent,
    KeptEvent,
    KnockChangedEvent,
    LockChangedEvent,
    LockUnchangedEvent,
    RaidChangedEvent,
    RoleEvent,
    RoleName,
    SelfKickedEvent,
    SlowChangedEvent,
    WaitingEvent,
)
from anonp2p.ui.replies import span

NAMED = 6  # members that a sentence about many still names


def describe_right(event: AnyModerationEvent) -> list[str]:
    """In sentences."""
    match event:
        case LockChangedEvent(raid=True) | KnockChangedEvent(raid=True) | SlowChangedEvent(raid=True):
            return []  # what is said of the raid is enough
        case LockChangedEvent(locked=locked):
            return ["The room is locked: nobody new is let in." if locked else "The room is open to newcomers again."]
        case KnockChangedEvent(on=on):
            return ["Newcomers wait until a moderator lets them in." if on else "Newcomers need not wait any more."]
        case SlowChangedEvent(seconds=seconds):
            return [_slow(seconds)]
        case RaidChangedEvent(on=on):
            closed = "The room is closed against a raid: nobody new is let in, and talk is slow."
            return [closed if on else "The raid is over: the room is as it was before."]
        case RoleEvent(nick=nick, role="moderator", member=member, by=by) if member == by:
            return [f"{nick} hosts the room, and is its moderator now, as there is no other"]
        case RoleEvent(nick=nick, role=role):
            return [f"{nick} {_ROLES[role]}"]
        case BanEvent(nick=nick, banned=banned):
            return [f"{nick} {'is banned' if banned else 'is not banned any more'}"]
        case KeptEvent(nick=nick):
            return [f"{nick} is kept: no purge throws that member out"]
        case WaitingEvent(count=count, people=people):
            return [waiting(count, [(one.nick, one.tag) for one in people])]
        case SelfKickedEvent(why=why):
            return [f"You were thrown out of the room{f': {why}' if why else '.'}"]
        case AbsentRemovedEvent(nick=nick):
            return [f"{nick} was away, and is out now."]
        case LockUnchangedEvent(locked=locked):
            return ["The room is locked already." if locked else "The room is not locked."]


def waiting(count: int, people: list[tuple[str, str]]) -> str:
    """Who knocks. people: nicks and tags of those who are known, the first ones of whom are named."""
    if not count:
        return "Nobody waits to be let in any more"
    named = ", ".join(f"{nick} ({tag})" for nick, tag in people[:NAMED])
    more = f" and {count - min(len(people), NAMED)} more" if named and count > min(len(people), NAMED) else ""
    who = "1 person waits" if count == 1 else f"{count} people wait"
    return f"{who} to be let in{f': {named}{more}' if named else ''}; /admit NICK lets in, /refuse NICK turns away"


def _slow(seconds: int) -> str:
    return f"Each member may say something every {span(seconds)}." if seconds else "The room is not slow any more."


_ROLES: dict[RoleName, str] = {
    "moderator": "is a moderator now",
    "member": "is a member like others now",
    "muted": "is muted: nothing that this member says is shown",
}
