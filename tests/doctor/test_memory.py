"""What is said of the memory of the process."""

import pytest

from anonp2p import disks, hardening
from anonp2p.doctor.memory import check_memory, judge_swaps, read_tracer
from anonp2p.findings import FindingCode, find


def test_swap_is_judged_by_how_it_is_kept() -> None:
    swaps: list[tuple[str, disks.Keeping]] = [
        ("/dev/zram0", "memory"),
        ("/dev/dm-1", "encrypted"),
        ("/dev/sda2", "plain"),
        ("/swap", "unknown"),
    ]
    findings = judge_swaps(swaps)
    assert [finding.values for finding in findings] == [(path,) for path, _ in swaps]
    assert [finding.code for finding in findings] == ["swap-in-memory", "swap-encrypted", "swap-plain", "swap-unclear"]
    assert [finding.state for finding in findings] == ["ok", "ok", "note", "note"]


def test_no_swap_and_swap_of_which_nothing_is_known_are_not_the_same() -> None:
    assert judge_swaps([]) == [find("swap-none")]
    assert judge_swaps(None) == [find("swap-unknown")]


@pytest.mark.parametrize(
    ("status", "tracer"), [("Name:\tx\nTracerPid:\t0\nUid:\t1\n", 0), ("Name:\tx\nTracerPid:\t4711\n", 4711), ("", 0)]
)
def test_who_traces_us_is_read_from_our_status(status: str, tracer: int) -> None:
    assert read_tracer(status) == tracer


@pytest.mark.parametrize(
    ("asked", "no", "yes"),
    [
        ("wipes_objects", "freed-kept", "freed-wiped"),
        ("wipes_blocks", "freed-kept-in-c", "freed-wiped-in-c"),
        ("dumps_core", "cores-off", "cores-on"),
        ("is_dumpable", "undumpable", "dumpable"),
    ],
)
def test_what_hardening_has_reached_is_told(
    monkeypatch: pytest.MonkeyPatch, asked: str, no: FindingCode, yes: FindingCode
) -> None:
    for answer, code in ((False, no), (True, yes)):
        monkeypatch.setattr(hardening, asked, lambda answer=answer: answer)
        assert find(code) in check_memory()
