"""When cover traffic is due."""

import math
import statistics

import pytest

from anonp2p import limits
from anonp2p.room.cover import draw_wait
from tests.room.peers import randomness

COUNT = 2_000


@pytest.mark.parametrize("links", [1, 3])
def test_cover_comes_at_random_times_without_memory(links: int) -> None:
    """2.9: an exponential distribution, with this mean for each link; halves of a normal one would be elsewhere."""
    random, mean = randomness(b"cover"), limits.COVER_INTERVAL / links
    waits = [draw_wait(random, links) for _ in range(COUNT)]
    assert statistics.fmean(waits) == pytest.approx(mean, rel=3 / math.sqrt(COUNT))
    for longer in (0.1, 0.5, 1.0, 2.0, 3.0):
        share = sum(wait > longer * mean for wait in waits) / COUNT
        expected = math.exp(-longer)
        assert share == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / COUNT))
