"""The rooms of a frontend and which of them is active. No I/O: line mode and the full screen both use this."""

from typing import Generic, Protocol, TypeVar

from anonp2p.errors import BadInput
from anonp2p.ui.frontend import FindRoom

_PREFIX = "r"


def label_room(number: int) -> str:
    """The label of the room with this number: `r1`, `r2`, ... The number alone is what users read and type."""
    return f"{_PREFIX}{number}"


def number_room(label: str) -> str:
    """The number of the room with this label."""
    return label.removeprefix(_PREFIX)


class Named(Protocol):
    """What a frontend keeps of a room."""

    @property
    def name(self) -> str:
        """The room's name; empty until we are in."""


R = TypeVar("R", bound=Named)


class Rooms(Generic[R]):
    """By their labels, in the order in which they were asked for.

    active: the label of the room that typed lines go to. None when that room has ended: no other room takes its place
    unasked, so that no line goes to people whom it was not meant for.
    """

    def __init__(self) -> None:
        self.by_label: dict[str, R] = {}
        self.active: str | None = None

    def open_room(self, label: str, room: R) -> None:
        """Adds a room that the user has asked for. It is the active one from now on."""
        self.by_label[label] = room
        self.active = label

    def close_room(self, label: str) -> None:
        """Removes a room, if it is there."""
        self.by_label.pop(label, None)
        if self.active == label:
            self.active = None

    def activate_room(self, wanted: str) -> str:
        """Makes the room with this name, number or label the active one. Returns its label. Raises BadInput."""
        self.active = self.find_room(wanted)
        return self.active

    def find_room(self, wanted: str) -> str:
        """The label of the room with this name, number or label. Raises BadInput.

        A host chooses the name of its room, so a name never hides the number or label of another room.
        """
        for label in (wanted, f"{_PREFIX}{wanted}"):
            if label in self.by_label:
                return label
        named = [label for label, room in self.by_label.items() if wanted and room.name == wanted]
        if len(named) == 1:
            return named[0]
        problem = "Several rooms have that name: say which by its number." if named else "You are in no such room."
        raise BadInput(f"{problem} /rooms lists them.")

    def list_rooms(self, find: FindRoom) -> list[dict[str, object]]:
        """The data of the reply to /rooms. find: gives the rooms that we are still in."""
        rows: list[dict[str, object]] = []
        for label, kept in self.by_label.items():
            room = find(label)
            snapshot = room.snapshot() if room else None
            rows.append(
                {
                    "room": label,
                    "name": snapshot.name if snapshot else kept.name,
                    "code": snapshot.code if snapshot else "",
                    "role": ("host" if snapshot.hosting else "member") if snapshot else "over",
                    "members": snapshot.members if snapshot else 0,
                    "active": label == self.active,
                    "alarm": bool(snapshot and snapshot.alarmed),
                }
            )
        return rows
