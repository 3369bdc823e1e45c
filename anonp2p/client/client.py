"""Several rooms over one Tor."""

import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import trio
from msgspec import UNSET

from anonp2p import limits
from anonp2p.client.errors import BlockLeft
from anonp2p.client.open_room import OpenRoom, leave_rooms
from anonp2p.config import Config
from anonp2p.errors import AnonError, NoRoom, UnknownRoom
from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.net.session import Session
from anonp2p.net.shared_network import SharedNetwork
from anonp2p.net.tor.restart import TorKeeper
from anonp2p.net.transport import Transport
from anonp2p.room import events
from anonp2p.room.errors import InRoomAlready, TooManyRooms
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from anonp2p.ui.actions import CreateRoomAction, JoinRoomAction
from anonp2p.ui.rooms import label_room

Tell = Callable[[events.Event], None]
Connect = Callable[[Config, Tell], AbstractAsyncContextManager[Transport]]


class Client:
    """A Tor, and the rooms of one user over it. They run in the nursery, until the scope around it is cancelled.

    connect: finds or starts a Tor. is_left: whether its rooms have been left, or abandoned.
    """

    def __init__(self, config: Config, connect: Connect, nursery: trio.Nursery, scope: trio.CancelScope) -> None:
        self.is_left = False
        self._config = config
        self._nursery = nursery
        self._scope = scope
        self._observer: Tell | None = None
        self._rooms: dict[str, OpenRoom] = {}  # by the room's label, until it is over
        self._opened = 0
        self._tor = TorKeeper(partial(connect, config), self._tell)
        self._lost = trio.Event()
        self._network = SharedNetwork(self._tor.usable)

    def start(self, tell: Tell) -> None:
        """Begins to have a Tor. tell: is given every event from now on, as the core has it; must not wait."""
        self._observer = tell
        self._nursery.start_soon(self._keep_tor)

    def _tell(self, event: events.Event) -> None:
        assert self._observer, "nothing happens before it is started"
        self._observer(event)

    # --- Tor

    @trio.lowlevel.enable_ki_protection
    async def _keep_tor(self) -> None:
        """Keeps a Tor until there is none to be had any more, which ends all rooms."""
        error = await self._tor.run()
        delivered = [await room.break_off(error) for room in self.rooms]
        if not any(delivered):
            self._tell(events.ErrorEvent(code=error.code, text=error, final=True))
        self._lost.set()

    async def until_usable(self) -> None:
        """Returns once there is a Tor. Raises AnonError if there will be none."""
        await self._tor.usable(0.0)

    async def until_lost(self) -> AnonError:
        """Returns once there is no Tor to be had any more, and all that there is to tell of it was told. Says why."""
        await self._lost.wait()
        assert self._tor.failure
        return self._tor.failure

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
    def rooms(self) -> list[OpenRoom]:
        """Those that are not over, in the order in which they were asked for."""
        return list(self._rooms.values())

    def find_room(self, label: str) -> Room | None:
        """The room with this label as it is now, until it is over."""
        opened = self._rooms.get(label)
        return opened.room if opened else None

    def get_room(self, label: str | None) -> OpenRoom:
        """The room with this label. Raises NoRoom, which says how to get into one where no label is given."""
        if label is None:
            raise NoRoom
        opened = self._rooms.get(label)
        if opened is None:
            raise UnknownRoom(label if len(label) <= limits.ROOM_NAME else f"{label[: limits.ROOM_NAME]}…")
        return opened

    def open_room(self, asked: CreateRoomAction | JoinRoomAction, nick: str) -> OpenRoom:
        """Opens a room, which tells nothing before the caller waits; there need be no Tor yet.

        nick: empty for one made from our key.

        Raises AnonError.
        """
        if self._scope.cancel_called:
            raise BlockLeft
        if self._tor.failure is not None:
            raise self._tor.failure
        new, join = (asked, None) if isinstance(asked, CreateRoomAction) else (None, asked)
        key = RoomKey(secrets.token_bytes(32)) if new else None
        address = key.public if key else join.address if join else b""
        if any(opened.room.code == codes.encode_key(address) for opened in self.rooms):
            raise InRoomAlready
        if len(self._rooms) >= limits.ROOMS:
            raise TooManyRooms
        label = join.label if join else ""
        if not label:
            self._opened += 1
            label = label_room(self._opened)

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
            is_alone=not self._rooms,
            may_host=not self._config.no_heir,
            entrusts=not self._config.no_entrust,
            private=bool(new and new.private),
            invitation=join.key if join else b"",
            re=asked.re,
        )
        opened = self._rooms[label] = OpenRoom(Session(room, self._tell, self._network))
        self._nursery.start_soon(self._live, opened)
        return opened

    @trio.lowlevel.enable_ki_protection
    async def _live(self, opened: OpenRoom) -> None:
        try:
            await opened.run()
        finally:
            del self._rooms[opened.label]
            opened.ended.set()

    # --- the end

    async def leave_all(self, re: events.Re = UNSET) -> None:
        """Leaves all rooms in order, within the time that this may take. re: the input that asked for it."""
        self.is_left = True
        await leave_rooms(self.rooms, re)

    def abandon(self) -> None:
        """Ends at once what still goes on, without last words."""
        self.is_left = True
        self._scope.cancel()
