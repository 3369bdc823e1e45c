"""stdin, stdout and stderr: shared with other programs, which may have closed them or made them non-blocking.

O_NONBLOCK belongs to the open file and not to the process: whoever shares it sets and unsets it at any time, for all.
"""

import errno
import os
import select
from time import monotonic

from anonp2p import limits

# Nobody is at the other end any more: a closed pipe or socket, a terminal that hung up, a descriptor that is closed.
CLOSED = (errno.EPIPE, errno.ECONNRESET, errno.EIO, errno.EBADF)

_DIGITS = 5  # of a number of columns


def columns_of(descriptor: int) -> int:
    """Of the terminal that this is, or that what is written there may be read on."""
    try:
        columns = os.get_terminal_size(descriptor).columns
    except OSError:
        given = os.environ.get("COLUMNS", "")
        columns = int(given) if given.isdecimal() and len(given) < _DIGITS else 0
    return columns or limits.PIPED_LINE


def read(descriptor: int) -> bytes:
    """Waits for input and returns up to limits.READ bytes of it; empty at its end. Raises OSError."""
    while True:
        try:
            return os.read(descriptor, limits.READ)
        except BlockingIOError:
            _wait(descriptor, select.POLLIN)
        except OSError as error:
            if error.errno in CLOSED:
                return b""
            raise


def write(descriptor: int, data: bytes) -> None:
    """Writes all of it, however long the reader takes. Raises OSError."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            _wait(descriptor, select.POLLOUT)


def write_soon(descriptor: int, data: bytes, seconds: float) -> None:
    """Writes as much as the reader takes within so many seconds, and drops the rest. Raises OSError.

    It does not block for longer even where the descriptor would.
    """
    deadline = monotonic() + seconds
    rest = memoryview(data)
    while rest and _wait(descriptor, select.POLLOUT, max(0.0, deadline - monotonic())):
        try:
            rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]
        except BlockingIOError:
            continue  # somebody else has filled it meanwhile


def _wait(descriptor: int, event: int, seconds: float | None = None) -> bool:
    """Returns once the descriptor is ready or broken; False if it was not within so many seconds."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(None if seconds is None else seconds * 1_000))
