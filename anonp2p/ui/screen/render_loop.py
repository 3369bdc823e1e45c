"""When the full screen is drawn: at most so often a second, at once after a key, never while the terminal is behind."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import trio
import urwid

from anonp2p import limits
from anonp2p.ui.screen.palette import fit_palette
from anonp2p.ui.screen.term.terminal import Terminal


class RequestFrame(Protocol):
    """`RenderLoop.request`."""

    def __call__(self, *, at_once: bool = False) -> None:
        """Asks for a frame, soon. at_once: as a key was pressed."""


class RenderLoop:
    """Has the view drawn on a terminal that has been started. begins: called before each frame."""

    def __init__(self, view: urwid.Widget, terminal: Terminal, begins: Callable[[], None]) -> None:
        self.hung_up = trio.Event()  # the terminal is gone
        self._terminal = terminal
        self._begins = begins
        self._wanted = True  # something has changed
        self._due = True  # it is time for another frame
        self._changed = trio.Event()
        self._drawn = trio.Event()
        self._events = urwid.TrioEventLoop()
        self._loop = _Loop(self, view, terminal, self._events)
        terminal.idle, terminal.closed = self._go_on, self._hang_up
        if terminal.is_closed:
            self.hung_up.set()

    async def run(self) -> None:
        """Draws, and takes in keys, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._terminal.run)
            nursery.start_soon(self._draw_frames)
            with self._loop.start():
                await self._events.run_async()

    def request(self, *, at_once: bool = False) -> None:
        """Something has changed that may be in sight. at_once: as a key was pressed."""
        self._wanted = True
        self._due = self._due or at_once
        self._changed.set()

    async def drained(self) -> None:
        """Returns once everything that has changed is on the terminal."""
        while (self._wanted or self._terminal.busy) and not self.hung_up.is_set():
            await self._drawn.wait()

    def draw(self, draw: Callable[[], None]) -> None:
        """Draws if a frame is wanted and due, the last one is written, and the terminal is ours."""
        if self._wanted and self._due and not self._terminal.busy and not self._terminal.is_away:
            self._wanted = self._due = False
            self._begins()
            draw()
            if not self._terminal.busy:  # perhaps nothing had to be written
                self._wake()

    def _go_on(self) -> None:
        """All that was drawn is out: a key pressed meanwhile is shown now, and not only with the next frame."""
        self._wake()
        if self._due:
            self._loop.draw_screen()

    def _wake(self) -> None:
        self._drawn.set()
        self._drawn = trio.Event()

    def _hang_up(self) -> None:
        self.hung_up.set()
        self._wake()

    async def _draw_frames(self) -> None:
        """Draws a frame when there is something new, then none for a moment.

        urwid would draw when there is nothing else to do: not for seconds, while many messages come.
        """
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            self._due = True
            self._loop.draw_screen()
            await trio.sleep(limits.FRAME_INTERVAL)


class _Loop(urwid.MainLoop):
    """urwid's loop, drawing when it should."""

    def __init__(
        self, render_loop: RenderLoop, view: urwid.Widget, terminal: Terminal, events: urwid.TrioEventLoop
    ) -> None:
        super().__init__(view, fit_palette(terminal.colors), terminal, event_loop=events)
        self._render_loop = render_loop

    def process_input(self, keys: Iterable[Any]) -> bool:
        """Takes keys, and has what is typed shown at once, whatever else there is to do."""
        keys = list(keys)
        handled = super().process_input(keys)
        if "window resize" in keys:  # urwid asks for the size only after this
            self._render_loop.request(at_once=True)
        else:
            self.draw_screen()
        return handled

    def draw_screen(self) -> None:
        """Draws the screen if it looks different, and the terminal has taken the last frame."""
        self._render_loop.draw(super().draw_screen)
