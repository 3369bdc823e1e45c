"""The rooms that a bot is in, and what it is told of each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.bots.held_room import HeldRoom
from anonp2p.client.client import Client
from anonp2p.client.errors import BlockLeft
from anonp2p.client.open_room import LEAVE_PATIENCE
from anonp2p.errors import AnonError
from anonp2p.room import events
from anonp2p.ui.actions import CreateRoomAction, JoinRoomAction
from anonp2p.ui.line.interpreter import Interpreter
from anonp2p.ui.plain_events import spell_error


class RoomHolder:
    """Starts the client, and is told all that happens. nick: to enter rooms with."""

    def __init__(self, client: Client, nick: str) -> None:
        self._client = client
        self._nick = nick
        self._interpreter = Interpreter(client.find_room, self._tell, lambda: None, json=True, clock=trio.current_time)
        self._rooms: dict[str, HeldRoom] = {}
        self._ids = count(1)
        client.start(self._tell)

    async def until_usable(self) -> None:
        """Returns once there is a Tor. Raises AnonError if there is none to be had."""
        try:
            await self._client.until_usable()
        except AnonError as error:
            spell_error(error)
            raise

    @asynccontextmanager
    async def open_room(self, asked: CreateRoomAction | JoinRoomAction, nick: str) -> AsyncIterator[HeldRoom]:
        """A room, from the time at which we are in; it is left with the context. Raises AnonError."""
        if self._client.is_left:
            raise BlockLeft
        try:
            if isinstance(asked, CreateRoomAction):
                await self._client.check_publishing()
            opened = self._client.open_room(asked, nick or self._nick)
        except AnonError as error:
            spell_error(error)
            raise
        self._interpreter.open_room(opened.label)
        room = self._rooms[opened.label] = HeldRoom(opened, self._interpreter, self._ids)
        try:
            await room.enter()
            yield room
        finally:
            with trio.move_on_after(limits.LEAVE_PATIENCE + LEAVE_PATIENCE, shield=True):
                await room.leave()
            room.close()
            del self._rooms[opened.label]

    def _tell(self, event: events.Event) -> None:
        self._interpreter.pass_event(event, self._give)

    def _give(self, event: events.Event, is_shown: bool) -> None:
        """Gives an event to its room, or to all."""
        label = getattr(event, "room", UNSET)
        for its, room in list(self._rooms.items()):
            if label == its or (label is UNSET and (event.re is UNSET or room.awaits(event.re))):
                room.take_event(event, is_shown=is_shown)
