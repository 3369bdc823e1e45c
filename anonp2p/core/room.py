"""A room: the machine that host and members run alike. Events in, effects out; see `steps` for both.

The host orders: what it has checked gets the next index and goes to everyone as it is. Everyone, the host included,
applies entries in that order and tells the user what they mean. Being host is data: who may put entries in their
places. A peer that breaks a rule raises PeerFault within: a host drops that link, a member gives up a host that lies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import admission, code, events, frames, identity, names, steps
from anonp2p.core.ledger import FIRST, Ledger, expect
from anonp2p.core.log import Log
from anonp2p.core.roster import Member
from anonp2p.errors import PeerFault

Phase = Literal["outside", "asking", "in", "leaving", "over"]
End = Literal["left", "closed", "refused", "lost", "tor"]

# What a host's words mean to the one it refuses.
_REFUSALS: dict[frames.Reason, errors.AnonError] = {
    "bad-nick": errors.BadNick(),
    "nick-taken": errors.NickTaken(),
    "not-allowed": errors.NotAllowed("The host does not allow that."),
    "signature": errors.Refused("our signature did not convince it"),
    "full": errors.Refused("it is full"),
}
_OTHER_VERSION = errors.Refused("it speaks another version of the protocol, so one of you needs a newer program")


@dataclass(slots=True, repr=False)
class _Pending:
    """An entry of ours on its way: the text to give back if it is not ordered, and the input that asked for it."""

    text: str | None
    re: events.Re


class Room:
    """One room, from asking to be let in (or creating it) to being out again.

    label: what the interface calls it in this process. key: the public key of its onion service. nick: the one asked
    for, empty for one made from our key. name: of a room that we create, as its host; None for a room that we join. re:
    the id of the input that asked for the room.
    """

    def __init__(
        self, *, label: str, key: bytes, me: identity.Identity, nick: str, name: str | None, re: events.Re = UNSET
    ) -> None:
        self.label = label
        self.code = code.encode(key)
        self.hosting = name is not None
        self.failure: errors.AnonError | None = None  # why we never got in, or had to give up
        self.log = Log(FIRST)  # a host's; a member only counts
        self._ledger = Ledger(key)
        self._name = name
        self._me = me
        self._wanted = nick
        self._re = re
        self._phase: Phase = "outside"
        self._reachable = False
        self._attempt = 0
        self._counter = 0
        self._pending: dict[int, _Pending] = {}
        self._waiting: list[steps.Typed] = []
        self._links: dict[int, bytes] = {}  # host: member by link
        self._leave_by: float | None = None
        self._leave_re: events.Re = UNSET
        self._now = steps.Now(0.0, 0.0)
        self._effects: list[steps.Effect] = []
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            steps.Start: self._start,
            steps.Published: self._published,
            steps.Dialling: self._dialling,
            steps.Asked: self._asked,
            steps.Heard: self._heard,
            steps.Dropped: self._dropped,
            steps.Broken: self._broken,
            steps.Tick: self._tick,
            steps.Say: self._say,
            steps.Rename: self._rename,
            steps.Ask: self._ask,
            steps.Leave: self._leave,
            frames.Hello: self._hello,
            frames.Refused: self._refused,
            frames.Roster: self._seats,
            frames.Welcome: self._welcome,
            frames.Entry: self._entry,
            frames.Denied: self._denied,
        }

    # --- the outside of the machine

    def handle(self, event: steps.Input, now: steps.Now) -> list[steps.Effect]:
        """Takes one event in and says what is to be done about it, in that order."""
        self._effects = []
        self._now = now
        if isinstance(event, steps.Typed):
            self._typed(event)
        elif not self.over:
            self._handlers[type(event)](event)
        return self._effects

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due, if nothing else happens before."""
        return self._leave_by

    @property
    def entered(self) -> bool:
        """Whether we have been let in and are not out yet."""
        return self._phase in ("in", "leaving")

    @property
    def settled(self) -> bool:
        """Whether what it takes to be in a room is done: for a member to be let in, for a host to be reachable."""
        return self._reachable if self.hosting else self.entered

    @property
    def over(self) -> bool:
        """Whether we are out for good."""
        return self._phase == "over"

    @property
    def outstanding(self) -> int:
        """How many inputs of ours have not got their place or their answer yet."""
        return len(self._pending) + len(self._waiting)

    # --- getting in, getting out

    def _start(self, _: steps.Start) -> None:
        if self._name is None:
            return
        nick = self._wanted or self._ledger.roster.nick_for(self._me.key)
        assert nick is not None, "no nick is taken in an empty room"
        self._ledger.name = self._name
        self._ledger.host = self._ledger.seat(self._me.key, nick).id
        self._enter()

    def _published(self, _: steps.Published) -> None:
        self._reachable = True
        self._tell(events.Reachable(room=self.label, re=self._re))

    def _dialling(self, event: steps.Dialling) -> None:
        self._phase = "outside"
        self._attempt = event.attempt
        self._link("connecting", event.detail)

    def _link(self, state: Literal["connecting", "up", "lost"], detail: str) -> None:
        re = UNSET if self.entered else self._re
        self._tell(events.Link(room=self.label, state=state, attempt=self._attempt, detail=detail, re=re))

    def _hello(self, hello: frames.Hello) -> None:
        expect(self._phase == "outside", "a second hello")
        if hello.version != frames.VERSION:
            self._fail(_OTHER_VERSION, "refused")
            return
        self._phase = "asking"
        self._ledger = Ledger(self._ledger.room)
        signature = self._me.sign(identity.JOIN, hello.nonce + self._wanted.encode())
        self._uplink(frames.Join(self._me.key, self._wanted, signature))

    def _refused(self, refused: frames.Refused) -> None:
        expect(self._phase == "asking", "a refusal for one who was in")
        self._fail(_REFUSALS[refused.reason], "refused")

    def _seats(self, page: frames.Roster) -> None:
        expect(self._phase == "asking", "a roster for one who was in")
        for seat in page.seats:
            self._ledger.seat(seat.key, seat.nick, seat.counter)

    def _welcome(self, welcome: frames.Welcome) -> None:
        ledger = self._ledger
        expect(self._phase == "asking", "a second welcome")
        expect(names.is_room_name(welcome.name), "a room name that is none")
        me = ledger.roster.get(self._me.id)
        expect(me is not None and me.nick in self._nicks_for_me(), "a roster without us, or with another nick for us")
        expect(welcome.host != self._me.id and ledger.roster.get(welcome.host) is not None, "a host who is no member")
        ledger.name, ledger.host, ledger.index = welcome.name, welcome.host, welcome.index
        self._link("up", "")
        self._enter()
        waiting, self._waiting = self._waiting, []
        for typed in waiting:
            self._typed(typed)

    def _enter(self) -> None:
        self._phase = "in"
        self._tell(
            events.Entered(
                room=self.label,
                name=self._ledger.name,
                code=self.code,
                nick=self._my.nick,
                member=identity.spell(self._me.id),
                role="host" if self.hosting else "member",
                members=self._ledger.people(),
                re=self._re,
            )
        )

    def _broken(self, event: steps.Broken) -> None:
        self._fail(event.error, "lost" if isinstance(event.error, errors.Unreachable) else "tor")

    def _fail(self, error: errors.AnonError, reason: End) -> None:
        self.failure = error
        self._error(error, UNSET if self.entered else self._re)
        self._out(reason)

    def _tick(self, _: steps.Tick) -> None:
        """The host did not confirm our leaving in time: so be it."""
        self._out("left")

    def _out(self, reason: End) -> None:
        """Out of the room: what was not ordered is given back."""
        re = self._leave_re if self._leave_re is not UNSET or self.entered else self._re
        self._phase = "over"
        self._leave_by = None
        for pending in self._pending.values():
            if pending.text is not None:
                self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))
        for typed in self._waiting:
            self._give_back(typed)
        self._pending, self._waiting = {}, []
        self._tell(events.Gone(room=self.label, reason=reason, re=re))

    # --- what the user wants

    def _typed(self, event: steps.Typed) -> None:
        """What is typed while we wait to be let in waits too; what comes too late is given back."""
        if self._phase == "in":
            self._handlers[type(event)](event)
        elif self._phase in ("leaving", "over"):
            self._give_back(event)
        elif isinstance(event, steps.Leave) and (event.now or not self._waiting):
            self._leave_re = event.re
            self._out("left")
        else:
            self._waiting.append(event)

    def _give_back(self, event: steps.Typed) -> None:
        if isinstance(event, steps.Say):
            self._tell(events.Unsent(room=self.label, text=event.text, re=event.re))
        elif not isinstance(event, steps.Leave):
            self._error(errors.NoRoom(), event.re)

    def _say(self, event: steps.Say) -> None:
        self._author(frames.Text(event.text, event.action), event.text, event.re)

    def _rename(self, event: steps.Rename) -> None:
        if event.nick == self._my.nick:
            self._tell(events.Notice(room=self.label, text=f"You are {event.nick} already.", re=event.re))
        elif self.hosting and self._ledger.roster.is_taken(event.nick, self._me.id):
            self._error(errors.NickTaken(), event.re)
        else:
            self._author(frames.Nick(event.nick), None, event.re)

    def _ask(self, event: steps.Ask) -> None:
        data: Any = self._ledger.people() if event.command == "/who" else {"code": self.code}
        self._tell(events.Reply(room=self.label, command=event.command, data=data, re=event.re))

    def _leave(self, event: steps.Leave) -> None:
        if event.close and not self.hosting:
            self._error(errors.NotAllowed("Only the host can close the room; /leave leaves it."), event.re)
            return
        self._leave_re = event.re
        self._phase = "leaving"
        if not self.hosting:
            self._leave_by = self._now.tick + limits.LEAVE
        self._author(frames.Close() if self.hosting else frames.Leave(), None, event.re)

    # --- what comes from links

    def _heard(self, event: steps.Heard) -> None:
        if isinstance(event.frame, frames.Beat):
            return
        try:
            if self.hosting:
                self._submitted(event.link, event.frame)
            else:
                self._handlers[type(event.frame)](event.frame)
        except PeerFault as fault:
            if self.hosting:
                self._effects.append(steps.Drop(event.link, str(fault)))
                self._lose(event.link)
            else:
                self._distrust(str(fault))

    def _asked(self, event: steps.Asked) -> None:
        """Host: a stranger wants in."""
        try:
            nick = admission.nick_for(self._ledger, event.nonce, event.join)
        except admission.NotAdmitted as refusal:
            refused = frames.encode(frames.Refused(refusal.reason))
            self._effects.append(steps.Finish(event.link, refused))
            return
        member = identity.member_id(event.join.key)
        for link in [link for link, linked in self._links.items() if linked == member]:
            del self._links[link]
            self._effects.append(steps.Drop(link, "its member dialled again"))
        if self._ledger.roster.get(member) is None:
            self._author(frames.Joined(event.join.key, nick), None, UNSET)
        self._links[event.link] = member
        self._effects.append(steps.Admit(event.link, self._ledger.greeting(), self.log.end))

    def _submitted(self, link: int, submit: frames.Frame) -> None:
        """Host: a member's entry gets its place, or a denial that only its author sees."""
        if link not in self._links or not isinstance(submit, frames.Submit):
            return  # sent before its author learned that it is out
        author, content = self._ledger.open(submit.content, submit.signature)
        expect(author.id == self._links[link], "an entry of somebody else")
        body = content.body
        taken = (
            isinstance(body, frames.Nick)
            and names.is_nick(body.nick)
            and self._ledger.roster.is_taken(body.nick, author.id)
        )
        if taken:
            author.counter = content.counter
            denied = frames.encode(frames.Denied(content.counter, "nick-taken"))
            self._effects.append(steps.Send(link, denied))
            return
        self._ledger.check(author, body)
        self._order(author, content, submit.content, submit.signature)
        if isinstance(body, frames.Leave):
            del self._links[link]
            self._effects.append(steps.Finish(link))

    def _dropped(self, event: steps.Dropped) -> None:
        if self.hosting:
            self._lose(event.link)
        elif self._phase == "leaving":
            self._out("left")
        elif self._phase == "in":
            self._link("lost", event.detail)
            self._out("lost")

    def _lose(self, link: int) -> None:
        """Host: whoever was on this link is no member any more."""
        member = self._links.pop(link, None)
        if member is not None:
            self._author(frames.Lost(member), None, UNSET)

    def _denied(self, denied: frames.Denied) -> None:
        pending = self._pending.pop(denied.counter, None)
        if pending is None:
            raise PeerFault("a denial of what was never asked")
        self._error(_REFUSALS[denied.reason], pending.re)
        if pending.text is not None:
            self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))

    def _entry(self, entry: frames.Entry) -> None:
        """Member: the next entry, checked as the host should have."""
        expect(self.entered, "an entry before the welcome")
        expect(entry.index == self._ledger.index, "an entry out of its place")
        author, content = self._ledger.open(entry.content, entry.signature)
        self._ledger.check(author, content.body)
        if author.id == self._me.id:
            expect(content.counter == min(self._pending, default=None), "our own entries in another order")
        self._apply(author, content)

    # --- entries

    def _author(self, body: frames.Body, text: str | None, re: events.Re) -> None:
        """Signs an entry of ours; a host puts it in its place, a member hands it to the host."""
        self._counter += 1
        self._pending[self._counter] = _Pending(text, re)
        content = frames.Content(self._me.id, self._counter, body)
        sealed = frames.seal(content)
        signature = self._me.sign(identity.ENTRY, sealed)
        if self.hosting:
            self._order(self._my, content, sealed, signature)
        else:
            self._uplink(frames.Submit(sealed, signature))

    def _order(self, author: Member, content: frames.Content, sealed: bytes, signature: bytes) -> None:
        """Host: the next place is this entry's."""
        self.log.append(frames.encode(frames.Entry(self.log.end, sealed, signature)))
        self._apply(author, content)

    def _apply(self, author: Member, content: frames.Content) -> None:
        """The next entry takes effect, and the user is told."""
        seq, was = self._ledger.index, author.nick
        about = self._ledger.apply(author, content)
        mine = author.id == self._me.id
        pending = self._pending.pop(content.counter, None) if mine else None
        re = pending.re if pending else UNSET
        room, member, nick = self.label, identity.spell(about.id), about.nick
        match content.body:
            case frames.Text(text=text, action=action):
                at = self._now.wall
                self._tell(
                    events.Message(
                        room=room, member=member, nick=nick, text=text, seq=seq, at=at, action=action, mine=mine, re=re
                    )
                )
            case frames.Nick():
                self._tell(events.Renamed(room=room, member=member, nick=nick, was=was, re=re))
            case frames.Joined():
                self._tell(events.Joined(room=room, member=member, nick=nick))
            case frames.Leave() | frames.Lost() if about.id == self._me.id:
                self._out("left" if mine else "lost")
            case frames.Leave():
                self._tell(events.Left(room=room, member=member, nick=nick, reason="left"))
            case frames.Lost():
                self._tell(events.Left(room=room, member=member, nick=nick, reason="lost"))
            case frames.Close():
                self._out("left" if mine else "closed")

    # --- small things

    @property
    def _my(self) -> Member:
        return self._ledger.member(self._me.id)

    def _distrust(self, reason: str) -> None:
        """Member: the host broke a rule that its program keeps, so it is none to stay with."""
        host = identity.spell(self._ledger.host)
        self._tell(events.Alarm(room=self.label, member=host, reason=f"The host sent {reason}."))
        if self.entered:
            self._out("lost")
        else:
            self._fail(errors.Refused("its host does not keep to the protocol"), "lost")

    def _nicks_for_me(self) -> tuple[str, ...]:
        """What a host may call us when it lets us in."""
        return (self._wanted,) if self._wanted else self._ledger.roster.nicks_of(self._me.key)

    def _uplink(self, frame: frames.Frame) -> None:
        self._effects.append(steps.Send(steps.UPLINK, frames.encode(frame)))

    def _tell(self, event: events.Event) -> None:
        self._effects.append(steps.Tell(event))

    def _error(self, error: errors.AnonError, re: events.Re) -> None:
        self._tell(events.Error(code=error.code, text=str(error), room=self.label, re=re))
