"""What happens, as the user is told it: the events of the JSON interface, which the other modes put into words.

Field names and meanings are the interface's contract. `room` is an identifier of this process (`r1`), `member` a
spelled member id. `re` is the `id` of the input that caused the event, left out where there is none.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Re = int | str | UnsetType


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Something the user is told. Never shows what it holds."""

    re: Re = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Person(msgspec.Struct, frozen=True):
    """A member as shown: `tag` tells apart whoever a nick cannot."""

    member: str
    nick: str
    role: Literal["host", "member"]
    tag: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class TorProgress(Event, frozen=True, tag="tor"):
    """Tor is getting ready: 0 to 100, and what it is doing."""

    progress: int
    summary: str


class Ready(Event, frozen=True, tag="ready"):
    """Tor is usable: its version, and whose it is."""

    version: str
    tor: Literal["own", "system"]


class Entered(Event, frozen=True, tag="room"):
    """We are in a room."""

    room: str
    name: str
    code: str
    nick: str
    member: str
    role: Literal["host", "member"]
    members: list[Person]


class Reachable(Event, frozen=True, tag="reachable"):
    """Host: the room's onion service is published; others can join."""

    room: str


class Message(Event, frozen=True, tag="message"):
    """An ordered message; one of our own is the receipt for it. `at`: seconds since the epoch, by our own clock."""

    room: str
    member: str
    nick: str
    text: str
    seq: int
    at: float
    ttl: int | None = None
    action: bool = False
    private: bool = False
    to: str | UnsetType = UNSET  # whom a private one of our own is for
    mine: bool = False
    history: bool = False
    late: bool = False


class Expired(Event, frozen=True, tag="expired"):
    """A shown message has come to the end of its time."""

    room: str
    seq: int


class Unsent(Event, frozen=True, tag="unsent"):
    """A text of ours that could not be ordered, given back."""

    room: str
    text: str


class Joined(Event, frozen=True, tag="joined"):
    """A new member."""

    room: str
    member: str
    nick: str
    unknown_past: Literal[True] | UnsetType = UNSET  # so many nicks were given up here that this may be one of them


class Left(Event, frozen=True, tag="left"):
    """A member is gone: left, was lost, or was thrown out."""

    room: str
    member: str
    nick: str
    reason: Literal["left", "lost", "kicked"]


class Renamed(Event, frozen=True, tag="nick"):
    """A member, perhaps oneself, goes by another nick."""

    room: str
    member: str
    nick: str
    was: str
    unknown_past: Literal[True] | UnsetType = UNSET  # as in `Joined`


class Lookalike(Event, frozen=True, tag="lookalike"):
    """The nick of a member may be taken for another: one that a member had, one that a member has, or none of a member.

    of: "former": another member had `was`, and has it no more; "present": another member has it; "reserved": it is a
    word for the program, for a role or for the reader.
    """

    room: str
    member: str
    nick: str
    was: str  # what it may be taken for
    of: Literal["former", "present", "reserved"] = "former"
    spoke: bool = False  # whether the user was shown a message from one who had `was`


class Link(Event, frozen=True, tag="link"):
    """Our link to the room: what it is doing, in which attempt, and why."""

    room: str
    state: Literal["connecting", "up", "lost"]
    attempt: int
    detail: str


class Alarm(Event, frozen=True, tag="alarm"):
    """A host did what no honest program does."""

    room: str
    member: str
    reason: str


class Gone(Event, frozen=True, tag="gone"):
    """We are out of the room."""

    room: str
    reason: Literal["left", "closed", "kicked", "refused", "lost", "tor"]


class Reply(Event, frozen=True, tag="reply"):
    """The answer to a command, as data."""

    command: str
    data: Any
    room: str | UnsetType = UNSET


class Notice(Event, frozen=True, tag="notice"):
    """Something worth knowing, in a sentence."""

    text: str
    room: str | UnsetType = UNSET


class Error(Event, frozen=True, tag="error"):
    """Something did not work: a word for scripts, a sentence for people."""

    code: str
    text: str
    room: str | UnsetType = UNSET
