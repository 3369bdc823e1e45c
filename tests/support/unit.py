"""The systemd unit of a room that stays, as systemd runs it, where there is none."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.children import list_children
from tests.support.services import Service

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "scripts/packaging/anonp2p@.service"
_PATIENCE = 120.0  # seconds


class Unit:
    """A room called demo, as the unit starts it. A context: all of it ends with it. program: a shell script.

    directory: where its files are, which systemd makes for it and removes after it.
    """

    def __init__(self, program: str, environment: Mapping[str, str] | None = None) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="u-")  # short enough for unix sockets
        home = Path(self._home.name)
        (runtime := home / "run").mkdir(0o700)
        script = home / ".local/bin/anonp2p"
        script.parent.mkdir(parents=True)
        script.write_text(program, encoding="utf-8")
        script.chmod(0o700)
        given = {**os.environ, **(environment or {})}
        self._service = Service(UNIT.read_text("utf-8"), home, runtime, instance="demo", environment=given)
        self.directory = self._service.directory
        self.process = self._service.process

    def read(self, name: str) -> str:
        """What one of its files has, empty if it is not there."""
        path = self.directory / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def write(self, *lines: str) -> None:
        """Somebody writes lines to its input, and closes it."""
        self.await_true(self._has_input, "its input")
        with (self.directory / "input").open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    def _has_input(self) -> bool:
        """Whether the program reads it: who opens it sooner waits."""
        try:
            os.close(os.open(self.directory / "input", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    def ask(self, re: str, seconds: float = _PATIENCE) -> dict[str, Any]:
        """How the room is, asked and answered under this id."""
        self.write(json.dumps({"id": re, "command": "/health"}))
        self.await_true(lambda: f'"re":"{re}"' in self.read("health"), f"an answer to {re}", seconds)
        answer: dict[str, Any] = json.loads(self.read("health"))
        data: dict[str, Any] = answer["data"]
        return data

    def await_well(self, well: bool, seconds: float = _PATIENCE) -> dict[str, Any]:
        """How the room is, once it is well, or is not."""
        asked = 0
        told: dict[str, Any] = {}

        def is_so() -> bool:
            nonlocal asked, told
            asked += 1
            told = self.ask(f"{well}.{asked}.{time.monotonic()}")
            return told["ok"] is well

        self.await_true(is_so, f"ok: {well}", seconds)
        return told

    def await_true(self, holds: Callable[[], bool], what: str, seconds: float = _PATIENCE) -> None:
        """Returns once this holds, which nothing tells of."""
        deadline = time.monotonic() + seconds
        while not holds():
            ended = self.process.poll()
            assert ended is None or holds(), f"it ended with {ended}, without {what}"
            assert time.monotonic() < deadline, f"{seconds:.0f} s were not enough for {what}"
            time.sleep(0.05)

    def tor(self) -> int:
        """The process id of its own Tor. What reads from it is a child of the program too."""
        children = list_children(self.process.pid)
        [tor] = [child for child in children if Path(f"/proc/{child}/comm").read_text() == "tor\n"]
        return tor

    def stop(self) -> tuple[int, str]:
        """Its exit code and what it wrote on stderr, once it has been told to end."""
        return self._service.stop()

    def result(self) -> tuple[int, str]:
        """The same, where it ends by itself."""
        return self._service.result()

    @property
    def has_failed(self) -> bool:
        """Whether systemd takes the way in which it has ended for a failure."""
        return self._service.has_failed

    def __enter__(self) -> "Unit":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.__exit__(kind, error, trace)
        self._home.cleanup()


def run_here(*arguments: str, module: str = "anonp2p", path: str = "$PATH") -> str:
    """A script that runs the program of this checkout, with these arguments before those that the unit gives it.

    path: its PATH, if not that of the unit.
    """
    words = " ".join(arguments)
    return f'#!/bin/sh\nexport PYTHONPATH="{ROOT}" PATH="{path}"\nexec "{sys.executable}" -m {module} {words} "$@"\n'
