"""What a room and its role share."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import UNSET

from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import KEPT, OPENING, Header
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.credentials import sign_credentials
from anonp2p.room import changes, effects, events
from anonp2p.room.arrivals import Arrivals
from anonp2p.room.changes import Change
from anonp2p.room.clock import Clock
from anonp2p.room.dice import draw_between
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.errors import RetractUnsent, Unconfirmed
from anonp2p.room.files import Files
from anonp2p.room.health import Health
from anonp2p.room.inviting import Inviting
from anonp2p.room.knocker_list import KnockerList
from anonp2p.room.ledger import Ledger
from anonp2p.room.lifecycle import Lifecycle
from anonp2p.room.log.room_log import is_message
from anonp2p.room.message_index import MessageIndex
from anonp2p.room.narrator import Narrator
from anonp2p.room.offers import OfferBook
from anonp2p.room.outbox import GivenBack, Outbox
from anonp2p.room.pending import Pending, Whisper
from anonp2p.room.pool import Pool
from anonp2p.room.replica import Replica
from anonp2p.room.reporter import Reporter
from anonp2p.room.roster import Member
from anonp2p.room.sent_entries import SentEntries
from anonp2p.room.serving import Serving
from anonp2p.room.shown_messages import ShownMessages
from anonp2p.room.succession.meeting import Meeting
from anonp2p.room.succession_report import SuccessionReport


@dataclass(slots=True, repr=False)
class Context:
    """The parts of a room that stay when its role is replaced.

    label: how events name the room. random: gives so many fresh bytes. cover: whether cover traffic is sent.
    ttl: of our messages; None: as the room has it. is_alone: whether we had no other room when we asked for this one.
    may_host: whether we may be asked to take the room over. entrusts: whether we, as its host, give the key of its code
    to our first heir. dials: how many links we have dialled. arrivals: when who came. removals: whom we have ordered
    out, and for which input. knockers: who waits to be let in.
    """

    label: str
    random: Callable[[int], bytes]
    cover: bool
    is_alone: bool
    clock: Clock
    replica: Replica
    outbox: Outbox
    message_index: MessageIndex
    reporter: Reporter
    lifecycle: Lifecycle
    health: Health
    serving: Serving
    pool: Pool
    inviting: Inviting
    succession: SuccessionReport
    sent: SentEntries
    meeting: Meeting
    knockers: KnockerList
    files: Files
    may_host: bool
    entrusts: bool
    ttl: int | None = None
    dials: int = 0
    arrivals: Arrivals = field(default_factory=Arrivals)
    removals: dict[bytes, events.Re] = field(default_factory=dict)

    def plan_dial(
        self, address: bytes, seconds: float, *, returns: bool = False, pause: float = 0.0, fresh: bool = False
    ) -> effects.DialEffect:
        """The next dial. Its number is negative, since others number those that are dialled to us.

        Parameters: see `effects.DialEffect`.
        """
        self.dials += 1
        key = self.pool.keyring.choose(address, -self.dials, self.replica.me.return_key)
        return effects.DialEffect(-self.dials, address, seconds, returns, pause, fresh, key)

    @property
    def own_member(self) -> Member:
        """Our own entry in the roster."""
        return self.replica.ledger.get_member(self.replica.me.id)

    def credentials_for(self, service: bytes) -> frames.Credentials:
        """That this onion service of ours leads to us, and whether we host there."""
        key, ledger, me = self.serving.find_key(service), self.replica.ledger, self.replica.me
        assert key is not None, "we serve it"
        return sign_credentials(key, me.key, ledger.number if ledger.host == me.id else 0)

    @property
    def own_ttl(self) -> int:
        """Of our next message, as in its header."""
        return self.replica.ledger.retention.default if self.ttl is None else self.ttl

    def add_entry(self, body: bodies.Body | Whisper, line: str | None, re: events.Re) -> int:
        """Puts something of ours into the outbox; returns its counter. Parameters: see `Pending`."""
        ttl = self.own_ttl if isinstance(body, bodies.TextBody | Whisper) else KEPT
        counter = self.outbox.add_entry(body, line, re, ttl)
        if self.replica.holds_back(self.replica.me.id):
            self.outbox.note_held_back()
        return counter

    def take_change(self, entry: OpenedEntry, change: Change, age: float = 0.0, *, merges: bool = False) -> bool:
        """Tells of an entry that has taken effect; False if it was a message to us that had expired before it came.

        merges: whether it is of another log than ours was: who is there, and who hosts, is told at its end.
        """
        own = entry.header.author == self.replica.me.id
        pending = self.outbox.take_entry(entry.header.counter) if own else None
        self._note_sent(entry, change, pending, age)
        if pending is None and entry.content is None:
            return False
        if pending is not None and (entry.content is None or isinstance(entry.content.body, bodies.PrivateBody)):
            place = self.replica.shown_place(self.replica.ledger)
            change = self._own_message(entry.header, pending, place, age)  # we know what it says
        re = UNSET if pending is None else pending.re
        self._note_orders(entry, pending)
        if entry.content is not None and isinstance(entry.content.body, bodies.AdmitBody):
            self.knockers.note_decided(entry.content.body)
        if isinstance(change, changes.MessageChange):
            self.reporter.tell_change(change, re)  # all else is as it was
        else:
            self._take_parts(entry, change, re, age, merges=merges)
        self._retract_if_wanted(entry.header, pending)
        return True

    def _take_parts(self, entry: OpenedEntry, change: Change, re: events.Re, age: float, *, merges: bool) -> None:
        """What an entry that is no message has done to the room; parameters: see `take_change`."""
        for part in changes.parts_of(change):
            if isinstance(part, changes.SlowChange | changes.RoleChange):
                self.outbox.note_held_back()
            asked = self.removals.pop(part.member, re) if isinstance(part, changes.RemovedChange) else re
            self.arrivals.note_change(part, self.clock.now.age - age)
            if not (merges and isinstance(part, changes.OF_ROSTER)):
                self.reporter.tell_change(part, asked)
            if end := changes.end_of(part):
                self.lifecycle.leave_room(end)
        if not (self.lifecycle.over or merges):
            self.succession.tell_changes(re)
            if entry.header.kind == OPENING:
                self.move_shown(self.replica.ledger.index - 1)

    def _note_orders(self, entry: OpenedEntry, pending: Pending | None) -> None:
        """What of ours as a moderator's has its place: whom it orders out goes as caused by the same input."""
        if pending is None or entry.content is None:
            return
        match entry.content.body:
            case bodies.RemoveBody(members=members) if pending.re is not UNSET:
                self.removals.update(dict.fromkeys(members, pending.re))
            case body:
                self._answer_moderator(body, pending.re)

    def _answer_moderator(self, body: object, re: events.Re) -> None:
        """What we have asked as a moderator has its place, where no change that is told to all says so."""
        match body:
            case bodies.InviteBody() | bodies.RevokeBody():
                self.inviting.tell_placed(body, re)
            case bodies.AdmitBody():
                self.knockers.tell_placed(body, re)

    def _note_sent(self, entry: OpenedEntry, change: Change, pending: Pending | None, age: float) -> None:
        """Keeps what of ours has its place, but for what ends with this entry."""
        if isinstance(change, changes.RetractedChange) and change.member == self.replica.me.id:
            self.sent.forget_entry(change.counter)
        if pending is not None:
            self.sent.note_entry(entry.header, self.replica.ledger.index, pending, self.clock.now.age - age)
            self.sent.forget_before(self.replica.room_log.log.oldest)

    def move_shown(self, after: int) -> None:
        """Terms begin after this entry: tells what messages that were shown have other places for that."""
        since = min((it.since for it in self.replica.latest_openings if it.index > after), default=after + 1)
        self.reporter.tell_moved(since, self.replica.find_moved)

    def may_be_message(self, counter: int) -> bool:
        """Whether our entry with this counter is a message, as far as we know."""
        pending = self.outbox.find_entry(counter) or self.sent.find_entry(counter)
        return pending is None or pending.is_message

    def cut_back(self, ledger: Ledger) -> int:
        """Our log ends where this one does, as it parts there from the one that we go on with.

        What of ours is cut will be sent again; messages that were shown stay so. Returns how many were cut.
        """
        room_log, index = self.replica.room_log, ledger.index
        batches = room_log.cut_after(index)
        self.replica.ledger = ledger
        self.replica.timing.absence.forget_all()
        self.replica.marks.cut_after(room_log.log.time_at(index), ledger.digest)
        count = 0
        for entry in (entry for batch in batches for entry in batch.entries):
            header = Header.unpack(entry.header)
            self.message_index.note_cut(bodies.EntryId(header.author, header.counter))
            count += is_message(entry)
        least = ledger.retention.least
        self.outbox.restore_entries(self.sent.take_after(index, self.clock.now.age, least))
        return count

    def say_again(self, fork: int | None) -> None:
        """We have come anew. fork: where the log parts from ours of before; None if we do not know of any such place.

        What we have said after that is sent again, but for what this log may have as well: that is given back.
        """
        after = float("inf") if fork is None else fork
        for pending in self.sent.take_former(after, self.clock.now.age, self.replica.ledger.retention.least):
            if pending.resealed:
                self.reporter.tell_given_back([GivenBack(Unconfirmed(), pending.line, pending.re)])
            else:
                self.outbox.add_entry(pending.body, pending.line, UNSET, pending.ttl)
                if self.replica.holds_back(self.replica.me.id):
                    self.outbox.note_held_back()
                self.reporter.tell_given_back(self.outbox.refuse_excess())

    def take_receipt(self, header: Header, place: int, age: float) -> None:
        """Tells that an entry of ours has its place among those that we have missed. age: it is no older than that."""
        pending = self.outbox.take_receipt(header)
        match pending and pending.body:
            case Whisper() | bodies.TextBody():
                assert pending is not None, "it has a body"
                self.reporter.tell_change(self._own_message(header, pending, place, age), pending.re)
            case bodies.RetractBody(counter=counter):
                assert pending is not None, "it has a body"
                self.reporter.tell_change(changes.RetractedChange(header.author, counter), pending.re)
        if pending is not None:
            self._answer_moderator(pending.body, pending.re)
        self._retract_if_wanted(header, pending)

    def _retract_if_wanted(self, header: Header, pending: Pending | None) -> None:
        """A message of ours has its place, and the user has asked before to have it ended."""
        if pending is None or pending.retraction is None:
            return
        if header.author != self.replica.me.id:  # who we are not any more
            self.reporter.tell_error(RetractUnsent(), pending.retraction)
        else:
            self.add_entry(bodies.RetractBody(header.counter), None, pending.retraction)

    def _own_message(self, header: Header, pending: Pending, place: int, age: float) -> changes.MessageChange:
        """A message of ours that its entry does not show us: it is sealed to another, or has expired."""
        assert isinstance(pending.body, Whisper | bodies.TextBody), "nothing else is private or expires"
        whisper = pending.body if isinstance(pending.body, Whisper) else None
        return changes.MessageChange(
            member=header.author,
            counter=header.counter,
            nick=self.own_member.nick,
            text=pending.body.text,
            seq=place,
            ttl=header.ttl,
            age=age,
            action=isinstance(pending.body, bodies.TextBody) and pending.body.action,
            reply=pending.body.reply,
            peer=whisper.to if whisper else None,
            to=whisper.nick if whisper else None,
            mine=True,
            late=pending.body.late,
            file=pending.file,
        )


def create_context(
    *,
    label: str,
    key: bytes,
    random: Callable[[int], bytes],
    pool: Pool | None = None,
    cover: bool = False,
    is_alone: bool = True,
    may_host: bool = False,
    entrusts: bool = True,
    re: events.Re = UNSET,
) -> Context:
    """The parts of a room that we are not in yet. key: the public key of its onion service.

    pool: of a private room. re: the input that asked for the room. Other parameters: see `Context`.
    """
    pool = pool or Pool()
    clock, outbox, replica = Clock(), Outbox(), Replica(key, *fresh_keys(random, key))
    shown, index, offers = ShownMessages(), MessageIndex(), OfferBook()
    narrator = Narrator(label, index, offers)
    reporter = Reporter(label, clock, narrator, shown, index, replica.reused_nicks, offers)
    succession = SuccessionReport(label, replica, reporter)
    health = Health(clock, replica)
    lifecycle = Lifecycle(label, replica, outbox, reporter, succession, health, re, cover=cover)
    serving = Serving(reporter, random, pool)
    meeting = Meeting(lambda least, most: draw_between(random, least, most))
    inviting = Inviting(label, replica, pool, reporter)
    knockers = KnockerList(label, clock, replica, reporter)
    own = clock, replica, outbox, index, reporter, lifecycle, health, serving, pool, inviting, succession
    parts = *own, SentEntries(), meeting, knockers, Files(replica, narrator, reporter, offers, random)
    return Context(label, random, cover, is_alone, *parts, may_host, entrusts)


def fresh_keys(random: Callable[[int], bytes], room: bytes) -> tuple[identity.Identity, suite.EncryptionKeyPair]:
    """New keys, by which no member of this room knows us."""
    return identity.Identity(random(suite.SECRET), room), suite.EncryptionKeyPair(random(suite.SECRET))
