"""What a person may have entered by mistake, and is asked about before it is said."""

from anonp2p import limits
from anonp2p.ui.errors import PATH_SAID
from anonp2p.ui.paths import is_dropped


def find_doubt(text: str) -> str:
    """Why the user may not mean to say this, and what Enter does; empty if there is no reason."""
    lines = text.count("\n") + 1
    if lines > limits.LONG_MESSAGE and len(text.encode()) <= limits.TEXT:
        return f"That is {lines} lines: Enter again sends them as one message"
    return f"{PATH_SAID}: Enter again says it, /send PATH offers the file" if is_dropped(text) else ""
