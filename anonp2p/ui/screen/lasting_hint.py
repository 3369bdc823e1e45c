"""What stands above the input line as long as there is nothing else to say there."""

from anonp2p.files.cleaning import find_mat2
from anonp2p.ui import endings
from anonp2p.ui.commands import from_first_seen
from anonp2p.ui.file_wording import warn_of_traces
from anonp2p.ui.replies import span
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.usage_hint import describe_typed


def lasting_hint(scene: Scene, typed: str) -> Hint | None:
    """What the next key can do. typed: what the input line holds."""
    tab = scene.active
    if tab.way_in.over and tab.way_in.again and tab.way_in.wants_nick:
        begun = from_first_seen(typed).lower().startswith("/nick ")
        on = "Enter goes on under this" if begun else "/nick goes on under another" if typed else "Enter suggests a"
        return Hint(f"{on} nick, Esc leaves the room.", "title")
    if tab.way_in.over and not typed:
        return Hint("Enter tries again, Esc leaves the room." if tab.way_in.again else "Esc leaves the room.", "title")
    if not from_first_seen(typed).startswith("/"):
        return None
    usage = describe_typed(typed, _list_settings(scene), _foresee(scene))
    return Hint(usage) if usage else None


def _list_settings(scene: Scene) -> dict[str, str]:
    """How things are, by the command that changes it."""
    tab = scene.active
    snapshot = scene.snapshot(tab)
    if snapshot is None:
        return {"/nick": scene.nick} if scene.nick else {}
    lock = "locked" if snapshot.locked else "open to newcomers"
    told = {"/retain": span(snapshot.ttl), "/lock": lock, "/unlock": lock, "/notify": tab.attention.level}
    told |= {"/knock": "on" if snapshot.knock else "off", "/raid": "on" if snapshot.raid else "off"}
    told["/slow"] = span(snapshot.slow) if snapshot.slow else "off"
    told["/quiet"] = "off" if tab.newcomers.minutes is None else f"{tab.newcomers.minutes} minutes"
    return told | ({"/nick": snapshot.nick} if snapshot.nick else {})


def _foresee(scene: Scene) -> dict[str, str]:
    """What becomes of others, by the command that does it; empty where it does nothing to them."""
    tab = scene.active
    snapshot = scene.snapshot(tab)
    rooms = scene.list_rooms()
    becomes = {"/quit": endings.foresee_quit(rooms), "/send": warn_of_traces(can_clean=find_mat2() is not None)}
    if snapshot:
        becomes["/leave"] = endings.foresee_quit((title, seen) for title, seen in rooms if seen.code == snapshot.code)
        becomes["/close"] = endings.foresee_close(tab.title, snapshot)
    return becomes
