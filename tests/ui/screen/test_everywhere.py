"""The full screen on terminals of all sizes and kinds, by whatever they call themselves."""

import os
import random
import re
import sys

import pytest

from anonp2p import cli
from anonp2p.config import Config
from anonp2p.names.codes import RoomKey
from tests.support import terminal
from tests.support.stage import Stage

STYLE = re.compile(rb"\x1b\[([\d;:]*)m")
MODE = re.compile(rb"\x1b\[\?([\d;]+)[hl]")
PLAIN = frozenset((0, 1, 4, 7, 39, 49))  # styles without a colour that every terminal knows, or leaves out
SEVERAL = "日本語 ünïcödé │ 👍"
SIZES = [(20, 6), (21, 7), (30, 60), (40, 20), (59, 24), (60, 24), (79, 24), (80, 24), (99, 30), (120, 40), (300, 100)]
QUERIES = (b"\x1b[?2026$p", b"\x1b[?2027$p", b"\x1b[?1049$p", b"\x1b[?1000$p", b"\x1b[?1006$p")


def room(stage: Stage) -> None:
    """Somebody else is in a room with us, and all kinds of things have been said there."""
    stage.settled()
    stage.type("/create demo\n").until("Others can join now")
    stage.ask("join", who="ben")
    stage.ask("say", who="ben", text=f"hello ada, {SEVERAL}")
    stage.ask("msg", who="ben", to="ada", text="between us two")
    stage.ask("me", who="ben", text="waves")
    stage.type("/nonsense\n").until("no command")
    stage.key("ctrl c").type("hi ben, see https://example.org/ for more\n").until("hi ben")
    stage.settled()


def assert_in_order(stage: Stage) -> None:
    """The last row is the input, the one above it the status, and drawing it all anew makes no difference."""
    shown = stage.settled()
    assert re.match(r"(ada)?> ", shown[-1] + " ")
    assert len(shown[-2]) < 40 or " demo " in shown[-2]
    assert stage.attributes(0, len(shown) - 2).bg != "default"
    assert stage.cursor is not None
    assert stage.cursor[1] == len(shown) - 1
    stage.key("ctrl l")
    assert stage.settled() == shown


def styles(stage: Stage) -> set[int]:
    """The first numbers of all styles: 38 and 48 stand for those with a colour that is told by more of them."""
    found = set()
    for match in STYLE.findall(stage.raw):
        numbers = [int(number or 0) for number in re.split(rb"[;:]", match)]
        while numbers:
            first = numbers.pop(0)
            found.add(first)
            if first in (38, 48):
                del numbers[: 2 if numbers[0] == 5 else 4]
    return found


# --- sizes


def test_at_every_size_there_is_an_input_row_a_status_row_and_what_was_said() -> None:
    with Stage("--nick", "ada") as stage:
        room(stage)
        stage.type("typed")
        for columns, rows in [*SIZES, *reversed(SIZES)]:
            stage.resize(columns, rows)
            assert_in_order(stage)
            assert stage.screen()[-1].endswith("> typed")
            if columns >= 40 and rows >= 20:
                assert "see https://example.org/" in " ".join(stage.screen())


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (1, 50), (2, 2), (10, 3), (19, 24), (80, 5), (300, 1)])
def test_where_nothing_fits_it_starts_says_so_and_loses_nothing_that_is_typed(columns: int, rows: int) -> None:
    with Stage("--nick", "ada", columns=columns, rows=rows) as stage:
        assert " ".join(stage.settled()).startswith("This window" if columns * rows > 20 and columns >= 10 else "")
        stage.type("/create demo")
        stage.resize(80, 24)
        assert stage.settled()[-1] == "ada> /create demo"
        stage.key("enter").until("Others can join now")
        stage.type("kept")
        stage.resize(columns, rows).settled()
        stage.type(" too")
        stage.resize(40, 20)
        assert_in_order(stage)
        assert stage.screen()[-1] == "> kept too"


@pytest.mark.parametrize("seed", [1, 2])
def test_resizing_while_one_types_and_others_talk_loses_nothing(seed: int) -> None:
    chosen = random.Random(seed)
    with Stage("--nick", "ada") as stage:
        room(stage)
        stage.ask("many", who="ben", count=300, text=f"message {{n}} {SEVERAL}", per_second=200, background=True)
        typed = ""
        for number in range(40):
            stage.resize(chosen.choice((1, 19, 20, 40, 77, 80, 150, 300)), chosen.choice((1, 5, 6, 20, 24, 60, 100)))
            key = chosen.choice("abc é日👍")
            stage.type(key)
            typed += key
            if not number % 10:
                stage.key("f2", "page up", "end")
                stage.settled()
        stage.resize(100, 30).key("esc")
        stage.until("message 299 ")
        assert_in_order(stage)
        assert stage.screen()[-1] == f"ada> {typed}".rstrip()


def test_a_stretch_of_resizes_leaves_what_a_fresh_screen_shows() -> None:
    with Stage("--nick", "ada") as stage:
        room(stage)
        for overlay in ("", "/help\n", "/qr\n", "/who\n", "/code\n"):
            stage.type(overlay).settled()
            for columns, rows in SIZES:
                stage.resize(columns, rows)
            stage.resize(80, 24)
            shown = stage.settled()
            stage.key("ctrl l").settled()
            stage.type(overlay)
            assert stage.settled() == shown
            stage.key("esc").settled()


# --- kinds

TERMS = {
    # TERM, COLORTERM: the styles with a colour that it may be given
    ("xterm", ""): (16, "xterm"),
    ("xterm-256color", "truecolor"): (2**24, "xterm"),
    ("linux", "truecolor"): (16, "linux"),
    ("screen", "truecolor"): (256, "xterm"),
    ("screen-256color", "truecolor"): (256, "xterm"),
    ("tmux-256color", ""): (256, "xterm"),
    ("vt100", ""): (16, "xterm"),
    ("rxvt-unicode-256color", ""): (256, "xterm"),
    ("foot", "truecolor"): (2**24, "xterm"),
    ("xterm-kitty", "truecolor"): (2**24, "xterm"),
    ("something-new", ""): (16, "xterm"),
}
BASIC = PLAIN | {2, 3, *range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)}


@pytest.mark.parametrize(("term", "colour"), TERMS)
def test_a_terminal_is_told_only_what_it_understands(term: str, colour: str) -> None:
    colours, kind = TERMS[term, colour]
    with Stage("--nick", "ada", term=term, colour=colour) as stage:
        room(stage)
        assert_in_order(stage)
        found = styles(stage)
        assert found <= BASIC | ({38, 48} if colours > 16 else set())
        assert found & set(range(30, 48)), "it has colours"
        assert colours == 2**24 or not re.search(rb"[34]8[;:]2[;:]", stage.raw)
        if kind == "linux":
            assert not any(query in stage.raw for query in QUERIES)
            assert not {1000, 1002, 1003, 1006} & stage.modes
            assert not re.search(rb"\x1b\[[<>=]|\x1b[P_^]|\x1b\]", stage.raw)
        else:
            assert {1000, 1006} <= stage.modes
        assert b"\x1b[?" not in re.sub(rb"\x1b\[\?[\d;]+(?:[hlu]|\$p)", b"", stage.raw)
        modes = {int(mode) for found in MODE.findall(stage.raw) for mode in found.split(b";")}
        assert modes <= {7, 25, 1000, 1002, 1004, 1006, 1049, 2004, 2026, 2027}
        stage.type("/quit\n/quit\n")
        assert stage.status() == 0
        assert stage.modes == terminal.USUAL


@pytest.mark.parametrize("term", ["xterm-256color", "linux", "screen"])
def test_with_no_color_there_are_but_bold_underlined_and_reversed(term: str) -> None:
    with Stage("--nick", "ada", term=term, environment={"NO_COLOR": "1"}) as stage:
        room(stage)
        shown = stage.settled()
        assert styles(stage) <= PLAIN
        assert {1, 7} <= styles(stage)
        assert stage.attributes(0, len(shown) - 2).reverse
        assert stage.find("hello ada")


def test_an_empty_no_color_means_nothing() -> None:
    with Stage(environment={"NO_COLOR": ""}) as stage:
        stage.settled()
        assert 38 in styles(stage)


def test_light_and_dark_terminals_are_told_the_same() -> None:
    written = []
    for light in (False, True):
        with Stage("--nick", "ada", light=light) as stage:
            room(stage)
            stage.key("ctrl l").settled()
            looks = [[stage.attributes(x, y)._replace(data="") for x in range(80)] for y in range(len(stage.screen()))]
            written.append(looks)
    assert written[0] == written[1]


def test_whatever_the_locale_and_python_think_text_is_utf_8() -> None:
    environment = {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    with Stage("--nick", "ada", environment=environment, pty=True) as stage:
        room(stage)
        assert stage.find("日本語 ünïcödé │ 👍")
        stage.type("äé日👍\n").until("│ äé日👍")
        stage.type("ß日").until(lambda rows: rows[-1] == "ada> ß日")


# --- which of the three faces it shows


@pytest.mark.parametrize(
    ("terminals", "term", "option", "mode"),
    [
        ((0, 1, 2), "xterm", (), "screen"),
        ((0, 1), "xterm", (), "screen"),  # complaints that go elsewhere are no reason for lines
        ((1, 2), "xterm", (), "line"),
        ((0, 2), "xterm", (), "line"),
        ((0, 1, 2), "dumb", (), "line"),
        ((0, 1, 2), "", (), "line"),
        ((0, 1, 2), "xterm", ("--line",), "line"),
        ((0, 1, 2), "xterm", ("--json",), "json"),
    ],
)
def test_the_full_screen_is_for_a_terminal_with_pictures_on_both_ends(
    terminals: tuple[int, ...], term: str, option: tuple[str, ...], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []

    def run(config: Config) -> tuple[int, None]:
        modes.append(config.mode)
        return 0, None

    monkeypatch.setattr(cli, "run", run)
    monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor in terminals)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "argv", ["anonp2p", *option])
    assert cli.main() == 0
    assert modes == [mode]


def test_in_line_mode_a_dumb_terminal_gets_lines_and_no_more() -> None:
    with Stage("--nick", "ada", mode="line", pty=True, term="dumb") as stage:
        stage.until("Connected")
        stage.type("/create demo\n").until("Others can join now")
        assert b"\x1b" not in stage.raw
        assert stage.on_pty.echoes
        stage.key("ctrl d")
        assert stage.status() == 0
        assert b"Traceback" not in stage.raw


# --- what is asked for on the command line


def test_a_room_asked_for_on_the_command_line_is_created() -> None:
    with Stage("--nick", "ada", "create", "demo", slow_boot=True) as stage:
        stage.until("[Ww]aits for Tor")
        stage.ask("ready")
        stage.until("Others can join now")
        assert_in_order(stage)


def test_a_room_asked_for_on_the_command_line_is_joined() -> None:
    code = RoomKey(random.Random("1:ben:1").randbytes(32)).code  # as Surroundings makes it
    with Stage("--nick", "ada", "join", code, slow_boot=True) as stage:
        stage.until("[Ww]aits for Tor")
        assert stage.ask("host", who="ben")["code"] == code
        stage.ask("ready")
        stage.until("You are in demo as ada, with ben")
        assert_in_order(stage)


def test_a_code_that_is_to_be_asked_for_is_asked_for() -> None:
    with Stage("--nick", "ada", "join", "-") as stage:
        code = stage.ask("host", who="ben")["code"]
        shown = stage.settled()
        assert shown[-1] == "ada> /join"
        assert any("Paste the room's code" in row for row in shown)
        stage.paste(code).key("enter").until("You are in demo as ada, with ben")
        assert not any(code[:10] in row for row in stage.settled())
        stage.key("up")
        assert not any(code[:10] in row for row in stage.settled())
