"""The QR symbol of a room's code: what is drawn is the symbol, the whole symbol, within a quiet border."""

import subprocess
import sys

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.ui import qr, sanitize

CODE = codes.encode_key(RoomKey(b"the seed of the simulated room.."[:32]).public)
DRAWN = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}

borders = pytest.mark.parametrize("border", [4, 2, 0])
seeds = st.binary(min_size=32, max_size=32)


def read(rows: list[str], height: int, *, inverted: bool) -> qr.Matrix:
    """The modules that somebody sees in these rows."""
    modules = []
    for row in rows:
        above, below = zip(*(DRAWN[character] for character in row), strict=True)
        modules += [[drawn != inverted for drawn in half] for half in (above, below)]
    return modules[:height]


@borders
def test_the_symbol_says_the_code_as_it_is_shown(border: int) -> None:
    modules = qr.matrix(CODE, border)
    inner = [row[border : len(row) - border] for row in modules[border : len(modules) - border]]
    expected = segno.make_qr(CODE, error="l", boost_error=True)
    assert inner == [[bool(module) for module in row] for row in expected.matrix]
    assert (expected.mode, expected.version, expected.error) == ("byte", 4, "M")


@borders
def test_the_border_is_quiet_on_all_sides(border: int) -> None:
    modules = qr.matrix(CODE, border)
    inside = range(border, len(modules) - border)
    assert len(inside) == 33
    for y, row in enumerate(modules):
        assert len(row) == len(modules), "a square"
        for x, dark in enumerate(row):
            assert not dark or (x in inside and y in inside)


@borders
@pytest.mark.parametrize("inverted", [True, False])
def test_the_rows_show_every_module(border: int, inverted: bool) -> None:
    modules = qr.matrix(CODE, border)
    rows = qr.rows(modules, inverted=inverted)
    assert read(rows, len(modules), inverted=inverted) == modules


@given(seeds, st.booleans())
def test_every_code_fits_and_is_drawn_as_it_is(seed: bytes, inverted: bool) -> None:
    """A terminal of 80 x 24 shows it, behind what begins a line of the program."""
    for border, width, height in ((4, 41, 21), (2, 37, 19)):
        modules = qr.matrix(codes.encode_key(RoomKey(seed).public), border)
        rows = qr.rows(modules, inverted=inverted)
        assert {len(row) for row in rows} == {width}
        assert len(rows) == height
        assert read(rows, len(modules), inverted=inverted) == modules


def test_an_odd_last_row_has_nothing_below_it() -> None:
    assert qr.rows([[True, False]], inverted=False) == ["▀ "]
    assert qr.rows([[True, False]], inverted=True) == [" ▀"]


@pytest.mark.parametrize("inverted", [True, False])
def test_no_row_holds_what_view_would_not_let_through(inverted: bool) -> None:
    for row in qr.rows(qr.matrix(CODE), inverted=inverted):
        assert sanitize.sanitize_text(row) == row


def test_the_library_is_loaded_only_where_it_is_wanted() -> None:
    program = "import sys, anonp2p.ui.wording, anonp2p.ui.qr; sys.exit('segno' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
