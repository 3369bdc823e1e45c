"""Which local users listen at a port of Tor. This is checked before the first byte is sent.

Any local user can listen on a port where we look for a Tor, and would get room keys and codes.
"""

import ipaddress
import os
import pwd
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

import trio

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.net.tor.errors import ForeignListener, UnknownListener

ROOT = 0
_TOR_USERS = ("debian-tor", "tor", "_tor", "toranon")  # Debian; Arch, Alpine and others; the BSDs and macOS; Fedora
_CREDENTIALS = struct.Struct("iII")  # struct ucred, of unix(7)
_LISTEN = "0A"  # the state in /proc/net/tcp
_TABLE, _TABLE6 = Path("/proc/net/tcp"), Path("/proc/net/tcp6")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


async def connect(endpoint: Endpoint, *, discovered: bool) -> tuple[trio.SocketStream, frozenset[int]]:
    """A connection to a port of Tor, and the uids of all who may be at its other end; empty if they are not known.

    discovered: the user did not name this endpoint, so all of them must be trusted. Nothing is sent. Raises OSError,
    and TorUntrusted, which closes the connection.
    """
    if endpoint.path:
        stream = await trio.open_unix_socket(endpoint.path)
        owners = peer_users(stream.socket)
    else:
        before = listeners_at(endpoint)
        stream = await _open_tcp(endpoint)
        # If the same sockets listen before and after, one of them took the connection.
        owners = frozenset(uid for uid, _ in before) if before == listeners_at(endpoint) else frozenset()
    if discovered and not (owners and all(map(is_trusted, owners))):
        await trio.aclose_forcefully(stream)
        if not owners:
            raise UnknownListener(endpoint)
        raise ForeignListener(" and uid ".join(map(str, sorted(owners))), endpoint)
    return stream, owners


async def _open_tcp(endpoint: Endpoint) -> trio.SocketStream:
    opened = trio.socket.socket(socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET)
    try:
        await opened.connect((endpoint.host, endpoint.port))
    except BaseException:
        opened.close()
        raise
    return trio.SocketStream(opened)


def peer_users(connected: trio.socket.SocketType) -> frozenset[int]:
    """The uid that listened at the other end of a unix socket: SO_PEERCRED of unix(7)."""
    _, uid, _ = _CREDENTIALS.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return frozenset((uid,))


def listeners_at(endpoint: Endpoint) -> frozenset[tuple[int, int]]:
    """uid and inode of each socket that may accept a connection to this TCP port; empty if that is not known.

    It is never known for another machine, whose connections do not reach the wildcard sockets of this one.
    """
    address = _plain(ipaddress.ip_address(endpoint.host))
    if not address.is_loopback:
        return frozenset()
    try:
        table = _TABLE.read_text("ascii")
        with suppress(FileNotFoundError):  # a kernel without IPv6
            table += _TABLE6.read_text("ascii")
    except OSError:
        return frozenset()
    rows = (row.split() for row in table.splitlines() if f" {_LISTEN} " in row)  # most have other states
    return frozenset(
        (int(row[7]), int(row[9])) for row in rows if row[3] == _LISTEN and _takes(row[1], address, endpoint.port)
    )


def _takes(local: str, address: Address, port: int) -> bool:
    """Whether a socket with this `local_address` in /proc/net/tcp or tcp6 may accept connections to address and port.

    An IPv6 wildcard may accept IPv4 connections as well: the table does not say which ones do not.
    """
    raw, _, number = local.partition(":")
    if int(number, 16) != port:
        return False
    words = (int(raw[start : start + 8], 16) for start in range(0, len(raw), 8))
    there = _plain(ipaddress.ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words)))
    return there == address or (there.is_unspecified and address.version <= there.version)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address maps, or the address itself."""
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(uid: int) -> bool:
    """Whether this is us, root or Tor's own user; never the uid that stands for users of other namespaces."""
    return uid != _overflow() and (uid in (os.getuid(), ROOT) or uid in tor_users())


def tor_users() -> frozenset[int]:
    """The uids of the system users that distributions create for Tor.

    A user of such a name who is not a system user is a person: Tor is also a first name.
    """
    uids = set()
    for name in _TOR_USERS:
        with suppress(KeyError):
            uids.add(pwd.getpwnam(name).pw_uid)
    return frozenset(uid for uid in uids if uid < limits.SYSTEM_UIDS)


def _overflow() -> int:
    try:
        return int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return limits.OVERFLOW_UID
