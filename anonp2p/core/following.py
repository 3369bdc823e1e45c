"""The member's part of a room: getting in, coming back, and holding the host to its word."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import events, frames, identity, names, steps
from anonp2p.core.ledger import Ledger, expect
from anonp2p.core.life import Life
from anonp2p.errors import PeerFault

Contact = Literal["none", "asking", "catching up", "up"]

# What a host's words mean to the one it refuses.
_REFUSALS: dict[frames.Reason, errors.AnonError] = {
    "bad-nick": errors.BadNick(),
    "nick-taken": errors.NickTaken(),
    "not-allowed": errors.NotAllowed("The host does not allow that."),
    "signature": errors.Refused("our signature did not convince it"),
    "full": errors.Refused("it is full"),
    "repeated": errors.NotAllowed("The host took that for a repetition."),
    "unknown": errors.Refused("it does not know us any more"),
    "too-often": errors.NotAllowed("That was a change of nick too many for now: wait a little."),
}
_LOST_DENIAL = errors.NotAllowed("The host did not take that nick.")  # why, it said on a link that broke
_OTHER_VERSION = errors.Refused("it speaks another version of the protocol, so one of you needs a newer program")


class Following(Life):
    """A room of which somebody else may be the host."""

    def _prepare_following(self) -> None:
        self._contact: Contact = "none"
        self._attempt = 0
        self._arriving = self._ledger  # what a host that lets us in tells of the room, before its welcome
        self._missed: int | None = None  # index of the last entry we had, while we come back as somebody new
        self._target = 0  # index up to which we have to catch up before we send anything
        self._uncovered: list[frames.Entry] = []  # entries that no head covers yet
        self._time = 0  # of the latest head, ms
        self._frame_handlers: dict[type[Any], Callable[[Any], None]] = {
            frames.Hello: self._hello,
            frames.Refused: self._refused,
            frames.Roster: self._seats,
            frames.Welcome: self._welcome,
            frames.Resumed: self._resumed,
            frames.Entry: self._entry,
            frames.Head: self._head,
            frames.Denied: self._denied,
        }

    def _hear(self, frame: frames.Frame) -> None:
        """What came from the host. If it broke a rule, it is none to stay with."""
        try:
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
        if self._phase == "leaving":
            self._out("left")
        elif self._phase == "in" and was != "none":
            self._link("lost", event.detail)

    def _uplink(self, data: bytes) -> None:
        self._effects.append(steps.Send(steps.UPLINK, data))

    # --- getting in, coming back

    def _hello(self, hello: frames.Hello) -> None:
        expect(self._contact == "none", "a second hello")
        if hello.version != frames.VERSION:
            self._fail(_OTHER_VERSION, "refused")
            return
        self._contact = "asking"
        self._arriving = Ledger(self._ledger.room)
        if self.entered:
            index, digest = self._ledger.index, self._ledger.digest
            position = index.to_bytes(8, "big") + digest
            signature = self._me.sign(identity.RESUME, hello.nonce + position)
            self._uplink(frames.encode(frames.Resume(self._me.id, index, digest, signature)))
        else:
            signature = self._me.sign(identity.JOIN, hello.nonce + self._wanted.encode())
            self._uplink(frames.encode(frames.Join(self._me.key, self._wanted, signature)))

    def _refused(self, refused: frames.Refused) -> None:
        expect(self._contact == "asking", "a refusal for one who was in")
        if refused.reason == "unknown" and self.entered:
            self._come_as_stranger()
            self._effects.append(steps.Drop(steps.UPLINK, "our place there was given up"))
        elif refused.reason == "nick-taken" and self._missed is not None and self._wanted:
            self._wanted = ""  # somebody took it while we were away: back in under any nick
            self._effects.append(steps.Drop(steps.UPLINK, "our nick there was taken"))
        else:
            self._fail(_REFUSALS[refused.reason], "refused")

    def _come_as_stranger(self) -> None:
        """We were away for too long, so that our place is gone: back in as somebody new, under the same nick."""
        self._wanted = self._my.nick
        self._missed = self._ledger.index
        self._me = self._fresh()
        self._counter = 0
        self._give_back_pending()
        self._phase = "outside"

    def _seats(self, page: frames.Roster) -> None:
        expect(self._contact == "asking", "a roster for one who was in")
        for seat in page.seats:
            self._arriving.seat(seat.key, seat.nick, seat.counter, away=seat.away)

    def _welcome(self, welcome: frames.Welcome) -> None:
        """In: for the first time, as somebody new, or too far on in the log to be told all between."""
        expect(self._contact == "asking", "a second welcome")
        expect(names.is_room_name(welcome.name), "a room name that is none")
        ledger = self._arriving
        me = ledger.roster.get(self._me.id)
        asked = self.entered or (me is not None and me.nick in self._nicks_for_me())
        expect(me is not None and asked, "a roster without us, or with another nick for us")
        expect(welcome.host != self._me.id and ledger.roster.get(welcome.host) is not None, "a host who is no member")
        missed = self._ledger.index if self.entered else self._missed
        ledger.name, ledger.host = welcome.name, welcome.host
        ledger.index, ledger.digest = welcome.index, welcome.digest
        self._ledger, self._missed, self._time = ledger, None, 0
        self._link("up", "")
        self._enter()
        if missed is not None:
            text = f"You were away for too long: {max(0, welcome.index - missed)} entries of the room are missing here."
            self._tell(events.Notice(room=self.label, text=text))
            for counter in [counter for counter in self._pending if counter <= self._my.counter]:
                del self._pending[counter]  # it has its place among what we missed
        self._resume_sending()
        waiting, self._waiting = self._waiting, []
        for typed in waiting:
            self._typed(typed)

    def _nicks_for_me(self) -> tuple[str, ...]:
        """What a host may call us when it lets us in."""
        return (self._wanted,) if self._wanted else self._ledger.roster.nicks_of(self._me.key)

    def _resumed(self, resumed: frames.Resumed) -> None:
        expect(self._contact == "asking" and self.entered, "a resumption that was not asked for")
        expect(resumed.index >= self._ledger.index, "a log that has become shorter")
        self._contact = "catching up"
        self._target = resumed.index
        self._link("up", "")
        self._resume_sending()

    def _resume_sending(self) -> None:
        """Once we know everything that has its place, what of ours has none goes out again."""
        if self._contact == "asking" or self._ledger.index >= self._target:
            self._contact = "up"
            for pending in self._pending.values():
                self._uplink(pending.submit)

    # --- what the host orders

    def _submit(self, body: frames.Body, text: str | None, re: events.Re) -> None:
        """Hands an entry of ours to the host, now or when it can be."""
        _, _, encoded = self._signed(body, text, re)
        if self._contact == "up":
            self._uplink(encoded)

    def _entry(self, entry: frames.Entry) -> None:
        """The next entry, kept until a head covers it."""
        expect(self._contact in ("catching up", "up"), "an entry before the welcome")
        expect(entry.index == self._ledger.index + len(self._uncovered) + 1, "an entry out of its place")
        expect(len(self._uncovered) < limits.UNCOVERED, "too many entries without a head")
        self._uncovered.append(entry)

    def _head(self, head: frames.Head) -> None:
        """What the host signs for: everything so far, checked as it should have done before ordering it."""
        expect(self._contact in ("catching up", "up"), "a head before the welcome")
        content = frames.head_content(head.index, head.digest, head.time)
        key = self._ledger.member(self._ledger.host).key
        expect(identity.signed(identity.HEAD, self._ledger.room, content, head.signature, key), "a forged head")
        expect(head.time >= self._time, "a head that is older than the last")
        self._time = head.time
        uncovered, self._uncovered = self._uncovered, []
        for entry in uncovered:
            author, opened = self._ledger.open(entry.content, entry.signature)
            self._ledger.check(author, opened)
            if author.id == self._me.id:
                self._notice_lost_denials(opened.counter)
                expect(opened.counter == min(self._pending, default=None), "our own entries in another order")
            self._ledger.advance(entry.content, entry.signature)
            self._apply(author, opened)
            if self.over:
                return
        expect((head.index, head.digest) == (self._ledger.index, self._ledger.digest), "a head for another log")
        if self._contact == "catching up":
            self._resume_sending()

    def _notice_lost_denials(self, counter: int) -> None:
        """What was denied on a link that broke is known by what of ours was ordered after it."""
        for before in [at for at, pending in self._pending.items() if at < counter and pending.deniable]:
            self._error(_LOST_DENIAL, self._pending.pop(before).re)

    def _denied(self, denied: frames.Denied) -> None:
        pending = self._pending.pop(denied.counter, None)
        if pending is None:
            raise PeerFault("a denial of what was never asked")
        lost = denied.reason == "repeated" and pending.deniable
        self._error(_LOST_DENIAL if lost else _REFUSALS[denied.reason], pending.re)
        if pending.text is not None:
            self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))

    def _distrust(self, reason: str) -> None:
        """The host broke a rule that its program keeps, so it is none to stay with."""
        host = identity.spell(self._ledger.host)
        self._tell(events.Alarm(room=self.label, member=host, reason=f"The host sent {reason}."))
        if self.entered:
            self._out("lost")
        else:
            self._fail(errors.Refused("its host does not keep to the protocol"), "lost")
