"""The terminal of the full screen: it may be slow or stopped, and may measure widths in another way than we do."""

import errno
import os
import signal
import termios
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic
from typing import Any, Final, Literal, cast

import trio
import urwid
from urwid.display import raw
from urwid.display.common import INPUT_DESCRIPTORS_CHANGED
from urwid.event_loop.abstract_loop import SupportsFileno

from anonp2p.ui.bell import notification
from anonp2p.ui.keys import Keys
from anonp2p.ui.screen.term import jobs
from anonp2p.ui.screen.term.jobs import Jobs
from anonp2p.ui.screen.term.steady_rows import Row, SteadyRows
from anonp2p.ui.screen.term.window import Title
from anonp2p.ui.screen.term.writer import BELL, Descriptor, Writer
from anonp2p.ui.sequences import Key

_Take = Callable[[list[Any], list[int]], object]  # keys, and the bytes that they came of

_SUSPEND = "ctrl z"
_HUNG_UP = (errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO)

_COLUMNS, _LINES = 80, 24

Size = Callable[[int], tuple[int, int]]  # of the terminal with this descriptor: columns and lines, 0 if it does not say

_ERASE = b"\x1b[2K"
_TO_COLUMN = b"\x1b[%dG"
_NO_WRAP = "\x1b[?7l"
_WRAP = "\x1b[?7h"
_ERASE_ROW = "\x1b[2K"
_HIDE_CURSOR = "\x1b[?25l"
_PLAIN = "\x1b[0m"
_LEAVE = "\x1b[2J\x1b[H\x1b[?7h"  # on a terminal without an alternate screen nothing is to stay visible

# Whatever COLORTERM says: it is inherited from the terminal outside.
_COLORS: Final[dict[str, Literal[1, 16, 256]]] = {"linux": 16, "screen": 256}


def window_size(display: int) -> tuple[int, int]:
    """The size as the kernel knows it."""
    try:
        return os.get_terminal_size(display)
    except OSError:
        return 0, 0


class Terminal(raw.Screen):
    """What urwid draws on. Nothing here ever waits for the terminal, except `stop`, and that not for long.

    idle: called when all that was drawn is out, so that it is time for the next frame; while the terminal is `busy`,
    frames are left out. closed: called once, when the terminal has hung up. Neither may raise. keys, display: its
    descriptors. size: says how large it is; SIGWINCH says that it has changed.

    Ctrl-Z and SIGTSTP give the terminal back and stop the process; where there is no shell that could continue it, the
    key is passed on as any other. While another job has the terminal, nothing is drawn and nothing is read.
    """

    def __init__(
        self,
        idle: Callable[[], None],
        closed: Callable[[], None],
        *,
        keys: int = 0,
        display: int = 1,
        size: Size = window_size,
    ) -> None:
        urwid.set_encoding("utf-8")  # what our canvases are made of, whatever the locale
        self._writer = Writer(display)
        super().__init__(Descriptor(keys), self._writer, bracketed_paste_mode=True, focus_reporting=True)
        self.idle = idle
        self.closed = closed
        self._is_closed = False
        self._jobs = Jobs(keys)
        self._keys = keys
        self._display = display
        self._size = size
        self._typed = Keys()
        self._frame: _Frame | None = None
        self._is_page = False  # whether a page was printed, which stays until it is put away
        self._steady_rows = SteadyRows()
        self._count_in_title = Title(self.write)
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
    def is_away(self) -> bool:
        """Whether another job has the terminal, so that nothing drawn would be seen."""
        return self._jobs.is_away

    @property
    def busy(self) -> bool:
        """Whether something is still on its way to the terminal."""
        return self._writer.busy

    async def run(self) -> None:
        """Does the writing, until cancelled or until the terminal hangs up. Before or after `start`."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._come_back)
            try:
                await self._writer.run(self._is_out)
            except OSError as error:
                self._hang_up(error)
            nursery.cancel_scope.cancel()

    def write(self, data: str) -> None:
        """Has it written, soon."""
        try:
            self._writer.write(data)
        except OSError as error:
            self._hang_up(error)

    def flush(self) -> None:
        """Does nothing while the screen runs, as all is on its way; when it stops, waits until all is written."""
        try:
            self._writer.flush()
        except OSError as error:
            self._hang_up(error)

    def bell(self) -> None:
        """Draws attention."""
        if not self._writer.rings:
            self.write(BELL)

    @property
    def has_window(self) -> bool:
        """Whether it is likely to have a window with a title, and a clipboard."""
        return not self._is_simple

    def notify(self) -> None:
        """Has the desktop tell the user that there is something new."""
        if self.has_window:
            self.write(notification())

    def show_count(self, count: int) -> None:
        """Shows in the window's title how many things call the user."""
        if self.has_window and self._started:
            self._count_in_title.show_count(count)

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        """Draws the canvas, unless the last frame is still on its way."""
        is_ours = self._started and not (self._is_closed or self._jobs.is_away or self._jobs.is_continued)
        if self.busy or self._is_page or not is_ours:
            return
        if self._frame is None or self._frame.canvas is not canvas:
            rows = self._steady_rows.steady_canvas(canvas, *size)
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

    @property
    def is_page(self) -> bool:
        """Whether a page is on it, in place of what is drawn."""
        return self._is_page

    def print_page(self, lines: Sequence[str], foot: str) -> None:
        """Prints lines in place of what is drawn, until `end_page`, and one in the last row.

        The terminal breaks them, and gives back the mouse: so it knows what belongs together, and a link that fills
        several rows is selected, copied and opened in one piece. lines: safe to be printed, as many as there is room.
        """
        _, height = self.get_cols_rows()
        self._is_page = True
        self.set_mouse_tracking(False)
        page = "\r\n".join(lines)
        self.write(
            f"{_HIDE_CURSOR}{_PLAIN}\x1b[H\x1b[2J{_WRAP}{page}{_NO_WRAP}\x1b[{height}H{_ERASE_ROW}{foot}{_PLAIN}"
        )

    def end_page(self) -> None:
        """The page is put away: the next frame is drawn as a whole."""
        self._is_page = False
        if not self._is_simple:
            self.set_mouse_tracking()
        self.write("\x1b[H\x1b[2J")
        self.screen_buf = self._frame = None

    def get_available_raw_input(self) -> list[int]:
        """As urwid has it; a terminal that hung up has none. Stops, or comes back, if a signal asked for it."""
        codes: list[int] = []
        in_background = self._jobs.is_in_background()  # perhaps before we see SIGCONT; then to read would stop us again
        try:
            if not in_background:
                codes = super().get_available_raw_input()
        except urwid.InputClosedError:
            self._hang_up()
        except BlockingIOError:
            pass  # another program that shares the terminal made it non-blocking, and read what was there
        except OSError as error:
            self._hang_up(error)
        if self._started and not self._is_closed:
            if self._jobs.is_stopping:
                self._suspend(os.getpid())
            elif self._jobs.is_continued or in_background:
                self._take_terminal()
        return codes

    def parse_input(  # type: ignore[override]  # always with a callback: what urwid's own loop has is not used
        self, event_loop: urwid.EventLoop, callback: _Take, codes: list[int], wait_for_more: bool = True
    ) -> None:
        """Has the callback take the keys that are complete with these bytes, and later those that a pause completes."""
        self._give_keys(event_loop, callback, self._typed.feed(bytes(codes), monotonic()) if codes else [])

    def _expire_input(self, event_loop: urwid.EventLoop, callback: _Take) -> None:
        """There was a pause; or we were busy, and what follows waits to be read."""
        self._input_timeout = None
        if codes := self.get_available_raw_input():
            self.parse_input(event_loop, callback, codes)
        else:
            self._give_keys(event_loop, callback, self._typed.expire(monotonic()))

    def _give_keys(self, event_loop: urwid.EventLoop, callback: _Take, keys: list[Key]) -> None:
        if self._input_timeout:
            event_loop.remove_alarm(self._input_timeout)
            self._input_timeout = None
        if (deadline := self._typed.deadline) is not None:
            expire = partial(self._expire_input, event_loop, callback)
            self._input_timeout = event_loop.alarm(max(0.0, deadline - monotonic()), expire)
        given = self._drop_past_end_mouse_events(self._apply_terminal_reports(keys))
        if self._resized:
            self._resized = False
            self.screen_buf = None
            if self._is_page:
                self.end_page()
            given.append("window resize")
        if _SUSPEND not in given:
            callback(given, [])
            return
        callback(given[: given.index(_SUSPEND)], [])  # what follows was typed for the shell
        if self._started and not self._is_closed and not self._suspend(0):
            callback([_SUSPEND], [])

    def get_cols_rows(self) -> tuple[int, int]:
        """A terminal that does not say how large it is is taken to have the usual size."""
        columns, lines = self._size(self._display)
        self.maxrow = lines  # urwid leaves the cursor there
        return columns if columns > 0 else _COLUMNS, lines if lines > 0 else _LINES

    def get_input_descriptors(self) -> list[SupportsFileno | int]:
        """As urwid has it; a terminal that hung up, or is another job's, has none."""
        return [] if self._is_closed or self._jobs.is_away else super().get_input_descriptors()

    # --- job control

    def signal_init(self) -> None:
        """As urwid has it, and SIGCONT."""
        super().signal_init()
        self.signal_handler_setter(signal.SIGCONT, self._note_continued)

    def signal_restore(self) -> None:
        """As urwid has it, and SIGCONT."""
        self.signal_handler_setter(signal.SIGCONT, signal.SIG_DFL)
        super().signal_restore()

    def _sigtstp_handler(self, *_: object) -> None:
        self._jobs.is_stopping = True
        self._wake_input_loop()

    def _note_continued(self, *_: object) -> None:
        self._jobs.is_continued = True
        self._wake_input_loop()

    def _suspend(self, target: int) -> bool:
        """Gives the terminal back and stops, until continued. False if that is not to be had.

        target: as of kill(2); 0 is the process group, which a shell has made a job.
        """
        self.stop()
        has_stopped = jobs.stop(target)
        self._take_terminal()
        return has_stopped

    def _take_terminal(self) -> None:
        """Sets the terminal up anew, whatever others have done to it: now, or once it is ours again."""
        self._jobs.look_anew()
        if self._jobs.is_away:
            urwid.emit_signal(self, INPUT_DESCRIPTORS_CHANGED)
            return
        try:
            self.stop()
            self.start()
        except (OSError, termios.error):  # it has hung up meanwhile
            self._hang_up()
        self._resized = True
        self._wake_input_loop()

    async def _come_back(self) -> None:
        """Takes the terminal back whenever another job has had it."""
        while True:
            await self._jobs.wait_until_ours()
            if self._jobs.is_away:
                self._take_terminal()

    # --- start and stop

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
        if self._jobs.is_away:  # then its settings are another job's, and SIGTTOU would stop us
            self._old_termios_settings = self._old_signal_keys = None
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
            self._jobs.is_away = False
        self._writer.leave()
        self._count_in_title.show_count(0)
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
        self._is_page = False
        self.screen_buf = self._frame = self._screen_buf_canvas = None
        self._drawn_rows = []
        self._typed.clear()
        self._steady_rows.forget()
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


class _Frame:
    """So much of a canvas as urwid needs to draw it."""

    def __init__(self, canvas: urwid.Canvas, rows: list[Row]) -> None:
        self.canvas = canvas
        self.cursor = canvas.cursor
        self._rows = rows

    def rows(self) -> int:
        return len(self._rows)

    def content(self) -> Iterator[Row]:
        return iter(self._rows)
