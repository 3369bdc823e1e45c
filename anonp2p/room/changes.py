"""What an entry that took effect did to the room: plain values, which the narrator puts into events.

None of them shows what it holds. `mine`: of whether it is about ourselves, or by us where it is a message.
"""

from typing import Literal, get_args

import msgspec

from anonp2p.protocol.bodies import EntryId, FileOffer
from anonp2p.room.moderation_events import RoleName


class _Value(msgspec.Struct, frozen=True):
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Caution(_Value, frozen=True):
    """The nick of a member may be taken for another; fields: see `events.LookalikeEvent`."""

    member: bytes
    nick: str
    was: str
    of: Literal["former", "present", "reserved"]
    spoke: bool = False


class MessageChange(_Value, frozen=True, kw_only=True):
    """A message for us. seq: its index; counter, ttl: as in its header; age: seconds since it was ordered.

    reply: the message that it refers to. peer: with whom it is shared if it is private, and to: the nick of that
    member, if it is ours. late: whether it had a place before, which was cut. file: what it offers, if it does.
    """

    member: bytes
    counter: int
    nick: str
    text: str
    seq: int
    ttl: int
    age: float
    action: bool = False
    reply: EntryId | None = None
    peer: bytes | None = None
    to: str | None = None
    mine: bool = False
    late: bool = False
    file: FileOffer | None = None

    @property
    def private(self) -> bool:
        """Whether only two members can read it."""
        return self.peer is not None


class RetractedChange(_Value, frozen=True):
    """A member has ended its message with this counter."""

    member: bytes
    counter: int


class JoinedChange(_Value, frozen=True):
    """A new member. unknown_past: see `events.JoinedEvent`."""

    member: bytes
    nick: str
    unknown_past: bool
    cautions: tuple[Caution, ...]


class RenamedChange(_Value, frozen=True):
    """A member goes by another nick."""

    member: bytes
    nick: str
    was: str
    unknown_past: bool
    cautions: tuple[Caution, ...]


class AwayChange(_Value, frozen=True):
    """A member has lost its link."""

    member: bytes
    nick: str
    mine: bool


class BackChange(_Value, frozen=True):
    """A member that was away is linked again."""

    member: bytes
    nick: str
    mine: bool


class LeftChange(_Value, frozen=True):
    """A member left the room."""

    member: bytes
    nick: str
    mine: bool


class RemovedChange(_Value, frozen=True):
    """A member was put out of the room. why: in a moderator's words; away: whether it had no link."""

    member: bytes
    nick: str
    reason: Literal["kicked", "lost"]
    why: str
    away: bool
    mine: bool


class CommitChange(_Value, frozen=True):
    """An epoch ended. renew: whether members are to renew their encryption keys."""

    removed: tuple[RemovedChange, ...]
    renew: bool


class LockedChange(_Value, frozen=True):
    """The room was locked, or opened again, by this member. by_raid: because a raid has begun or is over."""

    member: bytes
    locked: bool
    by_raid: bool = False


class KnockChange(_Value, frozen=True):
    """Newcomers wait until a moderator lets them in, or no longer, as this member wants it. by_raid: see above."""

    member: bytes
    on: bool
    by_raid: bool = False


class SlowChange(_Value, frozen=True):
    """Messages of one member are so many seconds apart, as this member wants it. by_raid: see above."""

    member: bytes
    seconds: int
    by_raid: bool = False


class RaidChange(_Value, frozen=True):
    """The room was closed against a raid by this member, or is as it was before."""

    member: bytes
    on: bool


class RoleChange(_Value, frozen=True):
    """A member has another role. by: who did it."""

    member: bytes
    nick: str
    role: RoleName
    by: bytes


class BanChange(_Value, frozen=True):
    """A member was banned, or one that was is so no longer. by: who did it."""

    member: bytes
    nick: str
    banned: bool
    by: bytes


class KeptChange(_Value, frozen=True):
    """No purge throws this member out. by: who did it."""

    member: bytes
    nick: str
    by: bytes


RightChange = LockedChange | KnockChange | SlowChange | RaidChange | RoleChange | BanChange | KeptChange


class RightsChange(_Value, frozen=True):
    """What a moderator did, in parts; without any where nobody is told."""

    parts: tuple[RightChange, ...]


class KeyRenewedChange(_Value, frozen=True):
    """A member has another encryption key."""

    member: bytes


class ClosedChange(_Value, frozen=True):
    """The room ended."""


class HiddenChange(_Value, frozen=True):
    """Nothing that we are shown: a message that has expired, a private one between others, or one of ours."""


Change = (
    MessageChange
    | RetractedChange
    | JoinedChange
    | RenamedChange
    | AwayChange
    | BackChange
    | LeftChange
    | RemovedChange
    | CommitChange
    | RightChange
    | RightsChange
    | KeyRenewedChange
    | ClosedChange
    | HiddenChange
)
# Who is there: told once, where a log took the place of another.
OF_ROSTER = (
    *(JoinedChange, RenamedChange, AwayChange, BackChange, LeftChange, RemovedChange),
    *get_args(RightChange),
)


def parts_of(change: Change) -> tuple[Change, ...]:
    """The changes that one entry has made, each of which is told by itself."""
    match change:
        case CommitChange(removed=removed):
            return removed
        case RightsChange(parts=parts):
            return parts
        case _:
            return (change,)


End = Literal["left", "closed", "kicked", "lost"]


def end_of(change: Change) -> End | None:
    """How the room ends for us by this change, if it does."""
    match change:
        case LeftChange(mine=True):
            return "left"
        case RemovedChange(mine=True, reason=reason):
            return reason
        case ClosedChange():
            return "closed"
        case _:
            return None
