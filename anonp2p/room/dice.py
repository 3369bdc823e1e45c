"""Times that are drawn by lot."""

from collections.abc import Callable

from anonp2p import limits


def draw_between(random: Callable[[int], bytes], least: float, most: float) -> float:
    """A time between these two, each as likely. random: gives so many fresh bytes."""
    return least + (most - least) * int.from_bytes(random(8), "big") / 2**64


def draw_heartbeat(random: Callable[[int], bytes]) -> float:
    """Seconds after which a link that carries nothing carries a heartbeat: drawn anew each time."""
    return draw_between(random, limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER), limits.HEARTBEAT)
