"""What of ours is on its way to its place in the log."""

from dataclasses import dataclass

from anonp2p import errors
from anonp2p.crypto.epoch import KEPT, Header
from anonp2p.protocol import frames
from anonp2p.room import events


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """An entry of ours, sealed in an epoch: what was signed, and its bytes."""

    epoch: int
    header: Header
    content: frames.Content
    body: bytes
    entry: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Whisper:
    """A private message of ours: it is boxed when it is sealed, in each epoch anew. nick: of whom it is for."""

    to: bytes
    nick: str
    text: str


@dataclass(slots=True, repr=False)
class Pending:
    """Something of ours on its way: the line to give back if it is not ordered, and the input that asked for it.

    In the epoch in which it was first sent, the same bytes go out again on a new link; in another, it is sealed anew.
    Either way what has its place already is known by its counter.
    """

    body: frames.Body | Whisper
    line: str | None
    re: events.Re
    ttl: int = KEPT
    sealed: Sealed | None = None

    @property
    def deniable(self) -> bool:
        """Whether a host may refuse it through nobody's fault: another was faster, or it was too fast itself."""
        return isinstance(self.body, frames.NickBody | Whisper)

    @property
    def too_often(self) -> errors.AnonError:
        """What a host means that denies it for that reason."""
        what = "private message" if isinstance(self.body, Whisper) else "change of nick"
        return errors.TooOften(what)
