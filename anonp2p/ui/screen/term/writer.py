"""Writes to the terminal without ever waiting for it, except at the very end, and then not for long."""

import os
import select
import termios
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final

import trio

from anonp2p import limits

BELL: Final = "\a"
_PIECE: Final = 4_096  # bytes of a frame written at once: a console that draws as it is written to is slow
_CANCEL = b"\x18"  # ends whatever sequence was cut off
_SYNCHRONIZED_END = b"\x1b[?2026l"


class Descriptor:
    """A file by its number, for what wants an object."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Its number."""
        return self._descriptor


class Writer(Descriptor):
    """Bytes on their way to the terminal: they wait here, not in os.write, which cannot be interrupted.

    The terminal is written to over a descriptor of our own, which does not block. Setting O_NONBLOCK on the given one
    would set it for the program that started us, and for our stdin. A thread writes what does not fit at once, and all
    of it where a write to the terminal returns only after it was drawn, as on the Linux console.
    """

    def __init__(self, display: int) -> None:
        super().__init__(display)
        self.is_frame = False  # whether what is written now is something drawn: at the end it is not waited for
        self.is_slow = False  # whether it takes its time to draw
        self._own: int | None = None
        self._was_blocking = False  # the descriptor that we were given, if no other was to be had
        self._waiting: deque[tuple[bytes, bool]] = deque()  # texts, and whether each is of a frame
        self._written = 0  # bytes of the first one
        self._lock = threading.Lock()  # held to write, or to change what comes first
        self._news = trio.Event()
        self._is_running = False
        self._is_deaf = True
        self._is_gone = False
        self._last: list[bytes] | None = None  # since when we are leaving, what was written
        self._deadline = 0.0

    @property
    def busy(self) -> bool:
        """Whether something is not written yet."""
        return bool(self._waiting)

    @property
    def rings(self) -> bool:
        """Whether the bell is among what waits."""
        return (BELL.encode(), False) in tuple(self._waiting)

    def open(self) -> None:
        """Begins, or goes on after `close`."""
        self._last = None
        self._is_deaf = False
        if self._own is None:
            self._own = _reopened(self._descriptor)
        if self._own is None:
            self._was_blocking = os.get_blocking(self._descriptor)
            os.set_blocking(self._descriptor, False)

    def write(self, text: str) -> None:
        """Writes what fits at once; `run` and a thread write the rest. Raises OSError."""
        if self._is_deaf or not text:
            return
        data = text.encode("utf-8", "replace")
        self._waiting.append((data, self.is_frame))
        if self._last is not None:
            self._last.append(data)
        else:
            while not (self.is_slow and self._is_running) and self._piece():
                pass
            self._news.set()

    def flush(self) -> None:
        """When leaving, waits until it is all out, if it takes no longer than a moment. Raises OSError."""
        if self._last is None or not self._waiting:
            return
        poll = select.poll()
        poll.register(self._target, select.POLLOUT)
        while self._waiting and (left := self._deadline - monotonic()) > 0:
            poll.poll(left * 1_000)
            while self._piece():
                pass
        if self._waiting:  # what is in the kernel gives way too, so that there is room for the end of it all
            with suppress(termios.error):
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
                termios.tcflow(self._descriptor, termios.TCOON)
            with self._lock:
                self._waiting = deque([(b"".join([_CANCEL, _SYNCHRONIZED_END, *self._last]), False)])
                self._written = 0
            while self._piece():
                pass
            self.drop()

    async def run(self, idle: Callable[[], None]) -> None:
        """Writes what is to be written, and says when all of it is."""
        self._is_running = True
        self._news.set()
        try:
            while True:
                await self._news.wait()
                self._news = trio.Event()
                if self._is_gone:
                    return
                if not self._waiting:
                    continue
                while self._waiting and self._last is None:
                    await trio.lowlevel.wait_writable(self._target)
                    await trio.to_thread.run_sync(self._pieces)
                if self._last is None:
                    idle()
        finally:
            self._is_running = False
            if self._last is not None:
                self._release()

    def leave(self) -> None:
        """Drops what was drawn. What is written from now on is so when flushed, if it takes no longer than a moment."""
        self._deadline = monotonic() + limits.PRINT_PATIENCE
        self._last = []  # has the thread stop
        with self._lock:
            kept = [(data, is_frame) for data, is_frame in self._waiting if not is_frame]
            if self._written and self._waiting[0][1]:
                self._written = 0
                kept.insert(0, (_CANCEL + _SYNCHRONIZED_END, False))
            self._waiting = deque(kept)

    def close(self) -> None:
        """Ends, or pauses: `run` may go on."""
        self.drop()
        if self._was_blocking:
            self._was_blocking = False
            with suppress(OSError):
                os.set_blocking(self._descriptor, True)
        if not self._is_running:
            self._release()

    def hang_up(self) -> None:
        """Notes that the terminal is gone; drops everything."""
        self.drop()
        self._is_gone = True
        self._news.set()

    def drop(self) -> None:
        """Drops everything, from now on."""
        self._is_deaf = True
        with self._lock:
            self._waiting.clear()
            self._written = 0
        if self._last:
            self._last.clear()

    @property
    def _target(self) -> int:
        return self._descriptor if self._own is None else self._own

    def _release(self) -> None:
        if self._own is not None:
            os.close(self._own)
            self._own = None

    def _pieces(self) -> None:
        while self._last is None and self._piece():
            pass

    def _piece(self) -> bool:
        """Writes a piece. False when there is nothing more to write, or no room for it."""
        with self._lock:
            if not self._waiting:
                return False
            data = self._waiting[0][0]
            try:
                self._written += os.write(self._target, data[self._written : self._written + _PIECE])
            except BlockingIOError:
                return False
            if self._written == len(data):
                self._waiting.popleft()
                self._written = 0
            return bool(self._waiting)


def _reopened(display: int) -> int | None:
    """A descriptor of the same terminal that does not block, while the given one stays as it is."""
    try:
        os.tcgetpgrp(display)  # answers for a process's own terminal only; that one can be opened even after su
        path = "/dev/tty"
    except OSError:
        path = ""
    try:
        return os.open(path or os.ttyname(display), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None
