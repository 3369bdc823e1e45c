"""What a session needs from a network: a place to be reached at, and a way to reach one."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from anonp2p.names.codes import RoomKey
from anonp2p.room.events import Defence


class DialFault(Exception):
    """A try to reach a room failed; its text says why, in our own words.

    again: whether another try is worthwhile. absent: there is no trace of the room, as opposed to a bad circuit.
    """

    def __init__(self, detail: str, *, again: bool = True, absent: bool = False) -> None:
        super().__init__(detail)
        self.again = again
        self.absent = absent


class Place(Protocol):
    """Where a room of ours is reached, as long as its context lasts."""

    @property
    def listener(self) -> trio.abc.Listener[trio.abc.Stream]:
        """Accepts what comes from the network, and nothing of other users of this machine."""

    undefended: list[Defence]  # the defences against floods that its network lacks

    def admits(self, stream: trio.abc.Stream) -> bool:
        """Whether a stream that was accepted still comes from the network."""

    async def published(self) -> None:
        """Returns when others can reach it."""


class Transport(Protocol):
    """A network. `lost` is set when it can be used no more."""

    lost: trio.Event

    def listen(self, key: RoomKey) -> AbstractAsyncContextManager[Place]:
        """Makes the room with this key reachable. Raises an AnonError when that is not to be had."""

    async def dial(self, code: str, isolation: str) -> trio.abc.Stream:
        """A stream to whoever serves the room with this code. Raises DialFault; may take for ever.

        isolation: dials with different words never share a circuit.
        """
