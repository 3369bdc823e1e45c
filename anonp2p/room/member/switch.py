"""A log that parted from ours, and is in a later term: what leads from there to a welcome is checked before it counts.

All of it is checked on a copy of the room as of where the logs part. Till then nothing of ours is changed, and whatever
is wrong is a fault of the link: we have no host that could be blamed.
"""

from typing import NamedTuple

from anonp2p import limits
from anonp2p.crypto.epoch import KEPT, Epoch
from anonp2p.errors import HostLied, PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.batches import RetractedEntry
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry, open_missed
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.member.head_check import Head, HeadCheck, Signer
from anonp2p.room.member.retracted import is_retracted
from anonp2p.room.replica import check_entry
from anonp2p.room.succession import terms


class CheckedBatch(NamedTuple):
    """Entries that a head covers."""

    entries: list[OpenedEntry]
    head: Head


class Switch:
    """Collects what follows where the logs part, up to the head of a welcome.

    That may begin sooner, where our log had not grown as far yet when we asked: what we have by now is passed over.

    now, epoch, head: the room as the welcome has it. due: when (`Now.tick`) it takes too long till the next batch.
    room_time: by our own estimate, in milliseconds; no entry has expired before that. Raises PeerFault where the logs
    have nothing in common, or ours ends elsewhere.
    """

    def __init__(self, context: Context, now: Ledger, epoch: Epoch, head: Head, since: int, room_time: int) -> None:
        self.now = now
        self.epoch = epoch
        self.head = head
        self.batches: list[CheckedBatch] = []
        self._context = context
        self._room_time = room_time
        self._heads = HeadCheck(context)  # of all hosts in between, none of which has to do with what ours has signed
        self._size = 0
        ours = context.replica.ledger
        fork = terms.find_fork(ours.openings, ours.index, now.openings, head.end)
        room_log = context.replica.room_log
        reached = room_log.ledger_at(since)
        if fork is None or reached is None or since > fork or not room_log.log.may_cut(fork):
            raise PeerFault("unrelated-log")
        self.fork = fork
        self._reached = reached
        self._time = room_log.log.time_at(since)  # of the latest head, whoever has signed it
        self._note_progress()

    def _note_progress(self) -> None:
        """Till then (`due`, a `Now.tick`) the next batch has to come: anybody may say that there is one."""
        self.due = self._context.clock.tick + limits.HANDSHAKE_SECONDS

    @property
    def is_complete(self) -> bool:
        """Whether all is there. Raises PeerFault if it led elsewhere than the welcome says."""
        reached, now = self._reached, self.now
        if reached.index < self.head.end:
            return False
        expect(reached.digest == self.head.digest, "backfill-to-other-log")
        expect(reached.group_context == now.group_context, "backfill-to-other-room")
        expect(reached.openings == now.openings, "backfill-to-other-room")
        return True

    @property
    def has_removed_opener(self) -> bool:
        """Whether one of those who began a term since had been thrown out, by what we would lose of our log.

        Not if it was absent for so long that it lost its place: so it is with all who were on the other side of a long
        split.
        """
        began = {opening.host for opening in self.now.openings if opening.index > self.fork}
        return bool(began & self._context.replica.room_log.find_departed(self.fork).kicked)

    def take_missed(self, missed: frames.BackfillFrame) -> None:
        """Checks the next batch. Raises PeerFault."""
        try:
            self._take_missed(missed)
        except HostLied as lie:
            raise PeerFault(lie.fault) from None

    def _take_missed(self, missed: frames.BackfillFrame) -> None:
        ledger, entries = self._reached, open_missed(missed)
        self._size += sum(len(entry.body) for entry in entries)
        expect(self._size <= limits.LOG_BYTES, "too-long-backfill")
        expect(self.head.end - self.fork <= limits.LOG_ENTRIES, "too-long-backfill")
        head = self._heads.read_head(missed.head, Signer.of_batch(ledger, entries))
        expect(head.place <= self.head.place, "backfill-after-welcome")
        expect(self._time <= head.time <= self.head.time, "time-turned-back")
        self._expect_gone(missed, entries, head)
        self._heads.expect_log(head, ledger, entries)
        first = ledger.index + 1
        for entry in entries:
            self._take_entry(ledger, entry)
            if ledger.index == self.fork:
                expect(ledger.digest == self._context.replica.ledger.digest_at(self.fork), "unrelated-log")
        self._heads.accept_head(head)
        self._time = head.time
        self._note_progress()
        if missing := entries[max(0, self.fork + 1 - first) :]:
            self.batches.append(CheckedBatch(missing, head))

    def _expect_gone(self, missed: frames.BackfillFrame, entries: list[OpenedEntry], head: Head) -> None:
        """What is gone has expired by the word of the host, and by our own clock, or was retracted.

        The host may have begun another term since it has sent the welcome.
        """
        now = HeadCheck(self._context).read_now(missed.now, Signer.of_log(self.now))
        latest = min(now.time, self._room_time + round(limits.CLOCK_TOLERANCE * 1000))
        for entry, shown in zip(entries, missed.entries, strict=True):
            if isinstance(shown, RetractedEntry):
                expect(is_retracted(self._reached, shown, entries), "tombstone-too-soon")
            elif not entry.body:
                ttl = entry.header.ttl
                expect(ttl != KEPT and latest - head.time >= ttl * 1000, "tombstone-too-soon")

    def _take_entry(self, ledger: Ledger, entry: OpenedEntry) -> None:
        author, before = check_entry(ledger, entry), ledger.group_context
        if author.id == self._context.replica.me.id:
            # Signed by us, and perhaps sealed anew since, for the log that we leave: its counter is what tells it.
            counter, is_gone = entry.header.counter, entry.content is None
            expect(counter <= self._context.outbox.latest, "entry-never-sent")
            expect(not is_gone or self._context.may_be_message(counter), "entry-never-sent")
        ledger.take_entry(author, entry.header, entry.content, entry.digest)
        expect(ledger.group_context == (entry.context or before), "other-group-context")
