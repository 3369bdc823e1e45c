"""The link of a room that another hosts, as it is shown."""

from typing import Literal

from anonp2p.room import events


class ShownLink:
    """state: empty until there is one. attempt: which try to get it is under way."""

    def __init__(self) -> None:
        self.state: Literal["", "connecting", "up", "lost"] = ""
        self.attempt = 0
        self._is_passed_on = False  # whether our host hands the room over, and we have no link to the next one yet

    def begin(self) -> None:
        """There is none, perhaps once more."""
        self.state, self.attempt, self._is_passed_on = "", 0, False

    def take_event(self, event: events.LinkEvent) -> Literal["", "lost", "again"]:
        """Follows what becomes of it. Returns what is worth telling: who hosts next says all where it is passed on."""
        was, self.state, self.attempt = self.state, event.state, event.attempt
        if event.detail.code == "passed-on":
            self._is_passed_on = True
        elif event.state == "up" and self._is_passed_on:
            self._is_passed_on = False
        elif event.state == "lost":
            return "lost"
        elif event.state == "up" and was != "up":
            return "again"
        return ""
