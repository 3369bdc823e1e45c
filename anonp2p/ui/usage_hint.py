"""What is said of a command while it is typed: how it goes on, what it does, and how things are now."""

from collections.abc import Mapping

from anonp2p.ui.commands import COMMANDS, find_command, from_first_seen
from anonp2p.ui.manual import PAGES


def describe_typed(typed: str, now: Mapping[str, str], becomes: Mapping[str, str]) -> str:
    """In a sentence; empty where no command is typed.

    now: by command, what it changes as it is now. becomes: by command, what it does here, where more is known of that.
    """
    seen = from_first_seen(typed)
    name, space, argument = seen.partition(" ")
    if not seen.startswith("/") or seen.startswith("//"):
        return ""
    found = find_command(name)
    if found is None and not space:
        beginning = [command for command in COMMANDS if command.name.startswith(name.lower())]
        if len(beginning) > _NAMED:
            return "Tab goes through the commands, /help explains them."
        if len(beginning) > 1:
            return "  ".join(command.name for command in beginning)
        found = next(iter(beginning), None)
    if found is None:
        return "There is no such command; /help lists them all."
    does = becomes.get(found.name) or found.does
    options = PAGES[found.name].values
    last = next((word for word in reversed(argument.split()) if word in options), "")
    usage = options.get(last, "") if space else ""
    state = f"; now {now[found.name]}" if found.name in now else ""
    return f"{usage or f'{found.usage}  {does}'}{state}"


_NAMED = 8  # commands: more are too much to choose from
