"""What of a room is new, and what calls the user."""

import pytest

from anonp2p.room import events
from anonp2p.ui.attention import Attention, Level


def in_room(role: str = "member") -> Attention:
    attention = Attention()
    entered = events.EnteredEvent(
        room="r1",
        name="demo",
        code="c",
        nick="ada",
        member="a",
        role="host" if role == "host" else "member",
        members=[],
    )
    attention.take_event(entered, seen=True)
    return attention


def said(text: str, *, private: bool = False, mine: bool = False, history: bool = False) -> events.MessageEvent:
    return events.MessageEvent(
        room="r1", member="b", nick="ben", text=text, seq=1, at=0.0, private=private, mine=mine, history=history
    )


MESSAGES = [
    said("hello"),
    said("hello Ada!"),
    said("hello adam"),
    said("psst", private=True),
    said("ada was here", history=True),
    said("I am ada", mine=True),
]


@pytest.mark.parametrize(
    ("level", "calls", "unread", "mentions", "counted"),
    [
        ("all", [True, True, True, True, False, False], 4, 2, 4),
        ("mentions", [False, True, False, True, False, False], 4, 2, 2),
        ("none", [False] * 6, 0, 0, 0),
    ],
)
def test_what_calls_is_what_the_user_has_chosen(
    level: Level, calls: list[bool], unread: int, mentions: int, counted: int
) -> None:
    attention = in_room()
    attention.set_level(level)
    assert [attention.take_event(message, seen=False) for message in MESSAGES] == calls
    assert (attention.unread, attention.mentions, attention.calls) == (unread, mentions, counted)


def test_at_first_mentions_call_and_what_is_seen_is_not_counted() -> None:
    attention = in_room()
    assert attention.level == "mentions"
    assert attention.take_event(said("ada?"), seen=True)
    assert (attention.unread, attention.calls) == (0, 0)


def test_a_room_that_is_silenced_forgets_its_count() -> None:
    attention = in_room()
    attention.take_event(said("ada?"), seen=False)
    attention.set_level("none")
    assert (attention.unread, attention.mentions) == (0, 0)


def test_a_new_nick_is_the_one_that_calls() -> None:
    attention = in_room()
    attention.take_event(events.RenamedEvent(room="r1", member="a", was="ada", nick="lovelace"), seen=True)
    assert not attention.take_event(said("ada?"), seen=False)
    assert attention.take_event(said("lovelace?"), seen=False)


@pytest.mark.parametrize(
    ("role", "level", "calls"), [("host", "mentions", True), ("host", "none", False), ("member", "all", False)]
)
def test_the_first_guest_in_ones_own_room_calls_and_no_other(role: str, level: Level, calls: bool) -> None:
    attention = in_room(role)
    attention.set_level(level)
    joined = [events.JoinedEvent(room="r1", member=nick, nick=nick) for nick in ("ben", "cho")]
    assert [attention.take_event(event, seen=True) for event in joined] == [calls, False]
