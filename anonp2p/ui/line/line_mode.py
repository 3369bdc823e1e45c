"""Line mode and JSON-lines mode: stdin in lines, stdout in lines, neither ever holding up the rooms."""

import os
import re
from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec
import trio
from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.errors import AnonError, BadCode, BadInput, Failed, InputFailed, OutputFailed, TooLong
from anonp2p.names import nicks
from anonp2p.room import events
from anonp2p.ui import sanitize, stdio, wording
from anonp2p.ui.commands import command, from_first_seen, parse, say
from anonp2p.ui.frontend import Closed, Rooms, Typed

_CLEAR = b"\x1b[2J\x1b[3J\x1b[H"
_WORDS_OF_OTHERS = (events.Message, events.Unsent, events.SelfKicked)  # the last has a host's reason in it
_DIGITS = 5  # of a number of columns
_encoder = msgspec.json.Encoder()


_Id = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | str


class _Object(msgspec.Struct, forbid_unknown_fields=True):
    """An input line that is a JSON object: a text or a command. Never shows what it holds."""

    id: _Id | UnsetType = UNSET
    room: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    command: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


_objects = msgspec.json.Decoder(_Object)
_ids: msgspec.json.Decoder[int | str] = msgspec.json.Decoder(_Id)
_MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Of JSON, well-formed or not: a string, perhaps without its end; a bracket, brace, colon or comma; anything else.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]:,]|[^\s"{}\[\]:,]+', re.DOTALL)


def understand(line: bytes, *, json: bool) -> Typed | None:
    """What a line of input stands for; None for an empty one. json: objects are understood too."""
    is_text = True
    try:
        text = line.decode().rstrip("\r")
    except UnicodeDecodeError:
        is_text, text = False, line.decode(errors="replace")
    seen = from_first_seen(text)
    is_object = json and seen.startswith("{")
    if len(line) > limits.INPUT_LINE or not is_text:
        error = TooLong() if len(line) > limits.INPUT_LINE else BadInput("That line is not UTF-8 text.")
        return Typed(error, _id_in(seen) if is_object else UNSET)
    if is_object:
        return _understand_object(seen)
    try:
        return Typed(parse(text)) if seen else None
    except TooLong as error:
        return Typed(error, unsent=text)
    except AnonError as error:
        return Typed(error)


def _understand_object(text: str) -> Typed:
    try:
        given = _objects.decode(text)
    except _MALFORMED:
        return Typed(
            BadInput('That is not a JSON object like {"id": 1, "text": "…"} or {"id": 1, "command": "/who"}.'),
            _id_in(text),
        )
    try:
        if isinstance(given.text, str) and given.command is UNSET and given.text.strip():
            return Typed(say(given.text, given.id), given.id, given.room)
        if isinstance(given.command, str) and given.text is UNSET:
            return Typed(command(from_first_seen(given.command).rstrip(), given.id), given.id, given.room)
        return Typed(BadInput('An object has either a "text" that is not empty or a "command".'), given.id, given.room)
    except TooLong as error:
        return Typed(error, given.id, given.room, given.command if given.text is UNSET else given.text)
    except AnonError as error:
        return Typed(error, given.id, given.room)


def _id_in(text: str) -> events.Re:
    """The id in something like an object, as far as it can be read: the last one, as of well-formed objects."""
    found: events.Re = UNSET
    depth, before = 0, ("", "")
    for token in _TOKEN.findall(text):
        if depth == 1 and before == ('"id"', ":"):
            try:
                found = _ids.decode(token)
            except _MALFORMED:
                found = UNSET
        depth += (token in ("{", "[")) - (token in ("}", "]"))
        before = before[1], token
    return found


async def read(descriptor: int = 0) -> AsyncGenerator[bytes, None]:
    """The lines on stdin, without their line breaks, until its end. One that is too long comes cut off, yet too long.

    Raises OSError. The reading is done in a thread, since stdin may be a file, and may be shared with whoever started
    us: it cannot be made non-blocking, nor made blocking. No call there takes a lock that could keep the interpreter
    from ending while it waits.
    """
    buffer = b""
    skipping = False  # the rest of a line that was too long
    ended = False
    while not ended:
        data = await trio.to_thread.run_sync(stdio.read, descriptor, abandon_on_cancel=True)
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
        self._rooms: dict[str, str] = {}  # by label: what their lines begin with; empty before they are entered
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
            self._put(sanitize.escaped(_encoder.encode(event).decode()).encode() + b"\n")
        else:
            room = self._place(event)
            if text := wording.line(event, room):
                folded = self._folded(event, text, wording.prefix(event, room))
                self._put(f"{self._fresh_row(event)}{folded}\n".encode())

    def _fresh_row(self, event: events.Event) -> str:
        """What brings a terminal's cursor to the first column of an empty row, below what is half typed.

        It goes before what others say: only that may hold what looks like the start of a line of ours. The echo of what
        is typed moves the cursor, by as much as nobody knows; the terminal would break what is printed there, and go on
        in its first column. A row of blanks takes the cursor just as far into the next row, and to the end of its own
        where it was in the first column: there terminals wait with breaking until more is printed.
        """
        is_needed = isinstance(event, _WORDS_OF_OTHERS) and os.isatty(self._descriptor)
        return " " * _columns(self._descriptor) + "\r" if is_needed else ""

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
            spans = [(0, len(line))] if fits else wrap(solid, columns - len(wording.INDENT))
            lines.append(f"\n{wording.INDENT}".join(line[start:end] for start, end in spans))
        return "\n".join(lines)

    def _place(self, event: events.Event) -> str:
        """The room that an event comes from, where there is more than one: its name, or its label.

        Its label until it is entered, and ever after if its name could then be taken for anything else: for another
        room's, a label, the program. So what a room's lines begin with means no other room while we are in it.
        """
        label = getattr(event, "room", UNSET)
        if label is UNSET:
            return ""
        place = self._rooms.setdefault(label, "")
        if isinstance(event, events.Entered) and not place:
            place = self._rooms[label] = label if self._is_ambiguous(event.name) else event.name
        several = len(self._rooms) > 1
        if isinstance(event, events.Gone):
            del self._rooms[label]
        return (place or label) if several else ""

    def _is_ambiguous(self, name: str) -> bool:
        """Whether a new room's name could be taken for something else."""
        looks = nicks.wide_looks(name)
        others = any(looks & nicks.wide_looks(place) for place in self._rooms.values())
        return others or nicks.is_like_label(name) or bool(nicks.reserved_word(name))

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
            subject = (await self._line() or b"").decode("utf-8", "replace").strip()
            if not subject:
                raise BadCode("there is none on the first line of stdin")
        return f"/{self._config.action} {subject}" if self._config.action else ""

    async def wanted(self) -> Typed | None:
        """As Front has it."""
        try:
            while (line := await self._line()) is not None:
                if given := understand(line, json=self._json):
                    return given
                del line  # while we wait for the next one, nothing of it is held here
        except InputFailed as error:
            self._closed(error)
        return None

    async def _line(self) -> bytes | None:
        """The next line; None at the end. Raises InputFailed."""
        try:
            return await anext(self._reader, None)
        except OSError as error:
            raise InputFailed(str(error.strerror)) from None


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
