"""The network as the rooms of one user share it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from anonp2p.net.transport import Transport


class SharedNetwork:
    """Gives all rooms the same network, but not at the same moment, so that nobody can tell that they are of one user.

    usable: returns the network once it is usable, so many seconds later if it had to be waited for; raises AnonError if
    it never will be.
    """

    def __init__(self, usable: Callable[[float], Awaitable[Transport]]) -> None:
        self.usable = usable
        self._turn = trio.Semaphore(1)
        self._room: object = None  # whose turn it is
        self._users = 0  # for how many dials or services of it

    @asynccontextmanager
    async def take_turn(self, room: object, pause: float) -> AsyncIterator[Transport]:
        """The network, for one who comes back: while the context lasts, no other room of ours comes back.

        Of dials that wait for the same network, all would succeed at the moment at which it is there again. Those of
        one room do not wait for each other, unless another room waits already. pause: seconds to wait after the room
        before, if there is one. Raises AnonError as `usable` does.
        """
        joins = self._room is room and not self._turn.statistics().tasks_waiting
        has_to_wait = not joins and not self._turn.value
        if has_to_wait:
            await self._turn.acquire()
        elif not joins:
            self._turn.acquire_nowait()  # in one step with the next line: the room's dials begin at the same moment
        self._room = room
        self._users += 1
        try:
            if has_to_wait:
                await trio.sleep(pause)
            yield await self.usable(0.0)
        finally:
            self._users -= 1
            if not self._users:
                self._room = None
                self._turn.release()
