"""Which of several rooms is meant."""

import pytest

from anonp2p.errors import BadInput
from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.screen.tabs import Desk


def desk(*names: str) -> Desk:
    """With rooms of these names: r1, r2, ..."""
    made = Desk(Editor())
    for number, name in enumerate(names, 1):
        made.tab(f"r{number}").name = name
    return made


@pytest.mark.parametrize("wanted", ["2", "r2", "work"])
def test_a_room_is_found_by_its_number_label_and_name(wanted: str) -> None:
    rooms: list[Tab] = (three := desk("home", "work", "home")).rooms
    assert three.find(wanted) is rooms[1]


@pytest.mark.parametrize("wanted", ["home", "nowhere", "", "0", "4"])
def test_no_room_is_guessed(wanted: str) -> None:
    with pytest.raises(BadInput):
        desk("home", "work", "home").find(wanted)
