"""What the lines of a room begin with in line mode."""

from msgspec import UNSET

from anonp2p.names import nicks
from anonp2p.room import events


class RoomPrefixes:
    """The rooms that events come from, by the names that stand before their lines."""

    def __init__(self) -> None:
        self._prefixes: dict[str, str] = {}  # by label; empty until the room is entered

    def prefix_event(self, event: events.Event) -> str:
        """The room that an event comes from, where there is more than one: its name, or its label.

        The label until the room is entered. The label for ever if the name could be taken for anything else: another
        room's name, a label, the program. So a prefix never means another room while we are in this one.
        """
        label = getattr(event, "room", UNSET)
        if label is UNSET:
            return ""
        prefix = self._prefixes.setdefault(label, "")
        if isinstance(event, events.EnteredEvent) and not prefix:
            prefix = self._prefixes[label] = label if self._is_ambiguous(event.name) else event.name
        several = len(self._prefixes) > 1
        if isinstance(event, events.GoneEvent):
            del self._prefixes[label]
        return (prefix or label) if several else ""

    def _is_ambiguous(self, name: str) -> bool:
        looks = nicks.wide_looks(name)
        others = any(looks & nicks.wide_looks(prefix) for prefix in self._prefixes.values())
        return others or nicks.is_like_label(name) or bool(nicks.reserved_word(name))
