"""Cover: when something leaves, and how much of what waits, so that nobody sees whether anything waits.

A member with cover sends in slots, and its host answers each (`member.uplink`, `host.answers`); a host with cover ends
its batches in slots (`host.sequencer`). PROTOCOL.md, 2.9 to 2.11.
"""

from collections.abc import Callable, Sequence

from anonp2p import limits
from anonp2p.protocol import frames, handshake
from anonp2p.room.dice import draw_between


def draw_slot(random: Callable[[int], bytes]) -> float:
    """Seconds from one slot to the next: from half the mean to one and a half times as much, each as likely."""
    return draw_between(random, 0.5 * limits.COVER_INTERVAL, 1.5 * limits.COVER_INTERVAL)


def draw_answer(random: Callable[[int], bytes]) -> float:
    """Seconds from a slot to its answer."""
    return draw_between(random, 0.0, limits.COVER_ANSWER)


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
