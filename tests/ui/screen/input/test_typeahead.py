"""Keys that are pressed while a room is being opened."""

from anonp2p import limits
from anonp2p.ui.screen.input.typeahead import Typeahead

SIZE = (80, 24)


def pressed(typeahead: Typeahead) -> list[str]:
    """The keys that come once the room is there."""
    keys: list[str] = []
    typeahead.end(lambda _, key: keys.append(key))
    return keys


def test_keys_are_held_until_the_room_is_there_and_come_in_their_order() -> None:
    typeahead = Typeahead()
    assert not typeahead.hold_key(SIZE, "a")
    typeahead.begin(7)
    assert all(typeahead.hold_key(SIZE, key) for key in "bcd")
    assert pressed(typeahead) == ["b", "c", "d"]
    assert not typeahead.hold_key(SIZE, "e")
    assert pressed(typeahead) == []


def test_only_the_input_that_asked_for_the_room_is_awaited() -> None:
    typeahead = Typeahead()
    assert not typeahead.is_awaiting(0)
    typeahead.begin(7)
    assert typeahead.is_awaiting(7)
    assert not typeahead.is_awaiting(8)
    typeahead.end(lambda _, key: None)
    assert not typeahead.is_awaiting(7)


def test_keys_after_one_that_asks_for_another_room_are_held_for_that_room() -> None:
    typeahead = Typeahead()
    typeahead.begin(1)
    for key in ("a", "enter", "b", "c"):
        typeahead.hold_key(SIZE, key)
    keys: list[str] = []

    def press(size: tuple[int, int], key: str) -> None:
        if typeahead.hold_key(size, key):
            return
        keys.append(key)
        if key == "enter":
            typeahead.begin(2)

    typeahead.end(press)
    assert keys == ["a", "enter"]
    typeahead.end(press)
    assert keys == ["a", "enter", "b", "c"]


def test_of_many_keys_the_last_are_dropped() -> None:
    typeahead = Typeahead()
    typeahead.begin(1)
    paste = "x" * limits.INPUT_LINE
    assert all(typeahead.hold_key(SIZE, key) for key in (paste, paste, paste))
    assert sum(map(len, pressed(typeahead))) <= 2 * limits.INPUT_LINE
