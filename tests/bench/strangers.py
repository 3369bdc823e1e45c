"""Those who do their worst to a host, in a process of their own; see scripts/bench hostile.

Gets what to do as one line of JSON on stdin: habits (by their names below, one for each stream, in turn), streams,
room, and port, or else socks and code. Goes on until stdin ends; then says what it has done, as JSON.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, Final

import trio

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.crypto import identity, padding, suite
from anonp2p.crypto.epoch import ENTRY, Epoch, Header
from anonp2p.errors import AnonError, PeerFault
from anonp2p.net.tor import socks
from anonp2p.protocol import bodies, frames, handshake, welcome
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import Hello, JoinRequest
from anonp2p.protocol.wire import Splitter
from anonp2p.room.contents import entry_content, padded_content

PAUSE: Final = 0.05  # seconds until one who was not connected dials again
RAID_TEXTS: Final = 20  # that each one says who raids a room
RAID_PAUSE: Final = 0.5  # seconds between them
_ENDED: Final = (trio.BrokenResourceError, trio.ClosedResourceError, socks.SocksError, OSError, PeerFault, AnonError)


class _Over(Exception):
    """The host has closed the link."""


class Stranger:
    """One link and who is at its end: with fresh keys."""

    def __init__(self, stream: trio.abc.Stream, room: bytes, done: Counter[str]) -> None:
        self.done = done
        self.stream = stream
        self._room = room
        self._splitter = Splitter(padding.SIZES[-1])
        self._me = identity.Identity(os.urandom(32), room)
        self._key = suite.EncryptionKeyPair(os.urandom(32))
        self._greeting: Hello | None = None
        self._hello = b""
        self._channel: Channel | None = None
        self._epoch: Epoch | None = None
        self._place = (0, b"")  # the latest entry when we came, and the digest there
        self._counter = 0

    async def send(self, data: bytes) -> None:
        """Sends, as fast as the host reads."""
        self.done["sent"] += len(data)
        await self.stream.send_all(data)

    async def receive(self) -> bytes:
        """What has come. Raises _Over."""
        data = bytes(await self.stream.receive_some(65_536))
        self.done["received"] += len(data)
        if not data:
            raise _Over
        return data

    async def read(self) -> bytes:
        """The next content."""
        while (content := self._splitter.next_content()) is None:
            self._splitter.feed_data(await self.receive())
        return content

    async def listen(self) -> None:
        """Reads, and looks at nothing, until the host closes the link."""
        while True:
            await self.receive()

    async def greet(self) -> None:
        """Waits for the host's hello."""
        self._greeting, self._hello = handshake.read_hello(await self.read())

    async def ask(self, *, signed: bool = True) -> None:
        """Asks to be let in."""
        assert self._greeting is not None
        link = os.urandom(32)
        unsigned = JoinRequest(link, self._me.key, self._key.public, "", bytes(64))
        signature = self._me.sign(identity.JOIN, handshake.join_content(self._hello, unsigned))
        request = JoinRequest(link, self._me.key, self._key.public, "", signature if signed else bytes(64))
        ticket = os.urandom(handshake.TICKET)
        await self.send(handshake.seal_request(request, self._room, self._greeting, self._hello, ticket))
        self._channel = Channel(link, self._hello, up=True)

    async def enter(self) -> None:
        """Asks, and reads all of the welcome. Raises _Over when there is none."""
        await self.greet()
        await self.ask()
        assert self._channel is not None
        arrival: welcome.WelcomeReader | None = None
        while self._epoch is None:
            for frame in self._channel.open_record(await self.read()).frames:
                if isinstance(frame, frames.RefusedFrame):
                    self.done[f"refused as {frame.reason}"] += 1
                    raise _Over
                if isinstance(frame, frames.WelcomeFrame):
                    arrival = welcome.WelcomeReader(frame, self._key, self._room, self._hello)
                elif isinstance(frame, frames.PageFrame) and arrival and (state := arrival.take_page(frame)):
                    self._epoch = welcome.make_epoch(state)
                    self._place = int.from_bytes(state.head[:8], "big"), state.head[8:40]
        self.done["let in"] += 1

    async def say(self, said: list[frames.Frame]) -> None:
        """Sends a record."""
        assert self._channel is not None
        await self.send(self._channel.seal_frames(said))

    def entry(self, body: bodies.Body, skipped: int = 0) -> frames.SubmitFrame:
        """An entry, signed and sealed. skipped: how many generations it leaves out."""
        assert self._epoch is not None
        self._counter += 1
        generation = self._epoch.ratchets[self._me.id].generation + skipped
        header = Header(ENTRY, self._me.id, self._counter, generation)
        content = padded_content(bodies.Content(bytes(limits.SALT), *self._place, body))
        signature = self._me.sign(identity.ENTRY, entry_content(self._epoch.number, header.pack(), content))
        return frames.SubmitFrame(self._epoch.number, self._epoch.seal_entry(header, signature + content))

    def key_request(self) -> frames.KeyRequestFrame:
        """Asks for our own key: one that is there."""
        return frames.KeyRequestFrame(suite.hash_data(self._key.public))


# --- habits


async def _be_silent(it: Stranger) -> None:
    await it.listen()


async def _send_noise(it: Stranger) -> None:
    await it.greet()
    await it.send(padding.frame_content(os.urandom(limits.CLIENT_HANDSHAKE - padding.LENGTH)))
    await it.listen()


async def _forge(it: Stranger) -> None:
    await it.greet()
    await it.ask(signed=False)
    await it.listen()


async def _join_and_leave(it: Stranger) -> None:
    await it.enter()
    await it.say([it.entry(bodies.LeaveBody())])
    await it.listen()


async def _join_and_hang_up(it: Stranger) -> None:
    await it.enter()


async def _raid(it: Stranger) -> None:
    await it.enter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(it.listen)
        for _ in range(RAID_TEXTS):
            await it.say([_text(it)])
            it.done["messages"] += 1
            await trio.sleep(RAID_PAUSE)
        while True:
            await it.say([])
            await trio.sleep(limits.HEARTBEAT)


def _flood(make: Callable[[Stranger], frames.Frame]) -> Callable[[Stranger], Awaitable[None]]:
    """A member that says this as fast as it can."""

    async def flood(it: Stranger) -> None:
        await it.enter()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(it.listen)
            while True:
                await it.say([make(it) for _ in range(limits.FRAMES)])
                it.done["frames"] += limits.FRAMES

    return flood


def _text(it: Stranger) -> frames.Frame:
    return it.entry(bodies.TextBody("x", False, None))


def _skip(it: Stranger) -> frames.Frame:
    return it.entry(bodies.TextBody("x", False, None), skipped=limits.SKIPPED)


def _nick(it: Stranger) -> frames.Frame:
    return it.entry(bodies.NickBody(f"n{os.urandom(6).hex()}"))


def _private(it: Stranger) -> frames.Frame:
    return it.entry(bodies.PrivateBody(os.urandom(1_137)))


HABITS: dict[str, Callable[[Stranger], Awaitable[None]]] = {
    "silence": _be_silent,
    "noise": _send_noise,
    "forgery": _forge,
    "leaving": _join_and_leave,
    "absence": _join_and_hang_up,
    "texts": _flood(_text),
    "skipping": _flood(_skip),
    "keys": _flood(Stranger.key_request),
    "nicks": _flood(_nick),
    "privates": _flood(_private),
}
_ALL: dict[str, Callable[[Stranger], Awaitable[None]]] = {**HABITS, "raid": _raid}  # the last is scripts/bench raid


# --- the program


async def _main() -> None:
    plan: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    room, done = bytes.fromhex(plan["room"]), Counter[str]()

    async def dial(number: int, attempt: int) -> trio.abc.Stream:
        if "port" in plan:
            return await trio.open_tcp_stream("127.0.0.1", plan["port"])
        circuit = f"{number // limits.STREAMS}"  # as many streams to a circuit as may be
        way = Endpoint(path=plan["socks"])
        return await socks.connect(way, plan["code"], limits.PORT, circuit, str(attempt // 20))

    async def go_on(number: int) -> None:
        habit = _ALL[plan["habits"][number % len(plan["habits"])]]
        for attempt in count():
            try:
                stream = await dial(number, attempt)
                done["links"] += 1
                async with stream:
                    await habit(Stranger(stream, room, done))
            except* _ENDED:
                done["not connected"] += 1
                await trio.sleep(PAUSE)
            except* _Over:
                pass

    async with trio.open_nursery() as nursery:
        for number in range(plan["streams"]):
            nursery.start_soon(go_on, number)
        async with trio.lowlevel.FdStream(os.dup(0)) as asked:
            while await asked.receive_some():
                print(json.dumps(done), flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    os.nice(10)  # they have machines of their own, and should not take the host's processor here
    trio.run(_main)
