"""However the full screen ends, the terminal is as it was, and nothing of what was said is left on it."""

import os
import re
import signal
import socket
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from anonp2p import cli
from anonp2p.ui.screen.keyboard import Keyboard
from anonp2p.ui.screen.view import View
from tests.support import program as staged_program
from tests.support import terminal
from tests.support.stage import Stage

SAID, TYPED, GIVEN = "attack at dawn", "burn this", "burnt already"
LEFT = b"\x1b[?1049l"
PATIENCE = 120  # seconds for what takes 3 at most on an idle machine
OPTIONS = ("--mode=screen", "--seed=1", "--now=1700049600", "--", "--nick", "ada")
BUG = r"anonp2p: This is an error in anonp2p, please report it: {} at [\w.:< ]+\."


def program(function: Callable[[], object], *arguments: str) -> list[str]:
    """Runs a function of a test file in the place of the program."""
    statement = f"import sys; from {function.__module__} import {function.__name__} as f; sys.exit(f())"
    return [sys.executable, "-c", statement, *arguments]


def play() -> int:
    """The program in its surroundings, as a stage has it."""
    sys.argv[1:] = ["--control", str(Path(os.environ["HOME"]) / "control"), *OPTIONS]
    return staged_program.main()


def room(stage: Stage) -> None:
    """Something is said in a room, and something typed."""
    stage.settled()
    stage.type("/create demo\n").until("Others can join now")
    stage.ask("join", who="ben")
    stage.ask("say", who="ben", text=SAID)
    stage.type(f"{GIVEN}\n").until(f"│ {GIVEN}")
    stage.until(SAID)
    stage.type(TYPED).until(lambda rows: rows[-1] == f"ada> {TYPED}")
    assert stage.modes != terminal.USUAL


def untouched() -> list[object]:
    """The settings of a terminal that nobody has changed."""
    ours, theirs = os.openpty()
    try:
        return termios.tcgetattr(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def assert_left(stage: Stage, sentence: str = "") -> None:
    """The terminal is as it was but for at most one sentence; so are its settings, which only one on a pty has."""
    assert stage.modes == terminal.USUAL
    assert stage.cursor is not None
    assert stage.terminal.keyboards == 0
    assert not stage.is_on_pty or stage.on_pty.settings == untouched()
    shown = "".join(row.ljust(stage.terminal.columns) for row in stage.screen()).rstrip()
    assert re.fullmatch(sentence, shown), shown
    after = stage.raw.rpartition(LEFT)[2]
    assert not re.search(rb"\x1b\[[\d;]*m", after), "styles are those of before"
    for text in (SAID, TYPED, GIVEN, "demo", "ben"):
        assert text.encode() not in after
    assert b"Traceback" not in stage.raw


# --- ends that are asked for


@pytest.mark.parametrize(
    "keys", [("ctrl u", "/quit\n/quit\n"), ("ctrl c", "ctrl c", "ctrl c"), ("ctrl c", "ctrl d", "ctrl d")]
)
def test_an_end_by_the_keyboard_leaves_the_terminal_as_it_was(keys: tuple[str, ...]) -> None:
    with Stage("--nick", "ada") as stage:
        room(stage)
        for key in keys:
            (stage.key if key.startswith("ctrl") else stage.type)(key)
        assert stage.status() == 0
        assert_left(stage)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])  # SIGTERM and SIGINT: below
def test_a_signal_leaves_the_terminal_as_it_was(number: signal.Signals) -> None:
    with Stage("--nick", "ada", pty=True) as stage:
        room(stage)
        stage.on_pty.signal(number)
        assert stage.status() == 128 + number
        assert_left(stage)


def test_a_signal_while_tor_starts_ends_it() -> None:
    with Stage("create", "demo", slow_boot=True, pty=True) as stage:
        stage.until("[Ww]aits for Tor")
        stage.on_pty.signal(signal.SIGTERM)
        assert stage.status() == 128 + signal.SIGTERM
        assert_left(stage)


def test_impatience_leaves_the_terminal_as_it_was() -> None:
    with Stage("--nick", "ada", pty=True) as stage:
        room(stage)
        stage.ask("vanish", who="ben")
        for _ in range(5):
            stage.on_pty.signal(signal.SIGINT)
        assert stage.status() == 130
        assert_left(stage)


class _Interrupted:
    """Has a signal come while a module is being imported."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._number = number

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._name:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), self._number)


def start_interrupted() -> int:
    name, number = sys.argv[1:3]
    del sys.argv[1:]
    for module in [*sys.modules]:  # what this file has imported is yet to be imported
        if module.startswith(
            ("anonp2p.app", "anonp2p.client", "anonp2p.library", "anonp2p.net", "anonp2p.room", "stem")
        ):
            package, _, child = module.rpartition(".")
            if package in sys.modules:
                vars(sys.modules[package]).pop(child, None)
            del sys.modules[module]
    sys.meta_path.insert(0, _Interrupted(name, int(number)))
    return cli.main()


@pytest.mark.parametrize(  # the other signals are received like the first
    ("module", "number"), [("anonp2p.app", signal.SIGTERM), ("anonp2p.net.session", signal.SIGINT)]
)
def test_a_signal_before_all_of_the_program_is_loaded_ends_it(module: str, number: signal.Signals) -> None:
    with Stage(command=program(start_interrupted, module, str(int(number)))) as stage:
        assert stage.status() == 128 + number
        assert b"/create NAME" in stage.raw
        assert_left(stage)


# --- ends that are not


def test_a_task_that_fails_is_one_sentence_on_the_screen_of_before() -> None:
    with Stage("--nick", "ada", pty=True) as stage:
        room(stage)
        stage.ask("crash")
        assert stage.status() == 1
        assert_left(stage, BUG.format("RuntimeError"))


@pytest.mark.parametrize(("owner", "failing"), [(View, "render"), (Keyboard, "press_key")])
def test_a_picture_or_a_key_that_fails_leaves_the_screen_of_before(
    owner: type, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError(SAID)

    with Stage("--nick", "ada") as stage:
        room(stage)
        monkeypatch.setattr(owner, failing, fail)
        stage.key("f9")
        with pytest.raises(ExceptionGroup) as failed:  # cli tells of it
            stage.status()
        assert failed.group_contains(LookupError)
        assert_left(stage)


def start_without_drawing() -> int:
    def render(*_: object, **__: object) -> None:
        raise LookupError(SAID)

    View.render = render  # type: ignore[method-assign, assignment]
    return cli.main()


def test_a_first_picture_that_fails_is_one_sentence_on_the_screen_of_before() -> None:
    with Stage(command=program(start_without_drawing), term="linux") as stage:  # others may answer after the end
        assert stage.status() == 1
        assert_left(stage, BUG.format("LookupError"))


@pytest.fixture
def nothing() -> str:
    """A place where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_without_a_tor_it_ends_with_3_and_one_sentence(nothing: str) -> None:
    with Stage(command=[sys.executable, "-m", "anonp2p", "--control", nothing, "join", "-"]) as stage:
        assert stage.status() == 3
        assert LEFT in stage.raw
        assert_left(stage, r"anonp2p: [^.]*Tor[^.]*127\.0\.0\.1:\d+[^.]*\.")


def test_wrong_usage_never_gets_as_far_as_the_screen() -> None:
    with Stage(command=[sys.executable, "-m", "anonp2p", "join", "nothing"]) as stage:
        assert stage.status() == 2
        assert b"\x1b" not in stage.raw
        assert_left(stage, r"anonp2p: .*\.")


# --- a terminal that goes away, or is not read


def test_a_terminal_that_hangs_up_ends_it() -> None:
    with Stage("--nick", "ada", pty=True) as stage:
        room(stage)
        stage.on_pty.hang_up()
        assert stage.status() in (0, 128 + signal.SIGHUP)  # whichever is noticed first


def test_a_terminal_that_hangs_up_at_the_first_picture_ends_it() -> None:
    with Stage(slow_boot=True, pty=True) as stage:
        stage.until("/create NAME")
        stage.on_pty.hang_up()
        assert stage.status() in (0, 128 + signal.SIGHUP)


def flood(stage: Stage) -> None:
    """Far more is said than the kernel keeps pictures of."""
    for number in range(40):
        stage.ask("many", who="ben", count=25, text=f"{number} {{n}} " + "x" * 200)


def test_a_terminal_that_is_not_read_holds_up_neither_the_room_nor_the_end() -> None:
    with Stage("--nick", "ada", columns=300, rows=100, pty=True) as stage:
        room(stage)
        with stage.on_pty.unread():
            flood(stage)
            stage.type(" at once")
        shown = stage.until("39 24 x(.|\n)*burn this at once$")  # what there is by then
        stage.key("ctrl l").settled()
        stage.until(lambda rows: rows == shown)
        with stage.on_pty.unread():
            flood(stage)
            stage.ask("join", who="cho")
            stage.ask("say", who="cho", text="are you there?")
            stage.on_pty.signal(signal.SIGTERM)
            assert stage.on_pty.process.wait(PATIENCE) == 143
        assert stage.status() == 143
        assert_left(stage)


def test_leaving_in_full_flood_leaves_the_terminal_as_it_was() -> None:
    with Stage("--nick", "ada", columns=300, rows=100, pty=True) as stage:
        room(stage)
        stage.ask("many", who="ben", count=3_000, text="{n} " + "日本 x" * 50, background=True)
        stage.until(r"│ \d+ 日本")
        stage.on_pty.signal(signal.SIGTERM)
        assert stage.status() == 143
        assert_left(stage)


# --- the screen of before


def start_after_a_shell() -> int:
    """As from a shell, which has written something and changed some settings."""
    os.write(1, "$ ls\r\nfile 日本\r\n$ anonp2p\r\n".encode())
    settings = termios.tcgetattr(0)
    settings[0] |= termios.IXANY
    settings[3] &= ~termios.ECHOE
    settings[6][termios.VERASE] = b"\x08"
    termios.tcsetattr(0, termios.TCSANOW, settings)
    status = play()
    same = termios.tcgetattr(0) == settings
    os.write(1, f"$ {'same' if same else 'other'} settings".encode())
    return status


def test_what_the_shell_showed_and_had_set_is_there_again() -> None:
    with Stage(command=program(start_after_a_shell)) as stage:
        room(stage)
        assert not stage.find("file 日本")
        stage.key("ctrl u").type("/quit\n/quit\n")
        assert stage.status() == 0
        assert stage.screen()[:4] == ["$ ls", "file 日本", "$ anonp2p", "$ same settings"]
        assert not any(stage.screen()[4:])
