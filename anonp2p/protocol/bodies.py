"""The contents of entries: what their authors say (PROTOCOL.md, 4.4)."""

from typing import Annotated, Literal

import msgspec

from anonp2p import limits
from anonp2p.protocol.field_types import BOX, Bytes16, Bytes32, Count, Heir, Invited, Packed
from anonp2p.protocol.rights import Slot, Slow, Uses, Why


class EntryId(Packed, frozen=True):
    """An entry, by its author and the author's counter."""

    author: Bytes16
    counter: Count


class FileOffer(Packed, frozen=True):
    """A file that the author of a message serves (PROTOCOL.md, 5e).

    size: in bytes. root: the hash of the list of its chunks' hashes. address: of the onion service that serves it, and
    no other offer. secret: yields the keys with which that is found and heard; whoever may fetch the file has it.
    """

    size: Annotated[int, msgspec.Meta(ge=0, le=limits.FILE)]
    root: Bytes32
    address: Bytes32
    secret: Bytes32


class TextBody(Packed, frozen=True, tag=1):
    """A message. action: whether it describes what the author does (/me); reply: the message that it refers to.

    late: whether it had a place before, which was cut. file: what it offers, whose name is the text.
    """

    text: str
    action: bool
    reply: EntryId | None
    late: bool = False
    file: FileOffer | None = None


class NickBody(Packed, frozen=True, tag=2):
    """The author has another nick from here on."""

    nick: str


class LeaveBody(Packed, frozen=True, tag=3):
    """The author leaves the room."""


class JoinedBody(Packed, frozen=True, tag=4):
    """Host: the owner of this key becomes a member. key_hash: the hash of its encryption key.

    invited: by which invitation it came, in a private room.
    """

    key: Bytes32
    nick: str
    key_hash: Bytes32
    invited: Invited | None = None


class AwayBody(Packed, frozen=True, tag=5):
    """Host: this member has not been heard for a while and is away. It keeps its place and nick."""

    member: Bytes16


class CloseBody(Packed, frozen=True, tag=6):
    """Moderator: the room ends. Nothing follows."""


class BackBody(Packed, frozen=True, tag=7):
    """Host: this member is not away any more."""

    member: Bytes16


class RenewBody(Packed, frozen=True, tag=8):
    """The author has another encryption key from here on. key_hash: its hash."""

    key_hash: Bytes32


class LockBody(Packed, frozen=True, tag=9):
    """Moderator: whether the room refuses newcomers from here on."""

    locked: bool


class Removal(Packed, frozen=True):
    """A member that a commit removes: one that was away, or that a moderator has ordered out."""

    member: Bytes16
    reason: Literal["lost", "kicked"]


class CommitBody(Packed, frozen=True, tag=10):
    """Host: a new epoch begins, without the removed members. renew: whether members renew their encryption keys."""

    epoch: Count
    removed: Annotated[list[Removal], msgspec.Meta(max_length=limits.MEMBERS)]
    renew: bool


class PrivateText(Packed, frozen=True):
    """What the box of a private message holds. reply, late, file: as in a message to all."""

    text: str
    reply: EntryId | None
    late: bool = False
    file: FileOffer | None = None


class PrivateBody(Packed, frozen=True, tag=11):
    """A message in a box that only one member can open."""

    box: Annotated[bytes, msgspec.Meta(min_length=BOX + 4, max_length=BOX + limits.TEXT + 34)]


class RetractBody(Packed, frozen=True, tag=12):
    """The author ends an earlier message of its own at once, for all. counter: of that message."""

    counter: Count


class OpeningBody(Packed, frozen=True, tag=13):
    """An heir, or the host again: a new term begins, with its author as the host.

    address: of the service by which members reach it; code: of the one that newcomers dial. since: the index from
    which on entries have places of its number.
    """

    number: Count
    address: Bytes32
    code: Bytes32
    since: Count


class HeirsBody(Packed, frozen=True, tag=14):
    """Host: who can take over, in order. entrusts: whether the first of them gets the key of the room's code."""

    heirs: Annotated[list[Heir], msgspec.Meta(max_length=limits.HEIRS)]
    entrusts: bool


class HandOverBody(Packed, frozen=True, tag=15):
    """Host: it hosts no more, and an heir takes over. leaves: whether it leaves the room besides."""

    leaves: bool


class CodeBody(Packed, frozen=True, tag=16):
    """Host: newcomers dial the service with this address from here on, whose key nobody else has.

    members_key: of a private room, the key by which members find it from here on, of another pool; None in another one.
    """

    code: Bytes32
    members_key: Bytes32 | None = None


class RoleBody(Packed, frozen=True, tag=17):
    """Moderator: this member is a moderator, muted, or neither from here on."""

    member: Bytes16
    role: Literal["member", "moderator", "muted"]


class KnockBody(Packed, frozen=True, tag=18):
    """Moderator: whether newcomers wait from here on until a moderator admits them."""

    on: bool


class SlowBody(Packed, frozen=True, tag=19):
    """Moderator: how far apart messages of one member are from here on; 0: as they come."""

    seconds: Slow


class RaidBody(Packed, frozen=True, tag=20):
    """Moderator: whether the room is closed against a raid from here on; if not, it is as before."""

    on: bool


class RemoveBody(Packed, frozen=True, tag=21):
    """Moderator: the host is to throw these members out, at once. ban: they may not come back."""

    members: Annotated[list[Bytes16], msgspec.Meta(min_length=1, max_length=limits.MEMBERS)]
    why: Why
    ban: bool


class UnbanBody(Packed, frozen=True, tag=22):
    """Moderator: one that was banned is so no longer."""

    member: Bytes16


class AdmitBody(Packed, frozen=True, tag=23):
    """Moderator: the owner of this key, who waits, may come in, or is turned away."""

    key: Bytes32
    admitted: bool


class KeepBody(Packed, frozen=True, tag=24):
    """Moderator: no purge is to throw this member out."""

    member: Bytes16


class InviteBody(Packed, frozen=True, tag=25):
    """Moderator: up to so many may come by the invitation with this public key, whose own is that of this slot.

    members_key: of the pool of which the slot is one.
    """

    key: Bytes32
    slot: Slot
    uses: Uses
    members_key: Bytes32


class RevokeBody(Packed, frozen=True, tag=26):
    """Moderator: nobody else comes by the invitation with this key."""

    key: Bytes32


Moderating = (
    RoleBody | KnockBody | SlowBody | RaidBody | RemoveBody | UnbanBody | AdmitBody | KeepBody | InviteBody | RevokeBody
)
Body = (
    TextBody
    | NickBody
    | LeaveBody
    | JoinedBody
    | AwayBody
    | CloseBody
    | BackBody
    | RenewBody
    | LockBody
    | CommitBody
    | PrivateBody
    | RetractBody
    | OpeningBody
    | HeirsBody
    | HandOverBody
    | CodeBody
    | Moderating
)


class Content(Packed, frozen=True):
    """What an author signs besides the header: the latest entry that it has applied, the digest there, and the body.

    salt: random, another one each time that something is sealed.
    """

    salt: Bytes16
    index: Count
    digest: Bytes32
    body: Body
