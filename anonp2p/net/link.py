"""One link: payloads over a stream of bytes, a task that reads, one that writes when need be, an end when silent."""

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol.frames import Frame, pack
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter
from anonp2p.room.log.log import Reader

_AROUND: Final = 128  # bytes in memory around what a frame says


class Link:
    """A link to a peer. What is meant for it alone is queued; from `follow` on it also gets the log.

    longest: how many bytes a content of the peer's may have until the handshake is over, for which it has its time.
    most: how many bytes may wait that are for this link alone.
    """

    def __init__(self, stream: trio.abc.Stream, longest: int, most: int = limits.DIRECT) -> None:
        self.detail = "the connection was closed"  # why it ended, once it has
        self.settled = False
        self.knocked = False  # whether the room has what the peer asks for, as its host sets it
        self.dismissed = False  # whether it was ended from this side, by the room
        self._stream = stream
        self._splitter = Splitter(longest)
        self._most = most
        self._direct: list[bytes] = []
        self._frames: list[tuple[Frame, int]] = []  # to be said in records, and the bytes of each
        self._welcome = 0  # how many of these, at the front, are of the welcome
        self._waiting = 0  # bytes of what waits for this link alone, but for the welcome
        self._record = self._echo = False  # whether there is to be one, if an empty one; whether it asks for an answer
        self._channel: Channel | None = None
        self._reader: Reader | None = None
        self._rest: bytes | memoryview = b""  # taken, but not sent yet: it goes before anything else
        self._behind = b""  # of the log, taken with the rest: it goes next, by itself, since others share it
        self._answered: trio.Event | None = None  # while somebody waits for the handshake's end
        self._finished = False
        self._nursery: trio.Nursery | None = None
        self._writing = False  # whether there is a task for it
        self._heard_at = trio.current_time()
        self._quiet = limits.HANDSHAKE_SECONDS  # how long the peer may say nothing
        self._paused_until = self._heard_at  # before, nothing is read
        self._patience = trio.CancelScope()
        self._scope = trio.CancelScope(deadline=trio.current_time() + limits.HANDSHAKE_SECONDS)

    # --- from the session; none of these waits

    def send(self, data: bytes) -> None:
        """Queues bytes for this link alone."""
        self._queue(data)
        self._start_writing()

    def say(self, frames: Sequence[Frame], *, echo: bool = False) -> None:
        """Queues frames for this link alone. A peer that makes us queue too many without reading them is dropped."""
        sized = [(frame, _size(frame)) for frame in frames]
        if not self._admits(sum(size for _, size in sized), "it does not read what it asks for"):
            return
        self._frames += sized
        self._record, self._echo = True, self._echo or echo
        self._start_writing()

    def _admits(self, size: int, otherwise: str) -> bool:
        """Whether so many bytes more may wait for this link alone; else that is its end."""
        if self._waiting + size > self._most:
            self._end(otherwise)
            return False
        self._waiting += size
        return True

    def pause(self, seconds: float) -> None:
        """Reads nothing for so many seconds; the peer's silence counts only after them."""
        self._paused_until = max(self._paused_until, trio.current_time() + seconds)

    def settle(self, channel: Channel) -> None:
        """The handshake is over: no deadline any more, records, and contents as long as any may be."""
        self.settled = True
        self._channel = channel
        self._splitter.longest = SIZES[-1]
        self._quiet = limits.LINK_LOST
        self._patience.deadline = self._heard_at + self._quiet
        self._scope.deadline = float("inf")
        self._tell_answered()

    def follow(self, reader: Reader, welcome: Sequence[Frame] = ()) -> None:
        """From now on, after what is queued and this welcome, this link gets what the reader gives."""
        self._frames[:0] = [(frame, _size(frame)) for frame in welcome]
        self._welcome = len(welcome)
        self._record |= bool(welcome)
        self._reader = reader
        self._start_writing()

    @property
    def is_half_open(self) -> bool:
        """Whether it is up, and in its handshake."""
        return not (self.settled or self._scope.cancel_called)

    @property
    def is_being_answered(self) -> bool:
        """Whether the room has its knock, and has not decided yet."""
        return self.knocked and not (self.settled or self._finished)

    def pulse(self, data: bytes) -> None:
        """Sends a head, unless there are entries on their way, which say as much and end in a head of their own.

        Nor while the welcome is: the peer could not open it yet, and a next one will come.
        """
        self._cut_if_left_behind()
        if self._reader is not None and self._reader.is_through and not (self._reader.is_out or self._welcome):
            self._queue(data)
            self._flush()

    @property
    def silence(self) -> float:
        """For how many seconds nothing has been heard."""
        return max(0.0, trio.current_time() - max(self._heard_at, self._paused_until))

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
            self._rest = self._behind = b""

    def finish(self) -> None:
        """Ends the link once everything there is for it has been sent, and the peer has had time to read it.

        A socket closed with unread bytes in it can take what was sent last with it: so the peer closes first.
        """
        self._finished = True
        self._scope.deadline = trio.current_time() + limits.LINGER
        self._tell_answered()
        self._start_writing()

    async def answered(self) -> None:
        """Returns once the room has decided what becomes of the handshake."""
        self._answered = trio.Event()
        await self._answered.wait()

    def _tell_answered(self) -> None:
        if self._answered is not None:
            self._answered.set()
            self._answered = None  # a room has a thousand links, and it takes half a kilobyte

    def drop(self, reason: str) -> None:
        """The room wants no more of it: it ends at once."""
        self.dismissed = True
        self._end(reason)

    def _end(self, reason: str) -> None:
        if not self._scope.cancel_called:
            self.detail = reason
            self._scope.cancel()

    def _queue(self, data: bytes) -> None:
        if self._admits(len(data), "it does not read what it is sent"):
            self._direct.append(data)

    def _flush(self) -> None:
        """Sends at once what the kernel takes at once: to start a task for it would cost several times as much.

        A task does all else: the rest, what comes while a write is under way, and whatever is not for a socket.
        """
        if not (self._rest or self._scope.cancel_called):
            data = self._take()
            sent = self._offer(data)
            # A view, so that those who are stuck share what they are sent; not of nothing, which would keep all of it.
            if sent < len(data):
                self._rest = memoryview(data)[sent:]
            else:
                self._next()
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
                    await self._wait_out_pause()
                    await arrived(payload)
                await self._wait_out_pause()
        except PeerFault as fault:
            self.detail = str(fault)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.detail = "the connection broke"

    async def _wait_out_pause(self) -> None:
        while trio.current_time() < self._paused_until:
            await trio.sleep_until(self._paused_until)
            self._heard_at = trio.current_time()

    async def _write(self) -> None:
        try:
            while data := self._rest or self._take():
                self._rest = data
                await self._stream.send_all(data)
                self._next()
            self._writing = False
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._end("the connection broke")

    def _next(self) -> None:
        """What was to be sent first has left."""
        self._rest, self._behind = self._behind, b""
        if self._reader is not None and not self._rest:
            self._reader.sent()

    def _take(self) -> bytes:
        """What is at hand, in one piece; but long pieces of the log, which others share, by themselves."""
        data = b""
        if self._direct:
            data = b"".join(self._direct)
            self._waiting -= len(data)
            self._direct.clear()
        if self._record and self._channel is not None:
            data += self._channel.seal(self._next_frames(), echo=self._echo)
            self._record, self._echo = bool(self._frames), False
            if self._record:
                self._start_writing()
                return data
        if self._reader is None:
            return data
        try:
            following = self._reader.take()
        except PeerFault as fault:
            self._end(str(fault))
            return b""
        if data and len(following) > limits.BURST:
            self._behind = following
            return data
        return data + following if data else following

    def _next_frames(self) -> list[Frame]:
        """Those that are said next: about a large record, since all that is sealed is held until it has left."""
        count, room = 0, limits.BURST
        while count < len(self._frames) and (not count or self._frames[count][1] <= room):
            room -= self._frames[count][1]
            count += 1
        self._waiting -= sum(size for _, size in self._frames[self._welcome : count])
        self._welcome = max(0, self._welcome - count)
        said = [frame for frame, _ in self._frames[:count]]
        del self._frames[:count]
        return said


def _size(frame: Frame) -> int:
    """Bytes that a frame which waits counts for."""
    return len(pack(frame)) + _AROUND
