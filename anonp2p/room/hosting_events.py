"""What the user is told of who hosts a room and who would, and of what a host's Tor does for it."""

from typing import ClassVar, Literal

import msgspec

from anonp2p.reasons import Reason
from anonp2p.room.events import Event

Defence = Literal["streams", "proof-of-work"]  # of a room against floods, by its host's Tor


class Successor(msgspec.Struct, frozen=True):
    """A member that can take the room over. holds_key: whether it has ever been given the key of the room's code."""

    member: str
    nick: str
    holds_key: bool

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class ReachableEvent(Event, frozen=True, tag="reachable"):
    """Host: the room's onion service is published, and we have reached ourselves there: others can join."""

    type: ClassVar[Literal["reachable"]] = "reachable"
    room: str


class UnreachedEvent(Event, frozen=True, tag="unreached"):
    """Host: the room's onion service is published, but for a while no dial of ours has reached us there.

    reason: of the last one.
    """

    type: ClassVar[Literal["unreached"]] = "unreached"
    room: str
    reason: Reason


class HostEvent(Event, frozen=True, tag="host"):
    """Another member, perhaps oneself, hosts the room now: the host before left or was lost, or two halves met."""

    type: ClassVar[Literal["host"]] = "host"
    room: str
    member: str
    nick: str
    cause: Literal["left", "lost", "merged"]


class HostingEvent(Event, frozen=True, tag="hosting"):
    """Our program hosts from now on a room that another has created, or hosted meanwhile."""

    type: ClassVar[Literal["hosting"]] = "hosting"
    room: str


class HeirsEvent(Event, frozen=True, tag="heirs"):
    """Who can take the room over now, in order: the first one that can be reached does."""

    type: ClassVar[Literal["heirs"]] = "heirs"
    room: str
    heirs: list[Successor]


class HeirEvent(Event, frozen=True, tag="heir"):
    """Whether our program is to take the room over if its host goes, and holds the key of its code.

    rank: 1 for who comes first; None: no longer an heir. was: the rank before.
    """

    type: ClassVar[Literal["heir"]] = "heir"
    room: str
    rank: int | None
    was: int | None
    holds_key: bool


class LeaveEndsRoomEvent(Event, frozen=True, tag="leave-ends-room"):
    """Host: the room ends for all when we leave it, as nobody can take it over, or as we close it.

    others: how many it ends for besides us; away: how many of them are away, and may want to come back. closes: we are
    asked to close it. asks: we have not left yet, and do so if it is asked for again within limits.LEAVE_CONFIRM.
    """

    type: ClassVar[Literal["leave-ends-room"]] = "leave-ends-room"
    room: str
    name: str
    others: int
    away: int
    closes: bool
    asks: bool


class LeaveHandsOverEvent(Event, frozen=True, tag="leave-hands-over"):
    """Host: we leave, and this member is the one that goes on hosting the room."""

    type: ClassVar[Literal["leave-hands-over"]] = "leave-hands-over"
    room: str
    name: str
    member: str
    nick: str


class CodeEvent(Event, frozen=True, tag="code"):
    """The room has another code: newcomers do not get in with the one before."""

    type: ClassVar[Literal["code"]] = "code"
    room: str
    code: str


class UndefendedEvent(Event, frozen=True, tag="undefended"):
    """Host: this Tor, or a filter before it, does not know some of the defences against floods."""

    type: ClassVar[Literal["undefended"]] = "undefended"
    room: str
    defences: list[Defence]


AnyHostingEvent = (
    ReachableEvent
    | UnreachedEvent
    | HostEvent
    | HostingEvent
    | HeirsEvent
    | HeirEvent
    | LeaveEndsRoomEvent
    | LeaveHandsOverEvent
    | CodeEvent
    | UndefendedEvent
)
