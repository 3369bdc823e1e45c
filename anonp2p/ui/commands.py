"""What is typed -> what is to be done. One table yields the parser, /help and, later, completion."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import UNSET

from anonp2p import limits
from anonp2p.core import events, names, steps
from anonp2p.errors import BadInput, TooLong, UnknownCommand, Usage


@dataclass(frozen=True, slots=True, repr=False)
class Create:
    """A new room."""

    name: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Join:
    """Into the room with this code, as it was typed."""

    code: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Help:
    """All commands, or those asked for."""

    commands: tuple["Command", ...]
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Rooms:
    """Which rooms we are in."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Switch:
    """Another room becomes the active one: its name, number or label."""

    room: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Clear:
    """An empty screen."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class Quit:
    """Out of the program."""

    re: events.Re = UNSET


Action = Create | Join | Help | Rooms | Switch | Clear | Quit | steps.Typed


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table. build: makes the action of the argument, which is empty exactly where usage has none."""

    name: str
    argument: str
    does: str
    build: Callable[[str, events.Re], Action]

    @property
    def usage(self) -> str:
        """How it is typed: capitals stand for what is to be filled in, brackets for what may be left out."""
        return f"{self.name} {self.argument}".rstrip()


def _help(argument: str, re: events.Re) -> Action:
    return Help((_find(argument),) if argument else COMMANDS, re)


def _kick(argument: str, re: events.Re) -> Action:
    nick, _, why = argument.partition(" ")
    why = " ".join(why.split())
    if len(why) > limits.WHY:
        raise BadInput(f"A reason is up to {limits.WHY} characters.")
    return steps.Kick(nick, why, re)


COMMANDS: tuple[Command, ...] = (
    Command("/help", "[COMMAND]", "show all commands, or one", _help),
    Command(
        "/create", "NAME", "create a room and join it; prints its code", lambda a, re: Create(names.room_name(a), re)
    ),
    Command("/join", "CODE", "join the room with this code", Join),
    Command("/leave", "", "leave the room; if you are its host, it ends", lambda _, re: steps.Leave(re=re)),
    Command("/close", "", "host: end the room for everyone", lambda _, re: steps.Leave(close=True, re=re)),
    Command("/nick", "NICK", "change your nick in the room", lambda a, re: steps.Rename(names.nick(a), re)),
    Command("/who", "", "show the members of the room, with role and tag", lambda _, re: steps.Ask("/who", re)),
    Command("/code", "", "show the room's code", lambda _, re: steps.Ask("/code", re)),
    Command("/rooms", "", "show the rooms you are in", lambda _, re: Rooms(re)),
    Command("/switch", "ROOM", "make another room the active one, by name or number", Switch),
    Command("/kick", "NICK [REASON]", "host: throw somebody out of the room", _kick),
    Command("/lock", "", "host: let nobody new in", lambda _, re: steps.Lock(True, re)),
    Command("/unlock", "", "host: let newcomers in again", lambda _, re: steps.Lock(False, re)),
    Command("/me", "TEXT", "say what you do, in the third person", lambda a, re: steps.Say(_text(a), True, re)),
    Command("/clear", "", "clear the screen", lambda _, re: Clear(re)),
    Command("/quit", "", "leave the room and the program", lambda _, re: Quit(re)),
)


def _find(name: str) -> Command:
    wanted = "/" + name.removeprefix("/").lower()
    for command in COMMANDS:
        if command.name == wanted:
            return command
    raise UnknownCommand(wanted)


def parse(line: str, re: events.Re = UNSET) -> Action:
    """The action that a typed line stands for. Raises an AnonError that says what is wrong with it."""
    if line.startswith("//"):
        return say(line[1:], re)
    if line.startswith("/"):
        return command(line, re)
    return say(line, re)


def say(text: str, re: events.Re = UNSET) -> steps.Say:
    """A message. Raises TooLong."""
    return steps.Say(_text(text), False, re)


def command(line: str, re: events.Re = UNSET) -> Action:
    """A command, `/` and all. Raises an AnonError that says what is wrong with it."""
    name, _, argument = line.partition(" ")
    if not name.startswith("/"):
        raise Usage("A command begins with /.")
    found = _find(name)
    argument = argument.strip()
    optional = found.argument.startswith("[")
    if bool(argument) != bool(found.argument) and not (optional and not argument):
        raise Usage(f"Type it so: {found.usage}")
    return found.build(argument, re)


def _text(text: str) -> str:
    if len(text.encode()) > limits.TEXT:
        raise TooLong
    return text
