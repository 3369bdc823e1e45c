"""What was before a welcome: the history of a room, or what we missed of it."""

from anonp2p.crypto.epoch import Epoch
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.member.head_check import Head, HeadCheck
from anonp2p.room.member.proof import Proof
from anonp2p.room.replica import check_entry


class Backfill:
    """Follows the log up to where a welcome says that it stands.

    epoch, head, now: the room as the welcome has it. replayed: a copy on which history is shown, None where there is
    none, or where what we missed takes effect in our own ledger. former: the room as we had it before, if what we are
    shown of it is no continuation. proof: what comes before, and proves that it is one nevertheless. gap: how many
    entries there are between what we were shown and what follows.
    """

    def __init__(
        self,
        context: Context,
        heads: HeadCheck,
        epoch: Epoch,
        head: Head,
        now: Ledger,
        replayed: Ledger | None = None,
        former: Ledger | None = None,
        proof: Proof | None = None,
        gap: int = 0,
    ) -> None:
        self.head = head
        self.now = now
        self.replayed = replayed
        self.proof = proof
        self.gap = gap
        self._context = context
        self._epoch = epoch
        self._replica = context.replica
        self._heads = heads
        self._ledger_before = former

    @property
    def continues(self) -> bool:
        """Whether what we missed takes effect in the ledger that we have."""
        return self._ledger_before is None

    @property
    def is_proven(self) -> bool:
        """Whether what we are shown continues the log that we had: nothing is between, or it is proven."""
        return self.proof is not None or not self.gap

    @property
    def reached(self) -> Ledger:
        """The room as far as we have been told how it came to be."""
        return self.replayed or self._replica.ledger

    def is_complete(self) -> bool:
        """Whether we have all that was before. Raises HostLied if it led elsewhere than the welcome says."""
        reached = self.reached
        if reached.index < self.head.end:
            return False
        if reached.digest != self.head.digest:
            raise self._heads.blame("backfill-to-other-log", self.head)
        if reached.group_context != self.now.group_context:
            raise self._heads.blame("backfill-to-other-room", self.head)
        return True

    def enter_epoch(self) -> None:
        """All that was before is known: we go on in the epoch that the welcome let us into."""
        replica, epoch = self._replica, self._epoch
        if replica.epoch is not None and replica.epoch.number == epoch.number:
            own_id = replica.me.id
            epoch.ratchets[own_id] = replica.epoch.ratchets[own_id]  # of which more is used up than the host knows
        replica.epoch = epoch
        self._heads.accept_head(self.head)
        self._context.outbox.begin_epoch()

    def replay_entry(self, ledger: Ledger, entry: OpenedEntry, age: float, shown_up_to: int | None) -> None:
        """An entry of the history: nothing but shown, unless we had it when we were here before."""
        author = check_entry(ledger, entry)
        is_new = shown_up_to is None or ledger.index >= shown_up_to
        is_own = is_new and (author.id == self._replica.me.id or self._context.outbox.awaits_receipt(entry.header))
        expect(not is_own or self._context.outbox.has_sent(entry.header, entry.digest), "entry-never-sent")
        if entry.content is not None and ledger.is_foreign(entry.content):
            self._heads.doubt_entry(entry.header, entry.body, ledger)
        change = self._replica.follow_entry(author, entry, age, replay=ledger)
        if is_own:
            self._context.take_receipt(entry.header, self.now.place_of(ledger.index), age)
        elif is_new:
            self._context.reporter.tell_history_change(change)

    def expect_same_log(self, index: int, digest: bytes) -> None:
        """What we are shown again is what it was. Raises HostLied."""
        known = None if self._ledger_before is None else self._ledger_before.digest_at(index)
        if known not in (None, digest):
            raise self._heads.blame("other-log", self.head)
