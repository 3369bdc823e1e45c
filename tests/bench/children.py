"""Processes that scripts/bench has beside its own: it tells them lines, and they say lines of JSON."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

VERIFY: Final = "verify "  # what a host is told, with a number: to say what it takes to verify a signature


class BenchFailed(Exception):
    """What was measured is not as it has to be."""


class Child:
    """heard, told: where its lines come from, and where ours go. process: its id."""

    def __init__(self, heard: IO[str], told: IO[str], process: int) -> None:
        self._heard, self._told = heard, told
        self.process = process

    def tell(self, line: str) -> None:
        """Tells it this line."""
        self._told.write(f"{line}\n")
        self._told.flush()

    def hear(self) -> Any:
        """What it says next. Raises BenchFailed if it has ended."""
        line = self._heard.readline()
        if not line:
            raise BenchFailed("what is measured has ended")
        return json.loads(line)

    def ask(self, line: str) -> Any:
        """What it answers. Raises BenchFailed if it has ended."""
        self.tell(line)
        return self.hear()


@contextmanager
def child(module: str, *arguments: str) -> Iterator[Child]:
    """A module in a process of its own, which ends with the block. It does not hear of ^C."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            yield Child(process.stdout, process.stdin, process.pid)
        finally:
            process.kill()


class Measured:
    """The process of a host. It says how its room is reached, and answers each line with a reading."""

    def __init__(self, child: Child) -> None:
        self._child = child
        reached = child.hear()
        self.port: int = reached["port"]  # 0 over Tor
        self.code: str = reached.get("code", "")
        self.room = bytes.fromhex(reached["room"])

    @property
    def process(self) -> int:
        """Its id."""
        return self._child.process

    def type(self, command: str) -> None:
        """Has its user type this."""
        self._child.tell(command)

    def read(self) -> dict[str, Any]:
        """What it measured since the last time, or has used so far."""
        reading: dict[str, Any] = self._child.ask("")
        return reading

    def verify(self, times: int) -> float:
        """Processor seconds that it takes to verify one signature; it verifies so many."""
        taken: float = self._child.ask(f"{VERIFY}{times}")["verification"]
        return taken


@contextmanager
def measured(*arguments: str) -> Iterator[Measured]:
    """A host in a process of its own. arguments: see tests.bench.host."""
    with child("tests.bench.host", *arguments) as host:
        yield Measured(host)
