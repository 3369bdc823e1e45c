"""What is typed -> what is to be done, row by row of the table."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import errors, limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.errors import AnonError, BadInput, TooLong, UnknownCommand, Usage
from anonp2p.names.codes import Code, RoomKey, encode_key
from anonp2p.names.errors import CodeLength, CodeLetters, CodeMistyped, KeyMistyped
from anonp2p.protocol import room_state
from anonp2p.room import file_inputs, inputs, retention
from anonp2p.room.moderation_inputs import (
    AdmitInput,
    InviteInput,
    KeepInput,
    KickInput,
    KnockInput,
    LockInput,
    PurgeInput,
    RaidInput,
    RevokeInput,
    RoleInput,
    SlowInput,
    UnbanInput,
)
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.ui import commands, manual
from anonp2p.ui.actions import (
    Action,
    ClearScreenAction,
    Command,
    ConverseAction,
    CopyAction,
    CreateRoomAction,
    IgnoreAction,
    JoinRoomAction,
    ListNumbersAction,
    ListRoomsAction,
    NotifyAction,
    QuietAction,
    QuitAction,
    ShowHelpAction,
    SwitchRoomAction,
)
from anonp2p.ui.commands import COMMANDS, parse_line
from anonp2p.ui.errors import OpenQuote, PathInWords

ADDRESS = RoomKey(b"k" * 32).public
CODE = encode_key(ADDRESS)
INVITATION = Code(ADDRESS, b"K" * 32).spell()
TYPED: list[tuple[str, Action]] = [
    ("/help", ShowHelpAction(COMMANDS)),
    ("/help nick", ShowHelpAction((next(row for row in COMMANDS if row.name == "/nick"),))),
    ("/help /NICK", ShowHelpAction((next(row for row in COMMANDS if row.name == "/nick"),))),
    ("/create demo", CreateRoomAction("demo")),
    ("/create ｄｅｍｏ", CreateRoomAction("demo")),
    ("/create demo --retain 5m", CreateRoomAction("demo", room_state.RetentionPolicy(FLEETING, 300, KEPT))),
    ("/create --retain OFF demo", CreateRoomAction("demo", room_state.RetentionPolicy(FLEETING, KEPT, KEPT))),
    ("/create demo --retain never", CreateRoomAction("demo", room_state.RetentionPolicy(FLEETING, FLEETING, KEPT))),
    ("/create demo --retain 30s:5m:2h", CreateRoomAction("demo", room_state.RetentionPolicy(30, 300, 7_200))),
    ("/create demo --retain :5m:2h", CreateRoomAction("demo", room_state.RetentionPolicy(FLEETING, 300, 7_200))),
    ("/create demo --retain 30s:5m:", CreateRoomAction("demo", room_state.RetentionPolicy(30, 300, KEPT))),
    ("/create demo --retain 30s::2h", CreateRoomAction("demo", room_state.RetentionPolicy(30, 7_200, 7_200))),
    ("/create demo --retain ::", CreateRoomAction("demo", room_state.RetentionPolicy(FLEETING, KEPT, KEPT))),
    ("/create demo --retain 5m:5m:5m", CreateRoomAction("demo", room_state.RetentionPolicy(300, 300, 300))),
    (
        "/create demo --retain never:never:never",
        CreateRoomAction("demo", room_state.RetentionPolicy(FLEETING, FLEETING, FLEETING)),
    ),
    ("/create demo --history 20", CreateRoomAction("demo", history=room_state.HistoryPolicy(20, 0))),
    ("/create demo --history 30m", CreateRoomAction("demo", history=room_state.HistoryPolicy(0, 1_800))),
    (
        "/create --history 10000  --retain 1d   demo",
        CreateRoomAction(
            "demo", room_state.RetentionPolicy(FLEETING, 86_400, KEPT), room_state.HistoryPolicy(10_000, 0)
        ),
    ),
    ("/create demo --knock", CreateRoomAction("demo", knock=True)),
    ("/create --private --retain off demo --knock", CreateRoomAction("demo", ANY, knock=True, private=True)),
    (f"/join {CODE}", JoinRoomAction(ADDRESS)),
    (f"/join anonp2p:{CODE[:20].upper()} {CODE[20:40]}\n {CODE[40:]}", JoinRoomAction(ADDRESS)),
    (f"/join {CODE} ann", JoinRoomAction(ADDRESS, "ann")),
    (f"/join {INVITATION}", JoinRoomAction(ADDRESS, key=b"K" * 32)),
    (f"/join {INVITATION[:80]} {INVITATION[80:]} ann", JoinRoomAction(ADDRESS, "ann", key=b"K" * 32)),
    (f"/join {CODE}:1984\nann", JoinRoomAction(ADDRESS, "ann")),
    (f"/join {CODE[:30]} {CODE[30:]} ｚｏｅ", JoinRoomAction(ADDRESS, "zoe")),
    ("/notify", NotifyAction()),
    ("/notify ALL", NotifyAction("all")),
    ("/notify mentions", NotifyAction("mentions")),
    ("/notify none", NotifyAction("none")),
    ("/notify desktop on", NotifyAction(desktop=True)),
    ("/notify desktop off", NotifyAction(desktop=False)),
    ("/verify", inputs.VerifyInput("")),
    ("/verify ben", inputs.VerifyInput("ben")),
    ("/verify ben yes", inputs.VerifyInput("ben", same=True)),
    ("/verify yes no", inputs.VerifyInput("yes", same=False)),
    ("/copy", CopyAction()),
    ("/query ben", ConverseAction("ben")),
    ("/query", ConverseAction(None)),
    ("/ignore ben", IgnoreAction("ben")),
    ("/ignore", IgnoreAction(None)),
    ("/unignore ben", IgnoreAction("ben", on=False)),
    ("/quiet", QuietAction(does="ask")),
    ("/quiet 10", QuietAction(10)),
    ("/quiet 1440m", QuietAction(1_440)),
    ("/quiet OFF", QuietAction()),
    ("/quiet show", QuietAction(does="show")),
    ("/copy CODE", CopyAction("code")),
    ("/copy link", CopyAction("link")),
    ("/copy 7", CopyAction(7)),
    ("/leave", inputs.LeaveInput()),
    ("/close", inputs.LeaveInput(close=True)),
    ("/nick Zoë", inputs.RenameInput("Zoë")),
    ("/nick ｚｏｅ", inputs.RenameInput("zoe")),
    ("/who", inputs.AskInput("/who")),
    ("/code", inputs.AskInput("/code")),
    ("/code new", inputs.CodeInput()),
    ("/code NEW ", inputs.CodeInput()),
    ("/heirs", inputs.AskInput("/heirs")),
    ("/health", inputs.AskInput("/health")),
    ("/status", inputs.AskInput("/health")),
    ("/entrust bob", inputs.EntrustInput("bob")),
    ("/entrust off", inputs.EntrustInput(None)),
    ("/entrust Off", inputs.EntrustInput(None)),
    ("/qr", inputs.AskInput("/qr")),
    ("/me waves", inputs.SayInput("waves", action=True)),
    ("/me  waves  back ", inputs.SayInput("waves  back", action=True)),
    ("/msg bob hello", inputs.WhisperInput("bob", "hello")),
    ("/msg bob  two   words ", inputs.WhisperInput("bob", "two   words")),
    ("/msg bob /quit", inputs.WhisperInput("bob", "/quit")),
    ("/retain", inputs.RetainInput(None)),
    ("/retain 30s", inputs.RetainInput(30)),
    ("/retain 5M", inputs.RetainInput(300)),
    ("/retain 2h", inputs.RetainInput(7_200)),
    ("/retain 365d", inputs.RetainInput(limits.RETENTION_MAX)),
    ("/retain off", inputs.RetainInput(KEPT)),
    ("/retain Never", inputs.RetainInput(FLEETING)),
    ("/verify", inputs.VerifyInput("")),
    ("/verify bob", inputs.VerifyInput("bob")),
    ("/rooms", ListRoomsAction()),
    ("/numbers", ListNumbersAction()),
    ("/switch 2", SwitchRoomAction("2")),
    ("/kick bob", KickInput("bob")),
    ("/kick bob  no   spam ", KickInput("bob", "no spam")),
    ("/kick bob " + "x" * 200, KickInput("bob", "x" * 200)),
    ("/ban bob", KickInput("bob", ban=True)),
    ("/ban bob no  ads", KickInput("bob", "no ads", ban=True)),
    ("/unban bob", UnbanInput("bob")),
    ("/mute bob", RoleInput("bob", "muted", "/mute")),
    ("/unmute bob", RoleInput("bob", "member", "/unmute")),
    ("/op bob", RoleInput("bob", "moderator", "/op")),
    ("/deop bob", RoleInput("bob", "member", "/deop")),
    ("/knock on", KnockInput(on=True)),
    ("/knock OFF", KnockInput(on=False)),
    ("/admit bob", AdmitInput("bob", admitted=True)),
    ("/refuse bob", AdmitInput("bob", admitted=False)),
    ("/slow 10", SlowInput(10)),
    ("/slow 10s", SlowInput(10)),
    ("/slow 1H", SlowInput(3_600)),
    ("/slow 0", SlowInput(0)),
    ("/slow off", SlowInput(0)),
    ("/raid", RaidInput(on=True)),
    ("/raid on", RaidInput(on=True)),
    ("/raid Off", RaidInput(on=False)),
    ("/purge 10m", PurgeInput(600)),
    ("/purge 30S", PurgeInput(30)),
    ("/keep bob", KeepInput("bob")),
    ("/invite", InviteInput()),
    ("/invite for  bob", InviteInput("for bob")),
    ("/invite --uses 1000", InviteInput(uses=1_000)),
    ("/invite for --uses 2 bob", InviteInput("for bob", 2)),
    ("/invites", inputs.AskInput("/invites")),
    ("/revoke 3", RevokeInput(3)),
    ("/lock", LockInput(locked=True)),
    ("/unlock", LockInput(locked=False)),
    ("/clear", ClearScreenAction()),
    ("/quit", QuitAction()),
    ("/QUIT ", QuitAction()),
    ("/Nick   bob  ", inputs.RenameInput("bob")),
    ("hello", inputs.SayInput("hello")),
    (" /quit", QuitAction()),
    ("\ufeff/msg bob secret", inputs.WhisperInput("bob", "secret")),
    ("\n/quit", QuitAction()),
    ("\ufeff//quit", inputs.SayInput("/quit")),
    (" //quit", inputs.SayInput("/quit")),
    ("\ufeffhello", inputs.SayInput("hello")),
    (" hello", inputs.SayInput(" hello")),
    ("\u200fשלום", inputs.SayInput("\u200fשלום")),
    ("ノート", inputs.SayInput("ノート")),
    ("\U0001facf", inputs.SayInput("\U0001facf")),  # perhaps an emoji, some day
    ("hello /quit", inputs.SayInput("hello /quit")),
    ("/retract", inputs.RetractInput(None)),
    ("/retract 7", inputs.RetractInput(7)),
    ("/RETRACT  70 ", inputs.RetractInput(70)),
    ("/reply 7 yes", inputs.ReplyInput(7, "yes")),
    ("/reply 7   yes\nno ", inputs.ReplyInput(7, "yes\nno")),
    ("/reply 7 8", inputs.ReplyInput(7, "8")),
    ("/reply yes", inputs.ReplyInput(None, "yes")),
    ("/reply 7th of May", inputs.ReplyInput(None, "7th of May")),
    ("/reply -7 yes", inputs.ReplyInput(None, "-7 yes")),
    ("/reply \u0667 yes", inputs.ReplyInput(None, "\u0667 yes")),
    (f"/reply {10**16} yes", inputs.ReplyInput(None, f"{10**16} yes")),
    ("//quit", inputs.SayInput("/quit")),
    ("///", inputs.SayInput("//")),
    ("//", inputs.SayInput("/")),
    ("/send report.pdf", file_inputs.SendFileInput("report.pdf")),
    ("/send report.pdf ben", file_inputs.SendFileInput("report.pdf", "ben")),
    ("/send 'my report.pdf' @ben --clean", file_inputs.SendFileInput("my report.pdf", "ben", clean=True)),
    (r"/send --clean my\ report.pdf", file_inputs.SendFileInput("my report.pdf", clean=True)),
    ("/send ./--clean", file_inputs.SendFileInput("./--clean")),
    ("/send /a/~/b", file_inputs.SendFileInput("/a/~/b")),
    ("/upload x", file_inputs.SendFileInput("x")),
    ("/files", inputs.AskInput("/files")),
    ("/accept 3", file_inputs.AcceptInput(3)),
    ('/accept 3 "a dir/"', file_inputs.AcceptInput(3, "a dir/")),
    ("/decline 3", file_inputs.DeclineInput(3)),
]

by_name = pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)


def is_optional(row: Command) -> bool:
    """Whether the whole argument may be left out."""
    return row.argument.startswith("[") and row.argument.endswith("]")


def fails(line: str) -> AnonError:
    with pytest.raises(AnonError) as caught:
        parse_line(line)
    return caught.value


@pytest.mark.parametrize(("line", "action"), TYPED, ids=[line for line, _ in TYPED])
def test_what_is_typed_is_what_is_done(line: str, action: Action) -> None:
    assert parse_line(line) == action


@pytest.mark.parametrize(("line", "action"), TYPED, ids=[line for line, _ in TYPED])
def test_an_action_remembers_who_asked(line: str, action: Action) -> None:
    assert parse_line(line, 7).re == 7
    assert parse_line(line, "").re == ""


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
    if is_optional(row):
        parse_line(line)
    else:
        error = fails(line)
        assert isinstance(error, Usage)
        assert str(error).endswith(row.usage)


@pytest.mark.parametrize("line", ["/reply 7", "/reply 7  "])
def test_a_reply_says_something(line: str) -> None:
    assert str(fails(line)) == "Type it so: /reply [SEQ] TEXT"


@pytest.mark.parametrize(
    "line", ["/retract -1", "/retract 7 8", "/retract it", "/retract \u0667", f"/retract {10**16}"]
)
def test_a_message_is_taken_back_by_its_number(line: str) -> None:
    assert isinstance(fails(line), BadInput)


def test_a_reply_is_no_longer_than_any_message() -> None:
    parse_line(f"/reply 7 {'x' * limits.TEXT}")
    assert isinstance(fails(f"/reply 7 {'x' * (limits.TEXT + 1)}"), TooLong)


@by_name
def test_a_command_with_nothing_but_spaces_has_no_argument(row: Command) -> None:
    try:
        bare: object = parse_line(row.name)
    except Usage as error:
        bare = str(error)
    try:
        spaced: object = parse_line(f"{row.name}    ")
    except Usage as error:
        spaced = str(error)
    assert bare == spaced


def test_help_lists_all_commands() -> None:
    action = parse_line("/help")
    assert isinstance(action, ShowHelpAction)
    assert action.commands == COMMANDS


@pytest.mark.parametrize("line", ["/", "/ hello", "/nope", "/quitt", "/who?", "/help nope", "/nick\tbob", "/кто"])
def test_an_unknown_command_is_an_error_and_never_a_message(line: str) -> None:
    error = fails(line)
    assert isinstance(error, UnknownCommand)
    assert "/help" in str(error) or "Did you mean /" in str(error)
    assert "type // for its first /" in str(error)


@by_name
def test_every_command_has_a_page_whose_example_is_such_a_command(row: Command) -> None:
    page = manual.PAGES[row.name]
    assert page.example.split()[0] == row.name
    parse_line(page.example)
    words = set(re.findall(r"--\w+|\w+", row.argument))
    assert {word for part, _ in page.parts for word in re.findall(r"--\w+|\w+", part)} <= words


def test_no_page_is_of_a_command_that_does_not_exist() -> None:
    assert set(manual.PAGES) == {row.name for row in COMMANDS}


@pytest.mark.parametrize("habit", manual.HABITS)
def test_a_habit_of_other_programs_does_what_its_command_does(habit: str) -> None:
    command = manual.HABITS[habit]
    example = manual.PAGES[command].example
    assert parse_line(example.replace(command, habit, 1)) == parse_line(example)
    assert parse_line(f"/help {habit}") == parse_line(f"/help {command}")


def test_what_comes_near_is_told_only_of_what_does_not_exist() -> None:
    names = {row.name for row in COMMANDS}
    assert not set(manual.NEAR) & (names | set(manual.HABITS))
    assert set(manual.NEAR.values()) <= names


def test_no_habit_hides_a_command_or_ends_a_room_for_others() -> None:
    assert not set(manual.HABITS) & {row.name for row in COMMANDS}
    assert set(manual.HABITS.values()) <= {row.name for row in COMMANDS} - {"/close"}


def test_the_numbers_of_messages_are_wanted_whatever_names_the_command() -> None:
    assert commands.names_message("/reply ")
    assert commands.names_message("/unsend ")
    assert not commands.names_message("unsend ")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("/jion x", "/join"),
        ("/JION", "/join"),
        ("/help jion", "/join"),
        ("/help /Cre", "/create"),
        ("/cre demo", "/create"),
        ("/cl", "/close or /clear"),
        ("/quitt", "/quit"),
        ("/who?", "/who"),
        ("/unl", "/unlock"),
        ("/unb", "/unban"),
        ("/inv", "/invite or /invites"),
        ("/kikc bob", "/kick"),
        ("/mutee ben", "/mute"),
        ("/block ben", "/ignore"),
        ("/home/ada/file.txt", "/send"),
    ],
)
def test_a_mistyped_command_is_told_with_what_it_may_have_been_meant_for(line: str, meant: str) -> None:
    word = line.removeprefix("/help ").split()[0].lower()
    beginning = f"There is no command /{word.removeprefix('/')}. Did you mean {meant}? "
    assert str(fails(line)).startswith(beginning)


@pytest.mark.parametrize("line", ["/", "/c", "/nothing", "/кто", "/" + "x" * 60_000])
def test_nothing_is_suggested_where_nothing_is_near(line: str) -> None:
    assert str(fails(line)).startswith(f"There is no command {line}; /help lists them all. ")


UNSEEN = [
    *("\ufeff", " ", "\t", "\u00a0", "\u3000", "\u200b", "\u200c", "\u200d", "\u200e", "\u202e", "\u2066", "\u2060"),
    *(
        "\u00ad",
        "\u034f",
        "\u115f",
        "\u180e",
        "\u2028",
        "\u2800",
        "\u3164",
        "\ufe0f",
        "\uffa0",
        "\x00",
        "\x1b",
        "\u0301",
    ),
    *("\u2065", "\ufff0", "\U000e0001", "\U000e0041", "\U000e0100", "\U000e0fff", "\n", "\r"),
]


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
def test_a_command_behind_what_one_does_not_see_is_no_message(unseen: str) -> None:
    for line in (f"{unseen}/msg bob secret", f"{unseen * 3}/msg bob secret", f"\ufeff {unseen}/msg bob secret"):
        assert parse_line(line) == inputs.WhisperInput("bob", "secret")
    assert parse_line(f"{unseen}//quit") == inputs.SayInput("/quit")
    assert isinstance(fails(f"{unseen}/nope"), UnknownCommand)


@given(st.text(st.sampled_from(UNSEEN), max_size=5), st.text(max_size=20))
def test_what_one_sees_beginning_with_one_slash_is_never_a_message(unseen: str, rest: str) -> None:
    try:
        action = parse_line(f"{unseen}/{rest}")
    except AnonError:
        return
    assert not isinstance(action, inputs.SayInput) or rest.startswith("/") or rest.lower().startswith("me ")


@pytest.mark.parametrize("slash", "\uff0f\u2044\u2215\u29f8")
def test_what_only_looks_like_a_slash_is_an_error_and_no_message(slash: str) -> None:
    for line in (f"{slash}msg bob secret", f" {slash}quit", f"\ufeff{slash}quit"):
        assert isinstance(fails(line), BadInput)
    assert parse_line(f"1{slash}2") == inputs.SayInput(f"1{slash}2")


@given(st.text(max_size=30))
def test_two_slashes_say_anything(rest: str) -> None:
    if rest.isascii():
        assert parse_line("//" + rest) == inputs.SayInput("/" + rest)


@given(st.text(max_size=30))
def test_what_is_said_is_said_as_it_is(text: str) -> None:
    if not commands.from_first_seen(text).startswith(("/", "\uff0f", "\u2044", "\u2215", "\u29f8")):
        assert (
            parse_line(text)
            == commands.make_message(text.removeprefix("\ufeff"))
            == inputs.SayInput(text.removeprefix("\ufeff"))
        )


@pytest.mark.parametrize("prefix", ["", "/me "])
@pytest.mark.parametrize("text", ["x" * limits.TEXT, "é" * (limits.TEXT // 2)], ids=["ascii", "two bytes each"])
def test_a_text_may_be_as_long_as_the_limit_and_no_longer(prefix: str, text: str) -> None:
    action = parse_line(prefix + text)
    assert isinstance(action, inputs.SayInput)
    assert action.text == text
    assert isinstance(fails(prefix + text + "x"), TooLong)


def test_the_slash_that_is_typed_twice_counts_once() -> None:
    assert parse_line("/" + "/" * limits.TEXT) == inputs.SayInput("/" * limits.TEXT)
    assert isinstance(fails("/" * (limits.TEXT + 2)), TooLong)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/nick two words", errors.BadNick),
        ("/nick [SYSTEM]", errors.BadNick),
        (f"/join {CODE} two words", errors.BadNick),
        (f"/join {CODE[:30]} {CODE[30:]} three words more", errors.BadNick),
        (f"/join {CODE[:56]} Ann9 Smith", errors.BadNick),
        ("/nick " + "x" * 21, errors.BadNick),
        ("/create two words", BadInput),
        ("/kick bob " + "x" * 201, BadInput),
        ("/create de\u200bmo", BadInput),
        ("/create r1", BadInput),
        ("/create SYSTEM", BadInput),
        ("/nick SYSTEM", errors.ReservedNick),
        ("/nick hоst", errors.ReservedNick),
        ("/help nope", UnknownCommand),
        ("/create two words --retain 5m", BadInput),
        ("/create --retain 5m", BadInput),
        ("/create demo --retain", errors.Usage),
        ("/create demo --history", errors.Usage),
        ("/create demo --keep 5m", errors.Usage),
        ("/create demo --", errors.Usage),
        ("/create demo --knock --knock", errors.Usage),
        ("/create demo --knock on", BadInput),
        ("/knock", errors.Usage),
        ("/knock yes", errors.Usage),
        ("/raid now", errors.Usage),
        *((f"/{name} bob again", errors.Usage) for name in ("unban", "mute", "unmute", "op", "deop", "keep")),
        *((f"/{name} bob again", errors.Usage) for name in ("admit", "refuse")),
        *((f"/{name}", errors.Usage) for name in ("ban", "op", "admit", "slow", "purge", "keep", "revoke")),
        ("/slow fast", BadInput),
        ("/slow 3601", BadInput),
        ("/slow 2h", BadInput),
        ("/slow -1", BadInput),
        ("/slow ５", BadInput),
        ("/slow 1 0", BadInput),
        ("/purge 10", BadInput),
        ("/purge 0m", BadInput),
        ("/purge all", BadInput),
        ("/purge 366d", BadInput),
        ("/invite --uses", BadInput),
        ("/invite bob --uses 0", BadInput),
        ("/invite bob --uses 1001", BadInput),
        ("/invite bob --uses two", BadInput),
        ("/invite bob --use 2", errors.Usage),
        ("/invite " + "x" * 201, BadInput),
        ("/revoke bob", BadInput),
        ("/revoke 1 2", BadInput),
        ("/ban bob " + "x" * 201, BadInput),
        ("/create demo --retain 5m --retain 6m", errors.Usage),
        ("/create demo --retain 5m:2h", BadInput),
        ("/create demo --retain 1s:2s:3s:4s", BadInput),
        ("/create demo --retain 2h:5m:30s", BadInput),
        ("/create demo --retain 2h:5m:", BadInput),
        ("/create demo --retain off:5m:off", BadInput),
        ("/create demo --retain 5m:5m:x", BadInput),
        ("/create demo --history 0", BadInput),
        ("/create demo --history 10001", BadInput),
        ("/create demo --history 99999999999999999999", BadInput),
        ("/create demo --history never", BadInput),
        ("/create demo --history off", BadInput),
        ("/create demo --history -5", BadInput),
        ("/code old", errors.Usage),
        ("/copy that", errors.Usage),
        ("/verify ben perhaps", errors.Usage),
        ("/verify ben yes no", errors.Usage),
        ("/notify desktop", errors.Usage),
        ("/notify all on", errors.Usage),
        ("/query ben hello", errors.Usage),
        ("/quiet 0", BadInput),
        ("/quiet 1441", BadInput),
        ("/quiet ten", BadInput),
        ("/quiet 5 m", BadInput),
        ("/entrust", errors.Usage),
        ("/heirs bob", errors.Usage),
        ("/health bob", errors.Usage),
        ("/msg bob", errors.Usage),
        ("/msg bob  ", errors.Usage),
        ("/msg bob " + "x" * (limits.TEXT + 1), errors.TooLong),
        ("/retain 0s", BadInput),
        ("/retain 0", BadInput),
        ("/retain 30", BadInput),
        ("/retain s", BadInput),
        ("/retain -5s", BadInput),
        ("/retain 1.5h", BadInput),
        ("/retain 1 h", BadInput),
        ("/retain ５s", BadInput),
        ("/retain ²s", BadInput),
        ("/retain 366d", BadInput),
        ("/retain 99999999999999999999d", BadInput),
        ("/retain for ever", BadInput),
        ("/send", errors.Usage),
        ("/send --clean", errors.Usage),
        ("/send x --cleen", errors.Usage),
        ("/send x --clean --clean", errors.Usage),
        ("/send ''", errors.Usage),
        ("/send my own report.pdf", PathInWords),
        ("/send 'my report.pdf", OpenQuote),
        ("/send a\0b", BadInput),
        ("/accept", errors.Usage),
        ("/accept report.pdf", BadInput),
        ("/accept ''", BadInput),
        ("/accept ３", BadInput),
        ("/accept -3", BadInput),
        ("/accept 1234567890", BadInput),
        ("/accept 3 ''", errors.Usage),
        ("/accept 3 my reports", PathInWords),
        ("/accept 3 'my", OpenQuote),
        ("/accept 3 a\0b", BadInput),
        ("/decline", errors.Usage),
        ("/decline 3 4", BadInput),
        ("/decline all", BadInput),
    ],
)
def test_a_bad_argument_is_told_as_such(line: str, error: type[AnonError]) -> None:
    told = fails(line)
    assert isinstance(told, error)
    assert "\n" not in str(told)
    assert 10 < len(str(told)) < 100, "one sentence"


@pytest.mark.parametrize("text", ["x" * limits.TEXT, "é" * (limits.TEXT // 2)], ids=["ascii", "two bytes each"])
def test_a_private_text_may_be_as_long_as_any(text: str) -> None:
    assert parse_line(f"/msg bob {text}") == inputs.WhisperInput("bob", text)
    assert isinstance(fails(f"/msg bob {text}x"), TooLong)


@given(st.integers(1, limits.RETENTION_MAX))
def test_a_time_is_typed_as_it_is_shown(seconds: int) -> None:
    assert parse_line(f"/retain {retention.span(seconds)}") == inputs.RetainInput(seconds)


@given(st.text(max_size=20))
def test_what_is_no_time_changes_nothing(text: str) -> None:
    try:
        action = parse_line(f"/retain {text}")
    except AnonError:
        return
    assert isinstance(action, inputs.RetainInput)
    assert action.ttl in (None, FLEETING, KEPT) or 0 < action.ttl <= limits.RETENTION_MAX


@given(st.text(max_size=30))
def test_a_room_has_no_other_rules_than_those_asked_for(text: str) -> None:
    try:
        action = parse_line(f"/create {text}")
    except AnonError:
        return
    assert isinstance(action, CreateRoomAction)
    assert action.retention == ANY or "--retain" in text
    assert action.history == NO_HISTORY or "--history" in text
    assert (action.knock, action.private) == ("--knock" in text, "--private" in text)
    assert action.retention.least <= action.retention.default <= action.retention.most


def test_a_path_is_what_the_tilde_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert parse_line("/send '~/my report.pdf'") == file_inputs.SendFileInput("/home/ann/my report.pdf")
    assert parse_line("/accept 3 ~/reports/") == file_inputs.AcceptInput(3, "/home/ann/reports/")


def test_a_path_with_spaces_is_told_to_be_put_into_quotes() -> None:
    assert str(fails("/accept 3 my reports")).endswith('/accept 3 "my report.pdf".')


def test_a_command_begins_with_a_slash() -> None:
    with pytest.raises(Usage):
        commands.parse_command("who")


def test_actions_show_nothing_of_what_was_typed() -> None:
    for line in (
        "/create secret",
        f"/join {CODE} secret",
        "/nick secret",
        "/me secret",
        "secret",
        "/msg secret secret",
        "/verify secret",
    ):
        assert "secret" not in repr(parse_line(line))
        assert CODE[:20] not in repr(parse_line(line))


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/join secret", CodeLength),
        (f"/join {CODE[:-7]}x.onion", CodeMistyped),
        (f"/join {CODE[:-7]}x.onion ann", CodeMistyped),
        (f"/join {CODE[:-7]}1 ann", CodeLetters),
        (f"/join {CODE[:-9]}.onion ann", CodeLength),
        (f"/join {CODE}:{'a' * 52} ann", KeyMistyped),
        (f"/join {CODE} a!", errors.BadNick),
        (f"/join {CODE} host", errors.ReservedNick),
    ],
)
def test_what_is_wrong_with_a_join_is_told(line: str, error: type[AnonError]) -> None:
    assert type(fails(line)) is error
