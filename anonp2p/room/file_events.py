"""What the user is told of files that members offer each other."""

from typing import ClassVar, Literal

from msgspec import UNSET, UnsetType

from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room.events import Event

TransferState = Literal["connecting", "running", "done", "failed"]


class OfferEvent(Event, frozen=True, tag="offer"):
    """A member offers a file: a message whose text is the file's name. Other fields: see `MessageEvent`.

    offer: by which the user names it from now on; counted in each room. name: as its author gave it. size: in bytes.
    """

    type: ClassVar[Literal["offer"]] = "offer"
    room: str
    member: str
    nick: str
    offer: int
    name: str
    size: int
    seq: int
    at: float
    ttl: int | None = None
    private: bool = False
    to: str | UnsetType = UNSET  # whom a private one of our own is for
    mine: bool = False
    history: bool = False
    late: bool = False
    newcomer: Literal[True] | UnsetType = UNSET


class TransferEvent(Event, frozen=True, tag="transfer"):
    """How far a file has come, to us or to one who fetches it from us; or that it is on offer no more.

    name, mine: of the offer. bytes: that are there by now; rate: bytes a second. detail: why it failed, or ended.
    """

    type: ClassVar[Literal["transfer"]] = "transfer"
    room: str
    offer: int
    state: Literal["connecting", "running", "done", "failed", "ended"]
    name: str
    mine: bool
    bytes: int
    size: int
    rate: int = 0
    detail: Reason = NO_REASON
    member: str | UnsetType = UNSET  # who fetches it from us
    nick: str | UnsetType = UNSET  # its nick, or the last one that it had
    path: str | UnsetType = UNSET  # where it is, once it is there


AnyFileEvent = OfferEvent | TransferEvent
