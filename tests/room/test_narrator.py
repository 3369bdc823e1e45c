"""What the user is told of a change."""

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import room_state
from anonp2p.room import changes, events
from anonp2p.room.changes import Caution, Change
from anonp2p.room.message_index import MessageIndex
from anonp2p.room.moderation_events import AbsentRemovedEvent, LockChangedEvent, SelfKickedEvent
from anonp2p.room.narrator import Narrator
from anonp2p.room.offers import OfferBook
from anonp2p.room.retention import ANY, NO_HISTORY

ANN = b"ann" + bytes(13)
SPELLED = identity.spell_member(ANN)
SAID = changes.MessageChange(member=ANN, counter=3, nick="ann", text="hello", seq=7, ttl=60, age=2.0)
FORMER = Caution(ANN, "ann", "Ann", "former", spoke=True)
PRESENT = Caution(ANN, "ann", "anm", "present")
CAUTIONS = [
    events.LookalikeEvent(room="r1", member=SPELLED, nick="ann", was="Ann", of="former", spoke=True),
    events.LookalikeEvent(room="r1", member=SPELLED, nick="ann", was="anm", of="present"),
]


def left(reason: str, re: events.Re = UNSET, why: str | UnsetType = UNSET) -> events.LeftEvent:
    return events.LeftEvent(room="r1", member=SPELLED, nick="ann", reason=reason, why=why, re=re)  # type: ignore[arg-type]


# Change, whether one of ours asked for it, events
TABLE: list[tuple[Change, bool, list[events.Event]]] = [
    (
        changes.JoinedChange(ANN, "ann", True, (FORMER, PRESENT)),
        False,
        [events.JoinedEvent(room="r1", member=SPELLED, nick="ann", unknown_past=True), *CAUTIONS],
    ),
    (changes.JoinedChange(ANN, "ann", False, ()), False, [events.JoinedEvent(room="r1", member=SPELLED, nick="ann")]),
    (
        changes.RenamedChange(ANN, "ann", "bob", True, (FORMER,)),
        True,
        [
            events.RenamedEvent(room="r1", member=SPELLED, nick="ann", was="bob", unknown_past=True, re=3),
            CAUTIONS[0],
        ],
    ),
    (changes.BackChange(ANN, "ann", mine=False), False, [events.JoinedEvent(room="r1", member=SPELLED, nick="ann")]),
    (changes.BackChange(ANN, "ann", mine=True), False, []),
    (changes.AwayChange(ANN, "ann", mine=False), False, [left("lost")]),
    (changes.AwayChange(ANN, "ann", mine=True), False, []),
    (changes.LeftChange(ANN, "ann", mine=False), False, [left("left")]),
    (changes.LeftChange(ANN, "ann", mine=True), True, []),
    (changes.RemovedChange(ANN, "ann", "kicked", "why", away=False, mine=False), True, [left("kicked", 3, "why")]),
    (changes.RemovedChange(ANN, "ann", "kicked", "", away=True, mine=False), False, []),
    (
        changes.RemovedChange(ANN, "ann", "kicked", "", away=True, mine=False),
        True,
        [AbsentRemovedEvent(room="r1", member=SPELLED, nick="ann", re=3)],
    ),
    (
        changes.RemovedChange(ANN, "ann", "kicked", "spam", away=False, mine=True),
        False,
        [SelfKickedEvent(room="r1", why="spam")],
    ),
    (
        changes.RemovedChange(ANN, "ann", "kicked", "", away=False, mine=True),
        False,
        [SelfKickedEvent(room="r1", why="")],
    ),
    (changes.RemovedChange(ANN, "ann", "lost", "", away=True, mine=False), False, []),
    (changes.RemovedChange(ANN, "ann", "lost", "", away=True, mine=True), False, []),
    (
        changes.CommitChange((changes.RemovedChange(ANN, "ann", "kicked", "", away=False, mine=False),), renew=False),
        False,
        [left("kicked", why="")],
    ),
    (
        changes.LockedChange(ANN, locked=True),
        True,
        [LockChangedEvent(room="r1", locked=True, member=SPELLED, re=3)],
    ),
    (
        changes.LockedChange(ANN, locked=False),
        False,
        [LockChangedEvent(room="r1", locked=False, member=SPELLED)],
    ),
    (changes.KeyRenewedChange(ANN), False, []),
    (changes.ClosedChange(), False, []),
    (changes.HiddenChange(), False, []),
]


@pytest.mark.parametrize(("change", "ours", "told"), TABLE)
def test_each_change_is_told(change: Change, ours: bool, told: list[events.Event]) -> None:
    assert Narrator("r1", MessageIndex(), OfferBook()).describe_change(change, 1000.0, 3 if ours else UNSET) == told


def test_a_message_is_told_as_of_when_it_was_ordered() -> None:
    [message] = Narrator("r1", MessageIndex(), OfferBook()).describe_change(SAID, 1000.0, 3)
    assert message == events.MessageEvent(
        room="r1", member=SPELLED, nick="ann", text="hello", seq=7, at=998.0, ttl=60, re=3
    )


@pytest.mark.parametrize(("ttl", "told"), [(KEPT, None), (FLEETING, 0), (5, 5)])
def test_a_time_to_live_is_told_as_in_the_interface(ttl: int, told: int | None) -> None:
    [message] = Narrator("r1", MessageIndex(), OfferBook()).describe_change(
        msgspec.structs.replace(SAID, ttl=ttl), 1000.0
    )
    assert isinstance(message, events.MessageEvent)
    assert message.ttl == told


def test_whom_a_private_message_of_ours_is_for_is_told() -> None:
    own = msgspec.structs.replace(SAID, peer=b"bob" + bytes(13), to="bob", mine=True)
    [message] = Narrator("r1", MessageIndex(), OfferBook()).describe_change(own, 1000.0)
    assert isinstance(message, events.MessageEvent)
    assert (message.private, message.to, message.mine, message.history) == (True, "bob", True, False)


def test_of_the_history_only_messages_and_former_owners_of_nicks_are_told() -> None:
    narrator = Narrator("r1", MessageIndex(), OfferBook())
    [message] = narrator.describe_history_change(SAID, 1000.0)
    assert isinstance(message, events.MessageEvent)
    assert (message.history, message.re) == (True, UNSET)
    for change, _, _ in TABLE:
        cautions = getattr(change, "cautions", ())
        assert narrator.describe_history_change(change, 1000.0) == (CAUTIONS[:1] if cautions else [])


@pytest.mark.parametrize(
    ("change", "end"),
    [
        (changes.LeftChange(ANN, "ann", mine=True), "left"),
        (changes.ClosedChange(), "closed"),
        (changes.RemovedChange(ANN, "ann", "kicked", "", away=False, mine=True), "kicked"),
        (changes.RemovedChange(ANN, "ann", "lost", "", away=True, mine=True), "lost"),
        (changes.RemovedChange(ANN, "ann", "kicked", "", away=False, mine=False), None),
        (changes.LeftChange(ANN, "ann", mine=False), None),
        (changes.AwayChange(ANN, "ann", mine=True), None),
        (SAID, None),
    ],
)
def test_some_changes_are_the_end_of_the_room_for_us(change: Change, end: str | None) -> None:
    assert changes.end_of(change) == end


@pytest.mark.parametrize(
    ("retention", "history", "told"),
    [
        (ANY, NO_HISTORY, []),
        (
            room_state.RetentionPolicy(FLEETING, 300, KEPT),
            NO_HISTORY,
            [events.RetentionRuleEvent(room="r1", minimum=0, default=300, maximum=None)],
        ),
        (ANY, room_state.HistoryPolicy(3, 0), [events.HistoryRuleEvent(room="r1", messages=3, seconds=None)]),
        (ANY, room_state.HistoryPolicy(0, 60), [events.HistoryRuleEvent(room="r1", messages=None, seconds=60)]),
        (
            room_state.RetentionPolicy(5, 5, 5),
            room_state.HistoryPolicy(1, 0),
            [
                events.RetentionRuleEvent(room="r1", minimum=5, default=5, maximum=5),
                events.HistoryRuleEvent(room="r1", messages=1, seconds=None),
            ],
        ),
    ],
)
def test_rules_are_told_where_they_are_not_as_in_other_rooms(
    retention: room_state.RetentionPolicy, history: room_state.HistoryPolicy, told: list[events.Event]
) -> None:
    assert Narrator("r1", MessageIndex(), OfferBook()).describe_rules(retention, history) == told


def test_no_change_shows_what_it_holds_by_repr() -> None:
    assert "hello" not in repr(SAID)
    assert "ann" not in repr(FORMER)
