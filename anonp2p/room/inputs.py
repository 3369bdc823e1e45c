"""What a room has to deal with. No input shows in its `repr` what it holds."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from msgspec import UNSET

from anonp2p.errors import AnonError
from anonp2p.reasons import Fault, LinkEnd, Reason
from anonp2p.room import events
from anonp2p.room.file_inputs import AnyFileInput, AnyTransferInput
from anonp2p.room.moderation_inputs import AnyModerationInput


class Now(NamedTuple):
    """The time, passed in: `tick` in seconds of a clock that only grows, `wall` in seconds since the epoch.

    slept: for how many seconds the machine has slept in all, which `tick` does not count.
    """

    tick: float
    wall: float
    slept: float = 0.0

    @property
    def age(self) -> float:
        """By what messages age: the clock that only grows, with what the machine has slept."""
        return self.tick + self.slept


# --- From the user. `re` is the id of the line that asked, for the events it causes.


@dataclass(frozen=True, slots=True, repr=False)
class SayInput:
    """A message to send."""

    text: str
    action: bool = False
    re: events.Re = UNSET

    @property
    def line(self) -> str:
        """As it is given back if it cannot be sent."""
        return self.text


@dataclass(frozen=True, slots=True, repr=False)
class WhisperInput:
    """A message to one member. member: its id, where the user means nobody else who has that nick by now."""

    nick: str
    text: str
    re: events.Re = UNSET
    member: str = ""

    @property
    def line(self) -> str:
        """As it is given back if it cannot be sent: with its command, since the text alone would go to all."""
        return f"/msg {self.nick} {self.text}"


@dataclass(frozen=True, slots=True, repr=False)
class ReplyInput:
    """A message that refers to the one with this seq, or to the latest one of another; to all who can read that.

    number: by which a person has named it, who does not see its seq.
    """

    seq: int | None
    text: str
    re: events.Re = UNSET
    number: int | None = None

    @property
    def line(self) -> str:
        """As it is given back if it cannot be sent: with its command, since it may be for one member alone."""
        named = self.seq if self.number is None else self.number
        return f"/reply {self.text}" if named is None else f"/reply {named} {self.text}"


@dataclass(frozen=True, slots=True, repr=False)
class RetractInput:
    """The message of ours with this seq is to end, or the latest one of ours, which may not have its place yet."""

    seq: int | None
    re: events.Re = UNSET


AnySpeechInput = SayInput | WhisperInput | ReplyInput | RetractInput


@dataclass(frozen=True, slots=True, repr=False)
class RetainInput:
    """How long our messages are kept from now on, as in a header; None: it is only asked."""

    ttl: int | None
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class VerifyInput:
    """Safety words are wanted: for the room, or for us and the member with this nick.

    same: what the user has found in comparing those shown before for that member; None: they are to be shown.
    """

    nick: str
    re: events.Re = UNSET
    same: bool | None = None


@dataclass(frozen=True, slots=True, repr=False)
class RenameInput:
    """Another nick for oneself."""

    nick: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class AskInput:
    """A question about the room, answered once we are in; about its health, at once."""

    command: Literal["/who", "/code", "/qr", "/heirs", "/health", "/invites", "/files"]
    re: events.Re = UNSET


# --- What only a moderator may do, and, below that, what only the host may.


@dataclass(frozen=True, slots=True, repr=False)
class EntrustInput:
    """Host: this member is to take the room over first, and to hold the key of its code; None: nobody is to hold it."""

    nick: str | None
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class CodeInput:
    """Host: the room is to have another code."""

    re: events.Re = UNSET


Hosting = EntrustInput | CodeInput


@dataclass(frozen=True, slots=True, repr=False)
class LeaveInput:
    """Out of the room. close: only if that ends it, a moderator's right. now: even if lines still wait to be let in.

    within: seconds; at a time among them that the room draws, so that rooms left together are not left at one moment.
    asks: a person typed it, who is to say it twice where it ends the room for others.
    """

    close: bool = False
    now: bool = False
    re: events.Re = UNSET
    within: float = 0.0
    asks: bool = False


Typed = (
    AnySpeechInput
    | AnyFileInput
    | RetainInput
    | VerifyInput
    | RenameInput
    | AskInput
    | AnyModerationInput
    | Hosting
    | LeaveInput
)


# --- From the network and the clock.


@dataclass(frozen=True, slots=True, repr=False)
class StartInput:
    """First of all."""


@dataclass(frozen=True, slots=True, repr=False)
class PublishedInput:
    """Our onion service with this address, which is its public key, can be found."""

    address: bytes


@dataclass(frozen=True, slots=True, repr=False)
class UnpublishedInput:
    """The network through which our onion service could be found is lost, and with it the service."""

    address: bytes


@dataclass(frozen=True, slots=True, repr=False)
class ServeFailedInput:
    """Our service with this address cannot be had, and another try would not change that."""

    address: bytes
    error: AnonError


@dataclass(frozen=True, slots=True, repr=False)
class DialFailedInput:
    """There is no link where we have dialled one.

    absent: there is no trace of the service, as opposed to a bad circuit. again: whether another try is worthwhile.
    """

    link: int
    reason: Reason
    absent: bool = False
    again: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class LinkedInput:
    """Somebody has dialled our service with this address. link: a positive number, which no link had before."""

    link: int
    address: bytes


@dataclass(frozen=True, slots=True, repr=False)
class ReceivedInput:
    """A payload came, on a link that we dialled or on one that was dialled to us.

    is_first: whether it is the first on a link that somebody dialled to us: a client handshake.
    """

    link: int
    payload: bytes
    is_first: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class DroppedInput:
    """A link is no more. silence: for how many seconds it had carried nothing."""

    link: int
    reason: Fault | LinkEnd
    silence: float


@dataclass(frozen=True, slots=True, repr=False)
class BrokenInput:
    """The network cannot carry the room any further."""

    error: AnonError


@dataclass(frozen=True, slots=True, repr=False)
class NetworkInput:
    """There is a network by which others are reached, or it is lost. Before the first of these there is none."""

    up: bool


@dataclass(frozen=True, slots=True, repr=False)
class TickInput:
    """The room's deadline has come."""


@dataclass(frozen=True, slots=True, repr=False)
class EndBatchInput:
    """Nothing else waits to be handled: a host signs what it has ordered since the last time."""


OuterInput = (
    StartInput
    | PublishedInput
    | UnpublishedInput
    | ServeFailedInput
    | DialFailedInput
    | LinkedInput
    | ReceivedInput
    | DroppedInput
    | TickInput
    | EndBatchInput
)
Input = Typed | OuterInput | AnyTransferInput | BrokenInput | NetworkInput
