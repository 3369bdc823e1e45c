"""The full screen under load: how soon it is there, how soon a key is, what drawing costs.

The program runs whole on a pseudo-terminal, in a process of its own, but for its Tor: members of its room come over TCP
on loopback. A key counts as shown once its character has come out of the terminal.
"""

import fcntl
import json
import os
import pty
import random
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.bench.children import BenchFailed, Child, Measured
from tests.bench.crowd import Crowd, loopback
from tests.bench.host import read_usage
from tests.support.transports import LoopbackNetwork

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = b"/create NAME"  # in the first picture, towards its end
STARTS = 6
MEMBERS = 10
RATE = 200.0  # messages a second
BATCH = 5_000
IDLE = 5.0  # seconds
KEYS = (0.05, 0.15)  # seconds between two keys, at random
FIRST_KEY, LAST_KEY = 0x430, 0x44F  # Cyrillic: nothing else on the screen is
WORDS = "the quick brown fox jumps over a lazy dog and nobody knows why it would do that again today"
PATIENCE = 60.0
MIB = 1024 * 1024


class _Screen:
    """A terminal with a program on it. Says when a key that was pressed is to be seen."""

    def __init__(self, command: list[str], columns: int, rows: int, place: str, descriptor: int | None = None) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color", "HOME": place}
        environment |= {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": place, "XDG_RUNTIME_DIR": place}
        self.bytes = 0
        self._looked_for = b""
        self._found = threading.Event()
        self._found_at = 0.0
        self._tail = b""
        self._lock = threading.Lock()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            pass_fds=[] if descriptor is None else [descriptor],
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:
                return
            now = time.monotonic()
            with self._lock:
                self.bytes += len(data)
                seen = self._tail + data
                self._tail = seen[-64:]
                if self._looked_for and self._looked_for in seen:
                    self._looked_for = b""
                    self._found_at = now
                    self._found.set()

    def look_for(self, text: bytes) -> None:
        """From now on."""
        with self._lock:
            self._tail = b""
            self._looked_for = text
            self._found.clear()

    def press(self, keys: str) -> float:
        """Returns when."""
        now = time.monotonic()
        os.write(self._master, keys.encode())
        return now

    def until_found(self, meanwhile: Callable[[], None] = lambda: None) -> float:
        """When what is looked for was there."""
        deadline = time.monotonic() + PATIENCE
        while not self._found.wait(0.0005):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise BenchFailed(f"it never showed {self._looked_for!r}")
            meanwhile()
        return self._found_at

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        os.close(self._master)


@contextmanager
def _screen(command: list[str], columns: int, rows: int, descriptor: int | None = None) -> Iterator[_Screen]:
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        shown = _Screen(command, columns, rows, place, descriptor)
        shown.look_for(PICTURE)
        try:
            yield shown
        finally:
            shown.end()


def _start(columns: int, rows: int) -> tuple[float, float]:
    """Seconds from exec to the first picture; and from a key that is pressed then to its being shown."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = ("TOR_CONTROL_HOST=127.0.0.1", f"TOR_CONTROL_PORT={silent.getsockname()[1]}")
        with _screen(["/usr/bin/env", *found, sys.executable, "-m", "anonp2p"], columns, rows) as shown:
            there = shown.until_found()
            shown.look_for(chr(FIRST_KEY).encode())
            pressed = shown.press(chr(FIRST_KEY))
            return there - shown.began, shown.until_found() - pressed


def screen(columns: int, rows: int, seconds: float) -> None:
    """Prints all of it."""
    sys.setswitchinterval(0.0005)  # whoever waits for the terminal is to be there at once
    starts = [_start(columns, rows) for _ in range(STARTS)]
    (first, _), *others = starts
    print(
        f"start: first picture after {median(it for it, _ in others) * 1e3:.0f} ms (median of {len(others)}; "
        f"{first * 1e3:.0f} ms the first time), a key pressed then is shown after "
        f"{median(it for _, it in others) * 1e3:.0f} ms",
        flush=True,
    )
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.bench.screen", str(theirs.fileno())]
    with ours, theirs, _screen(command, columns, rows, theirs.fileno()) as shown:
        shown.until_found()
        shown.look_for(b"ready")
        shown.until_found()
        shown.press("/create bench\r")
        lines = ours.makefile("rw")
        program = Measured(Child(lines, lines, shown.process.pid))
        crowd = Crowd(loopback(program.port), program.room, PATIENCE * 4 + 3 * seconds)
        try:
            crowd.join(MEMBERS)
            crowd.settle()
            load = _Load(shown, program, crowd)
            print("                 keys  echo ms: median    p95    max   frames/s  bytes/frame   busy  drawing  MiB")
            load.measure("idle", IDLE)
            load.measure(f"{RATE:.0f} messages/s", seconds, RATE)
            load.measure(f"burst of {BATCH:,}", 0.0, batch=BATCH)
        finally:
            crowd.close()
    print("busy: all of the program's share of a processor, the room's work included; drawing: what of it goes into")
    print("pictures. MiB: resident, afterwards.")


class _Load:
    def __init__(self, shown: _Screen, program: Measured, crowd: Crowd) -> None:
        self._shown = shown
        self._program = program
        self._crowd = crowd
        self._said = 0
        self._random = random.Random(1)  # no secret

    def measure(self, name: str, seconds: float, rate: float = 0.0, batch: int = 0) -> None:
        """One row of the table."""
        self._crowd.settle()
        witness = self._crowd.members[0]
        self._said = 0
        waiting = [self._message() for _ in range(batch)]
        before, sent = self._program.read(), self._shown.bytes
        began = time.monotonic()

        def talk() -> None:
            due = int((time.monotonic() - began) * rate) - self._said
            for _ in range(due):
                author, said = self._message()
                self._crowd.say(author, [said])
            self._crowd.pump(0.0005)

        for author, said in waiting:
            self._crowd.say(author, [said])
        echoes: list[float] = []
        while time.monotonic() < began + seconds or (batch and witness.entries < batch):
            echoes.append(self._echo(talk, len(echoes)))
            until = time.monotonic() + self._random.uniform(*KEYS)
            while time.monotonic() < until:
                talk()
        took = time.monotonic() - began
        after = self._program.read()
        self._crowd.until(lambda: witness.entries >= self._said)
        frames, drawing, cpu = (after[key] - before[key] for key in ("frames", "drawing", "cpu"))
        ms = sorted(echo * 1e3 for echo in echoes)
        late = quantiles(ms, n=20, method="inclusive")[-1] if len(ms) > 1 else ms[0]
        print(
            f"{name:16} {len(ms):4} {median(ms):16.1f} {late:6.1f} {ms[-1]:6.1f} {frames / took:10.1f} "
            f"{(self._shown.bytes - sent) / max(1, frames):12,.0f} {cpu / took:6.0%} {drawing / took:8.0%} "
            f"{after['resident'] / MIB:4.0f}",
            flush=True,
        )

    def _message(self) -> tuple[Any, Any]:
        author = self._crowd.members[self._said % MEMBERS]
        text = f"{self._said} {WORDS[: self._random.randrange(10, len(WORDS))]}"
        self._said += 1
        return author, author.text(text)

    def _echo(self, meanwhile: Callable[[], None], number: int) -> float:
        """A key is pressed; how long until it is shown. Now and then what is typed is thrown away first."""
        key = chr(FIRST_KEY + number % (LAST_KEY - FIRST_KEY + 1))
        if key == chr(FIRST_KEY):
            self._shown.press("\x15")
            until = time.monotonic() + 0.2
            while time.monotonic() < until:
                meanwhile()
        self._shown.look_for(key.encode())
        return -self._shown.press(key) + self._shown.until_found(meanwhile)


# --- the program, in its own process


class _Network:
    """A network that says through a pipe by which port and under which key the room is reached."""

    def __init__(self, pipe: socket.socket) -> None:
        self._network = LoopbackNetwork()
        self._pipe = pipe
        self.lost = self._network.lost
        self.dial = self._network.dial
        self.forget_keys = self._network.forget_keys

    @asynccontextmanager
    async def listen(self, key: Any, clients: Any = ()) -> AsyncIterator[Any]:
        async with self._network.listen(key, clients) as place:
            reached = {"port": self._network.ports[key.code], "room": key.public.hex()}
            self._pipe.sendall(json.dumps(reached).encode() + b"\n")
            yield place


def _play(descriptor: int) -> int:
    from anonp2p import app, cli
    from anonp2p.room import events
    from anonp2p.ui.screen import render_loop

    pipe = socket.socket(fileno=descriptor)
    used = {"frames": 0, "drawing": 0.0}

    @asynccontextmanager
    async def connect(_: object, tell: Callable[[events.Event], None]) -> AsyncIterator[Any]:
        tell(events.ReadyEvent(version="0", tor="own"))
        yield _Network(pipe)

    def answer() -> None:
        with suppress(OSError):
            while pipe.recv(1):
                pipe.sendall(json.dumps({**read_usage(), **used}).encode() + b"\n")

    draw_if_due = render_loop.RenderLoop.draw

    def drawn(one: render_loop.RenderLoop, draw: Callable[[], None]) -> None:
        def counted() -> None:
            used["frames"] += 1
            draw()

        before = time.thread_time()
        draw_if_due(one, counted)
        used["drawing"] += time.thread_time() - before

    vars(app)["App"] = partial(app.App, connect=connect)
    render_loop.RenderLoop.draw = drawn  # type: ignore[assignment, method-assign]
    threading.Thread(target=answer, daemon=True).start()
    sys.argv[1:] = ["--nick", "ada"]
    return cli.main()


if __name__ == "__main__":
    sys.exit(_play(int(sys.argv[1])))
