"""Words as shells read them, and as drag and drop types a path: quotes and backslashes keep a blank in its word."""

from typing import NamedTuple

_BLANKS = " \t\r\n"
_IN_QUOTES = '"\\$`'  # what a backslash takes its meaning from between double quotes
_SPECIAL = frozenset(_BLANKS + "'\"\\")  # what has a meaning of its own in a bare word


class Word(NamedTuple):
    """What a word says, and where it begins in what is typed."""

    text: str
    start: int

    def __repr__(self) -> str:
        return "<Word>"


class Words(NamedTuple):
    """The words of what is typed. is_open: a quote is not closed, or a backslash has nothing after it.

    after_blank: whether what is typed next begins another word.
    """

    words: tuple[Word, ...]
    is_open: bool = False
    after_blank: bool = True

    def __repr__(self) -> str:
        return "<Words>"


def read_words(typed: str) -> Words:
    """What is typed, in words; the last one may be unfinished."""
    words: list[Word] = []
    start: int | None = None  # of the word that is being read
    text, quote, escaped = "", "", False
    for at, character in enumerate(typed):
        if escaped:
            text += character if not quote or character in _IN_QUOTES else f"\\{character}"
            escaped = False
        elif character == "\\" and quote != "'":
            start, escaped = at if start is None else start, True
        elif quote:
            quote, text = ("", text) if character == quote else (quote, text + character)
        elif character in "'\"":
            start, quote = at if start is None else start, character
        elif character in _BLANKS:
            if start is not None:
                words.append(Word(text, start))
            start, text = None, ""
        else:
            start, text = at if start is None else start, text + character
    if start is not None:
        words.append(Word(text, start))
    return Words(tuple(words), bool(quote) or escaped, start is None)


def escape_word(text: str) -> str:
    """The text as one word, with backslashes."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)
