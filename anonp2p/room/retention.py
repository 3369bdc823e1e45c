"""A room's rules on how long messages live and who is shown them later, and how they are put in words."""

from typing import Final

from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import frames

ANY: Final = frames.Retention(FLEETING, KEPT, KEPT)  # no bounds; messages are kept
NO_HISTORY: Final = frames.History(0, 0)


def rules_in_words(retention: frames.Retention, history: frames.History) -> list[str]:
    """What is not as in other rooms, in sentences: it is for all who come in to know."""
    said = []
    if retention != ANY:
        least, default, most = retention.least, retention.default, retention.most
        usual = {FLEETING: "not kept", KEPT: "kept until the room ends"}.get(default, f"kept for {span(default)}")
        bounds = f"; authors may choose from {span(least)} to {span(most)}" if least != most else ""
        said.append(f"Messages here are {usual}{bounds}.")
    if history != NO_HISTORY:
        texts, time = f"last {history.texts} messages", f"messages of the last {span(history.seconds)}"
        said.append(f"Newcomers are shown the {texts if history.texts else time}.")
    return said


def span(ttl: int) -> str:
    """A time to live in words, as it is typed: `30s`, `5m`, `2h`, `1d`, or what stands for none and for ever."""
    if ttl in (FLEETING, KEPT):
        return "never" if ttl == FLEETING else "off"
    unit, letter = next((unit, letter) for unit, letter in _UNITS if ttl % unit == 0)
    return f"{ttl // unit}{letter}"


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
