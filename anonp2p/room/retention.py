"""A room's rules on how long messages live and who is shown them later, and how times to live are put in words."""

from typing import Final

from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import room_state

ANY: Final = room_state.RetentionPolicy(FLEETING, KEPT, KEPT)  # no bounds; messages are kept
NO_HISTORY: Final = room_state.HistoryPolicy(0, 0)


def ttl_or_none(ttl: int) -> int | None:
    """A time to live as the interface has it: None until the room ends."""
    return None if ttl == KEPT else ttl


def span(ttl: int) -> str:
    """A time to live in words, as it is typed: `30s`, `5m`, `2h`, `1d`, or what stands for none and for ever."""
    if ttl in (FLEETING, KEPT):
        return "never" if ttl == FLEETING else "off"
    unit, letter = next((unit, letter) for unit, letter in _UNITS if ttl % unit == 0)
    return f"{ttl // unit}{letter}"


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
