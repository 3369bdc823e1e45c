"""What is printed: in order, at once, folded, to whoever reads slowly or not at all."""

import fcntl
import json
import os
import re
import select
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing
from msgspec import UNSET, UnsetType

from anonp2p import limits
from anonp2p.errors import AnonError, Failed, OutputFailed, Unreachable
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import events
from anonp2p.room.events import Person
from anonp2p.room.moderation_events import SelfKickedEvent
from anonp2p.ui.line.output import Output
from anonp2p.ui.widths import width
from tests.ui.line.conftest import Pipe, Shared

NOTICES = [events.NoticeEvent(text=f"notice {number}") for number in range(200)]


class Printer:
    """An Output at work, and what it said of the end of stdout."""

    def __init__(self, descriptor: int, *, json: bool = False) -> None:
        self.ends: list[AnonError | None] = []
        self.finished = trio.Event()
        self.output = Output(self.ends.append, json=json, descriptor=descriptor)

    async def run(self) -> None:
        """Prints until nobody reads."""
        await self.output.run()
        self.finished.set()


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
            printer.output.print_event(notice)
        await printer.output.drained()
    assert pipe.read().decode().splitlines() == [f"[SYSTEM] {notice.text}" for notice in NOTICES]
    assert printer.ends == []


@pytest.mark.trio
async def test_an_event_is_printed_at_once(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno(), json=True) as printer:
        for notice in NOTICES[:3]:
            printer.output.print_event(notice)
            line = await trio.to_thread.run_sync(pipe.read)
            assert json.loads(line) == {"type": "notice", "text": notice.text}
            assert line.endswith(b"\n")


@pytest.mark.trio
async def test_json_is_printed_without_what_could_harm_a_terminal(pipe: Pipe) -> None:
    text = "a\x1b[2J\u202e\u2028\nb"
    async with printing(pipe.writer.fileno(), json=True) as printer:
        printer.output.print_event(events.NoticeEvent(text=text))
        await printer.output.drained()
    line = pipe.read().decode()
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line)["text"] == text


@pytest.mark.trio
async def test_an_event_that_is_worth_no_line_prints_none(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno()) as printer:
        printer.output.print_event(events.LinkEvent(room="r1", state="up", attempt=1, detail=NO_REASON))
        printer.output.print_event(NOTICES[0])
        await printer.output.drained()
    assert pipe.read() == b"[SYSTEM] notice 0\n"


def said(text: str) -> events.MessageEvent:
    """Somebody's message."""
    return events.MessageEvent(room="r1", member="m", nick="ann", text=text, seq=1, at=0.0)


async def printed(descriptor: int, pipe: Pipe, *told: events.Event, json: bool = False) -> list[str]:
    """The lines that these events are printed in."""
    async with printing(descriptor, json=json) as printer:
        for event in told:
            printer.output.print_event(event)
        await printer.output.drained()
    return pipe.read().decode().splitlines()


@pytest.mark.trio
@pytest.mark.parametrize(("columns", "wide"), [("", 80), ("40", 40), ("0", 80), ("x", 80), ("999999", 80)])
async def test_what_others_say_is_folded_on_a_pipe_for_the_terminal_that_it_is_read_on(
    columns: str, wide: int, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = "x" * 75 + "[SYSTEM] The room was closed by its host " + "\u2764\ufe0f" * 37 + "[SYSTEM] x"
    reason = SelfKickedEvent(room="r1", why=text)
    first, *further = await printed(pipe.writer.fileno(), pipe, said(text))
    assert first.startswith("ann: ")
    assert further
    assert all(line.startswith("    ") for line in further)
    assert all(width(line) <= wide for line in (first, *further))
    kicked = events.LeftEvent(room="r1", member="m", nick="ben", reason="kicked", why=text)
    aside = events.ReplyEvent(
        room="r1", command="/quiet", data=[{"seq": 1, "member": "m", "nick": "ben", "words": text}]
    )
    for event in (reason, kicked, aside):
        _, *further = await printed(pipe.writer.fileno(), pipe, event)
        assert further
        assert all(line.startswith("    ") and width(line) <= wide for line in further)
    [whole] = await printed(pipe.writer.fileno(), pipe, said("x" * (wide - 5)))
    assert whole == "ann: " + "x" * (wide - 5)


@pytest.mark.trio
async def test_the_programs_own_sentences_and_json_are_left_whole_on_a_pipe(pipe: Pipe) -> None:
    own = [
        events.EnteredEvent(room="r1", name="demo", code="x" * 62, nick="ann", member="m", role="host", members=[]),
        events.LookalikeEvent(room="r1", member="m", nick="ben" * 6, was="ben" * 6),
        events.ErrorEvent(room="r1", code="x", text=Failed("word " * 30)),
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
        entered = events.EnteredEvent(
            room="r1", name="demo", code="y" * 62, nick="ann", member="m", role="host", members=[]
        )
        code = events.ReplyEvent(room="r1", command="/code", data={"code": "z" * 62})
        lines = await printed(theirs, pipe, entered, code)
        assert lines == [f"[SYSTEM] Room created: demo  code {'y' * 62}", f"[SYSTEM] Code {'z' * 62}", *lines[2:]]
        joined = msgspec.structs.replace(entered, role="member", members=people)
        for event in (said("word " * 40), joined, events.ReplyEvent(room="r1", command="/who", data=people)):
            lines = await printed(theirs, pipe, event)
            assert all(line.startswith(("    ", "[SYSTEM] "[: wide - 4], "ann: ")) for line in lines)
            assert all(width(line) <= wide for line in lines)


@pytest.mark.trio
async def test_clearing_empties_a_terminal_and_what_one_could_scroll_back_to() -> None:
    theirs, ours = os.openpty()
    try:
        async with printing(ours) as printer:
            printer.output.clear()
            await printer.output.drained()
        assert set(re.findall(rb"\x1b\[\w+", os.read(theirs, 100))) == {b"\x1b[2J", b"\x1b[3J", b"\x1b[H"}
    finally:
        os.close(theirs)
        os.close(ours)


@pytest.mark.trio
async def test_clearing_leaves_a_pipe_alone(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno()) as printer:
        printer.output.clear()
        printer.output.print_event(NOTICES[0])
        await printer.output.drained()
    assert pipe.read() == b"[SYSTEM] notice 0\n"


@pytest.mark.trio
async def test_a_closed_pipe_is_a_quiet_end(pipe: Pipe) -> None:
    pipe.reader.close()
    async with printing(pipe.writer.fileno()) as printer:
        printer.output.print_event(NOTICES[0])
        await printer.finished.wait()
    assert printer.ends == [None]


@pytest.mark.trio
async def test_no_stdout_is_a_quiet_end(tmp_path: Path) -> None:
    closed = os.open(tmp_path, os.O_RDONLY)
    os.close(closed)
    async with printing(closed) as printer:
        printer.output.print_event(NOTICES[0])
        await printer.finished.wait()
    assert printer.ends == [None]


@pytest.mark.trio
async def test_a_full_disk_is_an_error() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        async with printing(full) as printer:
            printer.output.print_event(NOTICES[0])
            await printer.finished.wait()
    finally:
        os.close(full)
    [error] = printer.ends
    assert isinstance(error, OutputFailed)
    assert "space" in str(error)


@pytest.mark.trio
async def test_a_reader_that_never_reads_holds_nobody_up(pipe: Pipe) -> None:
    much = events.NoticeEvent(text="x" * 10_000)
    async with printing(pipe.writer.fileno()) as printer:
        for _ in range(100):
            printer.output.print_event(much)
            await trio.lowlevel.checkpoint()
        assert printer.ends == []
        pipe.reader.close()  # so that nothing is left stuck in writing
        await printer.finished.wait()


@pytest.mark.trio
async def test_a_reader_that_reads_again_gets_everything(pipe: Pipe) -> None:
    much = events.ErrorEvent(code="x", text=Failed("x" * 10_000))
    whole = b"[SYSTEM] " + b"x" * 10_000 + b"\n"
    got = b""
    async with printing(pipe.writer.fileno()) as printer:
        for _ in range(50):
            printer.output.print_event(much)
        while len(got) < 50 * len(whole):
            got += await trio.to_thread.run_sync(pipe.read)
        await printer.output.drained()
    assert got == whole * 50


@pytest.mark.trio
async def test_what_nobody_reads_is_kept_up_to_a_limit(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OUTPUT_QUEUE", 100_000)
    async with printing(pipe.writer.fileno()) as printer:
        for _ in range(100):
            printer.output.print_event(events.NoticeEvent(text="x" * 10_000))
            await trio.lowlevel.checkpoint()
        assert isinstance(printer.ends[0], Failed)
        pipe.reader.close()
        await printer.finished.wait()


@pytest.mark.trio
async def test_json_has_reasons_and_errors_in_the_words_that_people_read(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno(), json=True) as printer:
        printer.output.print_event(events.LinkEvent(room="r1", state="lost", attempt=1, detail=Reason("broken")))
        printer.output.print_event(events.ErrorEvent(code="unreachable", text=Unreachable(Reason("closed"))))
        await printer.output.drained()
    link, error = map(json.loads, pipe.read().splitlines())
    assert link["detail"] == "the connection broke"
    assert error["text"] == "The room could not be reached: the connection was closed."


@pytest.mark.trio
async def test_json_names_the_input_that_asked_and_only_that(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno(), json=True) as printer:
        printer.output.print_event(events.NoticeEvent(text="x", re=7))
        printer.output.print_event(events.NoticeEvent(text="x"))
        await printer.output.drained()
    asked, unasked = map(json.loads, pipe.read().splitlines())
    assert asked == {"type": "notice", "text": "x", "re": 7}
    assert unasked == {"type": "notice", "text": "x"}


def message(
    text: str, to: str | UnsetType = UNSET, *, private: bool = False, mine: bool = False
) -> events.MessageEvent:
    said = events.MessageEvent(room="r1", member="m", nick="ann", text=text, seq=7, at=0.5, to=to)
    return msgspec.structs.replace(said, private=private, mine=mine)


@pytest.mark.trio
async def test_what_json_says_of_private_messages_and_of_the_end_of_messages(pipe: Pipe) -> None:
    async with printing(pipe.writer.fileno(), json=True) as printer:
        printer.output.print_event(message("psst", private=True))
        printer.output.print_event(message("psst", "bob", private=True, mine=True))
        printer.output.print_event(message("to all"))
        printer.output.print_event(events.ExpiredEvent(room="r1", seq=7))
        await printer.output.drained()
    theirs, mine, public, expired = map(json.loads, pipe.read().splitlines())
    assert theirs["private"]
    assert "to" not in theirs
    assert (mine["private"], mine["mine"], mine["to"]) == (True, True, "bob")
    assert (public["private"], public["ttl"], public["history"]) == (False, None, False)
    assert "to" not in public
    assert expired == {"type": "expired", "room": "r1", "seq": 7, "retracted": False}


@pytest.mark.trio
async def test_all_is_printed_to_a_slow_reader_of_a_descriptor_that_is_non_blocking_at_times(shared: Shared) -> None:
    much = events.NoticeEvent(text="x" * 10_000)
    whole = msgspec.json.encode(much) + b"\n"
    got = bytearray()

    def read_slowly() -> None:
        while len(got) < 50 * len(whole) and select.select([shared.theirs], [], [], 60)[0]:
            got.extend(os.read(shared.theirs, 4_000))
            shared.set_blocking(blocking=len(got) % 3 == 0)

    async with printing(shared.ours, json=True) as printer:
        for _ in range(50):
            printer.output.print_event(much)
        await trio.testing.wait_all_tasks_blocked()
        await trio.to_thread.run_sync(read_slowly)
        assert printer.ends == []
    assert bytes(got) == whole * 50


@pytest.mark.trio
async def test_a_non_blocking_descriptor_that_is_closed_while_we_wait_to_print_is_a_quiet_end(shared: Shared) -> None:
    async with printing(shared.ours) as printer:
        for _ in range(50):
            printer.output.print_event(events.NoticeEvent(text="x" * 10_000))
        await trio.testing.wait_all_tasks_blocked()
        os.close(shared.theirs)
        with trio.fail_after(60):
            await printer.finished.wait()
    assert printer.ends == [None]
