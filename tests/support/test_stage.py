"""The stage of the tests, on which the program runs in this process."""

import time

import pytest

from tests.support import terminal
from tests.support.stage import NOON, Stage, StageFailed


def test_time_goes_by_only_while_a_test_waits_and_takes_no_time() -> None:
    before = time.monotonic()
    with Stage() as stage:
        start = time.time()
        assert NOON <= start < NOON + 1
        stage.wait(60)
        assert start + 60 <= time.time() < start + 61
    assert time.monotonic() - before < 30
    assert time.time() > NOON + 3_600, "the clocks are the real ones again"


def test_what_never_comes_is_given_up_with_the_screen() -> None:
    with Stage() as stage, pytest.raises(StageFailed, match=r"not within 5 s(.|\n)*/create NAME"):
        stage.until("no such thing", 5)


def test_what_cannot_be_asked_for_is_told() -> None:
    with Stage() as stage, pytest.raises(StageFailed, match="say: KeyError"):
        stage.ask("say", who="nobody", text="Hello")


def test_an_error_of_the_program_fails_a_test_that_does_not_ask_how_it_ends() -> None:
    stage = Stage().__enter__()
    stage.ask("crash")
    stage.wait(1)
    assert stage.is_over
    with pytest.raises(RuntimeError, match="this was asked for"):
        stage.__exit__(None, None, None)


def test_the_same_body_runs_in_process_and_on_a_pseudo_terminal() -> None:
    screens = []
    for pty in (False, True):
        with Stage("--nick", "ada", pty=pty) as stage:
            stage.settled()
            stage.type("/create demo\n").until("Others can join")
            stage.ask("join", who="ben")
            stage.ask("say", who="ben", text="Hello")
            stage.resize(60, 20)
            screens.append(stage.settled())
            stage.type("/quit\n/quit\n")
            assert stage.status() == 0
            assert stage.modes == terminal.USUAL
    assert screens[0] == screens[1]
    assert any("Hello" in row for row in screens[0])
