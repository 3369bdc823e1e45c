"""Names of files that others give: what is shown of them, and what is written to a disk.

A name is one part of a path that steers no terminal, hides nothing and means nothing to programs but a name.
"""

import unicodedata
from typing import Final

from anonp2p import limits

PART: Final = ".part"  # the end of a file's name until it is whole

_NAMELESS = "file"
_EXTENSION = 16  # characters of an extension, at most, with its dot: what is longer is no extension
_BYTES = 250 - len(PART.encode())  # of a name: a file system takes 255, of which a number may take some
# Letters and marks by category that are drawn as nothing: fillers of Hangul, joiners, selectors of variants, Braille
# without dots. All of category C are left out anyway, and of Z all but the space.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159\U00016fe4") | frozenset(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)


def clean_name(name: str) -> str:
    """The name under which a file that is called so is shown and written. Cleaned again, it is the same.

    Of a path, the last part that is any name.
    """
    parts = name.replace("\\", "/").split("/")
    return next(filter(None, map(_clean_part, reversed(parts))), _NAMELESS)


def _clean_part(part: str) -> str:
    """One part of a path; empty if nothing is left of it."""
    before = ""
    while part != before:  # what is left out may bring together what composes
        before = part
        part = _strip("".join(filter(_is_seen, unicodedata.normalize("NFC", part))))
    return _shorten(part)


def _is_seen(character: str) -> bool:
    category = unicodedata.category(character)
    return character == " " or (category[0] not in "CZ" and character not in _UNSEEN)


def _strip(part: str) -> str:
    """No option of a command, no hidden file, no end that is not seen, and one space where there are many."""
    return " ".join(part.split()).lstrip(" .-").rstrip(" .")


def _shorten(part: str) -> str:
    """As long as names may be; the extension stays."""
    stem, dot, extension = part.rpartition(".")
    ending = dot + extension
    if not stem or len(ending) > _EXTENSION:
        stem, ending = part, ""
    stem = stem[: limits.FILE_NAME - len(ending)]
    while len((stem + ending).encode()) > _BYTES:
        stem = stem[:-1]
    shortened = stem + ending
    return shortened if shortened == part else _clean_part(stem.rstrip(" .") + ending)


def number_name(name: str, number: int) -> str:
    """The name of a file where others have that name: `NAME-2.ext`. number: from 1, the name as it is."""
    if number == 1:
        return name
    stem, dot, extension = name.rpartition(".")
    return f"{stem}-{number}{dot}{extension}" if stem else f"{name}-{number}"
