"""Cover: when something leaves, and how much of what waits, so that nobody sees whether anything waits.

A member with cover sends in slots, and its host answers each (`member.uplink`, `host.answers`); a host with cover ends
its batches in slots (`host.sequencer`). PROTOCOL.md, 2.9 to 2.11.
"""

from collections.abc import Callable, Sequence

from anonp2p import limits
from anonp2p.protocol import frames, handshake


def draw_slot(random: Callable[[int], bytes]) -> float:
    """Seconds from one slot to the next: from half the mean to one and a half times as much, each as likely."""
    return limits.COVER_INTERVAL * (0.5 + _draw_fraction(random))


def draw_answer(random: Callable[[int], bytes]) -> float:
    """Seconds from a slot to its answer."""
    return limits.COVER_ANSWER * _draw_fraction(random)


def _draw_fraction(random: Callable[[int], bytes]) -> float:
    return int.from_bytes(random(8), "big") / 2**64


def count_for_slot(waiting: Sequence[frames.Frame]) -> int:
    """How many of the frames that wait go in the next slot.

    One entry, since the host answers with one batch; and no more than fits the smallest payload, but for a frame that
    is longer than that. All of them where cover cannot keep up.
    """
    if sum(isinstance(frame, frames.SubmitFrame) for frame in waiting) > limits.COVER_BACKLOG:
        return len(waiting)
    for count, frame in enumerate(waiting[: limits.FRAMES], 1):
        if count > 1 and not handshake.fits_unit(waiting[:count]):
            return count - 1
        if isinstance(frame, frames.SubmitFrame):
            return count
    return min(len(waiting), limits.FRAMES)
