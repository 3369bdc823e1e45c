"""Our part in a room that we host: who is linked, who is away, what gets its place, the heads that sign for it."""

import math
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.commit import Turn
from anonp2p.crypto.epoch import ENTRY, Epoch, Header, header_of
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import frames, welcome
from anonp2p.protocol.handshake import Channel, Door, Greeting
from anonp2p.room import cover, effects, events, inputs
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.host import admission
from anonp2p.room.host.allowance import Allowance
from anonp2p.room.ledger import Ledger, expect, head_content
from anonp2p.room.log.history import History
from anonp2p.room.log.log import Entry, Log, Reader
from anonp2p.room.pending import Whisper
from anonp2p.room.retention import NO_HISTORY
from anonp2p.room.roster import Member


@dataclass(slots=True, repr=False)
class Absence:
    """When a member without a link was last heard, and whether it was called away."""

    heard_at: float
    called: bool = False

    @property
    def due(self) -> float:
        """When something has to be done about it: it is called away, then its place is given up."""
        return self.heard_at + (limits.PLACE if self.called else limits.AWAY)


@dataclass(slots=True, repr=False)
class Linked:
    """A link of a member's."""

    member: bytes
    channel: Channel
    reader: Reader


class HostRole:
    """We order entries. nick: ours, empty for one made from our key; name, retention, history: of the room."""

    def __init__(
        self, context: Context, nick: str, name: str, retention: frames.Retention, history: frames.History
    ) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._lifecycle = context.lifecycle
        self._nick = nick
        self._name = name
        self._rules = retention, history
        self.log = Log()
        self._door = Door(self._replica.ledger.room, self._context.random)
        self._greetings: dict[int, Greeting] = {}  # of strangers, by link
        self._links: dict[int, Linked] = {}
        self._absences: dict[bytes, Absence] = {}  # of members without a link
        self._allowances: dict[bytes, Allowance] = {}  # of all members but ourselves
        self._doomed: set[bytes] = set()  # members whom the next commit removes
        self._kicked: set[bytes] = set()  # who was thrown out: one without a link learns it when it comes back
        self._history: History | None = None
        self._dummy_at: float | None = None  # when some link carries cover
        self._reachable = False
        self._generations: dict[bytes, int] = {}  # of authors in this epoch: the one after their last ordered entry's
        self._born = 0.0  # the age of our clock when the room was created
        self._head_at: float | None = None  # when the next head is due, though nothing happens
        self._committed_at = 0.0
        self._renewable = 0  # how many commits have let the members renew their leaves
        self._stale = False  # whether somebody who is out still has this epoch's keys
        self._turns: list[tuple[float, int]] = []  # when to forget the secret of which epoch's commit

    # --- what the room asks of its role

    @property
    def name(self) -> Literal["host"]:
        """Which role this is."""
        return "host"

    @property
    def settled(self) -> bool:
        """Whether others can reach us."""
        return self._reachable

    def handle_input(self, event: inputs.RoleInput) -> None:
        """Takes what comes from links or the clock."""
        match event:
            case inputs.Heard(link=link, payload=payload):
                self._take(link, payload)
            case inputs.EndBatch():
                if not self.log.is_sealed:
                    self._end_burst()
            case inputs.Tick():
                self._do_what_is_due()
            case inputs.Linked():
                self._linked(event)
            case inputs.Dropped():
                self._lose_link(event)
            case inputs.Start():
                self._open(self._name)
            case inputs.Published():
                self._published()
            case inputs.Dialling():
                pass  # what only a member does

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) something has to be done, though nothing happens."""
        return min(self._due(), default=None)

    def author_entry(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> None:
        """An entry of our own gets the next place."""
        self._place(body, line, re)

    def moderate(self, event: inputs.Kick | inputs.Lock) -> None:
        """Throws somebody out, or keeps newcomers out."""
        if isinstance(event, inputs.Kick):
            self._kick(event)
        else:
            self._lock(event)

    def leave(self, event: inputs.Leave) -> None:
        """Closes the room: it ends when its host leaves."""
        self._lifecycle.begin_leaving(event.re)
        self._place(frames.Close(), None, event.re)

    def can_seal_to(self, member: Member) -> bool:
        """Whether the member's key is one that can be sealed to."""
        return member.leaf in self._replica.keys

    def refuses_nick(self, nick: str) -> bool:
        """Whether others have it, or it is reserved."""
        return admission.is_refused(self._replica.ledger, nick, self._replica.me.id)

    def room_time(self) -> int:
        """Milliseconds since the room was created."""
        return round((self._clock.now.age - self._born) * 1000)

    def close(self) -> None:
        """Signs the last head."""
        if not self.log.is_sealed:
            self._end_burst()

    # --- the beginning

    def _open(self, name: str) -> None:
        """The room begins, with us alone in it."""
        nick = self._nick or self._replica.ledger.roster.nick_for(self._replica.me.key)
        assert nick is not None, "no nick is taken in an empty room"
        leaf = suite.digest(self._replica.own_keys[0].public)
        self._replica.epoch = Epoch.first(
            self._context.random(suite.SECRET), self._replica.ledger.digest, self._replica.me.id
        )
        self._found(self._replica.ledger, name, nick, leaf)
        if self._replica.ledger.history != NO_HISTORY:
            behind = Ledger(self._replica.ledger.room)
            self._found(behind, name, nick, leaf)
            self._history = History(behind, behind.history)
        self._replica.keys[leaf] = self._replica.own_keys[0].public
        self._born = self._clock.now.age
        self._committed_at = self._clock.tick
        self._head_at = self._clock.tick + limits.BEAT
        self._lifecycle.enter("host")

    def _found(self, ledger: Ledger, name: str, nick: str, leaf: bytes) -> None:
        ledger.name = name
        ledger.retention, ledger.history = self._rules
        ledger.host = ledger.seat(self._replica.me.key, nick, leaf).id

    def _published(self) -> None:
        self._reachable = True
        self._reporter.tell(events.Reachable(room=self._context.label, re=self._lifecycle.asked_by))

    # --- what is due though nothing happens

    def _due(self) -> list[float]:
        """When something has to be done, though nothing happens."""
        due = [absence.due for absence in self._absences.values()] + [until for until, _ in self._turns]
        if self._head_at is not None:
            due += [self._head_at, self._commit_at, *([] if self._dummy_at is None else [self._dummy_at])]
            if (expiry := self.log.next_expiry) is not None:
                due.append(self._clock.tick_at(self._born + expiry / 1000))
        return due

    @property
    def _commit_at(self) -> float:
        """When the next epoch has to begin: soon, if somebody who is out has the keys of this one."""
        return self._committed_at + (limits.COMMIT_PAUSE if self._stale or self._doomed else limits.EPOCH)

    def _do_what_is_due(self) -> None:
        now = self._clock.tick
        late = [(member, absence) for member, absence in self._absences.items() if absence.due <= now]
        for member, absence in late[: limits.MAILBOX]:  # the rest once others have had their turn
            if absence.called:
                del self._absences[member]
                self._doomed.add(member)
            else:
                absence.called = True
                self._place(frames.Lost(member))
        while self._turns and self._turns[0][0] <= now:
            self.log.forget_turn(self._turns.pop(0)[1])
        if self._head_at is not None and now >= self._commit_at:
            self._commit([])
        if self._head_at is not None and now >= self._head_at and self.log.is_sealed:  # else a head comes anyway
            self._pulse()
        self._door.close(now)
        if self._head_at is not None:
            self._let_expire()
            self._say_nothing()

    def _let_expire(self) -> None:
        """What has come to its end goes out of the log, and off the links."""
        passed = min((linked.reader.passed for linked in self._links.values()), default=self.log.end)
        if self.log.expire(self.room_time(), passed):
            self._reporter.add_effect(effects.Sweep())

    # --- order

    def _place(self, body: frames.Body | Whisper, line: str | None = None, re: events.Re = UNSET) -> None:
        """An entry of our own gets the next place. Raises PeerFault where one for whom it is cannot be sealed to."""
        counter = self._context.add_entry(body, line, re)
        try:
            sealed = self._outbox.seal_entry(counter, self._replica.sealer())
        except PeerFault:
            self._outbox.take_entry(counter)
            raise
        self._order(self._context.own_member, sealed.header, sealed.content, sealed.body, sealed.entry)

    def _heard_member(self, link: int, linked: Linked, payload: bytes) -> None:
        record = linked.channel.open(payload)
        if record.echo:
            self._reporter.add_effect(effects.Record(link))
        entries = answers = 0
        for frame in record.frames:
            if link in self._links:  # who has left says nothing more
                answers += self._heard_frame(link, linked, frame)
                entries += not isinstance(frame, frames.Seek)  # a leaf takes the host as long as an entry
        if link in self._links:
            units = math.ceil(len(payload) / limits.UNIT)
            self._pause(link, linked.member, units=units, entries=entries, answers=answers)

    def _heard_frame(self, link: int, linked: Linked, frame: frames.Frame) -> int:
        """Takes one frame of a member's; returns how many bytes it has asked for."""
        match frame:
            case frames.Leaf(leaf=leaf):
                suite.seal_to(leaf, b"", b"")
                linked.reader.leaf = leaf
            case frames.Seek(leaf=sought):
                leaf = self._replica.keys.get(sought, b"")
                found = frames.Found(leaf) if leaf else frames.Missing(sought)
                self._reporter.add_effect(effects.Record(link, (found,)))
                return len(leaf or sought)
            case frames.Submit(epoch=epoch, entry=entry) if epoch == self._replica.current_epoch.number:
                self._submitted(link, linked, entry)
            case frames.Submit(epoch=epoch):
                expect(
                    epoch < self._replica.current_epoch.number, "an entry of an epoch to come"
                )  # else its author seals it anew
        return 0

    def _submitted(self, link: int, linked: Linked, entry: bytes) -> None:
        """A member's entry gets its place, or a denial that only its author sees."""
        header = header_of(entry)
        expect(header.kind == ENTRY and header.author == linked.member, "an entry of somebody else")
        author = self._replica.ledger.member(linked.member)
        if header.counter <= author.counter:
            self._deny(link, header, "repeated")
            return
        left_out = header.generation - self._generations.get(author.id, 0)  # to all others, what was denied counts
        expect(left_out <= limits.SKIPPED, "a generation out of its order")
        _, body = self._replica.current_epoch.open_entry(entry)
        _, content = self._replica.ledger.open(header, body)
        if denial := self._denial(author, content):
            author.counter = header.counter
            self._deny(link, header, denial)
            return
        self._replica.ledger.check(author, header, content)
        expect(not self._replica.ledger.is_foreign(content), "a reference to another log")
        if isinstance(content.body, frames.Renew):
            expect(self._allowances[author.id].renews(self._renewable), "a renewal too many")
        self._order(author, header, content, body, entry)
        if isinstance(content.body, frames.Renew):
            self._keep_leaf(content.body.leaf, linked.reader.leaf)
        if isinstance(content.body, frames.Leave):
            self._stale = True
            self._end_burst()  # with the receipt: nothing after it is for its author
            self._dismiss(author.id)

    def _keep_leaf(self, named: bytes, leaf: bytes) -> None:
        """A leaf that is in the log is kept for those who want to seal to it; those that are there no more are not."""
        if suite.digest(leaf) == named:
            self._replica.keys[named] = leaf
        self._replica.forget_keys()

    def _deny(self, link: int, header: Header, reason: frames.Denial) -> None:
        self._reporter.add_effect(effects.Record(link, (frames.Denied(header.counter, reason),)))

    def _denial(self, author: Member, content: frames.Content) -> frames.Denial | None:
        """What an honest member may say without getting a place for it: another was faster, or it is too fast."""
        match content.body:
            case frames.Nick(nick=nick) if nicks.is_nick(nick) and admission.is_refused(
                self._replica.ledger, nick, author.id
            ):
                return "nick-taken"
            case frames.Nick() | frames.Private():
                allowed = self._allowances[author.id].allows(content.body, self._clock.tick)
                return None if allowed else "too-often"
            case _:
                return None

    def _order(self, author: Member, header: Header, content: frames.Content, body: bytes, sealed: bytes) -> None:
        """The next place is this entry's."""
        if not self.log.fits(sealed):
            self._end_burst()
        opened = OpenedEntry(header, body, content=content)
        change = self._replica.apply(author, opened)
        self.log.append(sealed, Entry(header.pack(), opened.digest, body, header.ttl))
        if self._history is not None and isinstance(content.body, frames.Text):
            self._history.note_text(self._replica.ledger.index)
        self._context.take_change(opened, change)
        self._generations[author.id] = header.generation + 1
        if isinstance(content.body, frames.Joined):
            member = identity.member_id(content.body.key)
            self._replica.current_epoch.admit(member)
            self._allowances[member] = Allowance(self._clock.tick, self._renewable)
        elif isinstance(content.body, frames.Text | frames.Private) and author.id != self._replica.me.id:
            self._allowances[author.id].spoke = True

    def _dismiss(self, member: bytes) -> None:
        """One who is out gets no more of the log."""
        self._allowances.pop(member, None)
        self._absences.pop(member, None)
        for link in [link for link, linked in self._links.items() if linked.member == member]:
            self._links.pop(link).reader.stop()
            self._reporter.add_effect(effects.Finish(link))

    def _head(self, time: int) -> bytes:
        """How far the log is, and when, signed."""
        content = head_content(self._replica.ledger.index, self._replica.ledger.digest, time)
        return content + self._replica.me.sign(identity.HEAD, content)

    def _end_burst(self) -> None:
        """What was ordered goes out, under a head for all of it."""
        head, time = self._head(self.room_time()), self.room_time()
        self._reporter.add_effect(effects.Wake())
        dropped = self.log.seal(head, self._burst(self.log.unsealed, head, time), time)
        if self._history is not None:
            self._history.leave(dropped)

    def _pulse(self) -> None:
        """A head alone, for those who have all before it."""
        time = self.room_time()
        self._reporter.add_effect(effects.Pulse(self._burst([], self._head(time), time)))

    def _burst(self, entries: list[bytes], head: bytes, time: int) -> bytes:
        """As it goes on the wire. Puts off the next one that is due though nothing happens."""
        jitter = (
            limits.BEAT_JITTER * self._replica.ledger.digest[0] / 255
        )  # rooms that know nothing of each other differ
        self._head_at = self._clock.tick + limits.BEAT * (1 - jitter) if self._head_at is not None else None
        self._replica.marks.see(time, self._replica.ledger.digest)
        return self._replica.current_epoch.seal_burst(frames.pack(frames.Burst(entries, head)), self._context.random)

    # --- commits

    def _commit(self, removed: list[frames.Removal], re: events.Re = UNSET) -> None:
        """Fresh secrets for all but these, those who are doomed, and those who have left."""
        lost = [
            frames.Removal(member, "lost", "") for member in self._doomed if self._replica.ledger.roster.get(member)
        ]
        gone = removed + [it for it in lost if it.member not in {removal.member for removal in removed}]
        self._place(frames.Commit(self._replica.current_epoch.number + 1, gone), None, re)
        self._end_burst()
        secret, standing = self._context.random(suite.SECRET), self._replica.ledger.standing()
        self._replica.epoch, tag = self._replica.current_epoch.next(
            secret, standing, [member.id for member in self._replica.ledger.roster]
        )
        self.log.turn(Turn(self._replica.ledger.room, self._replica.current_epoch.number, standing, secret, tag))
        self._turns.append((self._clock.tick + limits.SLICES, self._replica.current_epoch.number))
        self._committed_at, self._stale = self._clock.tick, False
        self._doomed.clear()
        self._generations.clear()
        for removal in gone:
            self._dismiss(removal.member)
        self._replica.forget_keys()
        if not gone and len(self._replica.ledger.roster) <= limits.RENEWING:
            self._renewable += 1
            self._renew()

    def _make_room(self) -> bool:
        """Takes out whoever gives way: all at once, for a commit costs as much for one as for many.

        So those who join and hang up keep nobody out, and cause no more commits than those who join and leave.
        """
        if self._clock.tick < self._committed_at + limits.COMMIT_PAUSE:
            return False
        idle = [member for member in self._absences if self._gives_way(member)]
        if not (idle or self._doomed):
            return False
        for member in idle:
            if not self._replica.ledger.member(member).away:
                self._place(frames.Lost(member))
        self._commit([frames.Removal(member, "lost", "") for member in idle])
        return True

    def _gives_way(self, member: bytes) -> bool:
        """Whether this member without a link never spoke, and came a moment ago or was not heard for as long.

        Else it may be an honest reader whose link broke, and who is about to come back.
        """
        allowance, before = self._allowances[member], self._clock.tick - limits.READER
        return not allowance.spoke and (allowance.joined_at > before or self._absences[member].heard_at <= before)

    def _renew(self) -> None:
        key = suite.LeafKey(self._context.random(suite.SECRET))
        self._replica.own_keys[:] = [key, self._replica.own_keys[0]]  # the old one may be written to yet
        leaf = self._replica.own_keys[0].public
        self._place(frames.Renew(suite.digest(leaf)))
        self._keep_leaf(suite.digest(leaf), leaf)

    def _kick(self, event: inputs.Kick) -> None:
        """Throws somebody out, at once."""
        member = self._replica.ledger.roster.called(event.nick)
        if member is None:
            self._reporter.tell_error(errors.NoSuchNick(), event.re)
        elif member.id == self._replica.me.id:
            self._reporter.tell_error(errors.KickSelf(), event.re)
        else:
            self._kicked.add(member.id)
            self._commit([frames.Removal(member.id, "kicked", event.why)], event.re)

    def _lock(self, event: inputs.Lock) -> None:
        if self._replica.ledger.locked == event.locked:
            self._reporter.tell(events.LockUnchanged(room=self._context.label, locked=event.locked, re=event.re))
        else:
            self._place(frames.Lock(event.locked), None, event.re)

    def _linked(self, event: inputs.Linked) -> None:
        """A stranger: it is greeted, and may knock."""
        greeting = self._greetings[event.link] = self._door.greet(self._clock.tick)
        self._reporter.add_effect(effects.Send(event.link, greeting.wire))

    def _take(self, link: int, payload: bytes) -> None:
        """What came on a link. A broken rule costs its member the place, and nobody else anything."""
        try:
            if greeting := self._greetings.pop(link, None):
                self._knocked(link, greeting, payload)
            elif linked := self._links.get(link):
                self._heard_member(link, linked, payload)
        except PeerFault as fault:
            self._reporter.add_effect(effects.Drop(link, str(fault)))
            self._expel(link)

    def _knocked(self, link: int, greeting: Greeting, payload: bytes) -> None:
        """Somebody wants in, or in again."""
        request = greeting.open(payload)
        channel = Channel(request.link, greeting.hello, up=False)
        try:
            if isinstance(request, frames.Resume):
                self._let_back_in(link, channel, greeting.hello, request)
            else:
                self._let_in(link, channel, greeting.hello, request)
        except admission.NotAdmitted as refusal:
            self._reporter.add_effect(effects.Finish(link, channel.seal([frames.Refused(refusal.reason)])))

    def _let_in(self, link: int, channel: Channel, hello: bytes, join: frames.Join) -> None:
        member = identity.member_id(join.key)
        self._turn_away(member)
        try:
            nick = admission.nick_for(self._replica.ledger, hello, join, self._absences)
        except admission.NotAdmitted as refusal:
            if refusal.reason != "full" or not self._make_room():
                raise
            nick = admission.nick_for(self._replica.ledger, hello, join, self._absences)
        if member in self._doomed:
            raise admission.NotAdmitted("not-allowed")
        self._unlink(member)
        if self._replica.ledger.roster.get(member) is None:
            if member in self._replica.current_epoch.chains:
                raise admission.NotAdmitted("not-allowed")  # it has left, and its keys are used up
            leaf = suite.digest(join.leaf)
            self._replica.keys[leaf] = join.leaf
            self._place(frames.Joined(join.key, nick, leaf))
        elif self._replica.ledger.member(member).away:
            self._place(frames.Back(member))
        self._welcome(link, channel, hello, member, join.leaf)

    def _let_back_in(self, link: int, channel: Channel, hello: bytes, resume: frames.Resume) -> None:
        """One who comes back gets what it has missed: as it was sent, or opened, or not at all, as may be."""
        self._turn_away(resume.member)
        member = admission.returning(self._replica.ledger, hello, resume)
        if member.id in self._doomed:
            raise admission.NotAdmitted("unknown")
        self._unlink(member.id)
        if member.away:
            self._place(frames.Back(member.id))
        after = resume.index + 1
        known = self._replica.ledger.digest_at(resume.index) == resume.digest
        if known and resume.epoch == self._replica.current_epoch.number and after >= self.log.start:
            reader = Reader(self.log, after, member.id, resume.leaf, channel)
            resumed = frames.Resumed(self._replica.ledger.index, self.room_time())
            self._admit(link, channel, reader, member.id, [resumed])
        else:
            since = resume.index if known and after >= self.log.oldest else None
            self._welcome(link, channel, hello, member.id, resume.leaf, since)

    def _turn_away(self, member: bytes) -> None:
        if member in self._kicked:
            raise admission.NotAdmitted("kicked")

    def _welcome(
        self, link: int, channel: Channel, hello: bytes, member: bytes, leaf: bytes, since: int | None = None
    ) -> None:
        """Shows the room as it is now. since: index from which on the member goes on from its own log, if it does."""
        if not self.log.is_sealed:
            self._end_burst()
        base = None
        if since is None and self._history is not None:
            self._history.trim(self.log)
            since, base = self._history.index, self._history.base()
        elif since is None:
            since = self._replica.ledger.index
        reader = Reader(self.log, since + 1, member, leaf, channel, self.log.end)
        state, key = self._state(since, base), self._context.random(suite.SECRET)
        sealed = welcome.seal(state, leaf, self._replica.ledger.room, hello, key, self._replica.me.sign)
        self._admit(link, channel, reader, member, sealed)

    def _admit(self, link: int, channel: Channel, reader: Reader, member: bytes, said: list[frames.Frame]) -> None:
        self._links[link] = Linked(member, channel, reader)
        self._put_off_dummy()
        self._reporter.add_effect(effects.Admit(link, channel, tuple(said), reader))
        self._pause(link, member)  # what it owes from another link

    def _pause(self, link: int, member: bytes, *, units: int = 0, entries: int = 0, answers: int = 0) -> None:
        """Who has caused more than it may is read no further for a while: nothing of it is lost, and nobody waits."""
        allowance = self._allowances[member]
        if seconds := allowance.take(self._clock.tick, units=units, entries=entries, answers=answers):
            self._reporter.add_effect(effects.Pause(link, seconds))

    def _state(self, since: int, base: frames.Base | None) -> frames.State:
        keys, ledger = self._replica.current_epoch, self._replica.ledger
        seats = []
        for it in ledger.roster:
            chain = keys.chains[it.id]
            seats.append(frames.Seat(it.key, it.nick, it.counter, it.away, it.leaf, chain.generation, chain.link))
        return frames.State(
            ledger.name,
            ledger.locked,
            ledger.host,
            ledger.retention,
            ledger.history,
            keys.number,
            keys.init,
            keys.log_key,
            keys.newcomers,
            self._head(self.room_time()),
            seats,
            since,
            base,
        )

    def _unlink(self, member: bytes) -> None:
        """Whatever link this member had before, it has another now."""
        self._absences.pop(member, None)
        for link in [link for link, linked in self._links.items() if linked.member == member]:
            del self._links[link]
            self._reporter.add_effect(effects.Drop(link, "its member dialled again"))

    def _lose_link(self, event: inputs.Dropped) -> None:
        """A member's link is gone; the member has time to come back on another."""
        self._greetings.pop(event.link, None)
        linked = self._links.pop(event.link, None)
        if linked is not None:
            self._absences[linked.member] = Absence(self._clock.tick - event.silence)

    def _expel(self, link: int) -> None:
        """Who broke a rule has no say any more, and no place from the next commit on."""
        linked = self._links.pop(link, None)
        if linked is not None:
            self._place(frames.Lost(linked.member))
            self._doomed.add(linked.member)

    def _say_nothing(self) -> None:
        """Cover on some link, as if each had its own dice."""
        if self._dummy_at is not None and self._clock.tick >= self._dummy_at:
            links = list(self._links)
            if links:
                dice = int.from_bytes(self._context.random(8), "big")
                self._reporter.add_effect(effects.Record(links[dice % len(links)], echo=True))
            self._put_off_dummy()

    def _put_off_dummy(self) -> None:
        if self._context.cover:
            self._dummy_at = (
                self._clock.tick + cover.draw_wait(self._context.random, len(self._links)) if self._links else None
            )
