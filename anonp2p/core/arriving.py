"""The member's way to its host: dialling, being let in, coming back, beats."""

from typing import Literal, NamedTuple

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import events, frames, handshake, identity, names, steps
from anonp2p.core.epochs import suite, welcome
from anonp2p.core.epochs.epoch import Epoch, Header
from anonp2p.core.handshake import Channel
from anonp2p.core.ledger import Ledger, expect
from anonp2p.core.life import Life
from anonp2p.core.roster import Member
from anonp2p.errors import PeerFault

# How far we are with our host. "missing": what we have missed is on its way, opened.
Contact = Literal["none", "asking", "missing", "catching up", "up"]

# What a host's words mean to the one it refuses.
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
_OTHER_VERSION = errors.Refused("it speaks another version of the protocol, so one of you needs a newer program")


class Head(NamedTuple):
    """A host's word on the log, as it was signed; place: index of the latest entry."""

    place: int
    digest: bytes
    time: int
    text: bytes

    @classmethod
    def read(cls, text: bytes) -> "Head":
        """From its 112 bytes."""
        return cls(int.from_bytes(text[:8], "big"), text[8:40], int.from_bytes(text[40:48], "big"), text)


class Arriving(Life):
    """A room into which somebody else may let us."""

    def _prepare_arriving(self) -> None:
        self._contact: Contact = "none"
        self._attempt = 0
        self._hello = b""  # hash of the one on this link
        self._channel: Channel | None = None
        self._arrival: welcome.Arrival | None = None
        self._past = False  # whether what we have missed follows the welcome
        self._arrived: tuple[Epoch, Head] | None = None  # the epoch and the head that we come to when we have it
        self._missed: int | None = None  # index of the last entry we had, while we come back as somebody new
        self._target = 0  # index up to which we have to catch up before we send anything
        self._turning = False  # between a commit and our slice of it
        self._beat_at: float | None = None  # when the host has to hear from us again
        self._last_head = Head(-1, b"", 0, b"")
        self._certain = 0  # counter of the last of ours that no host denies: not too many may be left out after it

    def _send_pending(self) -> None:
        """Sends what of ours has no place yet, if it is time."""
        raise NotImplementedError

    def _step(self, author: Member, header: Header, content: frames.Content, body: bytes) -> None:
        """Makes the log one entry longer. Raises PeerFault."""
        raise NotImplementedError

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
        unsigned = frames.Join(link, self._me.key, self._leaves[0].public, self._wanted, bytes(identity.SIGNATURE))
        content = handshake.join_content(self._hello, unsigned)
        return frames.Join(link, self._me.key, unsigned.leaf, self._wanted, self._me.sign(identity.JOIN, content))

    def _resume(self, link: bytes) -> frames.Resume:
        member, leaf, epoch = self._me.id, self._leaves[0].public, self._keys.number
        index, digest = self._ledger.index, self._ledger.digest
        unsigned = frames.Resume(link, member, leaf, epoch, index, digest, bytes(identity.SIGNATURE))
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

    def _settle(self, ledger: Ledger, epoch: Epoch, head: Head) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        missed = self._ledger.index if self.entered else self._missed
        self._ledger, self._missed = ledger, None
        self._take_keys(epoch, head)
        self._go_up()
        self._link("up", "")
        self._enter()
        if missed is not None:
            text = f"{head.place - missed} entries of the room are missing here."
            why = "You were away for too long, or read too slowly to keep up"
            self._tell(events.Notice(room=self.label, text=f"{why}: {text}"))
            for counter in [counter for counter in self._pending if counter <= self._my.counter]:
                del self._pending[counter]  # it has its place among what we missed
        self._catch_up()
        waiting, self._waiting = self._waiting, []
        for typed in waiting:
            self._typed(typed)

    def _take_keys(self, epoch: Epoch, head: Head) -> None:
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

    def _check_head(self, text: bytes, ledger: Ledger) -> Head:
        head = Head.read(text)
        key = ledger.member(ledger.host).key
        expect(identity.signed(identity.HEAD, ledger.room, text[:48], text[48:], key), "a forged head")
        expect(head.place < frames.COUNTS, "a log longer than any")
        last = self._last_head
        if head.place == last.place and head.digest != last.digest:
            self.evidence.append((last.text, head.text))
            raise PeerFault("two logs, and signed for both")
        expect(head.time >= last.time, "a head that is older than the last")
        return head
