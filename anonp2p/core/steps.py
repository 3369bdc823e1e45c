"""What goes into a room's machine and what comes out of it. None of it shows what it holds."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from msgspec import UNSET

from anonp2p.core import events, frames
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
class Leave:
    """Out of the room. close: only if that ends it, a host's right. now: even if lines still wait to be let in."""

    close: bool = False
    now: bool = False
    re: events.Re = UNSET


Typed = Say | Rename | Ask | Leave


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
class Asked:
    """Host: somebody answered our hello, which held this nonce."""

    link: int
    nonce: bytes
    request: frames.Join | frames.Resume


@dataclass(frozen=True, slots=True, repr=False)
class Heard:
    """A frame came; from a member, or from our host (UPLINK)."""

    link: int
    frame: frames.Frame


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


Input = Typed | Start | Published | Dialling | Asked | Heard | Dropped | Broken | Tick


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
    """Host: these bytes go to every link that follows the log and has all of it."""

    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Admit:
    """Host: this link is a member's; after these bytes it follows the log from here."""

    link: int
    data: bytes
    cursor: int


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
