"""The full screen as a job of a shell: Ctrl-Z, fg, bg, and signals from elsewhere."""

import fcntl
import os
import re
import shlex
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import terminal
from tests.support.stage import Stage
from tests.ui.screen.test_exits import SAID, TYPED, play, program, room

IN_USE = {terminal.ALTERNATE, terminal.PASTE, terminal.FOCUS, 1000, 1002, 1006}


def interactive() -> int:
    """A shell with job control on the terminal that we were given."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])


@contextmanager
def in_a_shell() -> Iterator[Stage]:
    """The program, started by a shell, with a room and something typed."""
    prompt = {"PS1": "shell>", "HISTFILE": "", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
    with Stage(command=program(interactive), environment=prompt) as stage:
        stage.until("^shell>$")
        stage.type(f"{shlex.join(program(play))}\n").until("/create NAME")
        room(stage)
        yield stage


def pid(stage: Stage) -> int:
    """Of the program, which is the shell's first child."""
    return int(
        Path(f"/proc/{stage.on_pty.process.pid}/task/{stage.on_pty.process.pid}/children").read_text().split()[0]
    )


def state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def until_in(process: int, wanted: str) -> None:
    deadline = time.monotonic() + 120
    while state(process) not in wanted:
        assert time.monotonic() < deadline, state(process)
        time.sleep(0.01)


def compute(stage: Stage, number: int) -> None:
    """The shell does something, whose outcome was not on the terminal before: so it has done all that came before."""
    stage.type(f"echo $(({number}*{number}))\n").until(f"^{number * number}$")


def assert_given_back(stage: Stage) -> None:
    """The terminal is as the shell had it, and shows nothing of the room."""
    assert stage.modes - {terminal.PASTE} == terminal.USUAL, stage.modes  # readline pastes between brackets too
    assert stage.cursor is not None
    assert stage.terminal.keyboards == 0
    shown = "\n".join(stage.screen())
    assert not re.search(rf"{SAID}|{TYPED}|ada", shown.rpartition("Stopped")[2]), shown


def assert_back(stage: Stage, typed: str = TYPED) -> None:
    """The program has the terminal again, and the picture is whole."""
    stage.until(lambda rows: rows[-1] == f"ada> {typed}")
    shown = stage.settled()
    assert stage.modes >= IN_USE
    assert 7 not in stage.modes
    assert any(SAID in row for row in shown)
    assert len(shown) == stage.terminal.rows
    stage.key("ctrl l").settled()
    stage.until(lambda rows: rows == shown)  # the key may be read later than the question whether all is drawn


def test_control_z_leads_to_the_shell_and_fg_back() -> None:
    with in_a_shell() as stage:
        for number, size in enumerate(((80, 24), (60, 30)), 71):
            stage.send(b"\x1aecho not for the room\r")  # all at once: the rest is for the shell, or lost
            stage.until(r"\n.*Stopped(.|\n)*shell>$")
            assert_given_back(stage)
            assert state(pid(stage)) == "T"
            compute(stage, number)
            stage.resize(*size)
            stage.type("fg\n")
            assert_back(stage)
        stage.type("!")
        shown = stage.until(lambda rows: rows[-1] == f"ada> {TYPED}!")
        assert not any("not for the room" in row for row in shown)
        stage.key("ctrl u").type("/quit\n/quit\n").until(r"shell>$")
        assert_given_back(stage)


def test_stopped_from_outside_it_draws_everything_anew_once_it_has_the_terminal_again() -> None:
    with in_a_shell() as stage:
        for number in (signal.SIGSTOP, signal.SIGTSTP):
            os.kill(pid(stage), number)
            stage.until(r"Stopped(.|\n)*shell>$")
            stage.type("stty sane; printf '\\033[?1000l\\033[?1049l\\033[?7h\\033[?2004l\\033[?1004l'\n")
            compute(stage, 70 + number)
            stage.type("fg\n")
            assert_back(stage)
        stage.key("ctrl u").type("/quit\n/quit\n").until(r"shell>$")
        assert_given_back(stage)


def test_in_the_background_it_goes_on_and_leaves_the_terminal_alone() -> None:
    with in_a_shell() as stage:
        for number, stop in enumerate((b"\x1a", None), 71):
            if stop:
                stage.send(stop)
            else:
                os.kill(pid(stage), signal.SIGSTOP)
            stage.until(r"Stopped(.|\n)*shell>$")
            stage.type("bg; stty -a > ~/settings; clear\n")
            compute(stage, number)
            until_in(pid(stage), "SR")
            before = len(stage.raw)
            stage.ask("say", who="ben", text="in the background")
            compute(stage, number + 10)
            assert b"background" not in stage.raw[before:]
            assert state(pid(stage)) != "T"
            stage.type("stty -a | diff - ~/settings && echo the same\n").until("^the same$")
            stage.type("fg\n").until(r"─+ new ─+.*\n.*in the background")
            stage.settled()  # one that is stopped while it takes the terminal over would stop again


def test_a_job_in_the_background_can_be_ended() -> None:
    with in_a_shell() as stage:
        for stop in (b"\x1a", None):
            if stop:
                stage.send(stop)
            else:
                os.kill(pid(stage), signal.SIGSTOP)
            stage.until(r"Stopped(.|\n)*shell>$")
            stage.type("kill %1; wait -f %1; echo status $?\n").until("^status 143$")
            assert_given_back(stage)
            if stop:
                stage.type(f"rm ~/control; clear; {shlex.join(program(play))}\n").until("/create NAME")
                stage.on_pty.forget_connection()
                room(stage)


def test_where_there_is_no_shell_control_z_says_so() -> None:
    with Stage("--nick", "ada", pty=True) as stage:
        room(stage)
        stage.key("ctrl z").until("There is no shell")
        assert state(stage.on_pty.process.pid) in "SR"
        stage.type("!")
        assert_back(stage, f"{TYPED}!")
