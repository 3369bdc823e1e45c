"""How wide texts are and where they break: no terminal draws one wider than it was counted."""

import re
import unicodedata
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.ui.sanitize import sanitize_text
from anonp2p.ui.widths import continues, head, is_certain, width, wrap
from tests.support.engines import Tmux, xterm
from tests.ui.corpus import CORPUS

FATHER = "\u092d\u093e\u0930\u0924"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
# All assigned characters, but for those of large blocks that are all alike.
ALL = [
    chr(code)
    for code in chain(range(0xA0, 0x3400), range(0xA000, 0xAC01), range(0xF900, 0x17001), range(0x18D00, 0x1FB00))
    if unicodedata.category(chr(code)) not in ("Cc", "Cs", "Cn", "Co")
]
LINES = [
    *("".join(ALL[at : at + 8]) for at in range(0, len(ALL), 8)),
    *(f"a{one}" for one in ALL),
    *(f"\u65e5{one}{one}" for one in ALL if unicodedata.category(one)[0] == "M"),
    *(f"\U0001f468{one}" for one in "\ufe0f\u200d\U0001f3fd"),
    *(line[:30] for text in CORPUS.values() for line in text.split("\n")),
]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("\u00e9e\u0301", 2),
        ("\u65e5\u672c", 4),
        (FATHER, 4),
        (FAMILY, 6),
        ("\u2764\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("\u304b\u3099", 3),
        ("\U00011103\U00011127", 2),
        ("\U0001f1e9\U0001f1ea", 4),
    ],
)
def test_the_widest_terminal_counts(text: str, columns: int) -> None:
    assert width(text) == columns


def test_where_terminals_differ_nothing_is_certain() -> None:
    assert all(map(is_certain, ("abc", "\u00e9e\u0301", "\u65e5", "\u043f\u0440\u0438", "\u05e9\u05bc")))
    assert not any(map(is_certain, (FATHER, FAMILY, "\u2764\ufe0f", "\U0001f1e9\U0001f1ea", "\u0915\u094d\u0937")))


def shown() -> list[str]:
    return [line for text in LINES for line in sanitize_text(text).split("\n") if line]


def test_a_terminal_with_clusters_draws_nothing_wider() -> None:
    lines = shown()
    [rows] = xterm(["\r\n".join(f"{line}\u2502" for line in lines).encode()], columns=400, rows=50)
    drawn = [max(column for column, cell in row.cells.items() if cell[-1] == "\u2502") for row in rows if row.cells]
    wider = [(ascii(line), at) for line, at in zip(lines, drawn, strict=True) if at > width(line)]
    assert not wider


def test_a_terminal_with_the_widths_of_the_c_library_draws_nothing_wider() -> None:
    lines = shown()
    with Tmux(400, 50) as tmux:
        rows = tmux.shows("\r\n".join(f"{line}|\x1b[399G|" for line in lines).encode(), scrollback=True)
    wider = []
    for line, row in zip(lines, rows, strict=False):
        gap = re.search(r"\|( *)\|$", row)
        assert gap, ascii(line)
        if 398 - 1 - len(gap[1]) > width(line):
            wider.append((ascii(line), 397 - len(gap[1])))
    assert not wider


texts = st.text(
    st.sampled_from("ab \u00e9\u65e5\u0301\u0915\u093e\u094d\u200d\U0001f468\U0001f3fd\ufe0f\u0e33\u1100\u1161\n"),
    max_size=40,
).map(sanitize_text)


@given(texts, st.integers(2, 12))
def test_rows_fit_and_none_begins_with_what_belongs_to_the_one_before(text: str, columns: int) -> None:
    spans = wrap(text, columns)
    end = 0
    for start, stop in spans:
        assert width(text[start:stop]) <= columns
        assert text[end:start] in ("", " ", "\n")
        if start == end and start and text[start - 1] != "\n" and continues(text[start - 1], text[start : start + 1]):
            cluster = next(at for at in range(start - 1, -1, -1) if not at or not continues(text[at - 1], text[at]))
            assert width(text[cluster : start + 1]) > columns, "together they are wider than a row"
        end = stop
    assert end == len(text)


def test_a_mark_goes_to_the_next_row_with_its_letter() -> None:
    assert wrap("\u0915" * 4 + "\u093e", 4) == [(0, 3), (3, 5)]
    assert head("\u0915" * 4 + "\u093e", 4) == "\u0915" * 3


@given(st.text("ab ", max_size=40), st.integers(2, 12))
def test_ascii_is_broken_like_any_text(text: str, columns: int) -> None:
    assert wrap(text, columns) == wrap(text.replace("b", "\u00e9").replace("a", "\u00e8"), columns)


@given(texts, st.integers(0, 12))
def test_a_part_that_fits_ends_between_characters_that_stand_by_themselves(text: str, columns: int) -> None:
    part = head(text, columns)
    assert text.startswith(part)
    assert width(part) <= columns
    assert part == text or not part or not continues(part[-1], text[len(part)])
