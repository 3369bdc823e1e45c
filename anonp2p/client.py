"""Several rooms over one Tor: what the program and the library stand on."""

import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.errors import AnonError, NoRoom, UnknownRoom
from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor.restart import TorKeeper
from anonp2p.net.transport import Transport
from anonp2p.room import events, inputs
from anonp2p.room.errors import InRoomAlready, TooManyRooms
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from anonp2p.ui.actions import CreateRoomAction, JoinRoomAction
from anonp2p.ui.rooms import label_room

Tell = Callable[[events.Event], None]
Connect = Callable[[Config, Tell], AbstractAsyncContextManager[Transport]]


class Client:
    """The rooms of one user, over one Tor. Rooms and Tor run in the nursery, and end with it.

    tell: is given every event; must not wait. connect: finds or starts a Tor.
    """

    def __init__(self, config: Config, tell: Tell, connect: Connect, nursery: trio.Nursery) -> None:
        self._config = config
        self._tell = tell
        self._nursery = nursery
        self._sessions: dict[str, Session] = {}  # by the room's label, until it is over
        self._rooms = 0
        self._tor = TorKeeper(partial(connect, config), tell)
        self._network = SharedNetwork(self._tor.usable)

    # --- Tor

    async def keep_tor(self) -> AnonError:
        """Keeps a Tor until there is none to be had any more, which ends all rooms. Returns why."""
        error = await self._tor.run()
        delivered = [await session.post_input(inputs.BrokenInput(error)) for session in self.sessions]
        if not any(delivered):
            self._tell(events.ErrorEvent(code=error.code, text=error, final=True))
        return error

    async def until_usable(self) -> None:
        """Returns once there is a Tor. Raises AnonError if there will be none."""
        await self._tor.usable(0.0)

    async def check_publishing(self) -> None:
        """Raises AnonError where there is no Tor, or nothing can be published on it."""
        if lack := (await self._tor.usable(0.0)).lack:
            raise lack

    @property
    def tor_failure(self) -> AnonError | None:
        """Why there is no Tor any more, once that is final."""
        return self._tor.failure

    # --- rooms

    @property
    def sessions(self) -> list[Session]:
        """Of the rooms that are not over, in the order in which they were asked for."""
        return list(self._sessions.values())

    def find_room(self, label: str) -> Room | None:
        """The room with this label, until it is over."""
        session = self._sessions.get(label)
        return session.room if session else None

    def open_room(self, asked: CreateRoomAction | JoinRoomAction, nick: str) -> Session:
        """Opens a room, which tells nothing before the caller waits. nick: empty for one made from our key.

        Raises AnonError.
        """
        if self._tor.failure is not None:
            raise self._tor.failure
        new, join = (asked, None) if isinstance(asked, CreateRoomAction) else (None, asked)
        key = RoomKey(secrets.token_bytes(32)) if new else None
        address = key.public if key else join.address if join else b""
        if any(session.room.code == codes.encode_key(address) for session in self.sessions):
            raise InRoomAlready
        if len(self._sessions) >= limits.ROOMS:
            raise TooManyRooms
        label = join.label if join else ""
        if not label:
            self._rooms += 1
            label = label_room(self._rooms)

        room = Room(
            label=label,
            key=address,
            random=secrets.token_bytes,
            nick=nick,
            room_key=key,
            name=new.name if new else "",
            retention=new.retention if new else ANY,
            history=new.history if new else NO_HISTORY,
            knock=new.knock if new else False,
            cover=self._config.cover,
            is_alone=not self._sessions,
            may_host=not self._config.no_heir,
            entrusts=not self._config.no_entrust,
            private=bool(new and new.private),
            invitation=join.key if join else b"",
            re=asked.re,
        )
        session = self._sessions[label] = Session(room, self._tell, self._network)
        self._nursery.start_soon(self._live, session)
        return session

    async def _live(self, session: Session) -> None:
        await session.run()
        del self._sessions[session.room.label]
        session.ended.set()

    async def pass_on(self, action: inputs.Typed, label: str | None) -> None:
        """Hands an action to a room, once it has handled most of what it already has from us. Raises AnonError."""
        if label is None:
            raise NoRoom
        session = self._sessions.get(label)
        if session is None:
            raise UnknownRoom(label if len(label) <= limits.ROOM_NAME else f"{label[: limits.ROOM_NAME]}…")
        await session.until(lambda: session.outstanding < limits.PENDING)
        if not await session.post_input(action):
            raise NoRoom
        if isinstance(action, inputs.LeaveInput):
            await session.until_taken()
            if session.room.stays:
                return  # the user is asked first
            with trio.move_on_after(limits.LEAVE_PATIENCE + limits.FLUSH_PATIENCE):
                await session.ended.wait()

    async def leave_rooms(self, sessions: list[Session], re: events.Re = UNSET) -> None:
        """Leaves rooms in order, within the time that this may take. re: the input that asked for it."""
        within = limits.LEAVE_SPREAD if len(sessions) > 1 else 0.0
        with trio.move_on_after(limits.LEAVE_PATIENCE + limits.FLUSH_PATIENCE):
            for session in sessions:
                await session.post_input(inputs.LeaveInput(now=True, within=within, re=re))
            for session in sessions:
                await session.ended.wait()
