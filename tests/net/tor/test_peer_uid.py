"""Whose socket is at the other end of a connection: as the kernel tells it, and with other users of this machine."""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anonp2p.net.tor.peer_uid import parse_row, peer_uid, tor_uids

OTHER = 65_534  # nobody, on every Linux
ENDS = bytes(range(36))

# A client that connects as another user: to a port or a unix socket; says `hello` if told to, and hangs up if told to.
CLIENT = """
import os, socket, sys
address, says, stays = sys.argv[1:]
kind = socket.AF_INET if address.isdecimal() else socket.AF_UNIX
client = socket.socket(kind)
client.connect(("127.0.0.1", int(address)) if address.isdecimal() else address)
if says == "hello":
    client.sendall(b"hello")
if stays != "stays":
    client.close()
print("done", flush=True)
sys.stdin.read()
"""


@contextmanager
def client(uid: int, address: str, says: str = "", stays: str = "stays") -> Iterator[None]:
    """A client of this user, once it has done what it does."""
    become = [] if uid == os.getuid() else ["setpriv", "--reuid", str(uid), "--clear-groups"]
    command = [*become, sys.executable, "-c", CLIENT, address, says, stays]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        yield
        process.communicate()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


each_user = pytest.mark.parametrize(
    "uid",
    [
        os.getuid(),
        pytest.param(OTHER, marks=pytest.mark.skipif(os.getuid() != 0, reason="only root becomes other users")),
    ],
)


@each_user
def test_a_loopback_connection_is_of_the_user_that_made_it(listening: socket.socket, uid: int) -> None:
    with client(uid, str(listening.getsockname()[1])), listening.accept()[0] as accepted:
        assert peer_uid(accepted) == uid


@each_user
def test_a_unix_connection_is_of_the_user_that_made_it(short_path: Path, uid: int) -> None:
    short_path.chmod(0o711)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{short_path}/socket")
        listening.listen()
        (short_path / "socket").chmod(0o777)
        with client(uid, f"{short_path}/socket"), listening.accept()[0] as accepted:
            assert peer_uid(accepted) == uid


@each_user
def test_one_who_sent_and_closed_is_nobody(listening: socket.socket, uid: int) -> None:
    """The kernel may show such a socket as root's."""
    with client(uid, str(listening.getsockname()[1]), "hello", "goes"), listening.accept()[0] as accepted:
        assert accepted.recv(5) == b"hello"
        assert peer_uid(accepted) is None


def test_one_that_is_reset_is_nobody_whoever_listens_at_its_port(listening: socket.socket) -> None:
    """Asked for a socket that has gone, the kernel may answer with the one that listens at the same port."""
    ours = socket.socket()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind(("127.0.0.1", 0))
        ours.connect(listening.getsockname())
        here = ours.getsockname()
        accepted, _ = listening.accept()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ours.close()
        other.bind(here)
        other.listen()
        with accepted:
            assert peer_uid(accepted) is None


def row(*, kind: int = 20, ends: bytes = ENDS, uid: int = 1_000, inode: int = 7) -> bytes:
    """An answer of the kernel's: nlmsghdr, inet_diag_msg."""
    id_ = ends + struct.pack("=III", 0, 1, 2)
    content = struct.pack("=BBBB", socket.AF_INET, 1, 0, 0) + id_ + struct.pack("=IIIII", 0, 0, 0, uid, inode)
    return struct.pack("=IHHII", 16 + len(content), kind, 0, 0, 0) + content


def test_a_row_tells_whose_socket_it_is() -> None:
    assert parse_row(row(), ENDS) == 1_000
    assert parse_row(row(uid=0), ENDS) == 0


def test_a_row_without_an_inode_tells_nothing() -> None:
    assert parse_row(row(uid=0, inode=0), ENDS) is None


@pytest.mark.parametrize(
    "answer",
    [row(ends=bytes(36)), row(kind=2), struct.pack("=IHHIIi", 36, 2, 0, 0, 0, -2)],
    ids=["other", "kind", "error"],
)
def test_an_error_or_a_row_of_another_socket_is_no_answer(answer: bytes) -> None:
    with pytest.raises(OSError, match="no answer"):
        parse_row(answer, ENDS)


def test_a_tor_is_of_the_user_that_it_tells_or_of_those_that_it_may_be_of() -> None:
    assert tor_uids("104", frozenset((105,))) == {104}
    for untold in ("", "x", "-1", "9" * 5_000):
        assert tor_uids(untold, frozenset((105,))) >= {0, os.getuid(), 105}
        assert OTHER not in tor_uids(untold, frozenset())
