"""stdin in lines, stdout in lines: cut anywhere, too long, closed, full or never read."""

import fcntl
import json
import os
import select
import socket
import struct
import termios
import threading
import time
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.cli import configure
from anonp2p.errors import AnonError, BadInput, Failed, OutputFailed, TooLong
from anonp2p.room import events, inputs
from anonp2p.room.events import Person
from anonp2p.ui import stdio, wording
from anonp2p.ui.commands import Quit
from anonp2p.ui.frontend import Typed
from anonp2p.ui.line import line_mode
from anonp2p.ui.line.line_mode import Output, understand
from anonp2p.ui.widths import width

JSON = pytest.mark.parametrize("mode", [False, True], ids=["line", "json"])


def understood(line: str | bytes, *, mode: bool = True) -> Typed:
    typed = understand(line if isinstance(line, bytes) else line.encode(), json=mode)
    assert typed is not None
    return typed


def error_of(typed: Typed) -> AnonError:
    assert isinstance(typed.action, AnonError)
    return typed.action


# --- understanding a line


@JSON
@pytest.mark.parametrize("line", [b"", b" ", b"\t ", b"\r", "\u3000".encode()])
def test_an_empty_line_stands_for_nothing(line: bytes, mode: bool) -> None:
    assert understand(line, json=mode) is None


@JSON
def test_a_line_is_a_message_or_a_command(mode: bool) -> None:
    assert understood("hello", mode=mode) == Typed(inputs.Say("hello"))
    assert understood("/quit\r", mode=mode) == Typed(Quit())
    assert understood("//quit", mode=mode) == Typed(inputs.Say("/quit"))
    assert error_of(understood("/nope", mode=mode)).code == "unknown-command"


@JSON
@pytest.mark.parametrize("line", [b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"/nick \xc3"])
def test_a_line_that_is_not_utf8_is_bad_input(line: bytes, mode: bool) -> None:
    assert isinstance(error_of(understood(line, mode=mode)), BadInput)


@JSON
@pytest.mark.parametrize("opening", [b"", b"/me ", b"{"])
def test_a_line_that_is_too_long_to_be_read_is_told_the_limit_of_messages(opening: bytes, mode: bool) -> None:
    for end in (b"", b"\xc3"):  # it may have been cut within a character
        line = opening.ljust(limits.INPUT_LINE + 1, b"x") + end
        typed = understood(line, mode=mode)
        assert isinstance(error_of(typed), TooLong)
        assert typed.unsent is UNSET, "that is not all of it"


def test_all_that_is_too_long_is_told_one_limit() -> None:
    assert f"{limits.TEXT:,}" in str(TooLong())


@JSON
@pytest.mark.parametrize("opening", ["", "/me ", "/msg bob "])
def test_a_text_that_is_too_long_is_to_be_given_back(opening: str, mode: bool) -> None:
    line = opening + "x" * (limits.TEXT + 1)
    typed = understood(line, mode=mode)
    assert isinstance(error_of(typed), TooLong)
    assert typed.unsent == line
    key = "command" if opening else "text"
    typed = understood(json.dumps({"id": 7, "room": "r1", key: line}))
    assert isinstance(error_of(typed), TooLong)
    assert (typed.unsent, typed.re, typed.room) == (line, 7, "r1")


def test_an_object_is_a_message_in_line_mode() -> None:
    assert understood('{"text": "hello"}', mode=False) == Typed(inputs.Say('{"text": "hello"}'))


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ('{"text": "hello"}', Typed(inputs.Say("hello"))),
        ('  {"text": "hello"}  ', Typed(inputs.Say("hello"))),
        ('{"id": 7, "text": "hello"}', Typed(inputs.Say("hello", re=7), 7)),
        ('{"id": "a", "room": "r2", "text": "hello"}', Typed(inputs.Say("hello", re="a"), "a", "r2")),
        ('{"id": 0, "command": "/quit"}', Typed(Quit(0), 0)),
        ('{"id": 7, "room": "r1", "command": " /me waves "}', Typed(inputs.Say("waves", action=True, re=7), 7, "r1")),
        ('{"text": "/quit"}', Typed(inputs.Say("/quit"))),
        ('{"text": "//quit"}', Typed(inputs.Say("//quit"))),
        ('{"text": "two\\nlines"}', Typed(inputs.Say("two\nlines"))),
        ('{"text": " spaced "}', Typed(inputs.Say(" spaced "))),
        ('{"id": -9007199254740992, "text": "x"}', Typed(inputs.Say("x", re=-(2**53)), -(2**53))),
    ],
)
def test_an_object_is_a_message_or_a_command(line: str, typed: Typed) -> None:
    assert understood(line) == typed


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "{}",
        "{]",
        '{"text": "a"} {"text": "b"}',
        '{"text": "a"}, ',
        '{"text": "a',
        "{'text': 'a'}",
        '{"text": "a" /* comment */}',
        '{"text": null}',
        '{"text": ["a"]}',
        '{"text": "\\ud800"}',
        '{"text": "\\x41"}',
        '{"text": "a", "text": 5}',
        '{"id": null, "text": "a"}',
        '{"id": true, "text": "a"}',
        '{"id": 1.5, "text": "a"}',
        '{"id": [1], "text": "a"}',
        '{"id": 9007199254740993, "text": "a"}',
        '{"id": 1e999, "text": "a"}',
        '{"id": ' + "9" * 5_000 + ', "text": "a"}',
        '{"id": NaN, "text": "a"}',
        '{"room": 1, "text": "a"}',
        '{"command": 5}',
        '{"text": "a", "colour": "red"}',
        "{" * 60_000,
        '{"text": ' + "[" * 60_000,
        '{"a":' * 10_000,
    ],
    ids=lambda line: line[:32],
)
def test_a_malformed_object_is_bad_input(line: str) -> None:
    assert isinstance(error_of(understood(line)), BadInput)


def test_an_object_that_is_not_utf8_is_bad_input() -> None:
    assert isinstance(error_of(understood(b'{"text": "caf\xe9"}')), BadInput)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"id": 7}', "bad-input"),
        ('{"id": 7, "text": ""}', "bad-input"),
        ('{"id": 7, "text": " \\n "}', "bad-input"),
        ('{"id": 7, "text": "a", "command": "/who"}', "bad-input"),
        ('{"id": 7, "command": ""}', "usage"),
        ('{"id": 7, "command": "who"}', "usage"),
        ('{"id": 7, "command": "/nick"}', "usage"),
        ('{"id": 7, "command": "/nope"}', "unknown-command"),
        ('{"id": 7, "command": "/who\\nhello"}', "unknown-command"),
        ('{"id": 7, "command": "/nick [SYSTEM]"}', "bad-nick"),
        ('{"id": 7, "text": "' + "x" * (limits.TEXT + 1) + '"}', "too-long"),
    ],
    ids=lambda value: value[:40],
)
def test_an_error_in_an_object_carries_its_id(line: str, code: str) -> None:
    typed = understood(line)
    assert error_of(typed).code == code
    assert typed.re == 7


BROKEN = [
    '"text": 5',
    '"txt": "a"',
    '"room": 1, "text": "a"',
    '"text": null',
    '"text": "\\ud800"',
    '"text": "\\udc00\\ud800"',
    '"room": "\\ud800", "text": "a"',
    '"command": "/nick \\ud800"',
    '"text": "\\x41"',
    '"text": "a\tb"',
    '"text": NaN',
    '"text": {"id": 8, "a": ["id", {"id": 9}]}',
    '"text": ' + "[" * 5_000 + "]" * 5_000,
    '"text": "a", "text": 5',
    '"text": "a", "colour": "red"',
    '"text": "say \\"id\\": 8", "a": 0',
    '"text": a',
    '"text" "a"',
    '"text": 1' + "0" * 5_000,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken[:32])
@pytest.mark.parametrize("ident", [7, "a:{", -1], ids=str)
def test_an_error_in_an_objects_other_keys_carries_its_id(broken: str, ident: int | str) -> None:
    written = json.dumps(ident)
    for line in (f'{{"id": {written}, {broken}}}', f'{{{broken}, "id": {written}}}', f' {{ "id" :{written} , {broken}'):
        typed = understood(line)
        assert error_of(typed).code == "bad-input"
        assert typed.re == ident


def test_an_id_is_found_in_what_is_no_utf8_or_ends_too_soon_or_never() -> None:
    for line in (b'{"id": 7, "text": "caf\xe9"}', b'{"id": 7, "text": "a', b'{"id": 7', b'{"id": 7, "text": "a\\'):
        typed = understood(line)
        assert error_of(typed).code == "bad-input"
        assert typed.re == 7
    typed = understood(b'{"id": 7, "text": "' + b"x" * limits.INPUT_LINE)
    assert isinstance(error_of(typed), TooLong)
    assert typed.re == 7


@pytest.mark.parametrize(
    "line",
    [
        *('{"id": true, "text": 5}', '{"id": [7], "text": 5}', '{"id": 9007199254740993}', '{"id": "\\ud800"}'),
        *('{"text": "\\"id\\": 7", "a": 5}', '{"a": {"id": 7}}', '{"a": "id", "b": 7}', '[{"id": 7}]', '{"id"', "{"),
    ],
)
def test_what_is_no_id_is_none(line: str) -> None:
    typed = understood(line)
    assert typed.re is UNSET


@pytest.mark.parametrize(
    "line", ['\\"' * 30_000, '"' * 60_000, "\\" * 60_000, '{"id":' * 10_000], ids=lambda line: line[:6]
)
def test_looking_for_an_id_takes_no_longer_than_reading(line: str) -> None:
    begun = time.process_time()
    understood('{"a' + line)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("before", ["\ufeff", "\u200b", "\u00a0", "\ufeff \u2060"], ids=ascii)
def test_an_object_behind_what_one_does_not_see_is_one(before: str) -> None:
    assert understood(before + '{"id": 7, "text": "hello"}') == Typed(inputs.Say("hello", re=7), 7)
    assert understood(before + '{"id": 7, "command": "\ufeff /who"}') == Typed(inputs.Ask("/who", 7), 7)
    assert understood('{"id": 7, "text": "\ufeff/who"}') == Typed(inputs.Say("\ufeff/who", re=7), 7)


@JSON
@pytest.mark.parametrize("text", ["\U0001facf", "\ue000", "\u0378", ".", "\u05d0"], ids=ascii)
def test_a_line_of_one_character_that_may_be_seen_is_a_message(text: str, mode: bool) -> None:
    assert understood(text, mode=mode) == Typed(inputs.Say(text))


@JSON
def test_a_line_of_which_one_sees_nothing_is_an_empty_one(mode: bool) -> None:
    assert understand("\ufeff\u200b \u2060".encode(), json=mode) is None


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: ("{" + text).encode(errors="replace")))
def test_nothing_that_is_typed_raises(line: bytes) -> None:
    for mode in (False, True):
        understand(line, json=mode)


@given(st.integers(-(2**53), 2**53) | st.text(max_size=9), st.text(min_size=1, max_size=20))
def test_any_id_and_text_come_through(ident: int | str, text: str) -> None:
    typed = understood(json.dumps({"id": ident, "text": text}))
    assert typed.re == ident
    assert typed.action == inputs.Say(text, re=ident) if text.strip() else isinstance(typed.action, BadInput)


def test_what_was_typed_is_not_shown_by_repr() -> None:
    assert "secret" not in repr(understood('{"text": "secret"}'))
    assert "secret" not in repr(understood("secret" * limits.TEXT)), "what is given back is in it as it was typed"


# --- reading


async def lines_read(pieces: list[bytes]) -> list[bytes]:
    """What `read` makes of these pieces, written one after the other into a pipe."""
    ours, theirs = os.pipe()

    async def write() -> None:
        with FileIO(theirs, "w") as writer:
            for piece in pieces:
                await trio.to_thread.run_sync(writer.write, piece)

    with FileIO(ours, "r") as reader:
        async with trio.open_nursery() as nursery, aclosing(line_mode.read(reader.fileno())) as reading:
            nursery.start_soon(write)
            read = [line async for line in reading]
    return read


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted(place % (len(data) + 1) for place in places)
    return [piece for start, end in zip([0, *ends], [*ends, len(data)], strict=True) if (piece := data[start:end])]


@given(
    st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=5),
    st.booleans(),
    st.lists(st.integers(0, 120), max_size=5),
)
def test_lines_come_whole_wherever_they_are_cut(written: list[bytes], ended: bool, places: list[int]) -> None:
    data = b"\n".join(written) + b"\n" * (ended and bool(written))
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert trio.run(lines_read, cut(data, places)) == expected


@pytest.mark.trio
async def test_the_last_line_needs_no_line_break() -> None:
    assert await lines_read([b"one\ntw", b"o"]) == [b"one", b"two"]


@pytest.mark.trio
@pytest.mark.parametrize("longer", [1, limits.READ, 5 * limits.READ])
async def test_a_line_too_long_is_told_once_and_the_rest_of_it_skipped(longer: int) -> None:
    too_long = b"x" * (limits.INPUT_LINE + longer)
    before, told, after = await lines_read([b"before\n" + too_long, b"xxx\nafter\n"])
    assert (before, after) == (b"before", b"after")
    assert isinstance(error_of(understood(told)), TooLong)
    assert len(told) <= limits.INPUT_LINE + limits.READ


@pytest.mark.trio
async def test_a_line_too_long_at_the_end_is_told_once() -> None:
    [told] = await lines_read([b"x" * (limits.INPUT_LINE + 3 * limits.READ)])
    assert isinstance(error_of(understood(told)), TooLong)


@pytest.mark.trio
async def test_the_longest_line_is_read_whole() -> None:
    longest = b"x" * limits.INPUT_LINE
    assert await lines_read([longest + b"\n", longest]) == [longest, longest]


@pytest.mark.trio
async def test_no_stdin_is_an_empty_one(tmp_path: Path) -> None:
    for flags in (os.O_WRONLY, os.O_PATH):  # as nohup leaves it; as we leave one that was closed
        descriptor = os.open(os.devnull, flags)
        try:
            assert [line async for line in line_mode.read(descriptor)] == []
        finally:
            os.close(descriptor)


@pytest.mark.trio
async def test_a_stdin_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    front = line_mode.Lines(configure(["--line"], {}))
    front._reader = line_mode.read(descriptor)
    ends: list[AnonError | None] = []
    front.attach(ends.append, lambda _: None)
    try:
        assert await front.wanted() is None
    finally:
        os.close(descriptor)
    [error] = ends
    assert (str(error), error and error.status) == ("The input of this program cannot be read: Is a directory.", 1)


@dataclass
class Shared:
    """A stdin or stdout of several programs, of which each may make it non-blocking for all."""

    name: str
    ours: int
    theirs: int

    def set_blocking(self, *, blocking: bool) -> None:
        """Another program sets or unsets O_NONBLOCK."""
        os.set_blocking(self.ours, blocking)


@pytest.fixture(params=["pipe", "socket", "terminal"])
def shared(request: pytest.FixtureRequest) -> Iterator[Shared]:
    """A non-blocking descriptor, and the one at its other end, both to read from and to write to but for a pipe."""
    if request.param == "pipe":
        theirs, ours = os.pipe() if "print" in request.node.name else os.pipe()[::-1]
    elif request.param == "socket":
        ours, theirs = (end.detach() for end in socket.socketpair())
    else:
        theirs, ours = os.openpty()
        tty.setraw(ours)
    os.set_blocking(ours, False)
    yield Shared(request.param, ours, theirs)
    for descriptor in (ours, theirs):
        with suppress(OSError):
            os.close(descriptor)


@pytest.mark.trio
async def test_lines_are_read_from_a_descriptor_that_is_non_blocking_at_times(shared: Shared) -> None:
    async with aclosing(line_mode.read(shared.ours)) as reading:
        for blocking in (False, True, False):
            shared.set_blocking(blocking=blocking)
            async with trio.open_nursery() as nursery:
                read: list[bytes] = []

                async def read_line(into: list[bytes]) -> None:
                    into.append(await anext(reading))

                nursery.start_soon(read_line, read)
                await trio.testing.wait_all_tasks_blocked()
                os.write(shared.theirs, b"one\n")
            assert read == [b"one"]
        shared.set_blocking(blocking=False)
        os.close(shared.theirs)
        assert await anext(reading, None) is None


@pytest.mark.trio
async def test_all_is_printed_to_a_slow_reader_of_a_descriptor_that_is_non_blocking_at_times(shared: Shared) -> None:
    much = events.Notice(text="x" * 10_000)
    whole = msgspec.json.encode(much) + b"\n"
    got = bytearray()

    def read_slowly() -> None:
        while len(got) < 50 * len(whole) and select.select([shared.theirs], [], [], 10)[0]:
            got.extend(os.read(shared.theirs, 4_000))
            shared.set_blocking(blocking=len(got) % 3 == 0)

    async with printing(shared.ours, json=True) as printer:
        for _ in range(50):
            printer.output.tell(much)
        await trio.testing.wait_all_tasks_blocked()
        await trio.to_thread.run_sync(read_slowly)
        assert printer.ends == []
    assert bytes(got) == whole * 50


@pytest.mark.trio
async def test_a_non_blocking_descriptor_that_is_closed_while_we_wait_to_print_is_a_quiet_end(shared: Shared) -> None:
    async with printing(shared.ours) as printer:
        for _ in range(50):
            printer.output.tell(events.Notice(text="x" * 10_000))
        await trio.testing.wait_all_tasks_blocked()
        os.close(shared.theirs)
        with trio.fail_after(10):
            await printer.finished.wait()
    assert printer.ends == [None]


# --- printing

NOTICES = [events.Notice(text=f"notice {number}") for number in range(200)]


@dataclass
class Pipe:
    """Somebody's stdin and our stdout."""

    reader: FileIO
    writer: FileIO

    def read(self) -> bytes:
        """What is in the pipe; waits for something."""
        return self.reader.read(limits.READ)


class Printer:
    """An Output at work, and what it said of the end of stdout."""

    def __init__(self, descriptor: int, *, json: bool = False) -> None:
        self.ends: list[AnonError | None] = []
        self.finished = trio.Event()
        self.output = Output(json=json, descriptor=descriptor)
        self.output.attach(self.ends.append, lambda _: None)

    async def run(self) -> None:
        """Prints until nobody reads."""
        await self.output.run()
        self.finished.set()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe to print into."""
    ours, theirs = os.pipe()
    with FileIO(theirs, "w") as writer, FileIO(ours, "r") as reader:
        yield Pipe(reader, writer)


@asynccontextmanager
async def printing(descriptor: int, *, json: bool = False) -> AsyncIterator[Printer]:
    """An Output that prints there."""
    printer = Printer(descriptor, json=json)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(printer.run)
        yield printer
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_events_are_printed_in_their_order(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno()) as printer:
        for notice in NOTICES:
            printer.output.tell(notice)
        await printer.output.drained()
    assert pipe.read().decode().splitlines() == [f"[SYSTEM] {notice.text}" for notice in NOTICES]
    assert printer.ends == []


@pytest.mark.trio
async def test_an_event_is_printed_at_once(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno(), json=True) as printer:
        for notice in NOTICES[:3]:
            printer.output.tell(notice)
            line = await trio.to_thread.run_sync(pipe.read)
            assert json.loads(line) == {"type": "notice", "text": notice.text}
            assert line.endswith(b"\n")


@pytest.mark.trio
async def test_json_is_printed_without_what_could_harm_a_terminal(pipe: Pipe) -> None:
    text = "a\x1b[2J\u202e\u2028\nb"
    async with printing(pipe.writer.fileno(), json=True) as printer:
        printer.output.tell(events.Notice(text=text))
        await printer.output.drained()
    line = pipe.read().decode()
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line)["text"] == text


@pytest.mark.trio
async def test_an_event_that_is_worth_no_line_prints_none(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno()) as printer:
        printer.output.tell(events.Link(room="r1", state="up", attempt=1, detail=""))
        printer.output.tell(NOTICES[0])
        await printer.output.drained()
    assert pipe.read() == b"[SYSTEM] notice 0\n"


def said(text: str) -> events.Message:
    """Somebody's message."""
    return events.Message(room="r1", member="m", nick="ann", text=text, seq=1, at=0.0)


async def printed(descriptor: int, pipe: Pipe, *told: events.Event, json: bool = False) -> list[str]:
    """The lines that these events are printed in."""
    async with printing(descriptor, json=json) as printer:
        for event in told:
            printer.output.tell(event)
        await printer.output.drained()
    return pipe.read().decode().splitlines()


@pytest.mark.trio
@pytest.mark.parametrize(("columns", "wide"), [("", 80), ("40", 40), ("0", 80), ("x", 80), ("999999", 80)])
async def test_what_others_say_is_folded_on_a_pipe_for_the_terminal_that_it_is_read_on(
    columns: str, wide: int, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = "x" * 75 + "[SYSTEM] The room was closed by its host " + "\u2764\ufe0f" * 37 + "[SYSTEM] x"
    reason = events.SelfKicked(room="r1", why=text)
    first, *further = await printed(pipe.writer.fileno(), pipe, said(text))
    assert first.startswith("ann: ")
    assert further
    assert all(line.startswith("    ") for line in further)
    assert all(width(line) <= wide for line in (first, *further))
    _, *further = await printed(pipe.writer.fileno(), pipe, reason)
    assert further
    assert all(line.startswith("    ") and width(line) <= wide for line in further)
    [whole] = await printed(pipe.writer.fileno(), pipe, said("x" * (wide - 5)))
    assert whole == "ann: " + "x" * (wide - 5)


@pytest.mark.trio
async def test_the_programs_own_sentences_and_json_are_left_whole_on_a_pipe(pipe: Pipe) -> None:
    own = [
        events.Entered(room="r1", name="demo", code="x" * 62, nick="ann", member="m", role="host", members=[]),
        events.Lookalike(room="r1", member="m", nick="ben" * 6, was="ben" * 6),
        events.Error(room="r1", code="x", text="word " * 30),
    ]
    assert len(await printed(pipe.writer.fileno(), pipe, *own)) == 3
    assert len(await printed(pipe.writer.fileno(), pipe, *own, said("word " * 60), json=True)) == 4


@pytest.mark.trio
@pytest.mark.parametrize(("columns", "wide"), [(0, 80), (10, 10), (30, 30), (100, 100)])
async def test_on_a_terminal_everything_is_folded_but_codes(columns: int, wide: int) -> None:
    ours, theirs = os.openpty()
    with FileIO(theirs, "w") as writer, FileIO(ours, "r") as reader:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        pipe = Pipe(reader, writer)
        people = [Person(member=str(n), nick=f"nick-{n}-{'x' * 10}", role="member", tag="abcdefgh") for n in range(9)]
        entered = events.Entered(room="r1", name="demo", code="y" * 62, nick="ann", member="m", role="host", members=[])
        code = events.Reply(room="r1", command="/code", data={"code": "z" * 62})
        lines = await printed(theirs, pipe, entered, code)
        assert lines == [f"[SYSTEM] Room created: demo  code {'y' * 62}", f"[SYSTEM] Code {'z' * 62}"]
        joined = msgspec.structs.replace(entered, role="member", members=people)
        for event in (said("word " * 40), joined, events.Reply(room="r1", command="/who", data=people)):
            lines = await printed(theirs, pipe, event)
            assert all(line.startswith(("    ", "[SYSTEM] "[: wide - 4], "ann: ")) for line in lines)
            assert all(width(line) <= wide for line in lines)


@pytest.mark.trio
async def test_clearing_leaves_a_pipe_alone(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno()) as printer:
        printer.output.clear()
        printer.output.tell(NOTICES[0])
        await printer.output.drained()
    assert pipe.read() == b"[SYSTEM] notice 0\n"


@pytest.mark.trio
async def test_a_closed_pipe_is_a_quiet_end(pipe: Pipe) -> None:
    pipe.reader.close()
    async with printing(pipe.writer.fileno()) as printer:
        printer.output.tell(NOTICES[0])
        await printer.finished.wait()
    assert printer.ends == [None]


@pytest.mark.trio
async def test_no_stdout_is_a_quiet_end(tmp_path: Path) -> None:
    closed = os.open(tmp_path, os.O_RDONLY)
    os.close(closed)
    async with printing(closed) as printer:
        printer.output.tell(NOTICES[0])
        await printer.finished.wait()
    assert printer.ends == [None]


@pytest.mark.trio
async def test_a_full_disk_is_an_error() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        async with printing(full) as printer:
            printer.output.tell(NOTICES[0])
            await printer.finished.wait()
    finally:
        os.close(full)
    [error] = printer.ends
    assert isinstance(error, OutputFailed)
    assert "space" in str(error)


@pytest.mark.trio
async def test_a_reader_that_never_reads_holds_nobody_up(pipe: Pipe) -> None:
    much = events.Notice(text="x" * 10_000)
    async with printing(pipe.writer.fileno()) as printer:
        for _ in range(100):
            printer.output.tell(much)
            await trio.lowlevel.checkpoint()
        assert printer.ends == []
        pipe.reader.close()  # so that nothing is left stuck in writing
        await printer.finished.wait()


@pytest.mark.trio
async def test_a_reader_that_reads_again_gets_everything(pipe: Pipe) -> None:
    much = events.Error(code="x", text="x" * 10_000)
    whole = b"[SYSTEM] " + b"x" * 10_000 + b"\n"
    got = b""
    async with printing(pipe.writer.fileno()) as printer:
        for _ in range(50):
            printer.output.tell(much)
        while len(got) < 50 * len(whole):
            got += await trio.to_thread.run_sync(pipe.read)
        await printer.output.drained()
    assert got == whole * 50


@pytest.mark.trio
async def test_what_nobody_reads_is_kept_up_to_a_limit(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OUTPUT", 100_000)
    async with printing(pipe.writer.fileno()) as printer:
        for _ in range(100):
            printer.output.tell(events.Notice(text="x" * 10_000))
            await trio.lowlevel.checkpoint()
        assert isinstance(printer.ends[0], Failed)
        pipe.reader.close()
        await printer.finished.wait()


@pytest.mark.trio
async def test_json_names_the_input_that_asked_and_only_that(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno(), json=True) as printer:
        printer.output.tell(events.Notice(text="x", re=7))
        printer.output.tell(events.Notice(text="x"))
        await printer.output.drained()
    asked, unasked = map(json.loads, pipe.read().splitlines())
    assert asked == {"type": "notice", "text": "x", "re": 7}
    assert unasked == {"type": "notice", "text": "x"}


def message(text: str, to: str | UnsetType = UNSET, **fields: bool) -> events.Message:
    return events.Message(room="r1", member="m", nick="ann", text=text, seq=7, at=0.5, to=to, **fields)


@pytest.mark.trio
async def test_what_json_says_of_private_messages_and_of_the_end_of_messages(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno(), json=True) as printer:
        printer.output.tell(message("psst", private=True))
        printer.output.tell(message("psst", "bob", private=True, mine=True))
        printer.output.tell(message("to all"))
        printer.output.tell(events.Expired(room="r1", seq=7))
        await printer.output.drained()
    theirs, mine, public, expired = map(json.loads, pipe.read().splitlines())
    assert theirs["private"]
    assert "to" not in theirs
    assert (mine["private"], mine["mine"], mine["to"]) == (True, True, "bob")
    assert (public["private"], public["ttl"], public["history"]) == (False, None, False)
    assert "to" not in public
    assert expired == {"type": "expired", "room": "r1", "seq": 7}


@pytest.mark.trio
async def test_that_a_message_has_expired_prints_no_line(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno()) as printer:
        printer.output.tell(events.Expired(room="r1", seq=7))
        printer.output.tell(NOTICES[0])
        await printer.output.drained()
    assert pipe.read() == b"[SYSTEM] notice 0\n"


# --- the last sentence, on stderr


def fill(pipe: Pipe) -> int:
    """Fills a pipe; returns how much it holds."""
    os.set_blocking(pipe.writer.fileno(), False)
    size = 0
    with suppress(BlockingIOError):
        while True:
            size += os.write(pipe.writer.fileno(), b"x" * select.PIPE_BUF)
    return size


@pytest.mark.parametrize("blocking", [True, False])
def test_a_sentence_that_nobody_takes_is_dropped_and_not_waited_for(pipe: Pipe, blocking: bool) -> None:
    size = fill(pipe)
    os.set_blocking(pipe.writer.fileno(), blocking)
    stdio.write_soon(pipe.writer.fileno(), b"sentence\n", 0.01)
    pipe.writer.close()
    assert pipe.reader.readall() == b"x" * size


def test_a_sentence_is_written_whole_once_there_is_room_for_it(pipe: Pipe) -> None:
    size = fill(pipe)
    reader = threading.Timer(0.1, pipe.reader.read, (size,))
    reader.start()
    stdio.write_soon(pipe.writer.fileno(), b"sentence\n", 30)
    reader.join()
    assert pipe.reader.read(100) == b"sentence\n"


# --- several rooms

PERSON = events.Person(member="m", nick="ann", role="member", tag="abcd")


def entered(room: str, name: str) -> events.Entered:
    return events.Entered(room=room, name=name, code="c", nick="me", member="m", role="member", members=[PERSON])


def told_from(output: Output, room: str) -> str:
    """What a message in this room begins with."""
    event = events.Message(room=room, member="m", nick="ann", text="hi", seq=1, at=0.0)
    return wording.line(event, output._place(event)).removesuffix("ann: hi")


def in_rooms(*names: str) -> Output:
    """In rooms of these names, labelled in this order."""
    output = Output(json=False)
    for number, name in enumerate(names, 1):
        output._place(entered(f"r{number}", name))
    return output


def test_a_lone_room_is_not_named_and_several_are() -> None:
    assert told_from(in_rooms("den"), "r1") == ""
    output = in_rooms("den", "pub")
    assert [told_from(output, room) for room in ("r1", "r2")] == ["den/", "pub/"]


@pytest.mark.parametrize(
    "name",
    [
        *("friends", "Friends", "friеnds", "fr1ends", "friencls", "fri-ends", "FRIEND5"),
        *("r1", "r3", "R9", "rl", "г1", "SYSTEM", "Tor", "5ystem"),
    ],
)
def test_a_room_that_could_be_taken_for_another_or_the_program_is_shown_by_its_label(name: str) -> None:
    output = in_rooms("friends", name, "other")
    assert [told_from(output, room) for room in ("r1", "r2", "r3")] == ["friends/", "r2/", "other/"]
    lone = in_rooms(name)
    assert told_from(lone, "r1") == "", "there is no other"


def test_what_a_rooms_lines_begin_with_does_not_change_while_one_is_in_it() -> None:
    output = in_rooms("friends", "friеnds", "other")
    output._place(events.Gone(room="r1", reason="left"))
    assert told_from(output, "r2") == "r2/"
    output._place(entered("r2", "friеnds"))  # back in, after one was away for long
    assert told_from(output, "r2") == "r2/"
    output._place(entered("r4", "friends"))
    assert [told_from(output, room) for room in ("r2", "r4")] == ["r2/", "friends/"]


def test_a_room_that_is_not_entered_yet_is_shown_by_its_label() -> None:
    output = in_rooms("den")
    assert told_from(output, "r2") == "r2/"
    output._place(entered("r2", "pub"))
    assert told_from(output, "r2") == "pub/"
