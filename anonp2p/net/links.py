"""The links of one session, by number."""

from collections.abc import Awaitable, Callable

import trio

from anonp2p import limits
from anonp2p.net.link import Link
from anonp2p.room import inputs


class Links:
    """Links that are up. post: hands an input to the session that they belong to."""

    def __init__(self, post: Callable[[inputs.Input], Awaitable[object]]) -> None:
        self.post = post
        self._links: dict[int, Link] = {}
        self._last = inputs.UPLINK
        self._empty = trio.Event()

    def find_link(self, number: int) -> Link | None:
        """The link with this number, if it is still up."""
        return self._links.get(number)

    def attach(self, link: Link, number: int | None = None) -> int:
        """Takes a link in; returns its number, the next one if none is given."""
        if number is None:
            self._last += 1
            number = self._last
        self._links[number] = link
        return number

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
        for count, link in enumerate(tuple(self._links.values()), 1):
            tell(link)
            if count % limits.LINKS_AT_ONCE == 0:
                await trio.lowlevel.checkpoint()

    async def finish_links(self) -> None:
        """Lets every link send what there is for it; returns once all have ended."""
        self._empty = trio.Event()
        for link in self._links.values():
            link.connection.finish(trio.current_time())
            link.react()
        if self._links:
            await self._empty.wait()
