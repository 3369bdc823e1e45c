"""Which local user is at the other end of an accepted connection, as the kernel says.

A loopback port is open to every user of the machine. The kernel knows whose socket a connection comes from: it has a
table, /proc/net/tcp, and answers for one connection by NETLINK_SOCK_DIAG (sock_diag(7)). An answer takes 15 us, however
many connections there are. Reading the table takes 5 ms even when it is empty, for each connection, and may miss rows
while connections come and go.
"""

import os
import re
import socket
import struct
from typing import Final

import trio

from anonp2p.net.tor import owner

_SOCK_DIAG: Final = 4  # NETLINK_SOCK_DIAG, linux/netlink.h
_BY_FAMILY: Final = 20  # SOCK_DIAG_BY_FAMILY, linux/sock_diag.h
_REQUEST: Final = 1  # NLM_F_REQUEST
_LARGEST: Final = 8_192  # bytes of an answer: more than any row has

_UID: Final = re.compile("[0-9]{1,10}")  # of 32 bits

_MESSAGE: Final = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_QUESTION: Final = struct.Struct("=BBBxI")  # inet_diag_req_v2, up to its id: family, protocol, extensions, states
_ROW: Final = struct.Struct("=BBBB")  # inet_diag_msg, up to its id: family, state, timer, retransmissions
_ENDS: Final = struct.Struct(">HH4s12x4s12x")  # inet_diag_sockid, up to its interface: ports, then addresses
_REST_OF_ID: Final = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)  # any interface; INET_DIAG_NOCOOKIE
_COUNTS: Final = struct.Struct("=IIIII")  # expires, receive queue, send queue, uid, inode


def peer_uid(connection: socket.socket | trio.socket.SocketType) -> int | None:
    """The uid that owns the socket at the other end of this connection, over loopback TCP (IPv4) or a unix socket.

    None if that end is closed already, for which the kernel gives no inode and often root as the owner, or if the
    kernel does not say.
    """
    if connection.family == socket.AF_UNIX:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
        return int(struct.unpack("iII", credentials)[1])
    try:
        return _look_up(connection.getpeername(), connection.getsockname())
    except OSError:  # the connection has ended, or the kernel does not answer
        return None


def tor_uids(told: str, listeners: frozenset[int]) -> frozenset[int]:
    """The uids from which Tor's connections may come. told: Tor's uid as it says (GETINFO process/uid), or empty.

    If it does not say: those that listen at its control port, ours, root, and those that distributions use for Tor.
    """
    if _UID.fullmatch(told):
        return frozenset((int(told),))
    return listeners | owner.tor_users() | {os.getuid(), owner.ROOT}


def _look_up(local: tuple[str, int], remote: tuple[str, int]) -> int | None:
    """The uid of the TCP socket with these two ends. Raises OSError if there is none, or the kernel cannot be asked."""
    ends = _ENDS.pack(local[1], remote[1], socket.inet_aton(local[0]), socket.inet_aton(remote[0]))
    question = _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + ends + _REST_OF_ID
    message = _MESSAGE.pack(_MESSAGE.size + len(question), _BY_FAMILY, _REQUEST, 0, 0) + question
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.send(message)
        answer = kernel.recv(_LARGEST, socket.MSG_DONTWAIT)  # the answer is there when send returns
    return parse_row(answer, ends)


def parse_row(answer: bytes, ends: bytes) -> int | None:
    """The uid in the kernel's answer for the socket with these ends; None if the socket is closed.

    Raises OSError if the answer is an error or about another socket: for a socket that does not exist any more, the
    kernel may name the one that listens at its port.
    """
    start = _MESSAGE.size + _ROW.size
    if _MESSAGE.unpack_from(answer)[1] != _BY_FAMILY or answer[start : start + len(ends)] != ends:
        raise OSError("no answer")
    *_, uid, inode = _COUNTS.unpack_from(answer, start + len(ends) + len(_REST_OF_ID))
    return int(uid) if inode else None
