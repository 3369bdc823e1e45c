"""What the user is told of the rights of a room: moderators, who is thrown out and kept out, and who knocks."""

from typing import ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from anonp2p.room.events import Event

RoleName = Literal["moderator", "member", "muted"]  # what a member may do, whoever hosts


class Knocker(msgspec.Struct, frozen=True):
    """Somebody who waits to be let in. seconds: for how long by now."""

    nick: str
    tag: str
    seconds: int

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class LockChangedEvent(Event, frozen=True, tag="locked"):
    """The room lets newcomers in no longer, or again."""

    type: ClassVar[Literal["locked"]] = "locked"
    room: str
    locked: bool
    member: str  # who did it
    raid: Literal[True] | UnsetType = UNSET  # caused by a raid, or by its end, which was told just before


class LockUnchangedEvent(Event, frozen=True, tag="unchanged-lock"):
    """`/lock` or `/unlock` changed nothing: the room is so already."""

    type: ClassVar[Literal["unchanged-lock"]] = "unchanged-lock"
    room: str
    locked: bool


class KnockChangedEvent(Event, frozen=True, tag="knock"):
    """Newcomers wait until a moderator lets them in, or do so no longer."""

    type: ClassVar[Literal["knock"]] = "knock"
    room: str
    on: bool
    member: str  # who did it
    raid: Literal[True] | UnsetType = UNSET  # caused by a raid, or by its end, which was told just before


class SlowChangedEvent(Event, frozen=True, tag="slow"):
    """Messages of one member are at least so many seconds apart from now on; 0: as they come."""

    type: ClassVar[Literal["slow"]] = "slow"
    room: str
    seconds: int
    member: str  # who did it
    raid: Literal[True] | UnsetType = UNSET  # caused by a raid, or by its end, which was told just before


class RaidChangedEvent(Event, frozen=True, tag="raid"):
    """The room is closed to newcomers and slow, against a raid, or it is as before. What that changes is told next."""

    type: ClassVar[Literal["raid"]] = "raid"
    room: str
    on: bool
    member: str  # who did it


class RoleEvent(Event, frozen=True, tag="role"):
    """A member, perhaps oneself, has another role: "muted" says nothing that others are shown."""

    type: ClassVar[Literal["role"]] = "role"
    room: str
    member: str
    nick: str
    role: RoleName
    by: str  # the member who did it


class BanEvent(Event, frozen=True, tag="ban"):
    """A member is thrown out and may not come back, or one that was thrown out may. nick: which it had in the room."""

    type: ClassVar[Literal["ban"]] = "ban"
    room: str
    member: str
    nick: str
    banned: bool
    by: str  # the member who did it


class KeptEvent(Event, frozen=True, tag="kept"):
    """No purge throws this member out."""

    type: ClassVar[Literal["kept"]] = "kept"
    room: str
    member: str
    nick: str
    by: str  # the member who did it


class WaitingEvent(Event, frozen=True, tag="waiting"):
    """Moderators: so many people wait to be let in. At most every 2 s, and only if that has changed.

    people: all of them, in the order in which they came.
    """

    type: ClassVar[Literal["waiting"]] = "waiting"
    room: str
    count: int
    people: list[Knocker]


class SelfKickedEvent(Event, frozen=True, tag="kicked"):
    """We were thrown out; `gone` follows."""

    type: ClassVar[Literal["kicked"]] = "kicked"
    room: str
    why: str  # the host's words, perhaps none


class AbsentRemovedEvent(Event, frozen=True, tag="removed"):
    """Our `/kick` has removed a member who was away; the user was told when it lost its link."""

    type: ClassVar[Literal["removed"]] = "removed"
    room: str
    member: str
    nick: str


AnyModerationEvent = (
    LockChangedEvent
    | LockUnchangedEvent
    | KnockChangedEvent
    | SlowChangedEvent
    | RaidChangedEvent
    | RoleEvent
    | BanEvent
    | KeptEvent
    | WaitingEvent
    | SelfKickedEvent
    | AbsentRemovedEvent
)
