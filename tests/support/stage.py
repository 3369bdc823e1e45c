"""A stage for the program: a terminal of its own, the keys that are pressed there, what is to be seen on it.

    with Stage(columns=80, rows=24, seed=1) as stage:
        stage.type("/create demo").key("enter")
        stage.until("Others can join")
        stage.ask("join", who="ben")
        stage.ask("say", who="ben", text="Hello")
        stage.until(r"ben .*Hello")
        assert stage.find("ben")
        stage.type("/quit").key("enter")
        assert stage.status() == 0

What plays is tests/support/theatre.py, in a process of its own with a pseudo-terminal as its controlling one.
"""

import fcntl
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte

from tests.support import terminal
from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
NOON = 1_700_049_600.0  # 12:00:00 UTC on 15 November 2023

_READ = 65_536
_ALONE = 0.4  # seconds after Esc: what follows it sooner would be a key pressed with Alt
_MARK = re.compile(rb"\x1b\]" + terminal.MARK.encode() + rb";[^\x07]*\x07")
_MODIFIERS = {"shift": 1, "meta": 2, "ctrl": 4}
_LETTERS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}
_LETTERS |= {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_NUMBERS = {"insert": 2, "delete": 3, "page up": 5, "page down": 6, "f5": 15, "f6": 17, "f7": 18, "f8": 19}
_NUMBERS |= {"f9": 20, "f10": 21, "f11": 23, "f12": 24}
_PLAIN = {"enter": "\r", "tab": "\t", "esc": "\x1b", "backspace": "\x7f", "space": " ", "shift tab": "\x1b[Z"}
_PLAIN |= {"ctrl space": "\0", "ctrl _": "\x1f", "ctrl \\": "\x1c", "ctrl ]": "\x1d", "ctrl ^": "\x1e"}


class StageFailed(AssertionError):
    """What was waited for did not come; the screen is in the message."""


def sequence(key: str) -> bytes:
    """What xterm sends for a key, which is named as urwid names it: `ctrl n`, `meta 1`, `shift up`, `page up`."""
    if key in _PLAIN:
        return _PLAIN[key].encode()
    *modifiers, name = key.replace("page ", "page_").split(" ")
    name = name.replace("_", " ") if len(name) > 1 else name
    number = 1 + sum(_MODIFIERS[modifier] for modifier in modifiers)
    if name in _LETTERS:
        introducer = "\x1bO" if name[0] == "f" else "\x1b["
        return (f"\x1b[1;{number}{_LETTERS[name]}" if modifiers else f"{introducer}{_LETTERS[name]}").encode()
    if name in _NUMBERS:
        return f"\x1b[{_NUMBERS[name]}{f';{number}' if modifiers else ''}~".encode()
    if modifiers[:1] == ["meta"]:
        return b"\x1b" + sequence(" ".join((*modifiers[1:], name)))
    if modifiers == ["ctrl"] and len(name) == 1 and name.isascii() and name.isalpha():
        return bytes([ord(name.upper()) - 64])
    if not modifiers and len(name) == 1:
        return name.encode()
    raise ValueError(f"there is no such key: {key}")


class Stage:
    """The program on a terminal of this size.

    mode: screen, line or json. arguments: the program's. seed, now: what makes each run alike (see the theatre);
    colour: the terminal's, as COLORTERM says it. environment: what it has besides. slow_boot: Tor is usable once
    `ask("ready")` says so. light: what the terminal says of its background.
    """

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        rows: int = 24,
        mode: str = "screen",
        seed: int | None = 1,
        now: float | None = NOON,
        slow_boot: bool = False,
        light: bool = False,
        term: str = "xterm-256color",
        colour: str = "truecolor",
        environment: dict[str, str] | None = None,
        command: Sequence[str] = (),
    ) -> None:
        self._terminal = Terminal(columns, rows, light=light)
        self._raw = bytearray()
        self._news = threading.Condition()
        self._has_ended = False
        self._marks = 0
        self._escaped_at = 0.0
        self._connection: Any = None
        self._options = [f"--mode={mode}"]
        self._options += [] if seed is None else [f"--seed={seed}"]
        self._options += [] if now is None else [f"--now={now}"]
        self._options += ["--slow-boot"] if slow_boot else []
        self._arguments = list(arguments)
        self._command = list(command)
        self._environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": term, "PYTHONPATH": str(ROOT)}
        self._environment |= ({"COLORTERM": colour} if colour else {}) | (environment or {})

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stage-")))
            self._socket = place / "control"
            self._master, slave = os.openpty()
            stack.callback(self._close)
            self._hanging_up, self._hang = os.pipe()
            stack.callback(os.close, self._hanging_up)
            stack.callback(os.close, self._hang)
            try:
                self._set_size()
                home = {"HOME": str(place), "XDG_STATE_HOME": str(place), "XDG_RUNTIME_DIR": str(place)}
                theatre = [sys.executable, "-m", "tests.support.theatre", "--control", str(self._socket)]
                self.process = subprocess.Popen(
                    self._command or [*theatre, *self._options, "--", *self._arguments],
                    env=home | self._environment,
                    cwd=ROOT,
                    stdin=slave,
                    stdout=slave,
                    stderr=slave,
                    start_new_session=True,
                )
            finally:
                os.close(slave)
            stack.callback(self._end)
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(10)

    def _close(self) -> None:
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self) -> None:
        """Has the terminal show what the program writes, as long as it does and is not hung up on."""
        while True:
            ready, _, _ = select.select([self._master, self._hanging_up], [], [])
            try:
                data = b"" if self._hanging_up in ready else os.read(self._master, _READ)
            except OSError:  # nobody has the other end any more
                data = b""
            with self._news:
                self._raw += data
                answers = self._terminal.feed(data)
                self._has_ended = not data
                self._news.notify_all()
            if not data:
                return
            if answers:
                self._write(answers)

    # --- what is done to it

    def _send(self, data: bytes) -> Self:
        time.sleep(max(0.0, self._escaped_at + _ALONE - time.monotonic()))
        if data == b"\x1b":
            self._escaped_at = time.monotonic()
        self._write(data)
        return self

    def _write(self, data: bytes) -> None:
        with suppress(OSError):  # it has ended
            while data:
                data = data[os.write(self._master, data) :]

    def type(self, text: str) -> Self:
        """The keys of these characters are pressed; a line break is Enter."""
        return self._send(text.replace("\n", "\r").encode("utf-8", "surrogateescape"))

    def key(self, *names: str) -> Self:
        """These keys are pressed, one after the other."""
        for name in names:
            self._send(sequence(name))
        return self

    def paste(self, text: str) -> Self:
        """This is pasted, between brackets if the program asked for them."""
        data = text.replace("\n", "\r").encode()
        return self._send(b"\x1b[200~" + data + b"\x1b[201~" if terminal.PASTE in self.modes else data)

    def mouse(self, what: str, x: int = 0, y: int = 0) -> Self:
        """`wheel up`, `wheel down`, or `click` at a cell; cells count from 0."""
        number = {"wheel up": 64, "wheel down": 65, "click": 0}[what]
        press = f"\x1b[<{number};{x + 1};{y + 1}M"
        return self._send(f"{press}\x1b[<0;{x + 1};{y + 1}m".encode() if what == "click" else press.encode())

    def focus(self, *, given: bool) -> Self:
        """The terminal's window gets the keyboard, or loses it."""
        return self._send(b"\x1b[I" if given else b"\x1b[O") if terminal.FOCUS in self.modes else self

    def resize(self, columns: int, rows: int) -> Self:
        """The terminal has another size, and the kernel says so."""
        with self._news:
            self._terminal.resize(columns, rows)
            self._set_size()
        return self

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self._terminal.rows, self._terminal.columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def signal(self, number: int) -> Self:
        """The program gets a signal."""
        self.process.send_signal(number)
        return self

    def hang_up(self) -> Self:
        """The terminal goes away, as it does when its window is closed."""
        os.write(self._hang, b"!")
        self._reader.join()
        self._close()
        return self

    def ask(self, do: str, who: str = "", **fields: Any) -> dict[str, Any]:
        """Something happens around the program: see the theatre. who: its `as`. Raises StageFailed if it cannot be."""
        asked = {"do": do, **({"as": who} if who else {}), **fields}
        with suppress(OSError, ValueError):
            connection = self._connected()
            connection.write(json.dumps(asked).encode() + b"\n")
            connection.flush()
            answer: dict[str, Any] = json.loads(connection.readline())
            if "error" not in answer:
                return answer
            raise StageFailed(f"{do}: {answer['error']}\n{self._drawing()}")
        raise StageFailed(f"{do}: there is no program to ask\n{self._drawing()}")

    def _connected(self) -> Any:
        deadline = time.monotonic() + 30
        while self._connection is None:
            control = socket.socket(socket.AF_UNIX)
            try:
                control.connect(str(self._socket))
            except OSError:
                control.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                control.settimeout(120)
                self._connection = control.makefile("rwb")
                control.close()
        return self._connection

    # --- what is to be seen

    def screen(self) -> list[str]:
        """The rows, without what is blank at their ends."""
        with self._news:
            return self._rows()

    def _rows(self) -> list[str]:
        return [terminal.row(self._terminal.picture, y) for y in range(self._terminal.rows)]

    def until(self, wanted: str | Callable[[list[str]], object], seconds: float = 30) -> list[str]:
        """The screen, once this holds of it: a regular expression is on it, or what is called with it says so.

        Raises StageFailed, with the screen, where it never does.
        """
        pattern = re.compile(wanted, re.MULTILINE) if isinstance(wanted, str) else None
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                rows = self._rows()
                holds = pattern.search("\n".join(rows)) if pattern else not isinstance(wanted, str) and wanted(rows)
                if holds and terminal.DRAWING not in self._terminal.modes:
                    return rows
                if self._has_ended or not self._news.wait(max(0.0, deadline - time.monotonic())):
                    why = "it has ended" if self._has_ended else f"not within {seconds:g} s"
                    raise StageFailed(f"{wanted!r}: {why}\n{self._drawing()}")

    def settled(self) -> list[str]:
        """The screen, once nothing is under way in the program and all of it is drawn and was read."""
        self._marks += 1
        mark = str(self._marks)
        self.ask("drawn", mark=mark)
        return self.until(lambda _: mark in self._terminal.marks)

    def picture(self) -> pyte.Screen:
        """What is on the terminal, as pyte has it; only to be looked at while nothing changes."""
        return self._terminal.picture

    def attributes(self, x: int, y: int) -> pyte.screens.Char:
        """A cell: its text, colours and whatever else it is."""
        with self._news:
            return self._terminal.picture.buffer[y][x]

    def find(self, text: str) -> tuple[int, int] | None:
        """The cell in which this text begins, the first time it is on the screen."""
        with self._news:
            for y in range(self._terminal.rows):
                starts = [x for x, cell in terminal.cells(self._terminal.picture, y) for _ in cell.data]
                at = "".join(cell.data for _, cell in terminal.cells(self._terminal.picture, y)).find(text)
                if at >= 0:
                    return starts[at], y
        return None

    @property
    def cursor(self) -> tuple[int, int] | None:
        """The cell it is on; None if it is hidden."""
        cursor = self._terminal.picture.cursor
        return None if cursor.hidden else (cursor.x, cursor.y)

    @property
    def raw(self) -> bytes:
        """All that was written so far, but for the marks of `settled`."""
        with self._news:
            return _MARK.sub(b"", bytes(self._raw))

    @property
    def modes(self) -> set[int]:
        """The private modes of the terminal that are on; `terminal.USUAL` before and after any well-behaved program."""
        with self._news:
            return set(self._terminal.modes)

    @property
    def terminal(self) -> Terminal:
        """What else a terminal knows: its title, what was put into the clipboard, the keyboard's protocols."""
        return self._terminal

    @property
    def echoes(self) -> bool:
        """Whether the terminal echoes what is typed and minds line breaks, as it does where nobody changed it."""
        local = termios.tcgetattr(self._master)[3]
        return bool(local & termios.ECHO and local & termios.ICANON and local & termios.ISIG)

    def status(self, seconds: float = 30) -> int:
        """The exit code, once it has ended and all that it wrote was read; less than 0: of a signal."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise StageFailed(f"it does not end\n{self._drawing()}") from None
        self._reader.join(seconds)
        return code

    def _drawing(self) -> str:
        """The screen between rules, for people."""
        with self._news:
            rule = "-" * self._terminal.columns
            return "\n".join((rule, *self._rows(), rule))
