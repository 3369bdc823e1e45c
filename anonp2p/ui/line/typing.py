"""Keys on a terminal -> lines, as they are entered. The terminal echoes nothing meanwhile: the input line is drawn."""

import os
import signal
import termios
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf
from time import monotonic, sleep
from types import FrameType

import trio

from anonp2p import limits
from anonp2p.ui import stdio
from anonp2p.ui.completion import Known
from anonp2p.ui.keys import Keys
from anonp2p.ui.line.input_line import InputLine
from anonp2p.ui.line.own_texts import OwnTexts

_PASTES_ON, _PASTES_OFF = b"\x1b[?2004h", b"\x1b[?2004l"
_QUIT = "/quit"
_ERASE = b"\r\x1b[K"
_STOP = 0.01  # seconds for the kernel to stop us, once it is asked to


class Typing:
    """What is typed on the terminal with this descriptor, which is also printed on.

    show, redraw: have the line drawn, if it has changed or anyhow. known: what can be completed. entered: is told each
    text that is entered.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self.line = InputLine()
        self.take_event = OwnTexts(self.line).take_event
        self.show: Callable[[], None] = lambda: None
        self.redraw: Callable[[], None] = lambda: None
        self.known: Callable[[], Known] = Known
        self.entered: Callable[[str], None] = lambda _: None
        self._descriptor = descriptor
        self._usual = termios.tcgetattr(descriptor)
        self._token: trio.lowlevel.TrioToken | None = None  # once lines are read

    @contextmanager
    def on_terminal(self) -> Iterator[None]:
        """Takes the terminal, and leaves it as it was, whatever happens; also while another job has it."""
        handlers = [(signal.SIGTSTP, self._stop), (signal.SIGCONT, self._go_on)]
        before = [(number, signal.signal(number, handler)) for number, handler in handlers]
        self._take()
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)
            self._give_back(_ERASE)

    async def read_lines(self) -> AsyncGenerator[bytes, None]:
        """Yields what is entered, until the terminal hangs up. Raises OSError.

        Ctrl-D and Ctrl-C in an empty line are /quit, so that the user is asked before rooms end.
        """
        self._token = trio.lowlevel.current_trio_token()
        keys = Keys()
        self.show()
        while True:
            deadline = keys.deadline
            with trio.move_on_after(inf if deadline is None else max(0.0, deadline - monotonic())) as pause:
                await trio.lowlevel.wait_readable(self._descriptor)
            if pause.cancelled_caught:
                pressed = keys.expire(monotonic())
            else:
                data = stdio.read(self._descriptor)
                if not data:
                    return
                self._take()  # another job may have had it meanwhile
                pressed = keys.feed(data, monotonic())
            for key in pressed:
                text = self._press_key(key) if isinstance(key, str) else None
                if text is not None:
                    self.entered(text)
                    yield text.encode("utf-8", "replace")
            self.show()

    def _press_key(self, key: str) -> str | None:
        """The text that is entered by this key, if any."""
        if key in ("ctrl c", "ctrl d") and not self.line.text:
            return _QUIT
        if key == "ctrl c":
            self.line.press_key("end", Known())
            key = "ctrl u"
        return self.line.press_key(key, self.known())

    # --- the terminal

    def _take(self) -> None:
        """Has it give each key at once, unless it is another job's."""
        if self._is_ours() and termios.tcgetattr(self._descriptor)[3] & termios.ICANON:
            raw = termios.tcgetattr(self._descriptor)
            raw[0] &= ~termios.ICRNL
            raw[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
            raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
            raw[6][termios.VINTR] = os.fpathconf(self._descriptor, "PC_VDISABLE").to_bytes(1, "big")
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, raw)
            stdio.write_soon(self._descriptor, _PASTES_ON, limits.PRINT_PATIENCE)

    def _give_back(self, last: bytes) -> None:
        with suppress(OSError, termios.error):  # it has hung up
            if self._is_ours():
                stdio.write_soon(self._descriptor, last + _PASTES_OFF, limits.PRINT_PATIENCE)
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._usual)

    def _is_ours(self) -> bool:
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # it is not the terminal of this session, which has no jobs then
            return True

    def _stop(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Z: the shell gets the terminal as it was."""
        self._give_back(_ERASE)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        sleep(_STOP)  # any thread may be the one that is stopped
        signal.signal(number, self._stop)
        self._go_on(number, None)

    def _go_on(self, _: int, __: FrameType | None) -> None:
        with suppress(OSError, termios.error):
            self._take()
        if self._token:
            self._token.run_sync_soon(self.redraw)  # a signal comes between any two steps of ours
