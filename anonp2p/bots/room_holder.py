"""A Tor that a program uses, and the rooms that it is in there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.bots.errors import BlockLeft
from anonp2p.bots.held_room import HeldRoom
from anonp2p.client import Client, Connect
from anonp2p.config import Config
from anonp2p.errors import AnonError
from anonp2p.room import events
from anonp2p.ui.actions import CreateRoomAction, JoinRoomAction
from anonp2p.ui.line.interpreter import Interpreter
from anonp2p.ui.plain_events import spell_error

_LEAVE_PATIENCE = limits.LEAVE_PATIENCE + limits.FLUSH_PATIENCE


class RoomHolder:
    """Rooms and Tor run in the nursery."""

    def __init__(self, config: Config, connect: Connect, nursery: trio.Nursery) -> None:
        self._nick = config.nick
        self._client = Client(config, self._tell, connect, nursery)
        self._interpreter = Interpreter(
            self._client.find_room, self._tell, lambda: None, json=True, clock=trio.current_time
        )
        self._rooms: dict[str, HeldRoom] = {}
        self._ids = count(1)
        self._is_over = False
        nursery.start_soon(self._client.keep_tor)

    async def until_usable(self) -> None:
        """Returns once there is a Tor. Raises AnonError if there is none to be had."""
        try:
            await self._client.until_usable()
        except AnonError as error:
            spell_error(error)
            raise

    async def leave_all(self) -> None:
        """Leaves in order what has not been left; no other room is opened."""
        self._is_over = True
        await self._client.leave_rooms(self._client.sessions)

    @asynccontextmanager
    async def open_room(self, asked: CreateRoomAction | JoinRoomAction, nick: str) -> AsyncIterator[HeldRoom]:
        """A room, from the time at which we are in; it is left with the context. Raises AnonError."""
        if self._is_over:
            raise BlockLeft
        try:
            if isinstance(asked, CreateRoomAction):
                await self._client.check_publishing()
            session = self._client.open_room(asked, nick or self._nick)
        except AnonError as error:
            spell_error(error)
            raise
        self._interpreter.open_room(session.room.label)
        room = self._rooms[session.room.label] = HeldRoom(session, self._client, self._interpreter, self._ids)
        try:
            await room.enter()
            yield room
        finally:
            with trio.move_on_after(limits.LEAVE_PATIENCE + _LEAVE_PATIENCE, shield=True):
                await room.leave()
            room.close()
            del self._rooms[room.label]

    def _tell(self, event: events.Event) -> None:
        """Gives an event to its room, or to all; the interpreter follows it, as it does in JSON mode."""
        event = self._interpreter.adapt_event(event)
        is_shown = self._interpreter.take_event(event)
        label = getattr(event, "room", UNSET)
        for room in list(self._rooms.values()):
            if label == room.label or (label is UNSET and (event.re is UNSET or room.awaits(event.re))):
                room.take_event(event, is_shown=is_shown)
        self._interpreter.follow_event(event)


@asynccontextmanager
async def open_holder(config: Config, connect: Connect) -> AsyncIterator[RoomHolder]:
    """A Tor, from the time at which it is usable; all rooms are left with the context.

    Raises AnonError. What is raised within the context comes out as it is, and not in a group.
    """
    raised: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            shield, rooms = trio.CancelScope(shield=True), _Nursery()
            try:
                nursery.start_soon(_run_nursery, shield, rooms)
                await rooms.is_there.wait()
                holder = RoomHolder(config, connect, rooms.nursery)
                try:
                    await holder.until_usable()
                    yield holder
                finally:
                    with trio.move_on_after(_LEAVE_PATIENCE, shield=True):
                        await holder.leave_all()
            except BaseException as error:
                raised = error
                raise
            finally:
                shield.cancel()
    except BaseExceptionGroup as group:
        single = raised if group is raised else _find_single(group, raised)
        if single is None:
            raise
    else:
        return
    try:
        raise single
    finally:
        del single, raised


class _Nursery:
    """For rooms, once it is there: they go on until they are left, though whoever has them is cancelled."""

    nursery: trio.Nursery

    def __init__(self) -> None:
        self.is_there = trio.Event()


async def _run_nursery(shield: trio.CancelScope, rooms: _Nursery) -> None:
    with shield:
        async with trio.open_nursery() as rooms.nursery:
            rooms.is_there.set()
            await trio.sleep_forever()


def _find_single(group: BaseExceptionGroup[BaseException], raised: BaseException | None) -> BaseException | None:
    """The one error in what came out of our nursery, beside cancellations; None if there are several.

    raised: by whoever is in the context. It may be a group of its own, which stays the object that it is: trio's is
    made of copies.
    """
    if group.split(KeyboardInterrupt)[1] is None:
        return KeyboardInterrupt()  # of an impatient user there are several
    errors = [it for it in group.exceptions if _without_cancelled(it)]
    if len(errors) > 1:
        return None
    if raised is not None and (_without_cancelled(raised) or not errors):
        return raised
    found = errors[0] if errors else group.exceptions[0]
    while isinstance(found, BaseExceptionGroup):
        inner = [it for it in found.exceptions if _without_cancelled(it)] or found.exceptions[:1]
        if len(inner) > 1:
            break
        found = inner[0]
    return found


def _without_cancelled(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.split(trio.Cancelled)[1]
    return None if isinstance(error, trio.Cancelled) else error
