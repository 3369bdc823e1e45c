"""What somebody sends harms no terminal of three kinds and deceives no reader: the corpus on them."""

import re

import pytest

from anonp2p import limits
from tests.support.engines import xterm
from tests.support.films import ENGINES, Film, engines, piped, printed_on_terminal
from tests.support.hostile import batches
from tests.support.stage import Stage
from tests.ui.corpus import CORPUS

TEXTS = list(CORPUS.values())

# What the program says where it does not show all lines of a message: in the column of texts, beside no nick; on a line
# of its own.
MORE_ROW = re.compile(r"12:0[0-9] +· │ … [0-9,]+ more lines: Alt-O shows all +│.*")
MORE_LINE = re.compile(r"\[SYSTEM\] … [0-9,]+ more lines of this message by ben")


@pytest.fixture(scope="module")
def film() -> Film:
    """First nothing, then so many of the texts at once as there is room for."""
    with Stage("--nick", "zo1", columns=100, rows=300) as stage:
        film = Film(stage)
        film.cut()
        place = film.place
        for texts in batches(TEXTS, place.bar - place.x, len(place.log)):
            place.says(texts)
            film.cut()
            place.empty()
        return film


@engines
def test_on_the_full_screen_nothing_is_drawn_outside_the_column_of_texts(engine: str, film: Film) -> None:
    first, *looks = film.on(engine)
    for rows in looks:
        assert (rows[0], rows[-2:], len(rows)) == (first[0], first[-2:], len(first)), "\n".join(rows)
        for y in film.place.log:
            head, _, rest = rows[y].partition("│")
            of_a_message = re.fullmatch(r"12:0[0-9] +(ben )?|  {6,}", head) or MORE_ROW.fullmatch(rows[y])
            assert of_a_message or not (head + rest).strip("│ "), rows[y]
            assert rows[y].rpartition("│")[2] == first[y].rpartition("│")[2], rows[y]


def test_where_there_are_clusters_the_bars_are_where_they_were(film: Film) -> None:
    place = film.place
    for rows in xterm(film.writes, columns=film.columns, rows=film.rows):
        for y in place.log:
            cells = rows[y].cells
            assert cells[place.bar] == "│"
            assert cells.get(place.x - 2, " ") in "│ "
            assert cells.get(place.x - 1, " ") == cells.get(place.x - 3, " ") == " "


@pytest.fixture(scope="module")
def printed() -> bytes:
    return piped(TEXTS, "ben")


@engines
def test_what_comes_out_of_a_pipe_has_no_row_that_a_peer_begins(engine: str, printed: bytes) -> None:
    data = printed.replace(b"\n", b"\r\n")
    [rows] = ENGINES[engine]([data], 80, data.count(b"\n") + 200)
    ours = [row for row in rows if row and not row.startswith(("ben:", "    "))]
    assert all(map(MORE_LINE.fullmatch, ours))
    assert len(ours) == sum(text.count("\n") >= limits.LINES_SHOWN for text in TEXTS)
    assert sum(row.startswith("ben:") for row in rows) == len(TEXTS)
    assert len(list(filter(None, rows))) <= data.count(b"\n"), "no terminal breaks what is broken already"


@engines
@pytest.mark.parametrize("typed", ["", "x", "y" * 27, "z" * 80, "w" * 100])
def test_what_is_half_typed_leaves_what_others_say_in_its_columns(engine: str, typed: str) -> None:
    said = [f"{'x' * (75 - hidden)}{'[SYSTEM] The room is over.'[:hidden]}" for hidden in (1, 26)]
    data = printed_on_terminal(["hello"], "ben", 80) + typed.encode() + printed_on_terminal(said, "ben", 80)
    [rows] = ENGINES[engine]([data], 80, 24)
    half_typed = [typed[at : at + 80] for at in range(0, len(typed), 80)]
    assert list(filter(None, rows)) == ["ben: hello", *half_typed, *(f"ben: {text}" for text in said)]
    assert not any(rows[3 + len(half_typed) :])
