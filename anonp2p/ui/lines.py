"""Line mode and JSON-lines mode: stdin in lines, stdout in lines, neither ever holding up the rooms."""

import errno
import os
from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec
import trio
from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.core import events
from anonp2p.errors import AnonError, BadCode, BadInput, Failed
from anonp2p.ui import safety, view
from anonp2p.ui.commands import command, parse, say
from anonp2p.ui.front import Closed, Rooms, Typed

_CLOSED = (errno.EPIPE, errno.EIO, errno.EBADF)  # nobody reads any more: a closed pipe, a terminal hung up, no stdout
_CLEAR = b"\x1b[2J\x1b[3J\x1b[H"
_WORDS_OF_OTHERS = (events.Message, events.Unsent, events.Notice)  # a notice may have a host's reason in it
_DIGITS = 5  # of a number of columns
_encoder = msgspec.json.Encoder()


class _Identified(msgspec.Struct):
    """An input line that is a JSON object, whatever else it is. Never shows what it holds."""

    id: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class _Object(_Identified, forbid_unknown_fields=True):
    """One that is as it should be: a text or a command."""

    room: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    command: str | UnsetType = UNSET


_objects = msgspec.json.Decoder(_Object)
_identified = msgspec.json.Decoder(_Identified)
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def understand(line: bytes, *, json: bool) -> Typed | None:
    """What a line of input stands for; None for an empty one. json: objects are understood too."""
    if len(line) > limits.INPUT_LINE:
        return Typed(BadInput(f"That line is longer than {limits.INPUT_LINE} bytes."))
    if json and line.lstrip().startswith(b"{"):
        return _understand_object(line)
    try:
        text = line.decode().rstrip("\r")
        return Typed(parse(text)) if text.strip() else None
    except UnicodeDecodeError:
        return Typed(BadInput("That line is not UTF-8 text."))
    except AnonError as error:
        return Typed(error)


def _understand_object(line: bytes) -> Typed:
    try:
        given = _objects.decode(line)
    except _MALFORMED:
        malformed = BadInput('That is no object like {"id": 1, "text": "…"} or {"id": 1, "command": "/who"}.')
        try:
            return Typed(malformed, _identified.decode(line).id)
        except _MALFORMED:
            return Typed(malformed)
    try:
        if isinstance(given.text, str) and given.command is UNSET and given.text.strip():
            return Typed(say(given.text, given.id), given.id, given.room)
        if isinstance(given.command, str) and given.text is UNSET:
            return Typed(command(given.command.strip(), given.id), given.id, given.room)
        return Typed(BadInput('An object has either a "text" that is not empty or a "command".'), given.id, given.room)
    except AnonError as error:
        return Typed(error, given.id, given.room)


async def read(descriptor: int = 0) -> AsyncGenerator[bytes, None]:
    """The lines on stdin, without their line breaks, until its end. One that is too long comes cut off, yet too long.

    The reading is done in a thread, since stdin may be a file, and may be shared with whoever started us: it cannot be
    made non-blocking. os.read takes no lock that could keep the interpreter from ending while it waits.
    """
    buffer = b""
    skipping = False  # the rest of a line that was too long
    ended = False
    while not ended:
        try:
            data = await trio.to_thread.run_sync(os.read, descriptor, limits.READ, abandon_on_cancel=True)
        except OSError:  # no stdin, or a terminal that hung up
            data = b""
        ended = not data
        *lines, buffer = (buffer + data).split(b"\n")
        del data  # while we wait for more, nothing of what was read is held here
        is_cut = bool(buffer) and (ended or len(buffer) > limits.INPUT_LINE)
        if is_cut:
            lines.append(buffer)
            buffer = b""
        while lines:
            if skipping:
                del lines[0]
            else:
                yield lines.pop(0)
            skipping = is_cut and not lines


class Output:
    """Prints events, each at once. `tell` never waits: a thread does the writing, as stdout may block at any time."""

    def __init__(self, *, json: bool, descriptor: int = 1) -> None:
        self._json = json
        self._descriptor = descriptor
        self._rooms: dict[str, str] = {}  # names by label
        self._waiting: list[bytes] = []
        self._size = 0
        self._news = trio.Event()
        self._printed = trio.Event()

    def attach(self, closed: Closed, _: Rooms) -> None:
        """As Front has it."""
        self._closed = closed

    def open(self, room: str) -> None:
        """As Front has it."""

    def tell(self, event: events.Event) -> None:
        """Prints the event, soon."""
        if self._json:
            self._put(safety.escaped(_encoder.encode(event).decode()).encode() + b"\n")
        else:
            room = self._place(event)
            if text := view.line(event, room):
                self._put(self._folded(event, text, view.prefix(event, room)).encode() + b"\n")

    def _folded(self, event: events.Event, text: str, prefix: str) -> str:
        """The text as a terminal should show it: broken where it would break it, but for codes, which are copied.

        What a terminal breaks goes on in its first column, where only our own lines and nicks are to begin. What comes
        out of a pipe is read on a terminal too, in the end: what others say is broken there as well. The program's own
        sentences are left whole, for scripts.
        """
        is_terminal = os.isatty(self._descriptor)
        if _has_code(event) or not (is_terminal or isinstance(event, _WORDS_OF_OTHERS)):
            return text
        columns = _columns(self._descriptor)
        if text.isascii() and len(text) <= columns:
            return text
        from anonp2p.ui.widths import width, wrap  # not sooner: most of what is printed does without

        lines = []
        for line in text.split("\n"):
            # What stands after a prefix begins beside it: no space in it is a place to break the line.
            solid = line.replace(prefix, prefix.replace(" ", "\u00a0"), 1) if line.startswith(prefix) else line
            fits = width(line) <= columns
            spans = [(0, len(line))] if fits else wrap(solid, columns - len(view.INDENT))
            lines.append(f"\n{view.INDENT}".join(line[start:end] for start, end in spans))
        return "\n".join(lines)

    def _place(self, event: events.Event) -> str:
        """The name of the room that an event comes from, where there is more than one; its label while it has none."""
        label = getattr(event, "room", UNSET)
        if label is UNSET:
            return ""
        if isinstance(event, events.Entered):
            self._rooms[label] = event.name
        name = self._rooms.setdefault(label, label)
        several = len(self._rooms) > 1
        if isinstance(event, events.Gone):
            del self._rooms[label]
        if not several:
            return ""
        return label if list(self._rooms.values()).count(name) > 1 else name

    def clear(self) -> None:
        """Empties the terminal, its scrollback included; a pipe is left alone."""
        if not self._json and os.isatty(self._descriptor):
            self._put(_CLEAR)

    async def drained(self) -> None:
        """Returns once everything told so far is printed."""
        while self._size:
            await self._printed.wait()

    async def run(self) -> None:
        """Does the printing, until cancelled or until nobody reads."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            data = b"".join(self._waiting)
            self._waiting.clear()
            try:
                await trio.to_thread.run_sync(_write, self._descriptor, data, abandon_on_cancel=True)
            except OSError as error:
                self._closed(
                    None if error.errno in _CLOSED else Failed(f"Our output cannot be written: {error.strerror}.")
                )
                return
            self._size -= len(data)
            del data  # while there is no news, nothing that was printed is held here
            self._printed.set()
            self._printed = trio.Event()

    def _put(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > limits.OUTPUT:
            self._closed(Failed("Nobody reads what we print, and there is no room to keep more of it."))
            return
        self._waiting.append(data)
        self._news.set()


class Lines(Output):
    """The front for people on plain terminals, and for programs."""

    must_succeed = True

    def __init__(self, config: Config) -> None:
        super().__init__(json=config.mode == "json")
        self._config = config
        self._reader = read()

    async def wish(self) -> str:
        """As Front has it. A code of `-` is on the first line of stdin."""
        subject = self._config.subject
        if subject == "-":
            subject = (await anext(self._reader, b"")).decode("utf-8", "replace").strip()
            if not subject:
                raise BadCode("there is none on the first line of stdin")
        return f"/{self._config.action} {subject}" if self._config.action else ""

    async def wanted(self) -> Typed | None:
        """As Front has it."""
        async for line in self._reader:
            if given := understand(line, json=self._json):
                return given
            del line  # while we wait for the next one, nothing of it is held here
        return None


def _has_code(event: events.Event) -> bool:
    """Whether the line has a room's code, which is copied and must stay in one piece."""
    match event:
        case events.Entered(role="host") | events.Reply(command="/code" | "/qr"):
            return True
    return False


def _columns(descriptor: int) -> int:
    """Of the terminal that this is, or that what is written there may be read on."""
    try:
        columns = os.get_terminal_size(descriptor).columns
    except OSError:
        given = os.environ.get("COLUMNS", "")
        columns = int(given) if given.isdecimal() and len(given) < _DIGITS else 0
    return columns or limits.PIPED_LINE


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
