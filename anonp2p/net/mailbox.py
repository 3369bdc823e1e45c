"""The mailbox of a session: what waits for its room, bounded."""

import math

import trio

from anonp2p import limits
from anonp2p.room import inputs


def count_units(item: inputs.Input) -> int:
    """How much an input counts: one payload of a peer may hold many entries."""
    return 1 + len(item.payload) // limits.UNIT if isinstance(item, inputs.ReceivedInput) else 1


def _is_of_stranger(item: inputs.Input) -> bool:
    return isinstance(item, inputs.LinkedInput) or (isinstance(item, inputs.ReceivedInput) and item.is_first)


class Mailbox:
    """Inputs in the order in which they came. Whoever posts one waits while the mailbox is full.

    Links in their handshake and all others wait apart, and are let in by turns: who floods the room over many links
    does not keep newcomers waiting behind all of them.
    """

    def __init__(self) -> None:
        self._sending, self._receiving = trio.open_memory_channel[inputs.Input](math.inf)
        self._units = 0  # of what is in it: `post_input` bounds it
        self._typed = 0  # how many of those who wait or are in it the user typed
        self._queues = trio.lowlevel.ParkingLot(), trio.lowlevel.ParkingLot()  # tasks that wait for a place, in order
        self._turn = 0  # which queue was let in last

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
            queue = self._queues[_is_of_stranger(item)]
            if self._units >= limits.MAILBOX or queue:
                await queue.park()
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
            self._turn = 1 - self._turn
            (self._queues[self._turn] or self._queues[1 - self._turn]).unpark()
        return item

    def close(self) -> None:
        """Takes nothing any more; those who wait for a place learn that."""
        self._receiving.close()
        self._units = 0
        for queue in self._queues:
            queue.unpark_all()
