"""What stands after the commands about files -> actions. All raise AnonError."""

from anonp2p.errors import BadInput, WrongArgument
from anonp2p.room import events, file_inputs
from anonp2p.ui.actions import Action
from anonp2p.ui.errors import OpenQuote, PathInWords
from anonp2p.ui.paths import expand_home
from anonp2p.ui.shell_words import read_words

_DIGITS = 9  # of the number of an offer


def parse_send(argument: str, re: events.Re) -> Action:
    words = _read(argument)
    clean = "--clean" in words
    if clean:
        words.remove("--clean")
    if not words or any(word.startswith("--") for word in words):
        raise WrongArgument
    if len(words) > 2:
        raise PathInWords("/send")
    path, nick = words[0], words[1].removeprefix("@") if len(words) > 1 else ""
    return file_inputs.SendFileInput(_checked(path), nick, clean, re)


def parse_accept(argument: str, re: events.Re) -> Action:
    number, *words = _read(argument)
    if len(words) > 1:
        raise PathInWords(f"/accept {_number(number)}")
    return file_inputs.AcceptInput(_number(number), _checked(words[0]) if words else "", re)


def parse_decline(argument: str, re: events.Re) -> Action:
    return file_inputs.DeclineInput(_number(argument), re)


def _read(argument: str) -> list[str]:
    read = read_words(argument)
    if read.is_open:
        raise OpenQuote
    return [word.text for word in read.words]


def _checked(path: str) -> str:
    """The path that is meant."""
    if not path:
        raise WrongArgument
    if "\0" in path:
        raise BadInput("No path has a character of no value in it.")
    return expand_home(path)


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= _DIGITS):
        raise BadInput("An offer is named by its number, as /files lists it.")
    return int(word)
