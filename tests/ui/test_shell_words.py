"""Words with quotes and backslashes: as Python's own reader of shell words has them."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.ui.shell_words import Word, escape_word, read_words

TYPED = st.text(alphabet="ab ~/\t\n'\"\\$`é\u3000", max_size=12)


def texts(typed: str) -> list[str]:
    return [word.text for word in read_words(typed).words]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("report.pdf ben", ["report.pdf", "ben"]),
        (r"my\ report.pdf ben", ["my report.pdf", "ben"]),
        ('"my report.pdf" ben', ["my report.pdf", "ben"]),
        ("'/home/ann/my report.pdf' ", ["/home/ann/my report.pdf"]),
        (r"""'it'"'"'s' here""", ["it's", "here"]),
        (r"it\'s", ["it's"]),
        (r'"a \"b\" \$ \x"', [r'a "b" $ \x']),
        (r"'a\b'", [r"a\b"]),
        ("''", [""]),
        ("  ", []),
        ("a\u00a0b", ["a\u00a0b"]),
    ],
)
def test_quotes_and_backslashes_keep_blanks_in_a_word(typed: str, words: list[str]) -> None:
    assert texts(typed) == words
    assert not read_words(typed).is_open


@pytest.mark.parametrize("typed", ['"my report', "it's", "a\\", '"a\\"'])
def test_what_is_not_closed_is_told(typed: str) -> None:
    assert read_words(typed).is_open


@given(TYPED)
def test_words_are_those_of_shells(typed: str) -> None:
    lexer = shlex.shlex(typed, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        expected = list(lexer)
    except ValueError:
        assert read_words(typed).is_open
        return
    assert not read_words(typed).is_open
    if "$" not in typed and "`" not in typed:  # Python's keeps the backslash before these
        assert texts(typed) == expected


@given(TYPED)
def test_each_word_begins_where_it_is_typed(typed: str) -> None:
    read = read_words(typed)
    for word in read.words:
        assert typed[: word.start] == "" or typed[word.start - 1].isspace()
        assert texts(typed[word.start :])[0] == word.text
    assert read.after_blank == (not read.words or texts(typed + "x") == [*texts(typed), "x"])


@given(st.text(alphabet="ab ~/\t\n'\"\\$é", min_size=1))
def test_an_escaped_word_is_read_as_it_was(text: str) -> None:
    assert texts(f"{escape_word(text)} x") == [text, "x"]


def test_a_path_is_not_shown_by_accident() -> None:
    assert "secret" not in repr(read_words("secret"))
    assert "secret" not in repr(Word("secret", 0))
