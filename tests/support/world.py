"""Real rooms, and a network between them whose every delivery is the test's decision.

What a room's effects ask for is done to the ends of its links; what goes over a link goes as the real bytes. Nothing is
random and nothing waits: a payload lies where it is until the test delivers it. A link ends the way `net` ends it: what
is on its way may still arrive, and then its end.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from anonp2p import limits
from anonp2p.crypto import padding
from anonp2p.crypto.padding import SIZES
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.wire import Splitter
from anonp2p.room import effects, events, inputs
from anonp2p.room.host.host import HostRole
from anonp2p.room.log.log import Log, Reader
from anonp2p.room.room import Room

E = TypeVar("E", bound=events.Event)

START = 1_000.0  # the clock at the beginning: where it stands means nothing
CLOSED = "the connection was closed"


def payloads(data: bytes) -> list[bytes]:
    """The contents of the payloads in a stream of bytes."""
    return list(Splitter(SIZES[-1]).feed(data))


def host_role(room: Room) -> HostRole:
    """What a room has that we host."""
    assert isinstance(room.role, HostRole)
    return room.role


def log_of(room: Room) -> Log:
    """The log of a host's room."""
    return host_role(room).log


@dataclass(eq=False)
class Party:
    """Somebody with a room: what the room told them, and what they typed, by the `re` of the input."""

    room: Room
    told: list[events.Event] = field(default_factory=list)
    typed: dict[int, inputs.Typed] = field(default_factory=dict)
    welcomes: list[tuple[int, int]] = field(default_factory=list)  # for each: messages shown before, index of the log
    gaps: int = 0  # how often it was let in again without being told everything in between
    dials: int = 0
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


class End:
    """One end of a link: what its room wants sent over it, and what has come for the room.

    number: of the link, for the room at this end. owner: whose room that is; None if the test plays it.
    """

    def __init__(self, number: int, owner: Party | None = None) -> None:
        self.number = number
        self.owner = owner
        self.open = True  # whether the room has not been told that it is closed, nor closed it
        self.inbox: deque[bytes | None] = deque()  # contents of payloads on their way here; None: the link's end
        self.channel: Channel | None = None
        self.reader: Reader | None = None
        self.heard_at = START
        self.finishing = False  # closed once everything is written
        self.reads = True  # whether the other end takes what is written of the log
        self.waiting = b""  # of the log, taken but not read by the other end
        self._direct: list[bytes] = []  # sent before everything else
        self._record: list[frames.Frame] | None = None  # frames of the next record
        self._echo = False
        self._splitter = Splitter(limits.KNOCK if number != inputs.UPLINK else SIZES[-1])

    @property
    def longest(self) -> int:
        """How many bytes a payload may have that comes here."""
        return self._splitter.longest

    @property
    def has_output(self) -> bool:
        """Whether there is something to write."""
        rest = self.reader is not None and self.reads and not self.reader.is_through
        return bool(self._direct) or self._record is not None or rest

    @property
    def can_take_head(self) -> bool:
        """Whether a head alone may be sent: all of the log is, and no welcome is on its way."""
        reader = self.reader
        return reader is not None and reader.is_through and not reader.is_out and self._record is None

    def carry_out(self, effect: effects.Effect) -> None:
        """Does what the room wants done to this link, but for closing it."""
        match effect:
            case effects.Send(data=data) | effects.Pulse(data=data):
                self._direct.append(data)
            case effects.Record(frames=said, echo=echo):
                self._record = [*(self._record or ()), *said]
                self._echo |= echo
            case effects.Admit(channel=channel, frames=said, reader=reader):
                self._splitter.longest = SIZES[-1]
                self.channel, self.reader = channel, reader
                if reader is not None:
                    self._record = list(said)
            case effects.Finish(data=data):
                self._direct.append(data)
                self.finishing = True
            case effects.Pause():
                pass  # what comes is delivered when the test says so
            case _:
                raise AssertionError("an effect that is not of one link")

    def take_output(self) -> bytes:
        """What goes next, in the order in which `net` sends it. Raises PeerFault when the log has left it behind."""
        return self.take_direct() + self.take_log()

    def take_direct(self) -> bytes:
        """The same, without anything of the log."""
        data = b"".join(self._direct)
        self._direct.clear()
        if self._record is not None:
            assert self.channel is not None
            data += self.channel.seal(self._record, echo=self._echo)
            self._record, self._echo = None, False
        return data

    def take_log(self) -> bytes:
        """What the reader gives, and nothing else."""
        if self.reader is None or (self.waiting and not self.reader.lags):
            return b""
        data = b""
        while piece := self.reader.take():
            if not self.reads:
                self.waiting = piece
                return data
            self.reader.sent()
            data += piece
        return data

    def drop_output(self) -> None:
        """What was not written is not wanted any more."""
        self._direct.clear()
        self._record, self._echo = None, False

    def receive(self, content: bytes) -> list[bytes]:
        """The contents of payloads that have come with this one, itself. Raises PeerFault for one that is too long."""
        return list(self._splitter.feed(padding.payload(content)))


class Link:
    """A link: `near` is the end of whoever is dialled, `far` the end of whoever dials."""

    def __init__(self, number: int, near: Party | None, far: Party | None) -> None:
        self.number = number
        self.near = End(number, near)
        self.far = End(inputs.UPLINK, far)

    def other(self, end: End) -> End:
        """The end that this one talks to."""
        return self.far if end is self.near else self.near


class World:
    """Any number of rooms and the links between them.

    What a room says to those who dial it lies until the test lets it write: all it did until then is one batch. What
    is said by those who dial is on its way at once.
    """

    def __init__(self) -> None:
        self.tick = START
        self.slept = 0.0
        self.parties: list[Party] = []
        self.links: list[Link] = []  # all there ever were: number 1 first
        self.drops: list[str] = []  # why hosts closed links
        self.deliveries = 0
        self.watchers: list[Callable[[Party, inputs.Input, list[effects.Effect]], None]] = []  # told of what is done
        self.taps: list[Callable[[End, bytes | None], None]] = []  # are told of each delivery before it is made
        self._drawn = 0

    @property
    def now(self) -> inputs.Now:
        """The time that a room is told."""
        return inputs.Now(self.tick, 1_000_000 - START + self.tick + self.slept, self.slept)

    def random(self, length: int) -> bytes:
        """Bytes for rooms: the same in every run."""
        self._drawn += 1
        return hashlib.shake_256(self._drawn.to_bytes(8, "big")).digest(length)

    # --- rooms

    def add(self, room: Room) -> Party:
        """A room begins."""
        party = Party(room)
        self.parties.append(party)
        self.handle(party, inputs.Start())
        return party

    def handle(self, party: Party, what: inputs.Input) -> list[effects.Effect]:
        """A room takes an input, and what it wants done is done; returns that."""
        was_over = party.room.over
        done = party.room.handle(what, self.now)
        for effect in done:
            if isinstance(effect, effects.Tell):
                self._tell(party, effect.event)
            else:
                self._carry_out(party, effect)
        if party.room.over and not was_over:
            self._end(party)
        self._write_far(party)
        for watch in self.watchers:
            watch(party, what, done)
        return done

    @staticmethod
    def _tell(party: Party, event: events.Event) -> None:
        party.told.append(event)
        if isinstance(event, events.Entered) and not party.room.hosting:
            party.gaps += bool(party.welcomes)
            party.welcomes.append((len(party.messages), party.room.index))

    def end_batch(self, party: Party) -> None:
        """A room has nothing more to do for now."""
        self.handle(party, inputs.EndBatch())

    def _carry_out(self, party: Party, effect: effects.Effect) -> None:
        match effect:
            case effects.Pulse():
                for link in self._links_to(party):
                    if link.near.can_take_head:
                        link.near.carry_out(effect)
            case effects.Sweep():
                for link in self._links_to(party):
                    if link.near.waiting and link.near.reader is not None and link.near.reader.holds_what_is_gone:
                        self.close(link, link.near)
            case effects.Drop(link=number, reason=reason):
                if party.room.hosting:
                    self.drops.append(reason)
                if (found := self._find(party, number)) is not None:
                    self.close(*found)
            case effects.Send() | effects.Record() | effects.Admit() | effects.Finish() | effects.Pause():
                if (found := self._find(party, effect.link)) is not None:
                    found[1].carry_out(effect)

    def _links_to(self, party: Party) -> list[Link]:
        return [link for link in self.links if link.near.owner is party and link.near.open]

    def _find(self, party: Party, number: int) -> tuple[Link, End] | None:
        """The open link to which a room gives this number, and its end there."""
        if number != inputs.UPLINK:
            link = self.links[number - 1]
            return (link, link.near) if link.near.open else None
        found = self.link_of(party)
        return (found, found.far) if found is not None and found.far.open else None

    def link_of(self, party: Party) -> Link | None:
        """The latest link on which somebody has dialled."""
        return next((link for link in reversed(self.links) if link.far.owner is party), None)

    def _end(self, party: Party) -> None:
        for link in self._links_to(party):
            link.near.finishing = True
        if (found := self._find(party, inputs.UPLINK)) is not None:
            self._write_far(party)
            self.close(*found)

    # --- links

    def dial(self, host: Party | None, member: Party | None) -> Link:
        """A new link, of which both learn; None: an end that the test plays."""
        link = Link(len(self.links) + 1, host, member)
        link.near.heard_at = link.far.heard_at = self.tick
        self.links.append(link)
        if member is not None:
            member.dials += 1
            self.handle(member, inputs.Dialling(member.dials, ""))
        if host is not None:
            self.handle(host, inputs.Linked(link.number))
        return link

    def write(self, link: Link) -> None:
        """The end of whoever was dialled puts all it has on its way, after a batch has ended."""
        if link.near.owner is not None:
            self.end_batch(link.near.owner)
        if not link.near.open:
            return
        try:
            self._send(link, link.near, link.near.take_output())
        except PeerFault:  # the log has left it behind
            if link.far.owner is not None:
                link.far.owner.unlucky = True
            self.close(link, link.near)
            return
        if link.near.finishing:
            self.close(link, link.near)

    def _write_far(self, party: Party) -> None:
        if (found := self._find(party, inputs.UPLINK)) is not None:
            link, end = found
            self._send(link, end, end.take_output())

    @staticmethod
    def _send(link: Link, end: End, data: bytes) -> None:
        other = link.other(end)
        if other.open:
            other.inbox.extend(payloads(data))

    def close(self, link: Link, end: End) -> None:
        """One end closes a link: it hears no more of it but that; the other one still hears what is on its way."""
        end.inbox.clear()
        self.cut(link)

    def cut(self, link: Link) -> None:
        """A link breaks; what is on its way still arrives."""
        self.cut_end(link.near)
        self.cut_end(link.far)

    @staticmethod
    def cut_end(end: End) -> None:
        """The same for one end alone: the other one does not notice, and what it sends goes nowhere."""
        if end.open:
            end.open = False
            end.drop_output()
            end.inbox.append(None)

    def deliver(self, link: Link, end: End) -> bool:
        """What is first on its way to this end arrives; whether there was anything."""
        if not end.inbox:
            return False
        data = end.inbox.popleft()
        self.deliveries += 1
        for tap in self.taps:
            tap(end, data)
        if end.owner is None:
            return True
        if data is None:
            self.handle(end.owner, inputs.Dropped(end.number, CLOSED, self.tick - end.heard_at))
            return True
        end.heard_at = self.tick
        try:
            contents = end.receive(data)
        except PeerFault:
            self.close(link, end)
            return True
        for content in contents:
            self.handle(end.owner, inputs.Heard(end.number, content))
        return True

    def deliver_all(self) -> None:
        """Whatever is on its way arrives, and what is said in answer by those who dialled."""
        while any(self.deliver(link, end) for link in self.links for end in (link.near, link.far)):
            pass

    # --- time

    def pass_time(self, seconds: float, whose: Iterable[Party]) -> None:
        """So much time passes, and these do on the way whatever they had planned."""
        end = self.tick + seconds
        parties = list(whose)
        while (due := self._next_due(parties)) is not None and due[0] <= end:
            self.tick = max(self.tick, due[0])
            self.handle(due[1], inputs.Tick())
            self.end_batch(due[1])
        self.tick = end

    @staticmethod
    def _next_due(parties: Iterable[Party]) -> tuple[float, Party] | None:
        dues = [(deadline, party) for party in parties if (deadline := party.room.next_deadline()) is not None]
        return min(dues, key=lambda due: due[0], default=None)

    # --- everything, in an order

    def run(self, choose: Callable[[int], int]) -> None:
        """Writes and delivers until nothing is left to do. choose: which of so many things is next."""
        while ready := self._ready():
            link, end = ready[choose(len(ready))]
            if end.inbox:
                self.deliver(link, end)
            else:
                self.write(link)

    def _ready(self) -> list[tuple[Link, End]]:
        """Ends to which something can be delivered, or, with nothing on its way there, that can write."""
        for party in self.parties:
            if party.room.hosting:
                self.end_batch(party)
        return [
            (link, end)
            for link in self.links
            for end in (link.near, link.far)
            if end.inbox or (end is link.near and end.open and (end.has_output or end.finishing))
        ]
