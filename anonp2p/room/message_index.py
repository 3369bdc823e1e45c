"""The messages that the user was shown: found by the numbers that the user sees, and by how the log names them."""

from collections import OrderedDict

import msgspec

from anonp2p import limits
from anonp2p.protocol.bodies import EntryId
from anonp2p.room.errors import MessageGone, NoMessageYet, NoSuchMessage
from anonp2p.room.succession.terms import index_of


class ShownMessage(msgspec.Struct, gc=False):
    """Where a message is, without what it says. peer: with whom it is shared if it is private; gone: whether it ended.

    mine: whether we wrote it, as who we are or were. said: a hash of what it says; empty once it has ended.

    The garbage collector ignores them, as there are many.
    """

    seq: int
    author: bytes
    counter: int
    peer: bytes | None = None
    mine: bool = False
    said: bytes = b""
    gone: bool = False

    def __repr__(self) -> str:
        return "<ShownMessage>"


class Answered(msgspec.Struct, frozen=True):
    """To what a reply refers. seq: None where it is nothing that was shown; gone: whether there is nothing to quote."""

    seq: int | None
    gone: bool


class MessageIndex:
    """The latest limits.REFERABLE messages."""

    def __init__(self) -> None:
        self._by_seq: OrderedDict[int, ShownMessage] = OrderedDict()
        self._seqs: dict[tuple[bytes, int], int] = {}
        self._cut: set[tuple[bytes, int]] = set()  # by author and counter

    def note_message(self, shown: ShownMessage) -> None:
        """A message is shown; the oldest one is forgotten where there are too many."""
        self._by_seq[shown.seq] = shown
        self._seqs[shown.author, shown.counter] = shown.seq
        if len(self._by_seq) > limits.REFERABLE:
            _, oldest = self._by_seq.popitem(last=False)
            self._seqs.pop((oldest.author, oldest.counter), None)
            self._cut.discard((oldest.author, oldest.counter))

    def note_cut(self, message: EntryId) -> None:
        """A message has lost its place. If it was shown, it stays shown, until it has another one."""
        if self.find_named(message) is not None:
            self._cut.add((message.author, message.counter))

    def note_all_cut(self) -> None:
        """What was shown is of a log that is not ours any more: no place here is one of its messages'."""
        self._cut.update(self._seqs)

    def take_cut(self, message: EntryId) -> ShownMessage | None:
        """The message that has lost its place, if it was shown; it is not known under its old number any more."""
        key = message.author, message.counter
        if key not in self._cut:
            return None
        self._cut.remove(key)
        seq = self._seqs.pop(key, None)
        return None if seq is None else self._by_seq.pop(seq)

    def list_since(self, index: int) -> list[int]:
        """The numbers of messages that have a place from this index on."""
        found: list[int] = []
        for shown in reversed(self._by_seq.values()):
            if index_of(shown.seq) < index:
                break
            if (shown.author, shown.counter) not in self._cut:
                found.append(shown.seq)
        return found[::-1]

    def move_message(self, was: int, seq: int) -> None:
        """A message has another number; of several, the earliest is to move first."""
        shown = self._by_seq.pop(was)
        shown.seq = seq
        self._by_seq[seq] = shown
        self._seqs[shown.author, shown.counter] = seq

    def end_message(self, seq: int) -> bool:
        """A message has come to its end. Returns False if we know that it had before."""
        shown = self._by_seq.get(seq)
        if shown is None:
            return True
        was_gone, shown.gone, shown.said = shown.gone, True, b""
        return not was_gone

    def find_named(self, message: EntryId) -> ShownMessage | None:
        """The message that the log calls so."""
        seq = self._seqs.get((message.author, message.counter))
        return None if seq is None else self._by_seq[seq]

    def find_answered(self, message: EntryId, peer: bytes | None) -> Answered:
        """What a reply refers to. peer: with whom the reply is shared if it is private (PROTOCOL.md, 5.20)."""
        shown = self.find_named(message)
        if shown is None or shown.peer not in (None, peer):
            return Answered(None, gone=True)
        return Answered(shown.seq, shown.gone)

    def find_typed(self, seq: int | None, *, by: bytes = b"", by_other_than: bytes = b"") -> ShownMessage:
        """The message with a number that the user typed; the latest one that is left if the user typed none.

        by, by_other_than: of whom the latest one is wanted. Raises AnonError where there is none.
        """
        if seq is None:
            for shown in reversed(self._by_seq.values()):
                if not shown.gone and shown.author != by_other_than and by in (b"", shown.author):
                    return shown
            raise NoMessageYet
        found = self._by_seq.get(seq)
        if found is None:
            raise NoSuchMessage(seq)
        if found.gone:
            raise MessageGone(index_of(seq))
        return found
