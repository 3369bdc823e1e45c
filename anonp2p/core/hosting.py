"""The host's part of a room: who is linked, who is away, what gets its place, the heads that sign for it, commits."""

from dataclasses import dataclass

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import admission, events, frames, identity, names, steps
from anonp2p.core.epochs import suite, welcome
from anonp2p.core.epochs.commit import Turn
from anonp2p.core.epochs.epoch import ENTRY, Epoch, Header
from anonp2p.core.handshake import Channel, Door, Greeting
from anonp2p.core.ledger import expect, head_content
from anonp2p.core.life import Life
from anonp2p.core.log import Log, Reader
from anonp2p.core.pace import Pace
from anonp2p.core.roster import Member
from anonp2p.errors import PeerFault


@dataclass(slots=True, repr=False)
class _Absence:
    """When a member without a link is to be called away, whether it was, and when its place is given up."""

    away_at: float
    remove_at: float
    called: bool = False

    @property
    def due(self) -> float:
        return self.remove_at if self.called else self.away_at


@dataclass(slots=True, repr=False)
class _Linked:
    """A link of a member's."""

    member: bytes
    channel: Channel
    reader: Reader


class Hosting(Life):
    """A room of which we may be the host."""

    def _prepare_hosting(self) -> None:
        self.log = Log()
        self._reachable = False
        self._door = Door(self._ledger.room, self._random)
        self._greetings: dict[int, Greeting] = {}  # of strangers, by link
        self._links: dict[int, _Linked] = {}
        self._absences: dict[bytes, _Absence] = {}  # of members without a link
        self._doomed: set[bytes] = set()  # members whom the next commit removes
        self._kicked: set[bytes] = set()  # who was thrown out: one without a link learns it when it comes back
        self._renames: dict[bytes, Pace] = {}  # of members who have changed their nick
        self._generations: dict[bytes, int] = {}  # of authors in this epoch: the one after their last ordered entry's
        self._born = 0.0  # when the room was created
        self._head_at: float | None = None  # when the next head is due, though nothing happens
        self._committed_at = 0.0
        self._stale = False  # whether somebody who is out still has this epoch's keys
        self._turns: list[tuple[float, int]] = []  # when to forget the secret of which epoch's commit

    def end_burst(self, now: steps.Now) -> None:
        """Signs what was ordered since the last time, if anything was: one head for all of it."""
        if not self.log.is_sealed:
            self._now = now
            self.log.seal(self._sealed_head())

    def _open(self, name: str) -> None:
        """The room begins, with us alone in it."""
        nick = self._wanted or self._ledger.roster.nick_for(self._me.key)
        assert nick is not None, "no nick is taken in an empty room"
        leaf = suite.digest(self._leaves[0].public)
        self._epoch = Epoch.first(self._random(suite.SECRET), self._ledger.digest, self._me.id)
        self._ledger.name = name
        self._ledger.host = self._ledger.seat(self._me.key, nick, leaf).id
        self._born = self._committed_at = self._now.tick
        self._head_at = self._now.tick + limits.BEAT
        self._enter()

    def _published(self, _: steps.Published) -> None:
        self._reachable = True
        self._tell(events.Reachable(room=self.label, re=self._re))

    def _close_hosting(self) -> None:
        """The last head, and nothing is due any more."""
        if self._epoch is not None and not self.log.is_sealed:
            self.log.seal(self._sealed_head())
        self._head_at = None
        self._turns.clear()
        self._absences.clear()

    # --- members and their links

    def _linked(self, event: steps.Linked) -> None:
        """A stranger: it is greeted, and may knock."""
        greeting = self._greetings[event.link] = self._door.greet(self._now.tick)
        self._effects.append(steps.Send(event.link, greeting.wire))

    def _take(self, link: int, payload: bytes) -> None:
        """What came on a link. A broken rule costs its member the place, and nobody else anything."""
        try:
            if greeting := self._greetings.pop(link, None):
                self._knocked(link, greeting, payload)
            elif linked := self._links.get(link):
                self._heard_member(link, linked, payload)
        except PeerFault as fault:
            self._effects.append(steps.Drop(link, str(fault)))
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
            self._effects.append(steps.Finish(link, channel.seal(frames.Refused(refusal.reason))))

    def _let_in(self, link: int, channel: Channel, hello: bytes, join: frames.Join) -> None:
        member = identity.member_id(join.key)
        self._turn_away(member)
        nick = admission.nick_for(self._ledger, hello, join)
        if member in self._doomed:
            raise admission.NotAdmitted("not-allowed")
        self._unlink(member)
        if self._ledger.roster.get(member) is None:
            if member in self._keys.chains:
                raise admission.NotAdmitted("not-allowed")  # it has left, and its keys are used up
            self._place(frames.Joined(join.key, nick, suite.digest(join.leaf)))
        elif self._ledger.member(member).away:
            self._place(frames.Back(member))
        self._welcome(link, channel, hello, Reader(self.log, self.log.end, member, join.leaf, channel), member)

    def _let_back_in(self, link: int, channel: Channel, hello: bytes, resume: frames.Resume) -> None:
        """One who comes back gets what it has missed: as it was sent, or opened, or not at all, as may be."""
        self._turn_away(resume.member)
        member = admission.returning(self._ledger, hello, resume)
        if member.id in self._doomed:
            raise admission.NotAdmitted("unknown")
        self._unlink(member.id)
        if member.away:
            self._place(frames.Back(member.id))
        after = resume.index + 1
        known = self._ledger.digest_at(resume.index) == resume.digest
        if known and resume.epoch == self._keys.number and after >= self.log.start:
            reader = Reader(self.log, after, member.id, resume.leaf, channel)
            self._admit(link, channel, reader, member.id, channel.seal(frames.Resumed(self._ledger.index)))
        else:
            past = after if known and after >= self.log.oldest else None
            reader = Reader(self.log, self.log.end, member.id, resume.leaf, channel, past)
            self._welcome(link, channel, hello, reader, member.id, past=past is not None)

    def _turn_away(self, member: bytes) -> None:
        if member in self._kicked:
            raise admission.NotAdmitted("kicked")

    def _welcome(
        self, link: int, channel: Channel, hello: bytes, reader: Reader, member: bytes, *, past: bool = False
    ) -> None:
        key = self._random(suite.SECRET)
        sealed = welcome.seal(self._state(), reader.leaf, self._ledger.room, hello, key, self._me.sign, past=past)
        self._admit(link, channel, reader, member, b"".join(map(channel.seal, sealed)))

    def _admit(self, link: int, channel: Channel, reader: Reader, member: bytes, data: bytes) -> None:
        self._links[link] = _Linked(member, channel, reader)
        self._effects.append(steps.Admit(link, data, reader))

    def _state(self) -> frames.State:
        keys = self._keys
        seats = []
        for member in self._ledger.roster:
            chain = keys.chains[member.id]
            seats.append(
                frames.Seat(
                    member.key, member.nick, member.counter, member.away, member.leaf, chain.generation, chain.link
                )
            )
        return frames.State(
            self._ledger.name,
            self._ledger.locked,
            self._ledger.host,
            keys.number,
            keys.init,
            keys.header_key,
            keys.head_key,
            keys.newcomers,
            self._head(),
            seats,
        )

    def _unlink(self, member: bytes) -> None:
        """Whatever link this member had before, it has another now."""
        self._absences.pop(member, None)
        for link in [link for link, linked in self._links.items() if linked.member == member]:
            del self._links[link]
            self._effects.append(steps.Drop(link, "its member dialled again"))

    def _lose_link(self, event: steps.Dropped) -> None:
        """A member's link is gone; the member has time to come back on another."""
        self._greetings.pop(event.link, None)
        linked = self._links.pop(event.link, None)
        if linked is not None:
            heard = self._now.tick - event.silence
            self._absences[linked.member] = _Absence(heard + limits.AWAY, heard + limits.PLACE)

    def _expel(self, link: int) -> None:
        """Who broke a rule has no say any more, and no place from the next commit on."""
        linked = self._links.pop(link, None)
        if linked is not None:
            self._place(frames.Lost(linked.member))
            self._doomed.add(linked.member)

    # --- what is due though nothing happens

    def _due(self) -> list[float]:
        """When something has to be done, though nothing happens."""
        due = [absence.due for absence in self._absences.values()] + [until for until, _ in self._turns]
        return due if self._head_at is None else [*due, self._head_at, self._commit_at]

    @property
    def _commit_at(self) -> float:
        """When the next epoch has to begin: soon, if somebody who is out has the keys of this one."""
        return self._committed_at + (limits.COMMIT_PAUSE if self._stale or self._doomed else limits.EPOCH)

    def _do_what_is_due(self) -> None:
        now = self._now.tick
        late = [(member, absence) for member, absence in self._absences.items() if absence.due <= now]
        for member, absence in late[: limits.MAILBOX]:  # the rest at once, after a head: members hold only so many
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
        if self._head_at is not None and now >= self._head_at:
            self._effects.append(steps.Pulse(self._sealed_head()))

    # --- order

    def _place(self, body: frames.Body, text: str | None = None, re: events.Re = UNSET) -> None:
        """An entry of our own gets the next place."""
        sealed = self._seal(self._note(body, text, re))
        self._order(self._my, sealed.header, sealed.content, sealed.body, sealed.payload)

    def _heard_member(self, link: int, linked: _Linked, payload: bytes) -> None:
        frame = linked.channel.open(payload)
        if isinstance(frame, frames.Leaf):
            suite.seal_to(frame.leaf, b"", b"")
            linked.reader.leaf = frame.leaf
        elif isinstance(frame, frames.Submit) and frame.epoch != self._keys.number:
            expect(frame.epoch < self._keys.number, "an entry of an epoch to come")  # else its author seals it anew
        elif isinstance(frame, frames.Submit):
            self._submitted(link, linked, frame.entry)

    def _submitted(self, link: int, linked: _Linked, payload: bytes) -> None:
        """A member's entry gets its place, or a denial that only its author sees."""
        header = self._keys.open_header(payload)
        if header is None or header.kind != ENTRY:
            raise PeerFault("an entry that is none")
        expect(header.author == linked.member, "an entry of somebody else")
        author = self._ledger.member(linked.member)
        if header.counter <= author.counter:
            self._deny(link, linked, header, "repeated")
            return
        left_out = header.generation - self._generations.get(author.id, 0)  # to all others, what was denied counts
        expect(left_out <= limits.SKIPPED, "a generation out of its order")
        body = self._keys.open_entry(header, payload)
        _, content = self._ledger.open(header, body)
        if denial := self._denial(author, content):
            author.counter = header.counter
            self._deny(link, linked, header, denial)
            return
        self._ledger.check(author, header, content)
        expect(not self._ledger.is_foreign(content), "a reference to another log")
        self._order(author, header, content, body, payload)
        if isinstance(content.body, frames.Leave):
            self._stale = True
            self.log.seal(self._sealed_head())  # the receipt: nothing after it is for its author
            self._dismiss(author.id)

    def _deny(self, link: int, linked: _Linked, header: Header, reason: frames.Denial) -> None:
        self._effects.append(steps.Send(link, linked.channel.seal(frames.Denied(header.counter, reason))))

    def _denial(self, author: Member, content: frames.Content) -> frames.Denial | None:
        """What an honest member may come to say without getting a place for it: another was faster."""
        body = content.body
        if isinstance(body, frames.Nick) and names.is_nick(body.nick):
            if self._ledger.roster.is_taken(body.nick, author.id):
                return "nick-taken"
            pace = self._renames.setdefault(author.id, Pace(limits.NICK_BURST, limits.NICK_RATE))
            if pace.take(self._now.tick):
                return "too-often"
        return None

    def _order(self, author: Member, header: Header, content: frames.Content, body: bytes, payload: bytes) -> None:
        """The next place is this entry's."""
        self._ledger.advance(header, body)
        self.log.append(frames.on_wire(payload), header.pack(), body)
        self._apply(author, header, content)
        self._generations[author.id] = header.generation + 1
        if isinstance(content.body, frames.Joined):
            self._keys.admit(identity.member_id(content.body.key))

    def _dismiss(self, member: bytes) -> None:
        """One who is out gets no more of the log."""
        self._renames.pop(member, None)
        self._absences.pop(member, None)
        for link in [link for link, linked in self._links.items() if linked.member == member]:
            self._links.pop(link).reader.stop()
            self._effects.append(steps.Finish(link))

    def _head(self) -> bytes:
        """How far the log is, and when, signed."""
        time = int((self._now.tick - self._born) * 1000)
        content = head_content(self._ledger.index, self._ledger.digest, time)
        return content + self._me.sign(identity.HEAD, content)

    def _sealed_head(self) -> bytes:
        """For all. Puts off the next one that is due though nothing happens."""
        jitter = limits.BEAT_JITTER * self._ledger.digest[0] / 255  # rooms that know nothing of each other differ
        self._head_at = self._now.tick + limits.BEAT * (1 - jitter) if self._head_at is not None else None
        return frames.on_wire(self._keys.seal_head(self._head()))

    # --- commits

    def _commit(self, removed: list[frames.Removal], re: events.Re = UNSET) -> None:
        """Fresh secrets for all but these, those who are doomed, and those who have left."""
        lost = [frames.Removal(member, "lost", "") for member in self._doomed if self._ledger.roster.get(member)]
        gone = removed + [it for it in lost if it.member not in {removal.member for removal in removed}]
        self._place(frames.Commit(self._keys.number + 1, gone), None, re)
        self.log.seal(self._sealed_head())
        secret, standing = self._random(suite.SECRET), self._ledger.standing()
        self._epoch, tag = self._keys.next(secret, standing, [member.id for member in self._ledger.roster])
        self.log.turn(Turn(self._ledger.room, self._epoch.number, standing, secret, tag))
        self._turns.append((self._now.tick + limits.SLICES, self._epoch.number))
        self._committed_at, self._stale = self._now.tick, False
        self._doomed.clear()
        self._generations.clear()
        for removal in gone:
            self._dismiss(removal.member)
        if not gone and len(self._ledger.roster) <= limits.RENEWING:
            self._renew()

    def _renew(self) -> None:
        self._leaves = [suite.LeafKey(self._random(suite.SECRET))]
        self._place(frames.Renew(suite.digest(self._leaves[0].public)))

    def _kick(self, event: steps.Kick) -> None:
        """Throws somebody out, at once."""
        member = self._ledger.roster.called(event.nick)
        if member is None:
            self._error(errors.NoSuchNick(), event.re)
        elif member.id == self._me.id:
            self._error(errors.NotAllowed("You cannot throw yourself out: /leave or /close."), event.re)
        else:
            self._kicked.add(member.id)
            self._commit([frames.Removal(member.id, "kicked", event.why)], event.re)

    def _lock(self, event: steps.Lock) -> None:
        if self._ledger.locked == event.locked:
            text = "The room is locked already." if event.locked else "The room is not locked."
            self._tell(events.Notice(room=self.label, text=text, re=event.re))
        else:
            self._place(frames.Lock(event.locked), None, event.re)
