"""The mailbox of a session: what waits for its room, bounded."""

import math

import trio

from anonp2p import limits
from anonp2p.room import inputs


def count_units(item: inputs.Input) -> int:
    """How much an input counts: one payload of a peer may hold many entries."""
    return 1 + len(item.payload) // limits.UNIT if isinstance(item, inputs.ReceivedInput) else 1


class Mailbox:
    """Inputs in the order in which they came. Whoever posts one waits while the mailbox is full."""

    def __init__(self) -> None:
        self._sending, self._receiving = trio.open_memory_channel[inputs.Input](math.inf)
        self._units = 0  # of what is in it: `post_input` bounds it
        self._typed = 0  # how many of those who wait or are in it the user typed
        self._queue = trio.lowlevel.ParkingLot()  # tasks that wait for a place, in their order

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it."""
        return not self._units

    @property
    def typed_count(self) -> int:
        """How many inputs of the user's wait."""
        return self._typed

    async def post_input(self, item: inputs.Input) -> bool:
        """Puts an input in, once there is a place for it; returns False if the mailbox is closed."""
        typed = isinstance(item, inputs.Typed)
        self._typed += typed
        try:
            if self._units >= limits.MAILBOX or self._queue:
                await self._queue.park()
            self._sending.send_nowait(item)  # and goes on: a task that yields after each record makes batches of one
            self._units += count_units(item)
        except trio.BrokenResourceError:
            self._typed -= typed
            return False
        return True

    async def receive_input(self) -> inputs.Input:
        """The next input, once there is one."""
        return self._note_taken(await self._receiving.receive())

    def next_input(self) -> inputs.Input | None:
        """The next input, if there is one."""
        try:
            return self._note_taken(self._receiving.receive_nowait())
        except trio.WouldBlock:
            return None

    def _note_taken(self, item: inputs.Input) -> inputs.Input:
        """Lets the next one in, as this was taken out."""
        self._typed -= isinstance(item, inputs.Typed)
        self._units -= count_units(item)
        if self._units < limits.MAILBOX:
            self._queue.unpark()
        return item

    def close(self) -> None:
        """Takes nothing any more; those who wait for a place learn that."""
        self._receiving.close()
        self._units = 0
        self._queue.unpark_all()
