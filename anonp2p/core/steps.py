"""What goes into a room's machine and what comes out of it. None of it shows what it holds."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from msgspec import UNSET

from anonp2p.core import events
from anonp2p.core.log import Reader
from anonp2p.errors import AnonError

UPLINK = 0  # the number of a member's link to its host; a host numbers its links from 1


class Now(NamedTuple):
    """The time, passed in: `tick` in seconds of a clock that only grows, `wall` in seconds since the epoch."""

    tick: float
    wall: float


# --- in: from the user. `re` is the id of the line that asked, for the events it causes.


@dataclass(frozen=True, slots=True, repr=False)
class Say:
    """A message to send."""

    text: str
    action: bool = False
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Rename:
    """Another nick for oneself."""

    nick: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """A question about the room, answered once we are in."""

    command: Literal["/who", "/code"]
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Kick:
    """Host: somebody is to be thrown out, for this reason, which may be empty."""

    nick: str
    why: str = ""
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Lock:
    """Host: newcomers are to be kept out, or let in again."""

    locked: bool
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Leave:
    """Out of the room. close: only if that ends it, a host's right. now: even if lines still wait to be let in."""

    close: bool = False
    now: bool = False
    re: events.Re = UNSET


Typed = Say | Rename | Ask | Kick | Lock | Leave


# --- in: from the network and the clock.


@dataclass(frozen=True, slots=True, repr=False)
class Start:
    """First of all."""


@dataclass(frozen=True, slots=True, repr=False)
class Published:
    """Host: the onion service can be found."""


@dataclass(frozen=True, slots=True, repr=False)
class Dialling:
    """Member: a try to reach the host begins; `detail` says why it is not the first."""

    attempt: int
    detail: str


@dataclass(frozen=True, slots=True, repr=False)
class Linked:
    """Host: somebody has dialled."""

    link: int


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """A payload came; from a member or a stranger, or from our host (UPLINK)."""

    link: int
    payload: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Dropped:
    """A link is no more; `detail` says why, in our own words, `silence` for how many seconds it had carried nothing."""

    link: int
    detail: str
    silence: float


@dataclass(frozen=True, slots=True, repr=False)
class Broken:
    """The network cannot carry the room any further."""

    error: AnonError


@dataclass(frozen=True, slots=True, repr=False)
class Tick:
    """The room's deadline has come."""


Input = Typed | Start | Published | Dialling | Linked | Heard | Dropped | Broken | Tick


# --- out.


@dataclass(frozen=True, slots=True, repr=False)
class Tell:
    """The user is told this."""

    event: events.Event


@dataclass(frozen=True, slots=True, repr=False)
class Send:
    """These bytes go to one link alone."""

    link: int
    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Pulse:
    """Host: these bytes go to every link that has all of the log."""

    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Admit:
    """The handshake on this link is over; at a host, these bytes go over it, then what its reader gives."""

    link: int
    data: bytes = b""
    reader: Reader | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Finish:
    """The link is closed, after these bytes and whatever it still has to get of the log."""

    link: int
    data: bytes = b""


@dataclass(frozen=True, slots=True, repr=False)
class Drop:
    """The link is closed at once, for this reason."""

    link: int
    reason: str


Effect = Tell | Send | Pulse | Admit | Finish | Drop
