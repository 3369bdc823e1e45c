"""What is typed -> what is to be done. One table yields the parser, /help and completion."""

import dataclasses
import unicodedata

from msgspec import UNSET

from anonp2p.errors import BadInput, UnknownCommand, Usage, WrongArgument
from anonp2p.names import nicks
from anonp2p.room import events, inputs
from anonp2p.room.moderation_inputs import KeepInput, KnockInput, LockInput, UnbanInput
from anonp2p.ui import arguments, file_arguments, manual
from anonp2p.ui.actions import (
    Action,
    ClearScreenAction,
    Command,
    CreateRoomAction,
    IgnoreAction,
    JoinRoomAction,
    ListNumbersAction,
    ListRoomsAction,
    QuitAction,
    ShowHelpAction,
    SwitchRoomAction,
)


def _help(argument: str, re: events.Re) -> Action:
    return ShowHelpAction((_find(argument),) if argument else COMMANDS, re)


COMMANDS: tuple[Command, ...] = (
    Command("/help", "[COMMAND]", "show all commands, or one", _help),
    Command(
        "/create",
        "NAME [--retain T] [--history N|T] [--knock] [--private]",
        "create a room and join it; prints its code",
        arguments.parse_create,
    ),
    Command("/join", "CODE [NICK]", "join the room with this code, under this nick", arguments.parse_join),
    Command(
        "/leave",
        "",
        "leave the room; its host hands it over to another",
        lambda _, re: inputs.LeaveInput(re=re),
    ),
    Command("/close", "", "moderators: end the room for everyone", lambda _, re: inputs.LeaveInput(close=True, re=re)),
    Command(
        "/nick",
        "NICK",
        "your nick here; before any room, for all rooms",
        lambda a, re: inputs.RenameInput(nicks.parse_nick(a), re),
    ),
    Command("/who", "", "show the members of the room, with role and tag", lambda _, re: inputs.AskInput("/who", re)),
    Command("/code", "[new]", "show the room's code; new: as its host, change it", arguments.parse_code),
    Command("/qr", "", "show the room's code as a QR code, for a phone", lambda _, re: inputs.AskInput("/qr", re)),
    Command("/copy", "[code|link|SEQ]", "copy the code, the latest link or message SEQ", arguments.parse_copy),
    Command("/msg", "NICK TEXT", "write to one member, for nobody else to read", arguments.parse_msg),
    Command("/query", "[NICK]", "write to one member until /query alone, or Esc", arguments.parse_query),
    Command(
        "/ignore",
        "[NICK]",
        "see nothing of what this member says, until you leave; alone: whom you ignore",
        lambda a, re: IgnoreAction(a or None, re=re),
    ),
    Command("/unignore", "NICK", "see again what this member says", lambda a, re: IgnoreAction(a, on=False, re=re)),
    Command(
        "/quiet",
        "[MINUTES|off|show]",
        "put aside what members say in their first minutes here; show: read that",
        arguments.parse_quiet,
    ),
    Command("/reply", "[SEQ] TEXT", "refer to message SEQ, or to the latest one of another", arguments.parse_reply),
    Command("/numbers", "", "show the latest messages with their numbers", lambda _, re: ListNumbersAction(re)),
    Command("/retract", "[SEQ]", "end message SEQ of yours now, or your latest one, for all", arguments.parse_retract),
    Command(
        "/retain",
        "[T|off|never]",
        "how long your messages are kept: 30s, 5m, 2h; off: until the room ends; never: shown once",
        lambda a, re: inputs.RetainInput(arguments.parse_ttl(a) if a else None, re),
    ),
    Command(
        "/verify",
        "[NICK] [yes|no]",
        "words to compare by another way: same room, or nobody between you two",
        arguments.parse_verify,
    ),
    Command(
        "/send",
        "PATH [NICK] [--clean]",
        "offer a file to the room, or to one member; --clean: without the traces that mat2 finds",
        file_arguments.parse_send,
    ),
    Command("/files", "", "show the files on offer, and how far they are", lambda _, re: inputs.AskInput("/files", re)),
    Command("/accept", "OFFER [PATH]", "take a file, to PATH or your downloads folder", file_arguments.parse_accept),
    Command(
        "/decline", "OFFER", "stop taking a file, hide an offer, or end one of yours", file_arguments.parse_decline
    ),
    Command("/notify", "[all|mentions|none|desktop] [on|off]", "what calls you in this room", arguments.parse_notify),
    Command("/rooms", "", "show the rooms you are in", lambda _, re: ListRoomsAction(re)),
    Command("/switch", "ROOM", "make another room the active one, by name or number", SwitchRoomAction),
    Command(
        "/heirs",
        "",
        "show who would host the room next, and who has its key",
        lambda _, re: inputs.AskInput("/heirs", re),
    ),
    Command(
        "/health",
        "",
        "show whether others can join, and whether what you say arrives",
        lambda _, re: inputs.AskInput("/health", re),
    ),
    Command(
        "/entrust",
        "NICK|off",
        "host: who is to be the next host, and to have the key; off: nobody",
        arguments.parse_entrust,
    ),
    Command("/kick", "NICK [REASON]", "moderators: throw somebody out of the room", arguments.parse_kick),
    Command("/ban", "NICK [REASON]", "moderators: throw somebody out for good, by key", arguments.parse_ban),
    Command(
        "/unban",
        "NICK",
        "moderators: let somebody come back who was banned",
        lambda a, re: UnbanInput(arguments.parse_one(a), re),
        "banned",
    ),
    Command("/mute", "NICK", "moderators: have nobody see what somebody says", arguments.parse_role("/mute", "muted")),
    Command("/unmute", "NICK", "moderators: let somebody talk again", arguments.parse_role("/unmute", "member")),
    Command("/op", "NICK", "moderators: make somebody a moderator", arguments.parse_role("/op", "moderator")),
    Command("/deop", "NICK", "moderators: make a moderator a plain member", arguments.parse_role("/deop", "member")),
    Command("/lock", "", "moderators: let nobody new in", lambda _, re: LockInput(True, re)),
    Command("/unlock", "", "moderators: let newcomers in again", lambda _, re: LockInput(False, re)),
    Command(
        "/knock",
        "on|off",
        "moderators: have newcomers wait until one of you lets them in",
        lambda a, re: KnockInput(arguments.parse_switch(a), re),
    ),
    Command("/admit", "NICK", "moderators: let somebody in who knocks", arguments.parse_admission(True), "waiting"),
    Command(
        "/refuse", "NICK", "moderators: turn somebody away who knocks", arguments.parse_admission(False), "waiting"
    ),
    Command("/slow", "SECONDS|off", "moderators: the time between two messages of a member", arguments.parse_slow),
    Command(
        "/raid",
        "[off]",
        "moderators: let nobody in, and slow talk down, until /raid off",
        arguments.parse_raid,
    ),
    Command("/purge", "T", "moderators: throw out all who came within T", arguments.parse_purge),
    Command(
        "/keep",
        "NICK",
        "moderators: name somebody whom no purge throws out",
        lambda a, re: KeepInput(arguments.parse_one(a), re),
    ),
    Command(
        "/invite",
        "[NOTE] [--uses N]",
        "moderators of a private room: a code for one guest, or for N",
        arguments.parse_invite,
    ),
    Command(
        "/invites",
        "",
        "moderators of a private room: its invitations, and who came by them",
        lambda _, re: inputs.AskInput("/invites", re),
    ),
    Command(
        "/revoke",
        "INVITATION",
        "moderators of a private room: end an invitation, by its number",
        arguments.parse_revoke,
    ),
    Command(
        "/me",
        "TEXT",
        "say what you do, in the third person",
        lambda a, re: inputs.SayInput(arguments.bounded_text(a), True, re),
    ),
    Command("/clear", "", "clear the screen", lambda _, re: ClearScreenAction(re)),
    Command("/quit", "", "leave the room and the program", lambda _, re: QuitAction(re)),
)


_SUGGESTED = 3  # commands that begin as what was typed: more are no help
_ALIKE = 0.7  # of difflib's measure: /jion and /quitt, but not /mute for /me


def find_command(name: str) -> Command | None:
    """The command of this name, with or without its slash, or the one that people type so by habit."""
    wanted = "/" + name.removeprefix("/").lower()
    wanted = manual.HABITS.get(wanted, wanted)
    return next((command for command in COMMANDS if command.name == wanted), None)


def _find(name: str) -> Command:
    if found := find_command(name):
        return found
    wanted = "/" + name.removeprefix("/").lower()
    alike = _alike(wanted)
    raise UnknownCommand(f"{wanted}. Did you mean {alike}?" if alike else f"{wanted}; /help lists them all.")


def _alike(wanted: str) -> str:
    """The commands that this may have been meant for, in words; empty if there are none, or too many to say."""
    if near := manual.NEAR.get(wanted):
        return near
    if "/" in wanted[1:]:
        return "/send"  # it is a path, as typed by a terminal for a file that is dropped on it
    import difflib  # not sooner: few mistype, and the program should start fast

    names = [command.name for command in COMMANDS]
    found = [name for name in names if name.startswith(wanted)]
    if not 0 < len(found) <= _SUGGESTED:
        found = difflib.get_close_matches(wanted, names, 1, _ALIKE)
    return " or ".join(found)


def names_message(typed: str) -> bool:
    """Whether a command is being typed that names a message by its number."""
    name, space, _ = from_first_seen(typed).partition(" ")
    found = find_command(name) if name.startswith("/") else None
    return bool(space) and found is not None and "SEQ" in found.argument


def is_offer(line: str) -> bool:
    """Whether a line offers a file, or tries to."""
    name = from_first_seen(line).partition(" ")[0]
    found = find_command(name) if name.startswith("/") else None
    return found is not None and found.name == "/send"


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


def is_command(line: str) -> bool:
    """Whether a line is meant as a command, and not as a message."""
    seen = from_first_seen(line)
    return seen.startswith("/") and not seen.startswith("//")


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
    return inputs.SayInput(arguments.bounded_text(text), False, re)


def ask_first(action: Action) -> Action:
    """The action of a person who is there to say it again, where it ends a room for others."""
    if isinstance(action, QuitAction | inputs.LeaveInput):
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
    try:
        if bool(argument) != bool(found.argument) and not (optional and not argument):
            raise WrongArgument
        return found.build(argument, re)
    except WrongArgument:
        raise Usage(f"Type it so: {found.usage}") from None
