"""The terminal of the full screen: one that is slow, stopped or of another mind about widths spoils nothing."""

import errno
import os
import re
import select
import termios
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, Final, Literal, cast

import trio
import urwid
from urwid.display import raw
from urwid.display.common import INPUT_DESCRIPTORS_CHANGED
from urwid.event_loop.abstract_loop import SupportsFileno

from anonp2p import limits
from anonp2p.ui.safety import harmless
from anonp2p.ui.widths import head, width

_Run = tuple[Hashable, Literal["0", "U"] | None, bytes]  # style, charset, text
_Row = list[_Run]

_HUNG_UP = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)
_PIECE: Final = 4_096  # bytes of a frame written at once: a console that draws as it is written to is slow

_ERASE = b"\x1b[2K"
_TO_COLUMN = b"\x1b[%dG"
_NO_WRAP = "\x1b[?7l"
_CANCEL = b"\x18"  # ends whatever sequence was cut off
_SYNCHRONIZED_END = b"\x1b[?2026l"
_PLAIN = "\x1b[0m"
_LEAVE = "\x1b[2J\x1b[H\x1b[?7h"  # on a terminal without an alternate screen nothing is to stay visible
_BELL = "\a"

_UNUSUAL = re.compile(rb"[^ -~]")
_FOREIGN = re.compile(r"[ -~]?[^ -~]+")  # with the character before it, which marks may be put on

# Whatever COLORTERM says: it is inherited from the terminal outside.
_COLORS: Final[dict[str, Literal[1, 16, 256]]] = {"linux": 16, "screen": 256}


class Terminal(raw.Screen):
    """What urwid draws on. Nothing here ever waits for the terminal, except `stop`, and that not for long.

    idle: called when all that was drawn is out, so that it is time for the next frame; while the terminal is `busy`,
    frames are left out. closed: called once, when the terminal has hung up. Neither may raise.
    """

    def __init__(
        self, idle: Callable[[], None], closed: Callable[[], None], *, keys: int = 0, display: int = 1
    ) -> None:
        urwid.set_encoding("utf-8")  # what our canvases are made of, whatever the locale
        self._writer = _Writer(display)
        super().__init__(_Descriptor(keys), self._writer, bracketed_paste_mode=True, focus_reporting=True)
        self.idle = idle
        self.closed = closed
        self._is_closed = False
        self._keys = keys
        self._frame: _Frame | None = None
        self._steady: dict[tuple[_Run, ...], _Row] = {}  # of the last frame: its unusual rows, and what became of them
        self._plain: set[str] = set()  # characters that were found harmless
        kind = self.term.partition("-")[0].partition(".")[0]
        if not kind:
            self.set_terminal_properties(colors=1)
        elif self.colors > _COLORS.get(kind, self.colors) and "TMUX" not in os.environ:
            self.set_terminal_properties(colors=_COLORS[kind])
        self._writer.is_slow = kind == "linux"
        self._is_simple = kind in ("", "linux", "dumb")
        if self._is_simple:
            self.modes.mouse_reporting = False  # urwid would start another program to see the mouse

    @property
    def is_closed(self) -> bool:
        """Whether the terminal has hung up."""
        return self._is_closed

    @property
    def busy(self) -> bool:
        """Whether something is still on its way to the terminal."""
        return self._writer.busy

    async def run(self) -> None:
        """Does the writing, until cancelled or until the terminal hangs up. Before or after `start`."""
        try:
            await self._writer.run(self._is_out)
        except OSError as error:
            self._hang_up(error)

    def write(self, data: str) -> None:
        """Has it written, soon."""
        try:
            self._writer.write(data)
        except OSError as error:
            self._hang_up(error)

    def flush(self) -> None:
        """What was written is on its way without it; when the screen stops, waits until it is out."""
        try:
            self._writer.flush()
        except OSError as error:
            self._hang_up(error)

    def bell(self) -> None:
        """Draws attention."""
        if not self._writer.rings:
            self.write(_BELL)

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        """Draws the canvas, unless the last frame is still on its way."""
        if self.busy or self._is_closed:
            return
        if self._frame is None or self._frame.canvas is not canvas:
            rows = self._resynchronised(canvas, *size)
            # A frame that says the same is the same one: else each look at it would write something, and being written
            # cause the next look.
            if self._frame and self.screen_buf == rows and self._frame.cursor == canvas.cursor:
                self._frame.canvas = canvas
            else:
                self._frame = _Frame(canvas, rows)
        self._writer.is_frame = True
        try:
            super().draw_screen(size, cast(urwid.Canvas, self._frame))
        finally:
            self._writer.is_frame = False

    def get_available_raw_input(self) -> list[int]:
        """As urwid has it; a terminal that hung up has none."""
        try:
            return super().get_available_raw_input()
        except urwid.InputClosedError:
            self._hang_up()
        except OSError as error:
            self._hang_up(error)
        return []

    def get_input_descriptors(self) -> list[SupportsFileno | int]:
        """As urwid has it; a terminal that hung up has none."""
        return [] if self._is_closed else super().get_input_descriptors()

    def _start(self, alternate_buffer: bool = True, *args: Any, **kwargs: Any) -> None:
        try:
            self._writer.open()
            super()._start(alternate_buffer, *args, **kwargs)
            self.write(_NO_WRAP)
            if os.isatty(self._keys):
                none = os.fpathconf(self._keys, "PC_VDISABLE")  # urwid's "undefined" is Ctrl-@ where this is not 0
                self.tty_signal_keys(none, none, none, none, none, self._keys)
        except BaseException:
            self.stop()
            raise

    def _detect_terminal_modes(self) -> None:
        if not self._is_simple:  # these print a question they do not know
            super()._detect_terminal_modes()

    def _stop(self) -> None:
        self._writer.leave()
        self._forget()
        _, lines = self.get_cols_rows()
        # Line by line: GNU screen keeps what is cleared at once, for its user to scroll back to.
        self.write(_PLAIN + "".join(f"\x1b[{row + 1}H\x1b[2K" for row in range(lines)) + _LEAVE)
        try:
            super()._stop()
        finally:
            self._writer.close()

    def _forget(self) -> None:
        """Keeps nothing of what was shown or typed."""
        self.screen_buf = self._frame = self._screen_buf_canvas = None
        self._drawn_rows = []
        self._partial_codes = []
        self._steady.clear()
        self._plain.clear()
        urwid.CanvasCache.clear()

    def _is_out(self) -> None:
        self.idle()  # it may have been set to another one

    def _hang_up(self, error: OSError | None = None) -> None:
        if error and error.errno not in _HUNG_UP:
            raise error
        self._writer.hang_up()
        if not self._is_closed:
            self._is_closed = True
            urwid.emit_signal(self, INPUT_DESCRIPTORS_CHANGED)
            self.closed()

    def _resynchronised(self, canvas: urwid.Canvas, columns: int, lines: int) -> list[_Row]:
        """The canvas in rows that stay in order on a terminal that takes characters for wider or narrower than we do.

        A row with such characters is erased before it is drawn, and after some of them the cursor is put where it
        belongs. Autowrap being off, they do not get beyond the end of the row.
        """
        steady: dict[tuple[_Run, ...], _Row] = {}
        rows = []
        for row in canvas.content():
            if any(charset != "U" and _UNUSUAL.search(text) for _, charset, text in row):
                key = tuple(row)
                rows.append(steady.setdefault(key, self._steady.get(key) or self._steadied(row, columns)))
            else:
                rows.append(list(row))
        self._steady = steady
        if rows and len(rows) == lines and rows[-1]:
            # Ends in a sequence, so that urwid draws it as any other: it would else insert the last character but one,
            # for terminals that scroll when the last one is drawn, which without autowrap none does.
            rows[-1] = [*rows[-1], (rows[-1][-1][0], "U", _TO_COLUMN % columns)]
        return rows

    def _steadied(self, row: _Row, columns: int) -> _Row:
        steady: _Row = [(None, "U", _ERASE)]
        column = done = 0

        def placed(foreign: re.Match[str]) -> str:
            nonlocal column, done
            text = foreign[0]
            column += foreign.start() - done + width(text)
            done = foreign.end()
            return f"{text}\x1b[{column + 1}G" if column < columns else text

        for style, charset, data in row:
            if charset == "U" or not _UNUSUAL.search(data):
                steady.append((style, charset, data))
                column += len(data)
            else:
                text = self._harmless(data.decode("utf-8", "replace"))
                done = 0
                steady.append((style, "U", _FOREIGN.sub(placed, text).encode()))
                column += len(text) - done
        return steady

    def _harmless(self, text: str) -> str:
        """The text without anything that should never have got here, as wide as before."""
        fresh = set(text) - self._plain
        if not fresh:
            return text
        self._plain |= {one for one in fresh if unicodedata.category(one)[0] in "LNPSZ" and harmless(one) == one}
        if fresh <= self._plain:
            return text
        shown = harmless(text).replace("\n", "")
        wide = width(text)
        shown = head(shown, wide)
        return shown + " " * (wide - width(shown))


class _Frame:
    """So much of a canvas as urwid needs to draw it."""

    def __init__(self, canvas: urwid.Canvas, rows: list[_Row]) -> None:
        self.canvas = canvas
        self.cursor = canvas.cursor
        self._rows = rows

    def rows(self) -> int:
        return len(self._rows)

    def content(self) -> Iterator[_Row]:
        return iter(self._rows)


class _Descriptor:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


class _Writer(_Descriptor):
    """What is on its way to the terminal: it waits here, not in os.write, which could then not be left.

    The terminal is written to over a descriptor of our own, which does not block. To make the one that we were given
    such would do so to whoever started us, and to our stdin. What does not fit at once a thread writes, and all of it
    where the terminal, as the Linux console, draws before it lets go of whoever writes.
    """

    def __init__(self, display: int) -> None:
        super().__init__(display)
        self.is_frame = False  # whether what is written now is something drawn: at the end it is not waited for
        self.is_slow = False  # whether it takes its time to draw
        self._own: int | None = None
        self._was_blocking = False  # the descriptor that we were given, if no other was to be had
        self._waiting: deque[tuple[bytes, bool]] = deque()  # texts, and whether each is of a frame
        self._written = 0  # bytes of the first one
        self._lock = threading.Lock()  # held by whoever writes, or changes what comes first
        self._news = trio.Event()
        self._is_running = False
        self._is_deaf = True
        self._is_gone = False
        self._last: list[bytes] | None = None  # since when we are leaving, what was written
        self._deadline = 0.0

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    @property
    def rings(self) -> bool:
        """Whether the bell is among what waits."""
        return (_BELL.encode(), False) in tuple(self._waiting)

    def open(self) -> None:
        self._last = None
        self._is_deaf = False
        if self._own is None:
            self._own = _reopened(self._descriptor)
        if self._own is None:
            self._was_blocking = os.get_blocking(self._descriptor)
            os.set_blocking(self._descriptor, False)

    def write(self, text: str) -> None:
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
        self._deadline = monotonic() + limits.PRINT
        self._last = []  # has the thread stop
        with self._lock:
            kept = [(data, is_frame) for data, is_frame in self._waiting if not is_frame]
            if self._written and self._waiting[0][1]:
                self._written = 0
                kept.insert(0, (_CANCEL + _SYNCHRONIZED_END, False))
            self._waiting = deque(kept)

    def close(self) -> None:
        """The end, or a pause: `run` may go on."""
        self.drop()
        if self._was_blocking:
            self._was_blocking = False
            with suppress(OSError):
                os.set_blocking(self._descriptor, True)
        if not self._is_running:
            self._release()

    def hang_up(self) -> None:
        """There is nobody to write to any more."""
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
        """Writes a bit. False when there is nothing more to write, or no room for it."""
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
