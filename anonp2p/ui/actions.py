"""What can be asked for: the actions that commands and messages stand for, and what a command is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET

from anonp2p.protocol import room_state
from anonp2p.room import events, inputs
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.ui.attention import Level


@dataclass(frozen=True, slots=True, repr=False)
class CreateRoomAction:
    """Create a room. knock: newcomers wait for a moderator. private: it is found with an invitation alone."""

    name: str
    retention: room_state.RetentionPolicy = ANY
    history: room_state.HistoryPolicy = NO_HISTORY
    knock: bool = False
    private: bool = False
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class JoinRoomAction:
    """Join the room with this address, under this nick; empty: the one that all joins are made with.

    label: of a room that is over, which this goes on with; empty: it is another room. key: of an invitation to a
    private room; empty without one.
    """

    address: bytes
    nick: str = ""
    label: str = ""
    key: bytes = b""
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ShowHelpAction:
    """Show all commands, or those asked for."""

    commands: tuple["Command", ...]
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ListRoomsAction:
    """Show which rooms we are in."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ListNumbersAction:
    """Show the latest messages of the room with their numbers."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class SwitchRoomAction:
    """Make another room the active one. room: its name, number or label."""

    room: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ClearScreenAction:
    """Empty the screen: line/output does it in line mode, screen/submission on the full screen."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class CopyAction:
    """Put the room's code, the latest link, or the message with this number on the clipboard.

    what: None is what suits best: the message that is selected, else the code.
    """

    what: Literal["code", "link"] | int | None = None
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ConverseAction:
    """Begin a private conversation with somebody, or end it. nick: None ends it."""

    nick: str | None
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class IgnoreAction:
    """Show nothing of what a member says any more, or again. nick: None asks who is ignored."""

    nick: str | None
    on: bool = True
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class QuietAction:
    """Put what newcomers say aside, show what was, or say how things are.

    minutes: for how long after they came, if that is set; None: not at all.
    """

    minutes: int | None = None
    does: Literal["set", "show", "ask"] = "set"
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class NotifyAction:
    """Say what calls the user, or have something else do so.

    level: in the active room. desktop: whether the desktop notifies the user too. Both None: only say it.
    """

    level: Level | None = None
    desktop: bool | None = None
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class QuitAction:
    """Leave all rooms and end the program. asks: as in `LeaveInput`."""

    re: events.Re = UNSET
    asks: bool = False


AppAction = CreateRoomAction | JoinRoomAction | QuitAction | inputs.Typed  # done by the program
# Done by the frontend itself.
FrontendAction = (
    ShowHelpAction
    | ListRoomsAction
    | ListNumbersAction
    | SwitchRoomAction
    | ClearScreenAction
    | CopyAction
    | ConverseAction
    | IgnoreAction
    | NotifyAction
    | QuietAction
)
Action = AppAction | FrontendAction


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table. build: makes the action of the argument, which is empty exactly where usage has none.

    whom: of whom a nick in the argument is.
    """

    name: str
    argument: str
    does: str
    build: Callable[[str, events.Re], Action]
    whom: Literal["here", "waiting", "banned"] = "here"

    @property
    def usage(self) -> str:
        """How it is typed: capitals stand for what is to be filled in, brackets for what may be left out."""
        return f"{self.name} {self.argument}".rstrip()
