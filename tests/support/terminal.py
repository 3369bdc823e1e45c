"""A terminal in memory, as the full screen meets one: what is on it, which of its modes are on, what it answers.

pyte draws. It trips over sequences that it does not know, so those are kept from it, and all that counts here and that
it has no notion of is done here: the alternate screen, modes, answers to queries, characters without a width.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pyte
from wcwidth import wcwidth

ALTERNATE, CURSOR, PASTE, FOCUS, DRAWING = 1049, 25, 2004, 1004, 2026
MOUSE = frozenset((1000, 1002, 1003, 1006))
USUAL = frozenset((7, CURSOR))  # modes that are on before a program changes any, and should be after it
MARK = "777000"  # an OSC of no terminal: the theatre's sign that all before it is what it meant to draw

_SEQUENCE = re.compile(
    r"\x1b\[(?P<private>[<-?]*)(?P<numbers>[\d:;]*)(?P<middle>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\](?P<command>[^\x18\x1a]*?)(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x18\x1a]*?\x1b\\"
    r"|\x1b(?:\[[<-?]*[\d:;]*[ -/]*|[\]PX^_][^\x18\x1a]*|[ -/]*)[\x18\x1a]"  # cancelled
    r"|\x1b(?![\[\]PX^_])(?P<plain>[ -/]*[0-~])",
    re.DOTALL,
)
_BEGUN = re.compile(r"\x1b(?:\[[<-?]*[\d:;]*[ -/]*|[\]PX^_][^\x18\x1a]*|[ -/]*)?")
_NOTHING = dict.fromkeys(map(ord, "\0\x18\x1a\x7f"))  # characters that are not drawn
_OURS = (1, 7, CURSOR, *MOUSE, FOCUS, ALTERNATE, PASTE, DRAWING)  # modes that this terminal says it has
_PYTES = (5, 6, 7, CURSOR)  # private modes that are pyte's to obey
_COLOUR = re.compile(r"([345]8):(?:2:\d*:(\d+):(\d+):(\d+)|5:(\d+))")


class _Screen(pyte.Screen):
    """pyte's, which would drop all that is written after a character without a width, such as an emoji's selector."""

    def draw(self, data: str) -> None:
        for is_joined, characters in groupby(data, lambda character: ord(character) > 0x7F and wcwidth(character) <= 0):
            if not is_joined:
                super().draw("".join(characters))
            elif self.cursor.x:
                line = self.buffer[self.cursor.y]
                at = self.cursor.x - 1
                if not line[at].data:
                    at -= 1  # the second half of a wide one
                line[at] = line[at]._replace(data=line[at].data + "".join(characters))


class Terminal:
    """One of this size, like xterm. `light`: what it says of its background if asked."""

    def __init__(self, columns: int, rows: int, *, light: bool = False) -> None:
        self.columns = columns
        self.rows = rows
        self.modes = set(USUAL)
        self.title = ""
        self.copied: list[str] = []  # what was put into the clipboard, in base64
        self.marks: set[str] = set()
        self.keyboards = 0  # of kitty's protocol that were pushed and not popped
        self._light = light
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._main = self._shown = _Screen(columns, rows)
        self._stream = pyte.Stream(self._main)

    @property
    def picture(self) -> pyte.Screen:
        """What is on it now."""
        return self._shown

    def resize(self, columns: int, rows: int) -> None:
        """It has this size from now on."""
        self.columns, self.rows = columns, rows
        self._main.resize(rows, columns)
        if self._shown is not self._main:
            self._shown.resize(rows, columns)

    def feed(self, data: bytes) -> bytes:
        """A program writes this; returns what the terminal answers."""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        answers = b""
        at = 0
        while at < len(text):
            escape = text.find("\x1b", at)
            if escape < 0:
                escape = len(text)
            if escape > at:
                self._stream.feed(text[at:escape].translate(_NOTHING))
            at = escape
            if match := _SEQUENCE.match(text, at):
                answers += self._obey(match).encode()
                at = match.end()
            elif _BEGUN.fullmatch(text, at):
                self._rest = text[at:]
                break
            else:
                at += 1
        return answers

    def _obey(self, match: re.Match[str]) -> str:
        if match["command"] is not None:
            return self._command(match["command"])
        if match["plain"] is not None:
            self._stream.feed(match[0])
            return ""
        if match["final"] is None:
            return ""
        private, numbers, middle, final = match["private"], match["numbers"], match["middle"], match["final"]
        match private, middle, final:
            case "?", "", "h" | "l":
                for number in numbers.split(";"):
                    self._set_mode(int(number or 0), final)
            case "?", "$", "p":
                mode = int(numbers or 0)
                return f"\x1b[?{mode};{(1 if mode in self.modes else 2) if mode in _OURS else 0}$y"
            case ">", "", "u":
                self.keyboards += 1
            case "<", "", "u":
                self.keyboards -= 1
            case "", "", "c":
                return "\x1b[?62;22c"
            case "", "", "n":
                here = self._shown.cursor
                return f"\x1b[{here.y + 1};{here.x + 1}R" if numbers == "6" else "\x1b[0n"
            case "", "", "m":
                plain = _COLOUR.sub(lambda it: _flat(it.groups()), numbers).replace("4:0", "24")
                self._stream.feed(f"\x1b[{re.sub(r':[0-9:]*', '', plain)}m")
            case "", "", "t" | "s" | "u":
                pass  # the window's size and title, and what pyte has no notion of
            case "", "", _:
                self._stream.feed(match[0])
        return ""

    def _set_mode(self, mode: int, final: str) -> None:
        if final == "h":
            self.modes.add(mode)
        else:
            self.modes.discard(mode)
        if mode in _PYTES:
            self._stream.feed(f"\x1b[?{mode}{final}")
        if mode == ALTERNATE:
            if final == "l":
                self._main.cursor.hidden = CURSOR not in self.modes
                self._shown = self._main
            elif self._shown is self._main:
                self._shown = _Screen(self.columns, self.rows)
                self._shown.cursor.hidden = CURSOR not in self.modes
            self._stream = pyte.Stream(self._shown)

    def _command(self, command: str) -> str:
        number, _, rest = command.partition(";")
        if number == MARK:
            self.marks.add(rest)
        elif number in ("0", "2"):
            self.title = rest
        elif number == "52":
            self.copied.append(rest.partition(";")[2])
        elif number in ("10", "11") and rest == "?":
            value = "ffff" if self._light == (number == "11") else "0000"
            return f"\x1b]{number};rgb:{value}/{value}/{value}\x1b\\"
        return ""


def _flat(found: tuple[Any, ...]) -> str:
    which, red, green, blue, index = found
    return f"{which};5;{index}" if index else f"{which};2;{red};{green};{blue}"


def row(picture: pyte.Screen, y: int) -> str:
    """A row's text, without what is blank at its end."""
    line = picture.buffer[y]
    return "".join(line[x].data for x in range(picture.columns)).rstrip()


def cells(picture: pyte.Screen, y: int) -> Iterator[tuple[int, pyte.screens.Char]]:
    """A row's cells, with where each begins; the second halves of wide ones are left out."""
    line = picture.buffer[y]
    for x in range(picture.columns):
        if line[x].data:
            yield x, line[x]
