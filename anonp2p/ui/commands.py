"""What is typed -> what is to be done. One table yields the parser, /help and completion."""

import dataclasses
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.errors import BadInput, TooLong, UnknownCommand, Usage
from anonp2p.names import nicks
from anonp2p.protocol import frames
from anonp2p.room import events, inputs
from anonp2p.room.retention import ANY, NO_HISTORY


@dataclass(frozen=True, slots=True, repr=False)
class CreateRoomAction:
    """Create a room."""

    name: str
    retention: frames.RetentionPolicy = ANY
    history: frames.HistoryPolicy = NO_HISTORY
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class JoinRoomAction:
    """Join the room with this code, as it was typed."""

    code: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ShowHelpAction:
    """Show all commands, or those asked for."""

    commands: tuple["Command", ...]
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ListRoomsAction:
    """Show which rooms we are in."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ListNumbersAction:
    """Show the latest messages of the room with their numbers."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class SwitchRoomAction:
    """Make another room the active one. room: its name, number or label."""

    room: str
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class ClearScreenAction:
    """Empty the screen: line/output does it in line mode, screen/submission on the full screen."""

    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class CopyAction:
    """Put the room's code, the latest link, or the message with this number on the clipboard.

    what: None is what suits best: the message that is selected, else the code.
    """

    what: Literal["code", "link"] | int | None = None
    re: events.Re = UNSET


@dataclass(frozen=True, slots=True, repr=False)
class QuitAction:
    """Leave all rooms and end the program. asks: as in `LeaveInput`."""

    re: events.Re = UNSET
    asks: bool = False


AppAction = CreateRoomAction | JoinRoomAction | QuitAction | inputs.Typed  # done by the program
# Done by the frontend itself.
FrontendAction = (
    ShowHelpAction | ListRoomsAction | ListNumbersAction | SwitchRoomAction | ClearScreenAction | CopyAction
)
Action = AppAction | FrontendAction


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
    return ShowHelpAction((_find(argument),) if argument else COMMANDS, re)


def _kick(argument: str, re: events.Re) -> Action:
    nick, _, why = argument.partition(" ")
    why = " ".join(why.split())
    if len(why) > limits.KICK_REASON:
        raise BadInput(f"A reason is up to {limits.KICK_REASON} characters.")
    return inputs.KickInput(nick, why, re)


def _code(argument: str, re: events.Re) -> Action:
    if argument.lower() not in ("", "new"):
        raise Usage(f"Type it so: {_find('code').usage}")
    return inputs.CodeInput(re) if argument else inputs.AskInput("/code", re)


def _entrust(argument: str, re: events.Re) -> Action:
    return inputs.EntrustInput(None if argument.lower() == "off" else argument, re)


def _create(argument: str, re: events.Re) -> Action:
    words = argument.split()
    names_given = []
    options: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            names_given.append(word)
        elif word in ("--retain", "--history") and words and word not in options:
            options[word] = words.pop(0)
        else:
            raise Usage(f"Type it so: {_find('create').usage}")
    retention = _retention(options["--retain"]) if "--retain" in options else ANY
    history = _history(options["--history"]) if "--history" in options else NO_HISTORY
    return CreateRoomAction(nicks.parse_room_name(" ".join(names_given)), retention, history, re)


def _retention(given: str) -> frames.RetentionPolicy:
    """T: for messages whose author says nothing; LEAST:DEFAULT:MOST, each of which may be left out, for bounds."""
    parts = given.split(":")
    if len(parts) == 1:
        return frames.RetentionPolicy(FLEETING, _ttl(given), KEPT)
    if len(parts) != 3:
        raise BadInput("What --retain takes is a time, or three as in 30s:5m:2h: at least, usually, at most.")
    least = _ttl(parts[0]) if parts[0] else FLEETING
    most = _ttl(parts[2]) if parts[2] else KEPT
    default = _ttl(parts[1]) if parts[1] else most
    if not least <= default <= most:
        raise BadInput("Of the three times of --retain none may be longer than the one after it.")
    return frames.RetentionPolicy(least, default, most)


def _history(given: str) -> frames.HistoryPolicy:
    if given.isascii() and given.isdigit():
        if not 0 < int(given[:9]) <= limits.LOG_ENTRIES:
            raise BadInput(f"A history is 1 to {limits.LOG_ENTRIES} messages, or a time like 30m.")
        return frames.HistoryPolicy(int(given[:9]), 0)
    seconds = _ttl(given)
    if seconds in (FLEETING, KEPT):
        raise BadInput("A history is a number of messages, or a time like 30m.")
    return frames.HistoryPolicy(0, seconds)


def _ttl(given: str) -> int:
    """How long a message is kept, as it is typed. Raises BadInput."""
    words = {"never": FLEETING, "off": KEPT}
    if given.lower() in words:
        return words[given.lower()]
    number, unit = given[:-1], given[-1:].lower()
    if not (number.isascii() and number.isdigit() and unit in _SECONDS):
        raise BadInput("A time is a number with s, m, h or d, like 30s, 5m or 2h; or off, or never.")
    seconds = int(number[:10]) * _SECONDS[unit]
    if not 0 < seconds <= limits.RETENTION_MAX:
        raise BadInput("A time is from 1s to 365d; or off, or never.")
    return seconds


_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def _msg(argument: str, re: events.Re) -> Action:
    nick, _, text = argument.partition(" ")
    if not text.strip():
        raise Usage(f"Type it so: {_find('msg').usage}")
    return inputs.WhisperInput(nick, _text(text.lstrip()), re)


def _reply(argument: str, re: events.Re) -> Action:
    """A first word of digits alone is the number: a text that begins with such a word needs a number before it."""
    first, _, rest = argument.partition(" ")
    text = rest.lstrip() if _is_number(first) else argument
    if not text:
        raise Usage(f"Type it so: {_find('reply').usage}")
    return inputs.ReplyInput(int(first) if _is_number(first) else None, _text(text), re)


def _retract(argument: str, re: events.Re) -> Action:
    if argument and not _is_number(argument):
        raise BadInput("A message is named by its number, which has nothing but digits.")
    return inputs.RetractInput(int(argument) if argument else None, re)


def _copy(argument: str, re: events.Re) -> Action:
    match argument.lower():
        case "":
            return CopyAction(None, re)
        case "code" | "link" as what:
            return CopyAction(what, re)
        case number if _is_number(number):
            return CopyAction(int(number), re)
    raise Usage(f"Type it so: {_find('copy').usage}")


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _SEQ_DIGITS


_SEQ_DIGITS = 16  # of a number below 2^53


COMMANDS: tuple[Command, ...] = (
    Command("/help", "[COMMAND]", "show all commands, or one", _help),
    Command("/create", "NAME [--retain T] [--history N|T]", "create a room and join it; prints its code", _create),
    Command("/join", "CODE", "join the room with this code", JoinRoomAction),
    Command(
        "/leave",
        "",
        "leave the room; its host hands it over to another",
        lambda _, re: inputs.LeaveInput(re=re),
    ),
    Command("/close", "", "host: end the room for everyone", lambda _, re: inputs.LeaveInput(close=True, re=re)),
    Command("/nick", "NICK", "change your nick in the room", lambda a, re: inputs.RenameInput(nicks.parse_nick(a), re)),
    Command("/who", "", "show the members of the room, with role and tag", lambda _, re: inputs.AskInput("/who", re)),
    Command("/code", "[new]", "show the room's code; new: as its host, change it", _code),
    Command("/qr", "", "show the room's code as a QR code, for a phone", lambda _, re: inputs.AskInput("/qr", re)),
    Command("/copy", "[code|link|SEQ]", "copy the code, the latest link or message SEQ", _copy),
    Command("/msg", "NICK TEXT", "write to one member, for nobody else to read", _msg),
    Command("/reply", "[SEQ] TEXT", "refer to message SEQ, or to the latest one of another", _reply),
    Command("/numbers", "", "show the latest messages with their numbers", lambda _, re: ListNumbersAction(re)),
    Command("/retract", "[SEQ]", "end message SEQ of yours now, or your latest one, for all", _retract),
    Command(
        "/retain",
        "[T|off|never]",
        "how long your messages are kept: 30s, 5m, 2h; off: until the room ends; never: shown once",
        lambda a, re: inputs.RetainInput(_ttl(a) if a else None, re),
    ),
    Command(
        "/verify", "[NICK]", "words to compare by another way: same room, or nobody between you two", inputs.VerifyInput
    ),
    Command("/rooms", "", "show the rooms you are in", lambda _, re: ListRoomsAction(re)),
    Command("/switch", "ROOM", "make another room the active one, by name or number", SwitchRoomAction),
    Command(
        "/heirs",
        "",
        "show who would host the room next, and who has its key",
        lambda _, re: inputs.AskInput("/heirs", re),
    ),
    Command("/entrust", "NICK|off", "host: who is to be the next host, and to have the key; off: nobody", _entrust),
    Command("/kick", "NICK [REASON]", "host: throw somebody out of the room", _kick),
    Command("/lock", "", "host: let nobody new in", lambda _, re: inputs.LockInput(True, re)),
    Command("/unlock", "", "host: let newcomers in again", lambda _, re: inputs.LockInput(False, re)),
    Command("/me", "TEXT", "say what you do, in the third person", lambda a, re: inputs.SayInput(_text(a), True, re)),
    Command("/clear", "", "clear the screen", lambda _, re: ClearScreenAction(re)),
    Command("/quit", "", "leave the room and the program", lambda _, re: QuitAction(re)),
)


_SUGGESTED = 3  # commands that begin as what was typed: more are no help
_ALIKE = 0.7  # of difflib's measure: /jion and /quitt, but not /mute for /me


def _find(name: str) -> Command:
    wanted = "/" + name.removeprefix("/").lower()
    for command in COMMANDS:
        if command.name == wanted:
            return command
    alike = _alike(wanted)
    raise UnknownCommand(f"{wanted}. Did you mean {alike}?" if alike else f"{wanted}; /help lists them all.")


def _alike(wanted: str) -> str:
    """The commands that this may have been meant for, in words; empty if there are none, or too many to say."""
    import difflib  # not sooner: few mistype, and the program should start fast

    names = [command.name for command in COMMANDS]
    found = [name for name in names if name.startswith(wanted)]
    if not 0 < len(found) <= _SUGGESTED:
        found = difflib.get_close_matches(wanted, names, 1, _ALIKE)
    return " or ".join(found)


def names_message(typed: str) -> bool:
    """Whether a command is being typed that names a message by its number."""
    name, space, _ = from_first_seen(typed).partition(" ")
    found = next((command for command in COMMANDS if command.name == name.lower()), None)
    return bool(space) and found is not None and "SEQ" in found.argument


def parse_line(line: str, re: events.Re = UNSET) -> Action:
    """The action that a typed line stands for. Raises an AnonError that says what is wrong with it.

    Only what is visible decides: a command after invisible characters is not sent as a message, which all would read.
    """
    seen = from_first_seen(line)
    if seen.startswith("//"):
        return make_message(seen[1:], re)
    if seen.startswith("/"):
        return parse_command(seen, re)
    if seen.startswith(_LIKE_SLASH):
        raise BadInput("A command begins with /, and this line with a character that only looks like it.")
    return make_message(line.removeprefix(_BOM), re)


def from_first_seen(line: str) -> str:
    """A line from its first character on that is neither white space nor invisible."""
    at = next((at for at, character in enumerate(line) if not _is_unseen(character)), len(line))
    return line[at:]


def _is_unseen(character: str) -> bool:
    unseen = unicodedata.category(character) in _UNSEEN or character in _BLANK
    return unseen or character.isspace()


_BOM = "\ufeff"  # begins files of some editors, and what is pasted from them
_UNSEEN = ("Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp")  # of marks one sees nothing without a letter
# Letters and symbols drawn as nothing, or as whatever a font likes; and what is kept for characters drawn as nothing.
_BLANK = frozenset("\u115f\u1160\u2065\u2800\u3164\uffa0\ufffc") | frozenset(
    map(chr, (*range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)))
)
_LIKE_SLASH = tuple(
    "\uff0f\u2044\u2215\u29f8"
)  # fullwidth, as input methods for Chinese have it; fraction, division, big


def make_message(text: str, re: events.Re = UNSET) -> inputs.SayInput:
    """A message. Raises TooLong."""
    return inputs.SayInput(_text(text), False, re)


def ask_first(action: Action) -> Action:
    """The action of a person who is there to say it again, where it ends a room for all."""
    if isinstance(action, QuitAction) or (isinstance(action, inputs.LeaveInput) and not action.close):
        return dataclasses.replace(action, asks=True)
    return action


def from_arguments(action: str, subject: str) -> CreateRoomAction | JoinRoomAction | None:
    """What the command line asks for: `create NAME` or `join CODE`. Raises an AnonError that says what is wrong."""
    if not action:
        return None
    built = parse_command(f"/{action} {subject}")
    assert isinstance(built, CreateRoomAction | JoinRoomAction), "the command line takes no other command"
    return built


def parse_command(line: str, re: events.Re = UNSET) -> Action:
    """A command, `/` and all. Raises an AnonError that says what is wrong with it."""
    name, _, argument = line.partition(" ")
    if not name.startswith("/"):
        raise Usage("A command begins with /.")
    found = _find(name)
    argument = argument.strip()
    optional = found.argument.startswith("[") and found.argument.endswith("]")
    if bool(argument) != bool(found.argument) and not (optional and not argument):
        raise Usage(f"Type it so: {found.usage}")
    return found.build(argument, re)


def _text(text: str) -> str:
    if len(text.encode()) > limits.TEXT:
        raise TooLong
    return text
