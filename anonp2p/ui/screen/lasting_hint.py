"""What stands above the input line as long as there is nothing else to say there."""

from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.tab import Tab


def lasting_hint(tab: Tab, typed: str) -> Hint | None:
    """What the next key can do. typed: what the input line holds."""
    if tab.over and tab.again and tab.wants_nick:
        return Hint("Enter goes on under this nick, Esc leaves the room.", "title")
    if tab.over and not typed:
        return Hint("Enter tries again, Esc leaves the room." if tab.again else "Esc leaves the room.", "title")
    return None
