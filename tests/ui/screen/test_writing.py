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
from tests.ui.screen.meeting import enter, host
from tests.ui.test_keys import ANSWERS

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


def test_tab_offers_who_spoke_last_first_until_something_else_is_typed() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        host(stage, "ben", "bea", "cho")
        for who in ("ben", "bea", "cho"):
            stage.ask("say", who=who, text="hi")
        stage.until("cho │ hi")
        stage.key("tab").until(r"\[cho:\]  bea:  ben:")
        assert typed(stage) == "cho:"
        stage.key("tab").until(r"\[bea:\]")
        stage.type("ok")
        assert typed(stage) == "bea: ok"
        assert not any("[" in row for row in stage.screen()[-3:])
        stage.ask("leave", who="cho")
        stage.until("cho left")
        stage.key("ctrl c", "tab")
        assert typed(stage) == "bea:"


def test_while_a_command_is_typed_its_usage_stands_above_it() -> None:
    with Stage("--nick", "zoe", columns=100) as stage:
        host(stage, "ben")
        stage.type("/retain ").until("^30s  5m  2h  off  never; now off")
        stage.type("5m\n").until("yours expire in 5m")
        assert not any(row.startswith("30s") for row in stage.screen())
        stage.type("/retain ").until("^30s  5m  2h  off  never; now 5m")
        stage.key("ctrl c").type("/le").until("^/leave  That ends demo for 1 other: nobody else there can host")
        stage.key("ctrl c").type("/clos").until("^/close  That ends demo for 1 other")
        stage.key("ctrl c").type("/who/").until("^There is no such command")
        stage.key("ctrl c").type("a /retain ").until(lambda rows: not any(row.startswith("30s") for row in rows))


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


def test_of_what_is_typed_no_more_is_in_sight_than_leaves_room_for_the_log() -> None:
    with Stage("--nick", "zoe", columns=80, rows=24) as stage:
        host(stage)
        stage.type("x" * 1_000)
        seen = stage.settled()
        assert sum(bool(re.fullmatch(r"(zoe> )?x+", row)) for row in seen) <= limits.ROWS_OF_INPUT
        assert stage.cursor
        assert stage.cursor[1] == 23
        assert any("│" in row for row in seen)


def test_what_does_not_fit_at_all_is_told() -> None:
    screen = Screen(Config(mode="screen"), Terminal(idle=lambda: None, closed=lambda: None))
    screen.editor.paste("x" * (limits.INPUT_LINE + 1))
    assert screen.scene.hint
    assert screen.scene.hint.text.startswith(f"No more than {limits.INPUT_LINE:,} bytes")


def test_what_is_typed_while_the_link_is_lost_is_sent_later() -> None:
    with Stage("--nick", "zoe", columns=LOG, rows=40) as stage:
        enter(stage, "ben")
        stage.type("draft")
        stage.ask("lose")
        stage.until("link (lost|connecting)")
        assert typed(stage) == "draft"
        stage.key("ctrl c")
        for n in range(3):
            stage.type(f"text {n}\n").until(rf"^ +… +(zoe )?│ text {n}$")
        stage.type("and a draft")
        stage.ask("say", who="ben", text="meanwhile")
        stage.ask("regain")
        stage.until(r"^12:\d\d +│ text 2$")
        rows = stage.settled()
        places = [next(y for y, row in enumerate(rows) if part in row) for part in ("meanwhile", "text 0", "text 2")]
        assert all(before < after for before, after in pairwise(places))
        assert said(stage) == ["text 0"]  # under which the others stand without a name
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
        stage.type("last words\n").until(r"^ +… +zoe │ last words$")
        stage.ask("kick", who="ada", to="zoe")
        stage.ask("regain")
        stage.until("Not sent: last words")
        stage.until("You are out of the room")
        assert said(stage) == []
        stage.key("up")
        assert typed(stage) == "last words"
