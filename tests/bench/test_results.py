"""Medians, spreads, goals, the table and the pictures of scripts/bench."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.children import BenchFailed
from tests.bench.documents import BEGIN, DOCS, END, PAGE, SAMPLES, with_table, write_documents
from tests.bench.measurements import take_results
from tests.bench.plots import draw
from tests.bench.results import FAR, LOOPBACK, NEAR, Goal, Report, Result, describe, describe_report, percentile, spell


def _report(*results: Result) -> Report:
    return Report({"cores": "2"}, {"OnionShare": "2.7", "ngircd": ""}, list(results))


_LATENCY = Result(
    "latency, spaced",
    "10 clients",
    NEAR,
    "ms",
    [10.0, 12.0, 14.0],
    [10.0, 9.0, 11.0],
    "raw relay",
    {"OnionShare": [20.0, 30.0, 40.0]},
    Goal(1.05, of_floor=True),
)


def test_a_percentile_is_a_sample_and_of_few_samples_the_outermost() -> None:
    assert [percentile([3.0, 1.0, 2.0], share) for share in (5, 50, 95, 100)] == [1.0, 2.0, 3.0, 3.0]
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, share) for share in (5, 50, 95)] == [5.0, 50.0, 95.0]


@pytest.mark.parametrize(
    ("number", "spelled"),
    [(0.0, "0"), (0.34567, "0.346"), (3.4567, "3.46"), (99.96, "100.0"), (345.67, "346"), (123456.7, "123,457")],
)
def test_numbers_have_three_digits_or_all_before_the_point(number: float, spelled: str) -> None:
    assert spell(number) == spelled


def test_samples_are_told_as_median_and_spread_and_a_single_one_alone() -> None:
    assert describe([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    assert describe([2.0]) == "2.00"
    assert describe([]) == ""


@pytest.mark.parametrize(
    ("ours", "floor", "goal", "more", "reached"),
    [
        ([1.0, 9.0, 1.0], [1.0], Goal(1.0, of_floor=True), False, True),  # by medians
        ([1.2], [1.0], Goal(1.1, of_floor=True), False, False),
        ([0.9], [1.0], Goal(0.95, of_floor=True), True, False),
        ([0.96], [1.0], Goal(0.95, of_floor=True), True, True),
        ([19.0], [1.0], Goal(20.0), False, True),
        ([7_999.0], [], Goal(8_000.0), True, False),
        ([1.0], [], Goal(1.0, of_floor=True), False, None),
        ([], [1.0], Goal(1.0), False, None),
        ([1.0], [1.0], None, False, None),
    ],
)
def test_a_goal_is_held_against_the_median_or_against_that_of_the_floor(
    ours: list[float], floor: list[float], goal: Goal | None, more: bool, reached: bool | None
) -> None:
    result = Result("x", "", NEAR, "s", ours, floor, "dial", {}, goal, more)
    assert result.reached is reached


def test_the_table_has_a_column_for_each_peer_that_was_measured_and_names_those_that_were_not() -> None:
    found = describe_report(_report(_LATENCY, Result("join", "", FAR, "s", [3.5])))
    head, _, first, second = [line for line in found.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in head.split("|")[1:-1]] == (
        ["what", "of", "where", "unit", "anonp2p", "floor", "times floor", "OnionShare", "goal"]
    )
    cells = [cell.strip() for cell in first.split("|")[1:-1]]
    assert cells[4:] == [
        "12.0 (10.0 to 14.0)",
        "10.0 (9.00 to 11.0): raw relay",
        "1.20",
        "30.0 (20.0 to 40.0)",
        "<= 1.05 x floor: no",
    ]
    assert len(second) == len(first) == len(head)
    assert "ngircd: missing, so not measured" in found
    assert "cores: 2" in found


def test_what_failed_stands_below_the_table() -> None:
    report = _report(_LATENCY)
    report.failures.append("join, far: it took too long")
    assert describe_report(report).rstrip().endswith("Failed: join, far: it took too long")


def test_a_measurement_that_fails_leaves_what_it_found_and_is_named_while_others_go_on() -> None:
    def fails() -> Iterator[Result]:
        yield _LATENCY
        raise BenchFailed("it took too long")

    report = _report()
    take_results(report, "latency, near", fails())
    take_results(report, "join, near", iter([Result("join", "", NEAR, "s", [1.0])]))
    assert [result.name for result in report.results] == ["latency, spaced", "join"]
    assert report.failures == ["latency, near: BenchFailed('it took too long')"]


def test_a_report_is_the_same_after_it_was_json() -> None:
    report = _report(_LATENCY)
    assert Report.of_json(report.to_json()) == report


def test_each_picture_is_there_as_png_and_svg_and_none_of_what_was_not_measured(tmp_path: Path) -> None:
    flow = Result("fan-out", "50 clients", LOOPBACK, "deliveries/s", [2e5], [9e5], "relay", {"ngircd": [1e6]})
    written = draw(_report(_LATENCY, flow), tmp_path)
    assert sorted(path.name for path in written) == [
        "bench-fan-out.png",
        "bench-fan-out.svg",
        "bench-latency.png",
        "bench-latency.svg",
    ]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert (tmp_path / "bench-latency.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "bench-latency.svg").read_text()


def test_the_same_figures_give_the_same_pictures(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        draw(_report(_LATENCY), folder)
    first, second = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert first == second


def test_a_whole_run_replaces_what_the_documents_said_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / PAGE).write_text(f"before\n{BEGIN}an older table\n{END}after\n")
    report = _report(_LATENCY)
    write_documents(report, tmp_path)
    page = (tmp_path / PAGE).read_text()
    assert page == f"before\n{BEGIN}\n{describe_report(report)}\n{END}after\n"
    assert with_table(page, report) == page
    assert Report.of_json((tmp_path / SAMPLES).read_bytes()) == report
    assert (tmp_path / "pictures/bench-latency.png").exists()


def test_the_page_has_the_table_of_the_samples_that_lie_beside_it() -> None:
    report = Report.of_json((DOCS / SAMPLES).read_bytes())
    page = (DOCS / PAGE).read_text("utf-8")
    assert with_table(page, report) == page
