"""What is typed -> what is to be done, row by row of the table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import errors, limits
from anonp2p.core import steps
from anonp2p.errors import AnonError, TooLong, UnknownCommand, Usage
from anonp2p.ui import commands
from anonp2p.ui.commands import COMMANDS, Action, Clear, Command, Create, Help, Join, Quit, Rooms, Switch, parse

TYPED: list[tuple[str, Action]] = [
    ("/help", Help(COMMANDS)),
    ("/help nick", Help((next(row for row in COMMANDS if row.name == "/nick"),))),
    ("/help /NICK", Help((next(row for row in COMMANDS if row.name == "/nick"),))),
    ("/create demo", Create("demo")),
    ("/create ｄｅｍｏ", Create("demo")),
    ("/join abc.onion", Join("abc.onion")),
    ("/leave", steps.Leave()),
    ("/close", steps.Leave(close=True)),
    ("/nick Zoë", steps.Rename("Zoë")),
    ("/nick ｚｏｅ", steps.Rename("zoe")),
    ("/who", steps.Ask("/who")),
    ("/code", steps.Ask("/code")),
    ("/me waves", steps.Say("waves", action=True)),
    ("/me  waves  back ", steps.Say("waves  back", action=True)),
    ("/rooms", Rooms()),
    ("/switch 2", Switch("2")),
    ("/kick bob", steps.Kick("bob")),
    ("/kick bob  no   spam ", steps.Kick("bob", "no spam")),
    ("/kick bob " + "x" * 200, steps.Kick("bob", "x" * 200)),
    ("/lock", steps.Lock(locked=True)),
    ("/unlock", steps.Lock(locked=False)),
    ("/clear", Clear()),
    ("/quit", Quit()),
    ("/QUIT ", Quit()),
    ("/Nick   bob  ", steps.Rename("bob")),
    ("hello", steps.Say("hello")),
    (" /quit", steps.Say(" /quit")),
    ("hello /quit", steps.Say("hello /quit")),
    ("//quit", steps.Say("/quit")),
    ("///", steps.Say("//")),
    ("//", steps.Say("/")),
]

by_name = pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)


def fails(line: str) -> AnonError:
    with pytest.raises(AnonError) as caught:
        parse(line)
    return caught.value


@pytest.mark.parametrize(("line", "action"), TYPED, ids=[line for line, _ in TYPED])
def test_what_is_typed_is_what_is_done(line: str, action: Action) -> None:
    assert parse(line) == action


@pytest.mark.parametrize(("line", "action"), TYPED, ids=[line for line, _ in TYPED])
def test_an_action_remembers_who_asked(line: str, action: Action) -> None:
    assert parse(line, 7).re == 7
    assert parse(line, "").re == ""


def test_every_row_of_the_table_is_tried_above() -> None:
    tried = {line.split()[0].lower() for line, _ in TYPED}
    assert {row.name for row in COMMANDS} <= tried


def test_no_two_rows_have_one_name() -> None:
    assert len({row.name for row in COMMANDS}) == len(COMMANDS)


@by_name
def test_every_row_says_how_it_is_typed_and_what_it_does(row: Command) -> None:
    assert row.name.startswith("/")
    assert row.name == row.name.lower()
    assert row.usage.startswith(row.name)
    assert row.usage == row.usage.strip()
    assert row.does
    assert not row.does.endswith(".")


@by_name
def test_what_help_shows_for_a_command_is_what_its_error_shows(row: Command) -> None:
    line = f"{row.name} unwanted" if not row.argument else row.name
    if row.argument.startswith("["):
        parse(line)
    else:
        error = fails(line)
        assert isinstance(error, Usage)
        assert str(error).endswith(row.usage)


@by_name
def test_a_command_with_nothing_but_spaces_has_no_argument(row: Command) -> None:
    try:
        bare: object = parse(row.name)
    except Usage as error:
        bare = str(error)
    try:
        spaced: object = parse(f"{row.name}    ")
    except Usage as error:
        spaced = str(error)
    assert bare == spaced


def test_help_lists_all_commands() -> None:
    action = parse("/help")
    assert isinstance(action, Help)
    assert action.commands == COMMANDS


@pytest.mark.parametrize("line", ["/", "/ hello", "/nope", "/quitt", "/who?", "/help nope", "/nick\tbob", "/кто"])
def test_an_unknown_command_is_an_error_and_never_a_message(line: str) -> None:
    error = fails(line)
    assert isinstance(error, UnknownCommand)
    assert "/help" in str(error)


@given(st.text(max_size=30))
def test_what_begins_with_one_slash_is_never_a_message(rest: str) -> None:
    if rest.startswith("/"):
        rest = "x" + rest
    try:
        action = parse("/" + rest)
    except AnonError:
        return
    assert not isinstance(action, steps.Say) or rest.lower().startswith("me ")


@given(st.text(max_size=30))
def test_two_slashes_say_anything(rest: str) -> None:
    if rest.isascii():
        assert parse("//" + rest) == steps.Say("/" + rest)


@given(st.text(max_size=30))
def test_what_is_said_is_said_as_it_is(text: str) -> None:
    if not text.startswith("/"):
        assert parse(text) == commands.say(text) == steps.Say(text)


@pytest.mark.parametrize("prefix", ["", "/me "])
@pytest.mark.parametrize("text", ["x" * limits.TEXT, "é" * (limits.TEXT // 2)], ids=["ascii", "two bytes each"])
def test_a_text_may_be_as_long_as_the_limit_and_no_longer(prefix: str, text: str) -> None:
    action = parse(prefix + text)
    assert isinstance(action, steps.Say)
    assert action.text == text
    assert isinstance(fails(prefix + text + "x"), TooLong)


def test_the_slash_that_is_typed_twice_counts_once() -> None:
    assert parse("/" + "/" * limits.TEXT) == steps.Say("/" * limits.TEXT)
    assert isinstance(fails("/" * (limits.TEXT + 2)), TooLong)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/nick two words", errors.BadNick),
        ("/nick [SYSTEM]", errors.BadNick),
        ("/nick " + "x" * 21, errors.BadNick),
        ("/create two words", errors.BadInput),
        ("/kick bob " + "x" * 201, errors.BadInput),
        ("/create de\u200bmo", errors.BadInput),
        ("/help nope", errors.UnknownCommand),
    ],
)
def test_a_bad_argument_is_told_as_such(line: str, error: type[AnonError]) -> None:
    assert isinstance(fails(line), error)


def test_a_command_begins_with_a_slash() -> None:
    with pytest.raises(Usage):
        commands.command("who")


def test_actions_show_nothing_of_what_was_typed() -> None:
    for line in ("/create secret", "/join secret", "/nick secret", "/me secret", "secret"):
        assert "secret" not in repr(parse(line))
