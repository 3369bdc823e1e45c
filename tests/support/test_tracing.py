"""What of strace's account is taken as whole."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.tracing import StracedPython

END = "+++ exited with 0 +++\n"


def account(place: Path, program: str, child: int, told: str) -> StracedPython:
    """Of a program that started a child."""
    straced = StracedPython(place)
    (place / "strace.2").write_text(f'execve("\\x2f\\x61", [], []) = 0\nvfork() = {child}\n{program}')
    (place / f"strace.{child}").write_text(f'unlink("\\x2f\\x62") = 0\n{told}')
    return straced


def gone() -> int:
    """A process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


@pytest.mark.parametrize("told", [END, ""])
def test_all_that_a_child_called_is_told_though_its_end_is_not(tmp_path: Path, told: str) -> None:
    child = gone()
    called = account(tmp_path, END, child, told).calls()
    assert [(call.process, call.name, call.program) for call in called if call.process == child] == [
        (child, "unlink", "/a")
    ]


@pytest.mark.parametrize(
    ("program", "lives"), [("", False), (END, True)], ids=["its program's end is not told", "it lives"]
)
def test_an_account_that_may_not_be_whole_is_refused(tmp_path: Path, program: str, *, lives: bool) -> None:
    with pytest.raises(AssertionError, match="has not ended"):
        account(tmp_path, program, os.getpid() if lives else gone(), "").calls()
