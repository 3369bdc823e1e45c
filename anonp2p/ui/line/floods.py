"""What strangers can cause as often as they like in a room, told in few lines: how many came and went, say, not who."""

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.file_events import OfferEvent
from anonp2p.room.moderation_events import WaitingEvent
from anonp2p.ui import file_wording, wording
from anonp2p.ui.sanitize import sanitize_line
from anonp2p.ui.wording import Move


class Floods:
    """Of one room. `now`, as it is given each time: seconds, by a clock that only grows."""

    def __init__(self) -> None:
        self._since = float("-inf")  # when the comings and goings began that are counted now
        self._told = 0  # how many of them were told one by one
        self._moves: dict[tuple[Move, str], list[str]] = {}  # held back: what was done, why, and by whom
        self._lookalikes: list[tuple[str, str, str]] = []
        self._aside = 0
        self._authors: set[str] = set()  # of what was put aside
        self._aside_told = float("-inf")
        self._offers = 0  # held back
        self._offerers: set[str] = set()
        self._offers_since = float("-inf")  # when the offers began that are counted now
        self._offers_told = 0
        self._waiting = WaitingEvent(room="", count=0, people=[])
        self._seen: set[tuple[str, str]] = set()  # nicks and tags of those who wait and of whom the user knows
        self._waiting_told = float("-inf")

    def hold_event(self, event: events.Event, now: float) -> bool:
        """Whether the event is to be told later, together with others, by `list_due`."""
        match event:
            case events.JoinedEvent(nick=nick):
                if self._is_too_much(now):
                    self._moves.setdefault(("joined", ""), []).append(nick)
                    return True
            case events.LeftEvent(nick=nick, reason=reason, why=why):
                if self._is_too_much(now):
                    self._moves.setdefault((reason, why or ""), []).append(nick)
                    return True
            case events.LookalikeEvent(nick=nick, was=was, of=of):
                if self._is_too_much(now):
                    self._lookalikes.append((nick, was, of))
                    return True
            case OfferEvent(mine=False, member=member):
                if self._are_many_offers(now):
                    self._offers += 1
                    self._offerers.add(member)
                    return True
            case WaitingEvent():
                self._waiting = event
                self._seen &= self._named
                return True
        return False

    @property
    def waiting(self) -> list[str]:
        """The nicks of those who knock, as far as they are known."""
        return [sanitize_line(one.nick) for one in self._waiting.people]

    @property
    def _named(self) -> set[tuple[str, str]]:
        return {(one.nick, one.tag) for one in self._waiting.people}

    def describe_waiting(self) -> str:
        """Who knocks, in a sentence; empty if nobody does."""
        return wording.describe_event(self._waiting)[0] if self._waiting.count else ""

    def put_aside(self, member: str) -> None:
        """A message of this member was put aside."""
        self._aside += 1
        self._authors.add(member)

    def list_due(self, now: float) -> list[str]:
        """What is to be told by now, in sentences."""
        due: list[str] = []
        if (self._moves or self._lookalikes) and now - self._since >= limits.TOLD_SELDOM:
            due += [
                wording.moved(nicks, move) + (f": {why}" if why else "") for (move, why), nicks in self._moves.items()
            ]
            if alikes := self._lookalikes:
                due.append(
                    wording.lookalikes(alikes[: limits.NAMED_AT_ONCE], max(0, len(alikes) - limits.NAMED_AT_ONCE))
                )
            self._moves, self._lookalikes = {}, []
            self._since, self._told = now, 0
        if self._aside and now - self._aside_told >= limits.TOLD_SELDOM:
            due.append(wording.put_aside(self._aside, len(self._authors)))
            self._aside, self._aside_told = 0, now
            self._authors.clear()
        if self._offers and now - self._offers_since >= limits.TOLD_SELDOM:
            due.append(file_wording.many_offers(self._offers, len(self._offerers)))
            self._offers, self._offers_told, self._offers_since = 0, 0, now
            self._offerers.clear()
        if self._named - self._seen and now - self._waiting_told >= limits.TOLD_SELDOM:
            due.append(self.describe_waiting())
            self._seen, self._waiting_told = self._named, now
        return due

    def _are_many_offers(self, now: float) -> bool:
        """The same of files that are offered."""
        if self._offers:
            return True
        if now - self._offers_since >= limits.TOLD_SELDOM:
            self._offers_since, self._offers_told = now, 0
        self._offers_told += 1
        return self._offers_told > limits.OFFERS_TOLD

    def _is_too_much(self, now: float) -> bool:
        """Whether more came and went within so many seconds than is told one by one."""
        if self._moves or self._lookalikes:
            return True
        if now - self._since >= limits.TOLD_SELDOM:
            self._since, self._told = now, 0
        self._told += 1
        return self._told > limits.MOVES_TOLD
