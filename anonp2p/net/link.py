"""One link: frames over a stream of bytes, one reader, one writer, beats when idle and an end when silent."""

import os
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from anonp2p import limits
from anonp2p.core import frames
from anonp2p.core.log import Log
from anonp2p.errors import PeerFault

_BEAT = frames.encode(frames.Beat())
_random = random.SystemRandom()


def _next_beat() -> float:
    """When a link has to carry a beat if nothing else goes over it; not at the same time for all links."""
    return trio.current_time() + limits.BEAT * (1 - limits.BEAT_JITTER * _random.random())


class Link:
    """A link to a peer. Frames meant for it alone are queued; from `follow` on it also gets the log from its cursor.

    accepts, longest: the frames that the peer may send, and their length in bytes (see frames.Decoder). seconds: until
    the link ends unless `settle` is called: for the handshake.
    """

    def __init__(self, stream: trio.abc.Stream, accepts: Any, longest: int, seconds: float) -> None:
        self.detail = "the connection was closed"  # why it ended, once it has
        self.settled = False
        self._stream = stream
        self._decoder = frames.Decoder(accepts, longest)
        self._direct: deque[bytes] = deque()
        self._log: Log | None = None
        self._cursor = 0
        self._rest: bytes | memoryview = b""  # taken, but not sent yet: it goes before anything else
        self._finishing = False
        self._news = trio.Event()
        self._beat_at = _next_beat()
        self._heard_at = trio.current_time()
        self._quiet = limits.HANDSHAKE_SECONDS  # how long the peer may say nothing
        self._patience = trio.CancelScope()
        self._scope = trio.CancelScope(deadline=trio.current_time() + seconds)

    # --- from the session; none of these waits

    def send(self, data: bytes) -> None:
        """Queues frames for this link alone. A peer that makes us queue too many without reading them is dropped."""
        self._queue(data)
        self._news.set()

    def accept(self, accepts: Any) -> None:
        """From its next frame on, the peer may send these, as long as any frame may be."""
        self._decoder.accept(accepts, limits.FRAME)

    def settle(self) -> None:
        """The handshake is over: no deadline any more, and beats from now on."""
        self.settled = True
        self._quiet = limits.LINK_LOST
        self._patience.deadline = self._heard_at + self._quiet
        self._scope.deadline = float("inf")
        self._beat_at = _next_beat()
        self._news.set()

    def follow(self, log: Log, cursor: int) -> None:
        """From now on, after what is queued, this link gets every entry of the log from the cursor on."""
        self._log, self._cursor = log, cursor
        self._news.set()

    def pulse(self, data: bytes) -> None:
        """Sends a head, unless there are entries on their way, which say as much and end in a head of their own."""
        if self._log is not None and self._cursor == self._log.end:
            self._queue(data)
            self._flush()

    @property
    def silence(self) -> float:
        """For how many seconds nothing has been heard."""
        return trio.current_time() - self._heard_at

    def wake(self) -> None:
        """The log may have grown. Whoever it has left behind is cut, even in the middle of a write that never ends."""
        if self._log is not None and self._cursor < self._log.start:
            self.drop("it lagged too far behind")
        self._flush()

    def finish(self) -> None:
        """Ends the link once everything there is for it has been sent, and the peer has had time to read it.

        A socket closed with unread bytes in it can take what was sent last with it: so the peer closes first.
        """
        self._finishing = True
        self._scope.deadline = trio.current_time() + limits.LINGER
        self._news.set()

    def drop(self, reason: str) -> None:
        """Ends the link at once, unless it is ending already."""
        if not self._scope.cancel_called:
            self.detail = reason
            self._scope.cancel()

    def _queue(self, data: bytes) -> None:
        if len(self._direct) < limits.DIRECT:
            self._direct.append(data)
        else:
            self.drop("it does not read what it asks for")

    def _flush(self) -> None:
        """Sends at once what the kernel takes at once: to wake the writer for it would cost several times as much.

        The writer does all else: the rest, what comes while a write is under way, and whatever is not for a socket.
        """
        if not (self._rest or self._scope.cancel_called):
            data = self._take()
            sent = self._offer(data)
            # A view, so that those who are stuck share what they are sent; not of nothing, which would keep all of it.
            self._rest = memoryview(data)[sent:] if sent < len(data) else b""
        if self._rest or (self._log is not None and self._cursor != self._log.end):
            self._news.set()

    def _offer(self, data: bytes) -> int:
        """How many of these bytes the kernel has taken."""
        if not (data and isinstance(self._stream, trio.SocketStream)):
            return 0
        try:
            sent = os.write(self._stream.socket.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError:
            self.drop("the connection broke")
            return 0
        if self._log is None:  # otherwise it carries no beats
            self._beat_at = _next_beat()
        return sent

    # --- the link's own task

    async def run(self, arrived: Callable[[frames.Frame], Awaitable[None]]) -> None:
        """Reads and writes until the link ends, and closes the stream; `detail` says why.

        arrived: is given each frame, in order. Nothing that the peer or the network does makes this raise.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write)
                    await self._read(arrived)
                    nursery.cancel_scope.cancel()
            if self._scope.cancelled_caught and trio.current_time() >= self._scope.deadline and not self.settled:
                self.detail = "the handshake took too long"
        finally:
            self._scope.cancel()  # so that nobody writes any more
            await trio.aclose_forcefully(self._stream)

    async def _read(self, arrived: Callable[[frames.Frame], Awaitable[None]]) -> None:
        try:
            while True:
                self._patience = trio.CancelScope(deadline=self._heard_at + self._quiet)
                with self._patience:
                    data = await self._stream.receive_some(limits.READ)
                if self._patience.cancelled_caught:
                    self.detail = f"nothing was heard for {limits.LINK_LOST:.0f} seconds"
                    return
                if not data:
                    return
                self._heard_at = trio.current_time()
                for frame in self._decoder.feed(bytes(data)):
                    await arrived(frame)
        except PeerFault as fault:
            self.detail = str(fault)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.detail = "the connection broke"

    async def _write(self) -> None:
        try:
            while True:
                self._rest = self._rest or self._take()
                if self._rest:
                    await self._stream.send_all(self._rest)
                    self._rest = b""
                    self._beat_at = _next_beat()
                elif self._finishing:
                    return
                else:
                    await self._await_news()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.drop("the connection broke")

    def _take(self) -> bytes:
        """Everything at hand, in one piece."""
        data = b"".join(self._direct)
        self._direct.clear()
        if self._log is None:
            return data
        batch = self._log.since(self._cursor)
        if batch is None:
            return b""  # `wake` has cut us
        entries, self._cursor = batch
        return data + entries if data else entries

    async def _await_news(self) -> None:
        """Returns when there may be something to send: news, or a beat that is due."""
        self._news = trio.Event()
        beats = self.settled and self._log is None  # a host's links have its heads
        with trio.move_on_at(self._beat_at if beats else float("inf")) as idle:
            await self._news.wait()
        if idle.cancelled_caught:
            self._direct.append(_BEAT)
