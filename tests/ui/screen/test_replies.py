"""Replies on the full screen: what they refer to, and the numbers by which it is named."""

import pytest

from anonp2p import limits
from anonp2p.room import events
from anonp2p.ui import commands
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.log_lines import Layout, LineContext
from anonp2p.ui.screen.tab import Tab
from anonp2p.ui.widths import width
from tests.support.stage import Stage
from tests.ui.screen.meeting import host
from tests.ui.screen.test_tab import HOSTILE, NOW, WIDE, in_room, message, shown, take

NARROW = Layout(38, 0)
GONE = "a message that is gone"


@pytest.fixture
def tab() -> Tab:
    """Ben says something, and Ada answers."""
    return in_room(message(3, "shall we meet\nat noon?"), message(4, "yes", "ada", reply=3))


def ended(seq: int, *, retracted: bool = False) -> events.ExpiredEvent:
    return events.ExpiredEvent(room="r1", seq=seq, retracted=retracted)


def test_what_a_reply_refers_to_stands_above_it_beside_a_mark_that_is_no_nick(tab: Tab) -> None:
    *_, quote, reply = shown(tab)
    assert quote.split("│") == [" " * 15 + "↳ ", " ben: “shall we meet at noon?”"]
    assert reply.split("│")[1] == " yes"
    assert "ada" in reply.split("│")[0]


def test_on_narrow_screens_it_has_a_row_without_the_bar(tab: Tab) -> None:
    *_, quote, author, reply = shown(tab, layout=NARROW)
    assert quote == "↳ ben: “shall we meet at noon?”"
    assert author.endswith("ada")
    assert reply == "│yes"


@pytest.mark.parametrize("retracted", [False, True])
@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_it_ends_with_what_it_is_quoted_from(tab: Tab, layout: Layout, retracted: bool) -> None:
    """5.19"""
    height = len(shown(tab, layout=layout))
    take(tab, ended(3, retracted=retracted))
    rows = shown(tab, layout=layout)
    assert not any("noon" in row for row in rows)
    assert any(row.endswith(f"↳ │ {GONE}") or row == f"↳ {GONE}" for row in rows)
    assert len(rows) < height  # the message itself is gone too


def test_what_is_shown_once_is_quoted_as_long_as_it_is_shown() -> None:
    tab = in_room(message(3, "once", ttl=0), message(4, "yes", "ada", reply=3))
    assert any("ben: “once”" in row for row in shown(tab))
    tab.log.drop_faded(NOW + limits.FLEETING)
    assert any(row.endswith(GONE) for row in shown(tab))
    assert not any("once" in row for row in shown(tab))


@pytest.mark.parametrize(
    "reply",
    [message(4, "yes", "ada", reply_gone=True), message(4, "yes", "ada", reply=3, reply_gone=True)],
    ids=["never shown", "ended before"],
)
def test_what_the_room_calls_gone_is_not_quoted(reply: events.MessageEvent) -> None:
    assert any(row.endswith(GONE) for row in shown(in_room(message(3, "secret"), reply)))


def test_what_was_cleared_is_not_quoted(tab: Tab) -> None:
    tab.log.clear()
    take(tab, message(5, "no", "ada", reply=3))
    assert any(row.endswith(GONE) for row in shown(tab))


@pytest.mark.parametrize("columns", [20, 38, 60, 70])
def test_a_quotation_takes_one_row_whatever_it_quotes(columns: int) -> None:
    layout = Layout(columns, 10 if columns >= 60 else 0)
    plain = len(shown(in_room(message(3, HOSTILE * 100, HOSTILE[:20]), message(4, "yes", "ada")), layout=layout))
    rows = shown(in_room(message(3, HOSTILE * 100, HOSTILE[:20]), message(4, "yes", "ada", reply=3)), layout=layout)
    assert len(rows) == plain + 1
    assert all(width(row) <= columns for row in rows)


def test_an_author_who_answers_twice_is_named_each_time() -> None:
    """Above the second answer is a quotation, which is not the author's."""
    tab = in_room(message(3, "one"), message(4, "two", "ada", reply=3), message(5, "three", "ada", reply=3))
    assert sum(row.endswith(" ada") and row[2] == ":" for row in shown(tab, layout=NARROW)) == 2


def test_what_was_taken_back_cannot_be_recalled_either() -> None:
    tab = in_room()
    tab.draft.history.add("to be taken back", 7)
    take(tab, message(3, "to be taken back", "zoe", mine=True, re=7), ended(3, retracted=True))
    assert tab.draft.history.before(None) is None


# --- numbers


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_messages_have_their_numbers_in_place_of_their_times(layout: Layout) -> None:
    tab = in_room(message(3, "one"), message(4, "two"), message(12_345, "three", "ada"))
    numbered, _ = tab.sight.draw_visible(100, layout, LineContext(NOW, numbers=True))
    rows = ["".join(text for _, text in row) for row in numbered]
    for number in ("    3 ", "    4 ", "12345 "):
        assert sum(row.startswith(number) for row in rows) == 1
    assert not any(row.startswith(("    3 ", "12345 ")) for row in shown(tab, layout=layout))


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("/reply ", True),
        ("/reply 7 yes", True),
        ("/RETRACT ", True),
        (" /retract 7", True),
        ("/reply", False),
        ("/retract", False),
        ("//reply 7", False),
        ("/msg ben hi", False),
        ("/unknown ", False),
        ("reply ", False),
        ("", False),
    ],
)
def test_they_do_while_a_command_is_typed_that_names_one(typed: str, names: bool) -> None:
    assert commands.names_message(typed) is names


def test_the_latest_messages_are_listed_with_their_numbers_until_they_end(tab: Tab) -> None:
    overlay = overlays.of_numbers(tab.log, tab.looks)

    def listed() -> list[str]:
        return ["".join(text for _, text in row).rstrip() for row in overlay.build(60, 20)]

    assert listed() == ["3  ben: shall we meet at noon?", "4  ada: yes"]
    take(tab, ended(3))
    assert listed() == ["4  ada: yes"]
    take(tab, ended(4))
    assert listed() == ["There is no message here that has a number."]


def test_a_message_is_answered_and_taken_back_by_the_number_that_tab_inserts() -> None:
    with Stage("--nick", "ada") as stage:
        host(stage, "ben")
        stage.ask("say", "ben", text="shall we?")
        rows = stage.type("/reply ").settled()
        [number] = [row.split()[0] for row in rows if "shall we?" in row]
        assert f"/reply {number}" in stage.type("\t").settled()[-1]
        stage.type("yes\n").until(lambda rows: any("↳" in row and "ben: “shall we?”" in row for row in rows))
        stage.type("/retract \t\n").until(lambda rows: not any("yes" in row for row in rows))
