"""Whole sessions in line mode, written down in tests/sessions/*.txt and played over the private Tor network.

    NAME$ ARGUMENTS    starts a copy of the program
    NAME< TEXT         types a line into it; \\x1b, \\u202e stand for what they say
    NAME| TEXT         is the next line that it prints
    NAME. end of input
    NAME= STATUS       it ends with this exit code, having printed nothing else, on stderr nothing at all

{code} stands for the code of the room that was created. What depends on how fast Tor is, its progress and the tries to
reach a room, is left out.
"""

import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = pytest.mark.tor

SESSIONS = sorted((Path(__file__).parent.parent / "sessions").glob("*.txt"))
_LEFT_OUT = re.compile(r"\[SYSTEM\] (\w+: )?(Tor|Connecting) ")


class Program:
    """A copy of the program in line mode."""

    def __init__(self, stack: ExitStack, torrc: str, arguments: list[str]) -> None:
        state = stack.enter_context(tempfile.TemporaryDirectory(prefix="peer-"))
        self._process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "anonp2p", "--torrc", torrc, *arguments],
                env={"XDG_STATE_HOME": state, "PATH": "/usr/bin:/usr/sbin:/bin"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
        )
        stack.callback(self._process.kill)

    def types(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def ends_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def prints(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not _LEFT_OUT.match(line):
                return line.removesuffix("\n")
        return "(the end of its output)"

    def ends(self) -> str:
        last = self.prints()
        assert last in ("[SYSTEM] You left the room", "(the end of its output)")
        assert self._process.stderr is not None
        assert self._process.stderr.read() == ""
        return str(self._process.wait(30))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_session(path: Path, torrc: str) -> None:
    code = "{code}"
    programs: dict[str, Program] = {}
    with ExitStack() as stack:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            at = min(line.find(mark) % 1000 for mark in "$<|.=")
            name, what = line[:at], line[at]
            written = line[at + 2 :].encode("latin-1", "backslashreplace").decode("unicode_escape")
            text = written.replace("{code}", code)
            where = f"{path.name}:{number}"
            match what:
                case "$":
                    programs[name] = Program(stack, torrc, text.split())
                case "<":
                    programs[name].types(text)
                case "|":
                    printed = programs[name].prints()
                    if "Room created: " in printed:
                        code = printed.split()[-1]
                        text = written.replace("{code}", code)
                    assert printed == text, where
                case ".":
                    programs[name].ends_input()
                case "=":
                    assert programs[name].ends() == text, where
