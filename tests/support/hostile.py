"""What is the program's own on a terminal, and whether it still is so after something hostile was shown."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import pytest
from pyte.screens import Char
from wcwidth import wcwidth

from anonp2p.names import nicks
from tests.support import terminal
from tests.support.stage import Stage
from tests.support.terminal import Terminal

PLAIN = "Hello there, all of you"
LOOKS = "Hello zo1 https://example.org/"
_DRAWING = re.compile(  # all that the full screen writes once it is there
    r"\x1b\[(?:\?25[hl]|\?2026[hl]|\d*(?:;\d+)?H|[\d;]*m|2?K|2J|\d+G)|[\x0e\x0f]"
)
_PRINTING = re.compile(r"\x1b\[(?:2J|3J|H)| {80}\r(?!\n)")  # what line mode writes for /clear, and before each event
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159\U00013441\U00013442\U00016fe4")
_BROAD = frozenset("\u2e3a\u2e3b\ufdfd\U00012031\U00012219\U0001242b")
_JOINER = re.compile(r"(?<=[^\x00-\x7f\ufffd])[\u180e\u200c\u200d]")  # which has a meaning after letters and emoji
_UNRULY = re.compile(r"[ \n\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\U000e0100-\U000e01ef]")


@contextmanager
def any_name() -> Iterator[None]:
    """Nobody looks whether nicks and names of rooms are proper: what is then seen of them must be harmless even so."""
    with pytest.MonkeyPatch.context() as patch:
        for function, found in (
            ("parse_nick", str),
            ("parse_room_name", str),
            ("is_nick", bool),
            ("is_room_name", bool),
        ):
            patch.setattr(nicks, function, found)
        patch.setattr(nicks, "narrow_looks", lambda name: frozenset((name,)))
        patch.setattr(nicks, "wide_looks", lambda name: frozenset((name,)))
        patch.setattr(nicks, "reserved_word", lambda _: "")
        yield


def dangers(text: str) -> set[str]:
    """The characters that a terminal may obey, draw nothing for, reorder its line by or not know how wide to draw."""
    return {
        one
        for one in set(_JOINER.sub("", text))
        if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") or one in _BLANK or one in _BROAD
    }


def essence(text: str) -> str:
    """What is the same however a text is broken into rows, and whatever a terminal makes of clusters."""
    return _UNRULY.sub("", "".join(one for one in text if unicodedata.category(one)[0] != "M"))


def laid(text: str, columns: int) -> list[str]:
    """The rows that a terminal makes of what is printed on it."""
    rows = [[""]]
    x = 0
    for one in text:
        wide = wcwidth(one)
        if one == "\n":
            rows.append([""])
            x = 0
        elif wide <= 0:
            if x:
                rows[-1].append(one)
        else:
            if x >= columns:
                rows.append([""])
                x = 0
            rows[-1].append(one)
            x += wide
    return ["".join(row).rstrip() for row in rows]


def _state(of: Terminal, *, drawn: bool) -> dict[str, object]:
    """All that a terminal remembers. drawn: whether where its cursor is, and how it would write, is for the program."""
    picture = of.picture
    return {
        "modes": frozenset(of.modes),
        "modes of pyte": frozenset(picture.mode),
        "title": (of.title, picture.title, picture.icon_name),
        "clipboard": tuple(of.copied),
        "keyboards": of.keyboards,
        "unfinished": of.unfinished,
        "answers": of.answers,  # to what was asked of it
        "margins": picture.margins,
        "charset": (picture.charset, picture.g0_charset, picture.g1_charset),
        "saved": len(picture.savepoints),
        "tabs": frozenset(picture.tabstops),
        "size": (picture.columns, picture.lines),
        "hidden": picture.cursor.hidden,
        "attributes": None if drawn else picture.cursor.attrs,
    }


class Guard:
    """Knows how the terminal is now, and all that is written to it from now on."""

    def __init__(self, stage: Stage) -> None:
        stage.settled()
        self._stage = stage
        self._drawn = terminal.ALTERNATE in stage.modes
        self._state = _state(stage.terminal, drawn=self._drawn)
        _, self._seen = stage.written()

    def written(self) -> str:
        """What was written since the last time."""
        new, self._seen = self._stage.written(self._seen)
        return new.decode()

    def check(self, new: str | None = None) -> None:
        """Nothing but characters was written, or what draws; and the terminal remembers nothing of it."""
        text = self.written() if new is None else new
        rest = _DRAWING.sub("", text) if self._drawn else _PRINTING.sub("", text).replace("\r\n", "")
        assert not dangers(rest), [rest[max(0, rest.index(one) - 20) :][:40] for one in dangers(rest)]
        assert _state(self._stage.terminal, drawn=self._drawn) == self._state
        assert not self._stage.is_over


class Room:
    """The full screen of a room of ours, with ben in it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.until(r"^>")
        stage.key("f3")  # no bell: it rings if one is called and has pressed no key for a minute
        stage.type("/create demo").key("enter")
        stage.until("Others can join")
        stage.ask("join", who="ben")
        self.columns, self.rows = stage.terminal.columns, stage.terminal.rows
        self.empty()
        stage.ask("says", who="ben", texts=[LOOKS, PLAIN])
        stage.settled()
        self.learn()

    def empty(self) -> Self:
        """Nothing in the log."""
        self.stage.settled()
        self.stage.type("/clear").key("enter")
        self.stage.settled()
        return self

    def learn(self) -> None:
        """Takes what is seen now for what the program draws."""
        looks, plain, here = (self.stage.find(text) for text in ("Hello zo1", PLAIN, " here"))
        assert looks
        assert plain
        self.x = plain[0]
        self.is_narrow = self.x < 10
        self.bar = here[0] - 3 if here and here[1] == 1 else self.columns
        if here and here[1] == 1:
            self.bar = "".join(cell.data for cell in self.row(1)).index("│")
        self.log = range(1, self.rows - 2)
        self.guard = Guard(self.stage)
        self.usual = self.fixed()
        self._looks = {look(cell) for y in (looks[1], plain[1]) for cell in self.row(y)[self.x : self.bar]}
        self._names = {tuple(map(look, self.row(y)[: self.x - 2])) for y in (looks[1], plain[1])}
        self._gaps = [[look(cell) for cell in self.row(y)[self.x - 2 : self.x]] for y in (looks[1], plain[1])]

    def row(self, y: int) -> list[Char]:
        """A row's cells."""
        line = self.stage.picture().buffer[y]
        return [line[x] for x in range(self.columns)]

    def fixed(self) -> dict[tuple[int, int], Char]:
        """All cells but the log's."""
        return {
            (x, y): cell
            for y in range(self.rows)
            for x, cell in enumerate(self.row(y))
            if y not in self.log or x >= self.bar
        }

    def assert_whole(self) -> None:
        """Everything but what is left of the members is as it always was."""
        fixed = self.fixed()
        changed = {at: (self.usual[at].data, cell.data) for at, cell in fixed.items() if cell != self.usual[at]}
        assert not changed, "\n".join((str(dict(list(changed.items())[:9])), *self.stage.screen()))

    def shown(self, marks: str = "ben", *, names: bool = False) -> list[tuple[str, str]]:
        """What the log says: who, or a mark of the program's, and a text. Asserts that each row is built as it must.

        names: there may be rows of a time and a nick alone, as long ones have them.
        """
        said: list[tuple[str, str]] = []
        bars = "[│║:]" if names else "│"
        for y in self.log:
            cells = self.row(y)
            text = "".join(cell.data for cell in cells[self.x : self.bar])
            head = "".join(cell.data for cell in cells[: self.x])
            where = f"row {y}: {terminal.row(self.stage.picture(), y)!r}"
            whole = head + text
            if self.is_narrow:
                if head == "├":  # another message of the same author
                    said.append((_last_named(said), text.rstrip(" ")))
                elif head == "│":
                    said[-1:] = [(said[-1][0], said[-1][1] + text.rstrip(" "))] if said else [("", text)]
                elif found := re.fullmatch(rf"12:\d\d ({marks}) *" if said else rf"12:\d\d ({marks})(?: …)? *", whole):
                    said.append((found[1], ""))
                    continue
                else:
                    assert not said, where
                    assert not whole.strip(" "), where
                    continue
            else:
                blank = " " * (self.x - 2)
                if found := re.fullmatch(rf"12:\d\d +({marks})? {bars} ", head):
                    said.append((found[1] or _last_named(said), text.rstrip(" ")))
                    assert tuple(map(look, cells[: self.x - 2])) in self._names or marks != "ben", where
                    assert [look(cell) for cell in cells[self.x - 2 : self.x]] in self._gaps or marks != "ben", where
                elif names and re.match(r"12:\d\d ", head):
                    said.append((whole[6:].rstrip(" "), ""))
                    continue
                elif names and whole.strip("─ ") == "what was said before you came ends here":
                    continue
                elif re.fullmatch(f"{blank}{bars} ", head):
                    said[-1:] = [(said[-1][0], said[-1][1] + text.rstrip(" "))] if said else [("", text)]
                    assert [look(cell) for cell in cells[self.x - 2 : self.x]] in self._gaps or names, where
                else:
                    assert not said, where
                    assert not whole.strip(" "), where
                    continue
            assert {look(cell) for cell in cells[self.x : self.bar]} <= self._looks or marks != "ben", where
        return said

    def says(self, texts: Sequence[str], who: str = "ben") -> None:
        """Somebody says this; it stands where it should and nothing else is any different."""
        self.stage.ask("says", who=who, texts=list(texts))
        self.stage.settled()
        self.guard.check()
        self.assert_whole()


def _last_named(said: list[tuple[str, str]]) -> str:
    """Under whose name the next message stands, if it has none."""
    return next((who for who, _ in reversed(said) if who != "·"), "")


def look(cell: Char) -> tuple[object, ...]:
    """All of a cell but its text."""
    return cell[1:]


def batches(texts: Iterable[str], columns: int, rows: int) -> Iterator[list[str]]:
    """The texts in turn, so many at once as have room on the screen."""
    batch: list[str] = []
    used = 0
    for text in texts:
        needed = sum(1 + 2 * sum(max(0, wcwidth(one)) for one in line) // columns for line in text.split("\n")) + 1
        if batch and used + needed > rows:
            yield batch
            batch, used = [], 0
        batch.append(text)
        used += needed
    if batch:
        yield batch
