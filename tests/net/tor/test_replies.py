"""What a control port may send: bounded before stem keeps it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import stem.socket

from anonp2p import limits
from anonp2p.net.tor.replies import BoundedReplies

LONG = b"x" * 100


@pytest.fixture
def ends() -> Iterator[tuple[BoundedReplies, socket.socket]]:
    """Our end of a connection, and the other one."""
    ours, theirs = socket.socketpair()
    replies = BoundedReplies(ours)
    with theirs:
        yield replies, theirs
        replies.close()


def kernel_buffers(theirs: socket.socket) -> int:
    """Bytes that may be on their way."""
    return theirs.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) + theirs.getsockopt(
        socket.SOL_SOCKET, socket.SO_RCVBUF
    )


class Sender(threading.Thread):
    """Sends the one, and then the other again and again until nobody takes it; counts the bytes that were taken."""

    def __init__(self, theirs: socket.socket, begin: bytes, piece: bytes) -> None:
        super().__init__()
        self.sent = 0
        self._theirs, self._begin, self._piece = theirs, begin, piece
        self.start()

    def run(self) -> None:
        with suppress(OSError):
            self._theirs.sendall(self._begin)
            while True:
                self.sent += self._theirs.send(self._piece)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(b"250-", LONG, id="a line without an end"),
        pytest.param(b"", b"250-" + LONG + b"\r\n", id="a reply without an end"),
        pytest.param(b"250+data\r\n", LONG + b"\r\n", id="data without an end"),
        pytest.param(b"250+data\r\n", b"250 OK\r\n", id="data that looks like ends of replies"),
        pytest.param(b"250+data\r\n", LONG, id="data in one line"),
        pytest.param(b"", b"650-" + LONG + b"\r\n", id="an event without an end"),
        pytest.param(b"", b"250+a\r\n.\r\n", id="blocks of data without an end"),
        pytest.param(b"", b"250 OK\r\n", id="replies without an end"),
        pytest.param(b"", b"HTTP/1.0 400 Bad Request\r\n", id="something else"),
        pytest.param(b"", b"250 OK\n", id="other line ends"),
    ],
)
def test_what_has_no_end_ends_the_connection(
    ends: tuple[BoundedReplies, socket.socket], begin: bytes, piece: bytes
) -> None:
    replies, theirs = ends
    replies.write(b"GETINFO version\r\n")
    sender = Sender(theirs, begin, piece)
    read = 0

    def read_on() -> None:
        nonlocal read
        while read <= 2 * limits.CONTROL_REPLY:
            read += len(replies.readline())

    with pytest.raises(OSError, match=r"endless reply|not a line|nobody asked"):
        read_on()
    assert read <= limits.CONTROL_REPLY
    assert sender.sent <= 2 * limits.CONTROL_REPLY + kernel_buffers(theirs)
    replies.shutdown(socket.SHUT_RDWR)
    sender.join()


def test_what_is_no_line_of_a_reply_ends_the_connection_at_once(ends: tuple[BoundedReplies, socket.socket]) -> None:
    replies, theirs = ends
    replies.write(b"GETINFO version\r\n")
    theirs.sendall(b"HTTP/1.0 400 Bad Request\r\n")
    with pytest.raises(OSError, match="not a line"):
        replies.readline()


HONEST = [
    b"250 OK\r\n",
    b"250-version=0.4.9.11\r\n250 OK\r\n",
    b"250+config=\r\n250 not an end\r\n..\r\n.\r\n250 OK\r\n",
    b"552 Unrecognized key\r\n",
    b"250-" + b"x" * (limits.CONTROL_LINE - 6) + b"\r\n250 OK\r\n",
    (b"250-" + LONG + b"\r\n") * (limits.CONTROL_REPLY // 106 - 1) + b"250 OK\r\n",
]


def test_each_command_has_its_reply_however_events_come_between(ends: tuple[BoundedReplies, socket.socket]) -> None:
    replies, theirs = ends
    for answer in HONEST * 2:
        replies.write(b"GETINFO\r\n")
        theirs.sendall(b"650 HS_DESC\r\n" + answer)
        assert stem.socket.recv_message(replies).content() == [("650", " ", "HS_DESC")]
        assert stem.socket.recv_message(replies).raw_content(get_bytes=True) == answer
    theirs.shutdown(socket.SHUT_WR)
    assert replies.readline() == b""


def test_nobody_speaks_unasked(ends: tuple[BoundedReplies, socket.socket]) -> None:
    replies, theirs = ends
    replies.write(b"GETINFO\r\n")
    theirs.sendall(b"250 OK\r\n250 OK\r\n")
    assert replies.readline() == b"250 OK\r\n"
    with pytest.raises(OSError, match="nobody asked"):
        replies.readline()


@pytest.mark.parametrize("cost", [0, limits.EVENT_COST])
def test_events_are_read_no_faster_than_their_rate(
    ends: tuple[BoundedReplies, socket.socket], monkeypatch: pytest.MonkeyPatch, cost: int
) -> None:
    replies, theirs = ends
    slept = 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("time.monotonic", lambda: slept)
    monkeypatch.setattr(limits, "EVENT_COST", cost)
    event = b"650 HS_DESC " + LONG + b"\r\n"
    sender = Sender(theirs, b"", event)
    read = 0
    while slept < 10:
        read += len(replies.readline()) + cost
    replies.shutdown(socket.SHUT_RDWR)
    sender.join()
    assert read == pytest.approx(limits.EVENT_BUCKET + 10 * limits.EVENT_RATE, rel=0.01)
