"""Overlays: what is read in place of the log and then put away: help, a QR code, the members, a code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from anonp2p import limits
from anonp2p.ui import file_wording, manual, qr, replies, sanitize, wording
from anonp2p.ui.actions import Command
from anonp2p.ui.newcomers import Newcomers
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.people import LEGEND, People
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.screen.scrollback import Scrollback
from anonp2p.ui.screen.waiting import WaitingPeople
from anonp2p.ui.widths import width


@dataclass(slots=True, repr=False, eq=False)
class Overlay:
    """build: its rows, for so many columns and rows. full: over all the screen.

    answers: what is done when one of these keys puts it away.
    """

    title: str
    build: Callable[[int, int], list[Row]]
    full: bool = False
    offset: int = 0  # rows scrolled out of sight
    answers: Mapping[str, Callable[[], None]] = field(default_factory=dict)


_KEYS = (
    ("Enter", "send; Alt-Enter begins another line"),
    ("Tab", "complete a command, a nick, a room; again for the next one"),
    ("Up, Down", "what you have sent before"),
    ("PageUp, PageDown, wheel", "look back; Home to the beginning, End to the latest"),
    ("Alt-Q", "answer the last private message: what you type goes to its author alone, until Esc"),
    ("Alt-C", "copy the message that is selected, else the room's code, to the clipboard"),
    ("Alt-1 ... Alt-9", "room 1 ... 9"),
    ("Ctrl-N, Ctrl-P", "the next, the previous room"),
    ("Alt-A, Alt-U", "the next room with something new; back to the first new message of this one"),
    ("Alt-Up, Alt-Down", "select a message; then Enter replies, C copies, I ignores its author, D takes back your own"),
    ("", "a file on offer: A takes it, D stops that, hides the offer, or ends your own"),
    ("Alt-P, Alt-N", "select the previous, the next message that calls you"),
    ("Ctrl-F", "find a message, as you type what is in it"),
    ("Ctrl-R", "find what you have typed before"),
    ("Alt-O", "show all lines of the long messages in sight, or fewer again"),
    ("Alt-L", "messages alone, without bar and members, for the mouse to select long links; any key goes back"),
    ("F1", "this help"),
    ("F2", "show or hide the members"),
    ("F3", "the bell, when something calls you while you look elsewhere: on or off; /notify says what calls"),
    ("Ctrl-A, Ctrl-E", "to the beginning, to the end of the line; Alt-B and Alt-F by words"),
    ("Ctrl-W, Ctrl-U, Ctrl-K", "cut a word, all before, all after; Ctrl-Y puts it back"),
    ("Ctrl-_", "undo"),
    ("Ctrl-L", "draw everything anew"),
    ("Ctrl-Z", "back to the shell; the command fg returns here"),
    ("Esc", "put this away, or a warning; end a private conversation"),
    ("Ctrl-C", "cut what is typed; twice with nothing typed: leave"),
    ("Shift + mouse", "select text, as the mouse itself scrolls here"),
)


def of_help(commands: Sequence[Command]) -> Overlay:
    """The commands, and, where it is all of them, the keys."""
    table = [(command.usage, command.does) for command in commands]
    keys = _KEYS if len(commands) > 1 else ()
    if len(commands) == 1:
        table += manual.list_page(commands[0].name)

    def build(columns: int, _: int) -> list[Row]:
        about: list[Row] = [[], *_table(keys, columns)] if keys else []
        note = "What does not begin with / is a message; begin with // to say /."
        note += " While /reply or /retract is typed, the numbers of messages stand in place of their times."
        return [*_table(table, columns), *([[], *rows.wrapped("quiet", note, columns)] if keys else []), *about]

    return Overlay("help: Esc puts it away", build)


def _table(lines: Sequence[tuple[str, str]], columns: int) -> list[Row]:
    """Two columns; below one another where they do not fit."""
    wide = min(max(len(first) for first, _ in lines) + 2, _FIRST)
    drawn: list[Row] = []
    for first, second in lines:
        if columns - wide < _SECOND or len(first) + 2 > wide:  # below one another
            at = wide if columns - wide >= _SECOND else 2
            drawn += [*rows.wrapped("key", first, columns), *_indented(rows.wrapped("", second, columns - at), at)]
        else:
            beside = rows.wrapped("", second, columns - wide)
            drawn += [[("key", f"{first:{wide}}"), *beside[0]], *_indented(beside[1:], wide)]
    return drawn


_MEMBERS = 40  # columns for one with a tag
_FIRST = 26  # columns for what is typed, at most
_SECOND = 30  # columns for what it does, at least


def _indented(drawn: list[Row], by: int) -> list[Row]:
    return [[("", " " * by), *row] for row in drawn]


def of_members(find_people: Callable[[], People], waiting: WaitingPeople, now: Callable[[], float]) -> Overlay:
    """Everybody in a room, and above them who waits to be let in."""

    def build(columns: int, _: int) -> list[Row]:
        people = find_people()
        knocking = waiting.rows(min(columns, _MEMBERS), now(), tags=True)
        listed = people.rows(min(columns, _MEMBERS), len(people) + 2, tags=True)
        return [*knocking, *listed, [], *rows.wrapped("quiet", LEGEND, columns)]

    return Overlay("members: Esc puts it away", build)


def of_numbers(log: Scrollback, looks: MemberLooks) -> Overlay:
    """The latest messages with their numbers, looked up each time: one that ends is gone from here too."""

    def build(columns: int, _: int) -> list[Row]:
        latest = [(log.number_of(it), it) for it in islice(log.latest_messages(), limits.NUMBERED)]
        table = [
            (str(number), f"{sanitize.sanitize_line(it.nick)}{looks.mark(it.member)}: {wording.excerpt(it.text)}")
            for number, it in latest
            if number is not None
        ]
        return _table(table[::-1], columns) if table else rows.wrapped("quiet", f"{replies.NO_MESSAGES}.", columns)

    return Overlay("numbers: Esc puts them away", build)


def of_aside(newcomers: Newcomers, looks: MemberLooks) -> Overlay:
    """What newcomers have said and was put aside, looked up each time: what ends is gone from here too."""

    def build(columns: int, _: int) -> list[Row]:
        table = [
            (
                f"{sanitize.sanitize_line(it.nick)}{looks.mark(it.member)}",
                file_wording.said_words(it),
            )
            for it in newcomers.list_aside()
        ]
        return _table(table, columns) if table else rows.wrapped("quiet", f"{replies.NOTHING_ASIDE}.", columns)

    return Overlay("put aside: Esc goes back", build)


def of_files(rows_of: Sequence[dict[str, Any]]) -> Overlay:
    """The files on offer, and how far they are. rows_of: of the reply."""

    def build(columns: int, _: int) -> list[Row]:
        table = [(number, sanitize.sanitize_line(about)) for number, about in map(file_wording.list_file, rows_of)]
        return _table(table, columns) if table else rows.wrapped("quiet", f"{file_wording.NO_FILES}.", columns)

    return Overlay("files: Esc puts them away", build)


def of_qr(code: str) -> Overlay:
    """A code for a phone: black on white, whatever the colours of the terminal, with as wide a border as fits."""

    def build(columns: int, height: int) -> list[Row]:
        for border in (4, 3, 2, 1):
            drawn = qr.rows(qr.matrix(code, border), inverted=False)
            if len(drawn) <= height and len(drawn[0]) <= columns:
                aside = (columns - len(drawn[0])) // 2
                below = [rows.fit([("quiet", "Esc puts it away")], columns)] if len(drawn) < height else []
                return [*([("", " " * aside), ("qr", row)] for row in drawn), *below]
        return rows.wrapped("error", "This window is too small for a QR code. Esc puts this away.", columns)

    return Overlay("", build, full=True)


def of_words_for_two(me: str, nick: str, mark: str, words: Sequence[str], answer: Callable[[bool], None]) -> Overlay:
    """Safety words to be compared with somebody. me: our own nick. mark: what stands behind the other one.

    answer: is told whether they were the same.
    """
    other = sanitize.sanitize_line(nick)

    def build(columns: int, _: int) -> list[Row]:
        how = f"Compare these words with {other}, over another channel, where you know each other by voice or face."
        return [
            *rows.wrapped("", f"{how} {other} types /verify {sanitize.sanitize_line(me)} to see them.", columns),
            *_numbered(words, columns),
            *rows.wrapped("key", f"All ten the same? y: yes, that is {other}; n: no; Esc: later", columns),
        ]

    return Overlay(f"you and {other}{mark}", build, answers={"y": partial(answer, True), "n": partial(answer, False)})


def of_words_of_room(data: dict[str, Any]) -> Overlay:
    """The safety words of a room at its last marks, the latest first, and what they prove. data: of the reply."""

    def build(columns: int, _: int) -> list[Row]:
        drawn: list[Row] = []
        for mark in (data, data["previous"]):
            if mark and mark["words"]:
                drawn += rows.wrapped("title", f"{replies.name_mark(mark)}:", columns)
                drawn += _numbered(mark["words"], columns)
        return [*drawn, *(row for line in replies.what_words_prove(data) for row in rows.wrapped("", line, columns))]

    return Overlay("the room's words: Esc puts them away", build)


def _numbered(words: Sequence[str], columns: int) -> list[Row]:
    """Words to be read aloud, in two columns where they fit."""
    cells = [f"{number:>4}  {sanitize.sanitize_line(word)}" for number, word in enumerate(words, 1)]
    wide = max(map(width, cells)) + 2
    if 2 * wide > columns:
        return [[], *([("code", cell)] for cell in cells), []]
    half = -(-len(cells) // 2)
    beside = [*cells[half:], ""]
    return [[], *([("code", one + " " * (wide - width(one)) + beside[at])] for at, one in enumerate(cells[:half])), []]


def of_code(name: str, code: str, *, private: bool, knock: bool) -> Overlay:
    """A code to be copied, alone on its row. private: it leads nobody in who was not invited. knock: nor at once."""
    shown = sanitize.sanitize_line(name)
    title = f"Whoever has this code can {'knock at' if knock else 'join'} {shown}:"

    def build(columns: int, _: int) -> list[Row]:
        if private:
            return rows.wrapped("title", replies.PRIVATE, columns)
        return [
            [],
            *rows.wrapped("title", title, columns),
            [],
            *rows.code(code, columns),
            [],
            *rows.wrapped("quiet", rows.COPYING, columns),
            *rows.wrapped("quiet", replies.JOINING_BY_PASTE, columns),
        ]

    return Overlay("code: Esc puts it away", build)


def of_invitation(data: dict[str, Any], copy: Callable[[], None]) -> Overlay:
    """The code of an invitation, to be copied. data: of the reply. copy: puts the code on the clipboard."""

    def build(columns: int, _: int) -> list[Row]:
        return [
            [],
            *rows.wrapped("title", replies.describe_invited(data), columns),
            [],
            *rows.code(data["code"], columns),
            [],
            *rows.wrapped("key", "C copies it; Esc puts this away.", columns),
            *rows.wrapped("", replies.INVITING, columns),
            *rows.wrapped("quiet", replies.JOINING_BY_PASTE, columns),
        ]

    return Overlay("invitation: Esc puts it away", build, answers={"c": copy})


def of_invitations(data: Sequence[dict[str, Any]]) -> Overlay:
    """All invitations, with notes, and who came by them. data: of the reply."""

    def build(columns: int, _: int) -> list[Row]:
        table = [(number, sanitize.sanitize_line(about)) for number, about in map(replies.list_invitation, data)]
        return _table(table, columns) if table else rows.wrapped("quiet", replies.NO_INVITATIONS, columns)

    return Overlay("invitations: Esc puts them away", build)
