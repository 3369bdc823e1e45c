"""What the user is told: the events of the JSON interface, which the other modes put into words.

Field names and meanings are the interface's contract. `room` is an identifier of this process (`r1`), `member` a
spelled member id. `re` is the `id` of the input that caused the event, left out where there is none.
"""

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from anonp2p.errors import AnonError
from anonp2p.reasons import Reason

Re = int | str | UnsetType


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Something the user is told. Never shows what it holds."""

    re: Re = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Person(msgspec.Struct, frozen=True):
    """A member as shown: `tag` tells members apart whose nicks look the same.

    role: a host that is a moderator is "host". moderator: of every moderator, the host too if it is one.
    """

    member: str
    nick: str
    role: Literal["host", "moderator", "member", "muted"]
    tag: str
    moderator: Literal[True] | UnsetType = UNSET
    verified: bool | UnsetType = UNSET  # in the answer to /who: whether the user has verified it

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class TorProgressEvent(Event, frozen=True, tag="tor"):
    """Tor is getting ready: 0 to 100, and what it is doing."""

    type: ClassVar[Literal["tor"]] = "tor"
    progress: int
    summary: Reason


class ReadyEvent(Event, frozen=True, tag="ready"):
    """Tor is usable: its version, and whose it is."""

    type: ClassVar[Literal["ready"]] = "ready"
    version: str
    tor: Literal["own", "system"]


class TorSlowEvent(Event, frozen=True, tag="tor-slow"):
    """Tor is getting ready, but has made no progress for so many seconds. Other fields: see `TorProgressEvent`.

    warning: what is wrong, if that is known.
    """

    type: ClassVar[Literal["tor-slow"]] = "tor-slow"
    progress: int
    summary: Reason
    seconds: int
    warning: Reason | UnsetType = UNSET


class TorSkippedEvent(Event, frozen=True, tag="tor-skipped"):
    """A running Tor was found, and is not used. code, text: why, as in `ErrorEvent`."""

    type: ClassVar[Literal["tor-skipped"]] = "tor-skipped"
    code: str
    text: AnonError
    variable: str | UnsetType = UNSET  # of the environment, if it names this Tor


class StateInUseEvent(Event, frozen=True, tag="state-in-use"):
    """Another copy of the program uses what our own Tor keeps between runs: ours starts anew, and keeps nothing."""

    type: ClassVar[Literal["state-in-use"]] = "state-in-use"


class EnteredEvent(Event, frozen=True, tag="room"):
    """We are in a room. private: whether it is found with an invitation alone, and not by its code."""

    type: ClassVar[Literal["room"]] = "room"
    room: str
    name: str
    code: str
    nick: str
    member: str
    role: Literal["host", "member"]
    members: list[Person]
    private: Literal[True] | UnsetType = UNSET


class MessageEvent(Event, frozen=True, tag="message"):
    """An ordered message; one of our own is the receipt for it. `at`: seconds since the epoch, by our own clock.

    reply: the seq of the message that it refers to. reply_gone: it refers to a message that is not shown here, or no
    longer: without a seq if it never was. late: it had another place before, which was cut, and was not shown there.
    """

    type: ClassVar[Literal["message"]] = "message"
    room: str
    member: str
    nick: str
    text: str
    seq: int
    at: float
    reply: int | None = None
    reply_gone: Literal[True] | UnsetType = UNSET
    ttl: int | None = None
    action: bool = False
    private: bool = False
    to: str | UnsetType = UNSET  # whom a private one of our own is for
    mine: bool = False
    history: bool = False
    late: bool = False
    newcomer: Literal[True] | UnsetType = UNSET  # its author came lately; a frontend says so, as it saw it come


class ExpiredEvent(Event, frozen=True, tag="expired"):
    """A shown message has come to the end of its time, or its author has taken it back."""

    type: ClassVar[Literal["expired"]] = "expired"
    room: str
    seq: int
    retracted: bool = False


class UnsentEvent(Event, frozen=True, tag="unsent"):
    """A text of ours that could not be ordered, given back."""

    type: ClassVar[Literal["unsent"]] = "unsent"
    room: str
    text: str


class JoinedEvent(Event, frozen=True, tag="joined"):
    """A new member."""

    type: ClassVar[Literal["joined"]] = "joined"
    room: str
    member: str
    nick: str
    unknown_past: Literal[True] | UnsetType = UNSET  # so many nicks were given up here that this may be one of them


class LeftEvent(Event, frozen=True, tag="left"):
    """A member is gone: left, was lost, or was thrown out."""

    type: ClassVar[Literal["left"]] = "left"
    room: str
    member: str
    nick: str
    reason: Literal["left", "lost", "kicked"]
    why: str | UnsetType = UNSET  # if kicked: the host's words, perhaps none


class RenamedEvent(Event, frozen=True, tag="nick"):
    """A member, perhaps oneself, goes by another nick."""

    type: ClassVar[Literal["nick"]] = "nick"
    room: str
    member: str
    nick: str
    was: str
    unknown_past: Literal[True] | UnsetType = UNSET  # as in `JoinedEvent`


class LookalikeEvent(Event, frozen=True, tag="lookalike"):
    """The nick of a member may be taken for another: one that a member had, one that a member has, or none of a member.

    of: "former": another member had `was`, and has it no more; "present": another member has it; "reserved": it is a
    word for the program, for a role or for the reader.
    """

    type: ClassVar[Literal["lookalike"]] = "lookalike"
    room: str
    member: str
    nick: str
    was: str  # what it may be taken for
    of: Literal["former", "present", "reserved"] = "former"
    spoke: bool = False  # whether the user was shown a message from one who had `was`


class VerifiedEvent(Event, frozen=True, tag="verified"):
    """The user has compared safety words with a member."""

    type: ClassVar[Literal["verified"]] = "verified"
    room: str
    member: str
    nick: str
    verified: bool  # whether they were the same


class NickUnchangedEvent(Event, frozen=True, tag="unchanged-nick"):
    """`/nick` changed nothing: the nick is ours already."""

    type: ClassVar[Literal["unchanged-nick"]] = "unchanged-nick"
    room: str
    nick: str


class NickAssignedEvent(Event, frozen=True, tag="assigned-nick"):
    """We are in the room under another nick than the one we asked for, which another member has."""

    type: ClassVar[Literal["assigned-nick"]] = "assigned-nick"
    room: str
    nick: str
    wanted: str
    free_in: int | None  # seconds after which it may be free, as its owner is away; None if its owner is present


class RetentionRuleEvent(Event, frozen=True, tag="retention"):
    """On entering: how long messages are kept in this room. Seconds; 0: not kept; None: until the room ends."""

    type: ClassVar[Literal["retention"]] = "retention"
    room: str
    minimum: int | None
    default: int | None
    maximum: int | None


class HistoryRuleEvent(Event, frozen=True, tag="history"):
    """On entering: what newcomers to this room are shown. One of the two is None."""

    type: ClassVar[Literal["history"]] = "history"
    room: str
    messages: int | None  # the last so many
    seconds: int | None  # those of the last so many seconds


class CoverOnEvent(Event, frozen=True, tag="cover"):
    """On entering: what is said goes out in the slots of cover traffic, on each link of ours."""

    type: ClassVar[Literal["cover"]] = "cover"
    room: str
    rate: float  # bytes a second, on average, of what is sent on each link, and of what answers it
    wait: float  # seconds for which a message waits for its slot at most, unless others wait for theirs


class CutEvent(Event, frozen=True, tag="cut"):
    """Two halves of the room met, and so many messages of our half lost their places.

    What their authors still have comes again: as `MovedEvent` what was shown, with `late` what was not.
    """

    type: ClassVar[Literal["cut"]] = "cut"
    room: str
    count: int


class MovedEvent(Event, frozen=True, tag="moved"):
    """A message that was shown has another place, after a change of host."""

    type: ClassVar[Literal["moved"]] = "moved"
    room: str
    was: int
    seq: int


class EntriesMissedEvent(Event, frozen=True, tag="missed"):
    """Entries of the room are missing here and will never be shown: we were away for too long, or read too slowly.

    lagging: they were not entries but events, and it is the program on the library that read too slowly.
    """

    type: ClassVar[Literal["missed"]] = "missed"
    room: str
    count: int
    verified: bool  # whether their place in the log is proven
    lagging: Literal[True] | UnsetType = UNSET


class ExpiredUnseenEvent(Event, frozen=True, tag="expired-unseen"):
    """Messages expired before they reached us."""

    type: ClassVar[Literal["expired-unseen"]] = "expired-unseen"
    room: str
    count: int


class LinkEvent(Event, frozen=True, tag="link"):
    """Our link to the room: what it is doing, in which attempt."""

    type: ClassVar[Literal["link"]] = "link"
    room: str
    state: Literal["connecting", "up", "lost"]
    attempt: int
    detail: Reason  # why it was lost, or why the last try failed
    knocking: Literal[True] | UnsetType = UNSET  # we wait until a moderator lets us in


class AlarmEvent(Event, frozen=True, tag="alarm"):
    """A host, or one who holds the key of the room's code, did what no honest program does."""

    type: ClassVar[Literal["alarm"]] = "alarm"
    room: str
    member: str  # who did it; empty where it is not known who of several did
    reason: Reason


class GoneEvent(Event, frozen=True, tag="gone"):
    """We are out of the room."""

    type: ClassVar[Literal["gone"]] = "gone"
    room: str
    reason: Literal["left", "closed", "kicked", "refused", "lost", "tor"]


class ReplyEvent(Event, frozen=True, tag="reply"):
    """The answer to a command, as data."""

    type: ClassVar[Literal["reply"]] = "reply"
    command: str
    data: Any
    room: str | UnsetType = UNSET


class NoticeEvent(Event, frozen=True, tag="notice"):
    """Something worth knowing, in a sentence."""

    type: ClassVar[Literal["notice"]] = "notice"
    text: str
    room: str | UnsetType = UNSET


class ErrorEvent(Event, frozen=True, tag="error"):
    """Something did not work: a word for scripts, and what becomes a sentence for people."""

    type: ClassVar[Literal["error"]] = "error"
    code: str
    text: AnonError
    room: str | UnsetType = UNSET
    final: Literal[True] | UnsetType = UNSET  # the room, or without `room` the program, ends because of it
