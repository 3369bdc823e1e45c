"""Other terminals than pyte: what they show of the same bytes.

Three kinds of terminals differ in how wide they draw a text. pyte goes by wcwidth's tables, one character at a time
(tests/support/terminal.py); tmux by the C library, in which spacing marks have a column; xterm.js with its addon draws
each grapheme cluster in one place.
"""

import base64
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from wcwidth import wcswidth

_ROOT = Path(__file__).resolve().parents[2]
_MODULES = _ROOT / ".venv" / "xterm" / "node_modules"
_PATIENCE = 30  # seconds


class Row(NamedTuple):
    """A row of a terminal. cells: what each holds that is not empty, by column. wrapped: it goes on from the last."""

    cells: dict[int, str]
    wrapped: bool

    @property
    def text(self) -> str:
        """What is read in it, cells that hold nothing as spaces."""
        text, end = "", 0
        for column, cell in self.cells.items():
            text += " " * (column - end) + cell
            end = column + max(1, wcswidth(cell))
        return text.rstrip(" ")


def xterm(writes: Sequence[bytes], *, columns: int, rows: int) -> list[list[Row]]:
    """The rows of xterm.js, scrollback included, after each write."""
    job = {"columns": columns, "rows": rows, "writes": [base64.b64encode(data).decode() for data in writes]}
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("xterm.js"))],
        input=json.dumps(job) + "\n",
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(_MODULES)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=4 * _PATIENCE,
    )
    return [[Row(dict(row["cells"]), row["wrapped"]) for row in screen] for screen in json.loads(done.stdout)]


class Tmux:
    """A tmux server of its own, with one pane of this size.

    with Tmux(80, 24) as tmux:
        assert tmux.shows(b"hello")[0] == "hello"
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._size = ("-x", str(columns), "-y", str(rows))
        self._marks = count()

    def __enter__(self) -> Self:
        self._place = tempfile.TemporaryDirectory(prefix="tmux-")
        try:
            server = ("set", "-g", "history-limit", "50000", ";", "set", "-g", "status", "off", ";")
            self._ask(*server, "new-session", "-d", *self._size, "exec cat")
            self._terminal = os.open(self._ask("display", "-p", "#{pane_tty}").strip(), os.O_WRONLY | os.O_NOCTTY)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self._ask("kill-server")
        finally:
            self._place.cleanup()

    def _ask(self, *command: str) -> str:
        return subprocess.run(
            ["tmux", "-S", f"{self._place.name}/server", "-f", "/dev/null", *command],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "HOME": self._place.name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=_PATIENCE,
        ).stdout

    def shows(self, data: bytes, *, scrollback: bool = False) -> list[str]:
        """The rows once a program has written this, without what is blank at their ends."""
        mark = f"mark-{next(self._marks)}"
        self._write(data + f"\x1b]2;{mark}\a".encode())
        deadline = time.monotonic() + _PATIENCE
        while self._ask("display", "-p", "#{pane_title}").strip() != mark:
            assert time.monotonic() < deadline, "tmux has not shown what was written"
        return self._ask("capture-pane", "-p", *(("-S", "-") if scrollback else ())).split("\n")

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._terminal, data) :]
