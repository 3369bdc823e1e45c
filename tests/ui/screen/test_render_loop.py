"""When the full screen is drawn."""

import pytest
import urwid

from anonp2p.ui.screen.render_loop import RenderLoop
from anonp2p.ui.screen.term.terminal import Terminal


class Slow:
    """A terminal that takes its time, and the frames that are drawn for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.busy = False
        self.frames = 0
        monkeypatch.setattr(Terminal, "busy", property(lambda _: self.busy))
        self.terminal = Terminal(idle=lambda: None, closed=lambda: None)
        self.loop = RenderLoop(urwid.SolidFill("x"), self.terminal, self._begin)
        self.loop.draw(lambda: None)  # the first one
        self.frames = 0

    def _begin(self) -> None:
        self.frames += 1


def test_a_key_that_was_pressed_while_a_frame_was_written_is_shown_as_soon_as_it_is_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow(monkeypatch)
    slow.busy = True
    slow.loop.request(at_once=True)
    slow.loop.draw(lambda: None)
    assert slow.frames == 0
    slow.busy = False
    slow.terminal.idle()
    assert slow.frames == 1
    slow.terminal.idle()
    assert slow.frames == 1


def test_what_else_is_new_waits_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(monkeypatch)
    slow.loop.request()
    slow.terminal.idle()
    assert slow.frames == 0
