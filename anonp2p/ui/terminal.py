"""The terminal of the full screen: one that is slow, stopped or of another mind about widths spoils nothing."""

import errno
import os
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Final, Literal, cast

import urwid
from urwid.display import raw
from urwid.display.common import INPUT_DESCRIPTORS_CHANGED
from urwid.event_loop.abstract_loop import SupportsFileno

from anonp2p.ui.safety import harmless
from anonp2p.ui.widths import head, is_certain, width
from anonp2p.ui.writer import BELL, Descriptor, Writer

_Run = tuple[Hashable, Literal["0", "U"] | None, bytes]  # style, charset, text
_Row = list[_Run]

_HUNG_UP = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)

_ERASE = b"\x1b[2K"
_TO_COLUMN = b"\x1b[%dG"
_NO_WRAP = "\x1b[?7l"
_PLAIN = "\x1b[0m"
_LEAVE = "\x1b[2J\x1b[H\x1b[?7h"  # on a terminal without an alternate screen nothing is to stay visible

_UNUSUAL = re.compile(rb"[^ -~]")
_FOREIGN = re.compile(r"(?: |(?<![!-~]))[!-~]*[^ -~][^ ]*")  # a word, with the space before it, which it may draw on

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
        self._writer = Writer(display)
        super().__init__(Descriptor(keys), self._writer, bracketed_paste_mode=True, focus_reporting=True)
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
            self.write(BELL)

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

        A row with such characters is erased before it is drawn. After each word of them the cursor is put where it
        belongs, which is at or behind what any terminal has drawn of the word; where that is not the same for all, its
        columns are filled with blanks first, so that none is left without the colours of the row. Autowrap being off,
        nothing gets beyond the end of the row.
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
            start = column + foreign.start() - done
            wide = width(text)
            column, done = start + wide, foreign.end()
            if not is_certain(text):
                text = f"{' ' * wide}\x1b[{start + 1}G{text}"
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
