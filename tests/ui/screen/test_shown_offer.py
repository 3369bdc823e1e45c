"""A file on offer in the log: what its rows say, at any width."""

from pathlib import Path
from typing import Any

import pytest

from anonp2p.errors import Failed
from anonp2p.reasons import Reason
from anonp2p.ui.screen.rows import Row
from anonp2p.ui.screen.shown_offer import ShownOffer, offer_of
from anonp2p.ui.widths import width
from tests.support.offers import SIZE, moved_on, offered


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Downloads").mkdir()
    return tmp_path / "Downloads"


def words(row: Row) -> str:
    return "".join(text for _, text in row).rstrip()


def drawn(offer: ShownOffer, columns: int = 70) -> list[str]:
    found = offer.draw(columns, lambda member: "✓" if member == "key of cho" else "")
    assert all(sum(width(text) for _, text in row) <= columns for row in found)
    return [words(row) for row in found]


def after(*events: object, **more: Any) -> ShownOffer:
    offer = offer_of(offered(**more))
    for event in events:
        offer.take_event(event)  # type: ignore[arg-type]
    return offer


def test_the_path_is_shown_before_anything_is_taken(home: Path) -> None:
    assert drawn(offer_of(offered())) == ["report.pdf (1.2 MB)", "/accept 3 saves it as ~/Downloads/report.pdf"]
    (home / "report.pdf").touch()
    assert drawn(offer_of(offered()))[1] == "/accept 3 saves it as ~/Downloads/report-2.pdf"


def test_while_it_is_taken_there_is_a_bar_with_rate_and_time_left() -> None:
    rows = after(moved_on("running", SIZE // 2, 100_000)).draw(60, lambda _: "")
    assert rows[1] == [
        ("progress done", "█" * 15),
        ("progress", "░" * 15),
        ("progress", "  50 %  100 kB/s  6 s left"),
        ("", " " * 4),
    ]


@pytest.mark.parametrize("columns", range(10, 201))
@pytest.mark.parametrize("done", [0, 1, SIZE // 3, SIZE - 1, SIZE])
def test_the_bar_fits_at_any_width_and_says_at_least_how_much_is_there(columns: int, done: int) -> None:
    [*_, bar] = after(moved_on("running", done, 123_456)).draw(columns, lambda _: "")
    assert sum(width(text) for _, text in bar) == columns
    assert f"{done * 100 // SIZE} %" in words(bar)
    blocks = words(bar).count("█"), words(bar).count("░")
    assert sum(blocks) <= 30
    assert (blocks[1] == 0) == (done == SIZE or not sum(blocks))
    if columns >= 40 and done < SIZE:
        assert "/s" in words(bar)
        assert "left" in words(bar)


def test_where_nothing_moves_no_time_is_foretold() -> None:
    assert drawn(after(moved_on("running", SIZE // 2)))[1].endswith(" 50 %")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (moved_on("connecting"), "connecting to its sender"),
        (moved_on("connecting", detail=Reason("broken")), "connecting to its sender (the connection broke)"),
        (moved_on("done", SIZE, path="/x/report.pdf"), "saved as /x/report.pdf"),
        (moved_on("failed", detail=Reason("file-failed", Failed("Full."))), "not taken. Full."),
        (moved_on("ended", detail=Reason("offer-hidden")), "has ended (you have declined it)"),
    ],
)
def test_what_became_of_it_is_said_in_its_place(event: object, said: str) -> None:
    assert drawn(after(event)) == ["report.pdf (1.2 MB)", said]


def test_the_name_is_the_one_that_is_written_and_looks_like_nothing_else() -> None:
    hostile = offer_of(offered(name="../\x1b[31m\u202e.bashrc (1 kB)"))
    [title, _] = hostile.draw(70, lambda _: "")
    assert title == [("title", "[31m.bashrc (1 kB)"), ("quiet", " (1.2 MB)")]


def test_a_long_name_is_shown_whole() -> None:
    rows = drawn(offer_of(offered(name="x" * 95 + ".pdf")), 40)
    assert "".join(rows[:3]).startswith("x" * 95 + ".pdf")


def test_several_take_a_file_of_ours_at_once() -> None:
    offer = after(
        moved_on("running", SIZE // 4, 10_000, by="cho"),
        moved_on("running", SIZE // 2, 10_000, by="dee"),
        moved_on("connecting", SIZE // 2, by="dee"),
        moved_on("done", SIZE, by="eve"),
        moved_on("failed", 5, by="fay"),
        moved_on("done", SIZE, by=""),
        mine=True,
    )
    rows = drawn(offer)
    assert rows[0] == "report.pdf (1.2 MB)"
    assert rows[1].startswith("cho✓ █")
    assert rows[1].endswith("  25 %  10 kB/s  2 min left")
    assert rows[2].startswith("dee █")
    assert rows[2].endswith("  50 %  waits")
    assert rows[3:] == ["taken by eve", "not all of it taken by fay"]


def test_who_left_in_the_middle_is_still_named() -> None:
    offer = after(moved_on("running", 5, by="fay"), moved_on("failed", 5, by="fay", nick=""), mine=True)
    assert drawn(offer)[1] == "not all of it taken by fay"


def test_of_many_who_have_it_the_latest_are_named() -> None:
    offer = after(*(moved_on("done", SIZE, by=f"p{n}") for n in range(6)), mine=True)
    assert drawn(offer)[1] == "taken by p2, p3, p4, p5 and 2 more"


def test_an_offer_of_ours_says_how_it_ends() -> None:
    assert drawn(after(mine=True))[1] == "/decline 3 ends it"
    assert drawn(after(moved_on("ended", mine=True), mine=True))[1] == "has ended"


def test_before_it_is_out_it_is_read() -> None:
    assert drawn(ShownOffer("report.pdf", mine=True)) == ["report.pdf …", "is being read"]


def test_what_changes_its_looks_changes_its_version() -> None:
    offer = offer_of(offered())
    before = offer.version
    offer.take_event(moved_on("running", 1))
    assert offer.version != before


@pytest.mark.parametrize(
    ("event", "can", "under_way"),
    [
        (None, True, False),
        (moved_on("connecting"), False, True),
        (moved_on("running"), False, True),
        (moved_on("failed"), True, False),
        (moved_on("done"), False, False),
        (moved_on("ended"), False, False),
    ],
)
def test_it_can_be_taken_where_it_is_not_yet(event: object, can: bool, under_way: bool) -> None:
    offer = after(*([event] if event else []))
    assert (offer.can_be_taken, offer.is_under_way) == (can, under_way)
    assert not after(mine=True).can_be_taken
