"""What a session needs of a network: to publish a room, and to dial one."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from anonp2p.errors import AnonError
from anonp2p.names.codes import RoomKey
from anonp2p.reasons import Reason
from anonp2p.room.hosting_events import Defence


class DialFault(Exception):
    """An attempt to reach a room failed. `reason` says why.

    again: whether another attempt may succeed. absent: the network knows nothing of the room, as opposed to a bad
    circuit.
    """

    def __init__(self, reason: Reason, *, again: bool = True, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.absent = absent


class Place(Protocol):
    """Our published room, as long as its context lasts."""

    @property
    def listener(self) -> trio.abc.Listener[trio.abc.Stream]:
        """Accepts connections from the network, and none from other users of this machine.

        While the system has no room for another one, it waits.
        """

    undefended: list[Defence]  # the defences against floods that its network lacks

    def admits(self, stream: trio.abc.Stream) -> bool:
        """Whether an accepted stream still comes from the network."""

    async def published(self) -> None:
        """Waits until others can reach it."""


class Transport(Protocol):
    """A network. `lost` is set when it cannot be used any more."""

    lost: trio.Event

    @property
    def lack(self) -> AnonError | None:
        """Why nothing can be published on it; None where that can be tried."""

    def listen(self, key: RoomKey, clients: Sequence[bytes] = ()) -> AbstractAsyncContextManager[Place]:
        """Publishes the room with this key. Raises AnonError if that is not possible.

        clients: the X25519 public keys of those who may find it; without any, everybody may.
        """

    async def dial(
        self, code: str, isolation: str, *, hello: int = 1, fresh: bool = False, client_key: bytes = b""
    ) -> trio.abc.Stream:
        """A stream to the host of the room with this code. Raises DialFault, AnonError; has no time limit.

        isolation: `USER:NUMBER`; dials with different values never share a circuit. hello: how many bytes a host says
        at once, by which one sees that the way to it is good; they stay to be read. fresh: where it is known where the
        room is, that is looked up anew. client_key: the X25519 private key by which a private room is
        found; empty for others.
        """

    async def forget_keys(self, user: str) -> None:
        """The network forgets the client keys of this user's dials; what was dialled goes on. Takes a moment."""
