"""What the full screen and line mode write, to be shown to terminals of three kinds: see tests/support/engines.py."""

import fcntl
import os
import struct
import termios
from collections.abc import Callable
from contextlib import suppress

import pytest
import trio

from anonp2p.room import events
from anonp2p.ui.line.output import Output
from tests.support import terminal
from tests.support.engines import Tmux, xterm
from tests.support.hostile import Room
from tests.support.stage import Stage
from tests.support.terminal import Terminal


def _pyte(writes: list[bytes], columns: int, rows: int) -> list[list[str]]:
    screen = Terminal(columns, rows)
    screens = []
    for data in writes:
        screen.feed(data)
        screens.append([terminal.row(screen.picture, y) for y in range(rows)])
    return screens


def _xterm(writes: list[bytes], columns: int, rows: int) -> list[list[str]]:
    return [[row.text for row in screen] for screen in xterm(writes, columns=columns, rows=rows)]


def _tmux(writes: list[bytes], columns: int, rows: int) -> list[list[str]]:
    with Tmux(columns, rows) as tmux:
        return [tmux.shows(data) for data in writes]


Engine = Callable[[list[bytes], int, int], list[list[str]]]  # writes, columns, rows -> a screen after each write
ENGINES: dict[str, Engine] = {
    "pyte": _pyte,
    "tmux": _tmux,
    "xterm.js": _xterm,
}
engines = pytest.mark.parametrize("engine", ENGINES)


class Film:
    """The full screen of a room, and what was written to it between looks."""

    def __init__(self, stage: Stage) -> None:
        self.columns, self.rows = stage.terminal.columns, stage.terminal.rows
        self.place = Room(stage)
        self.writes: list[bytes] = []
        self._done = 0
        self._shown: dict[str, list[list[str]]] = {}

    def cut(self) -> None:
        """One look."""
        self.place.stage.settled()
        new, self._done = self.place.stage.written(self._done)
        self.writes.append(new)

    def on(self, engine: str) -> list[list[str]]:
        """What this terminal has shown at each look."""
        if engine not in self._shown:
            self._shown[engine] = ENGINES[engine](self.writes, self.columns, self.rows)
        return self._shown[engine]


def piped(texts: list[str], nick: str) -> bytes:
    """What line mode writes into a pipe when somebody says all this."""
    return _printed(*os.pipe(), texts, nick)


def printed_on_terminal(texts: list[str], nick: str, columns: int) -> bytes:
    """What line mode writes to a terminal with so many columns when somebody says all this."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return _printed(ours, theirs, texts, nick)


def _printed(ours: int, theirs: int, texts: list[str], nick: str) -> bytes:
    async def write() -> bytes:
        output = Output(lambda _: None, json=False, descriptor=theirs)
        data = b""

        async def read() -> None:
            nonlocal data
            with suppress(OSError):  # how a terminal says that nobody has the other end any more
                while new := await trio.to_thread.run_sync(os.read, ours, 65_536):
                    data += new

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            async with trio.open_nursery() as writing:
                writing.start_soon(output.run)
                for seq, text in enumerate(texts):
                    output.print_event(
                        events.MessageEvent(room="r1", member="m", nick=nick, text=text, seq=seq, at=0.0)
                    )
                await output.drained()
                writing.cancel_scope.cancel()
            os.close(theirs)
        os.close(ours)
        return data

    return trio.run(write)
