"""What is said of a command while it is typed: how it goes on, what it does, and how things are now."""

from collections.abc import Iterator, Mapping

from anonp2p.ui.actions import Command
from anonp2p.ui.commands import COMMANDS, find_command, from_first_seen
from anonp2p.ui.manual import PAGES


def describe_typed(typed: str, facts: Mapping[str, str]) -> str:
    """In a sentence; empty where no command is typed. facts: by command, how things are now, or what would become."""
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
    return "; ".join(_describe(found, argument if space else None, facts))


_NAMED = 8  # commands: more are too much to choose from


def _describe(command: Command, argument: str | None, facts: Mapping[str, str]) -> Iterator[str]:
    """The parts of what is said. argument: what stands behind the command so far, None where nothing can."""
    options = PAGES[command.name].values
    last = next((word for word in reversed((argument or "").split()) if word in options), "")
    if argument is not None and (values := options.get(last)):
        yield values
    else:
        yield f"{command.usage}  {command.does}"
    if command.name in facts:
        yield facts[command.name]
