"""What the program does to the window that the terminal is in: its title, its clipboard, its bell."""

import base64

import pytest

from tests.support.stage import Stage
from tests.ui.screen.meeting import host

TITLE_BACK = b"\x1b]2;\x1b\\\x1b[23;2t"


def test_the_title_counts_what_calls_and_is_as_it_was_once_that_is_seen() -> None:
    with Stage("--nick", "ada") as stage:
        host(stage, "ben")
        stage.focus(given=False)
        stage.ask("say", who="ben", text="hello")
        stage.settled()
        assert stage.terminal.title == ""
        for text in ("ada?", "Ada!"):
            stage.ask("say", who="ben", text=text)
        stage.settled()
        assert stage.terminal.title == "(2) anonp2p"
        assert stage.raw.count(b"\a") == 1
        stage.focus(given=True).settled()
        assert stage.terminal.title == ""
        assert stage.raw.count(TITLE_BACK) == 1


@pytest.mark.parametrize("term", ["xterm-256color", "linux"])
def test_the_title_is_given_back_at_the_end_and_left_alone_on_a_console(term: str) -> None:
    with Stage("--nick", "ada", term=term) as stage:
        host(stage, "ben")
        stage.type("/notify desktop on\n/notify all\n").focus(given=False)
        stage.wait(100)
        stage.ask("say", who="ben", text="hello")
        stage.settled()
        has_window = term != "linux"
        assert (b"\x1b]9;anonp2p: there is something new" in stage.raw) == has_window
        assert (stage.terminal.title == "(1) anonp2p") == has_window
        stage.type("/quit\n").until("again")
        stage.type("/quit\n")
        assert stage.status() == 0
        assert stage.terminal.title == ""


def test_what_was_copied_is_taken_back_after_a_minute_and_at_the_end() -> None:
    with Stage("--nick", "ada") as stage:
        code = host(stage)
        copied = base64.b64encode(code.encode()).decode()
        stage.key("meta c").settled()
        assert stage.terminal.copied == [copied]
        stage.wait(61)
        assert stage.terminal.copied == [copied, ""]
        stage.key("meta c").settled()
        stage.type("/quit\n")
        assert stage.status() == 0
        assert stage.terminal.copied == [copied, ""] * 2


def test_a_console_has_no_clipboard_and_says_so() -> None:
    with Stage("--nick", "ada", term="linux") as stage:
        host(stage)
        stage.key("meta c").until("no clipboard")
        assert stage.terminal.copied == []
