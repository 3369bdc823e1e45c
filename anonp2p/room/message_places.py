"""Which entries of a log are messages: what an author may retract (PROTOCOL.md, 5.20)."""

from collections import OrderedDict

from anonp2p import limits


class MessagePlaces:
    """The messages among the latest limits.LOG_ENTRIES entries: their indices, by author and counter."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[bytes, int], int] = OrderedDict()

    def note_message(self, author: bytes, counter: int, index: int) -> None:
        """The entry with this index, the latest one, is a message, or was one."""
        self._places[author, counter] = index

    def find_message(self, author: bytes, counter: int) -> int | None:
        """The index of this author's message with this counter; None if there is none, as far as is known."""
        return self._places.get((author, counter))

    def forget_oldest(self, index: int) -> tuple[bytes, int] | None:
        """Forgets the entry that is not among the latest any more; returns author and counter if it was a message.

        index: of the latest entry. To be called with each.
        """
        oldest = next(iter(self._places.items()), None)
        if oldest is None or oldest[1] > index - limits.LOG_ENTRIES:
            return None
        return self._places.popitem(last=False)[0]
