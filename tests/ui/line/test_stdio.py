"""The last sentence, on stderr."""

import os
import select
import threading
from contextlib import suppress

import pytest

from anonp2p.ui import stdio
from tests.ui.line.conftest import Pipe


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
