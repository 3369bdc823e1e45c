"""The page that is there before any room: what this is, what to type, how far Tor is.

It is a module of its own so that it is drawn before the rest of the program is loaded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import urwid

from anonp2p import __version__
from anonp2p.ui import sanitize
from anonp2p.ui.screen import rows
from anonp2p.ui.screen.palette import fit_palette
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.screen.term.terminal import Size, Terminal, window_size

_ABOUT = (
    "Anonymous group chat over Tor. Whoever creates a room hosts it; others join with its code. "
    "There is no server and no account, and nothing is stored."
)
_FIRST = (("/create NAME", "make a room, and get its code"), ("/join CODE", "enter a room whose code you were given"))
_NICK = ("/nick NICK", "what others call you; else a random nick")
_LAST = "F1 lists all commands and keys. Ctrl-C twice leaves."
_WIDE = 60  # columns from which there is room for an indent


class TorStatus(NamedTuple):
    """How far Tor is: in percent, what it is doing, what there is to say of that; or, once it is up, a sentence."""

    progress: int = 0
    summary: str = "Starting"
    notice: str = ""
    ready: str = ""


def page(columns: int, tor: TorStatus) -> list[Row]:
    """The page, in rows of up to so many columns."""
    indent = "  " if columns >= _WIDE else ""
    wide = columns - len(indent)
    drawn: list[Row] = [[], [("title", f"{indent}anonp2p {__version__}")], []]
    drawn += [[("", indent), *row] for row in rows.wrapped("", _ABOUT, wide)]
    drawn.append([])
    for typed, does in (*_FIRST, _NICK) if columns >= _WIDE else _FIRST:  # all of it fits on 20 rows
        beside: list[Row] = [[("key", f"{indent}  {typed:<15}"), ("", does)]]
        drawn += beside if columns >= _WIDE else [[("key", typed)], [("", f"  {does}")]]
    drawn += [[], *([("", indent), *row] for row in _tor(tor, wide)), []]
    return drawn + [[("", indent), *row] for row in rows.wrapped("quiet", _LAST, wide)]


def _tor(tor: TorStatus, columns: int) -> list[Row]:
    if tor.ready:
        return rows.wrapped("ok", sanitize.sanitize_line(tor.ready), columns)
    wide = min(30, columns - 12)
    drawn: list[Row] = [[("progress", "Tor "), *rows.bar(tor.progress, wide), ("progress", f" {tor.progress:3} %")]]
    drawn += rows.wrapped("quiet", sanitize.sanitize_line(tor.summary), columns)
    if tor.notice:
        drawn += rows.wrapped("caution", sanitize.sanitize_line(tor.notice), columns)
    return drawn


@contextmanager
def on_screen(keys: int = 0, display: int = 1, size: Size = window_size) -> Iterator[Terminal]:
    """A terminal with the first page on it. Whatever happens, the terminal is restored afterwards."""
    terminal = Terminal(idle=lambda: None, closed=lambda: None, keys=keys, display=display, size=size)
    terminal.register_palette(fit_palette(terminal.colors))
    try:
        terminal.start()
        columns, lines = terminal.get_cols_rows()
        terminal.draw_screen((columns, lines), draw_first_page(columns, lines))
        yield terminal
    finally:
        terminal.stop()


def draw_first_page(columns: int, height: int) -> urwid.Canvas:
    """The page with a place to type, as it is before anything is known."""
    drawn = [rows.fit(row, columns) for row in page(columns, TorStatus())][: max(0, height - 2)]
    drawn += [[("", " " * columns)]] * (height - 2 - len(drawn))
    drawn += [[("status", " " * columns)], rows.fit([("prompt", "> ")], columns)][:height]
    return rows.canvas(drawn, columns, cursor=(min(2, columns - 1), height - 1))
