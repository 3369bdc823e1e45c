"""A moderator that is removed as lost has been away for a while (PROTOCOL.md, 5c.10)."""

import pytest

from anonp2p import limits
from anonp2p.room.absence import AbsenceRule

ANN, BOB = b"a" * 16, b"b" * 16
LOST = round(limits.MODERATOR_LOST * 1000)
AT, AGE = 1_000, 50.0  # by the head that says that Ann is away, and by our clock when it came


@pytest.fixture
def rule() -> AbsenceRule:
    """Ann is away."""
    rule = AbsenceRule()
    rule.note_away(ANN)
    rule.seal_batch(AT, AGE)
    return rule


def is_too_soon(rule: AbsenceRule, time: int, member: bytes = ANN) -> bool:
    """By the word of the host alone."""
    return rule.is_too_soon(member, time, AGE + limits.MODERATOR_LOST)


def test_a_moderator_is_lost_after_a_while_by_the_times_of_heads(rule: AbsenceRule) -> None:
    assert is_too_soon(rule, AT + LOST - 1)
    assert not is_too_soon(rule, AT + LOST)
    assert not is_too_soon(rule, AT, BOB)


def test_a_host_whose_time_jumps_is_caught_by_our_own_clock(rule: AbsenceRule) -> None:
    least = limits.MODERATOR_LOST - limits.MODERATOR_LOST_HELD
    assert rule.is_too_soon(ANN, AT + LOST, AGE + least - 1)
    assert not rule.is_too_soon(ANN, AT + LOST, AGE + least)


def test_our_clock_counts_only_as_long_as_the_link_is_there(rule: AbsenceRule) -> None:
    rule.lose_link()
    assert not rule.is_too_soon(ANN, AT + LOST, AGE)
    assert rule.is_too_soon(ANN, AT + LOST - 1, AGE + limits.MODERATOR_LOST)


def test_nobody_is_away_and_lost_under_one_head(rule: AbsenceRule) -> None:
    rule.note_away(BOB)
    assert is_too_soon(rule, AT + LOST, BOB)


def test_who_was_back_has_to_be_away_anew(rule: AbsenceRule) -> None:
    rule.forget_member(ANN)
    assert not is_too_soon(rule, AT)
    rule.note_away(ANN)
    rule.seal_batch(AT + LOST, None)
    assert is_too_soon(rule, AT + LOST + LOST - 1)


def test_under_another_host_the_time_begins_anew_for_all_who_are_away_then(rule: AbsenceRule) -> None:
    rule.begin_term([BOB])
    rule.seal_batch(AT - 500, None)  # by another clock
    assert is_too_soon(rule, AT - 500 + LOST - 1, BOB)
    assert not is_too_soon(rule, AT - 500 + LOST, BOB)
    assert not is_too_soon(rule, AT, ANN)
