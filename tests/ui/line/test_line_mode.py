"""Line mode as a frontend."""

import os
from pathlib import Path

import pytest

from anonp2p.config import Config
from anonp2p.errors import AnonError
from anonp2p.ui.line.line_mode import LineMode
from anonp2p.ui.line.stdin import read_lines


@pytest.mark.trio
async def test_a_stdin_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    line_mode = LineMode(Config(mode="line"), read_lines(descriptor))
    ends: list[AnonError | None] = []
    line_mode.attach(ends.append, lambda _: None)
    try:
        assert await line_mode.next_request() is None
    finally:
        os.close(descriptor)
    [error] = ends
    assert (str(error), error and error.status) == ("The input of this program cannot be read: Is a directory.", 1)
