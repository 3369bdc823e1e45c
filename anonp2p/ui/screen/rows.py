"""Rows of a screen: pieces of text with a style each, which fill a given number of columns exactly."""

from collections.abc import Hashable

import urwid

from anonp2p.ui.screen import palette
from anonp2p.ui.widths import head, width, wrap

Piece = tuple[str, str]  # style, and text that is safe to show
Row = list[Piece]

MORE = "…"
COPYING = "Alt-C copies it, /qr shows it to a phone; Shift + mouse selects."  # of a code
_STYLES: dict[str, Hashable] = {"": None, "qr": palette.QR}  # all other styles have names in the palette


def cut(text: str, columns: int) -> str:
    """The text, if need be so much of it as fits, which then ends in an ellipsis."""
    if width(text) <= columns:
        return text
    return head(text, columns - 1) + MORE if columns > 0 else ""


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


def wrapped(style: str, text: str, columns: int) -> list[Row]:
    """A text of one style, in as many rows as it takes."""
    return [[(style, text[start:end])] for start, end in wrap(text, columns)]


def code(text: str, columns: int) -> list[Row]:
    """A room's code, alone on its row so that it can be copied in one piece, or on as few as it takes."""
    return [[("code", text[at : at + columns])] for at in range(0, len(text), columns)]


def bar(percent: int, columns: int) -> Row:
    """How much of something is done, in so many columns."""
    done = columns * min(max(percent, 0), 100) // 100
    return [("progress done", "█" * done), ("progress", "░" * (columns - done))]


def rule(style: str, text: str, columns: int) -> Row:
    """A line across with words in it."""
    words = cut(f" {text} ", columns) if text else ""
    free = columns - width(words)
    return [(style, "─" * (free // 2) + words + "─" * (free - free // 2))]


def between(left: Row, right: Row, columns: int, style: str) -> Row:
    """Two rows in one, the left one cut off where they do not both fit."""
    room = max(0, columns - sum(width(text) for _, text in right))
    return fit(fit(left, room, style) + right, columns, style)


def splice(left: Row, right: Row, columns: int) -> Row:
    """So many columns of one row, then what stands beyond them in another: in both a piece ends there."""
    return [*_cut_at(left, columns)[0], *_cut_at(right, columns)[1]]


def _cut_at(row: Row, columns: int) -> tuple[Row, Row]:
    at = used = 0
    while at < len(row) and used < columns:
        used += width(row[at][1])
        at += 1
    return row[:at], row[at:]


def canvas(rows: list[Row], columns: int, cursor: tuple[int, int] | None = None) -> urwid.TextCanvas:
    """The rows as urwid draws them; each of them fills the columns. cursor: its column and row."""
    texts: list[bytes] = []
    styles: list[list[tuple[Hashable, int]]] = []
    for row in rows:
        encoded = [(_STYLES.get(style, style), text.encode()) for style, text in row]
        texts.append(b"".join(data for _, data in encoded))
        styles.append([(style, len(data)) for style, data in encoded])
    return urwid.TextCanvas(texts, styles, cursor=cursor, maxcol=columns, check_width=False)
