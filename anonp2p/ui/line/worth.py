"""Which events a person on a terminal is told, line by line: fewer than a program, which may want to know them all."""

from typing import Final

from anonp2p.room import events
from anonp2p.room.hosting_events import HeirsEvent

_STEP: Final = 25  # percent of Tor's boot after which another line is worth its place


class Worth:
    """What was told last of the boot of Tor."""

    def __init__(self) -> None:
        self._progress = -_STEP

    def is_told(self, event: events.Event) -> bool:
        """Whether the event is worth a line. /heirs says who could take the room over: newcomers change that."""
        match event:
            case events.TorProgressEvent(progress=progress):
                if self._progress <= progress < min(100, self._progress + _STEP):
                    return False
                self._progress = progress
            case events.ReadyEvent():
                self._progress = -_STEP
            case HeirsEvent(heirs=heirs):
                return not heirs
        return True
