"""The host's part of a room: who is linked, who is away, what gets its place, and the heads that sign for it."""

from dataclasses import dataclass

from msgspec import UNSET

from anonp2p import limits
from anonp2p.core import admission, events, frames, identity, names, steps
from anonp2p.core.ledger import FIRST, expect
from anonp2p.core.life import Life
from anonp2p.core.log import Log
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


class Hosting(Life):
    """A room of which we may be the host."""

    def _prepare_hosting(self) -> None:
        self.log = Log(FIRST)
        self._reachable = False
        self._links: dict[int, bytes] = {}  # members by link
        self._absences: dict[bytes, _Absence] = {}  # members without one
        self._renames: dict[bytes, Pace] = {}  # of members who have changed their nick
        self._born = 0.0  # when the room was created
        self._head_at: float | None = None  # when the next head is due, though nothing happens

    def end_burst(self, now: steps.Now) -> None:
        """Signs what was ordered since the last time, if anything was: one head for all of it."""
        if not self.log.is_sealed:
            self._now = now
            self.log.seal(self._signed_head())

    def _open(self, name: str) -> None:
        """The room begins, with us alone in it."""
        nick = self._wanted or self._ledger.roster.nick_for(self._me.key)
        assert nick is not None, "no nick is taken in an empty room"
        self._ledger.name = name
        self._ledger.host = self._ledger.seat(self._me.key, nick).id
        self._born = self._now.tick
        self._head_at = self._now.tick + limits.BEAT
        self._enter()

    def _published(self, _: steps.Published) -> None:
        self._reachable = True
        self._tell(events.Reachable(room=self.label, re=self._re))

    def _close_hosting(self) -> None:
        """Nothing is due any more."""
        self._head_at = None
        self._absences.clear()

    # --- members and their links

    def _asked(self, event: steps.Asked) -> None:
        """Somebody wants in, or in again."""
        nick, cursor = "", None
        try:
            if isinstance(event.request, frames.Resume):
                member, cursor = admission.resumption(self._ledger, self.log, event.nonce, event.request)
            else:
                nick = admission.nick_for(self._ledger, event.nonce, event.request)
                member = identity.member_id(event.request.key)
        except admission.NotAdmitted as refusal:
            refused = frames.encode(frames.Refused(refusal.reason))
            self._effects.append(steps.Finish(event.link, refused))
            return
        self._unlink(member)
        if isinstance(event.request, frames.Join) and self._ledger.roster.get(member) is None:
            self._place(frames.Joined(event.request.key, nick))
        elif self._ledger.member(member).away:
            self._place(frames.Back(member))
        self._links[event.link] = member
        if cursor is None:
            self._effects.append(steps.Admit(event.link, self._ledger.greeting(), self.log.end))
        else:
            resumed = frames.encode(frames.Resumed(self._ledger.index))
            self._effects.append(steps.Admit(event.link, resumed, cursor))

    def _unlink(self, member: bytes) -> None:
        """Whatever link this member had before, it has another now."""
        self._absences.pop(member, None)
        for link in [link for link, linked in self._links.items() if linked == member]:
            del self._links[link]
            self._effects.append(steps.Drop(link, "its member dialled again"))

    def _lose_link(self, event: steps.Dropped) -> None:
        """A member's link is gone; the member has time to come back on another."""
        member = self._links.pop(event.link, None)
        if member is not None:
            heard = self._now.tick - event.silence
            self._absences[member] = _Absence(heard + limits.AWAY, heard + limits.PLACE)

    def _expel(self, link: int) -> None:
        """Who broke a rule is no member any more."""
        member = self._links.pop(link, None)
        if member is not None:
            self._place(frames.Lost(member))
            self._place(frames.Removed(member))

    def _due(self) -> list[float]:
        """When something has to be done, though nothing happens."""
        heads = [] if self._head_at is None else [self._head_at]
        return heads + [absence.due for absence in self._absences.values()]

    def _do_what_is_due(self) -> None:
        now = self._now.tick
        late = [(member, absence) for member, absence in self._absences.items() if absence.due <= now]
        for member, absence in late[: limits.MAILBOX]:  # the rest at once, after a head: members hold only so many
            if absence.called:
                del self._absences[member]
                self._place(frames.Removed(member))
            else:
                absence.called = True
                self._place(frames.Lost(member))
        if self._head_at is not None and now >= self._head_at:
            self._effects.append(steps.Pulse(self._signed_head()))

    # --- order

    def _place(self, body: frames.Body, text: str | None = None, re: events.Re = UNSET) -> None:
        """An entry of our own gets the next place."""
        content, submit, _ = self._signed(body, text, re)
        self._order(self._my, content, submit.content, submit.signature)

    def _take(self, link: int, frame: frames.Frame) -> None:
        """What came on a link. A broken rule costs its member the place, and nobody else anything."""
        try:
            self._submitted(link, frame)
        except PeerFault as fault:
            self._effects.append(steps.Drop(link, str(fault)))
            self._expel(link)

    def _submitted(self, link: int, submit: frames.Frame) -> None:
        """A member's entry gets its place, or a denial that only its author sees."""
        if link not in self._links or not isinstance(submit, frames.Submit):
            return  # sent before its author learned that it is out
        author, content = self._ledger.open(submit.content, submit.signature)
        expect(author.id == self._links[link], "an entry of somebody else")
        denial = self._denial(author, content)
        if denial is not None:
            author.counter = max(author.counter, content.counter)
            self._effects.append(steps.Send(link, frames.encode(frames.Denied(content.counter, denial))))
            return
        self._ledger.check(author, content)
        self._order(author, content, submit.content, submit.signature)
        if isinstance(content.body, frames.Leave):
            del self._links[link]
            self._effects.append(steps.Finish(link))

    def _denial(self, author: Member, content: frames.Content) -> frames.Reason | None:
        """What an honest member may come to send without getting a place for it: another was faster."""
        if content.counter <= author.counter:
            return "repeated"
        body = content.body
        if isinstance(body, frames.Nick) and names.is_nick(body.nick):
            if self._ledger.roster.is_taken(body.nick, author.id):
                return "nick-taken"
            pace = self._renames.setdefault(author.id, Pace(limits.NICK_BURST, limits.NICK_RATE))
            if pace.take(self._now.tick):
                return "too-often"
        return None

    def _order(self, author: Member, content: frames.Content, sealed: bytes, signature: bytes) -> None:
        """The next place is this entry's."""
        self._ledger.advance(sealed, signature)
        self.log.append(frames.encode(frames.Entry(self._ledger.index, sealed, signature)), self._ledger.digest)
        self._apply(author, content)
        if isinstance(content.body, frames.Leave | frames.Removed):
            self._renames = {member: pace for member, pace in self._renames.items() if self._ledger.roster.get(member)}

    def _signed_head(self) -> bytes:
        """How far the log is, and when, signed. Puts off the next one that is due though nothing happens."""
        index, digest = self._ledger.index, self._ledger.digest
        jitter = limits.BEAT_JITTER * digest[0] / 255  # rooms that know nothing of each other do not beat together
        self._head_at = self._now.tick + limits.BEAT * (1 - jitter) if self._head_at is not None else None
        time = int((self._now.tick - self._born) * 1000)
        signature = self._me.sign(identity.HEAD, frames.head_content(index, digest, time))
        return frames.encode(frames.Head(index, digest, time, signature))
