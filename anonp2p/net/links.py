"""The links of one session, by number."""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio

from anonp2p import limits
from anonp2p.net.link import Link
from anonp2p.room import inputs


class Links:
    """Links that are up or being dialled. post: hands an input to the session that they belong to.

    turns: see `Link.run`.
    """

    def __init__(self, post: Callable[[inputs.Input], Awaitable[object]]) -> None:
        self.post = post
        self.turns = trio.CapacityLimiter(limits.WRITERS_TURN)
        self._links: dict[int, Link] = {}
        self._dials: dict[int, trio.CancelScope] = {}
        self._last = 0
        self._empty = trio.Event()

    def find_link(self, number: int) -> Link | None:
        """The link with this number, if it is up."""
        return self._links.get(number)

    def begin_dial(self, number: int) -> trio.CancelScope:
        """A link with this number is dialled from now on, in this scope, until it is attached or given up."""
        scope = self._dials[number] = trio.CancelScope()
        return scope

    @contextmanager
    def end_dial(self, number: int) -> Iterator[None]:
        """After this context the link is dialled no more, whether it is there or not."""
        try:
            yield
        finally:
            del self._dials[number]

    def call_off(self, number: int) -> None:
        """A link that is still being dialled is not wanted any more."""
        if number in self._dials:
            self._dials[number].cancel()

    def attach_dialled(self, link: Link, number: int) -> None:
        """Takes in a link that we have dialled."""
        self._links[number] = link

    def attach(self, link: Link) -> int:
        """Takes in a link that somebody has dialled to us; returns its number."""
        self._last += 1
        self._links[self._last] = link
        return self._last

    async def detach(self, number: int) -> None:
        """Forgets a link that has ended, and tells the session."""
        link = self._links.pop(number)
        if not self._links:
            self._empty.set()
        silence = link.connection.measure_silence(trio.current_time())
        await self.post(inputs.DroppedInput(number, link.connection.reason, silence))

    async def send_heartbeat(self, data: bytes) -> None:
        """Sends a head to every link that has all of the log before it."""

        def send(link: Link) -> None:
            link.connection.send_head(data)
            link.flush()

        await self._tell_each(send)

    async def wake_links(self) -> None:
        """The log has grown."""
        await self._tell_each(Link.flush)

    async def _tell_each(self, tell: Callable[[Link], None]) -> None:
        """Tells every link, some at a time, so that other tasks run in between."""
        ends_at = time.monotonic() + limits.LINKS_TURN
        for link in tuple(self._links.values()):
            tell(link)
            if time.monotonic() >= ends_at:  # sooner after a commit, whose share is sealed for each of them
                await trio.lowlevel.checkpoint()
                ends_at = time.monotonic() + limits.LINKS_TURN

    async def finish_links(self) -> None:
        """Lets every link send what there is for it; returns once all have ended."""
        self._empty = trio.Event()
        for link in self._links.values():
            link.connection.finish(trio.current_time())
            link.react()
        if self._links:
            await self._empty.wait()
