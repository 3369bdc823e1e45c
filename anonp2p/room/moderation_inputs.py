"""What a moderator types. See `room.inputs`."""

from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET

from anonp2p.room import events
from anonp2p.room.moderation_events import RoleName


@dataclass(frozen=True, slots=True, repr=False)
class KickInput:
    """Somebody is to be thrown out, for this reason, which may be empty. ban: and not to come back."""

    nick: str
    why: str = ""
    re: events.Re = UNSET
    ban: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class UnbanInput:
    """One that was banned, by the nick that it had then, may come back."""

    nick: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class PurgeInput:
    """All who came within so many seconds, but moderators, the host and those who are kept, are to be thrown out."""

    seconds: int
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class KeepInput:
    """No purge is to throw this member out."""

    nick: str
    re: events.Re = UNSET


RoleCommand = Literal["/op", "/deop", "/mute", "/unmute"]


@dataclass(frozen=True, slots=True, repr=False)
class RoleInput:
    """A member is to be this. command: which was typed, as two of them make it a plain member of another role each."""

    nick: str
    role: RoleName
    command: RoleCommand
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class LockInput:
    """Newcomers are to be kept out, or let in again."""

    locked: bool
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class KnockInput:
    """Newcomers are to wait until a moderator lets them in, or not any more."""

    on: bool
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class AdmitInput:
    """One that knocks, under this nick, is to be let in, or turned away."""

    nick: str
    admitted: bool
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class SlowInput:
    """Messages of one member are to be at least so many seconds apart; 0: not any more."""

    seconds: int
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class RaidInput:
    """The room is to be closed to newcomers and slow, or as it was before."""

    on: bool
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class InviteInput:
    """A code is wanted by which so many may come in. note: for ourselves, perhaps empty."""

    note: str = ""
    uses: int = 1
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class RevokeInput:
    """Nobody else is to come in by the invitation with this number."""

    number: int
    re: events.Re = UNSET


AnyModerationInput = (
    KickInput
    | UnbanInput
    | PurgeInput
    | KeepInput
    | RoleInput
    | LockInput
    | KnockInput
    | AdmitInput
    | SlowInput
    | RaidInput
    | InviteInput
    | RevokeInput
)
