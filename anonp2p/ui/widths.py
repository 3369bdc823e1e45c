"""How many columns a text fills, and where it is broken if there are fewer.

Columns are counted character by character, as most terminals do. Those that draw some characters together, as one
cluster, may take fewer: see `terminal`.
"""

from wcwidth import wcwidth


def width(text: str) -> int:
    """How many columns a text fills."""
    return len(text) if text.isascii() and text.isprintable() else sum(map(_cells, text))


def head(text: str, columns: int) -> str:
    """So much of the text as fits into so many columns."""
    if text.isascii() and text.isprintable():
        return text[: max(0, columns)]
    for at, character in enumerate(text):
        columns -= _cells(character)
        if columns < 0:
            return text[:at]
    return text


def wrap(text: str, columns: int) -> list[tuple[int, int]]:
    """Where a text is broken into lines of so many columns, at spaces if it can be: where each begins and ends.

    No line begins with what is drawn onto the character before it.
    """
    lines: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        lines += _broken(text, start, start + len(line), max(2, columns))
        start += len(line) + 1
    return lines


def _broken(text: str, start: int, end: int, columns: int) -> list[tuple[int, int]]:
    """The same for what has no line break."""
    lines = []
    used = 0
    space = -1  # the last one in this line, which may be left out
    for at in range(start, end):
        character = text[at]
        wide = _cells(character)
        parts = character == " " and (at + 1 == end or _cells(text[at + 1]) > 0)  # nothing is drawn onto it
        if used + wide > columns:
            stop = at if parts or space < 0 else space
            lines.append((start, stop))
            start = stop + (stop < end and text[stop] == " " and (parts or stop == space))
            space = -1
            used = width(text[start:at])
        if start <= at:
            used += wide
            space = at if parts else space
    return [*lines, (start, end)]


def _cells(character: str) -> int:
    return 1 if " " <= character <= "~" else max(0, wcwidth(character))
