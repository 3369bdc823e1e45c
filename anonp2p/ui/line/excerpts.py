"""What line mode keeps of messages, to show what replies refer to: who said it, and its first words."""

from collections import OrderedDict
from typing import NamedTuple

from msgspec import UNSET

from anonp2p import limits
from anonp2p.names.file_names import clean_name
from anonp2p.room import events
from anonp2p.room.file_events import OfferEvent
from anonp2p.room.succession.terms import index_of
from anonp2p.ui import wording


class Excerpt(NamedTuple):
    """Of a message: who said it, under which nick, and its first words, sanitized. is_offer: they name a file."""

    member: str
    nick: str
    words: str
    text: str  # all of it, if it is kept
    newcomer: bool = False  # whether its author was one then
    is_offer: bool = False

    def __repr__(self) -> str:
        return "<Excerpt>"


class Excerpts:
    """The latest limits.EXCERPTS messages of all rooms, by room and number, until they end.

    keeps_texts: whole ones too, to be copied.
    """

    def __init__(self, *, keeps_texts: bool = False) -> None:
        self._keeps_texts = keeps_texts
        self._kept: OrderedDict[tuple[str, int], Excerpt] = OrderedDict()

    def take_event(self, event: events.Event) -> None:
        """Remembers a message that may be kept, and forgets one that has ended."""
        match event:
            case events.MessageEvent(ttl=0) | OfferEvent(ttl=0):
                pass  # shown once, and never kept
            case events.MessageEvent(room=room, seq=seq, member=member, nick=nick, text=text, newcomer=newcomer):
                kept = text if self._keeps_texts else ""
                self._keep((room, seq), Excerpt(member, nick, wording.excerpt(text), kept, newcomer is True))
            case OfferEvent(room=room, seq=seq, member=member, nick=nick, name=name, newcomer=newcomer):
                shown = clean_name(name)
                kept = shown if self._keeps_texts else ""
                excerpt = Excerpt(member, nick, wording.excerpt(shown), kept, newcomer is True, is_offer=True)
                self._keep((room, seq), excerpt)
            case events.ExpiredEvent(room=room, seq=seq):
                self._kept.pop((room, seq), None)
            case events.MovedEvent(room=room, was=was, seq=seq):
                if moved := self._kept.pop((room, was), None):
                    self._kept[room, seq] = moved
            case events.GoneEvent(room=room):
                for place in [place for place in self._kept if place[0] == room]:
                    del self._kept[place]

    def _keep(self, place: tuple[str, int], excerpt: Excerpt) -> None:
        self._kept[place] = excerpt
        if len(self._kept) > limits.EXCERPTS:
            self._kept.popitem(last=False)

    def list_latest(self, room: str) -> list[dict[str, object]]:
        """The latest messages of a room as data, the latest last."""
        of_room = [(seq, kept) for (label, seq), kept in self._kept.items() if label == room]
        return [
            {"seq": seq, "member": it.member, "nick": it.nick, "words": it.words}
            for seq, it in of_room[-limits.NUMBERED :]
        ]

    def list_excerpts(self, room: str) -> list[Excerpt]:
        """Of all messages of a room, the latest first."""
        return [kept for (label, _), kept in reversed(self._kept.items()) if label == room]

    def list_seqs(self, room: str) -> list[int]:
        """The latest messages of a room by their numbers, the latest first."""
        return [seq for label, seq in reversed(self._kept) if label == room][: limits.NUMBERED]

    def find_seq(self, room: str, number: int) -> int:
        """The seq of the message that the user means by this number: the index of its place in the room's log.

        Where two have the same, the place of the one in the earlier term was cut. A whole seq means itself.
        """
        return max((seq for label, seq in self._kept if label == room and index_of(seq) == number), default=number)

    def find_numbered(self, room: str, number: int) -> Excerpt | None:
        """The message that the user means by this number, if it is kept."""
        return self._kept.get((room, self.find_seq(room, number)))

    def find_excerpt(self, event: events.Event) -> Excerpt | None:
        """What is left of the message that an event refers to, if there is any of it."""
        match event:
            case events.MessageEvent(room=room, reply=int(seq), reply_gone=gone) if gone is UNSET:
                return self._kept.get((room, seq))
            case events.ExpiredEvent(room=room, seq=seq, retracted=True):
                return self._kept.get((room, seq))
        return None
