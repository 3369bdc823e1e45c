"""Tab: what the word before the cursor may become, from the table of commands, the members and the rooms."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from anonp2p.ui.actions import Command
from anonp2p.ui.commands import COMMANDS, find_command
from anonp2p.ui.shell_words import escape_word, read_words

_PARTS = re.compile(r"\[[^]]*\]|\S+")  # of an argument as the table has it
_WORD = re.compile(r"\S*\Z")


class Known(NamedTuple):
    """What a word may be completed to, each in the order in which it is offered.

    nicks: of the members, the latest speaker first. waiting: nicks of those who knock. rooms: names. numbers: of the
    messages that the command may name, the latest first. banned: nicks of those who were thrown out for good. offers:
    numbers of the files on offer, the latest first. list_paths: finds the paths that begin so; directories end with a
    slash.
    """

    nicks: Sequence[str] = ()
    waiting: Sequence[str] = ()
    rooms: Sequence[str] = ()
    numbers: Sequence[str] = ()
    banned: Sequence[str] = ()
    offers: Sequence[str] = ()
    list_paths: Callable[[str], Sequence[str]] = lambda _: ()


@dataclass(frozen=True, slots=True, repr=False)
class _Cycle:
    """The text before and after what is completed, what it may become, and the result of the last Tab."""

    before: str
    after: str
    candidates: tuple[str, ...]
    at: int
    made: tuple[str, int]


class Completer:
    """Tab in an input line: the first candidate, then with each further Tab the next one, then the first again."""

    def __init__(self) -> None:
        self._cycle: _Cycle | None = None

    @property
    def candidates(self) -> tuple[str, ...]:
        """What further Tabs choose from, without the space that follows it; empty unless there are two or more."""
        return tuple(candidate.rstrip() for candidate in self._cycle.candidates) if self._cycle else ()

    @property
    def chosen(self) -> int:
        """Which of the candidates is in the text."""
        return self._cycle.at if self._cycle else 0

    def end(self) -> None:
        """Forgets the candidates, as another key was pressed."""
        self._cycle = None

    def press(self, text: str, cursor: int, known: Known, *, forward: bool = True) -> tuple[str, int] | None:
        """The text and the cursor after Tab, or Shift-Tab; None if nothing fits."""
        cycle = self._cycle
        if cycle and cycle.made == (text, cursor):
            at = cycle.at + (1 if forward else -1)
            before, after, candidates = cycle.before, cycle.after, cycle.candidates
        else:
            start, candidates = complete(text[:cursor], known)
            at = 0 if forward else -1
            before, after = text[:start], text[cursor:]
        self._cycle = None
        if not candidates:
            return None
        at %= len(candidates)
        chosen = candidates[at]
        made = before + (chosen.rstrip() if after.startswith(" ") else chosen) + after, len(before + chosen)
        if len(candidates) > 1:
            self._cycle = _Cycle(before, after, candidates, at, made)
        return made


def complete(typed: str, known: Known) -> tuple[int, tuple[str, ...]]:
    """Where the word before the cursor begins, and what it may become, each with what is to follow it."""
    found = _WORD.search(typed)
    start = found.start() if found else len(typed)
    word = typed[start:]
    if not typed.startswith("/") or typed.startswith("//"):
        return start, _mentions(word, known.nicks, at_start=start == 0)
    if start == 0:
        return start, _fitting(word, [command.name for command in COMMANDS])
    name, _, argument = typed[:start].partition(" ")
    command = find_command(name)
    if command is None:
        return start, ()
    if "PATH" in command.argument:
        return _path_or_other(command, typed, known)
    return start, _argument(command.argument, argument.split(), word, _filled(command, known))


def _filled(command: Command, known: Known) -> dict[str, Sequence[str]]:
    """What the capitals of a command's argument may stand for, but paths."""
    nicks = {"here": known.nicks, "waiting": known.waiting, "banned": known.banned}[command.whom]
    return {"NICK": nicks, "ROOM": known.rooms, "SEQ": known.numbers, "OFFER": known.offers}


def _path_or_other(command: Command, typed: str, known: Known) -> tuple[int, tuple[str, ...]]:
    """The same for a command that takes a path, whose words are read as shells read them."""
    before = len(typed) - len(typed.partition(" ")[2])
    read = read_words(typed[before:])
    words = [word.text for word in read.words]
    start, word = (len(typed), "") if read.after_blank else (before + read.words[-1].start, words.pop())
    plain = [part.strip("[]") for part in _PARTS.findall(command.argument) if "--" not in part]
    place = sum(not given.startswith("--") for given in words)
    paths = known.list_paths(word) if plain[place : place + 1] == ["PATH"] and not word.startswith("--") else ()
    found = tuple(escape_word(path) + ("" if path.endswith("/") else " ") for path in paths)
    return start, found or _argument(command.argument, words, word, _filled(command, known))


def _mentions(word: str, nicks: Sequence[str], *, at_start: bool) -> tuple[str, ...]:
    """Nicks for a message; those of the latest speakers where nothing is typed at all."""
    if word.startswith("@"):
        return _fitting(word, [f"@{nick}" for nick in nicks])
    if not word and not at_start:
        return ()
    return _fitting(word, nicks, ": " if at_start else " ")


def _argument(usage: str, given: Sequence[str], word: str, known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What the next word of an argument may be, after those given.

    usage: the argument as the table has it; known: what its capitals may stand for.
    """
    parts = [part.strip("[]").split() for part in _PARTS.findall(usage)]
    options = {part[0]: part[1:] for part in parts if part[0].startswith("--")}
    plain = [part[0] for part in parts if part[0] not in options]
    if given and (kinds := options.get(given[-1])):
        return _fitting(word, list(_of_kind(kinds[0], word, known)))
    values = {at + 1 for at, before in enumerate(given) if options.get(before)}
    place = sum(at not in values and before not in options for at, before in enumerate(given))
    if place >= len(plain) and plain[-1:] == ["TEXT"]:
        place = len(plain) - 1
    kind = plain[place] if place < len(plain) else ""
    begins_text = kind == "SEQ" and plain[-1] == "TEXT" and bool(word) and not word.isdigit()
    if kind == "TEXT" or begins_text:
        return _mentions(word, known["NICK"], at_start=False)
    if kind == "NICK":
        word = word.removeprefix("@")
    offered = [*_of_kind(kind, word, known), *(option for option in options if option not in given)]
    return _fitting(word, offered)


def _of_kind(kind: str, word: str, known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What may stand where the table has this: capitals are to be filled in, small letters are meant as they are."""
    for one in kind.split("|"):
        if one in known:
            yield from known[one]
        elif one == "COMMAND":
            yield from (command.name if word.startswith("/") else command.name[1:] for command in COMMANDS)
        elif not one.isupper():
            yield one


def _fitting(word: str, offered: Iterable[str], end: str = " ") -> tuple[str, ...]:
    """Those that begin with the word, each once."""
    wanted = _fold(word)
    return tuple(dict.fromkeys(one + end for one in offered if one and _fold(one).startswith(wanted)))


def _fold(text: str) -> str:
    """The text without differences of case and of compatibility characters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
