"""What stands above the input line as long as there is nothing else to say there."""

from anonp2p.ui import wording
from anonp2p.ui.commands import from_first_seen
from anonp2p.ui.replies import span
from anonp2p.ui.screen.hint import Hint
from anonp2p.ui.screen.scene import Scene
from anonp2p.ui.usage_hint import describe_typed


def lasting_hint(scene: Scene, typed: str) -> Hint | None:
    """What the next key can do. typed: what the input line holds."""
    tab = scene.active
    if tab.over and tab.again and tab.wants_nick:
        return Hint("Enter goes on under this nick, Esc leaves the room.", "title")
    if tab.over and not typed:
        return Hint("Enter tries again, Esc leaves the room." if tab.again else "Esc leaves the room.", "title")
    if from_first_seen(typed).startswith("/") and (usage := describe_typed(typed, _state_facts(scene))):
        return Hint(usage)
    return None


def _state_facts(scene: Scene) -> dict[str, str]:
    """How things are, or what would become of the room, by the command that changes that."""
    tab = scene.active
    snapshot = scene.snapshot(tab)
    nick = snapshot.nick if snapshot else scene.nick
    facts = {"/nick": f"now {nick}" if nick else "", "/quit": wording.foresee_quit(scene.list_rooms())}
    if snapshot:
        facts["/leave"] = wording.foresee_quit([(tab.title, snapshot)])
        facts["/close"] = wording.foresee_close(tab.title, snapshot)
        facts["/retain"] = f"now {span(snapshot.ttl)}"
        facts["/lock"] = facts["/unlock"] = "now locked" if snapshot.locked else "now open to newcomers"
        facts["/notify"] = f"now {tab.attention.level}"
    return {command: fact for command, fact in facts.items() if fact}
