"""Nicks and room names: what they may be made of, and which of them look alike."""

import unicodedata

from anonp2p import limits
from anonp2p.core import confusables
from anonp2p.errors import BadInput, BadNick

_PUNCTUATION = frozenset("-_.")
_CATEGORIES = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"))
# Letters and marks by category, but drawn as nothing: Hangul fillers, Khmer's inherent vowels, the grapheme joiner,
# Mongolian selectors. Variation selectors are left out as a range below.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
_MARKS_IN_A_ROW = 2  # more are needed by no script, and draw over other lines


def _drawn(character: str) -> bool:
    return character not in _INVISIBLE and not "\ufe00" <= character <= "\ufe0f" and character < "\U000e0000"


def _is_ignorable(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or not _drawn(character)


def _well_formed(name: str, longest: int) -> bool:
    """Letters (with the marks that some scripts write on them), digits and punctuation, not beginning with a mark."""
    if not 0 < len(name) <= longest:
        return False
    marks = _MARKS_IN_A_ROW  # so that a name cannot begin with one
    for character in name:
        category = unicodedata.category(character)
        if character not in _PUNCTUATION and not (category in _CATEGORIES and _drawn(character)):
            return False
        marks = marks + 1 if category[0] == "M" else 0
        if marks > _MARKS_IN_A_ROW:
            return False
    return any(character.isalnum() for character in name)


def nick(text: str) -> str:
    """The nick that this text asks for, normalised (NFKC). Raises BadNick."""
    name = unicodedata.normalize("NFKC", text)
    if not is_nick(name):
        raise BadNick
    return name


def is_nick(text: str) -> bool:
    """Whether a peer's nick is one that `nick` would have made: normalised and well formed."""
    return _well_formed(text, limits.NICK) and unicodedata.is_normalized("NFKC", text)


def room_name(text: str) -> str:
    """The room name that this text asks for, normalised (NFKC). Raises BadInput."""
    name = unicodedata.normalize("NFKC", text)
    if not is_room_name(name):
        raise BadInput(f"A room's name is 1 to {limits.ROOM_NAME} letters, digits and - _ . without spaces.")
    return name


def is_room_name(text: str) -> bool:
    """Whether a peer's room name is one that `room_name` would have made."""
    return _well_formed(text, limits.ROOM_NAME) and unicodedata.is_normalized("NFKC", text)


def skeleton(name: str) -> str:
    """What two names that must not stand in one room have in common: how they look, whatever their case.

    Unicode's, with its confusables (D146, UTS #39): `rn` is m, 0 is O, 1 is l and I, and i for I's sake.
    """
    alike = confusables.table()
    name = "".join(character for character in unicodedata.normalize("NFKD", name) if not _is_ignorable(character))
    folded = unicodedata.normalize("NFD", name.translate(alike)).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", folded).translate(alike))
