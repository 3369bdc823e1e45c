"""Nicks and room names: which characters they may have, and which of them look alike."""

import re

# Every Python has the tables of Unicode 3.2 besides its own. Nicks use those, since members with different versions of
# Python have to agree which nicks are valid and which look alike. Only upper and lower case come from the running
# Python: Unicode never changes case folding or existing pairs of letters, but adds capitals to old letters, so letters
# whose capital is newer keep their form.
from functools import cache
from unicodedata import ucd_3_2_0 as unicode

from anonp2p import limits
from anonp2p.errors import BadNick, BadRoomName, ReservedNick, ReservedRoomName
from anonp2p.names import confusables

_PUNCTUATION = frozenset("-_.")
_CATEGORIES = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"))
# Letters and marks by category that are invisible: Hangul fillers, Khmer's inherent vowels, the grapheme joiner,
# Mongolian selectors. `_drawn` excludes variation selectors as a range.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")
# O looks like 0 and I like 1 and l, but without case they are o and i. And m looks like rn, but M does not.
_ASCII = str.maketrans({"0": "o", "1": "l", "i": "l", "m": "rn"})
_MARKS_IN_A_ROW = 2  # no script needs more, and more are drawn over other lines

# Characters that people confuse although the rules of a room (PROTOCOL.md, 3.3) do not count them as alike: vv and w,
# 2 and Z, 5 and S, 8 and B, g, q and 9, letters of other scripts that look nearly like Latin ones, and punctuation,
# which is easily overlooked. `wide_looks` adds cl and d. No two digits are mapped to one: `ann8` and `ann6` differ.
_CONFUSED: dict[int, str | int | None] = {
    **str.maketrans("258q9", "zsbgg", "-_."),
    **str.maketrans(
        "\u03b7\u03c0\u043f", "nnn"
    ),  # Greek eta, Cyrillic pe, and Greek pi, for which the table takes that
    **dict.fromkeys(map(ord, "w\u03c9"), "vv"),  # Greek omega
}
# A member with such a nick could be mistaken for the program (SYSTEM, ALARM and CAUTION begin its lines, and it talks
# about Tor), for a role in this or other programs, or for the reader. `all` is missing, since it looks like Ali.
_RESERVED = ("anonp2p", "system", "tor", "alarm", "caution", "host", "moderator", "admin", "you", "everyone")
_LABEL = re.compile(r"r\d+", re.IGNORECASE)  # how rooms are labelled
_LIKE_LABEL = re.compile("r[l2-9][ol2-9]*")  # the same, of keys that `narrow_looks` makes


def _drawn(character: str) -> bool:
    return character not in _INVISIBLE and not "\ufe00" <= character <= "\ufe0f" and character < "\U000e0000"


def _is_proper(character: str) -> bool:
    return character in _PUNCTUATION or (unicode.category(character) in _CATEGORIES and _drawn(character))


def _well_formed(name: str, longest: int) -> bool:
    """Whether a name has only letters, their marks, digits and punctuation, and no mark at its beginning."""
    if not 0 < len(name) <= longest:
        return False
    marks = _MARKS_IN_A_ROW  # so that a name cannot begin with one
    for character in name:
        if not _is_proper(character):
            return False
        marks = marks + 1 if unicode.category(character)[0] == "M" else 0
        if marks > _MARKS_IN_A_ROW:
            return False
    return any(unicode.category(character)[0] in "LN" for character in name)


def parse_nick(text: str) -> str:
    """The nick that the user typed, normalised (NFKC). Raises BadNick, ReservedNick."""
    name = unicode.normalize("NFKC", text)
    if not is_nick(name):
        raise BadNick
    if reserved_word(name):
        raise ReservedNick
    return name


def is_nick(text: str) -> bool:
    """Whether a peer's nick is normalised and well formed."""
    return _well_formed(text, limits.NICK) and unicode.is_normalized("NFKC", text)


def alternatives(nick: str) -> list[str]:
    """Nicks to ask for in turn when somebody else has this one: Ann-2, Ann-3, and so on to Ann-9 for Ann."""
    numbers = [str(number) for number in range(2, 2 + limits.OTHER_NICKS)]
    base, _, number = nick.rpartition("-")
    stem = base if base and number in numbers else nick
    return [other for number in numbers if (other := f"{stem[: limits.NICK - 2]}-{number}") != nick]


def parse_room_name(text: str) -> str:
    """The room name that the user typed, normalised (NFKC). Raises BadInput."""
    name = unicode.normalize("NFKC", text)
    if not is_room_name(name):
        raise BadRoomName(limits.ROOM_NAME)
    if reserved_word(name) or _LABEL.fullmatch(name):
        raise ReservedRoomName
    return name


def is_room_name(text: str) -> bool:
    """Whether a peer's room name is normalised and well formed."""
    return _well_formed(text, limits.ROOM_NAME) and unicode.is_normalized("NFKC", text)


def narrow_looks(name: str) -> frozenset[str]:
    """At most four keys of a nick. Two nicks look alike if they share a key.

    The keys are the letters of the nick, and what it looks like (UTS #39) as written, in lower case and in capitals;
    all of them without case.
    """
    return frozenset(map(_reduce, _forms(name)))


def wide_looks(name: str) -> frozenset[str]:
    """At most four keys of a nick. People may confuse two nicks that share one, even if `narrow_looks` differ.

    Hosts refuse such nicks and programs warn of them. No rule of a room depends on it, so programs may differ here.
    """
    *forms, capitals = _forms(name)  # in capitals CL is no D, and CI would be read as CL
    read = [form.replace("cl", "d") for form in forms]
    return frozenset(_reduce(form).translate(_CONFUSED) for form in (*read, capitals))


def _forms(name: str) -> tuple[str, str, str, str]:
    """A name without case: its letters, then its prototypes as written, in lower case and in capitals."""
    name = "".join(filter(_is_proper, name))
    small = _fold(name)
    written, uncased, capitals = (_fold(_prototypes(text)) for text in (name, small, "".join(map(_capital, name))))
    return small, written, uncased, capitals


def reserved_word(name: str) -> str:
    """The reserved word that this name may be mistaken for; empty if there is none."""
    reserved = reserved_looks()
    return next((reserved[look] for look in wide_looks(name) if look in reserved), "")


def is_like_label(name: str) -> bool:
    """Whether a room's name may be mistaken for the label of a room, such as `r1`."""
    return any(_LIKE_LABEL.fullmatch(look) for look in narrow_looks(name))


@cache
def reserved_looks() -> dict[str, str]:
    """The reserved words, by their keys in `wide_looks`."""
    return {look: word for word in _RESERVED for look in wide_looks(word)}


def _fold(text: str) -> str:
    """Without case and compatibility (Unicode, D146)."""
    folded = unicode.normalize("NFKC", unicode.normalize("NFD", text).casefold())
    return unicode.normalize("NFKC", folded.casefold())


def _capital(character: str) -> str:
    capital = character.upper()
    return character if any(unicode.category(letter) == "Cn" for letter in capital) else capital


def _prototypes(text: str) -> str:
    return unicode.normalize("NFD", unicode.normalize("NFD", text).translate(confusables.table()))


def _reduce(folded: str) -> str:
    return unicode.normalize("NFD", folded).translate(_ASCII)
