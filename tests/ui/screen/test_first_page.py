"""The page before any room: what it names, and where it fits."""

import pytest

from anonp2p.ui.screen.first_page import TorStatus, page
from anonp2p.ui.widths import width


def texts(columns: int, tor: TorStatus) -> list[str]:
    return ["".join(text for _, text in row) for row in page(columns, tor)]


@pytest.mark.parametrize(
    "tor", [TorStatus(), TorStatus(100, ready="Tor 0.4.9.11 is ready (our own).")], ids=["0", "100"]
)
@pytest.mark.parametrize(("columns", "rows"), [(40, 20), (59, 20), (60, 20), (80, 24), (200, 60)])
def test_the_page_is_read_whole_on_terminals_from_40_columns_and_20_rows(
    columns: int, rows: int, tor: TorStatus
) -> None:
    shown = texts(columns, tor)
    assert len(shown) <= rows - 2, "below it are the status and what is typed"
    assert max(map(width, shown)) <= columns


def test_the_page_names_what_to_begin_with_and_where_there_is_room_how_to_be_called() -> None:
    for columns in (40, 60, 80):
        shown = " ".join(texts(columns, TorStatus()))
        assert "/create NAME" in shown
        assert "/join CODE" in shown
        assert "F1 lists all commands" in shown
    assert "/nick NICK" in " ".join(texts(60, TorStatus()))
