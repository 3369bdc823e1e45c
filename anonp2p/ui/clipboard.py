"""The clipboard of the user's terminal: written to when the user asks for it, and emptied soon after."""

import base64
import os
from collections.abc import Callable
from typing import Final

import trio

from anonp2p import limits

_WARNING: Final = "Clipboard managers keep what they see there, and other programs can read it."
_IN_TMUX: Final = "tmux passes it on only with: set -g set-clipboard on; it keeps a copy: tmux list-buffers"


class Clipboard:
    """What we have put on the clipboard, by OSC 52 (xterm's "ctlseqs"). It is never read.

    write: to the terminal; None where it has no clipboard that we could reach.
    """

    def __init__(self, write: Callable[[str], None] | None) -> None:
        self._write = write
        self._copied = trio.Event()  # something has been, since `run` has looked
        self._holds = False
        self._has_warned = False

    def copy(self, text: str, what: str) -> str:
        """Puts a text on the clipboard. what: names it, for the sentence about it, which is returned."""
        if self._write is None:
            return "This terminal has no clipboard that a program could reach."
        self._write(_sequence(text))
        self._holds = True
        self._copied.set()
        said = f"{what} is on the clipboard for {limits.CLIPBOARD:.0f} seconds."
        if not self._has_warned:
            self._has_warned = True
            said += f" {_WARNING}"
        return f"{said} ({_IN_TMUX})" if _is_in_tmux() else said

    async def run(self) -> None:
        """Empties the clipboard when its time is over, or when cancelled."""
        try:
            while True:
                await self._copied.wait()
                self._copied = trio.Event()
                with trio.move_on_after(limits.CLIPBOARD) as pause:
                    await self._copied.wait()
                if pause.cancelled_caught:
                    self.empty()
        finally:
            self.empty()

    def empty(self) -> None:
        """Takes what was copied off the clipboard, unless that was done before.

        tmux ignores what is empty (3.3a), so that there a space takes its place, on the clipboard of its terminal too.
        """
        if self._holds and self._write:
            self._write(_sequence(" " if _is_in_tmux() else ""))
        self._holds = False


def _is_in_tmux() -> bool:
    return "TMUX" in os.environ


def _sequence(text: str) -> str:
    """The sequence that puts a text on the clipboard; an empty one empties it."""
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x1b\\"
