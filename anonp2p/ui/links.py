"""Links in messages."""

import re
from typing import Final

from anonp2p.ui.sanitize import sanitize_text

LINK: Final = re.compile(r"https?://\S+")


def find_last_link(text: str) -> str:
    """The last link in a message, safe to be pasted anywhere, without the end of a sentence after it; or nothing."""
    found = LINK.findall(sanitize_text(text))
    return found[-1].rstrip(".,;:!?\"'") if found else ""
