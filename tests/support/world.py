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
from anonp2p.protocol.connection import Connection
from anonp2p.protocol.wire import Splitter
from anonp2p.room import effects, events, inputs
from anonp2p.room.host.host import HostRole
from anonp2p.room.link_effects import LinkEffect, apply_effect
from anonp2p.room.log.log import Log
from anonp2p.room.log.reader import LogReader
from anonp2p.room.room import Room

E = TypeVar("E", bound=events.Event)

START = 1_000.0  # the clock at the beginning: where it stands means nothing
PLAYED = -1  # the number of a link that the test dials
_NO_LIMIT = 2**40  # bytes that may wait for one link: a test decides for how long nothing is written


def payloads(data: bytes) -> list[bytes]:
    """The contents of the payloads in a stream of bytes."""
    return list(Splitter(SIZES[-1]).feed_data(data))


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
    dialled: int = 0  # the number of the link that it has asked for last
    services: list[bytes] = field(default_factory=list)  # addresses of those that it serves
    files: list[effects.FileEffect] = field(default_factory=list)  # what it wants done with files
    is_dialling: bool = False  # whether the room wants a link, and has none yet
    unlucky: bool = False  # whether it lost a link, or its patience

    def got(self, kind: type[E]) -> list[E]:
        """Everything of this kind that it was told."""
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def messages(self) -> list[tuple[int, str, str, str, bool]]:
        """The messages it was shown."""
        return [(it.seq, it.member, it.nick, it.text, it.action) for it in self.got(events.MessageEvent)]

    @property
    def people(self) -> dict[str, str]:
        """Who is in, by what it was told: nicks by member."""
        people: dict[str, str] = {}
        for event in self.told:
            match event:
                case events.EnteredEvent(members=members):
                    people = {person.member: person.nick for person in members}
                case events.JoinedEvent(member=member, nick=nick):
                    assert member not in people
                    people[member] = nick
                case events.RenamedEvent(member=member, nick=nick, was=was):
                    assert people[member] == was
                    people[member] = nick
                case events.LeftEvent(member=member, nick=nick):
                    assert people.pop(member) == nick
        return people


class End:
    """One end of a link: a connection, and what is on its way there.

    number: of the link, for the room at this end. owner: whose room that is; None if the test plays it.
    """

    def __init__(self, number: int, now: float, owner: Party | None = None) -> None:
        self.number = number
        self.owner = owner
        self.connection = Connection(now, SIZES[-1] if number < 0 else limits.CLIENT_HANDSHAKE, limit=_NO_LIMIT)
        self.reader: LogReader | None = None
        self.inbox: deque[bytes | None] = deque()  # contents of payloads; None: the link's end
        self.finishing = False  # closed once everything is written
        self.stalls = False  # whether the other end reads nothing any more
        self.cut = False  # whether nothing is sent any more, and the link's end is on its way here or was told

    @property
    def open(self) -> bool:
        """Whether anything can be sent."""
        return not (self.cut or self.connection.is_over)

    def carry_out(self, effect: LinkEffect, now: float) -> None:
        """Does what the room wants done to this link."""
        if isinstance(effect, effects.PauseEffect):
            return  # what comes is read when the test says so
        self.finishing |= isinstance(effect, effects.FinishEffect)
        if isinstance(effect, effects.AdmitEffect):
            self.reader = effect.reader
        apply_effect(effect, self.connection, now)

    def take_output(self) -> list[bytes]:
        """The contents of all payloads that go next; none while the other end stalls."""
        data = b""
        while (piece := self.connection.data_to_send()) and not self.stalls:
            data += piece
            self.connection.mark_sent(len(piece))
        return payloads(data)


class Link:
    """A link: `near` is the end of whoever is dialled, `far` the end of whoever dials."""

    def __init__(self, number: int, now: float, near: Party | None, far: Party | None) -> None:
        self.number = number
        self.near = End(number, now, near)
        self.far = End(far.dialled if far is not None else PLAYED, now, far)

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
        self.handle(party, inputs.StartInput())
        return party

    def handle(self, party: Party, what: inputs.Input) -> list[effects.Effect]:
        """A room takes an input, and what it wants done is done; returns that."""
        was_over = party.room.over
        done = party.room.handle_input(what, self.now)
        for effect in done:
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
        if isinstance(event, events.EnteredEvent) and not party.room.hosting:
            party.gaps += bool(party.welcomes)
            party.welcomes.append((len(party.messages), party.room.index))

    def end_batch(self, party: Party) -> None:
        """A room has nothing more to do for now."""
        self.handle(party, inputs.EndBatchInput())

    def _carry_out(self, party: Party, effect: effects.Effect) -> None:
        match effect:
            case effects.DialEffect(address=address) if party.room.hosting and address in party.services:
                pass  # it looks whether it can be reached
            case effects.DialEffect(link=number):
                party.is_dialling = True
                party.dialled = number
                party.dials += 1
            case effects.HeartbeatEffect(data=data):
                for link in self._links_to(party):
                    link.near.connection.send_head(data)
            case effects.SweepEffect():
                for link in self._links_to(party):
                    link.near.connection.check_lag()
                    self._notice_end(link, link.near)
            case effects.ServeEffect(key=key):
                party.services.append(key.public)
            case effects.WakeEffect() | effects.StopServingEffect():
                pass  # links write, and strangers dial, when the test says so
            case effects.TellEffect(event=event):
                self._tell(party, event)
            case (
                effects.ReadFileEffect()
                | effects.ServeFileEffect()
                | effects.FetchFileEffect()
                | effects.StopFileEffect()
            ):
                party.files.append(effect)  # files are read and carried when the test says so
            case _:
                if isinstance(effect, effects.DropEffect) and party.room.hosting and effect.link > 0:  # no own dial
                    self.drops.append(effect.reason)
                if (found := self._find(party, effect.link)) is not None:
                    link, end = found
                    end.carry_out(effect, self.tick)
                    self._notice_end(link, end)

    def _links_to(self, party: Party) -> list[Link]:
        return [link for link in self.links if link.near.owner is party and link.near.open]

    def _find(self, party: Party, number: int) -> tuple[Link, End] | None:
        """The open link to which a room gives this number, and its end there."""
        if number > 0:
            link = self.links[number - 1]
            return (link, link.near) if link.near.open else None
        found = self.link_of(party)
        return (found, found.far) if found is not None and found.far.number == number and found.far.open else None

    def link_of(self, party: Party) -> Link | None:
        """The latest link on which somebody has dialled."""
        return next((link for link in reversed(self.links) if link.far.owner is party), None)

    def _end(self, party: Party) -> None:
        for link in self._links_to(party):
            link.near.connection.finish(self.tick)
            link.near.finishing = True
        if (found := self._find(party, party.dialled)) is not None:
            self._write_far(party)
            self.close(*found)

    # --- links

    def dial(self, host: Party | None, member: Party | None) -> Link:
        """A new link, of which both learn; None: an end that the test plays."""
        if member is not None:
            self.await_dial(member)
        link = Link(len(self.links) + 1, self.tick, host, member)
        self.links.append(link)
        if host is not None:
            self.handle(host, inputs.LinkedInput(link.number, host.services[0]))
        return link

    def await_dial(self, member: Party) -> None:
        """Lets time pass until somebody's room wants to dial."""
        while not (member.is_dialling or member.room.over):
            deadline = member.room.next_deadline()
            assert deadline is not None, "a member without a link that does not want one"
            self.tick = max(self.tick, deadline)
            self.handle(member, inputs.TickInput())
        member.is_dialling = False

    def write(self, link: Link) -> None:
        """The end of whoever was dialled puts all it has on its way, after a batch has ended."""
        near = link.near
        if near.owner is not None:
            self.end_batch(near.owner)
        if not near.open:
            return
        self._send(link, near)
        if not near.open and link.far.owner is not None:  # the log has left it behind
            link.far.owner.unlucky = True
        if near.finishing:
            self.close(link, near)

    def _write_far(self, party: Party) -> None:
        if (found := self._find(party, party.dialled)) is not None:
            self._send(*found)

    def _send(self, link: Link, end: End) -> None:
        contents = end.take_output()
        if link.other(end).open:
            link.other(end).inbox.extend(contents)
        self._notice_end(link, end)

    def _notice_end(self, link: Link, end: End) -> None:
        """If an end has closed the link, it hears no more of it but that; the other one hears what is on its way."""
        if end.connection.is_over and not end.cut:
            end.inbox.clear()
            self.cut_end(end)
            self.cut_end(link.other(end))

    def close(self, link: Link, end: End) -> None:
        """One end closes a link."""
        if end.open:
            end.connection.end()
            self._notice_end(link, end)

    def cut(self, link: Link) -> None:
        """A link breaks; what is on its way still arrives."""
        self.cut_end(link.near)
        self.cut_end(link.far)

    @staticmethod
    def cut_end(end: End) -> None:
        """The same for one end alone: the other one does not notice, and what it sends goes nowhere."""
        if not end.cut:
            end.cut = True
            end.inbox.append(None)

    def deliver(self, link: Link, end: End) -> bool:
        """What is first on its way to this end arrives; whether there was anything."""
        if not end.inbox:
            return False
        content = end.inbox.popleft()
        self.deliveries += 1
        for tap in self.taps:
            tap(end, content)
        if end.owner is None:
            return True
        if content is None:
            silence = end.connection.measure_silence(self.tick)
            end.connection.end()
            self.handle(end.owner, inputs.DroppedInput(end.number, end.connection.reason, silence))
            return True
        end.connection.receive_data(padding.frame_content(content), self.tick)
        while (heard := end.connection.next_payload(self.tick)) is not None:
            self.handle(end.owner, inputs.ReceivedInput(end.number, heard))
        self._notice_end(link, end)
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
            self.handle(due[1], inputs.TickInput())
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
            if end.inbox or (end is link.near and end.open and (end.connection.has_data_to_send or end.finishing))
        ]
