"""The host's part of a room: who is linked, who is away, what gets its place, the heads that sign for it, commits."""

import math

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.commit import Turn
from anonp2p.crypto.epoch import ENTRY, Epoch, Header, header_of
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import frames
from anonp2p.room import effects, events, inputs
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.host import admission
from anonp2p.room.host.allowance import Allowance
from anonp2p.room.host.receiving import Linked, Receiving
from anonp2p.room.ledger import Ledger, expect, head_content
from anonp2p.room.log.history import History
from anonp2p.room.log.log import Entry
from anonp2p.room.pending import Whisper
from anonp2p.room.retention import NO_HISTORY
from anonp2p.room.roster import Member


class Hosting(Receiving):
    """A room of which we may be the host."""

    def _prepare_hosting(self) -> None:
        self._prepare_receiving()
        self._reachable = False
        self._generations: dict[bytes, int] = {}  # of authors in this epoch: the one after their last ordered entry's
        self._born = 0.0  # the age of our clock when the room was created
        self._head_at: float | None = None  # when the next head is due, though nothing happens
        self._committed_at = 0.0
        self._renewable = 0  # how many commits have let the members renew their leaves
        self._stale = False  # whether somebody who is out still has this epoch's keys
        self._turns: list[tuple[float, int]] = []  # when to forget the secret of which epoch's commit

    def end_burst(self, now: inputs.Now) -> None:
        """Signs what was ordered since the last time, if anything was: one head for all of it."""
        if not self.log.is_sealed:
            self._now = now
            self._end_burst()

    def _open(self, name: str) -> None:
        """The room begins, with us alone in it."""
        nick = self._wanted or self._ledger.roster.nick_for(self._me.key)
        assert nick is not None, "no nick is taken in an empty room"
        leaf = suite.digest(self._leaves[0].public)
        self._replica.epoch = Epoch.first(self._random(suite.SECRET), self._ledger.digest, self._me.id)
        self._found(self._ledger, name, nick, leaf)
        if self._ledger.history != NO_HISTORY:
            behind = Ledger(self._ledger.room)
            self._found(behind, name, nick, leaf)
            self._history = History(behind, behind.history)
        self._shown[leaf] = self._leaves[0].public
        self._born = self._now.age
        self._committed_at = self._now.tick
        self._head_at = self._now.tick + limits.BEAT
        self._enter()

    def _found(self, ledger: Ledger, name: str, nick: str, leaf: bytes) -> None:
        ledger.name = name
        ledger.retention, ledger.history = self._rules
        ledger.host = ledger.seat(self._me.key, nick, leaf).id

    def _published(self, _: inputs.Published) -> None:
        self._reachable = True
        self._tell(events.Reachable(room=self.label, re=self._re))

    def _close_hosting(self) -> None:
        """The last head, and nothing is due any more."""
        if self._epoch is not None and not self.log.is_sealed:
            self._end_burst()
        self._head_at = self._dummy_at = None
        self._turns.clear()
        self._absences.clear()

    # --- what is due though nothing happens

    def _due(self) -> list[float]:
        """When something has to be done, though nothing happens."""
        due = [absence.due for absence in self._absences.values()] + [until for until, _ in self._turns]
        if self._head_at is not None:
            due += [self._head_at, self._commit_at, *([] if self._dummy_at is None else [self._dummy_at])]
            if (expiry := self.log.next_expiry) is not None:
                due.append(self._after(self._born + expiry / 1000))
        return due

    @property
    def _commit_at(self) -> float:
        """When the next epoch has to begin: soon, if somebody who is out has the keys of this one."""
        return self._committed_at + (limits.COMMIT_PAUSE if self._stale or self._doomed else limits.EPOCH)

    def _do_what_is_due(self) -> None:
        now = self._now.tick
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
        if self.log.expire(self._room_time(), passed):
            self._effects.append(effects.Sweep())

    # --- order

    def _place(self, body: frames.Body | Whisper, line: str | None = None, re: events.Re = UNSET) -> None:
        """An entry of our own gets the next place. Raises PeerFault where one for whom it is cannot be sealed to."""
        counter = self._note(body, line, re)
        try:
            sealed = self._outbox.seal_entry(counter, self._replica.sealer())
        except PeerFault:
            self._outbox.take_entry(counter)
            raise
        self._order(self._my, sealed.header, sealed.content, sealed.body, sealed.entry)

    def _heard_member(self, link: int, linked: Linked, payload: bytes) -> None:
        record = linked.channel.open(payload)
        if record.echo:
            self._effects.append(effects.Record(link))
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
                leaf = self._shown.get(sought, b"")
                found = frames.Found(leaf) if leaf else frames.Missing(sought)
                self._effects.append(effects.Record(link, (found,)))
                return len(leaf or sought)
            case frames.Submit(epoch=epoch, entry=entry) if epoch == self._keys.number:
                self._submitted(link, linked, entry)
            case frames.Submit(epoch=epoch):
                expect(epoch < self._keys.number, "an entry of an epoch to come")  # else its author seals it anew
        return 0

    def _submitted(self, link: int, linked: Linked, entry: bytes) -> None:
        """A member's entry gets its place, or a denial that only its author sees."""
        header = header_of(entry)
        expect(header.kind == ENTRY and header.author == linked.member, "an entry of somebody else")
        author = self._ledger.member(linked.member)
        if header.counter <= author.counter:
            self._deny(link, header, "repeated")
            return
        left_out = header.generation - self._generations.get(author.id, 0)  # to all others, what was denied counts
        expect(left_out <= limits.SKIPPED, "a generation out of its order")
        _, body = self._keys.open_entry(entry)
        _, content = self._ledger.open(header, body)
        if denial := self._denial(author, content):
            author.counter = header.counter
            self._deny(link, header, denial)
            return
        self._ledger.check(author, header, content)
        expect(not self._ledger.is_foreign(content), "a reference to another log")
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
            self._shown[named] = leaf
        self._replica.forget_keys()

    def _deny(self, link: int, header: Header, reason: frames.Denial) -> None:
        self._effects.append(effects.Record(link, (frames.Denied(header.counter, reason),)))

    def _denial(self, author: Member, content: frames.Content) -> frames.Denial | None:
        """What an honest member may say without getting a place for it: another was faster, or it is too fast."""
        match content.body:
            case frames.Nick(nick=nick) if nicks.is_nick(nick) and admission.is_refused(self._ledger, nick, author.id):
                return "nick-taken"
            case frames.Nick() | frames.Private():
                allowed = self._allowances[author.id].allows(content.body, self._now.tick)
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
            self._history.note_text(self._ledger.index)
        self._take_change(opened, change)
        self._generations[author.id] = header.generation + 1
        if isinstance(content.body, frames.Joined):
            member = identity.member_id(content.body.key)
            self._keys.admit(member)
            self._allowances[member] = Allowance(self._now.tick, self._renewable)
        elif isinstance(content.body, frames.Text | frames.Private) and author.id != self._me.id:
            self._allowances[author.id].spoke = True

    def _dismiss(self, member: bytes) -> None:
        """One who is out gets no more of the log."""
        self._allowances.pop(member, None)
        self._absences.pop(member, None)
        for link in [link for link, linked in self._links.items() if linked.member == member]:
            self._links.pop(link).reader.stop()
            self._effects.append(effects.Finish(link))

    def _room_time(self) -> int:
        """Milliseconds since the room was created."""
        return round((self._now.age - self._born) * 1000)

    def _head(self, time: int) -> bytes:
        """How far the log is, and when, signed."""
        content = head_content(self._ledger.index, self._ledger.digest, time)
        return content + self._me.sign(identity.HEAD, content)

    def _end_burst(self) -> None:
        """What was ordered goes out, under a head for all of it."""
        head, time = self._head(self._room_time()), self._room_time()
        dropped = self.log.seal(head, self._burst(self.log.unsealed, head, time), time)
        if self._history is not None:
            self._history.leave(dropped)

    def _pulse(self) -> None:
        """A head alone, for those who have all before it."""
        time = self._room_time()
        self._effects.append(effects.Pulse(self._burst([], self._head(time), time)))

    def _burst(self, entries: list[bytes], head: bytes, time: int) -> bytes:
        """As it goes on the wire. Puts off the next one that is due though nothing happens."""
        jitter = limits.BEAT_JITTER * self._ledger.digest[0] / 255  # rooms that know nothing of each other differ
        self._head_at = self._now.tick + limits.BEAT * (1 - jitter) if self._head_at is not None else None
        self._replica.marks.see(time, self._ledger.digest)
        return self._keys.seal_burst(frames.pack(frames.Burst(entries, head)), self._random)

    # --- commits

    def _commit(self, removed: list[frames.Removal], re: events.Re = UNSET) -> None:
        """Fresh secrets for all but these, those who are doomed, and those who have left."""
        lost = [frames.Removal(member, "lost", "") for member in self._doomed if self._ledger.roster.get(member)]
        gone = removed + [it for it in lost if it.member not in {removal.member for removal in removed}]
        self._place(frames.Commit(self._keys.number + 1, gone), None, re)
        self._end_burst()
        secret, standing = self._random(suite.SECRET), self._ledger.standing()
        self._replica.epoch, tag = self._keys.next(secret, standing, [member.id for member in self._ledger.roster])
        self.log.turn(Turn(self._ledger.room, self._keys.number, standing, secret, tag))
        self._turns.append((self._now.tick + limits.SLICES, self._keys.number))
        self._committed_at, self._stale = self._now.tick, False
        self._doomed.clear()
        self._generations.clear()
        for removal in gone:
            self._dismiss(removal.member)
        self._replica.forget_keys()
        if not gone and len(self._ledger.roster) <= limits.RENEWING:
            self._renewable += 1
            self._renew()

    def _make_room(self) -> bool:
        """Takes out whoever gives way: all at once, for a commit costs as much for one as for many.

        So those who join and hang up keep nobody out, and cause no more commits than those who join and leave.
        """
        if self._now.tick < self._committed_at + limits.COMMIT_PAUSE:
            return False
        idle = [member for member in self._absences if self._gives_way(member)]
        if not (idle or self._doomed):
            return False
        for member in idle:
            if not self._ledger.member(member).away:
                self._place(frames.Lost(member))
        self._commit([frames.Removal(member, "lost", "") for member in idle])
        return True

    def _gives_way(self, member: bytes) -> bool:
        """Whether this member without a link never spoke, and came a moment ago or was not heard for as long.

        Else it may be an honest reader whose link broke, and who is about to come back.
        """
        allowance, before = self._allowances[member], self._now.tick - limits.READER
        return not allowance.spoke and (allowance.joined_at > before or self._absences[member].heard_at <= before)

    def _renew(self) -> None:
        key = suite.LeafKey(self._random(suite.SECRET))
        self._leaves[:] = [key, self._leaves[0]]  # the old one may be written to yet
        leaf = self._leaves[0].public
        self._place(frames.Renew(suite.digest(leaf)))
        self._keep_leaf(suite.digest(leaf), leaf)

    def _kick(self, event: inputs.Kick) -> None:
        """Throws somebody out, at once."""
        member = self._ledger.roster.called(event.nick)
        if member is None:
            self._error(errors.NoSuchNick(), event.re)
        elif member.id == self._me.id:
            self._error(errors.KickSelf(), event.re)
        else:
            self._kicked.add(member.id)
            self._commit([frames.Removal(member.id, "kicked", event.why)], event.re)

    def _lock(self, event: inputs.Lock) -> None:
        if self._ledger.locked == event.locked:
            self._tell(events.LockUnchanged(room=self.label, locked=event.locked, re=event.re))
        else:
            self._place(frames.Lock(event.locked), None, event.re)
