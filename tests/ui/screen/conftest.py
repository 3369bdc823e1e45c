"""For all tests of the full screen."""

import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from anonp2p.ui.screen.term.terminal import Terminal


@pytest.fixture(autouse=True)
def pipes_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes what urwid closes when a screen is collected.

    Where the collector comes to the pipe of a screen before the screen, the pipe warns, which fails any later test.
    """
    made: weakref.WeakSet[Terminal] = weakref.WeakSet()
    initialize = Terminal.__init__

    def note_terminal(self: Terminal, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **named)
        made.add(self)

    monkeypatch.setattr(Terminal, "__init__", note_terminal)
    yield
    for terminal in made:
        terminal.__del__()
