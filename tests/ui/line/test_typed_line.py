"""What a line of input stands for."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anonp2p import limits
from anonp2p.errors import AnonError, BadInput, TooLong
from anonp2p.room import inputs
from anonp2p.ui.actions import QuitAction
from anonp2p.ui.line.typed_line import TypedLine, parse_typed_line

JSON = pytest.mark.parametrize("mode", [False, True], ids=["line", "json"])


def understood(line: str | bytes, *, mode: bool = True) -> TypedLine:
    typed = parse_typed_line(line if isinstance(line, bytes) else line.encode(), json=mode)
    assert typed is not None
    return typed


def error_of(typed: TypedLine) -> AnonError:
    assert isinstance(typed.action, AnonError)
    return typed.action


# --- understanding a line


@JSON
@pytest.mark.parametrize("line", [b"", b" ", b"\t ", b"\r", "\u3000".encode()])
def test_an_empty_line_stands_for_nothing(line: bytes, mode: bool) -> None:
    assert parse_typed_line(line, json=mode) is None


@JSON
def test_a_line_is_a_message_or_a_command(mode: bool) -> None:
    assert understood("hello", mode=mode) == TypedLine(inputs.SayInput("hello"))
    assert understood("/quit\r", mode=mode) == TypedLine(QuitAction())
    assert understood("//quit", mode=mode) == TypedLine(inputs.SayInput("/quit"))
    assert error_of(understood("/nope", mode=mode)).code == "unknown-command"


@JSON
@pytest.mark.parametrize("line", [b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"/nick \xc3"])
def test_a_line_that_is_not_utf8_is_bad_input(line: bytes, mode: bool) -> None:
    assert isinstance(error_of(understood(line, mode=mode)), BadInput)


@JSON
@pytest.mark.parametrize("opening", [b"", b"/me ", b"{"])
def test_a_line_that_is_too_long_to_be_read_is_told_the_limit_of_messages(opening: bytes, mode: bool) -> None:
    for end in (b"", b"\xc3"):  # it may have been cut within a character
        line = opening.ljust(limits.INPUT_LINE + 1, b"x") + end
        typed = understood(line, mode=mode)
        assert isinstance(error_of(typed), TooLong)
        assert typed.unsent is UNSET, "that is not all of it"


def test_all_that_is_too_long_is_told_one_limit() -> None:
    assert f"{limits.TEXT:,}" in str(TooLong())


@JSON
@pytest.mark.parametrize("opening", ["", "/me ", "/msg bob "])
def test_a_text_that_is_too_long_is_to_be_given_back(opening: str, mode: bool) -> None:
    line = opening + "x" * (limits.TEXT + 1)
    typed = understood(line, mode=mode)
    assert isinstance(error_of(typed), TooLong)
    assert typed.unsent == line
    key = "command" if opening else "text"
    typed = understood(json.dumps({"id": 7, "room": "r1", key: line}))
    assert isinstance(error_of(typed), TooLong)
    assert (typed.unsent, typed.re, typed.room) == (line, 7, "r1")


def test_an_object_is_a_message_in_line_mode() -> None:
    assert understood('{"text": "hello"}', mode=False) == TypedLine(inputs.SayInput('{"text": "hello"}'))


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ('{"text": "hello"}', TypedLine(inputs.SayInput("hello"))),
        ('  {"text": "hello"}  ', TypedLine(inputs.SayInput("hello"))),
        ('{"id": 7, "text": "hello"}', TypedLine(inputs.SayInput("hello", re=7), 7)),
        ('{"id": "a", "room": "r2", "text": "hello"}', TypedLine(inputs.SayInput("hello", re="a"), "a", "r2")),
        ('{"id": 0, "command": "/quit"}', TypedLine(QuitAction(0), 0)),
        (
            '{"id": 7, "room": "r1", "command": " /me waves "}',
            TypedLine(inputs.SayInput("waves", action=True, re=7), 7, "r1"),
        ),
        ('{"text": "/quit"}', TypedLine(inputs.SayInput("/quit"))),
        ('{"text": "//quit"}', TypedLine(inputs.SayInput("//quit"))),
        ('{"text": "two\\nlines"}', TypedLine(inputs.SayInput("two\nlines"))),
        ('{"text": " spaced "}', TypedLine(inputs.SayInput(" spaced "))),
        ('{"id": -9007199254740992, "text": "x"}', TypedLine(inputs.SayInput("x", re=-(2**53)), -(2**53))),
    ],
)
def test_an_object_is_a_message_or_a_command(line: str, typed: TypedLine) -> None:
    assert understood(line) == typed


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "{}",
        "{]",
        '{"text": "a"} {"text": "b"}',
        '{"text": "a"}, ',
        '{"text": "a',
        "{'text': 'a'}",
        '{"text": "a" /* comment */}',
        '{"text": null}',
        '{"text": ["a"]}',
        '{"text": "\\ud800"}',
        '{"text": "\\x41"}',
        '{"text": "a", "text": 5}',
        '{"id": null, "text": "a"}',
        '{"id": true, "text": "a"}',
        '{"id": 1.5, "text": "a"}',
        '{"id": [1], "text": "a"}',
        '{"id": 9007199254740993, "text": "a"}',
        '{"id": 1e999, "text": "a"}',
        '{"id": ' + "9" * 5_000 + ', "text": "a"}',
        '{"id": NaN, "text": "a"}',
        '{"room": 1, "text": "a"}',
        '{"command": 5}',
        '{"text": "a", "colour": "red"}',
        "{" * 60_000,
        '{"text": ' + "[" * 60_000,
        '{"a":' * 10_000,
    ],
    ids=lambda line: line[:32],
)
def test_a_malformed_object_is_bad_input(line: str) -> None:
    assert isinstance(error_of(understood(line)), BadInput)


def test_an_object_that_is_not_utf8_is_bad_input() -> None:
    assert isinstance(error_of(understood(b'{"text": "caf\xe9"}')), BadInput)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"id": 7}', "bad-input"),
        ('{"id": 7, "text": ""}', "bad-input"),
        ('{"id": 7, "text": " \\n "}', "bad-input"),
        ('{"id": 7, "text": "a", "command": "/who"}', "bad-input"),
        ('{"id": 7, "command": ""}', "usage"),
        ('{"id": 7, "command": "who"}', "usage"),
        ('{"id": 7, "command": "/nick"}', "usage"),
        ('{"id": 7, "command": "/nope"}', "unknown-command"),
        ('{"id": 7, "command": "/who\\nhello"}', "unknown-command"),
        ('{"id": 7, "command": "/nick [SYSTEM]"}', "bad-nick"),
        ('{"id": 7, "text": "' + "x" * (limits.TEXT + 1) + '"}', "too-long"),
    ],
    ids=lambda value: value[:40],
)
def test_an_error_in_an_object_carries_its_id(line: str, code: str) -> None:
    typed = understood(line)
    assert error_of(typed).code == code
    assert typed.re == 7


BROKEN = [
    '"text": 5',
    '"txt": "a"',
    '"room": 1, "text": "a"',
    '"text": null',
    '"text": "\\ud800"',
    '"text": "\\udc00\\ud800"',
    '"room": "\\ud800", "text": "a"',
    '"command": "/nick \\ud800"',
    '"text": "\\x41"',
    '"text": "a\tb"',
    '"text": NaN',
    '"text": {"id": 8, "a": ["id", {"id": 9}]}',
    '"text": ' + "[" * 5_000 + "]" * 5_000,
    '"text": "a", "text": 5',
    '"text": "a", "colour": "red"',
    '"text": "say \\"id\\": 8", "a": 0',
    '"text": a',
    '"text" "a"',
    '"text": 1' + "0" * 5_000,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken[:32])
@pytest.mark.parametrize("ident", [7, "a:{", -1], ids=str)
def test_an_error_in_an_objects_other_keys_carries_its_id(broken: str, ident: int | str) -> None:
    written = json.dumps(ident)
    for line in (f'{{"id": {written}, {broken}}}', f'{{{broken}, "id": {written}}}', f' {{ "id" :{written} , {broken}'):
        typed = understood(line)
        assert error_of(typed).code == "bad-input"
        assert typed.re == ident


def test_an_id_is_found_in_what_is_no_utf8_or_ends_too_soon_or_never() -> None:
    for line in (b'{"id": 7, "text": "caf\xe9"}', b'{"id": 7, "text": "a', b'{"id": 7', b'{"id": 7, "text": "a\\'):
        typed = understood(line)
        assert error_of(typed).code == "bad-input"
        assert typed.re == 7
    typed = understood(b'{"id": 7, "text": "' + b"x" * limits.INPUT_LINE)
    assert isinstance(error_of(typed), TooLong)
    assert typed.re == 7


@pytest.mark.parametrize(
    "line",
    [
        *('{"id": true, "text": 5}', '{"id": [7], "text": 5}', '{"id": 9007199254740993}', '{"id": "\\ud800"}'),
        *('{"text": "\\"id\\": 7", "a": 5}', '{"a": {"id": 7}}', '{"a": "id", "b": 7}', '[{"id": 7}]', '{"id"', "{"),
    ],
)
def test_what_is_no_id_is_none(line: str) -> None:
    typed = understood(line)
    assert typed.re is UNSET


@pytest.mark.parametrize(
    "line", ['\\"' * 30_000, '"' * 60_000, "\\" * 60_000, '{"id":' * 10_000], ids=lambda line: line[:6]
)
def test_looking_for_an_id_takes_no_longer_than_reading(line: str) -> None:
    begun = time.process_time()
    understood('{"a' + line)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("before", ["\ufeff", "\u200b", "\u00a0", "\ufeff \u2060"], ids=ascii)
def test_an_object_behind_what_one_does_not_see_is_one(before: str) -> None:
    assert understood(before + '{"id": 7, "text": "hello"}') == TypedLine(inputs.SayInput("hello", re=7), 7)
    assert understood(before + '{"id": 7, "command": "\ufeff /who"}') == TypedLine(inputs.AskInput("/who", 7), 7)
    assert understood('{"id": 7, "text": "\ufeff/who"}') == TypedLine(inputs.SayInput("\ufeff/who", re=7), 7)


@JSON
@pytest.mark.parametrize("text", ["\U0001facf", "\ue000", "\u0378", ".", "\u05d0"], ids=ascii)
def test_a_line_of_one_character_that_may_be_seen_is_a_message(text: str, mode: bool) -> None:
    assert understood(text, mode=mode) == TypedLine(inputs.SayInput(text))


@JSON
def test_a_line_of_which_one_sees_nothing_is_an_empty_one(mode: bool) -> None:
    assert parse_typed_line("\ufeff\u200b \u2060".encode(), json=mode) is None


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: ("{" + text).encode(errors="replace")))
def test_nothing_that_is_typed_raises(line: bytes) -> None:
    for mode in (False, True):
        parse_typed_line(line, json=mode)


@given(st.integers(-(2**53), 2**53) | st.text(max_size=9), st.text(min_size=1, max_size=20))
def test_any_id_and_text_come_through(ident: int | str, text: str) -> None:
    typed = understood(json.dumps({"id": ident, "text": text}))
    assert typed.re == ident
    assert typed.action == inputs.SayInput(text, re=ident) if text.strip() else isinstance(typed.action, BadInput)


def test_what_was_typed_is_not_shown_by_repr() -> None:
    assert "secret" not in repr(understood('{"text": "secret"}'))
    assert "secret" not in repr(understood("secret" * limits.TEXT)), "what is given back is in it as it was typed"
