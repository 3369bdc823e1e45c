"""Which entry is the next one of the log, and the heads by which we sign for the order."""

from msgspec import UNSET

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, room_state
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.packing import pack
from anonp2p.room import cover, effects, events
from anonp2p.room.contents import head_content
from anonp2p.room.context import Context
from anonp2p.room.dice import draw_heartbeat
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.log.hashes import LogHashes
from anonp2p.room.log.history import History
from anonp2p.room.log.log import Log, LogEntry
from anonp2p.room.pending import Whisper
from anonp2p.room.retention import NO_HISTORY
from anonp2p.room.roster import Member


class Sequencer:
    """Orders entries that were checked. Entries are sent in batches: one head is signed for all entries of a batch."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._history: History | None = None
        self._created_at = 0.0  # the age of our clock when the room was created
        self._head_due = 0.0  # when the next head is due, though nothing is ordered
        self._generations: dict[bytes, int] = {}  # of authors in this epoch: the one after their last ordered entry's

    def begin(self, history: History | None) -> None:
        """The room was created just now. history: what newcomers are to be shown of it."""
        self._history = history
        self._created_at = self._clock.now.age
        self._put_off_head()

    def take_over(self, room_time: int) -> None:
        """We go on with a log that others have ordered. room_time: milliseconds since the room was created."""
        ledger, room_log = self._replica.ledger, self._replica.room_log
        self._created_at = self._clock.now.age - room_time / 1000
        if ledger.history != NO_HISTORY:
            self._history = History(room_log.trail.copy(), ledger.history)
            for index in room_log.list_texts():
                self._history.note_text(index)
        self._put_off_head()

    def begin_epoch(self) -> None:
        """Begins an epoch, in which all authors start with their first generations."""
        self._generations.clear()

    def room_time(self) -> int:
        """Milliseconds since the room was created."""
        return round((self._clock.now.age - self._created_at) * 1000)

    @property
    def log(self) -> Log:
        """What was ordered."""
        return self._replica.room_log.log

    @property
    def hashes(self) -> LogHashes:
        """What proves to members what they have missed of it."""
        return self._replica.room_log.hashes

    def next_deadline(self) -> float:
        """When (`Now.tick`) a head is due or entries expire."""
        expiry = self._replica.room_log.next_expiry
        if expiry is None:
            return self._head_due
        return min(self._head_due, self._clock.tick_at(self._created_at + expiry / 1000))

    # --- order

    def order_own(self, body: bodies.Body | Whisper, line: str | None = None, re: events.Re = UNSET) -> None:
        """An entry of our own gets the next place; parameters: see `Pending`.

        Raises PeerFault for a private message to one whose encryption key takes none.
        """
        self.order_pending(self._context.add_entry(body, line, re))

    def order_pending(self, counter: int) -> None:
        """The entry of our own with this counter gets the next place. Raises PeerFault as above."""
        try:
            sealed = self._outbox.seal_entry(counter, self._replica.sealer(self._context.random))
        except PeerFault:
            self._outbox.take_entry(counter)
            raise
        self.order(self._context.own_member, sealed.header, sealed.content, sealed.body, sealed.entry)

    def open_term(self, opening: bodies.OpeningBody) -> None:
        """An entry with which a term begins that is ours, in a batch of its own, for which we sign as its host."""
        self.end_batch()
        sealed = self._replica.sealer(self._context.random).sign_opening(opening)
        self.order(self._context.own_member, sealed.header, sealed.content, sealed.body, sealed.entry)
        self.end_batch()

    def order(self, author: Member, header: Header, content: bodies.Content, body: bytes, sealed: bytes) -> None:
        """This entry, which was checked, gets the next place. sealed: as its author sent it."""
        if not self.log.fits_in_batch(sealed):
            self.end_batch()
        opened, ledger = OpenedEntry(header, body, content=content), self._replica.ledger
        before = ledger.group_context
        change = self._replica.apply_entry(author, opened)
        opened.context = None if ledger.group_context == before else ledger.group_context
        self._replica.room_log.append_entry(opened, ledger, sealed)
        if self._history is not None and isinstance(content.body, bodies.TextBody):
            self._history.note_text(ledger.index)
        self._context.take_change(opened, change)
        self._generations[author.id] = header.generation + 1
        if isinstance(content.body, bodies.JoinedBody):
            self._replica.current_epoch.admit_member(identity.member_id(content.body.key))

    def count_skipped(self, header: Header) -> int:
        """How many keys of its author's ratchet all others have to skip if this entry is ordered next."""
        return header.generation - self._generations.get(header.author, 0)

    # --- heads

    def sign_head(self) -> bytes:
        """A signed head: the index and digest of the log, and the time of the room."""
        ledger = self._replica.ledger
        content = head_content(ledger.place, ledger.digest, self.room_time())
        return content + self._replica.me.sign(identity.HEAD, content)

    def end_batch(self) -> None:
        """Signs a head for what was ordered since the last one, if anything was; links may send it from now on."""
        if self.log.is_sealed:
            return
        head, time = self.sign_head(), self.room_time()
        self._replica.timing.seal_batch(time)
        wire = self._seal_batch(self.log.unsealed, head)
        dropped, has_ended = self._replica.room_log.seal_batch(head, time, wire)
        if self._history is not None:
            self._history.leave_batches(dropped)
        if has_ended:
            self._reporter.add_effect(effects.SweepEffect())
        self._reporter.add_effect(effects.WakeEffect())

    def send_due_head(self) -> None:
        """Sends a head alone to the links that have all before it, if one is due and none is to come with entries.

        With cover, a batch ends at these times as well.
        """
        if self._clock.tick < self._head_due:
            return
        if self.log.is_sealed:
            self._reporter.add_effect(effects.HeartbeatEffect(self._seal_batch([], self.sign_head())))
        elif self._context.cover:
            self.end_batch()

    def latest_entry(self) -> room_state.LatestEntry:
        """What a head covers last, for those who know nothing of the log. There is an entry."""
        ledger = self._replica.ledger
        before, latest = ledger.digest_at(ledger.index - 1), self.log.find_entry(ledger.index)
        assert before is not None, "the digests of the last entries are kept"
        return room_state.LatestEntry(before, latest.header, latest.digest)

    def _seal_batch(self, entries: list[tuple[LogEntry, bytes]], head: bytes) -> bytes:
        """A batch as it goes on the wire. Puts off the next head that is due though nothing is ordered."""
        digest = self._replica.ledger.digest
        self._put_off_head()
        self._replica.marks.note_head(self.room_time(), digest)
        sealed, contexts = [sealed for _, sealed in entries], [entry.context for entry, _ in entries]
        packed = pack(Batch(sealed, contexts, head))
        return self._replica.current_epoch.seal_batch(packed, self._context.random)

    def _put_off_head(self) -> None:
        """Draws when the next head is due, though nothing is ordered; with cover, the next slot."""
        draw = cover.draw_slot if self._context.cover else draw_heartbeat
        self._head_due = self._clock.tick + draw(self._context.random)

    # --- what is kept

    def expire_entries(self, passed: int) -> None:
        """Drops expired entries from the log. passed: up to this index, all links have sent the log."""
        if self._replica.room_log.expire_entries(self.room_time(), passed):
            self.log.head = self.sign_head()  # for members who are told that these entries have expired
            self._reporter.add_effect(effects.SweepEffect())

    def trim_history(self) -> tuple[int, room_state.RoomSnapshot | None]:
        """Where the log begins for newcomers: after which index, and the room as of there if they are shown history."""
        if self._history is None:
            return self._replica.ledger.index, None
        self._history.trim_to_policy(self.log)
        return self._history.index, self._history.take_snapshot()
