"""Which room is active, and which of several is meant."""

from dataclasses import dataclass, replace

import pytest

from anonp2p.errors import BadInput
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.ui.rooms import Rooms, label_room, number_room

SNAPSHOT = Snapshot("work", "abc.onion", "zoe", "m", True, "zoe", True, 2, 0, False, None, True)


@dataclass
class Kept:
    """What a frontend keeps of a room."""

    name: str


@dataclass
class View:
    """A live room."""

    shown: Snapshot

    def snapshot(self) -> Snapshot:
        return self.shown

    def members(self) -> list[MemberView]:
        return []

    def banned(self) -> list[str]:
        return []


def rooms_named(*names: str) -> Rooms[Kept]:
    """r1, r2, ... of these names."""
    rooms: Rooms[Kept] = Rooms()
    for number, name in enumerate(names, 1):
        rooms.open_room(label_room(number), Kept(name))
    return rooms


@pytest.mark.parametrize("wanted", ["2", "r2", "work"])
def test_a_room_is_found_by_its_number_label_and_name(wanted: str) -> None:
    assert rooms_named("home", "work", "home").find_room(wanted) == "r2"


@pytest.mark.parametrize("wanted", ["home", "nowhere", "", "0", "4", "r0", "02", "²"])
def test_no_room_is_guessed(wanted: str) -> None:
    rooms = rooms_named("home", "work", "home", "")
    rooms.close_room("r4")
    with pytest.raises(BadInput, match="/rooms lists them"):
        rooms.activate_room(wanted)
    assert rooms.active is None


@pytest.mark.parametrize("wanted", ["1", "r1"])
def test_no_name_hides_the_number_or_label_of_another_room(wanted: str) -> None:
    assert rooms_named("home", wanted).find_room(wanted) == "r1"


def test_a_room_keeps_its_number_when_another_one_ends() -> None:
    rooms = rooms_named("home", "work")
    rooms.close_room("r1")
    assert rooms.find_room("2") == "r2"
    with pytest.raises(BadInput):
        rooms.find_room("1")
    assert number_room("r2") == "2"


def test_a_room_is_active_once_it_is_asked_for_and_until_another_is() -> None:
    rooms = rooms_named("home", "")
    assert rooms.active == "r2"
    assert rooms.activate_room("home") == rooms.active == "r1"
    rooms.close_room("r2")
    assert rooms.active == "r1"


def test_no_room_takes_the_place_of_one_that_has_ended() -> None:
    rooms = rooms_named("home", "work")
    rooms.close_room("r2")
    assert rooms.active is None


def test_the_list_of_rooms_has_what_is_known_of_each() -> None:
    rooms = rooms_named("home", "work", "")
    joining = replace(SNAPSHOT, name="", hosting=False, members=0, alarmed=False)
    live = {"r2": View(SNAPSHOT), "r3": View(joining)}
    over, hosted, joined = rooms.list_rooms(live.get)
    assert (over["room"], over["name"], over["role"], over["code"]) == ("r1", "home", "over", "")
    assert hosted == {
        "room": "r2",
        "name": "work",
        "code": "abc.onion",
        "role": "host",
        "members": 2,
        "active": False,
        "alarm": True,
    }
    assert (joined["name"], joined["role"], joined["active"], joined["alarm"]) == ("", "member", True, False)
