"""What stands between the rooms and the user: line mode, JSON lines and the full screen each implement `Frontend`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec import UNSET, UnsetType

from anonp2p.errors import AnonError
from anonp2p.room import events
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.ui.actions import AppAction, CreateRoomAction, JoinRoomAction


@dataclass(frozen=True, slots=True, repr=False)
class UserRequest:
    """What the user wants done, or the error in what was typed. Never shows what it holds.

    room: the label of the room that it is for; None where none was active. unsent: the text to give back, as it is too
    long to be sent.
    """

    action: AppAction | AnonError
    re: events.Re = UNSET
    room: str | None = None
    unsent: str | UnsetType = UNSET


class RoomView(Protocol):
    """What a frontend sees of a live room."""

    def snapshot(self) -> Snapshot:
        """The room at a glance."""

    def members(self) -> list[MemberView]:
        """All members, those who are away too."""

    def banned(self) -> list[str]:
        """The nicks of those who are banned, who was banned last first."""


Closed = Callable[[AnonError | None], None]
FindRoom = Callable[[str], RoomView | None]


class Frontend(Protocol):
    """A way to use the program. It knows which room is active. Telling it something never waits."""

    must_succeed: bool  # whether the program ends if what the command line asks for fails

    def attach(self, closed: Closed, find_room: FindRoom) -> None:
        """Comes first. closed: to be called when there is no reader any more, with the error to show, if any.

        find_room: finds a live room by its label.
        """

    def open_room(self, label: str, again: JoinRoomAction | None) -> None:
        """Makes a room that the user asked for the active one.

        again: what asks for it once more when it is over; None where we create it.
        """

    def asks_after(self, error: AnonError) -> bool:
        """Whether the user is asked how to go on where a join on the command line has failed so."""

    def tell(self, event: events.Event) -> None:
        """Shows an event, soon."""

    async def first_command(self) -> CreateRoomAction | JoinRoomAction | None:
        """What the command line asks for. Raises AnonError."""

    async def next_request(self) -> UserRequest | None:
        """What the user wants next; None once there is no more to come."""

    async def run(self) -> None:
        """Shows events, until cancelled."""

    async def drained(self) -> None:
        """Returns once all events so far are shown."""
