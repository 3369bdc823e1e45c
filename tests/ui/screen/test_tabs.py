"""Which tab is shown."""

from anonp2p.ui.screen.input.editor import Editor
from anonp2p.ui.screen.tabs import Tabs


def tabs_of(*labels: str) -> Tabs:
    """With the rooms that have these labels."""
    made = Tabs(Editor())
    for label in labels:
        made.tab_of(label)
    return made


def shown(tabs: Tabs) -> str:
    return tabs.active.label


def test_without_a_room_the_first_page_is_shown() -> None:
    tabs = tabs_of()
    assert tabs.active is tabs.page
    assert tabs.tab_beside(1) is tabs.unread_tab() is tabs.page


def test_a_room_is_shown_when_it_is_new_and_only_then() -> None:
    tabs = tabs_of("r1", "r2")
    assert shown(tabs) == "r2"
    tabs.tab_of("r1")
    assert shown(tabs) == "r2"


def test_when_the_room_in_sight_is_left_the_latest_other_one_is_shown() -> None:
    tabs = tabs_of("r1", "r2", "r3")
    tabs.drop_tab(tabs.tab_of("r3"))
    assert shown(tabs) == "r2"
    tabs.drop_tab(tabs.tab_of("r1"))
    assert shown(tabs) == "r2"
    tabs.drop_tab(tabs.tab_of("r2"))
    assert tabs.active is tabs.page
    assert tabs.of_rooms == []


def test_the_tabs_go_round() -> None:
    tabs = tabs_of("r1", "r2", "r3")
    tabs.show_tab(tabs.tab_beside(1))
    assert shown(tabs) == "r1"
    tabs.show_tab(tabs.tab_beside(-1))
    assert shown(tabs) == "r3"


def test_each_tab_has_its_draft() -> None:
    editor = Editor()
    tabs = Tabs(editor)
    tabs.tab_of("r1")
    editor.replace("for one", 0)
    tabs.tab_of("r2")
    assert editor.edit_text == ""
    tabs.show_tab(tabs.tab_of("r1"))
    assert editor.edit_text == "for one"


def test_of_tabs_with_something_new_who_calls_comes_first() -> None:
    tabs = tabs_of("r1", "r2", "r3")
    tabs.tab_of("r1").attention.unread = 2
    tabs.tab_of("r2").attention.unread = tabs.tab_of("r2").attention.mentions = 1
    assert tabs.unread_tab() is tabs.tab_of("r2")
