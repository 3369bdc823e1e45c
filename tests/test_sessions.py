"""Whole sessions in line mode, written down in tests/sessions/*.txt and played over a network in memory.

    NAME$ ARGUMENTS    starts a copy of the program
    NAME< TEXT         types a line into it; \\x1b, \\u202e stand for what they say
    NAME| TEXT         is the next line that it prints
    NAME. end of input
    NAME= STATUS       it ends with this exit code, having printed nothing else, and with nothing to say on stderr

{code} stands for the code of the room that was created, {invitation} for that of the last invitation to it,
({tag}) for any tag. The tries to reach a room are left out. In the home directory there is a file of 12
bytes, `my report.pdf`.
"""

import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from anonp2p.app import App
from anonp2p.cli import configure
from anonp2p.config import Config
from anonp2p.errors import AnonError
from anonp2p.net.transport import Transport
from anonp2p.room import events
from anonp2p.ui.line import interpreter, line_mode
from anonp2p.ui.line.output import Output
from tests.support.transports import MemoryNetwork, Tor

SESSIONS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "sessions").glob("*.txt"))}
PATIENCE = 60.0  # seconds after which what was not printed never will be


async def no_signals() -> AsyncIterator[int]:
    await trio.sleep_forever()
    yield 0


class Program:
    """A copy of the program in line mode, from `run` on."""

    def __init__(self, network: MemoryNetwork, arguments: list[str]) -> None:
        self._network = network
        self._config = configure(["--line", "--no-heir", *arguments], {})
        self._lines, self._input = trio.open_memory_channel[bytes](100)
        printed, self._descriptor = os.pipe()
        self._printed = trio.lowlevel.FdStream(printed)
        self._rest = b""
        self._ended = trio.Event()
        self._outcome: tuple[int, AnonError | None]

    async def run(self, patch: pytest.MonkeyPatch) -> None:
        """Runs it until it ends."""

        def output(closed: Callable[[AnonError | None], None], *, json: bool) -> Output:
            return Output(closed, json=json, descriptor=self._descriptor)

        patch.setattr(line_mode, "Output", output)  # which the frontend makes at once
        app = App(self._config, line_mode.LineMode(self._config, self._input), no_signals(), self._connect)
        self._outcome = await app.run(), app.failure
        os.close(self._descriptor)
        self._ended.set()

    @asynccontextmanager
    async def _connect(self, _: Config, tell: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
        await trio.testing.wait_all_tasks_blocked()  # a Tor takes its time: what the command line asks for comes first
        tell(events.ReadyEvent(version="0.4.9.11", tor="own"))
        yield await Tor(self._network).usable()

    def type(self, text: str) -> None:
        self._lines.send_nowait(text.encode("utf-8", "surrogateescape"))

    def end_input(self) -> None:
        self._lines.close()

    async def next_line(self) -> str:
        """The next line that it prints; empty at the end."""
        while True:
            while b"\n" not in self._rest:
                if not (data := await self._printed.receive_some()):
                    return ""
                self._rest += data
            line, _, self._rest = self._rest.partition(b"\n")
            if b"] Connecting " not in line and b": Connecting " not in line:
                return line.decode()

    async def end(self) -> str:
        """Its exit code, once it has ended."""
        last = await self.next_line()
        if last.startswith("[SYSTEM] Nobody else here can host "):
            last = await self.next_line()
        assert last in ("[SYSTEM] You left the room", "")
        await self._ended.wait()
        status, failure = self._outcome
        assert failure is None
        await self._printed.aclose()
        return str(status)


@pytest.mark.parametrize("name", SESSIONS)
async def test_session(name: str, monkeypatch: pytest.MonkeyPatch, nursery: trio.Nursery, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(interpreter, "find_mat2", lambda: None)
    (tmp_path / "my report.pdf").write_text("What I found")
    with trio.fail_after(PATIENCE):
        await play(SESSIONS[name], monkeypatch, nursery)


async def play(session: str, patch: pytest.MonkeyPatch, nursery: trio.Nursery) -> None:
    """Raises AssertionError, with the number of the line, where a program does otherwise than is written."""
    codes: dict[str, str] = {}
    network = MemoryNetwork()
    programs: dict[str, Program] = {}
    for number, line in enumerate(session.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        at = min(line.find(mark) % 1000 for mark in "$<|.=")
        name, what = line[:at], line[at]
        written = line[at + 2 :].encode("latin-1", "backslashreplace").decode("unicode_escape")
        text = _filled(written, codes)
        match what:
            case "$":
                programs[name] = Program(network, text.split())
                nursery.start_soon(programs[name].run, patch)
            case "<":
                programs[name].type(text)
            case "|":
                printed = await programs[name].next_line()
                if "Room created: " in printed:
                    codes["{code}"] = printed.split()[-1]
                elif printed.startswith("[SYSTEM] Code ") and ":" in printed:
                    codes["{invitation}"] = printed.split()[-1]
                assert re.sub(r"\([a-z2-7]{8}\)", "({tag})", printed) == _filled(written, codes), f"line {number}"
            case ".":
                programs[name].end_input()
            case "=":
                assert await programs[name].end() == text, f"line {number}"


def _filled(written: str, codes: dict[str, str]) -> str:
    for name, code in codes.items():
        written = written.replace(name, code)
    return written
