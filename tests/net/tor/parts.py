"""What the tests of Tor's parts share: a room, servers that answer as they are told to, connections to a fake Tor."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio

from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, first
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import commands, tor
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.tor import Tor
from anonp2p.room import events
from tests.support.servers import Play, server

KEY = RoomKey(bytes(range(32)))
ADDRESS = KEY.code.removesuffix(".onion")
NOTHING = commands.NO_ADDRESS.removesuffix(".onion")
STRANGER = os.getuid() + 12_345  # another user
NOWHERE = Endpoint(path="/nonexistent/socks")
OFFLINE = "DisableNetwork 1\n"  # for a torrc
SECRET = bytes(range(100, 132))  # in a file of ours that has the size of a cookie

# For `pytestmark`. stem's ways: the second, in threads that we have given up, comes at any time.
STEM = [
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


@contextmanager
def refused(error: type[AnonError], words: str) -> Iterator[None]:
    """This error, with these words in what the user is told; and no key."""
    with pytest.raises(error) as caught:
        yield
    assert words in str(caught.value)
    assert KEY.expanded_private_key() not in repr(caught.value)


@asynccontextmanager
async def control_of(fake: Play, path: Path) -> AsyncIterator[Control]:
    """A control connection to a fake Tor."""
    async with server(fake, path / "control") as endpoint, aclosing(await Control.open(endpoint)) as control:
        yield control


@asynccontextmanager
async def connected(config: Config) -> AsyncIterator[tuple[Tor, list[events.Event]]]:
    """A Tor as the program connects to it, and the events until then."""
    told: list[events.Event] = []
    async with tor.connect(config, told.append) as connected_tor:
        yield connected_tor, told


async def failure(config: Config) -> AnonError:
    """The error that connecting raises."""
    try:
        async with connected(config):
            pytest.fail("it connected")
    except* AnonError as group:
        error = first(group)
    return error


def replies(*answers: bytes, heard: list[bytes] | None = None) -> Play:
    """Reads once before each of these answers, and hangs up after the last. heard: gets what was read."""

    async def play(stream: trio.SocketStream) -> None:
        for answer in answers:
            data = await stream.receive_some()
            if heard is not None:
                heard.append(bytes(data))
            await stream.send_all(answer)

    return play


def socks_replies(code: int, heard: list[bytes] | None = None) -> Play:
    """A SOCKS port that answers a dial with this code."""
    return replies(b"\x05\x02", b"\x01\x00", bytes([5, code, 0, 1]) + bytes(6), heard=heard)


def described(action: str, address: str = ADDRESS) -> str:
    """An event about a room's descriptor."""
    return f"HS_DESC {action} {address} UNKNOWN $" + "A" * 40


class Silent:
    """A server that says nothing. heard: what it was sent; left: set when the other end has closed a connection."""

    def __init__(self) -> None:
        self.heard = b""
        self.left = trio.Event()

    async def __call__(self, stream: trio.SocketStream) -> None:
        async for data in stream:
            self.heard += data
        self.left.set()
