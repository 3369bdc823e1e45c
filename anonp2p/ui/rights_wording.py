"""What moderators do, and who knocks, in words."""

from anonp2p.room import events
from anonp2p.ui.replies import span

NAMED = 6  # members that a sentence about many still names

_Right = (
    events.LockChangedEvent
    | events.LockUnchangedEvent
    | events.KnockChangedEvent
    | events.SlowChangedEvent
    | events.RaidChangedEvent
    | events.RoleEvent
    | events.BanEvent
    | events.KeptEvent
    | events.WaitingEvent
)


def describe_right(event: _Right) -> list[str]:
    """In sentences."""
    match event:
        case events.LockChangedEvent(locked=locked):
            return ["The room is locked: nobody new is let in." if locked else "The room is open to newcomers again."]
        case events.KnockChangedEvent(on=on):
            return ["Newcomers wait until a moderator lets them in." if on else "Newcomers need not wait any more."]
        case events.SlowChangedEvent(seconds=seconds):
            return [_slow(seconds)]
        case events.RaidChangedEvent(on=on):
            return ["The room is closed against a raid." if on else "The raid is over: the room is as it was before."]
        case events.RoleEvent(nick=nick, role="moderator", member=member, by=by) if member == by:
            return [f"{nick} hosts the room, and is its moderator now, as there is no other"]
        case events.RoleEvent(nick=nick, role=role):
            return [f"{nick} {_ROLES[role]}"]
        case events.BanEvent(nick=nick, banned=banned):
            return [f"{nick} {'is banned' if banned else 'is not banned any more'}"]
        case events.KeptEvent(nick=nick):
            return [f"{nick} is kept: no purge throws that member out"]
        case events.WaitingEvent(count=count, people=people):
            return [waiting(count, [(one.nick, one.tag) for one in people])]
        case events.LockUnchangedEvent(locked=locked):
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


_ROLES: dict[events.RoleName, str] = {
    "moderator": "is a moderator now",
    "member": "is a member like others now",
    "muted": "is muted: nothing that this member says is shown",
}
