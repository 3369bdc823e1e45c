"""What of ours has its place: kept to be sent again, should the place be cut (PROTOCOL.md, 8.19)."""

import heapq
from dataclasses import dataclass

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT, Header
from anonp2p.protocol import bodies
from anonp2p.room.pending import Pending, Whisper
from anonp2p.room.rights import MODERATING


@dataclass(slots=True, repr=False)
class _Sent:
    """An entry of ours. index: of its place; end: when it has expired."""

    pending: Pending
    index: int
    ttl: int
    end: float

    def again(self, now: float, least: int) -> Pending:
        """As it is sent again."""
        body, ttl = self.pending.body, self.ttl
        if isinstance(body, bodies.TextBody):
            body = bodies.TextBody(body.text, body.action, body.reply, late=True, file=body.file)
        elif isinstance(body, Whisper):
            body = Whisper(body.to, body.nick, body.text, body.reply, late=True, file=body.file)
        if ttl not in (FLEETING, KEPT):
            ttl = max(1, least, min(ttl, round(self.end - now)))
        resealed = self.pending.may_be_elsewhere
        return Pending(body, self.pending.line, self.pending.re, ttl, is_again=True, resealed=resealed)


class SentEntries:
    """Our messages, nicks, Retracts and what we did as a moderator that are in the log, by their counters.

    Nothing that has expired or was retracted is here; a message that is never kept is, for as long as it takes to lose
    a host and find another. All times are seconds of one clock, which the caller reads: `Now.age`.
    """

    def __init__(self) -> None:
        self._entries: dict[int, _Sent] = {}  # what we said as who we were before: by its counter there, below 0
        self._ends: list[tuple[float, int]] = []  # a heap: when which of them expires

    def note_entry(self, header: Header, index: int, pending: Pending, ordered_at: float) -> None:
        """An entry of ours has this place."""
        kept = bodies.TextBody | Whisper | bodies.NickBody | bodies.RetractBody | MODERATING
        if not isinstance(pending.body, kept):
            return
        end = float("inf")
        if header.ttl != KEPT:
            end = ordered_at + (limits.SENT_AGAIN if header.ttl == FLEETING else header.ttl)
            heapq.heappush(self._ends, (end, header.counter))
        self._entries[header.counter] = _Sent(pending, index, header.ttl, end)

    def find_entry(self, counter: int) -> Pending | None:
        """The entry with this counter, if it is kept."""
        sent = self._entries.get(counter)
        return None if sent is None else sent.pending

    def forget_entry(self, counter: int) -> None:
        """The entry with this counter has been retracted."""
        self._entries.pop(counter, None)

    def forget_before(self, index: int) -> None:
        """The log has dropped all before this index."""
        while self._entries:
            counter, first = next(iter(self._entries.items()))
            if first.index >= index:
                return
            del self._entries[counter]

    def begin_identity(self) -> None:
        """We are somebody else: messages of who we were are kept till we know whether the log has them.

        But for those that offer files: nobody serves these any more.
        """
        kept = {at: it for at, it in self._entries.items() if it.pending.is_message and it.pending.file is None}
        self._entries = {-counter: sent for counter, sent in kept.items() if counter > 0}
        self._ends = [(sent.end, counter) for counter, sent in self._entries.items() if sent.ttl != KEPT]
        heapq.heapify(self._ends)

    def take_former(self, index: float, now: float, least: int) -> list[Pending]:
        """What we have said as who we were; of it, what was cut after this index, as it is sent again.

        Parameters: see `take_after`.
        """
        former = {counter: sent for counter, sent in self._entries.items() if counter < 0}
        for counter in former:
            del self._entries[counter]
        said = (former[counter] for counter in sorted(former, reverse=True))
        return [sent.again(now, least) for sent in said if sent.index > index]

    def forget_all(self) -> None:
        """We are out."""
        self._entries.clear()
        self._ends.clear()

    @property
    def next_due(self) -> float | None:
        """When the next of them expires."""
        return self._ends[0][0] if self._ends else None

    def expire_entries(self, now: float) -> None:
        """Forgets what has expired."""
        while self._ends and self._ends[0][0] <= now:
            end, counter = heapq.heappop(self._ends)
            sent = self._entries.get(counter)
            if sent is not None and sent.end == end:  # else it was sent again since
                del self._entries[counter]

    def take_after(self, index: int, now: float, least: int) -> dict[int, Pending]:
        """What was cut after this index, by its counters, to be sent again with what is left of its ttl.

        least: the shortest ttl that the room allows.
        """
        cut = {counter: sent for counter, sent in sorted(self._entries.items()) if sent.index > index}
        for counter in cut:
            del self._entries[counter]
        return {counter: sent.again(now, least) for counter, sent in cut.items()}
