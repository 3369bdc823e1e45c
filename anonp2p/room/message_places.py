"""Where in a log the messages are: what an author may retract (PROTOCOL.md, 5.20)."""

from collections import OrderedDict


class MessagePlaces:
    """The indices of messages, by author and counter."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[bytes, int], int] = OrderedDict()

    def note_message(self, author: bytes, counter: int, index: int) -> None:
        """The entry with this index, the latest one, is a message, or was one."""
        self._places[author, counter] = index

    def find_message(self, author: bytes, counter: int) -> int | None:
        """The index of this author's message with this counter; None if there is none, as far as is known."""
        return self._places.get((author, counter))

    def forget_after(self, index: int) -> None:
        """Forgets what is after this index."""
        while self._places and next(reversed(self._places.values())) > index:
            self._places.popitem()

    def forget_before(self, index: int) -> None:
        """Forgets what is before this index."""
        while self._places and next(iter(self._places.values())) < index:
            self._places.popitem(last=False)
