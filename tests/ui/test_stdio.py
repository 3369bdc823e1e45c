"""What is written to a descriptor that others share, and may not read."""

import itertools
import os
import select
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from anonp2p.ui import stdio


@pytest.fixture
def full_pipe() -> Iterator[tuple[int, int, int]]:
    """A pipe without room: its two ends, and the number of bytes in it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    size = 0
    with suppress(BlockingIOError):
        while True:
            size += os.write(writer, b"x" * select.PIPE_BUF)
    yield reader, writer, size
    for end in (reader, writer):
        with suppress(OSError):
            os.close(end)


def test_the_time_limit_of_a_write_counts_from_its_beginning(
    full_pipe: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader makes room in the end, but only after the time limit by the clock."""
    reader, writer, size = full_pipe
    monkeypatch.setattr(stdio, "monotonic", itertools.count(0.0, 31.0).__next__)
    late = threading.Timer(5, os.read, (reader, size))
    late.start()
    stdio.write_soon(writer, b"sentence\n", 30)
    in_time = late.is_alive()
    late.cancel()
    late.join()
    assert in_time
    os.close(writer)
    assert os.read(reader, 2 * size) == b"x" * size


def test_a_reader_that_takes_a_little_at_a_time_does_not_extend_the_time_limit(
    full_pipe: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time the writer looks at the clock, the reader has made room for a piece, and a second has passed."""
    reader, writer, size = full_pipe
    seconds = itertools.count(0.0)

    def pass_time() -> float:
        second = next(seconds)
        if 0 < second <= 3:
            os.read(reader, select.PIPE_BUF)
        return second

    monkeypatch.setattr(stdio, "monotonic", pass_time)
    stdio.write_soon(writer, b"y" * (10 * select.PIPE_BUF), 3)
    os.close(writer)
    left = b"".join(iter(lambda: os.read(reader, size), b""))
    assert left.count(b"y") == 3 * select.PIPE_BUF


@pytest.mark.parametrize("blocking", [True, False])
def test_a_sentence_that_nobody_takes_is_dropped_and_not_waited_for(
    full_pipe: tuple[int, int, int], blocking: bool
) -> None:
    reader, writer, size = full_pipe
    os.set_blocking(writer, blocking)
    stdio.write_soon(writer, b"sentence\n", 0.01)
    os.close(writer)
    assert os.read(reader, 2 * size) == b"x" * size


def test_a_sentence_is_written_whole_once_there_is_room_for_it(full_pipe: tuple[int, int, int]) -> None:
    reader, writer, size = full_pipe
    room = threading.Timer(0.1, os.read, (reader, size))
    room.start()
    stdio.write_soon(writer, b"sentence\n", 30)
    room.join()
    assert os.read(reader, 100) == b"sentence\n"
