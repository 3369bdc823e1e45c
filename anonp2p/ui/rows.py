"""Rows of a screen: pieces of text with a style each, which fill a given number of columns exactly."""

from collections.abc import Hashable

import urwid
from urwid.text_layout import StandardTextLayout

from anonp2p.ui import palette

Piece = tuple[str, str]  # style, and text that is safe to show
Row = list[Piece]

_layout = StandardTextLayout()
MORE = "…"
_STYLES: dict[str, Hashable] = {"": None, "qr": palette.QR}  # of all others the palette has the names


def width(text: str) -> int:
    """How many columns a text fills."""
    return len(text) if text.isascii() else urwid.calc_width(text, 0, len(text))


def cut(text: str, columns: int) -> str:
    """The text, if need be so much of it as fits, which then ends in an ellipsis."""
    if width(text) <= columns:
        return text
    if columns < 1:
        return ""
    end, _ = urwid.calc_text_pos(text, 0, len(text), columns - 1)
    return text[:end] + MORE


def fit(row: Row, columns: int, style: str = "") -> Row:
    """The row with just so many columns: cut off on the right, or filled in this style."""
    fitted: Row = []
    left = columns
    for piece_style, text in row:
        needed = width(text)
        if needed > left:
            text = cut(text, left)  # noqa: PLW2901  # no more than fits
            needed = width(text)
        if text:
            fitted.append((piece_style, text))
            left -= needed
        if not left:
            break
    if left:
        fitted.append((style, " " * left))
    return fitted


def wrap(text: str, columns: int) -> list[tuple[int, int]]:
    """Where a text is broken into lines of so many columns, at spaces if it can be: where each begins and ends."""
    # Of each line urwid says first what is drawn: (columns, begin, end), or (0, where) if that is nothing.
    firsts = [line[0] for line in _layout.calculate_text_segments(text, max(2, columns), "space")]
    return [(int(first[1] or 0), int(first[2] if len(first) > 2 else first[1] or 0)) for first in firsts]


def wrapped(style: str, text: str, columns: int) -> list[Row]:
    """A text of one style, in as many rows as it takes."""
    return [[(style, text[start:end])] for start, end in wrap(text, columns)]


def rule(style: str, text: str, columns: int) -> Row:
    """A line across with words in it."""
    words = cut(f" {text} ", columns) if text else ""
    free = columns - width(words)
    return [(style, "─" * (free // 2) + words + "─" * (free - free // 2))]


def between(left: Row, right: Row, columns: int, style: str) -> Row:
    """Two rows in one, the left one cut off where they do not both fit."""
    room = max(0, columns - sum(width(text) for _, text in right))
    return fit(fit(left, room, style) + right, columns, style)


def canvas(rows: list[Row], columns: int) -> urwid.TextCanvas:
    """The rows as urwid draws them; each of them fills the columns."""
    texts: list[bytes] = []
    styles: list[list[tuple[Hashable, int]]] = []
    for row in rows:
        encoded = [(_STYLES.get(style, style), text.encode()) for style, text in row]
        texts.append(b"".join(data for _, data in encoded))
        styles.append([(style, len(data)) for style, data in encoded])
    return urwid.TextCanvas(texts, styles, maxcol=columns, check_width=False)
