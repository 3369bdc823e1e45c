"""What stands between the rooms and the user: line mode, JSON lines and the full screen are all one of these."""

from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from anonp2p.errors import AnonError
from anonp2p.room import events
from anonp2p.room.room import Room
from anonp2p.ui.commands import Action


class Typed(msgspec.Struct, frozen=True):
    """A line of input, understood: the action or the error it stands for, and where it is meant to go.

    unsent: what is to be given back of it, as it is too long to be sent.
    """

    action: Action | AnonError
    re: events.Re = UNSET
    room: str | UnsetType = UNSET
    unsent: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return "<Typed>"


Closed = Callable[[AnonError | None], None]
Rooms = Callable[[str], Room | None]


class Front(Protocol):
    """A way to use the program. Telling it something never waits."""

    must_succeed: bool  # whether what the command line asks for ends the program if it fails

    def attach(self, closed: Closed, rooms: Rooms) -> None:
        """Before anything else. closed: to be called when nobody reads any more, with the error worth telling, if any.

        rooms: finds a room by its label.
        """

    def open(self, room: str) -> None:
        """A room was asked for: what is typed from now on is meant for it."""

    def tell(self, event: events.Event) -> None:
        """Shows an event, soon."""

    def clear(self) -> None:
        """Empties the screen."""

    async def wish(self) -> str:
        """What the command line asks for, as the command that says so; empty for nothing. Raises BadCode."""

    async def wanted(self) -> Typed | None:
        """What the user wants next; None once there is no more to come."""

    async def run(self) -> None:
        """Does the showing, until cancelled."""

    async def drained(self) -> None:
        """Returns once everything told so far is shown."""
