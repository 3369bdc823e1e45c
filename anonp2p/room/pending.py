"""Our entries on their way into the log."""

from dataclasses import dataclass

from anonp2p import errors
from anonp2p.crypto.epoch import KEPT, Header
from anonp2p.protocol import bodies, frames
from anonp2p.room import events
from anonp2p.room.errors import (
    ChangesNothing,
    InvitationTaken,
    Muted,
    NickDenied,
    NickTooOften,
    NickUnsent,
    OrderDenied,
    OrderUnsent,
    Repeated,
    RetractUnsent,
    RightLost,
    RoomSlow,
    TextDenied,
    WhisperTooOften,
)
from anonp2p.room.rights import MODERATING


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """An entry of ours, sealed in an epoch: what was signed, and its bytes."""

    epoch: int
    header: Header
    content: bodies.Content
    body: bytes
    entry: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Whisper:
    """A private message of ours: it is boxed when it is sealed, in each epoch anew.

    nick: of whom it is for; reply, late, file: as in a message to all.
    """

    to: bytes
    nick: str
    text: str
    reply: bodies.EntryId | None = None
    late: bool = False
    file: bodies.FileOffer | None = None


@dataclass(slots=True, repr=False)
class Pending:
    """Something of ours on its way: the line to give back if it is not ordered, and the input that asked for it.

    retraction: the input that wants this message ended as soon as it has its place, if any does. sent_at: when it went
    out last, in seconds of the sender's clock. may_be_refused: whether ours are held back then.
    told_unanswered: whether the user was told that the host does not order it. is_again: whether it had a place before,
    which was cut. resealed: whether it was sealed more than once.

    In the epoch in which it was first sent, the same bytes go out again on a new link; in another, it is sealed anew.
    Either way what has its place already is known by its counter.
    """

    body: bodies.Body | Whisper
    line: str | None
    re: events.Re
    ttl: int = KEPT
    sealed: Sealed | None = None
    retraction: events.Re | None = None
    sent_at: float = 0.0
    may_be_refused: bool = False
    told_unanswered: bool = False
    is_again: bool = False
    resealed: bool = False

    @property
    def may_be_elsewhere(self) -> bool:
        """Whether it may have a place in another log, too, than in the one that has it now."""
        return self.is_again or self.resealed

    @property
    def is_message(self) -> bool:
        """Whether it says something to others, and may expire."""
        return isinstance(self.body, bodies.TextBody | Whisper)

    @property
    def file(self) -> bodies.FileOffer | None:
        """The file that it offers, if it does."""
        return self.body.file if isinstance(self.body, bodies.TextBody | Whisper) else None

    @property
    def unsent_error(self) -> errors.AnonError | None:
        """What the user is told if it never leaves; None where that goes without saying, or its line comes back."""
        match self.body:
            case bodies.NickBody():
                return NickUnsent()
            case bodies.RetractBody():
                return RetractUnsent()
            case _ if isinstance(self.body, MODERATING):
                return OrderUnsent()
        return None

    @property
    def deniable(self) -> bool:
        """Whether an honest host may deny it: another member was faster, we were too fast, or may not say it now."""
        return self.may_be_refused or isinstance(self.body, bodies.NickBody | Whisper | MODERATING)

    def denial_error(self, reason: frames.Denial) -> errors.AnonError | None:
        """What the user is told of a denial; nothing of what was done once, and is so still."""
        if self.is_again and reason in ("moot", "repeated") and isinstance(self.body, MODERATING):
            return None
        match reason:
            case "repeated":
                return self.lost_denial if self.deniable else Repeated()
            case "nick-taken":
                return errors.NickTaken()
            case "too-often":
                return self.too_often
            case "muted":
                return Muted()
            case "slow":
                return RoomSlow()
            case "not-allowed":
                return RightLost()
            case "moot":
                return InvitationTaken() if isinstance(self.body, bodies.InviteBody) else ChangesNothing()

    @property
    def lost_denial(self) -> errors.AnonError:
        """What the host may have meant by a denial on a link that broke."""
        match self.body:
            case Whisper():
                return self.too_often
            case bodies.NickBody():
                return NickDenied()
            case bodies.TextBody():
                return TextDenied()
        return OrderDenied()

    @property
    def too_often(self) -> errors.AnonError:
        """The error for a denial because it came too soon after others."""
        return WhisperTooOften() if isinstance(self.body, Whisper) else NickTooOften()
