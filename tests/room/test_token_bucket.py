"""Token buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.room.token_bucket import TokenBucket

times = st.lists(st.floats(0, 50), max_size=60).map(sorted)


def test_so_many_go_at_once_and_the_next_has_to_wait() -> None:
    bucket = TokenBucket(3, 0.5)
    assert [bucket.take_tokens(1_000.0) for _ in range(5)] == [0, 0, 0, 2, 4]


def test_what_costs_more_has_to_wait_longer() -> None:
    bucket = TokenBucket(2, 4)
    assert bucket.take_tokens(7.0, 2) == 0
    assert bucket.take_tokens(7.0, 2) == pytest.approx(0.5)
    assert bucket.take_tokens(7.5, 1) == pytest.approx(0.25)
    assert bucket.take_tokens(8.0, 1) == 0


def test_tokens_do_not_pile_up_beyond_the_batch() -> None:
    bucket = TokenBucket(2, 1)
    bucket.take_tokens(0.0, 2)
    assert [bucket.take_tokens(1e9) for _ in range(3)] == [0, 0, 1]


def test_who_asks_in_vain_whether_there_is_one_owes_nothing() -> None:
    bucket = TokenBucket(2, 0.5)
    assert [bucket.try_token(0.0) for _ in range(5)] == [True, True, False, False, False]
    assert [bucket.try_token(at) for at in (1.9, 2.0, 2.1)] == [False, True, False]


def test_no_more_than_a_batch_is_ever_owed() -> None:
    bucket = TokenBucket(2, 1)
    assert max(bucket.take_tokens(0.0) for _ in range(100)) == 2


@given(times, st.integers(1, 5), st.floats(0.1, 10))
def test_no_more_is_had_than_size_and_rate_allow(times: list[float], size: int, rate: float) -> None:
    bucket = TokenBucket(size, rate)
    had = sorted(time + wait for time in times if (wait := bucket.take_tokens(time)) < size / rate * 0.999)
    for at, first in enumerate(had):
        for number, last in enumerate(had[at:], 1):
            assert number <= size + (last - first) * rate + 1e-6
