"""Sizes, rates and times in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.ui.sizes import describe_left, describe_rate, describe_size, describe_span, percent


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.0 kB"),
        (1_249, "1.2 kB"),
        (9_949, "9.9 kB"),
        (9_951, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_200_000, "1.2 MB"),
        (48_400_000, "48 MB"),
        (2 * 1024**3, "2.1 GB"),
        (5_000_000_000_000, "5000 GB"),
    ],
)
def test_a_size_has_two_or_three_digits(size: int, words: str) -> None:
    assert describe_size(size) == words


def test_a_rate_is_a_size_a_second() -> None:
    assert describe_rate(1_200_000) == "1.2 MB/s"


@pytest.mark.parametrize(
    ("left", "rate", "words"),
    [
        (100, 0, ""),
        (100, -1, ""),
        (0, 10, "0 s left"),
        (1, 10, "1 s left"),
        (590, 10, "59 s left"),
        (591, 10, "1 min left"),
        (1_700, 10, "3 min left"),
        (35_400, 10, "59 min left"),
        (35_401, 10, "1 h 0 min left"),
        (75_000, 10, "2 h 5 min left"),
        (900_000, 10, "1 d 1 h left"),
    ],
)
def test_the_time_left_is_rounded_up(left: int, rate: int, words: str) -> None:
    assert describe_left(left, rate) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (694_800, "8 d 1 h"),
    ],
)
def test_a_time_has_its_two_largest_units(seconds: int, words: str) -> None:
    assert describe_span(seconds) == words


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_only_what_is_whole_is_all_of_it(done: int, size: int) -> None:
    assert 0 <= percent(done, size) <= 100
    assert (percent(done, size) == 100) == (done >= size)
