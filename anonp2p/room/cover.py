"""When cover traffic is due. A host sends it in `host.presence`, a member in `member.uplink`."""

import math
from collections.abc import Callable

from anonp2p import limits


def draw_wait(random: Callable[[int], bytes], links: int = 1) -> float:
    """Seconds until one of so many links carries cover again: as if each drew its own times."""
    dice = (int.from_bytes(random(8), "big") + 1) / 2**64
    return -math.log(dice) * limits.COVER_INTERVAL / links
