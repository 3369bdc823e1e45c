"""What of the texts typed in line mode must not be brought back any more, as it has ended."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.file_events import OfferEvent

if TYPE_CHECKING:
    from anonp2p.ui.line.input_line import InputLine  # for terminals alone: it takes urwid, which starts a program


class OwnTexts:
    """The user's own messages, by room and number, as long as they are kept."""

    def __init__(self, line: "InputLine") -> None:
        self._line = line
        self._texts: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._offers: set[tuple[str, int]] = set()  # the user's own, by room and number
        self._entered: set[str] = set()  # the rooms that we are in

    def take_event(self, event: events.Event) -> None:
        """Has the input line forget what has ended: of a room that is left everything, of one that is entered its code.

        What asked for a room that was not entered is kept, to be asked again.
        """
        match event:
            case events.MessageEvent(mine=True, ttl=0, text=text):
                self._line.forget_sent(text)
            case events.MessageEvent(mine=True, room=room, seq=seq, text=text):
                self._texts[room, seq] = text
                if len(self._texts) > limits.SENT_TEXTS:
                    self._texts.popitem(last=False)
            case OfferEvent(mine=True, room=room, seq=seq):
                self._offers.add((room, seq))
            case events.MovedEvent(room=room, was=was, seq=seq) if (room, was) in self._offers:
                self._offers.remove((room, was))
                self._offers.add((room, seq))
            case events.ExpiredEvent(room=room, seq=seq) if (room, seq) in self._offers:
                self._offers.remove((room, seq))
                self._line.forget_offers()
            case events.MovedEvent(room=room, was=was, seq=seq):
                if text := self._texts.pop((room, was), ""):
                    self._texts[room, seq] = text
            case events.ExpiredEvent(room=room, seq=seq):
                if text := self._texts.pop((room, seq), ""):
                    self._line.forget_sent(text)
            case events.EnteredEvent(room=room):
                self._entered.add(room)
                self._line.forget_joins()
            case events.GoneEvent(room=room) if room in self._entered:
                self._entered.remove(room)
                self._texts.clear()
                self._offers.clear()
                self._line.forget_all()
