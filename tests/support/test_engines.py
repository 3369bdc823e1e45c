"""The other terminals disagree in the ways that make them worth having."""

import pytest

from tests.support.engines import Row, Tmux, xterm

HEART = "\u2764\ufe0f"
FATHER = "\u092d\u093e\u0930\u0924"  # of four characters, one of them a spacing mark


def test_a_row_reads_as_it_is_drawn() -> None:
    assert Row({0: "a", 1: "日", 3: "b", 6: "c"}, wrapped=False).text == "a日b  c"
    assert Row({2: "a"}, wrapped=False).text == "  a"


def test_xterm_draws_clusters() -> None:
    first, second = xterm([f"{HEART}|".encode(), f"\r\n{FATHER}|\r\n{'x' * 21}".encode()], columns=20, rows=5)
    assert first[0].cells == {0: HEART, 2: "|"}
    assert second[1].cells == {0: FATHER[:2], 1: FATHER[2], 2: FATHER[3], 3: "|"}
    assert [row.wrapped for row in second] == [False, False, False, True, False]


def test_tmux_gives_spacing_marks_a_column() -> None:
    with Tmux(20, 5) as tmux:
        assert tmux.shows(f"{FATHER}\x1b[4GX".encode())[0] == FATHER[:3] + "X"


@pytest.mark.parametrize("lines", [3, 3_000])
def test_what_has_scrolled_away_is_there(lines: int) -> None:
    data = b"".join(b"line %d\r\n" % number for number in range(lines))
    with Tmux(20, 5) as tmux:
        assert tmux.shows(data, scrollback=True)[:lines] == [f"line {number}" for number in range(lines)]
    [screen] = xterm([data], columns=20, rows=5)
    assert [row.text for row in screen][:lines] == [f"line {number}" for number in range(lines)]
