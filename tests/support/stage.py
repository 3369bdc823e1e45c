"""A stage for the program: a terminal of its own, the keys that are pressed there, what is to be seen on it.

    with Stage("--nick", "ada", columns=80, rows=24) as stage:
        stage.type("/create demo").key("enter")
        stage.until("Others can join")
        stage.ask("join", who="ben")
        stage.ask("say", who="ben", text="Hello")
        stage.until(r"ben .*Hello")
        assert stage.find("ben")
        stage.type("/quit").key("enter")
        assert stage.status() == 0

The program runs in this process, with a clock that jumps (tests/support/in_process.py). With `pty`, or with a command
of its own, it is a process on a pseudo-terminal, by the real clock (tests/support/process_on_pty.py): where a test is
about terminals and signals themselves, or about what the program does before it draws. What is around the program is
the same either way (tests/support/surroundings.py).
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import pyte

from tests.support import terminal
from tests.support.in_process import InProcess
from tests.support.keyboard import sequence
from tests.support.process_on_pty import ProcessOnPty
from tests.support.terminal import Terminal

NOON = 1_700_049_600.0  # 12:00:00 UTC on 15 November 2023

_ALONE = 0.4  # seconds after Esc: what follows it sooner would be a key pressed with Alt
_PATIENCE = 30.0  # seconds of a clock that jumps
_REAL_PATIENCE = 120.0  # seconds of the real clock, on a machine that has much else to do
_MARK = re.compile(rb"\x1b\]" + terminal.MARK.encode() + rb";[^\x07]*\x07")


class StageFailed(AssertionError):
    """What was waited for did not come; the screen is in the message."""


class Stage:
    """The program on a terminal of this size.

    arguments: the program's. pty: whether it is a process of its own on a pseudo-terminal. command: what runs there,
    if not the program in its surroundings. mode: screen, or with `pty` line or json. seed, now: what makes each run
    alike. colour: the terminal's, as COLORTERM says it. environment: what it has besides. slow_boot: Tor is usable once
    `ask("ready")` says so. light: what the terminal says of its background.
    """

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        rows: int = 24,
        pty: bool = False,
        command: Sequence[str] = (),
        mode: str = "screen",
        seed: int | None = 1,
        now: float = NOON,
        slow_boot: bool = False,
        light: bool = False,
        term: str = "xterm-256color",
        colour: str = "truecolor",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.terminal = Terminal(columns, rows, light=light)
        given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": term, "ANONP2P_NO_HEIR": "1"}
        given |= ({"COLORTERM": colour} if colour else {}) | (environment or {})
        self._program: InProcess | ProcessOnPty
        if pty or command:
            options = [f"--mode={mode}", f"--now={now}"]
            options += [] if seed is None else [f"--seed={seed}"]
            options += ["--slow-boot"] if slow_boot else []
            program = [sys.executable, "-m", "tests.support.program", *options]
            self._program = ProcessOnPty(
                lambda control: command or [*program, "--control", control, "--", *arguments], given, self.terminal
            )
        else:
            self._program = InProcess(arguments, given, self.terminal, seed=seed, now=now, slow_boot=slow_boot)
        self._patience = _REAL_PATIENCE if self.is_on_pty else _PATIENCE
        self._marks = 0
        self._escaped_at = float("-inf")

    def __enter__(self) -> Self:
        self._program.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._program.stop(is_failing=error is not None)

    @property
    def is_on_pty(self) -> bool:
        """Whether the program is a process on a pseudo-terminal."""
        return isinstance(self._program, ProcessOnPty)

    @property
    def on_pty(self) -> ProcessOnPty:
        """What only a process on a pseudo-terminal can do."""
        assert isinstance(self._program, ProcessOnPty)
        return self._program

    # --- what is done to it

    def send(self, data: bytes) -> Self:
        """These bytes are typed."""
        self.wait(self._escaped_at + _ALONE - self._program.now)
        if data == b"\x1b":
            self._escaped_at = self._program.now
        self._program.write(data)
        return self

    def type(self, text: str) -> Self:
        """The keys of these characters are pressed; a line break is Enter."""
        return self.send(text.replace("\n", "\r").encode("utf-8", "surrogateescape"))

    def key(self, *names: str) -> Self:
        """These keys are pressed, one after the other."""
        for name in names:
            self.send(sequence(name))
        return self

    def paste(self, text: str) -> Self:
        """This is pasted, between brackets if the program asked for them."""
        data = text.replace("\n", "\r").encode()
        return self.send(b"\x1b[200~" + data + b"\x1b[201~" if terminal.PASTE in self.modes else data)

    def mouse(self, what: str, x: int = 0, y: int = 0) -> Self:
        """`wheel up`, `wheel down`, or `click` at a cell; cells count from 0."""
        number = {"wheel up": 64, "wheel down": 65, "click": 0}[what]
        press = f"\x1b[<{number};{x + 1};{y + 1}M"
        return self.send(f"{press}\x1b[<0;{x + 1};{y + 1}m".encode() if what == "click" else press.encode())

    def focus(self, *, given: bool) -> Self:
        """The terminal's window gets the keyboard, or loses it."""
        return self.send(b"\x1b[I" if given else b"\x1b[O") if terminal.FOCUS in self.modes else self

    def resize(self, columns: int, rows: int) -> Self:
        """The terminal has another size, and the kernel says so."""
        self._program.resize(columns, rows)
        return self

    def wait(self, seconds: float) -> Self:
        """So much time goes by."""
        if seconds > 0:
            self._program.pause(seconds)
        return self

    def wipe(self) -> Self:
        """Takes all from the terminal, without the program's knowledge."""
        self.settled()
        with self._program.looking():
            self.terminal.picture.buffer.clear()
            self.terminal.picture.cursor_position()
        return self

    def ask(self, do: str, who: str = "", **fields: Any) -> dict[str, Any]:
        """Something happens around the program (see Surroundings). who: its `as`. Raises StageFailed if it cannot."""
        answer = {"error": "there is no program to ask"}
        with suppress(OSError, ValueError):
            answer = self._program.ask({"do": do, **({"as": who} if who else {}), **fields})
        if "error" in answer:
            raise StageFailed(f"{do}: {answer['error']}\n{self._drawing()}")
        return answer

    # --- what is to be seen

    def screen(self) -> list[str]:
        """The rows, without what is blank at their ends."""
        with self._program.looking():
            return self._rows()

    def _rows(self) -> list[str]:
        picture = self.terminal.picture
        return [terminal.row(picture, y) if y in picture.buffer else "" for y in range(self.terminal.rows)]

    def until(self, wanted: str | Callable[[list[str]], object], seconds: float | None = None) -> list[str]:
        """The screen, once this holds of it: a regular expression is on it, or what is called with it says so.

        Raises StageFailed, with the screen, where it never does.
        """
        seconds = self._patience if seconds is None else seconds
        pattern = re.compile(wanted, re.MULTILINE) if isinstance(wanted, str) else None
        rows: list[str] = []

        def holds() -> bool:
            nonlocal rows
            rows = self._rows()
            found = pattern.search("\n".join(rows)) if pattern else not isinstance(wanted, str) and wanted(rows)
            return bool(found) and terminal.DRAWING not in self.terminal.modes

        if not self._program.wait(holds, seconds):
            why = "it has ended" if self.is_over else f"not within {seconds:g} s"
            raise StageFailed(f"{wanted!r}: {why}\n{self._drawing()}")
        return rows

    def settled(self) -> list[str]:
        """The screen, once nothing is under way in the program and all of it is drawn and was read."""
        self._marks += 1
        mark = str(self._marks)
        self.ask("drawn", mark=mark)
        if not self._program.wait(lambda: mark in self.terminal.marks, self._patience):
            raise StageFailed(f"it is not drawn\n{self._drawing()}")
        return self.screen()

    def picture(self) -> pyte.Screen:
        """What is on the terminal, as pyte has it; only to be looked at while nothing changes."""
        return self.terminal.picture

    def attributes(self, x: int, y: int) -> pyte.screens.Char:
        """A cell: its text, colours and whatever else it is."""
        with self._program.looking():
            return self.terminal.picture.buffer[y][x]

    def find(self, text: str) -> tuple[int, int] | None:
        """The cell in which this text begins, the first time it is on the screen."""
        with self._program.looking():
            for y in range(self.terminal.rows):
                starts = [x for x, cell in terminal.cells(self.terminal.picture, y) for _ in cell.data]
                at = "".join(cell.data for _, cell in terminal.cells(self.terminal.picture, y)).find(text)
                if at >= 0:
                    return starts[at], y
        return None

    @property
    def cursor(self) -> tuple[int, int] | None:
        """The cell it is on; None if it is hidden."""
        cursor = self.terminal.picture.cursor
        return None if cursor.hidden else (cursor.x, cursor.y)

    def written(self, start: int = 0) -> tuple[bytes, int]:
        """What was written since it was so much, but for the marks of `settled`; and how much it is by now."""
        with self._program.looking() as raw:
            return _MARK.sub(b"", bytes(raw[start:])), len(raw)

    @property
    def raw(self) -> bytes:
        """All that was written so far, but for the marks of `settled`."""
        return self.written()[0]

    @property
    def modes(self) -> set[int]:
        """The private modes of the terminal that are on; `terminal.USUAL` before and after any well-behaved program."""
        with self._program.looking():
            return set(self.terminal.modes)

    @property
    def is_over(self) -> bool:
        """Whether the program has ended."""
        return self._program.is_over

    def status(self) -> int:
        """The exit code, once it has ended and all that it wrote was read; less than 0: of a signal."""
        if (code := self._program.status(self._patience)) is None:
            raise StageFailed(f"it does not end\n{self._drawing()}")
        return code

    def _drawing(self) -> str:
        """The screen between rules, for people."""
        with self._program.looking():
            rule = "-" * self.terminal.columns
            return "\n".join((rule, *self._rows(), rule))
