"""When the slots of cover come, when they are answered, and what goes in one."""

import math
import statistics
from collections.abc import Callable

import pytest

from anonp2p import limits
from anonp2p.crypto.suite import EncryptionKeyPair
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.room.cover import count_for_slot, draw_answer, draw_slot
from tests.room.peers import randomness

COUNT = 2_000
SHORT, LONG = frames.SubmitFrame(0, b"x" * 300), frames.SubmitFrame(0, b"x" * 1_000)
KEY = frames.KeyFrame(EncryptionKeyPair(b"k" * 32).public)
REQUEST = frames.KeyRequestFrame(bytes(32))


@pytest.mark.parametrize(
    ("draw", "least", "most"),
    [(draw_slot, limits.COVER_INTERVAL / 2, limits.COVER_INTERVAL * 3 / 2), (draw_answer, 0.0, limits.COVER_ANSWER)],
)
def test_each_time_within_the_bounds_is_as_likely(
    draw: Callable[[Callable[[int], bytes]], float], least: float, most: float
) -> None:
    """2.9, 2.10"""
    random = randomness(b"cover")
    waits = [draw(random) for _ in range(COUNT)]
    assert least <= min(waits)
    assert max(waits) < most
    assert statistics.fmean(waits) == pytest.approx((least + most) / 2, abs=(most - least) / math.sqrt(COUNT))
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        below = sum(wait < least + share * (most - least) for wait in waits) / COUNT
        assert below == pytest.approx(share, abs=3 * math.sqrt(share * (1 - share) / COUNT))


@pytest.mark.parametrize(
    ("waiting", "count"),
    [
        ([], 0),
        ([SHORT], 1),
        ([SHORT] * 2, 1),
        ([SHORT] * limits.COVER_BACKLOG, 1),
        ([SHORT] * (limits.COVER_BACKLOG + 1), limits.COVER_BACKLOG + 1),
        ([LONG, SHORT], 1),
        ([REQUEST, LONG], 1),
        ([REQUEST, SHORT, REQUEST], 2),
        ([REQUEST] * 5, 5),
        ([REQUEST] * 100, 12),
        ([KEY, SHORT], 1),
        ([REQUEST, KEY, SHORT], 1),
        ([KEY, *[SHORT] * (limits.COVER_BACKLOG + 1)], limits.COVER_BACKLOG + 2),
    ],
)
def test_a_slot_takes_one_entry_and_no_more_than_fits_unless_too_much_waits(
    waiting: list[frames.Frame], count: int
) -> None:
    """2.9"""
    assert count_for_slot(waiting) == count
    payload = Channel(b"s" * 32, b"h" * 32, up=True).seal_frames(waiting[:count], echo=True)
    too_long = LONG in waiting[:count] or KEY in waiting[:count] or count > limits.COVER_BACKLOG < waiting.count(SHORT)
    assert (len(payload) == limits.UNIT) is not too_long
