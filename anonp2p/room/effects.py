"""What a room's machine has done. None of it shows what it holds."""

from dataclasses import dataclass

from anonp2p.protocol.frames import Frame
from anonp2p.protocol.handshake import Channel
from anonp2p.room import events
from anonp2p.room.log.log import Reader


@dataclass(frozen=True, slots=True, repr=False)
class Tell:
    """The user is told this."""

    event: events.Event


@dataclass(frozen=True, slots=True, repr=False)
class Dial:
    """Member: the host is to be reached, under the number UPLINK, or else why not is to be said (`inputs.DialFailed`).

    code: of the room. seconds: after which to give up. isolation: dials with different numbers share no circuit.
    """

    code: str
    seconds: float
    isolation: int


@dataclass(frozen=True, slots=True, repr=False)
class Serve:
    """Host: the room is to be reachable from now on, as long as it lasts."""


@dataclass(frozen=True, slots=True, repr=False)
class Send:
    """These bytes go to one link alone, which is in its handshake."""

    link: int
    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """These frames, or none, go to one link alone. echo: an answer is wanted, be it an empty one."""

    link: int
    frames: tuple[Frame, ...] = ()
    echo: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Wake:
    """Host: the log has grown; links that have all before go on to send it."""


@dataclass(frozen=True, slots=True, repr=False)
class Sweep:
    """Host: something of the log is gone; no link may hold it any more."""


@dataclass(frozen=True, slots=True, repr=False)
class Pulse:
    """Host: these bytes go to every link that has all of the log."""

    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Admit:
    """The handshake on this link is over; what goes over it is records of this channel.

    At a host: these frames first, then what the reader gives.
    """

    link: int
    channel: Channel
    frames: tuple[Frame, ...] = ()
    reader: Reader | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Pause:
    """Host: nothing more of this link is to be read for so many seconds, at most limits.PAUSE."""

    link: int
    seconds: float


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


Effect = Tell | Dial | Serve | Send | Record | Wake | Sweep | Pulse | Admit | Pause | Finish | Drop
