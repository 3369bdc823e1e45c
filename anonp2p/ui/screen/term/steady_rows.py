"""Rows that look the same on terminals which do not agree how wide a character is."""

import re
import unicodedata
from collections.abc import Hashable
from typing import Literal

import urwid

from anonp2p.ui.sanitize import sanitize_text
from anonp2p.ui.widths import head, is_certain, width

Run = tuple[Hashable, Literal["0", "U"] | None, bytes]  # style, charset, text
Row = list[Run]

_ERASE = b"\x1b[2K"
_TO_COLUMN = b"\x1b[%dG"

_UNUSUAL = re.compile(rb"[^ -~]")
_FOREIGN = re.compile(r"(?: |(?<![!-~]))[!-~]*[^ -~][^ ]*")  # a word, with the space before it, which it may draw on


class SteadyRows:
    """Rewrites the rows of canvases. Remembers the unusual rows of the last one, as most of them stay."""

    def __init__(self) -> None:
        self._steady: dict[tuple[Run, ...], Row] = {}
        self._plain: set[str] = set()  # characters that may be drawn as they are

    def forget(self) -> None:
        """Keeps nothing of what was shown."""
        self._steady.clear()
        self._plain.clear()

    def steady_canvas(self, canvas: urwid.Canvas, columns: int, lines: int) -> list[Row]:
        """The canvas in rows that stay in order on a terminal that takes characters for wider or narrower than we do.

        A row with such characters is erased before it is drawn. After each word of them the cursor is put where it
        belongs, which is at or behind what any terminal has drawn of the word; where that is not the same for all, its
        columns are filled with blanks first, so that none is left without the colours of the row. Autowrap being off,
        nothing gets beyond the end of the row.
        """
        steady: dict[tuple[Run, ...], Row] = {}
        rows = []
        for row in canvas.content():
            if any(charset != "U" and _UNUSUAL.search(text) for _, charset, text in row):
                key = tuple(row)
                rows.append(steady.setdefault(key, self._steady.get(key) or self._steady_row(row, columns)))
            else:
                rows.append(list(row))
        self._steady = steady
        if rows and len(rows) == lines and rows[-1]:
            # Ends in a sequence, so that urwid draws it as any other: it would else insert the last character but one,
            # for terminals that scroll when the last one is drawn, which without autowrap none does.
            rows[-1] = [*rows[-1], (rows[-1][-1][0], "U", _TO_COLUMN % columns)]
        return rows

    def _steady_row(self, row: Row, columns: int) -> Row:
        steady: Row = [(None, "U", _ERASE)]
        column = done = 0

        def placed(foreign: re.Match[str]) -> str:
            nonlocal column, done
            text = foreign[0]
            start = column + foreign.start() - done
            wide = width(text)
            column, done = start + wide, foreign.end()
            if not is_certain(text):
                text = f"{' ' * wide}\x1b[{start + 1}G{text}"
            return f"{text}\x1b[{column + 1}G" if column < columns else text

        for style, charset, data in row:
            if charset == "U" or not _UNUSUAL.search(data):
                steady.append((style, charset, data))
                column += len(data)
            else:
                text = self._sanitized(data.decode("utf-8", "replace"))
                done = 0
                steady.append((style, "U", _FOREIGN.sub(placed, text).encode()))
                column += len(text) - done
        return steady

    def _sanitized(self, text: str) -> str:
        """The text without anything that should never have got here, as wide as before."""
        fresh = set(text) - self._plain
        if not fresh:
            return text
        self._plain |= {one for one in fresh if unicodedata.category(one)[0] in "LNPSZ" and sanitize_text(one) == one}
        if fresh <= self._plain:
            return text
        shown = sanitize_text(text).replace("\n", "")
        wide = width(text)
        shown = head(shown, wide)
        return shown + " " * (wide - width(shown))
