"""The member's part of a room: getting in, coming back, and holding the host to its word."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import events, frames, handshake, identity, names, steps
from anonp2p.core.epochs import commit, suite, welcome
from anonp2p.core.epochs.epoch import HEAD, Epoch, Header
from anonp2p.core.handshake import Channel
from anonp2p.core.ledger import SIGNATURE, Ledger, expect
from anonp2p.core.life import Life
from anonp2p.core.roster import Member
from anonp2p.errors import PeerFault

# How far we are with our host. "missing": what we have missed is on its way, opened; "turning": an epoch is over, and
# our slice of the next on its way.
Contact = Literal["none", "asking", "missing", "catching up", "up"]

# What a host's words mean to the one it refuses, and to the one whose entry it does not order.
_REFUSALS: dict[frames.Refusal, errors.AnonError] = {
    "bad-nick": errors.BadNick(),
    "nick-taken": errors.NickTaken(),
    "not-allowed": errors.NotAllowed("The host does not allow that."),
    "signature": errors.Refused("our signature did not convince it"),
    "leaf": errors.Refused("it could not use our key"),
    "full": errors.Refused("it is full"),
    "locked": errors.Locked(),
    "unknown": errors.Refused("it does not know us any more"),
    "kicked": errors.Refused("its host has thrown us out"),
}
_DENIALS: dict[frames.Denial, errors.AnonError] = {
    "nick-taken": errors.NickTaken(),
    "repeated": errors.NotAllowed("The host took that for a repetition."),
    "too-often": errors.NotAllowed("That was a change of nick too many for now: wait a little."),
}
_LOST_DENIAL = errors.NotAllowed("The host did not take that nick.")  # why, it said on a link that broke
_OTHER_VERSION = errors.Refused("it speaks another version of the protocol, so one of you needs a newer program")


class _Head(NamedTuple):
    """A host's word on the log, as it was signed; place: index of the latest entry."""

    place: int
    digest: bytes
    time: int
    text: bytes

    @classmethod
    def read(cls, text: bytes) -> "_Head":
        """From its 112 bytes."""
        return cls(int.from_bytes(text[:8], "big"), text[8:40], int.from_bytes(text[40:48], "big"), text)


class Following(Life):
    """A room of which somebody else may be the host."""

    def _prepare_following(self) -> None:
        self._contact: Contact = "none"
        self._attempt = 0
        self._hello = b""  # hash of the one on this link
        self._channel: Channel | None = None
        self._arrival: welcome.Arrival | None = None
        self._past = False  # whether what we have missed follows the welcome
        self._arrived: tuple[Epoch, _Head] | None = None  # the epoch and the head that we come to when we have it
        self._missed: int | None = None  # index of the last entry we had, while we come back as somebody new
        self._target = 0  # index up to which we have to catch up before we send anything
        self._turning = False  # between a commit and our slice of it
        self._idle_commit = False  # whether that commit removed nobody
        self._beat_at: float | None = None  # when the host has to hear from us again
        self._uncovered: list[tuple[Header, bytes]] = []  # entries that no head covers yet
        self._last_head = _Head(-1, b"", 0, b"")
        self._certain = 0  # counter of the last of ours that no host denies: not too many may be left out after it
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.Refused: self._refused,
            frames.Welcome: self._welcomed,
            frames.Page: self._page,
            frames.Resumed: self._resumed,
            frames.Past: self._missed_entry,
            frames.Slice: self._slice,
            frames.Denied: self._denied,
        }

    def _hear(self, payload: bytes) -> None:
        """What came from the host. If it broke a rule, it is none to stay with."""
        try:
            if self._contact == "none":
                self._greeted(payload)
                return
            if self._contact in ("catching up", "up") and not self._turning:
                header = self._keys.open_header(payload)
                if header is not None:
                    self._logged(header, payload)
                    return
            assert self._channel is not None, "there is one from the hello on"
            frame = self._channel.open(payload)
            self._frame_handlers[type(frame)](frame)
        except PeerFault as fault:
            self._distrust(str(fault))

    # --- the link

    def _dialling(self, event: steps.Dialling) -> None:
        self._attempt = event.attempt
        self._link("connecting", event.detail)

    def _link(self, state: Literal["connecting", "up", "lost"], detail: str) -> None:
        re = UNSET if self.entered else self._re
        self._tell(events.Link(room=self.label, state=state, attempt=self._attempt, detail=detail, re=re))

    def _lose_uplink(self, event: steps.Dropped) -> None:
        """Our link is gone. Another one is being dialled, unless we are leaving anyway."""
        was, self._contact = self._contact, "none"
        self._uncovered.clear()
        self._channel = self._arrival = self._arrived = self._beat_at = None
        if self._phase == "leaving":
            self._out("left")
        elif self._phase == "in" and was not in ("none", "asking"):
            self._link("lost", event.detail)

    def _uplink(self, frame: frames.Frame) -> None:
        assert self._channel is not None, "there is one from the hello on"
        self._effects.append(steps.Send(steps.UPLINK, self._channel.seal(frame)))
        self._put_off_beat()

    def _put_off_beat(self) -> None:
        """The host has heard from us; not at the same time for all members it has to hear again."""
        self._beat_at = self._now.tick + limits.BEAT * (1 - limits.BEAT_JITTER * self._random(1)[0] / 255)

    def _go_up(self) -> None:
        """The handshake is over."""
        self._effects.append(steps.Admit(steps.UPLINK))
        self._put_off_beat()

    def _beat(self) -> None:
        if self._beat_at is not None and self._now.tick >= self._beat_at:
            self._uplink(frames.Beat())

    # --- getting in, coming back

    def _greeted(self, payload: bytes) -> None:
        try:
            hello, self._hello = handshake.read_hello(payload)
        except handshake.OtherVersion:
            self._fail(_OTHER_VERSION, "refused")
            return
        self._contact = "asking"
        link = self._random(suite.SECRET)
        request = self._resume(link) if self.entered else self._join(link)
        knock = handshake.knock(request, self._ledger.room, hello, self._hello)
        self._effects.append(steps.Send(steps.UPLINK, knock))
        self._channel = Channel(link, self._hello, up=True)

    def _join(self, link: bytes) -> frames.Join:
        unsigned = frames.Join(link, self._me.key, self._leaves[0].public, self._wanted, bytes(SIGNATURE))
        content = handshake.join_content(self._hello, unsigned)
        return frames.Join(link, self._me.key, unsigned.leaf, self._wanted, self._me.sign(identity.JOIN, content))

    def _resume(self, link: bytes) -> frames.Resume:
        member, leaf, epoch = self._me.id, self._leaves[0].public, self._keys.number
        index, digest = self._ledger.index, self._ledger.digest
        unsigned = frames.Resume(link, member, leaf, epoch, index, digest, bytes(SIGNATURE))
        signature = self._me.sign(identity.RESUME, handshake.resume_content(self._hello, unsigned))
        return frames.Resume(link, member, leaf, epoch, index, digest, signature)

    def _refused(self, refused: frames.Refused) -> None:
        expect(self._contact == "asking", "a refusal for one who was in")
        if refused.reason == "unknown" and self.entered:
            self._come_as_stranger()
            self._effects.append(steps.Drop(steps.UPLINK, "our place there was given up"))
        elif refused.reason == "nick-taken" and self._missed is not None and self._wanted:
            self._wanted = ""  # somebody took it while we were away: back in under any nick
            self._effects.append(steps.Drop(steps.UPLINK, "our nick there was taken"))
        else:
            self._fail(_REFUSALS[refused.reason], "kicked" if refused.reason == "kicked" else "refused")

    def _come_as_stranger(self) -> None:
        """We were away for too long, so that our place is gone: back in as somebody new, under the same nick."""
        self._wanted = self._my.nick
        self._missed = self._ledger.index
        self._give_back_pending()
        self._be_somebody()
        self._certain = 0
        self._epoch = None
        self._turning = False
        self._phase = "outside"

    def _welcomed(self, welcomed: frames.Welcome) -> None:
        expect(self._contact == "asking" and self._arrival is None, "a second welcome")
        expect(self.entered or not welcomed.past, "a past for one who has none")
        self._past = welcomed.past
        self._arrival = welcome.Arrival(welcomed, self._leaves[0], self._ledger.room, self._hello)

    def _page(self, page: frames.Page) -> None:
        if self._arrival is None:
            raise PeerFault("a page of no welcome")
        state = self._arrival.take(page)
        if state is not None:
            self._arrival = None
            self._arrive(state)

    def _arrive(self, state: frames.State) -> None:
        """We know the room as it is now; perhaps not yet how it came to be so."""
        expect(names.is_room_name(state.name), "a room name that is none")
        ledger = Ledger(self._ledger.room)
        for seat in state.seats:
            ledger.seat(seat.key, seat.nick, seat.leaf, seat.counter, away=seat.away)
        me = ledger.roster.get(self._me.id)
        asked = self.entered or (me is not None and me.nick in self._nicks_for_me())
        expect(me is not None and asked, "a roster without us, or with another nick for us")
        expect(state.host != self._me.id, "us as its host")
        expect(self._ledger.host in (b"", state.host), "another host than before")
        ledger.name, ledger.host, ledger.locked, ledger.epoch = state.name, state.host, state.locked, state.epoch
        head = self._check_head(state.head, ledger)
        expect(head.place >= self._ledger.index, "a log that has become shorter")
        expect(state.epoch >= self._ledger.epoch, "an epoch that is over")
        ledger.start_at(head.place, head.digest)
        epoch = welcome.epoch_of(state)
        self._expect_no_step_back(ledger, epoch)
        if self._past:
            self._contact = "missing"
            self._arrived = epoch, head
            self._go_up()
            self._close_gap()
        else:
            self._settle(ledger, epoch, head)

    def _expect_no_step_back(self, ledger: Ledger, epoch: Epoch) -> None:
        """What was shown once could be ordered again, if authors had their counters and chains of before."""
        for member in ledger.roster:
            known = self._ledger.roster.get(member.id)
            expect(known is None or member.counter >= known.counter, "a member with a counter of before")
            if self._epoch is not None and self._epoch.number == epoch.number and member.id != self._me.id:
                chain = self._epoch.chains.get(member.id)
                again = chain is not None and epoch.chains[member.id].generation < chain.generation
                expect(not again, "a member with keys of before")

    def _settle(self, ledger: Ledger, epoch: Epoch, head: _Head) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        missed = self._ledger.index if self.entered else self._missed
        self._ledger, self._missed = ledger, None
        self._take_keys(epoch, head)
        self._go_up()
        self._link("up", "")
        self._enter()
        if missed is not None:
            text = f"You were away for too long: {head.place - missed} entries of the room are missing here."
            self._tell(events.Notice(room=self.label, text=text))
            for counter in [counter for counter in self._pending if counter <= self._my.counter]:
                del self._pending[counter]  # it has its place among what we missed
        self._catch_up()
        waiting, self._waiting = self._waiting, []
        for typed in waiting:
            self._typed(typed)

    def _take_keys(self, epoch: Epoch, head: _Head) -> None:
        if self._epoch is not None and self._epoch.number == epoch.number:
            epoch.chains[self._me.id] = self._epoch.chains[self._me.id]  # of which more is used up than the host knows
        self._epoch = epoch
        self._turning = False
        self._last_head = head

    def _nicks_for_me(self) -> tuple[str, ...]:
        """What a host may call us when it lets us in."""
        return (self._wanted,) if self._wanted else self._ledger.roster.nicks_of(self._me.key)

    def _resumed(self, resumed: frames.Resumed) -> None:
        expect(self._contact == "asking" and self.entered and self._arrival is None, "a resumption not asked for")
        expect(not self._turning, "a resumption in an epoch that is over")
        expect(resumed.index >= self._ledger.index, "a log that has become shorter")
        self._target = resumed.index
        self._go_up()
        self._link("up", "")
        self._catch_up()

    def _catch_up(self) -> None:
        """Once we know everything that has its place, what of ours has none goes out again."""
        self._contact = "up" if self._ledger.index >= self._target else "catching up"
        self._send_pending()

    def _missed_entry(self, past: frames.Past) -> None:
        """An entry that we have missed, as it was opened by others; what the head signs for must come of it."""
        expect(self._arrived is not None, "a past of no welcome")
        header = Header.unpack(past.header)
        author, content = self._ledger.open(header, past.body)
        self._step(author, header, content, past.body)
        if not self.over:
            self._close_gap()

    def _close_gap(self) -> None:
        """Once we have all that we had missed, we go on in the epoch that the welcome let us into."""
        assert self._arrived is not None, "a welcome told of a past"
        epoch, head = self._arrived
        if self._ledger.index < head.place:
            return
        expect(self._ledger.digest == head.digest, "a past that leads to another log")
        expect(self._ledger.epoch == epoch.number, "a welcome to another epoch than the log's")
        self._arrived = None
        self._take_keys(epoch, head)
        self._link("up", "")
        self._target = head.place
        self._catch_up()

    # --- what goes to the host

    def _submit(self, body: frames.Body, text: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        if isinstance(body, frames.Nick):
            if self._counter - self._certain >= limits.SKIPPED:
                self._error(_DENIALS["too-often"], re)
                return
        else:
            self._certain = self._counter + 1
        counter = self._note(body, text, re)
        if self._contact == "up" and not self._turning:
            self._send(counter)

    def _send_pending(self) -> None:
        if self._contact == "up" and not self._turning:
            for counter in self._pending:
                self._send(counter)

    def _send(self, counter: int) -> None:
        sealed = self._seal(counter)
        self._uplink(frames.Submit(sealed.epoch, sealed.payload))

    # --- what the host orders

    def _logged(self, header: Header, payload: bytes) -> None:
        """An entry is kept until a head covers it."""
        if header.kind == HEAD:
            self._covered(self._keys.open_head(header, payload))
            return
        expect(len(self._uncovered) < limits.UNCOVERED, "too many entries without a head")
        self._uncovered.append((header, payload))

    def _covered(self, text: bytes) -> None:
        """What the host signs for: everything so far, checked as it should have done before ordering it."""
        head = self._check_head(text, self._ledger)
        uncovered, self._uncovered = self._uncovered, []
        for header, payload in uncovered:
            expect(not self._turning, "an entry of an epoch that is over")
            author, content, body = self._open_entry(header, payload)
            if isinstance(content.body, frames.Joined):
                newcomer = identity.member_id(content.body.key)
                expect(newcomer not in self._keys.chains, "one who joins twice in an epoch")
            self._step(author, header, content, body)
            if self.over:
                return
            if isinstance(content.body, frames.Joined):
                self._keys.admit(identity.member_id(content.body.key))
            elif isinstance(content.body, frames.Commit):
                self._turning, self._idle_commit = True, not content.body.removed
        expect((head.place, head.digest) == (self._ledger.index, self._ledger.digest), "a head for another log")
        self._last_head = head
        if self._contact == "catching up":
            self._catch_up()

    def _check_head(self, text: bytes, ledger: Ledger) -> _Head:
        head = _Head.read(text)
        key = ledger.member(ledger.host).key
        expect(identity.signed(identity.HEAD, ledger.room, text[:48], text[48:], key), "a forged head")
        expect(head.place < frames.COUNTS, "a log longer than any")
        last = self._last_head
        if head.place == last.place and head.digest != last.digest:
            self.evidence.append((last.text, head.text))
            raise PeerFault("two logs, and signed for both")
        expect(head.time >= last.time, "a head that is older than the last")
        return head

    def _open_entry(self, header: Header, payload: bytes) -> tuple[Member, frames.Content, bytes]:
        """An entry of another's, with the key for it; of our own we know what it says."""
        if header.author != self._me.id:
            body = self._keys.open_entry(header, payload)
            return *self._ledger.open(header, body), body
        pending = self._pending.get(header.counter)
        sealed = pending.sealed if pending else None
        if sealed is None or sealed.payload != payload:
            raise PeerFault("an entry of our own that we never sent")
        return self._my, sealed.content, sealed.body

    def _step(self, author: Member, header: Header, content: frames.Content, body: bytes) -> None:
        """The log is one entry longer."""
        self._ledger.check(author, header, content)
        if author.id == self._me.id:
            self._certain = max(self._certain, header.counter)
            self._notice_lost_denials(header.counter)
            expect(header.counter == min(self._pending, default=None), "our own entries in another order")
        if self._ledger.is_foreign(content):
            self._doubt(author, header, body)
        self._ledger.advance(header, body)
        self._apply(author, header, content)

    def _notice_lost_denials(self, counter: int) -> None:
        """What was denied on a link that broke is known by what of ours was ordered after it."""
        for before in [at for at, pending in self._pending.items() if at < counter and pending.deniable]:
            self._error(_LOST_DENIAL, self._pending.pop(before).re)

    def _denied(self, denied: frames.Denied) -> None:
        pending = self._pending.pop(denied.counter, None)
        if pending is None:
            raise PeerFault("a denial of what was never asked")
        lost = denied.reason == "repeated" and pending.deniable
        self._error(_LOST_DENIAL if lost else _DENIALS[denied.reason], pending.re)
        if pending.text is not None:
            self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))

    # --- a new epoch

    def _slice(self, sliced: frames.Slice) -> None:
        """Our share of a commit: with it we are in the next epoch, in which what has no place yet goes out again."""
        expect(self._turning, "a slice of no commit")
        standing, members = self._ledger.standing(), [member.id for member in self._ledger.roster]
        secret, tag = self._open_slice(sliced.box, standing)
        self._epoch, mine = self._keys.next(secret, standing, members)
        commit.confirm(mine, tag)
        self._turning = False
        if self._idle_commit and len(members) <= limits.RENEWING:
            self._renew_leaf()
        self._send_pending()

    def _open_slice(self, box: bytes, standing: bytes) -> tuple[bytes, bytes]:
        """With the leaf that the host knew when it sealed it; those before that one are gone then."""
        epoch = self._keys.number + 1
        for at, leaf in enumerate(self._leaves):
            try:
                opened = commit.open_slice(box, leaf, self._ledger.room, self._me.id, epoch, standing)
            except PeerFault:
                continue
            del self._leaves[at + 1 :]
            return opened
        raise PeerFault("a slice that does not open")

    def _renew_leaf(self) -> None:
        self._leaves.insert(0, suite.LeafKey(self._random(suite.SECRET)))
        if self._contact != "none":
            self._uplink(frames.Leaf(self._leaves[0].public))
        self._note(frames.Renew(suite.digest(self._leaves[0].public)), None, UNSET)

    # --- a host that lies

    def _doubt(self, author: Member, header: Header, body: bytes) -> None:
        """Somebody was shown another log than we, and yet our host has ordered what it wrote there."""
        if len(self.evidence) == limits.EVIDENCE:
            return  # the room is marked, and the user has been told often enough
        self.evidence.append((header.pack(), body, author.key))
        reason = f"{author.nick} was shown other messages than you: the host tells different members different things."
        self._alarm(reason)

    def _alarm(self, reason: str) -> None:
        self._tell(events.Alarm(room=self.label, member=identity.spell(self._ledger.host), reason=reason))

    def _distrust(self, reason: str) -> None:
        """The host broke a rule that its program keeps, so it is none to stay with."""
        self._alarm(f"The host sent {reason}.")
        if self.entered:
            self._out("lost")
        else:
            self._fail(errors.Refused("its host does not keep to the protocol"), "lost")
