"""What the lines of a room begin with."""

import pytest

from anonp2p.room import events
from anonp2p.ui import wording
from anonp2p.ui.line.prefixes import RoomPrefixes

PERSON = events.Person(member="m", nick="ann", role="member", tag="abcd")


def entered(room: str, name: str) -> events.EnteredEvent:
    return events.EnteredEvent(room=room, name=name, code="c", nick="me", member="m", role="member", members=[PERSON])


def told_from(prefixes: RoomPrefixes, room: str) -> str:
    """What a message in this room begins with."""
    event = events.MessageEvent(room=room, member="m", nick="ann", text="hi", seq=1, at=0.0)
    return wording.format_line(event, prefixes.prefix_event(event)).removesuffix("ann: hi")


def in_rooms(*names: str) -> RoomPrefixes:
    """In rooms of these names, labelled in this order."""
    prefixes = RoomPrefixes()
    for number, name in enumerate(names, 1):
        prefixes.prefix_event(entered(f"r{number}", name))
    return prefixes


def test_a_lone_room_is_not_named_and_several_are() -> None:
    assert told_from(in_rooms("den"), "r1") == ""
    prefixes = in_rooms("den", "pub")
    assert [told_from(prefixes, room) for room in ("r1", "r2")] == ["den/", "pub/"]


@pytest.mark.parametrize(
    "name",
    [
        *("friends", "Friends", "friеnds", "fr1ends", "friencls", "fri-ends", "FRIEND5"),
        *("r1", "r3", "R9", "rl", "г1", "SYSTEM", "Tor", "5ystem"),
    ],
)
def test_a_room_that_could_be_taken_for_another_or_the_program_is_shown_by_its_label(name: str) -> None:
    prefixes = in_rooms("friends", name, "other")
    assert [told_from(prefixes, room) for room in ("r1", "r2", "r3")] == ["friends/", "r2/", "other/"]
    lone = in_rooms(name)
    assert told_from(lone, "r1") == "", "there is no other"


def test_what_a_rooms_lines_begin_with_does_not_change_while_one_is_in_it() -> None:
    prefixes = in_rooms("friends", "friеnds", "other")
    prefixes.prefix_event(events.GoneEvent(room="r1", reason="left"))
    assert told_from(prefixes, "r2") == "r2/"
    prefixes.prefix_event(entered("r2", "friеnds"))  # back in, after one was away for long
    assert told_from(prefixes, "r2") == "r2/"
    prefixes.prefix_event(entered("r4", "friends"))
    assert [told_from(prefixes, room) for room in ("r2", "r4")] == ["r2/", "friends/"]


def test_a_room_that_is_not_entered_yet_is_shown_by_its_label() -> None:
    prefixes = in_rooms("den")
    assert told_from(prefixes, "r2") == "r2/"
    prefixes.prefix_event(entered("r2", "pub"))
    assert told_from(prefixes, "r2") == "pub/"
