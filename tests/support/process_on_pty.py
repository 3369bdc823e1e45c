"""A program in a process of its own, on a pseudo-terminal which is its controlling one."""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]

_READ = 65_536
_START = 120.0  # seconds until a program can be asked for something
_ANSWER = 120.0  # until it has answered


class ProcessOnPty:
    """One program. command: it, given where it is to be asked for something."""

    def __init__(self, command: Callable[[str], Sequence[str]], environment: dict[str, str], shown: Terminal) -> None:
        self._command = command
        self._environment = environment
        self._shown = shown
        self._raw = bytearray()
        self._news = threading.Condition()
        self._has_ended = False
        self._connection: Any = None

    def start(self) -> None:
        """The program begins."""
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
                self.process = subprocess.Popen(
                    self._command(str(self._socket)),
                    env=home | {"PYTHONPATH": str(ROOT)} | self._environment,
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

    def stop(self, *, is_failing: bool) -> None:  # what it fails with is on the terminal
        """The program is not needed any more."""
        self._stack.close()

    def _end(self) -> None:
        self.forget_connection()
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
                answers = self._shown.feed(data)
                self._has_ended = not data
                self._news.notify_all()
            if not data:
                return
            if answers:
                self.write(answers)

    # --- what is done to it

    def write(self, data: bytes) -> None:
        """These bytes are typed."""
        with suppress(OSError):  # it has ended
            while data:
                data = data[os.write(self._master, data) :]

    def pause(self, seconds: float) -> None:
        """So much time goes by."""
        time.sleep(max(0.0, seconds))

    @property
    def now(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size, and the kernel says so."""
        with self._news:
            self._shown.resize(columns, rows)
            self._set_size()

    def _set_size(self) -> None:
        size = struct.pack("HHHH", self._shown.rows, self._shown.columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def hang_up(self) -> None:
        """The terminal goes away, as it does when its window is closed."""
        os.write(self._hang, b"!")
        self._reader.join()
        self._close()

    @contextmanager
    def unread(self) -> Iterator[None]:
        """Nobody reads what is written to the terminal, as if Ctrl-S was pressed in it."""
        with self._news:  # the reader waits for it
            yield

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Has something happen around the program. Raises OSError, ValueError where there is no program to ask."""
        connection = self._connected()
        connection.write(json.dumps(asked).encode() + b"\n")
        connection.flush()
        answer: dict[str, Any] = json.loads(connection.readline())
        return answer

    def _connected(self) -> Any:
        deadline = time.monotonic() + _START
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
                control.settimeout(_ANSWER)
                self._connection = control.makefile("rwb")
                control.close()
        return self._connection

    def forget_connection(self) -> None:
        """Another program is asked for things from now on, at the same place."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- what is to be seen of it

    @contextmanager
    def looking(self) -> Iterator[bytearray]:
        """The terminal stays as it is meanwhile; gives all that was written to it."""
        with self._news:
            yield self._raw

    def wait(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether this holds of the terminal, once it does, or the program has ended, or so much time has gone by."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not holds():
                if self._has_ended or not self._news.wait(max(0.0, deadline - time.monotonic())):
                    return False
        return True

    def status(self, seconds: float) -> int | None:
        """The exit code, once it has ended and all that it wrote was read; None if it does not."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._reader.join(seconds)
        return code

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    @property
    def settings(self) -> list[Any]:
        """The terminal's, as termios has them."""
        return termios.tcgetattr(self._master)

    @property
    def echoes(self) -> bool:
        """Whether the terminal echoes what is typed and minds line breaks, as it does where nobody changed it."""
        local = self.settings[3]
        return bool(local & termios.ECHO and local & termios.ICANON and local & termios.ISIG)

    def signal(self, number: signal.Signals) -> None:
        """The program gets a signal."""
        self.process.send_signal(number)
