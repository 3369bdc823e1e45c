"""Files on offer, as a room tells of them."""

from typing import Any

from msgspec import UNSET

from anonp2p.room.file_events import OfferEvent, TransferEvent

SIZE = 1_200_000
AT = 1_000_000.0  # seconds since the epoch


def offered(offer: int = 3, nick: str = "ben", **more: Any) -> OfferEvent:
    """An offer; its seq is 100 above its number."""
    given: dict[str, Any] = {
        "member": f"key of {nick}",
        "name": "report.pdf",
        "size": SIZE,
        "seq": 100 + offer,
        "at": AT,
    } | more
    return OfferEvent(room="r1", offer=offer, nick=nick, **given)


def moved_on(state: Any, done: int = 0, rate: int = 0, *, offer: int = 3, by: str = "", **more: Any) -> TransferEvent:
    """How far it is. by: who takes it from us; empty: we take it."""
    whose: dict[str, Any] = {"member": f"key of {by}" if by else UNSET, "nick": by or UNSET, "mine": bool(by)}
    given: dict[str, Any] = {"name": "report.pdf", "size": SIZE} | whose | more
    return TransferEvent(room="r1", offer=offer, state=state, bytes=done, rate=rate, **given)
