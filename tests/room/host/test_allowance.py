"""What one member may cost its host, by the clock alone (PROTOCOL.md, 1.6, 5.8, 6.8)."""

import pytest

from anonp2p import limits
from anonp2p.protocol import bodies, field_types
from anonp2p.room.host.allowance import Allowance

BOX = bodies.PrivateBody(bytes(field_types.BOX + 1))


@pytest.mark.parametrize(
    ("cost", "bucket", "rate"),
    [
        ("units", limits.MESSAGE_BUCKET, limits.MESSAGE_RATE),
        ("entries", limits.ENTRY_BUCKET, limits.ENTRY_RATE),
        ("answers", limits.ANSWER_BUCKET, limits.ANSWER_RATE),
    ],
)
def test_each_measure_alone_slows_a_member_down_as_long_as_it_owes(cost: str, bucket: int, rate: float) -> None:
    """1.6"""
    allowance = Allowance(0.0, 0)
    assert allowance.take_costs(0.0, **{cost: bucket}) == 0.0
    assert allowance.take_costs(0.0, **{cost: 1}) == pytest.approx(1 / rate)
    assert allowance.take_costs(1 / rate) == pytest.approx(0.0)
    assert Allowance(0.0, 0).take_costs(0.0, **{cost: 1}) == 0.0, "each member has measures of its own"


def test_a_pause_is_never_longer_than_a_link_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "ENTRY_RATE", 0.01)
    assert Allowance(0.0, 0).take_costs(0.0, entries=2 * limits.ENTRY_BUCKET) == limits.READ_PAUSE < limits.LINK_LOST


@pytest.mark.parametrize(
    ("body", "bucket", "rate"),
    [
        (bodies.NickBody("eve"), limits.NICK_BUCKET, limits.NICK_RATE),
        (BOX, limits.PRIVATE_BUCKET, limits.PRIVATE_RATE),
    ],
    ids=["nicks", "private messages"],
)
def test_so_many_of_a_kind_may_be_ordered_at_once_and_then_one_by_one(
    body: bodies.NickBody | bodies.PrivateBody, bucket: int, rate: float
) -> None:
    """5.8"""
    allowance = Allowance(0.0, 0)
    assert [allowance.try_kind(body, 0.0) for _ in range(bucket + 2)] == [True] * bucket + [False] * 2
    other: bodies.NickBody | bodies.PrivateBody = BOX if body != BOX else bodies.NickBody("eve")
    assert allowance.try_kind(other, 0.0), "each kind has its own measure"
    assert [allowance.try_kind(body, 1.001 / rate) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(("before", "since"), [(0, 0), (0, 1), (2, 0), (2, 3)])
def test_a_key_may_be_renewed_once_for_each_commit_since_its_member_came_at_any_time(before: int, since: int) -> None:
    """6.8: what was not used is kept; nothing is had for commits before it came."""
    allowance = Allowance(0.0, before)
    assert [allowance.try_renewal(before + since) for _ in range(since + 1)] == [True] * since + [False]
