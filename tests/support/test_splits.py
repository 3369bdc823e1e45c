"""What passes through the SOCKS ports of a network that can be split."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.splits import Splits

ADDRESS = f"{'a' * 56}.onion"


class Echo:
    """A Tor that answers every dial and repeats what it hears, and tells that it has published one address."""

    def __init__(self, path: Path, *published: str) -> None:
        self.socks = f"unix:{path}"
        self._published = published
        self.told = threading.Event()  # whether all that it has published is known

    def events(self, *_: str) -> Iterator[str]:
        for address in self._published:
            yield f"650 HS_DESC UPLOAD {address.removesuffix('.onion')} UNKNOWN $AA"
        self.told.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(self.socks.removeprefix("unix:"))
            server.listen()
            threading.Thread(target=self._serve, args=[server], daemon=True).start()
            yield
            server.shutdown(socket.SHUT_RDWR)

    def _serve(self, server: socket.socket) -> None:
        try:
            while True:
                threading.Thread(target=self._answer, args=[server.accept()[0]], daemon=True).start()
        except OSError:
            pass

    def _answer(self, stream: socket.socket) -> None:
        with stream:
            for reply in (b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x01" + bytes(6)):
                stream.recv(999)
                stream.sendall(reply)
            while data := stream.recv(999):
                stream.sendall(data)


def dialled(port: str) -> socket.socket:
    """A connection to the address through this port, whose dial may still hang."""
    stream = socket.create_connection(("127.0.0.1", int(port.rpartition(":")[2])), timeout=10)
    for piece, length in ((b"\x05\x01\x02", 2), (b"\x01\x02me\x011", 2)):
        stream.sendall(piece)
        assert len(stream.recv(length)) == length
    stream.sendall(b"\x05\x01\x00\x03" + bytes([len(ADDRESS)]) + ADDRESS.encode() + b"\x07\xc0")
    return stream


def hears(stream: socket.socket, seconds: float = 10.0) -> bytes:
    stream.settimeout(seconds)
    try:
        return stream.recv(10)
    except TimeoutError:
        return b""


@pytest.fixture
def ports() -> Iterator[tuple[Splits, list[str]]]:
    """The ports of ann, ben and cho, of whom ben publishes the address."""
    splits = Splits()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="echo-")))
        found = []
        for nick, published in (("ann", ()), ("ben", (ADDRESS,)), ("cho", ())):
            echo = Echo(place / nick, *published)
            stack.enter_context(echo.running())
            found.append(stack.enter_context(splits.port(nick, echo)))  # type: ignore[arg-type]  # as far as it is needed
            echo.told.wait()
        yield splits, found
        splits.end()


def test_links_between_those_who_are_apart_stand_still_and_go_on_later(ports: tuple[Splits, list[str]]) -> None:
    splits, (ann, _, cho) = ports
    with dialled(ann) as apart, dialled(cho) as together:
        assert len(hears(apart)) == len(hears(together)) == 10
        splits.split(["ann"], ["ben", "cho"])
        for stream in (apart, together):
            stream.sendall(b"hello")
        assert hears(together) == b"hello"
        assert hears(apart, 0.2) == b""
        with dialled(ann) as hung:
            assert hears(hung, 0.2) == b""
            splits.heal()
            assert hears(apart) == b"hello"
            assert len(hears(hung)) == 10
