"""What a room wants done. No effect shows in its `repr` what it holds."""

import math
from dataclasses import dataclass

from anonp2p.names.codes import RoomKey
from anonp2p.protocol.bodies import FileOffer
from anonp2p.protocol.frames import Frame
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import Fault, LinkEnd
from anonp2p.room import events
from anonp2p.room.log.reader import LogReader


@dataclass(frozen=True, slots=True, repr=False)
class TellEffect:
    """The user is shown this event."""

    event: events.Event


@dataclass(frozen=True, slots=True, repr=False)
class DialEffect:
    """Dial an onion service; if that fails, `inputs.DialFailedInput` says why. A `DropEffect` calls it off.

    link: the number that the link has from now on: negative, and no dial before had it. No two share a circuit.
    address: the public key of the service. seconds: after which to give up.
    returns: whether we have been in, so that it is the turn of one of our rooms after the other. pause: seconds to wait
    after the room before; or, if it is not for turns, once there is a network that had to be waited for. fresh: the
    network looks anew where the service is. client_key: by which a private room is found; empty for others.
    """

    link: int
    address: bytes
    seconds: float
    returns: bool
    pause: float
    fresh: bool = False
    client_key: bytes = b""


@dataclass(frozen=True, slots=True, repr=False)
class ServeEffect:
    """The onion service with this key is to be reachable from now on, until its network is lost.

    `inputs.PublishedInput` and `inputs.UnpublishedInput` tell of both. It is not asked for again before the latter, or
    a `StopServingEffect`. returns, pause: as in `DialEffect`. clients: the X25519 public keys of those who may find it,
    of a private room; empty: everybody may.
    """

    key: RoomKey
    returns: bool
    pause: float
    clients: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class StopServingEffect:
    """This service of ours takes no new links any more. Those that are up stay, for what is still to be sent."""

    address: bytes


@dataclass(frozen=True, slots=True, repr=False)
class SendEffect:
    """These bytes go to one link alone, which is in its handshake; it ends if nothing comes for so many seconds."""

    link: int
    data: bytes
    seconds: float = math.inf


@dataclass(frozen=True, slots=True, repr=False)
class RecordEffect:
    """These frames, or none, go to one link alone. echo: an answer is wanted, as this is a slot of a member's cover."""

    link: int
    frames: tuple[Frame, ...] = ()
    echo: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class WakeEffect:
    """Host: the log has grown; links that have all before go on to send it."""


@dataclass(frozen=True, slots=True, repr=False)
class SweepEffect:
    """Host: something of the log is gone; no link may hold it any more."""


@dataclass(frozen=True, slots=True, repr=False)
class HeartbeatEffect:
    """Host: these bytes go to every link that has all of the log."""

    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class AdmitEffect:
    """The handshake on this link is over; what goes over it is records of this channel.

    frames: what goes out first; then, at a host, what the reader gives.
    """

    link: int
    channel: Channel
    frames: tuple[Frame, ...] = ()
    reader: LogReader | None = None


@dataclass(frozen=True, slots=True, repr=False)
class HoldEffect:
    """Host: who has dialled waits on this link: records of this channel go over it, none of them long."""

    link: int
    channel: Channel


@dataclass(frozen=True, slots=True, repr=False)
class PauseEffect:
    """Host: nothing more of this link is to be read for so many seconds, at most limits.READ_PAUSE."""

    link: int
    seconds: float


@dataclass(frozen=True, slots=True, repr=False)
class CoverEffect:
    """Host: from now on whatever is for this link waits for the answers to its slots (PROTOCOL.md, 2.10)."""

    link: int


@dataclass(frozen=True, slots=True, repr=False)
class AnswerEffect:
    """Host: one answer goes out on this link: the first of what waits, or an empty record."""

    link: int


@dataclass(frozen=True, slots=True, repr=False)
class FinishEffect:
    """The link is closed, after these bytes and whatever it still has to get of the log."""

    link: int
    data: bytes = b""


@dataclass(frozen=True, slots=True, repr=False)
class DropEffect:
    """The link is closed at once, for this reason; or it is dialled no more, of which we hear nothing again."""

    link: int
    reason: Fault | LinkEnd


@dataclass(frozen=True, slots=True, repr=False)
class ReadFileEffect:
    """Read this file, which is to be offered under this number: `FileReadInput` or `FileFailedInput` tells of it.

    clean: a copy of it is to be offered, without what it says of its maker.
    """

    number: int
    path: str
    clean: bool


@dataclass(frozen=True, slots=True, repr=False)
class ServeFileEffect:
    """What was read under this number is to be served by the onion service with this key, until it is stopped.

    secret: as in the offer.
    """

    number: int
    key: RoomKey
    secret: bytes


@dataclass(frozen=True, slots=True, repr=False)
class FetchFileEffect:
    """The file of this offer is to be fetched; `TransferInput` tells how far it is.

    name: as its author gave it. path: as the user typed it; empty: in the downloads folder.
    """

    number: int
    name: str
    offer: FileOffer
    path: str


@dataclass(frozen=True, slots=True, repr=False)
class StopFileEffect:
    """Reading, serving or fetching the file of this offer ends now.

    forgets: whether what has come of it goes with it; else that can be gone on with.
    """

    number: int
    forgets: bool = False


FileEffect = ReadFileEffect | ServeFileEffect | FetchFileEffect | StopFileEffect
Effect = (
    TellEffect
    | DialEffect
    | ServeEffect
    | StopServingEffect
    | SendEffect
    | RecordEffect
    | WakeEffect
    | SweepEffect
    | HeartbeatEffect
    | AdmitEffect
    | HoldEffect
    | PauseEffect
    | CoverEffect
    | AnswerEffect
    | FinishEffect
    | DropEffect
    | FileEffect
)
