"""Events as programs are given them: what the core knows as a type is a sentence, as people read it.

JSON lines and the library both pass these on: their fields are the keys that docs/JSON.md lists. An event that holds
neither a reason nor an error is passed on as it is.
"""

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, UnsetType

from anonp2p.errors import AnonError, Unreachable
from anonp2p.reasons import Reason
from anonp2p.room import events, file_events, hosting_events, moderation_events
from anonp2p.ui.reasons import describe_error, describe_reason


class _Spelled(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """The twin of an event, which says what its fields mean. Never shows what it holds."""

    re: events.Re = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class SpelledTorProgressEvent(_Spelled, frozen=True, tag="tor"):
    """See `events.TorProgressEvent`."""

    type: ClassVar[Literal["tor"]] = "tor"
    progress: int
    summary: str


class SpelledTorSlowEvent(_Spelled, frozen=True, tag="tor-slow"):
    """See `events.TorSlowEvent`."""

    type: ClassVar[Literal["tor-slow"]] = "tor-slow"
    progress: int
    summary: str
    seconds: int
    warning: str | UnsetType = UNSET


class SpelledTorSkippedEvent(_Spelled, frozen=True, tag="tor-skipped"):
    """See `events.TorSkippedEvent`."""

    type: ClassVar[Literal["tor-skipped"]] = "tor-skipped"
    code: str
    text: str
    variable: str | UnsetType = UNSET


class SpelledLinkEvent(_Spelled, frozen=True, tag="link"):
    """See `events.LinkEvent`."""

    type: ClassVar[Literal["link"]] = "link"
    room: str
    state: Literal["connecting", "up", "lost"]
    attempt: int
    detail: str
    knocking: Literal[True] | UnsetType = UNSET


class SpelledAlarmEvent(_Spelled, frozen=True, tag="alarm"):
    """See `events.AlarmEvent`."""

    type: ClassVar[Literal["alarm"]] = "alarm"
    room: str
    member: str
    reason: str


class SpelledErrorEvent(_Spelled, frozen=True, tag="error"):
    """See `events.ErrorEvent`."""

    type: ClassVar[Literal["error"]] = "error"
    code: str
    text: str
    room: str | UnsetType = UNSET
    final: Literal[True] | UnsetType = UNSET


class SpelledTransferEvent(_Spelled, frozen=True, tag="transfer"):
    """See `file_events.TransferEvent`."""

    type: ClassVar[Literal["transfer"]] = "transfer"
    room: str
    offer: int
    state: Literal["connecting", "running", "done", "failed", "ended"]
    name: str
    mine: bool
    bytes: int
    size: int
    rate: int = 0
    detail: str = ""
    member: str | UnsetType = UNSET
    nick: str | UnsetType = UNSET
    path: str | UnsetType = UNSET


class SpelledUnreachedEvent(_Spelled, frozen=True, tag="unreached"):
    """See `hosting_events.UnreachedEvent`."""

    type: ClassVar[Literal["unreached"]] = "unreached"
    room: str
    reason: str


PlainEvent = (
    SpelledTorProgressEvent
    | SpelledTorSlowEvent
    | SpelledTorSkippedEvent
    | SpelledLinkEvent
    | SpelledAlarmEvent
    | SpelledErrorEvent
    | SpelledTransferEvent
    | SpelledUnreachedEvent
    | events.ReadyEvent
    | events.StateInUseEvent
    | events.EnteredEvent
    | events.MessageEvent
    | events.ExpiredEvent
    | events.UnsentEvent
    | events.JoinedEvent
    | events.LeftEvent
    | events.RenamedEvent
    | events.LookalikeEvent
    | events.VerifiedEvent
    | events.NickUnchangedEvent
    | events.NickAssignedEvent
    | events.RetentionRuleEvent
    | events.HistoryRuleEvent
    | events.CoverOnEvent
    | events.CutEvent
    | events.MovedEvent
    | events.EntriesMissedEvent
    | events.ExpiredUnseenEvent
    | events.GoneEvent
    | events.ReplyEvent
    | events.NoticeEvent
    | file_events.OfferEvent
    | hosting_events.ReachableEvent
    | hosting_events.HostEvent
    | hosting_events.HostingEvent
    | hosting_events.HeirsEvent
    | hosting_events.HeirEvent
    | hosting_events.LeaveEndsRoomEvent
    | hosting_events.LeaveHandsOverEvent
    | hosting_events.CodeEvent
    | hosting_events.UndefendedEvent
    | moderation_events.AnyModerationEvent
)

EventType = Literal[
    "tor",
    "tor-slow",
    "tor-skipped",
    "link",
    "alarm",
    "error",
    "transfer",
    "unreached",
    "ready",
    "state-in-use",
    "room",
    "message",
    "expired",
    "unsent",
    "joined",
    "left",
    "nick",
    "lookalike",
    "verified",
    "unchanged-nick",
    "assigned-nick",
    "retention",
    "history",
    "cover",
    "cut",
    "moved",
    "missed",
    "expired-unseen",
    "gone",
    "reply",
    "notice",
    "offer",
    "reachable",
    "host",
    "hosting",
    "heirs",
    "heir",
    "leave-ends-room",
    "leave-hands-over",
    "code",
    "undefended",
    "locked",
    "unchanged-lock",
    "knock",
    "slow",
    "raid",
    "role",
    "ban",
    "kept",
    "waiting",
    "kicked",
    "removed",
]  # of all of these

_TWINS: dict[type[events.Event], type[Any]] = {
    events.TorProgressEvent: SpelledTorProgressEvent,
    events.TorSlowEvent: SpelledTorSlowEvent,
    events.TorSkippedEvent: SpelledTorSkippedEvent,
    events.LinkEvent: SpelledLinkEvent,
    events.AlarmEvent: SpelledAlarmEvent,
    events.ErrorEvent: SpelledErrorEvent,
    file_events.TransferEvent: SpelledTransferEvent,
    hosting_events.UnreachedEvent: SpelledUnreachedEvent,
}


def spell_event(event: events.Event) -> PlainEvent:
    """The event as programs are given it; the data of a reply is made of what JSON has."""
    twin = _TWINS.get(type(event))
    if twin is not None:
        spelled: PlainEvent = twin(**{name: _spell(getattr(event, name)) for name in event.__struct_fields__})
        return spelled
    if isinstance(event, events.ReplyEvent):
        return msgspec.structs.replace(event, data=msgspec.to_builtins(event.data, enc_hook=_spell))
    return event  # type: ignore[return-value]  # a test checks that each kind is one of these


def spell_error(error: AnonError) -> AnonError:
    """The error as programs are given it: `str` of it is the sentence that people read."""
    if isinstance(error, Unreachable):
        error.detail = describe_reason(error.reason)
    return error


def _spell(value: Any) -> Any:
    match value:
        case AnonError():
            return describe_error(value)
        case Reason():
            return describe_reason(value)
    return value
