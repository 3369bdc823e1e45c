"""Lines of stdin: cut anywhere, too long, closed."""

import os
from contextlib import aclosing
from io import FileIO
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.errors import TooLong
from anonp2p.ui.line.stdin import read_lines
from anonp2p.ui.line.typed_line import parse_typed_line
from tests.ui.line.conftest import Shared


def is_too_long(line: bytes) -> bool:
    """Whether who reads this line is told that it is too long."""
    typed = parse_typed_line(line, json=True)
    return typed is not None and isinstance(typed.action, TooLong)


async def lines_read(pieces: list[bytes]) -> list[bytes]:
    """What `read_lines` makes of these pieces, written one after the other into a pipe."""
    ours, theirs = os.pipe()

    async def write() -> None:
        with FileIO(theirs, "w") as writer:
            for piece in pieces:
                await trio.to_thread.run_sync(writer.write, piece)

    with FileIO(ours, "r") as reader:
        async with trio.open_nursery() as nursery, aclosing(read_lines(reader.fileno())) as reading:
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
    assert is_too_long(told)
    assert len(told) <= limits.INPUT_LINE + limits.READ


@pytest.mark.trio
async def test_a_line_too_long_at_the_end_is_told_once() -> None:
    [told] = await lines_read([b"x" * (limits.INPUT_LINE + 3 * limits.READ)])
    assert is_too_long(told)


@pytest.mark.trio
async def test_the_longest_line_is_read_whole() -> None:
    longest = b"x" * limits.INPUT_LINE
    assert await lines_read([longest + b"\n", longest]) == [longest, longest]


@pytest.mark.trio
async def test_no_stdin_is_an_empty_one(tmp_path: Path) -> None:
    for flags in (os.O_WRONLY, os.O_PATH):  # as nohup leaves it; as we leave one that was closed
        descriptor = os.open(os.devnull, flags)
        try:
            assert [line async for line in read_lines(descriptor)] == []
        finally:
            os.close(descriptor)


@pytest.mark.trio
async def test_lines_are_read_from_a_descriptor_that_is_non_blocking_at_times(shared: Shared) -> None:
    async with aclosing(read_lines(shared.ours)) as reading:
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
