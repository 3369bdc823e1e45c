"""A room: the machine that host and members run alike. Events in, effects out; see `steps` for both.

The host orders: what it has checked gets the next index and goes to everyone as it is. Everyone, the host included,
applies entries in that order and tells the user what they mean. Being host is data: who may put entries in their places.
A peer that breaks a rule raises PeerFault within: a host drops that link, a member gives up a host that lies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.core import code, events, frames, identity, names, steps
from anonp2p.core.log import Log
from anonp2p.core.roster import Member, Roster
from anonp2p.errors import PeerFault

_FIRST = 1  # index of a room's first entry

Phase = Literal["outside", "asking", "in", "leaving", "over"]

_DENIALS: dict[str, errors.AnonError] = {
    "bad-nick": errors.BadNick(),
    "nick-taken": errors.NickTaken(),
    "too-long": errors.TooLong(),
    "not-allowed": errors.NotAllowed("The host does not allow that."),
    "version": errors.Refused("it speaks another version of the protocol; one of you needs a newer program"),
    "signature": errors.Refused("our signature did not convince it"),
    "full": errors.Refused("it is full"),
    "closed": errors.Refused("it has just ended"),
}


@dataclass(slots=True, repr=False)
class _Pending:
    """An entry of ours on its way: the text to give back if it is not ordered, and the input that asked for it."""

    text: str | None
    re: events.Re


class Room:
    """One room, from asking to be let in (or creating it) to being out again.

    label: what the interface calls it in this process. key: the public key of its onion service. nick: the one asked for,
    empty for one made from our key. name: of a room that we create, as its host; None for a room that we join. re: the id
    of the input that asked for the room.
    """

    def __init__(
        self, *, label: str, key: bytes, me: identity.Identity, nick: str, name: str | None, re: events.Re = UNSET
    ) -> None:
        self.label = label
        self.code = code.encode(key)
        self.failure: errors.AnonError | None = None  # why we never got in, or were thrown out
        self.log = Log(_FIRST)  # a host's; a member only counts
        self._key = key
        self._me = me
        self._wanted = nick
        self._name = name or ""
        self._hosting = name is not None
        self._re = re
        self._phase: Phase = "outside"
        self._roster = Roster()
        self._host = me.id if self._hosting else b""
        self._index = _FIRST
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
            steps.Published: lambda _: self._tell(events.Reachable(room=self.label, re=self._re)),
            steps.Dialling: self._dialling,
            steps.Asked: self._asked,
            steps.Heard: self._heard,
            steps.Dropped: self._dropped,
            steps.Broken: self._broken,
            steps.Tick: lambda _: self._out("left"),
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
        elif self._phase != "over":
            self._handlers[type(event)](event)
        return self._effects

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due, if nothing else happens before."""
        return self._leave_by

    @property
    def hosting(self) -> bool:
        """Whether we are the host."""
        return self._hosting

    @property
    def entered(self) -> bool:
        """Whether we have been let in."""
        return self._phase in ("in", "leaving")

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
        if self._hosting:
            self._roster.add(self._me.key, self._wanted or self._roster.nick_for(self._me.key))
            self._enter()

    def _dialling(self, event: steps.Dialling) -> None:
        self._phase = "outside"
        self._link("connecting", event.attempt, event.detail)

    def _link(self, state: Literal["connecting", "up", "lost"], attempt: int, detail: str) -> None:
        self._attempt = attempt
        self._tell(events.Link(room=self.label, state=state, attempt=attempt, detail=detail, re=self._re))

    def _hello(self, hello: frames.Hello) -> None:
        self._expect(self._phase == "outside", "a second hello")
        if hello.version != frames.VERSION:
            self._fail(_DENIALS["version"], "refused")
            return
        self._phase = "asking"
        self._roster = Roster()
        signature = self._me.sign(identity.JOIN, hello.nonce + self._wanted.encode())
        self._uplink(frames.Join(self._me.key, self._wanted, signature))

    def _refused(self, refused: frames.Refused) -> None:
        self._expect(self._phase == "asking", "refused one who was in")
        self._fail(_DENIALS[refused.reason], "refused")

    def _seats(self, page: frames.Roster) -> None:
        self._expect(self._phase == "asking", "a roster for one who was in")
        self._expect(len(self._roster) + len(page.seats) <= limits.MEMBERS, "too many members")
        for seat in page.seats:
            self._add(seat.key, seat.nick, seat.counter)

    def _welcome(self, welcome: frames.Welcome) -> None:
        self._expect(self._phase == "asking", "a second welcome")
        self._expect(names.is_room_name(welcome.name), "a room name that is none")
        self._expect(self._roster.get(self._me.id) is not None, "a roster without us")
        self._expect(welcome.host != self._me.id and self._roster.get(welcome.host) is not None, "a host not listed")
        self._name = welcome.name
        self._host = welcome.host
        self._index = welcome.index
        self._link("up", self._attempt, "")
        self._enter()
        waiting, self._waiting = self._waiting, []
        for typed in waiting:
            self._typed(typed)

    def _enter(self) -> None:
        self._phase = "in"
        self._tell(
            events.Entered(
                room=self.label,
                name=self._name,
                code=self.code,
                nick=self._my.nick,
                member=identity.spell(self._me.id),
                role="host" if self._hosting else "member",
                members=self._people(),
                re=self._re,
            )
        )

    def _broken(self, event: steps.Broken) -> None:
        self._fail(event.error, "tor" if event.error.status == errors.TorLost.status else "lost")

    def _fail(self, error: errors.AnonError, reason: Literal["refused", "lost", "tor"]) -> None:
        self.failure = error
        self._error(error, self._re)
        self._out(reason)

    def _out(self, reason: Literal["left", "closed", "refused", "lost", "tor"]) -> None:
        """Out of the room: what was not ordered is given back."""
        self._leave_by = None
        for pending in self._pending.values():
            if pending.text is not None:
                self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))
        for typed in self._waiting:
            self._give_back(typed)
        self._pending, self._waiting = {}, []
        re = self._leave_re if self._leave_re is not UNSET else UNSET if self.entered else self._re
        self._tell(events.Gone(room=self.label, reason=reason, re=re))
        self._phase = "over"

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
        elif self._hosting and self._roster.is_taken(event.nick, self._me.id):
            self._error(errors.NickTaken(), event.re)
        else:
            self._author(frames.Nick(event.nick), None, event.re)

    def _ask(self, event: steps.Ask) -> None:
        data: Any = self._people() if event.command == "/who" else {"code": self.code}
        self._tell(events.Reply(room=self.label, command=event.command, data=data, re=event.re))

    def _leave(self, event: steps.Leave) -> None:
        if event.close and not self._hosting:
            self._error(errors.NotAllowed("Only the host can close the room; /leave leaves it."), event.re)
            return
        self._leave_re = event.re
        self._phase = "leaving"
        if not self._hosting:
            self._leave_by = self._now.tick + limits.LEAVE
        self._author(frames.Close() if self._hosting else frames.Leave(), None, event.re)

    def _author(self, body: frames.Body, text: str | None, re: events.Re) -> None:
        """Signs an entry of ours; a host puts it in its place, a member hands it to the host."""
        self._counter += 1
        self._pending[self._counter] = _Pending(text, re)
        content = frames.Content(self._me.id, self._counter, body)
        sealed = frames.seal(content)
        signature = self._me.sign(identity.ENTRY, sealed)
        if self._hosting:
            self._order(self._my, content, sealed, signature)
        else:
            self._uplink(frames.Submit(sealed, signature))

    # --- what comes from links

    def _heard(self, event: steps.Heard) -> None:
        try:
            if isinstance(event.frame, frames.Beat):
                return
            if self._hosting:
                self._submitted(event.link, event.frame)
            else:
                self._handlers[type(event.frame)](event.frame)
        except PeerFault as fault:
            if self._hosting:
                self._effects.append(steps.Drop(event.link, str(fault)))
                self._lose(event.link)
            else:
                self._distrust(str(fault))

    def _asked(self, event: steps.Asked) -> None:
        """A stranger wants in. Refusals are words; nothing of the room is shown before."""
        join = event.join
        reason: frames.Reason | None = None
        nick = join.nick
        if not identity.signed(identity.JOIN, self._key, event.nonce + nick.encode(), join.signature, join.key):
            reason = "signature"
        elif self._phase != "in":
            reason = "closed"
        elif len(self._roster) >= limits.MEMBERS:
            reason = "full"
        elif self._roster.get(identity.member_id(join.key)) is not None:
            reason = "not-allowed"
        elif nick and not names.is_nick(nick):
            reason = "bad-nick"
        else:
            nick = nick or self._roster.nick_for(join.key)
            if self._roster.is_taken(nick, b""):
                reason = "nick-taken"
        if reason is not None:
            self._effects.append(steps.Finish(event.link, frames.encode(frames.Refused(reason))))
            return
        self._author(frames.Joined(join.key, nick), None, UNSET)
        self._links[event.link] = identity.member_id(join.key)
        self._effects.append(steps.Admit(event.link, self._greeting(), self.log.end))

    def _greeting(self) -> bytes:
        """The roster in pages, then the welcome."""
        seats = [frames.Seat(member.key, member.nick, member.counter) for member in self._roster]
        pages = [seats[at : at + limits.ROSTER_PAGE] for at in range(0, len(seats), limits.ROSTER_PAGE)]
        welcome = frames.Welcome(self._name, self._host, self.log.end)
        return b"".join([*(frames.encode(frames.Roster(page)) for page in pages), frames.encode(welcome)])

    def _submitted(self, link: int, submit: frames.Frame) -> None:
        """Host: a member's entry gets its place, or a denial that only its author sees."""
        if link not in self._links or not isinstance(submit, frames.Submit):
            return  # it came before the link learned that its member is out
        author, content = self._open(submit.content, submit.signature)
        self._expect(author.id == self._links[link], "an entry of somebody else")
        body = content.body
        if isinstance(body, frames.Nick) and names.is_nick(body.nick) and self._roster.is_taken(body.nick, author.id):
            author.counter = content.counter
            denial = frames.encode(frames.Denied(content.counter, "nick-taken"))
            self._effects.append(steps.Send(link, denial))
            return
        self._check(author, body)
        self._order(author, content, submit.content, submit.signature)
        if isinstance(body, frames.Leave):
            del self._links[link]
            self._effects.append(steps.Finish(link))

    def _dropped(self, event: steps.Dropped) -> None:
        if self._hosting:
            self._lose(event.link)
        elif self._phase == "leaving":
            self._out("left")
        elif self._phase == "in":
            self._link("lost", self._attempt, event.detail)
            self._out("lost")

    def _lose(self, link: int) -> None:
        member = self._links.pop(link, None)
        if member is not None and self._phase == "in":
            self._author(frames.Lost(member), None, UNSET)

    def _denied(self, denied: frames.Denied) -> None:
        pending = self._pending.pop(denied.counter, None)
        if pending is None:
            raise PeerFault("denied what was never asked")
        self._error(_DENIALS[denied.reason], pending.re)
        if pending.text is not None:
            self._tell(events.Unsent(room=self.label, text=pending.text, re=pending.re))

    def _entry(self, entry: frames.Entry) -> None:
        """Member: the next entry, checked as the host should have."""
        self._expect(self.entered, "an entry before the welcome")
        self._expect(entry.index == self._index, "an entry out of its place")
        author, content = self._open(entry.content, entry.signature)
        self._check(author, content.body)
        self._apply(author, content)

    # --- entries

    def _open(self, sealed: bytes, signature: bytes) -> tuple[Member, frames.Content]:
        """A member's signed content. Raises PeerFault for a stranger's, a forged and a repeated one."""
        content = frames.unseal(sealed)
        author = self._roster.get(content.author)
        if author is None:
            raise PeerFault("an entry of a stranger")
        self._expect(content.counter > author.counter, "an entry repeated")
        self._expect(identity.signed(identity.ENTRY, self._key, sealed, signature, author.key), "a forged entry")
        return author, content

    def _check(self, author: Member, body: frames.Body) -> None:
        """Whether this author may say this now. Raises PeerFault."""
        is_host = author.id == self._host
        match body:
            case frames.Text(text=text):
                self._expect(0 < len(text.encode()) <= limits.TEXT, "a text of no proper length")
            case frames.Nick(nick=nick):
                self._expect(names.is_nick(nick) and not self._roster.is_taken(nick, author.id), "an improper nick")
            case frames.Leave():
                self._expect(not is_host, "a host that leaves without closing")
            case frames.Joined(key=key):
                self._expect(is_host, "an entry only hosts may write")
                self._expect(len(self._roster) < limits.MEMBERS, "too many members")
            case frames.Lost(member=member):
                self._expect(is_host, "an entry only hosts may write")
                self._expect(member != self._host and self._roster.get(member) is not None, "the loss of no member")
            case frames.Close():
                self._expect(is_host, "an entry only hosts may write")

    def _order(self, author: Member, content: frames.Content, sealed: bytes, signature: bytes) -> None:
        """Host: the next place is this entry's."""
        self.log.append(frames.encode(frames.Entry(self.log.end, sealed, signature)))
        self._apply(author, content)

    def _apply(self, author: Member, content: frames.Content) -> None:
        """The next entry takes effect, and the user is told."""
        seq = self._index
        self._index += 1
        author.counter = content.counter
        mine = author.id == self._me.id
        pending = self._pending.pop(content.counter, None) if mine else None
        re = pending.re if pending else UNSET
        who = identity.spell(author.id)
        match content.body:
            case frames.Text(text=text, action=action):
                self._tell(
                    events.Message(
                        room=self.label,
                        member=who,
                        nick=author.nick,
                        text=text,
                        seq=seq,
                        at=self._now.wall,
                        action=action,
                        mine=mine,
                        re=re,
                    )
                )
            case frames.Nick(nick=nick):
                was = author.nick
                self._roster.rename(author, nick)
                self._tell(events.Renamed(room=self.label, member=who, nick=nick, was=was, re=re))
            case frames.Leave():
                self._depart(author, "left")
            case frames.Lost(member=member):
                self._depart(self._member(member), "lost")
            case frames.Joined(key=key, nick=nick):
                member_ = self._add(key, nick, 0)
                self._tell(events.Joined(room=self.label, member=identity.spell(member_.id), nick=nick))
            case frames.Close():
                self._out("left" if mine else "closed")

    def _depart(self, member: Member, reason: Literal["left", "lost"]) -> None:
        if member.id == self._me.id:
            self._out(reason)
            return
        self._roster.remove(member)
        who = identity.spell(member.id)
        self._tell(events.Left(room=self.label, member=who, nick=member.nick, reason=reason))

    def _add(self, key: bytes, nick: str, counter: int) -> Member:
        self._expect(names.is_nick(nick), "an improper nick")
        try:
            return self._roster.add(key, nick, counter)
        except ValueError:
            raise PeerFault("two members alike") from None

    # --- small things

    @property
    def _my(self) -> Member:
        return self._member(self._me.id)

    def _member(self, member: bytes) -> Member:
        found = self._roster.get(member)
        assert found is not None, "asked for a member whose presence was checked"
        return found

    def _people(self) -> list[events.Person]:
        return [
            events.Person(
                member=identity.spell(member.id),
                nick=member.nick,
                role="host" if member.id == self._host else "member",
                tag=identity.tag(member.id),
            )
            for member in self._roster
        ]

    def _expect(self, holds: bool, otherwise: str) -> None:
        """A rule that the peer had to keep."""
        if not holds:
            raise PeerFault(otherwise)

    def _distrust(self, reason: str) -> None:
        """Member: the host broke a rule that its program keeps, so it is none to stay with."""
        host = identity.spell(self._host) if self._host else ""
        self._tell(events.Alarm(room=self.label, member=host, reason=f"The host sent {reason}."))
        self._out("lost")

    def _uplink(self, frame: frames.Frame) -> None:
        self._effects.append(steps.Send(steps.UPLINK, frames.encode(frame)))

    def _tell(self, event: events.Event) -> None:
        self._effects.append(steps.Tell(event))

    def _error(self, error: errors.AnonError, re: events.Re) -> None:
        self._tell(events.Error(code=error.code, text=str(error), room=self.label, re=re))
