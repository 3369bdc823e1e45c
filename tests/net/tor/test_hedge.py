"""When a second try begins beside a dial, by what dials have taken, and how many there may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.net.tor.hedge import Hedge

SECONDS = st.floats(0.01, 120.0)


def hedge_after(*seconds: float) -> Hedge:
    """One that has seen dials take so long."""
    hedge = Hedge()
    for each in seconds:
        hedge.note_answer(each)
    return hedge


def test_the_first_dial_waits_for_as_long_as_is_usual_with_distances() -> None:
    assert Hedge().patience == limits.HEDGE_FIRST


@pytest.mark.parametrize(
    ("seconds", "most"),
    [
        ((2.0,), 2.0),
        ((2.0, 2.1, 2.2, 2.3), 2.3),
        ((2.0, 2.1, 2.2, 2.3, 9.0), 2.3),
        ((0.2,) * 10, limits.HEDGE_LEAST / limits.HEDGE_MARGIN),
        (tuple(range(2, 2 + limits.HEDGE_DIALS)), 1 + limits.HEDGE_SHARE * limits.HEDGE_DIALS),
        ((60.0,) * limits.HEDGE_DIALS + (2.0,) * limits.HEDGE_DIALS, 2.0),
    ],
)
def test_a_second_try_waits_a_part_longer_than_most_dials_have_taken(seconds: tuple[float, ...], most: float) -> None:
    assert hedge_after(*seconds).patience == limits.HEDGE_MARGIN * most


@given(st.lists(SECONDS, min_size=1, max_size=2 * limits.HEDGE_DIALS))
def test_of_dials_as_those_of_late_one_in_five_has_a_second_try_at_most(seconds: list[float]) -> None:
    patience = hedge_after(*seconds).patience
    late = seconds[-limits.HEDGE_DIALS :]
    assert sum(each > patience for each in late) <= (1 - limits.HEDGE_SHARE) * len(late) + 1e-9
    if patience > limits.HEDGE_LEAST:
        assert (
            sum(limits.HEDGE_MARGIN * each >= patience for each in late) > (1 - limits.HEDGE_SHARE) * len(late) - 1e-9
        )


@given(st.lists(st.booleans(), max_size=500))
def test_second_tries_are_three_to_ten_dials_at_most(hangs: list[bool]) -> None:
    hedge = Hedge()
    spent = 0
    for dials, hung in enumerate(hangs, 1):
        for _ in range(hedge.begin_dial() if hung else 0):
            hedge.spend()
            spent += 1
        assert spent <= limits.HEDGE_BUCKET + limits.HEDGE_RATE * dials


def test_dials_of_a_quiet_day_are_not_good_for_second_tries_later() -> None:
    hedge = Hedge()
    for _ in range(1_000):
        hedge.begin_dial()
    spent = 0
    for _ in range(10):
        for _ in range(hedge.begin_dial()):
            hedge.spend()
            spent += 1
    assert spent <= limits.HEDGE_BUCKET + 10 * limits.HEDGE_RATE


def test_where_nothing_hangs_for_a_while_the_next_ones_that_do_have_a_second_try() -> None:
    hedge = Hedge()
    for _ in range(100):
        for _ in range(hedge.begin_dial()):
            hedge.spend()
    for _ in range(10):
        hedge.begin_dial()
    assert hedge.begin_dial() == limits.HEDGE_TRIES


def test_a_dial_has_two_tries_beside_it_at_most_and_fewer_where_no_more_are_left() -> None:
    hedge = Hedge()
    left = []
    for _ in range(3):
        left.append(hedge.begin_dial())
        for _ in range(left[-1]):
            hedge.spend()
    assert left == [2, 1, 0]
