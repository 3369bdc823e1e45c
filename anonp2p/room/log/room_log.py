"""Our own copy of a room's log, which every member keeps: whoever becomes its host gives others what they lack."""

from collections.abc import Iterator
from typing import NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import FLEETING, Header
from anonp2p.protocol import bodies
from anonp2p.room.contents import unpack_content
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger
from anonp2p.room.log.hashes import LogHashes
from anonp2p.room.log.log import Log, LogBatch, LogEntry, Retraction
from anonp2p.room.message_places import MessagePlaces


class Departed(NamedTuple):
    """Members who went out after some entry: thrown out, or by their own word."""

    kicked: set[bytes]
    left: set[bytes]


class RoomLog:
    """The entries that have their places, their hashes, and the room as it was before the oldest of them.

    trail: a ledger as of the entry before the first, which from then on follows what the log drops.
    """

    def __init__(self, trail: Ledger) -> None:
        self.log = Log(trail.index + 1)
        self.hashes = LogHashes(trail.index + 1, trail.digest)
        self._trail = trail
        self._waymarks: list[Ledger] = []  # the room as of some entries, so that few are to be replayed
        self._places = MessagePlaces()  # of messages that the log still has

    @property
    def trail(self) -> Ledger:
        """The room as of the entry before the oldest that is kept; to be copied, not changed."""
        return self._trail

    def append_entry(self, entry: OpenedEntry, ledger: Ledger, sealed: bytes = b"") -> None:
        """Adds the entry that this ledger has just applied.

        sealed: as its author sent it; empty for a member, whose log never has a message that is not to be kept.
        """
        header, content = entry.header, entry.content
        is_dropped = header.ttl == FLEETING and not sealed
        packed, body = header.pack(), b"" if is_dropped else entry.body
        kept = LogEntry(packed, entry.digest, body, header.ttl, entry.context, entry.retraction)
        self.log.append_entry(sealed, kept)
        self.hashes.append_entry(packed, entry.digest, ledger.digest, entry.context)
        if content is None or isinstance(content.body, bodies.TextBody | bodies.PrivateBody):
            self._places.note_message(header.author, header.counter, ledger.index)
        elif isinstance(content.body, bodies.RetractBody):
            retracted = self._places.find_message(header.author, content.body.counter)
            if retracted is not None:
                self.log.retract_entry(retracted, Retraction(ledger.epoch, packed, entry.body))

    def seal_batch(self, head: bytes, time: int, wire: bytes = b"") -> tuple[list[LogBatch], bool]:
        """Makes a batch of what was added since the last one. wire: as it is sent; empty for a member.

        Returns the batches that the log dropped for it, and whether anything in it has ended with it.
        """
        dropped = self.log.seal_batch(head, wire, time)
        for batch in dropped:
            for entry in batch.entries:
                replay_entry(self._trail, entry)
        if dropped:
            self._waymarks = [it for it in self._waymarks if it.index > self._trail.index]
        self._places.forget_before(self.log.oldest)
        return dropped, self.log.end_retracted()

    def cut_after(self, index: int) -> list[LogBatch]:
        """Takes out all batches after this entry, where `Log.may_cut` allows it; returns them."""
        self.hashes.cut_after(index)
        self._places.forget_after(index)
        self._waymarks = [it for it in self._waymarks if it.index <= index]
        return self.log.cut_after(index)

    def list_texts(self) -> list[int]:
        """The indices of the messages to all that are kept."""
        texts = []
        for batch in self.log.batches:
            for index, entry in enumerate(batch.entries, batch.first):
                if entry.body and isinstance(unpack_content(entry.body).body, bodies.TextBody):
                    texts.append(index)
        return texts

    @property
    def next_expiry(self) -> int | None:
        """When the next entry may expire, in the room's milliseconds."""
        return self.log.next_expiry

    def expire_entries(self, time: int, passed: int | None = None) -> bool:
        """Drops the entries whose time is over; returns whether there were any.

        time: the room's. passed: up to this index, all links have sent the log; None where there are no links.
        """
        return self.log.expire_entries(time, self.log.end if passed is None else passed)

    def has_joined_after(self, member: bytes, index: int) -> bool:
        """Whether one who is a member now has become one after this entry, as far as the log reaches back."""
        said = (unpack_content(body).body for _, body in self.list_changes(index, self.log.end - 1))
        return any(isinstance(it, bodies.JoinedBody) and identity.member_id(it.key) == member for it in said)

    def find_departed(self, index: int) -> Departed:
        """Who went out after this entry."""
        found = Departed(set(), set())
        for header, body in self.list_changes(index, self.log.end - 1):
            match unpack_content(body).body:
                case bodies.CommitBody(removed=removed):
                    found.kicked.update(it.member for it in removed if it.reason == "kicked")
                case bodies.LeaveBody() | bodies.HandOverBody(leaves=True):
                    found.left.add(Header.unpack(header).author)
        return found

    def list_changes(self, after: int, last: int) -> Iterator[tuple[bytes, bytes]]:
        """Header and body of the entries after this one, up to the last, that lead to another group context."""
        for at in range(max(after + 1, self.log.oldest), last + 1):
            entry = self.log.find_entry(at)
            if entry.context is not None and entry.body:
                yield entry.header, entry.body

    def ledger_at(self, index: int) -> Ledger | None:
        """The room as of this entry; None if that is before what is kept, or after it."""
        if not self._trail.index <= index < self.log.end:
            return None
        near = [it for it in self._waymarks if it.index <= index]
        ledger = max(near, key=lambda it: it.index, default=self._trail).copy()
        while ledger.index < index:
            replay_entry(ledger, self.log.find_entry(ledger.index + 1))
            if ledger.index % limits.WAYMARK == 0:
                self._waymarks.append(ledger.copy())
        return ledger


def is_message(entry: LogEntry) -> bool:
    """Whether an entry is a message, or was one that has ended."""
    return not entry.body or isinstance(unpack_content(entry.body).body, bodies.TextBody | bodies.PrivateBody)


def replay_entry(ledger: Ledger, entry: LogEntry) -> None:
    """Applies an entry that was checked when it got its place, and the group context that it leads to with it."""
    header = Header.unpack(entry.header)
    content = unpack_content(entry.body) if entry.body else None
    context = entry.context or ledger.group_context
    ledger.take_entry(ledger.get_member(header.author), header, content, entry.digest, context)
