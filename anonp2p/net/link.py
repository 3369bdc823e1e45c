"""One link: payloads over a stream of bytes, a task that reads, one that writes when need be, an end when silent."""

import os
from collections.abc import Awaitable, Callable, Sequence

import trio

from anonp2p import limits
from anonp2p.core.frames import Frame
from anonp2p.core.handshake import Channel
from anonp2p.core.log import Reader
from anonp2p.core.wire import SIZES, Splitter
from anonp2p.errors import PeerFault


class Link:
    """A link to a peer. What is meant for it alone is queued; from `follow` on it also gets the log.

    longest: how many bytes a content of the peer's may have until the handshake is over, for which it has its time.
    """

    def __init__(self, stream: trio.abc.Stream, longest: int) -> None:
        self.detail = "the connection was closed"  # why it ended, once it has
        self.settled = False
        self.knocked = False  # whether the room has what the peer asks for, as its host sets it
        self.dismissed = False  # whether it was ended from this side, by the room
        self._stream = stream
        self._splitter = Splitter(longest)
        self._direct: list[bytes] = []
        self._frames: list[Frame] = []  # to be said in a record, once it is written
        self._record = self._echo = False  # whether there is to be one, if an empty one; whether it asks for an answer
        self._channel: Channel | None = None
        self._reader: Reader | None = None
        self._rest: bytes | memoryview = b""  # taken, but not sent yet: it goes before anything else
        self._finished = False
        self._nursery: trio.Nursery | None = None
        self._writing = False  # whether there is a task for it
        self._heard_at = trio.current_time()
        self._quiet = limits.HANDSHAKE_SECONDS  # how long the peer may say nothing
        self._patience = trio.CancelScope()
        self._scope = trio.CancelScope(deadline=trio.current_time() + limits.HANDSHAKE_SECONDS)

    # --- from the session; none of these waits

    def send(self, data: bytes) -> None:
        """Queues bytes for this link alone."""
        self._queue(data)
        self._start_writing()

    def say(self, frames: Sequence[Frame], *, echo: bool = False) -> None:
        """Queues frames for this link alone. A peer that makes us queue too many without reading them is dropped."""
        if len(self._frames) + len(frames) > limits.DIRECT:
            self._end("it does not read what it asks for")
            return
        self._frames += frames
        self._record, self._echo = True, self._echo or echo
        self._start_writing()

    def settle(self, channel: Channel) -> None:
        """The handshake is over: no deadline any more, records, and contents as long as any may be."""
        self.settled = True
        self._channel = channel
        self._splitter.longest = SIZES[-1]
        self._quiet = limits.LINK_LOST
        self._patience.deadline = self._heard_at + self._quiet
        self._scope.deadline = float("inf")

    @property
    def is_half_open(self) -> bool:
        """Whether it is up, and in its handshake."""
        return not (self.settled or self._scope.cancel_called)

    @property
    def is_being_answered(self) -> bool:
        """Whether the room has its knock, and has not decided yet."""
        return self.knocked and not (self.settled or self._finished)

    def follow(self, reader: Reader) -> None:
        """From now on, after what is queued, this link gets what the reader gives."""
        self._reader = reader
        self._start_writing()

    def pulse(self, data: bytes) -> None:
        """Sends a head, unless there are entries on their way, which say as much and end in a head of their own."""
        self._cut_if_left_behind()
        if self._reader is not None and self._reader.is_through and not self._reader.is_out:
            self._queue(data)
            self._flush()

    @property
    def silence(self) -> float:
        """For how many seconds nothing has been heard."""
        return trio.current_time() - self._heard_at

    def wake(self) -> None:
        """The log may have grown."""
        self._cut_if_left_behind()
        self._flush()

    def _cut_if_left_behind(self) -> None:
        """Whoever the log has left behind is cut, even in the middle of a write that never ends.

        So is whoever does not take what has expired: it is to be nowhere any more.
        """
        if self._reader is not None and (self._reader.lags or (self._rest and self._reader.holds_what_is_gone)):
            self._end("it lagged too far behind")
            self._rest = b""

    def finish(self) -> None:
        """Ends the link once everything there is for it has been sent, and the peer has had time to read it.

        A socket closed with unread bytes in it can take what was sent last with it: so the peer closes first.
        """
        self._finished = True
        self._scope.deadline = trio.current_time() + limits.LINGER
        self._start_writing()

    def drop(self, reason: str) -> None:
        """The room wants no more of it: it ends at once."""
        self.dismissed = True
        self._end(reason)

    def _end(self, reason: str) -> None:
        if not self._scope.cancel_called:
            self.detail = reason
            self._scope.cancel()

    def _queue(self, data: bytes) -> None:
        if len(self._direct) < limits.DIRECT:
            self._direct.append(data)
        else:
            self._end("it does not read what it is sent")

    def _flush(self) -> None:
        """Sends at once what the kernel takes at once: to start a task for it would cost several times as much.

        A task does all else: the rest, what comes while a write is under way, and whatever is not for a socket.
        """
        if not (self._rest or self._scope.cancel_called):
            data = self._take()
            sent = self._offer(data)
            # A view, so that those who are stuck share what they are sent; not of nothing, which would keep all of it.
            self._rest = memoryview(data)[sent:] if sent < len(data) else b""
            self._note_sent()
        if self._rest or not (self._reader is None or self._reader.is_through):
            self._start_writing()

    def _start_writing(self) -> None:
        """Has what is at hand sent, once the session's burst is over. Idle, a link is one task the lighter."""
        if self._nursery is not None and not self._writing:
            self._writing = True
            self._nursery.start_soon(self._write)

    def _offer(self, data: bytes) -> int:
        """How many of these bytes the kernel has taken."""
        if not (data and isinstance(self._stream, trio.SocketStream)):
            return 0
        try:
            return os.write(self._stream.socket.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError:
            self._end("the connection broke")
            return 0

    # --- the link's own task

    async def run(
        self, arrived: Callable[[bytes], Awaitable[None]], begin: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """Reads and writes until the link ends, and closes the stream; `detail` says why.

        arrived: is given each payload, in order. begin: comes before all of them, and ends with the link as they do.
        Nothing that the peer or the network does makes this raise.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    self._nursery = nursery
                    try:
                        self._start_writing()
                        if begin is not None:
                            await begin()
                        await self._read(arrived)
                    finally:
                        self._nursery = None
                    nursery.cancel_scope.cancel()
            if self._scope.cancelled_caught and trio.current_time() >= self._scope.deadline and not self.settled:
                self.detail = "the handshake took too long"
        finally:
            self._scope.cancel()  # so that nobody writes any more
            await trio.aclose_forcefully(self._stream)

    async def _read(self, arrived: Callable[[bytes], Awaitable[None]]) -> None:
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
                for payload in self._splitter.feed(bytes(data)):
                    await arrived(payload)
        except PeerFault as fault:
            self.detail = str(fault)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.detail = "the connection broke"

    async def _write(self) -> None:
        try:
            while data := self._rest or self._take():
                self._rest = data
                await self._stream.send_all(data)
                self._rest = b""
                self._note_sent()
            self._writing = False
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._end("the connection broke")

    def _note_sent(self) -> None:
        if self._reader is not None and not self._rest:
            self._reader.sent()

    def _take(self) -> bytes:
        """Everything at hand, in one piece."""
        data = b"".join(self._direct)
        self._direct.clear()
        if self._record and self._channel is not None:
            data += self._channel.seal(self._frames, echo=self._echo)
            self._frames.clear()
            self._record = self._echo = False
        if self._reader is None:
            return data
        try:
            following = self._reader.take()
        except PeerFault as fault:
            self._end(str(fault))
            return b""
        return data + following if data else following
