"""Who hosts a room, who would, and how others reach it, in words."""

from anonp2p.room.hosting_events import (
    AnyHostingEvent,
    CodeEvent,
    Defence,
    HeirEvent,
    HeirsEvent,
    HostEvent,
    HostingEvent,
    LeaveEndsRoomEvent,
    LeaveHandsOverEvent,
    ReachableEvent,
    Successor,
    UndefendedEvent,
    UnreachedEvent,
)
from anonp2p.ui.endings import describe_ending
from anonp2p.ui.reasons import describe_reason

NEW_CODE = "The room has a new code, and the one before lets nobody in any more"
NEW_CODE_WHERE = "/code shows the new one"
NEW_INVITATIONS = "newcomers need new invitations"
NO_HEIRS = "Nobody can take the room over now if its host goes"


def describe_hosting(event: AnyHostingEvent) -> list[str]:
    """In sentences."""
    match event:
        case HostEvent(nick=nick, cause=cause):
            return [_NEW_HOST[cause].format(nick)]
        case HostingEvent():
            return [f"You host this room now. {_EXPOSED}"]
        case HeirsEvent(heirs=[]):
            return [NO_HEIRS]
        case HeirsEvent(heirs=heirs):
            return [f"Next to host: {', '.join(map(_successor, heirs))}"]
        case HeirEvent(rank=None):
            return ["You are no longer among those who take this room over if its host goes."]
        case HeirEvent(rank=rank, was=was, holds_key=holds_key):
            before = "" if rank == 1 else f" and nobody before you can: you are number {rank}"
            key = " You hold the key of its code, so that the code stays." if holds_key else ""
            why = f" {_EXPOSED}" if was is None else ""
            return [f"You are to take this room over if its host goes{before}.{key}{why}"]
        case ReachableEvent():
            return ["Others can join now"]
        case UnreachedEvent(reason=reason):
            why = describe_reason(reason)
            return [f"Nobody can join yet: the room is published, but leads nowhere ({why}). {_REACH}"]
        case UndefendedEvent(defences=defences):
            return [" ".join(_UNDEFENDED[defence] for defence in defences)]
        case LeaveEndsRoomEvent():
            return [describe_ending(event)]
        case LeaveHandsOverEvent(name=name, nick=nick):
            return [f"{nick} takes {name} over."]
        case CodeEvent(code=code):
            return [f"{NEW_CODE}: {code}"]


def _successor(heir: Successor) -> str:
    return f"{heir.nick} (has the room's key)" if heir.holds_key else heir.nick


_EXPOSED = (
    "A host is exposed more than a member: whoever tries for long can find out where its Tor enters the network. "
    "The option --no-heir refuses to host for others."
)

_NEW_HOST = {
    "left": "{} hosts the room now, as its host left",
    "lost": "{} hosts the room now, as its host was lost",
    "merged": "{} hosts the room now, as two halves of it have met",
}

_REACH = "If it stays so, Tor may not be able to connect to this program: --tor own starts one that can."

_UNDEFENDED: dict[Defence, str] = {
    "streams": "This Tor, or a filter before it, does not limit the connections of one circuit: "
    "floods can keep others out.",
    "proof-of-work": "This Tor cannot defend the room against floods by proof of work; Tor 0.4.8 or newer can.",
}
