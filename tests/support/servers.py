"""Servers played by hand, on loopback ports that the kernel picks or on unix sockets; and a Tor of mere words."""

import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio

from anonp2p.config import Endpoint

Play = Callable[[trio.SocketStream], Awaitable[None]]

PATIENCE = 30.0  # seconds after which a test over real sockets is stuck


async def read(stream: trio.abc.Stream, count: int) -> bytes:
    """So many bytes, or less if the stream ends before."""
    data = b""
    while len(data) < count and (piece := await stream.receive_some(count - len(data))):
        data += piece
    return data


@asynccontextmanager
async def server(play: Play, path: Path | None = None) -> AsyncIterator[Endpoint]:
    """Where a server listens that plays this to each who connects and then hangs up."""

    async def attend(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await play(stream)

    async with trio.open_nursery() as nursery:
        if path is None:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            endpoint = Endpoint(host="127.0.0.1", port=listener.socket.getsockname()[1])
        else:
            listening = trio.socket.socket(trio.socket.AF_UNIX)
            await listening.bind(str(path))
            listening.listen()
            listener = trio.SocketListener(listening)
            endpoint = Endpoint(path=str(path))
        await nursery.start(trio.serve_listeners, attend, [listener])
        nursery.cancel_scope.deadline = trio.current_time() + PATIENCE
        yield endpoint
        nursery.cancel_scope.deadline = float("inf")
        nursery.cancel_scope.cancel()
    if nursery.cancel_scope.deadline < float("inf"):
        raise trio.TooSlowError


def says(*lines: tuple[bytes, bytes], then: bytes = b"") -> Play:
    """Waits for the one and answers with the other, line by line; then echoes what comes."""

    async def play(stream: trio.SocketStream) -> None:
        for expected, answer in lines:
            assert await read(stream, len(expected)) == expected
            await stream.send_all(answer)
        await stream.send_all(then)
        async for data in stream:
            await stream.send_all(data)

    return play


class FakeTor:
    """A Tor's control port and nothing behind it, to be given as the play of a `server`.

    info: what GETINFO tells, by key; what is not there is unknown. unknown: words that its ADD_ONION does not know, and
    what it answers to them. unknown_events: kinds that its SETEVENTS does not know. deny: answers to commands, by their
    first word, instead of the usual ones. deaf: commands that get no answer. cookie: what AUTHCHALLENGE is about.
    taken: how many times it still has the service to be added.
    """

    def __init__(self) -> None:
        self.methods = "NULL"
        self.info = {"version": "0.4.9.11", "status/bootstrap-phase": self.phase(100, "Done")}
        self.cookie = b""
        self.proof = ""  # what we have to be sent after a challenge
        self.unknown: dict[str, str] = {}
        self.unknown_events: set[str] = set()
        self.deny: dict[str, str] = {}
        self.deaf: set[str] = set()
        self.taken = 0
        self.heard: list[str] = []
        self._streams: list[trio.SocketStream] = []
        self._voice = trio.Lock()  # answers and events come from different tasks
        self._news = trio.Event()

    @staticmethod
    def phase(progress: int, summary: str) -> str:
        """A bootstrap phase as Tor words it."""
        return f'NOTICE BOOTSTRAP PROGRESS={progress} TAG=some_tag SUMMARY="{summary}"'

    async def __call__(self, stream: trio.SocketStream) -> None:
        """Answers line by line until it is hung up on."""
        self._streams.append(stream)
        rest = b""
        async for data in stream:
            *lines, rest = (rest + data).split(b"\r\n")
            for line in map(bytes.decode, lines):
                self.heard.append(line)
                self._news.set()
                self._news = trio.Event()
                if line.split(" ")[0] not in self.deaf:
                    answer = b"".join(part.encode() + b"\r\n" for part in self._answer(line))
                    async with self._voice:
                        await stream.send_all(answer)

    def _answer(self, line: str) -> list[str]:
        word, _, rest = line.partition(" ")
        match word:
            case _ if word in self.deny:
                return [self.deny[word]]
            case "PROTOCOLINFO":
                return [
                    "250-PROTOCOLINFO 1",
                    f"250-AUTH METHODS={self.methods}",
                    '250-VERSION Tor="0.4.9.11"',
                    "250 OK",
                ]
            case "GETINFO" if rest in self.info:
                return [f"250-{rest}={self.info[rest]}", "250 OK"]
            case "GETINFO":
                return [f'552 Unrecognized key "{rest}"']
            case "AUTHCHALLENGE":
                nonces = bytes.fromhex(rest.removeprefix("SAFECOOKIE ")) + bytes(range(32))
                ours, self.proof = (
                    hmac.digest(
                        f"Tor safe cookie authentication {way} hash".encode(), self.cookie + nonces, "sha256"
                    ).hex()
                    for way in ("server-to-controller", "controller-to-server")
                )
                return [f"250 AUTHCHALLENGE SERVERHASH={ours.upper()} SERVERNONCE={bytes(range(32)).hex().upper()}"]
            case "AUTHENTICATE" if self.proof and rest != self.proof:
                return ["515 Authentication failed: Safe cookie response did not match expected value."]
            case "ADD_ONION" if answers := [answer for word, answer in self.unknown.items() if word in rest]:
                return answers[:1]
            case "ADD_ONION" if self.taken:
                self.taken -= 1
                return ["550 Onion address collision"]
            case "ADD_ONION":
                return ["250-ServiceID=" + "a" * 56, "250 OK"]
            case "SETEVENTS" if self.unknown_events & set(rest.split()):
                return ["552 Unrecognized event"]
            case (
                "AUTHENTICATE"
                | "SETEVENTS"
                | "DEL_ONION"
                | "TAKEOWNERSHIP"
                | "HSFETCH"
                | "SIGNAL"
                | ("ONION_CLIENT_AUTH_ADD" | "ONION_CLIENT_AUTH_REMOVE")
            ):
                return ["250 OK"]
            case _:
                return ["510 Unrecognized command"]

    async def tell(self, event: str) -> None:
        """Sends an event to all who are connected."""
        for stream in self._streams:
            async with self._voice:
                await stream.send_all(f"650 {event}\r\n".encode())

    async def hang_up(self) -> None:
        """Hangs up on all."""
        for stream in self._streams:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await stream.send_eof()

    async def hears(self, pattern: str) -> str:
        """The first line that matches, among all that were or will be heard."""
        while not (found := [line for line in self.heard if re.search(pattern, line)]):
            await self._news.wait()
        return found[0]
