"""Who may do what in a room, whoever hosts it: bytes <-> typed values (PROTOCOL.md, 5c)."""

from typing import Annotated

import msgspec

from anonp2p import limits
from anonp2p.protocol.field_types import Bytes16, Bytes32, Packed

Slow = Annotated[int, msgspec.Meta(ge=0, le=limits.SLOW)]  # seconds
Why = Annotated[str, msgspec.Meta(max_length=limits.KICK_REASON)]  # a moderator's words to whom it throws out
Slot = Annotated[int, msgspec.Meta(ge=0, lt=limits.INVITATIONS)]
Uses = Annotated[int, msgspec.Meta(ge=1, le=limits.INVITATION_USES)]
_Members = Annotated[tuple[Bytes16, ...], msgspec.Meta(max_length=limits.MEMBERS)]


class Restrictions(Packed, frozen=True):
    """What holds back those who are no moderators.

    locked: nobody new is let in; knock: only who was admitted; slow: seconds between two messages of one member, 0
    without such a rule.
    """

    locked: bool = False
    knock: bool = False
    slow: Slow = 0


class Order(Packed, frozen=True):
    """Members that a moderator has ordered out, and whom no commit has removed yet. why: perhaps empty."""

    members: _Members
    why: Why


class Ban(Packed, frozen=True):
    """Who may not come back under the same key. nick: which it had when it was banned."""

    member: Bytes16
    nick: str


class Invitation(Packed, frozen=True):
    """By which up to so many may come into a private room. key: by which it is known; slot: of the pool.

    used: how many have come, but for those who were lost; users: who of them are members. author: a moderator.
    """

    key: Bytes32
    slot: Slot
    uses: Uses
    used: Annotated[int, msgspec.Meta(ge=0, le=limits.INVITATION_USES)]
    author: Bytes16
    revoked: bool
    users: _Members


class ReturnKey(Packed, frozen=True):
    """By which a member finds a private room whose other keys have been replaced while it was away.

    client: the public half, an X25519 key.
    """

    member: Bytes16
    client: Bytes32


class Rights(Packed, frozen=True):
    """The rights in a room, as of one entry of its log.

    before_raid: the restrictions of before, while the room is closed against a raid. moderators: in the order in which
    they became it; without any, the host is one. muted: who says nothing to others. kept: whom no purge throws out.
    admitted: the keys of those who may come in though others have to wait. Bans and these are the latest ones.
    private: whether the room is found with an invitation alone. invitations: all that were given out of the present
    pool. pooled: who may have that, and is a member or was thrown out. members_key: by which members find a private
    room; returns: the return keys of all members of one.
    """

    restrictions: Restrictions = Restrictions()
    before_raid: Restrictions | None = None
    moderators: Annotated[tuple[Bytes16, ...], msgspec.Meta(max_length=limits.MODERATORS)] = ()
    muted: _Members = ()
    kept: _Members = ()
    orders: Annotated[tuple[Order, ...], msgspec.Meta(max_length=limits.ORDERS)] = ()
    bans: Annotated[tuple[Ban, ...], msgspec.Meta(max_length=limits.BANS)] = ()
    admitted: Annotated[tuple[Bytes32, ...], msgspec.Meta(max_length=limits.ADMITTED)] = ()
    private: bool = False
    invitations: Annotated[tuple[Invitation, ...], msgspec.Meta(max_length=limits.INVITATIONS)] = ()
    pooled: _Members = ()
    members_key: Bytes32 | None = None
    returns: Annotated[tuple[ReturnKey, ...], msgspec.Meta(max_length=limits.MEMBERS)] = ()
