"""What a room hears of files: from the user, and from what reads, serves and fetches them. See `room.inputs`."""

import shlex
from dataclasses import dataclass

from msgspec import UNSET

from anonp2p.errors import AnonError
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.file_events import TransferState


@dataclass(frozen=True, slots=True, repr=False)
class SendFileInput:
    """A file is to be offered: to the member with this nick, or to all. clean: without what it says of its maker.

    member: its id, where the user means nobody else who has that nick by now.
    """

    path: str
    nick: str = ""
    clean: bool = False
    re: events.Re = UNSET
    member: str = ""

    @property
    def line(self) -> str:
        """As it is given back if it cannot be sent."""
        words = ["/send", *(["--clean"] if self.clean else []), shlex.quote(self.path), self.nick]
        return " ".join(words).rstrip()


@dataclass(frozen=True, slots=True, repr=False)
class AcceptInput:
    """The file of the offer with this number is wanted. path: where; empty: in the downloads folder."""

    offer: int
    path: str = ""
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class DeclineInput:
    """A fetch is to stop; or an offer of another is to be hidden; or one of our own ends."""

    offer: int
    re: events.Re = UNSET


AnyFileInput = SendFileInput | AcceptInput | DeclineInput


@dataclass(frozen=True, slots=True, repr=False)
class FileReadInput:
    """What is to be offered under this number was read. name: without folders, 1 to limits.FILE_NAME characters.

    root: the hash of the list of hashes of its chunks.
    """

    number: int
    name: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, repr=False)
class FileFailedInput:
    """What is, or was to be, offered under this number cannot be read, cleaned or served any more."""

    number: int
    error: AnonError


@dataclass(frozen=True, slots=True, repr=False)
class TransferInput:
    """How far a file has come. done: bytes that are there; rate: bytes a second; detail: why it failed, or waits.

    peer: the member that fetches it from us; empty where we fetch it. path: where it is, once it is there.
    """

    number: int
    state: TransferState
    done: int
    rate: int
    detail: Reason | AnonError | None = None
    peer: bytes = b""
    path: str = ""


AnyTransferInput = FileReadInput | FileFailedInput | TransferInput
