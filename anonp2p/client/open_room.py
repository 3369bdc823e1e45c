"""A room that a client has opened: what is handed to it, in turn, and how it is left."""

from collections.abc import Callable, Sequence

import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.errors import AnonError, NoRoom
from anonp2p.net.session import Session
from anonp2p.room import events, inputs

LEAVE_PATIENCE = limits.LEAVE_PATIENCE + limits.FLUSH_PATIENCE  # seconds until whoever leaves does not wait any more


class OpenRoom:
    """We are on our way in, in it, or out of it again. room: as it is now. ended: nothing of it goes on any more."""

    def __init__(self, session: Session) -> None:
        self.room = session.room
        self.ended = session.ended
        self._session = session
        self._turn = trio.StrictFIFOLock()  # inputs are handed over in the order in which they are made

    @property
    def label(self) -> str:
        """What the program calls it, and events do."""
        return self.room.label

    @property
    def outstanding(self) -> int:
        """How many inputs of ours have not got their place or their answer yet."""
        return self._session.outstanding

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns once this holds, or the room is over."""
        await self._session.until(condition)

    async def until_settled(self) -> None:
        """Returns once we are in, and all that was typed has its place or its answer; or the room is over."""
        await self._session.until_settled()

    async def run(self) -> None:
        """Runs the room from its start to its end."""
        await self._session.run()

    async def pass_on(self, action: inputs.Typed) -> None:
        """Hands an action to the room, once it has handled most of what it already has from us. Raises AnonError.

        We may be on our way in. After one that leaves, it returns once the room is over, or the user is asked first.
        """
        async with self._turn:
            await self.until(lambda: self.outstanding < limits.PENDING)
            if not await self._session.post_input(action):
                raise NoRoom
            if isinstance(action, inputs.LeaveInput):
                await self._session.until_taken()
                if self.room.stays:
                    return  # the user is asked first
                with trio.move_on_after(LEAVE_PATIENCE):
                    await self.ended.wait()

    async def break_off(self, error: AnonError) -> bool:
        """The room cannot go on, for this reason. Returns whether it is told so: not if it is over."""
        return await self._session.post_input(inputs.BrokenInput(error))

    async def begin_leaving(self, within: float, re: events.Re) -> None:
        """Has the room left, at a time by lot within so many seconds. re: the input that asked for it."""
        await self._session.post_input(inputs.LeaveInput(now=True, within=within, re=re))


async def leave_rooms(rooms: Sequence[OpenRoom], re: events.Re = UNSET) -> None:
    """Leaves rooms in order, within the time that this may take. re: the input that asked for it."""
    within = limits.LEAVE_SPREAD if len(rooms) > 1 else 0.0
    with trio.move_on_after(LEAVE_PATIENCE):
        for room in rooms:
            await room.begin_leaving(within, re)
        for room in rooms:
            await room.ended.wait()
