"""That scripts/bench measures what a message costs those who have it: hosts and members, over loopback."""

import pytest

from tests.bench import cost
from tests.bench.crypto import crypto


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in {"MESSAGES": 256, "SPACED": 10, "VERIFICATIONS": 500}.items():
        monkeypatch.setattr(cost, name, number)


def test_a_member_that_has_every_message_takes_about_a_verification_for_each_or_more() -> None:
    costs = cost.measure_member_costs(2, 1)
    assert [one.spaced for one in costs] == [False, True]
    for one in costs:
        assert one.member > one.verification / 2 > 0  # both vary with what else the machine does


def test_a_host_takes_about_a_verification_and_the_writes_or_more() -> None:
    costs = cost.measure_costs(2, 1)
    assert [one.spaced for one in costs] == [False, True]
    for one in costs:
        assert one.ratio > 1 / 2
        assert one.floor > 0


def test_what_keys_cost_stands_beside_raw_signatures_and_boxes() -> None:
    found = {result.name: result for result in crypto([3], 1)}
    floors = {name: result.floor_is for name, result in found.items() if result.floor}
    assert floors == {
        "messages opened": "one verification a message",
        "messages sealed": "one signature a message",
        "a join, at the host": "two boxes, three signatures",
        "a removal, at the host": "a box for each member",
    }
