"""How a member takes what its host orders, and what it missed of that."""

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import Header, read_header
from anonp2p.protocol import frames
from anonp2p.room import changes, events
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import expect
from anonp2p.room.member.head_check import Head, HeadCheck
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.key_book import KeyBook
from anonp2p.room.member.states import LinkState, Rekeying
from anonp2p.room.replica import check_entry


class Follower:
    """Opens and checks entries that a head covers, all of them before any takes effect."""

    def __init__(self, context: Context, heads: HeadCheck, keys: KeyBook, joining: Joining, state: LinkState) -> None:
        self._context = context
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._heads = heads
        self._keys = keys
        self._joining = joining
        self._state = state
        self._lost = 0  # messages that expired before they came to us

    def take_batch(self, batch: frames.Batch) -> None:
        """What the host signs for, opened before anything of it takes effect."""
        head = self._heads.read_head(batch.head, self._replica.ledger)
        may_be_empty = head.place >= self._heads.claimed_index
        expect(bool(batch.entries) or may_be_empty, "head-too-soon")
        placed = []
        for sealed in batch.entries:
            placed.append(OpenedEntry(*self._open_entry(sealed)))
            self._admit_joined(placed[-1])
        self._take_in(placed, head)

    def take_missed(self, missed: frames.BackfillFrame) -> None:
        """A batch that we have missed, as it was opened by others, or from which something is gone."""
        backfill = self._state.backfill
        expect(bool(missed.entries), "empty-backfill")
        head = self._heads.read_head(missed.head, backfill.reached if backfill else self._replica.ledger)
        if backfill is not None:
            expect(head.time <= backfill.head.time, "backfill-after-welcome")
        placed = list(map(OpenedEntry.from_backfill, missed.entries))
        self._heads.note_claim(missed.index, missed.time)
        for entry in placed:
            gone = not entry.body
            expect(not gone or missed.time - head.time >= entry.header.ttl * 1000, "tombstone-too-soon")
            if backfill is None and entry.header.author != self._replica.me.id:
                self._replica.current_epoch.skip_key(entry.header)
            if backfill is None and not gone:
                self._admit_joined(entry)
        self._take_in(placed, head)

    def tell_of_lost(self) -> None:
        """Tells how many messages expired before they came to us."""
        if self._lost:
            self._reporter.tell_event(events.ExpiredUnseenEvent(room=self._context.label, count=self._lost))
            self._lost = 0

    def _open_entry(self, sealed: bytes) -> tuple[Header, bytes]:
        """An entry of another's, with the key for it; of our own we know what it says."""
        header = read_header(sealed)
        if header.author != self._replica.me.id:
            return self._replica.current_epoch.open_entry(sealed)
        return header, self._outbox.own_body(header, sealed)

    def _admit_joined(self, entry: OpenedEntry) -> None:
        """One who has joined in this epoch has a chain of keys from there on."""
        if entry.content is not None and isinstance(entry.content.body, frames.JoinedBody):
            self._replica.current_epoch.admit_member(identity.member_id(entry.content.body.key))

    def _take_in(self, placed: list[OpenedEntry], head: Head) -> None:
        """Entries that a head covers take effect, once it is known that they lead to it."""
        backfill = self._state.backfill
        ledger = backfill.reached if backfill else self._replica.ledger
        digest = ledger.digest
        for index, entry in enumerate(placed, ledger.index + 1):
            digest = identity.extend_log_hash(digest, index, entry.header.pack(), entry.digest)
            if backfill is not None:
                backfill.expect_same_log(index, digest)
        expect((head.place, head.digest) == (ledger.index + len(placed), digest), "head-of-other-log")
        age = (self._heads.told_time - head.time) / 1000
        replayed = backfill.replayed if backfill else None
        for entry in placed:
            if backfill is not None and replayed is not None:
                backfill.replay_entry(replayed, entry, age, self._joining.shown_up_to)
            else:
                self._take_entry(entry, age)
            if self._lifecycle.over:
                return
        self._heads.accept_head(head)
        if replayed is None:
            self._replica.marks.note_head(head.time, head.digest)

    def _take_entry(self, entry: OpenedEntry, age: float) -> None:
        """The log is one entry longer."""
        expect(not isinstance(self._state.current, Rekeying), "entry-of-old-epoch")
        author = check_entry(self._replica.ledger, entry)
        if author.id == self._replica.me.id:
            self._reporter.tell_given_back(self._outbox.refuse_denied_before(entry.header.counter))
            self._outbox.expect_next(entry.header, entry.digest)
        if entry.content is not None and self._replica.ledger.is_foreign(entry.content):
            self._heads.doubt_entry(entry.header, entry.body, self._replica.ledger)
        change = self._replica.apply_entry(author, entry, age)
        self._lost += not self._context.take_change(entry, change, age)
        if isinstance(change, changes.CommitChange) and self._state.backfill is None:
            self._state.begin_rekeying(renews=change.renew)
        elif isinstance(change, changes.JoinedChange | changes.KeyRenewedChange) and self._state.is_up:
            self._keys.request_missing()
