"""How a member takes what its host orders, and what it missed of that."""

from collections.abc import Sequence

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import ENTRY, KEPT, OPENING, Header, read_header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.batches import Batch, RetractedEntry
from anonp2p.reasons import Reason
from anonp2p.room import changes, events
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry, note_contexts, open_missed
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.member.head_check import Head, HeadCheck, Signer
from anonp2p.room.member.joining import Joining
from anonp2p.room.member.key_book import KeyBook
from anonp2p.room.member.retracted import is_retracted
from anonp2p.room.member.states import LinkState
from anonp2p.room.member.switch import Switch
from anonp2p.room.replica import check_entry, verify_entries
from anonp2p.room.roster_changes import compare_ledgers
from anonp2p.room.succession.patience import Patience


class Follower:
    """Opens and checks entries that a head covers.

    First that they are those for which the host has signed: till then, whatever is wrong is a fault of the link, and
    leaves no trace. From then on it is a lie of the host's.
    """

    def __init__(
        self,
        context: Context,
        heads: HeadCheck,
        keys: KeyBook,
        joining: Joining,
        state: LinkState,
        patience: Patience,
    ) -> None:
        self._context = context
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._heads = heads
        self._keys = keys
        self._joining = joining
        self._state = state
        self._patience = patience
        self._lost = 0  # messages that expired before they came to us

    def take_batch(self, batch: Batch) -> None:
        """What the host signs for. Raises PeerFault, HostLied."""
        head = self._heads.read_head(batch.head, Signer.of_log(self._replica.ledger))
        if not batch.entries:
            self._heads.expect_no_older(head)
        with self._replica.current_epoch.undo_on_fault():
            entries = [OpenedEntry(*self._open_entry(sealed)) for sealed in batch.entries]
            note_contexts(entries, batch.contexts)
            self._expect_log(entries, head)
        self._take_in(entries, head, opened=False)

    def take_missed(self, missed: frames.BackfillFrame) -> None:
        """A batch that we have missed, as it was opened by others, or from which something is gone.

        Raises PeerFault, HostLied.
        """
        backfill = self._state.backfill
        ledger = backfill.reached if backfill else self._replica.ledger
        entries = open_missed(missed)
        signer = Signer.of_batch(ledger, entries)
        head = self._heads.read_head(missed.head, signer)
        now = self._heads.read_now(missed.now, Signer.of_log(backfill.now) if backfill else signer)
        if backfill is not None:
            expect(head.place <= backfill.head.place, "backfill-after-welcome")
        self._expect_log(entries, head)
        self._expect_gone(missed, entries, head, now.time, ledger)
        self._take_in(entries, head, opened=True)

    @staticmethod
    def _expect_gone(
        missed: frames.BackfillFrame, entries: Sequence[OpenedEntry], head: Head, now: int, ledger: Ledger
    ) -> None:
        """Raises PeerFault unless what is gone was retracted, or has expired by now, in milliseconds of the room."""
        for entry, shown in zip(entries, missed.entries, strict=True):
            if isinstance(shown, RetractedEntry):
                expect(is_retracted(ledger, shown, entries), "tombstone-too-soon")
            elif not entry.body:
                over = entry.header.ttl != KEPT and now - head.time >= entry.header.ttl * 1000
                expect(over, "tombstone-too-soon")

    @property
    def next_expiry(self) -> float | None:
        """When (`Now.tick`) an entry of our copy of the log may expire."""
        expiry = self._replica.room_log.next_expiry if self._replica.has_log else None
        return None if expiry is None else self._context.clock.tick_at(self._heads.age_at(expiry))

    def expire_entries(self) -> None:
        """Drops what has expired from our copy of the log, if we have one."""
        if self._replica.has_log:
            self._replica.room_log.expire_entries(self._heads.room_time())

    def take_switch(self, switch: Switch) -> None:
        """Goes over to a log that parted from ours, all of which was checked: to the user, what is new has happened."""
        replica = self._replica
        before = replica.ledger
        base = replica.room_log.ledger_at(switch.fork)
        assert base is not None, "the switch has begun there"
        merges = switch.fork < before.index
        count = self._context.cut_back(base)
        if count:
            self._reporter.tell_event(events.CutEvent(room=self._context.label, count=count))
        replica.final_openings = switch.now.openings
        self._context.move_shown(switch.fork)  # before more is shown: places grow in the order in which they are told
        now = max(self._heads.told_time, switch.head.time)
        done: list[changes.RightChange] = []
        for entries, head in switch.batches:
            done += self._take_over(entries, head, (now - head.time) / 1000, merges=merges)
            if self._lifecycle.over:
                return
        self._heads.take_over(switch.head, switch.head.time)
        replica.epoch, replica.final_openings = switch.epoch, None
        replica.forget_keys()
        self._outbox.begin_epoch()
        replica.marks.note_head(switch.head.time, switch.head.digest)
        if merges:
            for change in compare_ledgers(before, replica.ledger, replica.me.id, done):
                self._reporter.tell_change(change, UNSET)
            self._reporter.tell_cautions(replica.compare_rosters(before.roster, replica.ledger.roster))
            self._context.succession.tell_changes(merged=True)
        self._reporter.tell_given_back(self._outbox.settle(self._context.own_member.counter, proven=True))
        own_key = suite.hash_data(replica.own_keys[0].public)
        if not self._outbox.has_renewal() and self._context.own_member.key_hash != own_key:
            self._context.add_entry(bodies.RenewBody(own_key), None, UNSET)

    def _take_over(
        self, entries: Sequence[OpenedEntry], head: Head, age: float, *, merges: bool
    ) -> list[changes.RightChange]:
        """These take effect, which were checked; returns what they did to the rights."""
        done: list[changes.RightChange] = []
        for entry in entries:
            author = self._replica.ledger.get_member(entry.header.author)
            change = self._replica.follow_entry(author, entry, age)
            self._lost += not self._context.take_change(entry, change, age, merges=merges)
            if self._lifecycle.over:
                return done
            done += change.parts if isinstance(change, changes.RightsChange) else ()
            self._replica.room_log.append_entry(entry, self._replica.ledger)
        self._replica.room_log.seal_batch(head.text, head.time)
        self._replica.timing.seal_batch(head.time)
        return done

    def take_catch_up(self, missed: frames.BackfillFrame) -> None:
        """The same term goes on, as somebody else has it who lost our host too. Raises PeerFault, HostLied.

        But not while a host shows us what follows the place at which it has let us in.
        """
        if not self._state.has_no_link:
            return
        ledger = self._replica.ledger
        entries = open_missed(missed)
        expect(all(entry.header.kind != OPENING for entry in entries), "bad-opening")
        signer = Signer.of_log(ledger)
        head, now = (self._heads.read_head(text, signer) for text in (missed.head, missed.now))
        if head.end <= ledger.index:
            return  # we have it from somebody else meanwhile
        self._heads.expect_log(head, ledger, entries)
        ours = self._heads.room_time() + round(limits.CLOCK_TOLERANCE * 1000)  # no host signs later ones
        self._expect_gone(missed, entries, head, max(now.time, ours), ledger)
        self._take_in(entries, head, opened=True)

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
        body = self._outbox.own_body(header, sealed)
        self._patience.note_answer(self._context.clock.tick - self._outbox.sent_at(header.counter))
        return header, body

    def _expect_log(self, entries: Sequence[OpenedEntry], head: Head) -> None:
        """Raises PeerFault unless these are the entries for which the host has signed, in a batch of their own."""
        backfill = self._state.backfill
        ledger = backfill.reached if backfill else self._replica.ledger
        expect(all(entry.header.kind == ENTRY for entry in entries[:-1]), "entry-of-old-epoch")
        first, digests = ledger.index + 1, self._heads.expect_log(head, ledger, entries)
        if backfill is not None:
            for index, digest in enumerate(digests, first):
                backfill.expect_same_log(index, digest)

    def _take_in(self, entries: Sequence[OpenedEntry], head: Head, *, opened: bool) -> None:
        """Entries for which the host has signed take effect. Raises HostLied if they break the rules of the log.

        opened: whether they came opened, so that our keys for them are left.
        """
        backfill = self._state.backfill
        age = (self._heads.told_time - head.time) / 1000
        replayed = backfill.replayed if backfill else None
        verify_entries(replayed or self._replica.ledger, entries)
        try:
            for entry in entries:
                if backfill is not None and replayed is not None:
                    backfill.replay_entry(replayed, entry, age, self._joining.shown_up_to)
                else:
                    if backfill is None and self._replica.has_keys:
                        self._follow_keys(entry, opened=opened)
                    self._take_entry(entry, head.time)
                if self._lifecycle.over:
                    return
                self._replica.room_log.append_entry(entry, replayed or self._replica.ledger)
        except PeerFault as fault:
            raise self._heads.blame(fault.fault, head, entries) from None
        self._replica.room_log.seal_batch(head.text, head.time)
        self._replica.timing.seal_batch(head.time, self._heads.age_at(head.time) if self._state.has_caught_up else None)
        self.expire_entries()
        self._heads.accept_head(head)
        if replayed is None:
            self._replica.marks.note_head(head.time, head.digest)

    def _follow_keys(self, entry: OpenedEntry, *, opened: bool) -> None:
        """Each key of our epoch is gone after its entry, and one who joins has a ratchet from there on."""
        epoch = self._replica.current_epoch
        if opened and entry.header.author != self._replica.me.id:
            epoch.skip_key(entry.header)
        if entry.content is not None and isinstance(entry.content.body, bodies.JoinedBody):
            epoch.admit_member(identity.member_id(entry.content.body.key))

    def _take_entry(self, entry: OpenedEntry, time: int) -> None:
        """The log is one entry longer. time: of its head."""
        author, age = check_entry(self._replica.ledger, entry), (self._heads.told_time - time) / 1000
        self._replica.timing.expect_in_time(self._replica.ledger, author, entry, time, self._context.clock.now.age)
        if author.id == self._replica.me.id:
            self._reporter.tell_given_back(self._outbox.refuse_denied_before(entry.header.counter))
            self._outbox.expect_next(entry.header, entry.digest)
        if entry.content is not None and self._replica.ledger.is_foreign(entry.content):
            self._heads.doubt_entry(entry.header, entry.body, self._replica.ledger)
        change = self._replica.follow_entry(author, entry, age)
        if self._state.is_up and isinstance(change, changes.AwayChange) and change.mine:
            self._heads.tell_alarm(Reason("host-fault", "lost-on-its-link"))
        self._lost += not self._context.take_change(entry, change, age)
        if isinstance(change, changes.CommitChange) and self._state.takes_batches:
            self._state.begin_rekeying(renews=change.renew)
        elif isinstance(change, changes.JoinedChange | changes.KeyRenewedChange) and self._state.is_up:
            self._keys.request_missing()
