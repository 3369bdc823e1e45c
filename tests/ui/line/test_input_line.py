"""The input line of line mode: keys, what was typed before, and how it is drawn."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.names import codes
from anonp2p.room import events
from anonp2p.ui.completion import Known
from anonp2p.ui.line.input_line import InputLine
from anonp2p.ui.line.own_texts import OwnTexts
from anonp2p.ui.widths import width
from tests.support.offers import offered
from tests.ui.corpus import CORPUS

KNOWN = Known(["ben", "bea"], [], ["demo"], ["12"])


def typed(*keys: str, line: InputLine | None = None) -> InputLine:
    line = line or InputLine()
    for key in keys:
        assert line.press_key(key, KNOWN) is None
    return line


@pytest.mark.parametrize(
    ("keys", "text", "cursor"),
    [
        ((*"hello",), "hello", 5),
        ((*"helo", "left", "l"), "hello", 4),
        ((*"hello", "home", "X", "end", "Y"), "XhelloY", 7),
        ((*"hello", "backspace", "ctrl h"), "hel", 3),
        ((*"hello", "ctrl a", "delete", "ctrl d"), "llo", 0),
        ((*"one two", "ctrl w"), "one ", 4),
        ((*"one two", "meta b", "meta b", "meta f"), "one two", 3),
        ((*"one two", "meta b", "ctrl k", "ctrl a", "ctrl y"), "twoone ", 3),
        ((*"one two", "ctrl u", "ctrl y", "ctrl y"), "one twoone two", 14),
        ((*"/quer", "tab", "b", "tab", "tab"), "/query bea ", 11),
        (("f1", "esc", "\x07"), "", 0),
        (("meta /", *"quit", "meta \n"), "/quit", 5),
        (("paste one\r\ntwo\x1b[31m\tx\n\n",), "one\ntwo[31m\tx", 13),
    ],
)
def test_keys_do_what_they_do_everywhere(keys: tuple[str, ...], text: str, cursor: int) -> None:
    line = typed(*keys)
    assert (line.text, line.cursor) == (text, cursor)


def test_what_is_entered_is_given_once_and_the_line_is_empty() -> None:
    line = typed(*"hello")
    assert line.press_key("enter", KNOWN) == "hello"
    assert (line.text, line.cursor) == ("", 0)
    assert line.press_key("ctrl j", KNOWN) == ""


def test_up_brings_back_what_was_sent_and_down_what_was_typed() -> None:
    line = InputLine()
    for text in ("one", "two", "two", ""):
        line.note_sent(text)
    seen = []
    typed(*"draft", line=line)
    for key in ("up", "up", "up", "down", "ctrl n", "down"):
        typed(key, line=line)
        seen.append(line.text)
    assert seen == ["two", "one", "one", "two", "draft", "draft"]


def message(text: str, seq: int, *, ttl: int | None = None, mine: bool = True) -> events.MessageEvent:
    return events.MessageEvent(room="r1", member="a", nick="ada", text=text, seq=seq, at=0.0, ttl=ttl, mine=mine)


def entered(label: str = "r1") -> events.EnteredEvent:
    return events.EnteredEvent(room=label, name="d", code="c", nick="ada", member="a", role="member", members=[])


def recalled(line: InputLine) -> list[str]:
    """All that Up brings back."""
    found: list[str] = []
    while typed("up", line=line).text not in found:
        found.append(line.text)
    return [text for text in found if text]


def test_what_has_ended_is_not_brought_back() -> None:
    line = InputLine()
    own = OwnTexts(line)
    for text in ("kept", "short", "/msg ben whisper", "once", "moved"):
        line.note_sent(text)
    told: list[events.Event] = [
        entered(),
        message("kept", 1),
        message("short", 2, ttl=5),
        message("whisper", 3, ttl=5),
        message("once", 4, ttl=0),
        message("kept", 5, mine=False),
        message("moved", 6, ttl=5),
        events.MovedEvent(room="r1", was=6, seq=7),
        *(events.ExpiredEvent(room="r1", seq=seq) for seq in (2, 3, 5, 7)),
    ]
    for event in told:
        own.take_event(event)
    assert recalled(line) == ["kept"]
    own.take_event(events.GoneEvent(room="r1", reason="left"))
    line.press_key("enter", KNOWN)
    assert recalled(line) == []


def test_once_an_offer_has_ended_no_path_of_one_is_brought_back() -> None:
    line = InputLine()
    own = OwnTexts(line)
    for text in ("/send ~/a.pdf", " /upload 'b c' ben", "/files", "kept"):
        line.note_sent(text)
    ended = [events.ExpiredEvent(room="r1", seq=seq) for seq in (101, 102, 109)]
    told = [offered(1), offered(2, mine=True), *ended[:1], events.MovedEvent(room="r1", was=102, seq=109), ended[1]]
    for event in told:
        own.take_event(event)
    assert len(recalled(line)) == 4
    line.press_key("enter", KNOWN)
    own.take_event(ended[2])
    assert recalled(line) == ["kept", "/files"]


@given(st.sampled_from(list(CORPUS.values())), st.integers(0, 10_000), st.integers(4, 90))
def test_the_row_never_steers_the_terminal_and_never_breaks(text: str, cursor: int, columns: int) -> None:
    line = typed(f"paste {text}")
    line.cursor = min(cursor, len(line.text))
    row, at = line.draw(columns)
    assert width(row) < max(columns, 4)
    assert at <= width(row)
    assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in row)


def test_a_long_text_moves_along_with_the_cursor() -> None:
    line = typed(*"abcdefghijklmnop")
    assert line.draw(10) == ("> klmnop", 8)
    typed("home", line=line)
    assert line.draw(10) == ("> abcdefg", 2)
    typed(*["right"] * 8, line=line)
    row, at = line.draw(10)
    assert row[at - 1] == "h"


def test_the_code_of_a_room_is_brought_back_until_one_is_in() -> None:
    line = InputLine()
    own = OwnTexts(line)
    code = codes.encode_key(bytes(32))
    for text in (f"/join {code} ada", code, "said elsewhere"):
        line.note_sent(text)
    own.take_event(events.GoneEvent(room="r1", reason="refused"))
    assert recalled(line) == ["said elsewhere", code, f"/join {code} ada"]
    own.take_event(entered())
    line.press_key("enter", KNOWN)
    assert recalled(line) == ["said elsewhere"]


def test_a_line_that_the_program_begins_takes_the_place_of_none() -> None:
    line = InputLine()
    line.begin("/nick ann-2")
    assert (line.text, line.cursor) == ("/nick ann-2", len("/nick ann-2"))
    line.begin("/nick other")
    assert line.text == "/nick ann-2"
