"""What line mode keeps of messages, to show what replies refer to: who said it, and its first words."""

from collections import OrderedDict

from msgspec import UNSET

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.succession.terms import index_of
from anonp2p.ui import wording
from anonp2p.ui.wording import Quote


class Excerpts:
    """The latest limits.EXCERPTS messages of all rooms, by room and number, until they end."""

    def __init__(self) -> None:
        self._quotes: OrderedDict[tuple[str, int], Quote] = OrderedDict()

    def take_event(self, event: events.Event) -> None:
        """Remembers a message that may be kept, and forgets one that has ended."""
        match event:
            case events.MessageEvent(ttl=0):
                pass  # shown once, and never kept
            case events.MessageEvent(room=room, seq=seq, nick=nick, text=text):
                self._quotes[room, seq] = Quote(nick, wording.excerpt(text))
                if len(self._quotes) > limits.EXCERPTS:
                    self._quotes.popitem(last=False)
            case events.ExpiredEvent(room=room, seq=seq):
                self._quotes.pop((room, seq), None)
            case events.MovedEvent(room=room, was=was, seq=seq):
                if moved := self._quotes.pop((room, was), None):
                    self._quotes[room, seq] = moved
            case events.GoneEvent(room=room):
                for place in [place for place in self._quotes if place[0] == room]:
                    del self._quotes[place]

    def list_latest(self, room: str) -> list[dict[str, object]]:
        """The latest messages of a room as data, the latest last."""
        of_room = [(seq, quote) for (label, seq), quote in self._quotes.items() if label == room]
        return [{"seq": seq, "nick": quote.nick, "words": quote.words} for seq, quote in of_room[-limits.NUMBERED :]]

    def list_seqs(self, room: str) -> list[int]:
        """The latest messages of a room by their numbers, the latest first."""
        return [seq for label, seq in reversed(self._quotes) if label == room][: limits.NUMBERED]

    def find_seq(self, room: str, number: int) -> int:
        """The seq of the message that the user means by this number: the index of its place in the room's log.

        Where two have the same, the place of the one in the earlier term was cut. A whole seq means itself.
        """
        return max((seq for label, seq in self._quotes if label == room and index_of(seq) == number), default=number)

    def find_quote(self, event: events.Event) -> Quote | None:
        """What is left of the message that an event refers to, if there is any of it."""
        match event:
            case events.MessageEvent(room=room, reply=int(seq), reply_gone=gone) if gone is UNSET:
                return self._quotes.get((room, seq))
            case events.ExpiredEvent(room=room, seq=seq, retracted=True):
                return self._quotes.get((room, seq))
        return None
