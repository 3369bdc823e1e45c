"""Messages of one member are so far apart (PROTOCOL.md, 5c.4)."""

import pytest

from anonp2p import limits
from anonp2p.room.slow import SlowRule

ANN, BOB = b"a" * 16, b"b" * 16
TERM, LATER = (0, ANN), (5, BOB)


@pytest.fixture
def rule() -> SlowRule:
    """Ann has said something under a head of 1,000 ms."""
    rule = SlowRule()
    rule.note_text(ANN, TERM)
    rule.seal_batch(1_000)
    return rule


@pytest.mark.parametrize(("time", "seconds", "too_soon"), [(2_999, 2, True), (3_000, 2, False), (1_001, 0, False)])
def test_messages_of_one_member_are_so_far_apart_by_the_times_of_their_heads(
    rule: SlowRule, time: int, seconds: int, too_soon: bool
) -> None:
    assert rule.is_too_soon(ANN, TERM, time, seconds) == too_soon
    assert not rule.is_too_soon(BOB, TERM, time, seconds)


def test_two_under_one_head_are_not_apart(rule: SlowRule) -> None:
    rule.note_text(BOB, TERM)
    assert rule.is_too_soon(BOB, TERM, 100_000, 1)


def test_nothing_is_known_of_terms_before(rule: SlowRule) -> None:
    """Who hosts now need not have seen them."""
    assert not rule.is_too_soon(ANN, LATER, 1_001, 60)
    rule.note_text(BOB, LATER)
    rule.seal_batch(2_000)
    assert not rule.is_too_soon(ANN, LATER, 2_001, 60)
    assert rule.is_too_soon(BOB, LATER, 2_001, 60)


def test_what_is_too_long_ago_to_matter_is_forgotten_once_there_is_much(
    rule: SlowRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MEMBERS", 0)
    rule.seal_batch(999 + limits.SLOW * 1_000)
    assert rule.is_too_soon(ANN, TERM, 999 + limits.SLOW * 1_000, limits.SLOW)
    rule.seal_batch(1_000 + limits.SLOW * 1_000)
    assert not rule.is_too_soon(ANN, TERM, 1_000, 1)
