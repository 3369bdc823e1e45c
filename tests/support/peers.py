"""Drives copies of the program through its JSON-lines mode: for the demo and the tests over real Tor."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.children import list_children

Event = dict[str, Any]
Which = str | Callable[[Event], bool]


class PeerFailed(Exception):
    """A peer did not do in time, or before it ended, what was waited for."""


class Peer:
    """One copy of the program, with a state directory of its own. A context: it ends with it, by force if need be.

    arguments: of the program, `--json` aside. environment: on top of ours. module: what is run. times: when each event
    came, by `time.monotonic`.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None, module: str = "anonp2p") -> None:
        self._state = tempfile.TemporaryDirectory(prefix="peer-")
        self.events: list[Event] = []
        self.times: list[float] = []
        self._news = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--json", *arguments],
            cwd=Path(__file__).resolve().parent.parent.parent,
            env={**os.environ, "XDG_STATE_HOME": self._state.name, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.times.append(time.monotonic())
                self.events.append(json.loads(line))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait(self, which: Which, seconds: float = 120.0, *, since: int = 0) -> Event:
        """The first event of this type, or for which this holds, from the `since`th on. Raises PeerFailed."""
        holds = which if callable(which) else lambda event: event["type"] == which
        deadline = time.monotonic() + seconds
        at = since
        with self._news:
            while True:
                for event in self.events[at:]:
                    if holds(event):
                        return event
                at = len(self.events)
                if self._ended or time.monotonic() > deadline:
                    what = "it ended" if self._ended else f"{seconds:.0f} s were not enough"
                    raise PeerFailed(f"{what}; waited for {which}, last seen: {self.events[-5:]}")
                self._news.wait(deadline - time.monotonic())

    def said(self, text: str) -> Event:
        """The message with this text, once it is here."""
        return self.wait(lambda event: event["type"] == "message" and event["text"] == text)

    def has(self, count: int, seconds: float = 120.0) -> None:
        """Returns once so many messages are here."""
        seen = 0

        def enough(event: Event) -> bool:
            nonlocal seen
            if event["type"] == "message":
                seen += 1
            return seen >= count

        self.wait(enough, seconds)

    def messages(self) -> list[tuple[int, str, str]]:
        """(seq, nick, text) of every message so far."""
        return [(event["seq"], event["nick"], event["text"]) for event in self.events if event["type"] == "message"]

    def send(self, line: str | Event) -> None:
        """Types a line, or an object."""
        assert self.process.stdin is not None
        self.process.stdin.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        """Ends its input, which makes it leave."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def result(self, seconds: float = 30.0) -> tuple[int, str]:
        """Its exit code and what it wrote on stderr, once it has ended. Raises subprocess.TimeoutExpired."""
        status = self.process.wait(seconds)
        self._reader.join()
        assert self.process.stderr is not None
        return status, self.process.stderr.read()

    def tor(self) -> int:
        """The process id of its own Tor."""
        return list_children(self.process.pid)[0]

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # what it did not read any more
        self._state.cleanup()
