"""Descriptors to read from and to print to."""

import os
import socket
import tty
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO

import pytest

from anonp2p import limits


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


@dataclass
class Pipe:
    """Somebody's stdin and our stdout."""

    reader: FileIO
    writer: FileIO

    def read(self) -> bytes:
        """What is in the pipe; waits for something."""
        return self.reader.read(limits.READ)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe to print into."""
    ours, theirs = os.pipe()
    with FileIO(theirs, "w") as writer, FileIO(ours, "r") as reader:
        yield Pipe(reader, writer)
