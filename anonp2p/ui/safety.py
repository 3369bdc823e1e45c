"""The one place where whatever a peer sent is made harmless, before it is shown in whatever way."""

import unicodedata
from collections.abc import Iterator

_BREAK = "⏎ "  # where a line break was
_MARKS_IN_A_ROW = 4  # combining marks shown on one character: real scripts use up to three; so do Hangul's letters
_REPLACEMENT = "\ufffd"

# Invisible by design, yet in honest text: joiners in emoji and some scripts. Left out rather than marked.
_DROPPED = frozenset("\u00ad\u034f\u17b4\u17b5\u200b\u200c\u200d\u2060\ufeff")
# Choose how the character before them is drawn, and are drawn as nothing anywhere else.
_SELECTORS = frozenset(map(chr, (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
# Letters and symbols by category, drawn as nothing, or as whatever a font likes.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\ufffc\U0001d159\U00013441\U00013442\U00016fe4")
_OTHERWISE = {  # drawn far wider than the cells that they are given, over what comes next; and Braille without dots
    "\u2e3a": "\u2014" * 2,
    "\u2e3b": "\u2014" * 3,
    "\ufdfd": "بسم الله الرحمن الرحيم",
    **dict.fromkeys("\U00012031\U00012219\U0001242b", _REPLACEMENT),
    "\u2800": " ",
}
_VOWELS = range(0x1161, 0x1176)  # Hangul's of today, which are drawn into the syllable before them
_ALONE = 0x314F - 0x1161  # further on they stand once more, as they are drawn alone
# Drawn together with what is beside them, though by category no marks: halfwidth voiced sounds, the AM of Thai and Lao,
# what stands before letters in some scripts of India, colours of skin.
_ATTACHED = frozenset("\u0d4e\u0e33\u0eb3\uff9e\uff9f\U000111c2\U000111c3\U0001193f\U00011941\U00011d46") | frozenset(
    map(chr, (*range(0x11A84, 0x11A8A), *range(0x1F3FB, 0x1F400)))
)
_HARMFUL = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, bidi and tags, surrogates, private use, separators
_EMOJI = range(0x1F000, 0x1FB00)  # may be newer than our tables, which then say "unassigned"
_KEPT = {"\n": "\n", "\t": " "}  # controls that a text may hold


def _judged(text: str) -> Iterator[tuple[str, str]]:
    """Each character, and what may be shown of it: itself, a sign that something was there, or nothing."""
    marks = 0
    is_drawn = False  # whether what came last is something of which a selector may choose the form
    is_base = False  # whether something came in this line on which a mark can be drawn
    was_initial = False  # whether what came last begins a syllable of Hangul, which several letters can do
    in_syllable = False  # whether it is of Hangul, whose letters are drawn as one syllable
    for character in text:
        if character in _DROPPED:
            yield character, ""
            continue
        category = unicodedata.category(character)
        joins = _joins(character)
        initial = _is_initial(character)
        attached = character in _ATTACHED or (initial and was_initial)
        marks = marks + 1 if category[0] == "M" or attached or (joins and in_syllable) else 0
        if category in _HARMFUL or character in _BLANK or (category == "Cn" and ord(character) not in _EMOJI):
            shown = _REPLACEMENT
        elif joins and (marks > _MARKS_IN_A_ROW or not in_syllable):
            shown = chr(ord(character) + _ALONE) if ord(character) in _VOWELS else _REPLACEMENT
        elif attached and marks > _MARKS_IN_A_ROW:
            shown = _REPLACEMENT
        elif marks > _MARKS_IN_A_ROW or (character in _SELECTORS and not is_drawn):
            shown = ""
        elif category[0] == "M" and not is_base:
            shown = _REPLACEMENT
        else:
            shown = _OTHERWISE.get(character, character)
        yield character, shown
        was_initial = initial
        is_drawn = category[0] in "LNPS" and shown != " "
        if shown:
            is_base = character != "\n"
            in_syllable = shown == character and (joins or _begins(character))


def _joins(character: str) -> bool:
    """Whether it is a vowel or a final letter of Hangul: drawn into what came before, at no cost of a cell."""
    return "\u1161" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"


def _begins(character: str) -> bool:
    """Whether it is a syllable of Hangul, or an initial letter of one."""
    return _is_initial(character) or "\uac00" <= character <= "\ud7a3"


def _is_initial(character: str) -> bool:
    return "\u1100" <= character < "\u115f" or "\ua960" <= character <= "\ua97c"


def harmless(text: str) -> str:
    """The text without anything that could move the cursor, hide, reorder or overdraw; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_KEPT.get(character, shown) for character, shown in _judged(text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """The same for what has to stay in its line: a nick, a name, a reason. Line breaks are seen as such."""
    return harmless(text).replace("\n", _BREAK)


def escaped(json: str) -> str:
    """JSON with everything escaped that `harmless` does not let through: the same data, safe to look at."""
    if json.isascii() and json.isprintable():
        return json
    return "".join(character if shown == character else _escape(character) for character, shown in _judged(json))


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
