"""Standard output in line mode and JSON-lines mode: printing never holds up the rooms."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import trio

from anonp2p import limits
from anonp2p.errors import AnonError, Failed, OutputFailed
from anonp2p.room import events
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.room.hosting_events import CodeEvent
from anonp2p.room.moderation_events import SelfKickedEvent
from anonp2p.ui import sanitize, stdio, wording
from anonp2p.ui.bell import notification
from anonp2p.ui.plain_events import spell_event

if TYPE_CHECKING:
    from anonp2p.ui.line.input_line import InputLine  # for terminals alone: it takes urwid, which starts a program

_ERASE_ROW = "\r\x1b[K"
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"
_WORDS_OF_OTHERS = (
    events.MessageEvent,
    OfferEvent,
    TransferEvent,
    events.UnsentEvent,
    SelfKickedEvent,
)  # the last has a host's reason in it
_encoder = msgspec.json.Encoder()


class Output:
    """Prints events, each at once. `print_event` never waits: a thread writes, as stdout may block at any time.

    closed: called when there is no reader any more, with the error to show, if any. line: the input line that stands
    below all that is printed, where there is one.
    """

    def __init__(self, closed: Callable[[AnonError | None], None], *, json: bool, descriptor: int = 1) -> None:
        self._closed = closed
        self._json = json
        self._descriptor = descriptor
        self._waiting: list[bytes] = []
        self._size = 0
        self._news = trio.Event()
        self._printed = trio.Event()
        self.line: InputLine | None = None
        self._shown = ("", 0)  # the input line as it is on the terminal

    def print_event(self, event: events.Event, room: str = "", quote: wording.Quote | None = None) -> None:
        """Prints the event, soon.

        room: what stands before its lines, where there is more than one room; quote: of the message that it refers to.
        """
        if self._json:
            self._put(sanitize.escape_json(_encoder.encode(spell_event(event)).decode()).encode() + b"\n")
        elif text := wording.format_line(event, room, quote):
            folded = self._folded(event, text, wording.line_prefix(event, room))
            self._put_above(f"{folded}\n" if self.line else f"{self._fresh_row(event)}{folded}\n")

    def print_typed(self, text: str) -> None:
        """Leaves what was entered above the input line."""
        if self.line:
            self._put_above(f"{self.line.prompt}{sanitize.sanitize_line(text)}\n")

    def show_line(self) -> None:
        """Draws the input line anew, or what was added to it."""
        if self.line is None:
            return
        before, before_at = self._shown
        row, at = self.line.draw(stdio.columns_of(self._descriptor))
        is_added = row.startswith(before) and before_at == len(before) and at == len(row)
        if row.isascii() and is_added:  # so that a screen reader says no more than that
            self._shown = row, at
            self._put(row[len(before) :].encode())
        elif (row, at) != self._shown:
            self.redraw_line()

    def redraw_line(self) -> None:
        """Draws the input line, whatever is on the terminal."""
        if self.line:
            self._put_above("")

    def _put_above(self, text: str) -> None:
        """Prints above the input line, if there is one."""
        if self.line is None:
            self._put(text.encode())
            return
        from anonp2p.ui.widths import width  # not sooner, as below

        row, at = self._shown = self.line.draw(stdio.columns_of(self._descriptor))
        to_cursor = f"\r\x1b[{at}C" if at < width(row) else ""
        self._put(f"{_ERASE_ROW}{text}{row}{to_cursor}".encode("utf-8", "replace"))

    def _fresh_row(self, event: events.Event) -> str:
        """What brings a terminal's cursor to the first column of an empty row, below what is half typed.

        It goes before what others say: only that may hold what looks like the start of a line of ours. The echo of what
        is typed moves the cursor, we do not know how far; the terminal would break what is printed there, and go on
        in its first column. A row of blanks takes the cursor just as far into the next row, and to the end of its own
        where it was in the first column: there terminals wait with breaking until more is printed.
        """
        is_needed = _has_words_of_others(event) and os.isatty(self._descriptor)
        return " " * stdio.columns_of(self._descriptor) + "\r" if is_needed else ""

    def _folded(self, event: events.Event, text: str, prefix: str) -> str:
        """The text as a terminal should show it: broken where it would break it, but for codes, which are copied.

        What a terminal breaks goes on in its first column, where only our own lines and nicks are to begin. What comes
        out of a pipe is read on a terminal too, in the end: what others say is broken there as well. The program's own
        sentences are left whole, for scripts.
        """
        is_terminal = os.isatty(self._descriptor)
        code = _code_in(event)
        if isinstance(event, events.ReplyEvent) and event.command == "/qr":
            return text
        if not (is_terminal or _has_words_of_others(event)):
            return text
        columns = stdio.columns_of(self._descriptor)
        if text.isascii() and len(text) <= columns:
            return text
        from anonp2p.ui.widths import width, wrap  # not sooner: most of what is printed does without

        lines = []
        for line in text.split("\n"):
            # What stands after a prefix begins beside it: no space in it is a place to break the line.
            solid = line.replace(prefix, prefix.replace(" ", "\u00a0"), 1) if line.startswith(prefix) else line
            fits = width(line) <= columns or bool(code and code in line)
            spans = [(0, len(line))] if fits else wrap(solid, columns - len(wording.INDENT))
            lines.append(f"\n{wording.INDENT}".join(line[start:end] for start, end in spans))
        return "\n".join(lines)

    def clear(self) -> None:
        """Empties the terminal, its scrollback included; a pipe is left alone."""
        self.steer(_CLEAR)
        self.redraw_line()

    def ring(self) -> None:
        """Rings the terminal's bell."""
        self.steer("\a")

    def notify(self) -> None:
        """Has the desktop tell the user that there is something new."""
        self.steer(notification())

    def steer(self, sequence: str) -> None:
        """Writes what steers a terminal, where there is one."""
        if not self._json and os.isatty(self._descriptor):
            self._put(sequence.encode())

    async def drained(self) -> None:
        """Returns once all events so far are printed."""
        while self._size:
            await self._printed.wait()

    async def run(self) -> None:
        """Prints, until cancelled or until there is no reader any more."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            data = b"".join(self._waiting)
            self._waiting.clear()
            try:
                await trio.to_thread.run_sync(stdio.write, self._descriptor, data, abandon_on_cancel=True)
            except OSError as error:
                self._closed(None if error.errno in stdio.CLOSED else OutputFailed(str(error.strerror)))
                return
            self._size -= len(data)
            del data  # while there is no news, nothing that was printed is held here
            self._printed.set()
            self._printed = trio.Event()

    def _put(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > limits.OUTPUT_QUEUE:
            self._closed(Failed("Nobody reads what we print, and there is no room to keep more of it."))
            return
        self._waiting.append(data)
        self._news.set()


def _has_words_of_others(event: events.Event) -> bool:
    """Whether the line has what somebody else wrote, other than nicks."""
    match event:
        case events.LeftEvent(why=why):
            return bool(why)
        case events.ReplyEvent(command=command):
            return command in ("/quiet", "/files")
    return isinstance(event, _WORDS_OF_OTHERS)


def _code_in(event: events.Event) -> str:
    """The room's code that the line has, which is copied and must stay in one piece; empty if there is none."""
    match event:
        case events.EnteredEvent(role="host", code=code) | CodeEvent(code=code):
            return code
        case events.ReplyEvent(command="/code" | "/invite", data={"code": str(code)}):
            return code
    return ""
