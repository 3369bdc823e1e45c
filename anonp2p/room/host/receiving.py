"""The host's links: who is greeted, let in, shown the room, lost."""

from dataclasses import dataclass

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames, welcome
from anonp2p.protocol.handshake import Channel, Door, Greeting
from anonp2p.room import effects, inputs
from anonp2p.room.host import admission
from anonp2p.room.host.allowance import Allowance
from anonp2p.room.life import Life
from anonp2p.room.log.history import History
from anonp2p.room.log.log import Log, Reader


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


class Receiving(Life):
    """A room into which we may let others."""

    def _prepare_receiving(self) -> None:
        self.log = Log()
        self._door = Door(self._ledger.room, self._random)
        self._greetings: dict[int, Greeting] = {}  # of strangers, by link
        self._links: dict[int, Linked] = {}
        self._absences: dict[bytes, Absence] = {}  # of members without a link
        self._allowances: dict[bytes, Allowance] = {}  # of all members but ourselves
        self._doomed: set[bytes] = set()  # members whom the next commit removes
        self._kicked: set[bytes] = set()  # who was thrown out: one without a link learns it when it comes back
        self._history: History | None = None
        self._dummy_at: float | None = None  # when some link carries cover

    def _place(self, body: frames.Body) -> None:
        """An entry of our own gets the next place."""
        raise NotImplementedError

    def _make_room(self) -> bool:
        """Has members give up their places for a newcomer, if there are some who have to; whether there were."""
        raise NotImplementedError

    def _end_burst(self) -> None:
        """What was ordered goes out, under a head for all of it."""
        raise NotImplementedError

    def _head(self, time: int) -> bytes:
        """How far the log is, and when, signed."""
        raise NotImplementedError

    def _room_time(self) -> int:
        """Milliseconds since the room was created."""
        raise NotImplementedError

    def _heard_member(self, link: int, linked: Linked, payload: bytes) -> None:
        """What a member says. Raises PeerFault."""
        raise NotImplementedError

    def _linked(self, event: inputs.Linked) -> None:
        """A stranger: it is greeted, and may knock."""
        greeting = self._greetings[event.link] = self._door.greet(self._now.tick)
        self._effects.append(effects.Send(event.link, greeting.wire))

    def _take(self, link: int, payload: bytes) -> None:
        """What came on a link. A broken rule costs its member the place, and nobody else anything."""
        try:
            if greeting := self._greetings.pop(link, None):
                self._knocked(link, greeting, payload)
            elif linked := self._links.get(link):
                self._heard_member(link, linked, payload)
        except PeerFault as fault:
            self._effects.append(effects.Drop(link, str(fault)))
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
            self._effects.append(effects.Finish(link, channel.seal([frames.Refused(refusal.reason)])))

    def _let_in(self, link: int, channel: Channel, hello: bytes, join: frames.Join) -> None:
        member = identity.member_id(join.key)
        self._turn_away(member)
        try:
            nick = admission.nick_for(self._ledger, hello, join, self._absences)
        except admission.NotAdmitted as refusal:
            if refusal.reason != "full" or not self._make_room():
                raise
            nick = admission.nick_for(self._ledger, hello, join, self._absences)
        if member in self._doomed:
            raise admission.NotAdmitted("not-allowed")
        self._unlink(member)
        if self._ledger.roster.get(member) is None:
            if member in self._keys.chains:
                raise admission.NotAdmitted("not-allowed")  # it has left, and its keys are used up
            leaf = suite.digest(join.leaf)
            self._shown[leaf] = join.leaf
            self._place(frames.Joined(join.key, nick, leaf))
        elif self._ledger.member(member).away:
            self._place(frames.Back(member))
        self._welcome(link, channel, hello, member, join.leaf)

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
            resumed = frames.Resumed(self._ledger.index, self._room_time())
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
            since = self._ledger.index
        reader = Reader(self.log, since + 1, member, leaf, channel, self.log.end)
        state, key = self._state(since, base), self._random(suite.SECRET)
        sealed = welcome.seal(state, leaf, self._ledger.room, hello, key, self._me.sign)
        self._admit(link, channel, reader, member, sealed)

    def _admit(self, link: int, channel: Channel, reader: Reader, member: bytes, said: list[frames.Frame]) -> None:
        self._links[link] = Linked(member, channel, reader)
        self._put_off_dummy()
        self._effects.append(effects.Admit(link, channel, tuple(said), reader))
        self._pause(link, member)  # what it owes from another link

    def _pause(self, link: int, member: bytes, *, units: int = 0, entries: int = 0, answers: int = 0) -> None:
        """Who has caused more than it may is read no further for a while: nothing of it is lost, and nobody waits."""
        allowance = self._allowances[member]
        if seconds := allowance.take(self._now.tick, units=units, entries=entries, answers=answers):
            self._effects.append(effects.Pause(link, seconds))

    def _state(self, since: int, base: frames.Base | None) -> frames.State:
        keys, ledger = self._keys, self._ledger
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
            self._head(self._room_time()),
            seats,
            since,
            base,
        )

    def _unlink(self, member: bytes) -> None:
        """Whatever link this member had before, it has another now."""
        self._absences.pop(member, None)
        for link in [link for link, linked in self._links.items() if linked.member == member]:
            del self._links[link]
            self._effects.append(effects.Drop(link, "its member dialled again"))

    def _lose_link(self, event: inputs.Dropped) -> None:
        """A member's link is gone; the member has time to come back on another."""
        self._greetings.pop(event.link, None)
        linked = self._links.pop(event.link, None)
        if linked is not None:
            self._absences[linked.member] = Absence(self._now.tick - event.silence)

    def _expel(self, link: int) -> None:
        """Who broke a rule has no say any more, and no place from the next commit on."""
        linked = self._links.pop(link, None)
        if linked is not None:
            self._place(frames.Lost(linked.member))
            self._doomed.add(linked.member)

    def _say_nothing(self) -> None:
        """Cover on some link, as if each had its own dice."""
        if self._dummy_at is not None and self._now.tick >= self._dummy_at:
            links = list(self._links)
            if links:
                dice = int.from_bytes(self._random(8), "big")
                self._effects.append(effects.Record(links[dice % len(links)], echo=True))
            self._put_off_dummy()

    def _put_off_dummy(self) -> None:
        if self._cover:
            self._dummy_at = self._now.tick + self._wait_for_cover(len(self._links)) if self._links else None
