"""Bounds on what the other end of a control connection may send, between its socket and stem.

stem accepts lines of any length, replies with any number of lines, replies to no command, and events faster than they
are handled, and keeps all of them in memory.
"""

import re
import socket
import time

from anonp2p import limits
from anonp2p.room.token_bucket import TokenBucket

_LINE = re.compile(rb"[0-9]{3}[-+ ]")  # the beginning of a line that is not data (control-spec 2.3)


class BoundedReplies:
    """Stands for a connected socket and its file, as far as stem uses them. One thread may write while another reads.

    `readline` raises OSError for input that breaks a bound or is no reply; then stem closes the connection.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._file = connected.makefile("rb")
        self._asked = 0  # only the writer changes it
        self._answered = 0  # only the reader changes it
        self._size = 0  # bytes of the reply or event that is being read
        self._in_data = False
        self._events = TokenBucket(limits.EVENT_BUCKET, limits.EVENT_RATE)

    def makefile(self, mode: str) -> "BoundedReplies":
        """Like the method of a socket."""
        assert mode == "rwb", "it is opened for stem"
        return self

    def write(self, command: bytes) -> None:
        """Sends one complete command, which gets one reply. Raises OSError."""
        self._asked += 1
        self._socket.sendall(command)

    def flush(self) -> None:
        """Like the method of a file; nothing is buffered."""

    def readline(self) -> bytes:
        """The next line; empty if the other end has closed the connection. Raises OSError."""
        line = self._file.readline(limits.CONTROL_LINE)
        if not line:
            return line
        self._size += len(line)
        if not line.endswith(b"\r\n") or self._size > limits.CONTROL_REPLY:
            raise OSError("endless reply")
        if self._in_data:
            self._in_data = line != b".\r\n"
        elif not _LINE.match(line):
            raise OSError("not a line")
        elif line[3:4] == b"+":
            self._in_data = True
        elif line[3:4] == b" ":
            self._complete(line)
        return line

    def _complete(self, last: bytes) -> None:
        size, self._size = self._size, 0
        if last.startswith(b"650"):  # an event
            time.sleep(self._events.take_tokens(time.monotonic(), size + limits.EVENT_COST))
        elif self._answered < self._asked:
            self._answered += 1
        else:
            raise OSError("nobody asked")

    def shutdown(self, how: int) -> None:
        """Like the method of a socket: wakes the reader. Raises OSError."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Closes socket and file; may be called again."""
        self._socket.close()
        self._file.close()
