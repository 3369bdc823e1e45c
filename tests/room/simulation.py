"""A host's room and its members' in one process, over a network whose every delivery the test decides.

What goes over a link goes through the real bytes. Nothing is random and nothing waits: a frame lies where it is until
the test moves it on. A link is closed the way `net` does it: what is on its way may still arrive, and then its end.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import AnonError, PeerFault, Unreachable
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter
from anonp2p.room import effects, events, inputs
from anonp2p.room.log.log import Reader
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room

E = TypeVar("E", bound=events.Event)

START = 1_000.0  # the clock at the beginning: where it stands means nothing
KEY = RoomKey(b"the seed of the simulated room.."[:32])


@dataclass(eq=False)
class Party:
    """Somebody with a room: what it was told, and what it typed by the `re` it typed it under."""

    room: Room
    told: list[events.Event] = field(default_factory=list)
    typed: dict[int, inputs.Typed] = field(default_factory=dict)
    welcomes: list[tuple[int, int]] = field(default_factory=list)  # for each: messages shown before, its index
    gaps: int = 0  # how often it was let in again without being told everything in between
    attempts: int = 0
    unlucky: bool = False  # whether it lost a link, or its patience

    def got(self, kind: type[E]) -> list[E]:
        """Everything of this kind that it was told."""
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def messages(self) -> list[tuple[int, str, str, str, bool]]:
        """The messages it was shown."""
        return [(it.seq, it.member, it.nick, it.text, it.action) for it in self.got(events.Message)]

    @property
    def people(self) -> dict[str, str]:
        """Who is in, by what it was told: nicks by member."""
        people: dict[str, str] = {}
        for event in self.told:
            match event:
                case events.Entered(members=members):
                    people = {person.member: person.nick for person in members}
                case events.Joined(member=member, nick=nick):
                    assert member not in people
                    people[member] = nick
                case events.Renamed(member=member, nick=nick, was=was):
                    assert people[member] == was
                    people[member] = nick
                case events.Left(member=member, nick=nick):
                    assert people.pop(member) == nick
        return people


@dataclass(eq=False)
class Link:
    """A link between a member and the host. `up` and `down` hold what is on its way; None there is the link's end."""

    member: Party
    number: int
    up: deque[bytes | None] = field(default_factory=deque)
    down: deque[bytes | None] = field(default_factory=deque)
    direct: deque[bytes] = field(default_factory=deque)
    said: list[frames.Frame] | None = None  # by the host, in the next record
    echo: bool = False
    channel: Channel | None = None  # the host's
    own_channel: Channel | None = None  # the member's
    reader: Reader | None = None
    open: bool = True  # whether anything more can be put on its way
    finishing: bool = False
    at_host: Splitter = field(default_factory=lambda: Splitter(limits.KNOCK))
    at_member: Splitter = field(default_factory=lambda: Splitter(SIZES[-1]))
    heard_at: float = 0.0  # by the host


class Simulation:
    """A room with a host, those who join it, and the network between them.

    What the host does between two writes is one burst: its session signs a head before any link is written to.
    """

    def __init__(
        self,
        re: events.Re = UNSET,
        *,
        retention: frames.Retention = ANY,
        history: frames.History = NO_HISTORY,
    ) -> None:
        self.tick = START
        self.slept = 0.0
        self.rules = retention, history
        self._drawn = 0
        self._delivered = 0
        self.drops: list[str] = []
        self.members: list[Party] = []
        self._links: list[Link] = []  # all there ever were: number 1 first
        self._inputs = 0
        self.host = self._party("hugo", "demo", re)
        self.step(self.host, inputs.Published())

    # --- what people do

    def newcomer(self, nick: str = "", re: events.Re = UNSET) -> Party:
        """Somebody begins to join."""
        member = self._party(nick, None, re)
        self.members.append(member)
        self.dial(member)
        return member

    def joined(self, nick: str = "") -> Party:
        """Somebody joins, and everything is delivered."""
        member = self.newcomer(nick)
        self.settle()
        return member

    def say(self, party: Party, text: str, *, action: bool = False) -> int:
        """Types a message; returns its id."""
        return self._type(party, inputs.Say(text, action, self._next()))

    def rename(self, party: Party, nick: str) -> int:
        """Asks for another nick; returns the id."""
        return self._type(party, inputs.Rename(nick, self._next()))

    def leave(self, party: Party, *, close: bool = False, now: bool = False) -> int:
        """Types /leave or /close; returns the id."""
        return self._type(party, inputs.Leave(close, now, self._next()))

    def kick(self, nick: str, why: str = "") -> int:
        """The host types /kick; returns the id."""
        return self._type(self.host, inputs.Kick(nick, why, self._next()))

    def lock(self, *, locked: bool) -> int:
        """The host types /lock or /unlock; returns the id."""
        return self._type(self.host, inputs.Lock(locked, self._next()))

    def whisper(self, party: Party, nick: str, text: str) -> int:
        """Types /msg; returns the id."""
        return self._type(party, inputs.Whisper(nick, text, self._next()))

    def retain(self, party: Party, ttl: int | None) -> int:
        """Types /retain; returns the id."""
        return self._type(party, inputs.Retain(ttl, self._next()))

    def verify(self, party: Party, nick: str = "") -> int:
        """Types /verify; returns the id."""
        return self._type(party, inputs.Verify(nick, self._next()))

    def ask_who(self, party: Party) -> int:
        """Types /who; returns the id."""
        return self._type(party, inputs.Ask("/who", self._next()))

    def ask_code(self, party: Party) -> int:
        """Types /code; returns the id."""
        return self._type(party, inputs.Ask("/code", self._next()))

    def who(self, party: Party) -> dict[str, str]:
        """What /who answers: nicks by member."""
        re = self.ask_who(party)
        [answer] = [event for event in party.got(events.Reply) if event.re == re]
        return {person.member: person.nick for person in answer.data}

    def answers(self, party: Party, re: int) -> list[events.Event]:
        """Everything it was told under this id."""
        return [event for event in party.told if event.re == re]

    # --- what the network does

    def dial(self, member: Party) -> None:
        """The member, without a link as far as it knows, reaches the host."""
        last = self._link(member)
        if member.room.over or last.open or last.down or self.host.room.over:
            return
        link = Link(member, len(self._links) + 1, heard_at=self.tick)
        self._links.append(link)
        member.attempts += 1
        self.step(member, inputs.Dialling(member.attempts, ""))
        self.step(self.host, inputs.Linked(link.number))

    def give_up(self, member: Party) -> None:
        """The member, without a link, has dialled in vain for long enough."""
        last = self._link(member)
        if not (member.room.over or last.open or last.down):
            self.step(member, inputs.Broken(Unreachable("nobody answers")))

    def break_down(self, error: AnonError) -> None:
        """The host's Tor is gone."""
        self.step(self.host, inputs.Broken(error))

    def write(self, member: Party) -> None:
        """The host's end puts all it has for this member on its way."""
        self.end_burst()
        link = self._link(member)
        if not link.open:
            return
        data = b"".join(link.direct)
        link.direct.clear()
        if link.said is not None:
            assert link.channel is not None
            data += link.channel.seal(link.said, echo=link.echo)
            link.said, link.echo = None, False
        if link.reader is not None:
            try:
                while piece := link.reader.take():
                    data += piece
                link.reader.sent()
            except PeerFault:  # the log has left it behind
                member.unlucky = True
                self._close(link)
                return
        link.down.extend(link.at_member.feed(data))
        if link.finishing:
            link.open = False
            link.down.append(None)
            link.up.append(None)

    def end_burst(self) -> None:
        """The host's session has nothing more to do for now."""
        self.host.room.end_burst(self._now())

    def host_hears(self, member: Party) -> None:
        """What the member sent first and the host has not heard yet arrives."""
        self._hear(self._link(member))

    def host_hears_late(self, member: Party) -> None:
        """The same on a link that the member has replaced by another since."""
        for link in self._links:
            if link.member is member and link is not self._link(member):
                self._hear(link)

    def _hear(self, link: Link) -> None:
        if not link.up:
            return
        data = link.up.popleft()
        self._delivered += 1
        if data is None:
            link.open = False
            silence = self.tick - link.heard_at
            self.step(self.host, inputs.Dropped(link.number, "the connection was closed", silence))
            return
        link.heard_at = self.tick
        for payload in link.at_host.feed(data):
            self.step(self.host, inputs.Heard(link.number, payload))

    def member_hears(self, member: Party) -> None:
        """What was put on its way to the member first arrives."""
        link = self._link(member)
        if not link.down:
            return
        payload = link.down.popleft()
        self._delivered += 1
        if payload is None:
            link.open = False
            self.step(member, inputs.Dropped(inputs.UPLINK, "the connection was closed", 0.0))
            return
        shown, entered = len(member.messages), len(member.got(events.Entered))
        self.step(member, inputs.Heard(inputs.UPLINK, payload))
        if len(member.got(events.Entered)) > entered:
            member.gaps += bool(member.welcomes)
            member.welcomes.append((shown, member.room.index))

    def wait(self, seconds: float) -> None:
        """So much time passes, and the host does on the way whatever it had planned."""
        end = self.tick + seconds
        while (deadline := self.host.room.next_deadline()) is not None and deadline <= end:
            self.tick = max(self.tick, deadline)
            self.step(self.host, inputs.Tick())
            self.end_burst()
        self.tick = end

    def oversleep(self, seconds: float) -> None:
        """So much time passes before the host gets to do anything."""
        self.tick += seconds
        self.step(self.host, inputs.Tick())

    def lose(self, member: Party, *, delivering: bool) -> None:
        """The member's link breaks; what is on its way may still be delivered."""
        link = self._link(member)
        if not link.open:
            return
        member.unlucky = True
        if not delivering:
            link.up.clear()
            link.down.clear()
        self._close(link)

    def lose_patience(self, member: Party) -> None:
        """The time comes that the member's room waits for, if it waits for one."""
        deadline = member.room.next_deadline()
        if deadline is not None:
            self.tick = max(self.tick, deadline)
            member.unlucky = True
            self.step(member, inputs.Tick())

    def settle(self) -> None:
        """Everything is delivered, until nothing is on its way any more; who still wants in dials again."""
        self._settle(self.members)

    def settle_without(self, absent: Party) -> None:
        """The same, but for one with whom nothing happens."""
        self._settle([member for member in self.members if member is not absent])

    def _settle(self, members: list[Party]) -> None:
        while True:
            before, delivered = [self._state(member) for member in members], self._delivered
            for member in members:
                self.dial(member)
                self.host_hears_late(member)
                self.host_hears(member)
                self.write(member)
                self.member_hears(member)
                if self.host.room.over:
                    self.give_up(member)
            if [self._state(member) for member in members] == before and self._delivered == delivered:
                return

    # --- inside

    def step(self, party: Party, step: inputs.Input) -> None:
        """A room takes a step, and what it wants done is done."""
        was_over = party.room.over
        for effect in party.room.handle(step, self._now()):
            if isinstance(effect, effects.Tell):
                party.told.append(effect.event)
            elif party.room.hosting:
                self._serve(effect)
            elif isinstance(effect, effects.Drop):
                self._close(self._link(party))
            elif (link := self._link(party)).open:
                self._send(link, effect)
        if party.room.over and not was_over:
            self._end(party)

    @staticmethod
    def _send(link: Link, effect: effects.Effect) -> None:
        match effect:
            case effects.Admit(link=inputs.UPLINK, channel=channel):
                link.own_channel = channel
            case effects.Send(link=inputs.UPLINK, data=data):
                link.up.append(data)
            case effects.Record(link=inputs.UPLINK, frames=said, echo=echo):
                assert link.own_channel is not None
                link.up.append(link.own_channel.seal(said, echo=echo))
            case _:
                raise AssertionError("an effect that is a host's")

    def _serve(self, effect: effects.Effect) -> None:
        assert not isinstance(effect, effects.Tell)
        if isinstance(effect, effects.Sweep | effects.Pause):  # here what comes is read when the test says so
            return
        if isinstance(effect, effects.Pulse):
            for each in self._links:
                if each.open and each.reader is not None and each.reader.is_through and each.said is None:
                    each.direct.append(effect.data)
            return
        link = self._links[effect.link - 1]
        if not link.open:
            return
        match effect:
            case effects.Send(data=data):
                link.direct.append(data)
            case effects.Record(frames=said, echo=echo):
                link.said, link.echo = [*(link.said or []), *said], link.echo or echo
            case effects.Admit(channel=channel, frames=said, reader=reader):
                link.at_host.longest = SIZES[-1]
                link.channel, link.said, link.reader = channel, list(said), reader
            case effects.Finish(data=data):
                link.direct.append(data)
                link.finishing = True
            case effects.Drop(reason=reason):
                self.drops.append(reason)
                link.up.clear()
                self._close(link)

    def _end(self, party: Party) -> None:
        if party.room.hosting:
            for link in self._links:
                link.finishing = True
        elif (link := self._link(party)).open:
            link.down.clear()
            link.up.append(None)
            link.open = False

    def _now(self) -> inputs.Now:
        return inputs.Now(self.tick, 1_000_000 - START + self.tick + self.slept, self.slept)

    @staticmethod
    def _close(link: Link) -> None:
        link.open = False
        link.up.append(None)
        link.down.append(None)

    def _link(self, member: Party) -> Link:
        """The member's latest link."""
        return next((it for it in reversed(self._links) if it.member is member), Link(member, 0, open=False))

    def _state(self, member: Party) -> tuple[object, ...]:
        link = self._link(member)
        late = sum(len(it.up) for it in self._links if it.member is member)
        rest = link.reader is not None and link.open and not link.reader.is_through
        return link.number, late, len(link.down), len(link.direct), link.said is None, rest, link.open, len(member.told)

    def _type(self, party: Party, typed: inputs.Typed) -> int:
        assert isinstance(typed.re, int)
        party.typed[typed.re] = typed
        self.step(party, typed)
        return typed.re

    def _next(self) -> int:
        self._inputs += 1
        return self._inputs

    def _random(self, length: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(self._drawn.to_bytes(8, "big")).digest(length)

    def _party(self, nick: str, name: str | None, re: events.Re) -> Party:
        retention, history = self.rules
        room = Room(
            label="r1",
            key=KEY.public,
            random=self._random,
            nick=nick,
            name=name,
            retention=retention,
            history=history,
            re=re,
        )
        party = Party(room)
        self.step(party, inputs.Start())
        return party
