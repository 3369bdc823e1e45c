"""What stands after a command -> its action. All raise AnonError; WrongArgument where it is not as the usage says."""

import dataclasses
from collections.abc import Callable
from contextlib import suppress

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.errors import BadCode, BadInput, TooLong, WrongArgument
from anonp2p.names import codes, nicks
from anonp2p.names.errors import CodeLetters, CodeMistyped, KeyMistyped
from anonp2p.protocol import room_state
from anonp2p.room import events, inputs
from anonp2p.room.moderation_events import RoleName
from anonp2p.room.moderation_inputs import (
    AdmitInput,
    InviteInput,
    KickInput,
    PurgeInput,
    RaidInput,
    RevokeInput,
    RoleCommand,
    RoleInput,
    SlowInput,
)
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.ui.actions import (
    Action,
    ConverseAction,
    CopyAction,
    CreateRoomAction,
    JoinRoomAction,
    NotifyAction,
    QuietAction,
)


def parse_join(argument: str, re: events.Re) -> Action:
    """A code, in however many pieces, and perhaps a nick after it."""
    *pieces, last = argument.split()
    try:
        code, nick = codes.parse_code(argument), ""
    except BadCode as error:
        if not pieces:
            raise
        try:
            code, nick = codes.parse_code("".join(pieces)), nicks.parse_nick(last)
        except (CodeMistyped, CodeLetters, KeyMistyped):
            raise
        except BadCode:
            _check_nick_of_words(argument.split())
            raise error from None
    return JoinRoomAction(code.address, nick, key=code.key, re=re)


def _check_nick_of_words(pieces: list[str]) -> None:
    """Raises BadNick where several words follow a code: it is the nick that is wrong then."""
    for count in range(1, len(pieces) - 1):
        with suppress(BadCode):
            codes.parse_code("".join(pieces[:count]))
            nicks.parse_nick(" ".join(pieces[count:]))


def parse_kick(argument: str, re: events.Re) -> Action:
    nick, _, why = argument.partition(" ")
    why = " ".join(why.split())
    if len(why) > limits.KICK_REASON:
        raise BadInput(f"A reason is up to {limits.KICK_REASON} characters.")
    return KickInput(nick, why, re)


def parse_ban(argument: str, re: events.Re) -> Action:
    kick = parse_kick(argument, re)
    assert isinstance(kick, KickInput), "it is one"
    return dataclasses.replace(kick, ban=True)


def parse_role(command: RoleCommand, role: RoleName) -> Callable[[str, events.Re], Action]:
    """What stands behind a command that gives a member this role."""
    return lambda argument, re: RoleInput(parse_one(argument), role, command, re)


def parse_admission(admitted: bool) -> Callable[[str, events.Re], Action]:
    """What stands behind the command that lets somebody in who knocks, or turns them away."""
    return lambda argument, re: AdmitInput(parse_one(argument), admitted, re)


def parse_one(argument: str) -> str:
    """One word, and nothing else."""
    if len(argument.split()) != 1:
        raise WrongArgument
    return argument


def parse_switch(argument: str) -> bool:
    """`on` or `off`."""
    if argument.lower() not in ("on", "off"):
        raise WrongArgument
    return argument.lower() == "on"


def parse_slow(argument: str, re: events.Re) -> Action:
    """A bare number is seconds."""
    given = argument.lower()
    number, unit = (given, "s") if given.isdigit() else (given[:-1], given[-1:])
    seconds = 0 if given == "off" else _seconds(number, unit)
    if seconds is None or seconds > limits.SLOW:
        raise BadInput(f"How slow: 1 to {limits.SLOW:,} seconds between two messages of a member, or off.")
    return SlowInput(seconds, re)


def parse_purge(argument: str, re: events.Re) -> Action:
    seconds = _seconds(argument[:-1], argument[-1:].lower())
    if not seconds or seconds > limits.RETENTION_MAX:
        raise BadInput("Whom to throw out: those who came within a time like 30s, 10m or 2h.")
    return PurgeInput(seconds, re)


def parse_raid(argument: str, re: events.Re) -> Action:
    return RaidInput(parse_switch(argument or "on"), re)


def parse_invite(argument: str, re: events.Re) -> Action:
    words = argument.split()
    uses = 1
    if "--uses" in words:
        at = words.index("--uses")
        number = "".join(words[at + 1 : at + 2])
        if not (_is_number(number) and 0 < int(number) <= limits.INVITATION_USES):
            raise BadInput(f"An invitation is good for 1 to {limits.INVITATION_USES:,} people.")
        uses = int(number)
        del words[at : at + 2]
    if any(word.startswith("--") for word in words):
        raise WrongArgument
    note = " ".join(words)
    if len(note) > limits.INVITATION_NOTE:
        raise BadInput(f"A note is up to {limits.INVITATION_NOTE} characters.")
    return InviteInput(note, uses, re)


def parse_revoke(argument: str, re: events.Re) -> Action:
    if not _is_number(argument):
        raise BadInput("An invitation is named by its number, as /invites lists it.")
    return RevokeInput(int(argument), re)


def parse_code(argument: str, re: events.Re) -> Action:
    if argument.lower() not in ("", "new"):
        raise WrongArgument
    return inputs.CodeInput(re) if argument else inputs.AskInput("/code", re)


def parse_entrust(argument: str, re: events.Re) -> Action:
    return inputs.EntrustInput(None if argument.lower() == "off" else argument, re)


def parse_create(argument: str, re: events.Re) -> Action:
    words = argument.split()
    names_given: list[str] = []
    options: dict[str, str] = {}
    switches: set[str] = set()
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            names_given.append(word)
        elif word in ("--retain", "--history") and words and word not in options:
            options[word] = words.pop(0)
        elif word in ("--knock", "--private") and word not in switches:
            switches.add(word)
        else:
            raise WrongArgument
    return make_create(
        " ".join(names_given),
        options.get("--retain", ""),
        options.get("--history", ""),
        knock="--knock" in switches,
        private="--private" in switches,
        re=re,
    )


def make_create(
    name: str, retain: str, history: str, *, knock: bool, private: bool, re: events.Re = UNSET
) -> CreateRoomAction:
    """Creates a room with these rules, as they stand behind /create; empty: the usual ones. Raises BadInput."""
    retention = _retention(retain) if retain else ANY
    kept = _history(history) if history else NO_HISTORY
    return CreateRoomAction(nicks.parse_room_name(name), retention, kept, knock, private, re)


def _retention(given: str) -> room_state.RetentionPolicy:
    """T: for messages whose author says nothing; LEAST:DEFAULT:MOST, each of which may be left out, for bounds."""
    parts = given.split(":")
    if len(parts) == 1:
        return room_state.RetentionPolicy(FLEETING, parse_ttl(given), KEPT)
    if len(parts) != 3:
        raise BadInput("What --retain takes is a time, or three as in 30s:5m:2h: at least, usually, at most.")
    least = parse_ttl(parts[0]) if parts[0] else FLEETING
    most = parse_ttl(parts[2]) if parts[2] else KEPT
    default = parse_ttl(parts[1]) if parts[1] else most
    if not least <= default <= most:
        raise BadInput("Of the three times of --retain none may be longer than the one after it.")
    return room_state.RetentionPolicy(least, default, most)


def _history(given: str) -> room_state.HistoryPolicy:
    if given.isascii() and given.isdigit():
        if not 0 < int(given[:9]) <= limits.LOG_ENTRIES:
            raise BadInput(f"A history is 1 to {limits.LOG_ENTRIES} messages, or a time like 30m.")
        return room_state.HistoryPolicy(int(given[:9]), 0)
    seconds = parse_ttl(given)
    if seconds in (FLEETING, KEPT):
        raise BadInput("A history is a number of messages, or a time like 30m.")
    return room_state.HistoryPolicy(0, seconds)


def parse_ttl(given: str) -> int:
    """How long a message is kept, as it is typed. Raises BadInput."""
    words = {"never": FLEETING, "off": KEPT}
    if given.lower() in words:
        return words[given.lower()]
    seconds = _seconds(given[:-1], given[-1:].lower())
    if seconds is None:
        raise BadInput("A time is a number with s, m, h or d, like 30s, 5m or 2h; or off, or never.")
    if not 0 < seconds <= limits.RETENTION_MAX:
        raise BadInput("A time is from 1s to 365d; or off, or never.")
    return seconds


def _seconds(number: str, unit: str) -> int | None:
    """A time of one unit; None if it is none."""
    if not (number.isascii() and number.isdigit() and unit in _SECONDS):
        return None
    return int(number[:10]) * _SECONDS[unit]


_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_msg(argument: str, re: events.Re) -> Action:
    nick, _, text = argument.partition(" ")
    if not text.strip():
        raise WrongArgument
    return inputs.WhisperInput(nick, bounded_text(text.lstrip()), re)


def parse_verify(argument: str, re: events.Re) -> Action:
    match argument.split():
        case []:
            return inputs.VerifyInput("", re)
        case [nick]:
            return inputs.VerifyInput(nick, re)
        case [nick, ("yes" | "no") as found]:
            return inputs.VerifyInput(nick, re, found == "yes")
    raise WrongArgument


def parse_notify(argument: str, re: events.Re) -> Action:
    match argument.lower().split():
        case []:
            return NotifyAction(re=re)
        case ["all" | "mentions" | "none" as level]:
            return NotifyAction(level, re=re)
        case ["desktop", "on" | "off" as switch]:
            return NotifyAction(desktop=switch == "on", re=re)
    raise WrongArgument


def parse_quiet(argument: str, re: events.Re) -> Action:
    match argument.lower():
        case "":
            return QuietAction(does="ask", re=re)
        case "show":
            return QuietAction(does="show", re=re)
        case "off":
            return QuietAction(re=re)
    minutes = argument.removesuffix("m")
    if not (_is_number(minutes) and 0 < int(minutes) <= limits.QUIET):
        raise BadInput(f"What newcomers say is put aside for 1 to {limits.QUIET:,} minutes after they came, or off.")
    return QuietAction(int(minutes), re=re)


def parse_query(argument: str, re: events.Re) -> Action:
    if len(argument.split()) > 1:
        raise WrongArgument
    return ConverseAction(argument or None, re)


def parse_reply(argument: str, re: events.Re) -> Action:
    """A first word of digits alone is the number: a text that begins with such a word needs a number before it."""
    first, _, rest = argument.partition(" ")
    text = rest.lstrip() if _is_number(first) else argument
    if not text:
        raise WrongArgument
    return inputs.ReplyInput(int(first) if _is_number(first) else None, bounded_text(text), re)


def parse_retract(argument: str, re: events.Re) -> Action:
    if argument and not _is_number(argument):
        raise BadInput("A message is named by its number, which has nothing but digits.")
    return inputs.RetractInput(int(argument) if argument else None, re)


def parse_copy(argument: str, re: events.Re) -> Action:
    match argument.lower():
        case "":
            return CopyAction(None, re)
        case "code" | "link" as what:
            return CopyAction(what, re)
        case number if _is_number(number):
            return CopyAction(int(number), re)
    raise WrongArgument


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _SEQ_DIGITS


_SEQ_DIGITS = 16  # of a number below 2^53


def bounded_text(text: str) -> str:
    """The text of a message. Raises TooLong."""
    if len(text.encode()) > limits.TEXT:
        raise TooLong
    return text
