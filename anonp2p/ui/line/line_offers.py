"""Files on offer in one room: which of what happens to them people are told in lines, as far as these are no flood."""

from msgspec import UNSET

from anonp2p import limits
from anonp2p.room.file_events import OfferEvent, TransferEvent


class LineOffers:
    """`now`, as it is given each time: seconds, by a clock that only grows."""

    def __init__(self) -> None:
        self._own: dict[int, bool] = {}  # whether an offer is the user's own, by its number
        self._told: dict[tuple[int, str], float] = {}  # when who takes a file was told of last; "" is the user

    def note_offer(self, event: OfferEvent) -> None:
        """There is another offer."""
        self._own[event.offer] = event.mine

    @property
    def numbers(self) -> list[str]:
        """Of the offers that the user may name, the latest first."""
        return [str(number) for number in reversed(self._own)]

    def is_told(self, event: TransferEvent, now: float, *, progress: bool) -> bool:
        """Whether this is worth a line: how it begins and how it ends. progress: how far it is too, now and then.

        That an offer was withdrawn is told of its message, and that all are over of the room.
        """
        who = event.offer, "" if event.member is UNSET else event.member
        last = self._told.get(who)
        match event.state:
            case "connecting" | "running":
                is_due = last is None or (progress and not event.mine and now - last >= limits.TOLD_SELDOM)
                if is_due and not (event.mine and event.state == "connecting"):
                    self._told[who] = now
                    return True
                return False
            case "done" | "failed":
                self._told.pop(who, None)
                return True
        is_own = self._own.pop(event.offer, False)
        taken = [key for key in self._told if key[0] == event.offer]
        for key in taken:
            del self._told[key]
        is_untold = event.detail.code not in ("offer-withdrawn", "room-left")
        return bool(taken) or (is_own and is_untold) or event.detail.code == "offer-hidden"
