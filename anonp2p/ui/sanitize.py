"""The one place where text of peers is made safe to show, in whatever way it is shown.

What belongs to a letter is text and stays: vowel signs, tone marks, points and accents, subjoined letters, and the
characters without a width that Unicode gives a meaning there. The rules for what has no width of its own:

=====================  ================================================================================================
marks (category M)     up to 8 on a character; of those that go on any letter (`COMBINING ...`) up to 4, of all others
                       each up to twice. The rest is left out; a mark on nothing is replaced, as is whatever else is
                       drawn into the character before it.
ZWJ, ZWNJ              stay after or before a virama (UAX #31, A2 and B), after letters of scripts that join theirs (A1;
                       ZWNJ between two of them), ZWNJ before Khmer's register shifters, ZWJ between two emoji (UAX #29,
                       GB11), up to 3 in a row; so does the Mongolian vowel separator between two letters. Replaced
                       elsewhere.
variation selectors    stay, one each, on what they are made for: emoji and keycaps (U+FE0E, U+FE0F), mathematical
                       symbols and ideographs, Mongolian letters. Left out elsewhere: terminals that draw clusters
                       would make room for an emoji even on a letter or digit.
Hangul's letters       a syllable holds up to 4 vowels and finals; others are drawn as letters that stand alone.
others without width   left out (soft hyphen, ZWSP, word joiner, byte order mark), or replaced (controls, bidi, tags).
=====================  ================================================================================================
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_BREAK = "⏎ "  # where a line break was
_MARKS = 8  # on one character: Burmese syllables have up to 6, Hebrew letters with cantillation and Tibetan stacks 5
_GENERAL_MARKS = 4  # of those that can be put on any letter, above or below each other: real scripts use up to 3
_SAME_MARKS = 2  # of any other
_ATTACHED_IN_A_ROW = 4
_JOINED_EMOJI = 3  # joiners in one: families have four members
_REPLACEMENT = "\ufffd"
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_SEPARATOR = "\u180e"  # Mongolian: before the last vowel of a word
_JOINERS = frozenset((_ZWNJ, _ZWJ, _SEPARATOR))
_VIRAMA = 9  # a canonical combining class

# Invisible by design, yet in honest text. Left out rather than marked.
_DROPPED = frozenset("\u00ad\u034f\u17b4\u17b5\u200b\u2060\ufeff")
_EMOJI_SELECTORS = frozenset("\ufe0e\ufe0f")
_KEYCAPS, _KEYCAP = frozenset("#*0123456789"), "\u20e3"
_MONGOLIAN_SELECTORS = frozenset("\u180b\u180c\u180d\u180f")
_SELECTORS = _MONGOLIAN_SELECTORS | frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
# Letters are drawn joined to the next one; by the first word of their names.
_JOINING_SCRIPTS = frozenset(
    ("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "PHAGS-PA", "MANICHAEAN", "PSALTER", "SOGDIAN", "CHORASMIAN")
) | {"HANIFI", "ADLAM"}
_REGISTER_SHIFTERS = frozenset("\u17c9\u17ca")
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
_SKINS = frozenset(map(chr, range(0x1F3FB, 0x1F400)))  # colours, drawn together with the emoji before them
# Drawn together with what is before them, though by category no marks: halfwidth voiced sounds, the AM of Thai and Lao,
# colours of skin.
_FOLLOWING = frozenset("\u0e33\u0eb3\uff9e\uff9f") | _SKINS
# The same with what is after them: in some scripts of India.
_PRECEDING = frozenset("\u0d4e\U000111c2\U000111c3\U0001193f\U00011941\U00011d46") | frozenset(
    map(chr, range(0x11A84, 0x11A8A))
)
_SPECIAL = _DROPPED | _BLANK | _FOLLOWING | _PRECEDING | frozenset(_OTHERWISE)
_HARMFUL = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # controls, bidi and tags, surrogates, private use, separators
_EMOJI = range(0x1F000, 0x1FB00)  # may be newer than our tables, which then say "unassigned"
_KEPT = {"\n": "\n", "\t": " "}  # controls that a text may hold


class _Stack:
    """The marks and joiners on a character."""

    def __init__(self) -> None:
        self._marks = ""
        self._general = 0

    def takes(self, marks: str) -> bool:
        """Whether there is room for the first of these marks, which is then there; the others have to fit as well."""
        before = self._marks, self._general
        fits = all(map(self._push, marks))
        self._marks, self._general = before
        return fits and self._push(marks[0])

    def _push(self, mark: str) -> bool:
        is_general = _name(mark).startswith("COMBINING ")
        if len(self._marks) == _MARKS or (
            self._general == _GENERAL_MARKS if is_general else self._marks.count(mark) == _SAME_MARKS
        ):
            return False
        self._marks += mark
        self._general += is_general
        return True


def _judge(text: str) -> Iterator[tuple[str, str]]:
    """Each character, and what may be shown of it: itself, a sign that something was there, or nothing."""
    stack = _Stack()
    attached = 0  # characters in a row that are drawn together with what is before them
    emoji = 0  # joiners between emoji in a row
    before = ""  # what was shown last
    adjacent = ""  # the same if nothing was left out or replaced since
    was_initial = False  # whether what came last begins a syllable of Hangul, which several letters can do
    in_syllable = False  # whether it is of Hangul, whose letters are drawn as one syllable
    for at, character in enumerate(text):
        if _is_plain(character):
            yield character, character
            if attached:
                stack, attached = _Stack(), 0
            if before != _ZWJ:
                emoji = 0
            before = adjacent = character
            was_initial = in_syllable = False
            continue
        if character in _DROPPED:
            yield character, ""
            adjacent = ""
            continue
        category = unicodedata.category(character)
        is_mark = category[0] == "M" or character in _JOINERS
        joins = _joins(character)
        initial = _is_initial(character)
        follows = is_mark or character in _FOLLOWING
        is_attached = follows or character in _PRECEDING or (initial and was_initial)
        attached = attached + 1 if is_attached or (joins and in_syllable) else 0
        if not is_mark:
            stack = _Stack()
            emoji = emoji if before == _ZWJ or character in _SKINS else 0
        if character in _JOINERS:
            after = text[at + 1 : at + 2]
            if _is_between_emoji(adjacent, character, after):
                emoji += 1
                is_kept = emoji <= _JOINED_EMOJI
            else:
                marks = character + after if _is_mark(after) else character
                is_kept = _has_meaning(adjacent, character, after) and stack.takes(marks)
            shown = character if is_kept else _REPLACEMENT
        elif category in _HARMFUL or character in _BLANK or (category == "Cn" and ord(character) not in _EMOJI):
            shown = _REPLACEMENT
        elif character in _SELECTORS:
            shown = character if _is_selectable(adjacent, character, text[at + 1 : at + 2]) else ""
        elif joins and (attached > _ATTACHED_IN_A_ROW or not in_syllable):
            shown = chr(ord(character) + _ALONE) if ord(character) in _VOWELS else _REPLACEMENT
        elif (follows and before in ("", "\n")) or (is_attached and not is_mark and attached > _ATTACHED_IN_A_ROW):
            shown = _REPLACEMENT
        elif is_mark and not stack.takes(character):
            shown = ""
        else:
            shown = _OTHERWISE.get(character, character)
        yield character, shown
        adjacent = character if shown == character else ""
        was_initial = initial
        if shown:
            before = _KEPT.get(character, shown)[-1]
            in_syllable = shown == character and (joins or _begins(character))


@lru_cache(8192)
def _is_plain(character: str) -> bool:
    """Whether it is shown as it is, wherever it stands, and begins nothing."""
    special = character in _SPECIAL or _joins(character) or _begins(character)
    return not special and unicodedata.category(character)[0] in "LNPSZ" and character not in "\u2028\u2029"


def _is_between_emoji(before: str, joiner: str, after: str) -> bool:
    is_emoji = before in _SKINS or before in _EMOJI_SELECTORS or _is_emoji(before)
    return joiner == _ZWJ and is_emoji and _is_emoji(after) and after not in _SKINS


def _has_meaning(before: str, joiner: str, after: str) -> bool:
    """Whether a joiner says how these letters are to be drawn."""
    if not before or unicodedata.category(before)[0] not in "LM" or after in _JOINERS | _SELECTORS:
        return False
    script = _script(before)
    if joiner == _SEPARATOR:
        return script == _script(after) == "MONGOLIAN"
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if unicodedata.combining(after or " ") == _VIRAMA:
        return script == _script(after)
    if joiner == _ZWNJ and after in _REGISTER_SHIFTERS:
        return True
    return script in _JOINING_SCRIPTS and (joiner == _ZWJ or not after or _script(after) == script)


def _is_selectable(before: str, selector: str, after: str) -> bool:
    """Whether the selector chooses one of several forms of the character before it."""
    if selector in _EMOJI_SELECTORS:
        if before.isascii():
            return before in _KEYCAPS and after == _KEYCAP
        return _is_emoji(before) and before not in _SKINS
    if selector in _MONGOLIAN_SELECTORS:
        return _script(before) == "MONGOLIAN"
    return _script(before) == "CJK" or (not before.isascii() and unicodedata.category(before) == "Sm")


@lru_cache(4096)
def _is_emoji(character: str) -> bool:
    """Whether it is drawn as an emoji, if need be with a selector; no ASCII."""
    if character.isascii() or character in _BLANK:
        return False
    if ord(character) in _EMOJI:
        return True
    from wcwidth import wcswidth, wcwidth  # not sooner: it takes longer to load than all else here

    wide = wcwidth(character)
    return wide == 2 if unicodedata.category(character) == "So" and wide != 1 else wcswidth(character + "\ufe0f") > wide


def _is_mark(character: str) -> bool:
    return character != "" and unicodedata.category(character)[0] == "M"


@lru_cache(4096)
def _script(character: str) -> str:
    """The first word of the name of a letter or a mark, empty for others."""
    is_letter = character != "" and unicodedata.category(character)[0] in "LM"
    return _name(character).partition(" ")[0] if is_letter else ""


@lru_cache(4096)
def _name(character: str) -> str:
    return unicodedata.name(character, "") if character else ""


def _joins(character: str) -> bool:
    """Whether it is a vowel or a final letter of Hangul: drawn into what came before, at no cost of a cell."""
    return "\u1161" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"


def _begins(character: str) -> bool:
    """Whether it is a syllable of Hangul, or an initial letter of one."""
    return _is_initial(character) or "\uac00" <= character <= "\ud7a3"


def _is_initial(character: str) -> bool:
    return "\u1100" <= character < "\u115f" or "\ua960" <= character <= "\ua97c"


def sanitize_text(text: str) -> str:
    """The text without anything that could move the cursor, hide, reorder or overdraw; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_KEPT.get(character, shown) for character, shown in _judge(text.replace("\r\n", "\n")))


def sanitize_line(text: str) -> str:
    """The same for what has to stay in its line: a nick, a name, a reason. Line breaks are seen as such."""
    return sanitize_text(text).replace("\n", _BREAK)


def escape_json(json: str) -> str:
    """JSON with everything escaped that `sanitize_text` does not let through: the same data, safe to look at."""
    if json.isascii() and json.isprintable():
        return json
    return "".join(character if shown == character else _escape(character) for character, shown in _judge(json))


def _escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
