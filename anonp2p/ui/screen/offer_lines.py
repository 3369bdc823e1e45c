"""The lines of a room's log that are files on offer, by the numbers of the offers; a flood of them takes one line."""

from collections.abc import Callable

from anonp2p import limits
from anonp2p.room.file_events import OfferEvent, TransferEvent
from anonp2p.ui.screen.log_lines import ChatMessage, LogLine
from anonp2p.ui.screen.program_lines import OffersLine
from anonp2p.ui.screen.scrollback import Scrollback


class OfferLines:
    """Of one log. An offer that is not shown, as there are too many, gets its line once it is taken.

    shows: whether a line is in sight.

    What is taken has a line even if the log was cleared meanwhile.
    """

    def __init__(self, log: Scrollback, shows: Callable[[LogLine], bool]) -> None:
        self._log = log
        self._shows = shows
        self._messages: dict[int, ChatMessage] = {}  # by the number of the offer, until it ends
        self._since = float("-inf")  # when the offers began that are counted now
        self._told = 0  # how many of them have lines

    def note_offer(self, offer: int, message: ChatMessage) -> None:
        """There is an offer, which is not shown."""
        self._messages[offer] = message

    def is_too_much(self, now: float) -> bool:
        """Whether another offer has no line of its own, as so many came within so many seconds."""
        if now - self._since >= limits.TOLD_SELDOM:
            self._since, self._told = now, 0
        self._told += 1
        if self._told > limits.OFFERS_TOLD:
            self._since = now  # until it is over
        return self._told > limits.OFFERS_TOLD

    def count_offer(self, now: float, event: OfferEvent) -> None:
        """Counts an offer in the line that stands for all of a flood."""
        latest = next(iter(self._log.lines_upward()), None)
        if not isinstance(latest, OffersLine):
            latest = OffersLine(now)
            self._log.add_line(latest)
        latest.add_offer(event.member)

    def take_event(self, event: TransferEvent, now: float) -> bool:
        """A file has come further, or its offer has ended. Returns whether that has to be told in a line of its own.

        So it has if the line of the offer, which says it too, is out of sight or gone.
        """
        message = self._messages.get(event.offer)
        if message is None or message.offer is None:
            return not event.mine and event.state in ("done", "failed")
        was_under_way = message.offer.is_under_way
        message.offer.take_event(event)
        is_there = message.seq is not None and self._log.find_message(message.seq) is message
        is_seen = is_there and self._shows(message)
        if event.state == "ended":
            del self._messages[event.offer]
            return was_under_way or (event.detail.code == "offer-hidden" and not is_seen)
        if not is_there:
            message.at = now
            self._log.add_line(message)
            return False
        begins = event.state == "connecting" and not was_under_way
        return not event.mine and not is_seen and (begins or event.state in ("done", "failed"))

    @property
    def numbers(self) -> list[int]:
        """Of the offers that the user may name, the latest first."""
        return list(reversed(self._messages))
