"""One link: moves the bytes of a connection over a stream, by a task that reads and one that writes when need be."""

import os
from collections.abc import Awaitable, Callable

import trio

from anonp2p import limits
from anonp2p.protocol.connection import Connection
from anonp2p.reasons import LinkEnd


class Link:
    """A connection on a stream. After anything is done to the connection, `react` has to be called.

    longest, limit: as Connection has them.
    """

    __slots__ = ("_is_writing", "_nursery", "_scope", "_socket", "_stream", "_turns", "_waiting", "connection")

    def __init__(self, stream: trio.abc.Stream, longest: int, limit: int = limits.LINK_QUEUE) -> None:
        self.connection = Connection(trio.current_time(), longest, limit)
        self._stream = stream
        self._socket = stream.socket if isinstance(stream, trio.SocketStream) else None
        self._scope = trio.CancelScope(deadline=self.connection.next_deadline())
        self._waiting: trio.CancelScope | None = None  # while nothing is read
        self._nursery: trio.Nursery | None = None
        self._turns: trio.CapacityLimiter | None = None
        self._is_writing = False  # whether there is a task for it

    # --- from the session; none of these waits

    def react(self) -> None:
        """What was done to the connection takes effect: its deadline, its end, what it reads and has to send."""
        self._scope.deadline = self.connection.next_deadline()
        if self._waiting is not None:
            self._waiting.cancel()
        self._continue()

    def drop(self, reason: LinkEnd) -> None:
        """Ends the link at once."""
        self.connection.end(reason)
        self.react()

    def flush(self) -> None:
        """Sends at once what the kernel takes at once: to start a task for it would cost several times as much.

        A task does all else: the rest, what comes while a write is under way, and whatever is not for a socket.
        """
        if self._is_writing:
            self.connection.check_lag()
        elif data := self.connection.data_to_send():
            self.connection.mark_sent(self._offer(data))
        self._continue()

    def _offer(self, data: bytes | memoryview) -> int:
        """How many of these bytes the kernel has taken."""
        if self._socket is None:
            return 0
        try:
            return os.write(self._socket.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError:
            self.connection.end("broken")
            return 0

    def _continue(self) -> None:
        """Ends if the connection is over; has what is left sent, later. An idle link has no task for it."""
        if self.connection.is_over:
            self._scope.cancel()
        elif not self._is_writing and self._nursery is not None and self.connection.has_data_to_send:
            self._is_writing = True
            self._nursery.start_soon(self._write)

    # --- the link's own task

    async def run(
        self, deliver: Callable[[bytes], Awaitable[object]], nursery: trio.Nursery, turns: trio.CapacityLimiter
    ) -> None:
        """Reads and writes until the connection is over, and closes the stream.

        deliver: is given each payload, in order. nursery: whose tasks write, perhaps for many links: one for each would
        take another KiB. turns: for how many of the links that share it data is made before all else has its turn.
        Nothing that the peer or the network does makes this raise.
        """
        try:
            with self._scope:
                self._nursery, self._turns = nursery, turns
                self._continue()
                await self._read(deliver)
            if self._scope.cancelled_caught:
                self.connection.handle_timeout(trio.current_time())
        finally:
            self._nursery = None
            self.connection.end()  # so that nobody writes any more
            await trio.aclose_forcefully(self._stream)  # which ends the task that writes, too

    async def _read(self, deliver: Callable[[bytes], Awaitable[object]]) -> None:
        connection = self.connection
        try:
            while not connection.is_over:
                now = trio.current_time()
                if (payload := connection.next_payload(now)) is not None:
                    await deliver(payload)
                elif now < connection.resumes_at:
                    with trio.CancelScope(deadline=connection.resumes_at) as self._waiting:
                        await trio.sleep_forever()
                    self._waiting = None
                elif not connection.is_over:
                    # Not by way of a variable, which would hold the bytes for as long as the link is idle.
                    connection.receive_data(await self._receive(), trio.current_time())
                    self._scope.deadline = connection.next_deadline()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            connection.end("broken")

    async def _receive(self) -> bytes | bytearray:
        """What comes next. From a socket by as few calls as can be: each of them holds memory while a link is idle."""
        if self._socket is None:
            return await self._stream.receive_some(limits.READ)
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return os.read(self._socket.fileno(), limits.READ)
            except BlockingIOError:  # the kernel may say so in vain
                continue
            except OSError:
                raise trio.BrokenResourceError from None

    async def _take_data(self) -> bytes | memoryview:
        """What goes next. Links that lag may all be sent something that is sealed for each, as after a commit."""
        assert self._turns is not None, "it runs"
        async with self._turns:
            return self.connection.data_to_send()

    @trio.lowlevel.enable_ki_protection
    async def _write(self) -> None:
        try:
            while data := await self._take_data():
                await self._stream.send_all(data)
                self.connection.mark_sent(len(data))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.connection.end("broken")
        self._is_writing = False
        self._continue()
