"""The messages of a room without anything around them, for the terminal to select, copy and open what is in them.

Each has a row with its time and author, drawn as no text of a peer's can be. What has ended is gone from here too.
"""

from anonp2p.ui import sanitize
from anonp2p.ui.screen.log_lines import ChatMessage, time_of_day
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.screen.term.terminal import Terminal
from anonp2p.ui.widths import width

_FOOT = " Any key goes back. "
_REVERSED, _PLAIN = "\x1b[7m", "\x1b[0m"


class BareView:
    """It stays until a key is pressed: what comes meanwhile is not shown, and nothing moves under the mouse."""

    def __init__(self, scene: Scene, terminal: Terminal) -> None:
        self._scene = scene
        self._terminal = terminal
        self._shown: list[ChatMessage] = []

    @property
    def is_open(self) -> bool:
        """Whether it is shown; not any more once the terminal was given to another program."""
        return self._terminal.is_page

    def open(self) -> None:
        """Shows the messages that are in sight, and those before them as far as they fit."""
        columns, height = self._terminal.get_cols_rows()
        free = height - 1
        self._shown = []
        for message in self._scene.active.sight.messages_upward():
            free -= _count_rows(message, columns)
            if self._shown and free < 0:
                break
            self._shown.insert(0, message)
        self._print()

    def close(self) -> None:
        """Goes back to the full screen."""
        self._shown = []
        self._terminal.end_page()

    def drop_ended(self) -> None:
        """Shows nothing any more of what has ended."""
        log = self._scene.active.log
        left = [message for message in self._shown if message.seq is not None and log.find_message(message.seq)]
        if self.is_open and len(left) < len(self._shown):
            self._shown = left
            self._print()

    def _print(self) -> None:
        looks = self._scene.active.looks
        lines = [line for it in self._shown for line in (_head(it, looks.mark(it.member)), *_lines(it))]
        self._terminal.print_page(lines, f"{_REVERSED}{_FOOT}{_PLAIN}")


def _head(message: ChatMessage, mark: str) -> str:
    to = " (private)" if message.private else ""
    return f"{_REVERSED} {time_of_day(message.at)} {sanitize.sanitize_line(message.nick)}{mark}{to} {_PLAIN}"


def _lines(message: ChatMessage) -> list[str]:
    return sanitize.sanitize_text(message.text).split("\n")


def _count_rows(message: ChatMessage, columns: int) -> int:
    return 1 + sum(max(1, -(-width(line) // columns)) for line in _lines(message))
