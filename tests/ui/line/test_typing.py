"""The input line on a terminal: it belongs to the shell before, after and in between."""

import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from tests.support import program as staged_program
from tests.support import terminal
from tests.support.stage import Stage
from tests.ui.screen.test_exits import program
from tests.ui.screen.test_jobs import compute, interactive, pid, state


def lines() -> int:
    """The program in line mode, in its surroundings, as a stage has it."""
    control = str(Path(os.environ["HOME"]) / "control")
    sys.argv[1:] = ["--control", control, "--mode", "line", "--seed", "1", "--", "--nick", "ada"]
    return staged_program.main()


@pytest.mark.parametrize(
    ("ends", "status"), [("ctrl d", 0), ("ctrl c", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_however_it_ends_the_terminal_is_as_it_was(ends: str | signal.Signals, status: int) -> None:
    with Stage("--nick", "ada", mode="line", pty=True) as stage:
        stage.until("^> $|^>$")
        assert not stage.on_pty.echoes
        assert terminal.PASTE in stage.modes
        if isinstance(ends, str):
            stage.key(ends)
        else:
            stage.on_pty.signal(ends)
        assert stage.status() == status
        assert stage.on_pty.echoes
        assert stage.modes == terminal.USUAL
        assert ">" not in stage.screen(), "no input line is left"


@pytest.mark.parametrize("key", ["ctrl c", "ctrl d"])
def test_a_key_that_leaves_asks_first_where_that_ends_a_room_for_others(key: str) -> None:
    with Stage("--nick", "ada", "create", "demo", mode="line", pty=True) as stage:
        stage.until("Others can join")
        stage.ask("join", who="ben")
        stage.until("ben joined")
        stage.type("x").until("^> x$")
        stage.key("ctrl c").until("^>$")
        stage.key(key).until("it again within")
        stage.key(key)
        assert stage.status() == 0


def test_control_z_leads_to_the_shell_and_fg_back_to_what_is_typed() -> None:
    prompt = {"PS1": "shell>", "HISTFILE": "", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
    with Stage(command=program(interactive), environment=prompt) as stage:
        stage.until("^shell>$")
        stage.type(f"{shlex.join(program(lines))}\n").until("Connected")
        stage.type("half").until("^> half$")
        for number in (71, 72):
            stage.send(b"\x1a").until(r"Stopped(.|\n)*shell>$")
            assert state(pid(stage)) == "T"
            compute(stage, number)
            stage.type("fg\n").until("^> half$")
        stage.type("!").until("^> half!$")
        stage.key("ctrl u", "ctrl d").until(r"shell>$")
        compute(stage, 73)


def test_a_pasted_code_in_two_lines_is_one() -> None:
    with Stage("--nick", "ada", mode="line", pty=True) as stage:
        stage.until("Connected")
        code = stage.ask("host", who="eve", name="den")["code"]
        stage.paste(f"/join {code[:30]}\n   {code[30:]}\n")
        stage.key("enter").until("You are in den")
        assert any(row.startswith("> /join") for row in stage.screen())


def test_a_code_that_was_copied_is_taken_back_at_the_end() -> None:
    with Stage("--nick", "ada", "create", "demo", mode="line", pty=True) as stage:
        stage.until("Others can join")
        stage.type("/copy\n").until("is on the clipboard")
        assert len(stage.terminal.copied) == 1
        stage.key("ctrl d")
        assert stage.status() == 0
        assert len(stage.terminal.copied) == 2
        assert stage.terminal.copied[-1] == ""
