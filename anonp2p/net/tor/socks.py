"""SOCKS5 as in Tor: RFC 1928, passwords for isolation (RFC 1929), and Tor's extended errors (proposal 304)."""

import trio

from anonp2p.config import Endpoint
from anonp2p.net.tor import owner

_VERSION = 5
_BY_PASSWORD = 2
_CONNECT = 1
_DOMAIN = 3
_ADDRESS_LENGTHS = {1: 4, 4: 16}  # of IPv4 and IPv6 addresses in a reply


class SocksError(Exception):
    """The proxy refused. code: its reply field, or None if it did not speak SOCKS5."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


async def greet(stream: trio.abc.Stream, user: str, password: str) -> None:
    """Authenticates with user and password, which Tor does not check. Raises SocksError, trio.BrokenResourceError."""
    await stream.send_all(bytes([_VERSION, 1, _BY_PASSWORD]))
    if await _read(stream, 2) != bytes([_VERSION, _BY_PASSWORD]):
        raise SocksError(None)
    await stream.send_all(b"\x01" + _counted(user) + _counted(password))
    if (await _read(stream, 2))[1] != 0:
        raise SocksError(None)


async def connect(
    proxy: Endpoint, host: str, port: int, user: str, password: str, *, discovered: bool = False
) -> trio.SocketStream:
    """A stream to host and port through the proxy.

    user, password: Tor never lets streams with different ones share a circuit (tor(1), IsolateSOCKSAuth). discovered:
    the user did not name the proxy, so whoever listens there must be trusted. Raises OSError if the proxy is not there,
    TorUntrusted, SocksError if it refuses, trio.BrokenResourceError if it closes the connection.
    """
    stream, _ = await owner.connect(proxy, discovered=discovered)
    try:
        await greet(stream, user, password)
        request = bytes([_VERSION, _CONNECT, 0, _DOMAIN]) + _counted(host) + port.to_bytes(2, "big")
        await stream.send_all(request)
        version, code, _, kind = await _read(stream, 4)
        if version != _VERSION:
            raise SocksError(None)
        if code:
            raise SocksError(code)
        length = (await _read(stream, 1))[0] if kind == _DOMAIN else _ADDRESS_LENGTHS.get(kind)
        if length is None:
            raise SocksError(None)
        await _read(stream, length + 2)  # the bound address and port, which Tor does not use
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


def _counted(text: str) -> bytes:
    raw = text.encode("ascii")
    return bytes([len(raw)]) + raw


async def _read(stream: trio.abc.Stream, count: int) -> bytes:
    """Exactly this many bytes: those after a reply are from the peer."""
    data = b""
    while len(data) < count:
        piece = await stream.receive_some(count - len(data))
        if not piece:
            raise trio.BrokenResourceError
        data += piece
    return data
