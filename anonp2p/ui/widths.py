"""How many columns a text fills at most, and where it is broken if there are fewer.

Terminals differ. For each character the widest counts, of three kinds: those that go by tables like ours, those that go
by the C library's (tmux), and those that draw clusters of characters in one place (kitty, iTerm2, xterm.js):

==========================  =========  ========  ========  ====
                            like ours  C library clusters  here
==========================  =========  ========  ========  ====
nonspacing marks (Mn, Me)   0          0         0         0
those a table may not know  0          0 or 1    0 or 1    1
spacing marks (Mc)          0          1         0 or 1    1
U+302E, U+302F and others   0          2         2         2
U+FE0F on an emoji          0          0         1 more    1
emoji in a sequence, flags  2 each     2 each    2 in all  2 each
all others                  0, 1 or 2  the same  the same  same
==========================  =========  ========  ========  ====

So no terminal draws a text beyond the columns counted here, and what comes next can be put there without drawing over
it: see `steady_rows`. Where a terminal needs fewer columns, there is a gap behind the word.
"""

import unicodedata
from functools import lru_cache

from wcwidth import wcswidth, wcwidth

_JOINERS = frozenset("\u180e\u200c\u200d")
# Marks that terminals may not know, by age (Unicode 14 and later) or because their tables end with the basic plane; and
# those that some draw as wide as a letter.
_UNKNOWN_MARKS = frozenset(
    map(chr, (*range(0x897, 0x8A0), *range(0x8CA, 0x8D3), 0xC3C, 0xECE, 0x180F, *range(0x1ABF, 0x1B00), 0x1DFA))
) | frozenset("\u180e\u302a\u302b\u302c\u302d\u3099\u309a\ufe0f")
_WIDE = frozenset("\u302e\u302f\U00016ff0\U00016ff1") | frozenset(map(chr, range(0x3248, 0x3250)))
_VIRAMA = 9  # a canonical combining class
_NEW_EMOJI = range(0x1F000, 0x1FB00)  # of which our tables may not know all
# Drawn into the character before them, though no marks: letters of Hangul within a syllable, halfwidth voiced sounds,
# the AM of Thai and Lao, colours of skin.
_DRAWN_INTO = frozenset(
    map(chr, (*range(0x1160, 0x1200), *range(0xD7B0, 0xD800), *range(0x1F3FB, 0x1F400), 0xE33, 0xEB3, 0xFF9E, 0xFF9F))
)


def width(text: str) -> int:
    """How many columns a text fills at most."""
    return len(text) if text.isascii() and text.isprintable() else sum(map(_cells, text))


def is_certain(text: str) -> bool:
    """Whether all terminals draw the text in as many columns as `width` says."""
    return not any(map(_varies, text)) and wcswidth(text) == width(text)


def continues(before: str, character: str) -> bool:
    """Whether a character is drawn onto or into the one before it, so that they stay together."""
    if character < "\u0300":
        return before == "\u200d"
    return character in _JOINERS or character in _DRAWN_INTO or before == "\u200d" or _is_mark(character)


def head(text: str, columns: int) -> str:
    """So much of the text as fits into so many columns."""
    if text.isascii() and text.isprintable():
        return text[: max(0, columns)]
    cluster = 0
    for at, character in enumerate(text):
        if not (at and continues(text[at - 1], character)):
            cluster = at
        columns -= _cells(character)
        if columns < 0:
            return text[:cluster]
    return text


def wrap(text: str, columns: int) -> list[tuple[int, int]]:
    """Where a text is broken into lines of so many columns, at spaces if it can be: where each begins and ends.

    No line begins with what is drawn onto the character before it, unless both together are wider than a line.
    """
    lines: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        lines += _broken(text, start, start + len(line), max(2, columns))
        start += len(line) + 1
    return lines


def _broken(text: str, start: int, end: int, columns: int) -> list[tuple[int, int]]:
    """The same for what has no line break."""
    part = text[start:end]
    if part.isascii() and part.isprintable():
        return _broken_ascii(text, start, end, columns)
    lines = []
    used = 0
    cluster = start  # where the last character that stands by itself is
    space = -1  # the last one in this line, which may be left out
    for at in range(start, end):
        character = text[at]
        wide = _cells(character)
        if at == start or not continues(text[at - 1], character):
            cluster = at
        parts = character == " " and (at + 1 == end or not continues(" ", text[at + 1]))  # nothing is drawn onto it
        while used + wide > columns and start < at:
            if parts:
                stop = at
            elif space >= 0:
                stop = space
            else:
                stop = cluster if cluster > start else at
            lines.append((start, stop))
            start = stop + (stop < end and text[stop] == " " and (parts or stop == space))
            space = -1
            used = width(text[start:at])
        if start <= at:
            used += wide
            space = at if parts else space
    return [*lines, (start, end)]


def _broken_ascii(text: str, start: int, end: int, columns: int) -> list[tuple[int, int]]:
    """The same where each character has a column, only faster."""
    lines = []
    while end - start > columns:
        space = text.rfind(" ", start, start + columns + 1)
        stop = space if space >= 0 else start + columns
        lines.append((start, stop))
        start = stop + (text[stop] == " ")
    return [*lines, (start, end)]


@lru_cache(8192)
def _cells(character: str) -> int:
    if " " <= character <= "~":
        return 1
    if character in _WIDE:
        return 2
    category = unicodedata.category(character)
    if category == "Mc" or character in _UNKNOWN_MARKS or (category == "Mn" and character > "\uffff"):
        return 1
    if category == "Cn" and ord(character) in _NEW_EMOJI:
        return 2
    return max(0, wcwidth(character))


@lru_cache(8192)
def _varies(character: str) -> bool:
    """Whether terminals differ about its width, or about that of a cluster with it."""
    is_flag = "\U0001f1e6" <= character <= "\U0001f1ff"
    is_virama = unicodedata.combining(character) == _VIRAMA
    return is_flag or is_virama or character in _JOINERS or _cells(character) != wcwidth(character)


@lru_cache(8192)
def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"
