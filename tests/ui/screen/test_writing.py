"""What is written on the full screen: how it is edited, completed, sent, and never lost."""

import random
import re
from itertools import pairwise

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.ui.commands import COMMANDS
from anonp2p.ui.screen.screen import Screen
from anonp2p.ui.screen.term.terminal import Terminal
from tests.support.stage import Stage
from tests.ui.screen.input.test_keys import ANSWERS, END, START
from tests.ui.screen.meeting import enter, host

LOG = 79  # columns: as wide as can be without a list of members


def typed(stage: Stage) -> str:
    """What stands in the input line, in rows."""
    rows = stage.settled()
    status = max(y for y, row in enumerate(rows) if re.match(r" (demo|two|other|joining|anonp2p)( |$)", row))
    return "\n".join(re.sub(r"^(zoe)?> ?", "", row) for row in rows[status + 1 :])


def said(stage: Stage) -> list[str]:
    """What we have said, in the first row of each."""
    return [row.partition(" │ ")[2] for row in stage.settled() if re.search(r"\d zoe │|  zoe │", row)]


def test_a_message_may_have_several_lines() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        stage.type("one").key("meta enter").type("two").key("meta enter").type("three")
        assert typed(stage) == "one\ntwo\nthree"
        stage.key("enter").until(r"zoe │ one\n +│ two\n +│ three$")
        assert said(stage) == ["one"]
        assert typed(stage) == ""


def test_what_is_pasted_is_one_message_and_never_sent_by_itself() -> None:
    with Stage("--nick", "zoe", columns=LOG, rows=40) as stage:
        host(stage)
        stage.paste("/leave\n")
        assert typed(stage) == "/leave"
        stage.key("ctrl c").paste("first\n\tsecond\x1b[31m\x07\nthird\n")
        assert said(stage) == []
        assert typed(stage).startswith("first\n")
        stage.key("enter").until(r"zoe │ first\n +│ +second\S*\n +│ third$")
        assert said(stage) == ["first"]
        lines = [f"line {n}" for n in range(limits.LONG_MESSAGE + 1)]
        stage.paste("\n".join(lines))
        stage.key("enter").until(f"That is {len(lines)} lines: Enter again")
        assert said(stage) == ["first"]
        stage.type("x")  # another key is no answer
        assert not stage.settled()[-3].startswith("That is")
        stage.key("enter").until(f"That is {len(lines)} lines: Enter again")
        assert said(stage) == ["first"]
        stage.key("enter").until(rf"│ line {limits.LONG_MESSAGE}x$")
        assert said(stage) == ["first", "line 0"]
        rows = [row.partition("│ ")[2] for row in stage.screen() if "│ line" in row]
        assert rows == [*lines[:-1], f"{lines[-1]}x"]
        stage.paste("\n".join(lines[:-1])).key("enter")  # not so long
        stage.settled()
        assert said(stage) == ["first", "line 0", "line 0"]


def test_what_a_terminal_says_late_is_not_typed_and_ends_nothing() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        stage.type("mine")
        for answer, _ in ANSWERS.values():
            stage.send(answer)
            if len(answer) < 100:
                stage.send(answer[:-1])
                stage.send(answer[-1:])
        assert typed(stage) == "mine"
        for answer in (b"\x1b[24;80R", b"\x1b]11;rgb:0000/0000/0000\x1b\\"):
            for at in range(2, len(answer)):
                stage.send(answer[:at])
                stage.wait(limits.ESCAPE)
                stage.send(answer[at:])
        assert typed(stage) == "mine"
        stage.type("\n").until("zoe │ mine")
        assert said(stage) == ["mine"]


def test_no_bytes_end_it() -> None:
    others = bytes(
        set(range(256)) - {3, 4, 13, 10, 26}
    )  # without what would leave it, send, or stop it (see test_jobs)
    some = random.Random(11)
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        for _ in range(8):
            stage.send(bytes(some.choice(others) for _ in range(500)))
            stage.send(b"".join(some.choice(list(ANSWERS.values()))[0][: some.randrange(1, 9)] for _ in range(60)))
        stage.wait(limits.PASTE_PAUSE + limits.SEQUENCE)
        stage.key("esc", "esc", "esc", "ctrl c", "x").until(lambda rows: rows[-1] == "zoe> x")
        stage.type("\n").until("zoe │ x$")


def test_a_paste_without_an_end_ends_and_what_was_pasted_stays() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        stage.send(START + b"one\rtwo")
        stage.until(lambda rows: rows[-2:] == ["zoe> one", "two"])
        stage.type("!").type("\n").until(r"zoe │ one\n +│ two!")
        stage.send(START + b"three")
        stage.send(b"\x1b")
        stage.type("!").type("\n").until("zoe │ three!")
        stage.send(START + b"four\rfive\r")
        stage.until(lambda rows: rows[-2:] == ["zoe> four", "five"])
        stage.send(b"six\rseven\r" + END)
        stage.until(lambda rows: rows[-4:] == ["zoe> four", "five", "six", "seven"])
        assert said(stage) == ["one", "three!"]


def test_up_and_down_go_through_what_was_sent_in_this_room() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        stage.type("one\n").type("two\n").until("zoe │ two")
        stage.type("/nosuch\n").until("Did you mean|lists them")
        stage.key("ctrl c").type("draft")
        stage.key("up")
        assert typed(stage) == "two"
        stage.key("up")
        assert typed(stage) == "one"
        stage.key("up", "down")
        assert typed(stage) == "two"
        stage.key("down")
        assert typed(stage) == "draft"
        stage.key("up", "up").type("!\n").until("zoe │ one!")
        stage.key("down")
        assert typed(stage) == "draft"
        stage.key("ctrl c")
        host(stage, name="other")
        stage.key("up")
        assert typed(stage) == ""  # what was said elsewhere stays there
        stage.type("three\n").until("zoe │ three")
        stage.key("meta 1", "up")
        assert typed(stage) == "one!"


def test_tab_completes_commands_nicks_and_rooms() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben", "bea", "cho")
        for who in ("ben", "bea", "cho"):
            stage.ask("say", who=who, text="hi")
        stage.until("cho │ hi")
        stage.type("/cre").key("tab")
        assert typed(stage) == "/create"
        stage.type("x")
        assert typed(stage) == "/create x"
        stage.key("ctrl c", "tab")
        assert typed(stage) == "cho:"  # who spoke last comes first
        assert stage.until(r"\[cho:\]  bea:  ben:")
        stage.key("tab")
        assert typed(stage) == "bea:"
        stage.key("shift tab", "shift tab")
        assert typed(stage) == "ben:"
        stage.type("ok and be").key("tab")
        assert typed(stage) == "ben: ok and bea"
        stage.type("x").key("ctrl c").type("/msg c").key("tab").type("psst")
        assert typed(stage) == "/msg cho psst"
        assert not any("[" in row for row in stage.screen()[-3:])  # nothing to choose from any more
        stage.key("ctrl c")
        host(stage, name="other")
        stage.type("/switch d").key("tab")
        assert typed(stage) == "/switch demo"
        stage.key("enter").until("cho │ hi")


def test_who_is_gone_is_not_completed() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben", "cho")
        stage.ask("say", who="cho", text="bye")
        stage.ask("leave", who="cho")
        stage.until("cho left")
        stage.key("tab")
        assert typed(stage) == "ben:"


def test_what_was_cut_can_be_put_back_and_undone() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        stage.settled()
        steps = [
            ("one two three", "one two three"),
            ("{ctrl w}", "one two"),
            ("{ctrl y}", "one two three"),
            ("{ctrl a}zero {ctrl k}", "zero"),
            ("{ctrl u}", ""),
            ("{ctrl y}", "zero one two three"),  # what is cut without a pause is one
            ("{meta y}", "three"),
            ("{ctrl _}{ctrl _}", ""),
            ("{ctrl _}", "zero"),
            ("{ctrl c}", ""),
            ("{ctrl y}!", "zero !"),
        ]
        for keys, wanted in steps:
            for at, part in enumerate(re.split(r"[{}]", keys)):
                if at % 2:
                    stage.key(part)
                else:
                    stage.type(part)
            assert typed(stage) == wanted, keys


def test_help_lists_all_commands_over_the_log() -> None:
    with Stage("--nick", "zoe", columns=80, rows=24) as stage:
        host(stage)
        stage.type("kept").key("f1").until("help")
        seen = set()
        for _ in range(10):
            rows = stage.settled()
            seen |= {command.name for command in COMMANDS for row in rows if row.startswith(command.name)}
            assert any(row.startswith("zoe> kept") for row in rows)
            stage.key("page down")
        assert seen == {command.name for command in COMMANDS}
        stage.key("home").until("^/help")
        stage.mouse("wheel down", 5, 5).until(lambda rows: not any(row.startswith("/help") for row in rows))
        stage.key("esc").until("room demo")
        assert not any("/help" in row for row in stage.screen())
        stage.key("ctrl c").type("/help create\n").until(r"/create NAME")
        assert not any(row.startswith("/join") for row in stage.settled())
        stage.type("on").until("room demo")  # whoever goes on typing has read it
        assert typed(stage) == "on"
        stage.key("ctrl c").type("/help nosuch\n").until("/nosuch")
        assert typed(stage) == "/help nosuch"


def test_an_unknown_command_is_no_message_and_stays_typed() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben")
        stage.type("/jion abc\n").until("Did you mean /join")
        assert typed(stage) == "/jion abc"
        stage.key("ctrl c").type("/xyzzy\n").until("/xyzzy; /help lists them all")
        assert typed(stage) == "/xyzzy"
        stage.key("ctrl c").type("/kick\n").until("Type it so: /kick NICK")
        assert typed(stage) == "/kick"
        assert said(stage) == []
        stage.key("ctrl c").type("//slash\n").until("zoe │ /slash$")


def test_each_room_has_its_draft() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        host(stage, name="two")
        stage.type("for two").key("meta 1").settled()
        assert typed(stage) == ""
        stage.type("for demo").key("ctrl n")
        assert typed(stage) == "for two"
        stage.key("ctrl p")
        assert typed(stage) == "for demo"
        stage.key("ctrl a").type("not ").key("ctrl n", "ctrl n").type("only ")
        assert typed(stage) == "not only for demo"  # where the cursor was, too
        stage.key("enter").until("zoe │ not only for demo")
        stage.key("meta 2")
        assert typed(stage) == "for two"
        assert said(stage) == []


def test_what_is_typed_survives_any_size() -> None:
    text = "The quick brown fox jumps over 日本語 lazy dogs, twice " * 3
    sizes = ((40, 20), (10, 3), (200, 60), (20, 6), (1, 1), (33, 11), (300, 5), (80, 24))
    with Stage("--nick", "zoe", columns=80, rows=24) as stage:
        host(stage)
        stage.type(text.rstrip())
        for columns, rows in sizes:
            stage.resize(columns, rows)
            stage.settled()
            assert not stage.is_over
            if columns >= 20 and rows >= 6:
                assert stage.cursor
                x, y = stage.cursor
                before = stage.screen()[y][:x]
                assert before.endswith("twice") or not before, (columns, rows)
        assert "".join(typed(stage).split()) == "".join(text.split())
        stage.key("enter").until("zoe │ The quick")
        stage.type("x" * 1_000)  # more than there is room for
        seen = stage.settled()
        assert sum(bool(re.fullmatch(r"(zoe> )?x+", row)) for row in seen) <= limits.ROWS_OF_INPUT
        assert stage.cursor
        assert stage.cursor[1] == 23
        assert any("│" in row for row in seen)  # the log is still there


def test_what_is_too_long_stays_typed() -> None:
    with Stage("--nick", "zoe", columns=LOG, rows=80) as stage:
        host(stage)
        for text in ("x" * (limits.TEXT + 1), "ü" * (limits.TEXT // 2 + 1)):  # what counts is bytes
            stage.paste(text).key("enter").until(f"{limits.TEXT}|{limits.TEXT:,}|too long")
            assert set("".join(typed(stage).split())) == {text[0]}
            assert said(stage) == []
            stage.key("backspace", "enter").until(f"zoe │ {text[0]}")
            assert typed(stage) == ""
            stage.type("/clear\n").settled()


def test_what_does_not_fit_at_all_is_told() -> None:
    screen = Screen(Config(mode="screen"), Terminal(idle=lambda: None, closed=lambda: None))
    screen.editor.paste("x" * (limits.INPUT_LINE + 1))
    assert screen.scene.hint
    assert screen.scene.hint.text.startswith(f"A message has up to {limits.TEXT:,} bytes")


def test_what_is_typed_with_no_room_stays() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        stage.settled()
        for text in ("hello?", "/who", "/msg ben hello"):
            stage.type(f"{text}\n").until("No room is active")
            assert typed(stage) == text
            stage.key("ctrl c")
        stage.type("/join nonsense\n").until("not a room code")
        assert typed(stage) == "/join nonsense"


def test_what_is_typed_while_the_link_is_lost_is_sent_later() -> None:
    with Stage("--nick", "zoe", columns=LOG, rows=40) as stage:
        enter(stage, "ben")
        stage.type("draft")
        stage.ask("lose")
        stage.until("link (lost|connecting)")
        assert typed(stage) == "draft"
        stage.key("ctrl c")
        for n in range(3):
            stage.type(f"text {n}\n").until(rf"^ +zoe │ text {n}$")
        stage.type("and a draft")
        stage.ask("say", who="ben", text="meanwhile")
        stage.ask("regain")
        stage.until(r"^12:\d\d +zoe │ text 2$")
        rows = stage.settled()
        places = [next(y for y, row in enumerate(rows) if part in row) for part in ("meanwhile", "text 0", "text 2")]
        assert all(before < after for before, after in pairwise(places))
        assert said(stage) == ["text 0", "text 1", "text 2"]
        assert typed(stage) == "and a draft"
        stage.key("up")
        assert typed(stage) == "text 2"


def test_what_is_typed_while_one_is_still_joining_is_sent_then() -> None:
    with Stage("--nick", "zoe", columns=LOG, slow_boot=True) as stage:
        stage.settled()
        code = stage.ask("host", who="ada")["code"]
        stage.type(f"/join {code}\n").until("aits for Tor")
        stage.type("early words\n").until("│ early words")
        assert not stage.find("12:00      zoe")
        stage.ask("ready")
        stage.until(r"^12:\d\d +zoe │ early words$")
        rows = stage.settled()
        assert sum("early words" in row for row in rows) == 1
        assert not any("aits for" in row or "Connecting" in row for row in rows)  # nothing is left of the wait


def test_what_could_not_be_sent_is_given_back() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage, "ben")
        stage.type("/msg nobody psst\n").until("Not sent: .*psst")
        stage.key("up")
        assert typed(stage) == "/msg nobody psst"
        assert not any("║" in row for row in stage.screen())
        stage.key("ctrl c")
        stage.ask("lose")
        stage.until("link (lost|connecting)")
        stage.type("last words\n").until(r"^ +zoe │ last words$")
        stage.ask("kick", who="ada", to="zoe")
        stage.ask("regain")
        stage.until("Not sent: last words")
        stage.until("You are out of the room")
        assert said(stage) == []
        stage.key("up")
        assert typed(stage) == "last words"


def test_control_c_cuts_then_asks_then_leaves() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage)
        stage.type("oops").key("ctrl c")
        assert typed(stage) == ""
        stage.key("ctrl c").until("Ctrl-C again leaves")
        stage.type("no").key("ctrl c", "ctrl c").until("Ctrl-C again leaves")
        stage.key("ctrl c")
        assert stage.status() == 0
