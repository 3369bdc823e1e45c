"""Any number of rooms in one town: links between all of them, a heap of what is to happen, and a clock that jumps.

Nothing happens but by the heap, and nothing is drawn but from the seed: the same seed makes the same town. What a room
wants done is done as `net` does it: a batch ends when nothing else waits, links end when they have been silent.
"""

import heapq
import random
from collections.abc import Callable
from typing import Any

from anonp2p.names.codes import RoomKey
from anonp2p.protocol import room_state
from anonp2p.reasons import Reason
from anonp2p.room import effects, inputs
from anonp2p.room.file_inputs import FileReadInput
from anonp2p.room.link_effects import apply_effect
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from tests.room.town.hostile import Stranger
from tests.room.town.person import Actor, Person, draws
from tests.room.town.wires import Distances, Lines, Side, Wire

STORM = 20_000  # things that happen in one second: far more than people, links and heartbeats make
FLUSH = 1.0  # seconds that a session waits for its last bytes


class Town:
    """People, and what is between them. Number 0 creates the room; others come by its code.

    watch: is told of each person that has taken an input, after all that came of it. on_link_end: is told of each end
    of a link that somebody notices, and why.
    """

    def __init__(
        self,
        seed: int,
        pace: Distances,
        *,
        retention: room_state.RetentionPolicy = ANY,
        history: room_state.HistoryPolicy = NO_HISTORY,
    ) -> None:
        self.now = 0.0
        self.people: list[Person] = []
        self.wires: list[Wire] = []
        self.lines = Lines()
        self.trace: list[str] = []
        self.watch: Callable[[Person], None] = lambda _: None
        self.on_link_end: Callable[[Person, Person, str], None] = lambda *_: None
        self.chance = random.Random(f"{seed} chance")
        self.hanging = False  # whether dials hang until their time is over
        self._seed = seed
        self._pace = pace
        self._rules = retention, history
        self._heap: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._planned = 0
        self._servers: dict[bytes, int] = {}  # by address: who has published it last
        self._serving: dict[tuple[int, bytes], None] = {}
        self._key = RoomKey(draws(f"{seed} key")(32))

    # --- time

    def plan(self, seconds: float, what: Callable[..., object], *about: Any) -> None:
        """Something is to happen in so many seconds; at once if its time passed while a machine was stopped."""
        self._planned += 1
        heapq.heappush(self._heap, (self.now + max(0.0, seconds), self._planned, what, about))

    def run(self, until: float) -> None:
        second, done = 0, 0
        while self._heap and self._heap[0][0] <= until:
            self.now, _, what, about = heapq.heappop(self._heap)
            what(*about)
            done = done + 1 if int(self.now) == second else 0
            second = int(self.now)
            assert done < STORM, "there is no end to what is to be done"
        self.now = until

    def note(self, person: Person | None, what: str) -> None:
        """A line of what has happened."""
        who = "-" if person is None else str(person.number)
        self.trace.append(f"{self.now:9.3f} {who:>2} {what}")

    # --- people

    def add(self, *, creates: bool) -> Person:
        """Somebody creates the room, or comes to it."""
        number = len(self.people)
        retention, history = self._rules
        room = Room(
            label="r1",
            key=self._key.public,
            random=draws(f"{self._seed} {number}"),
            nick=f"user{number}",
            may_host=True,
            room_key=self._key if creates else None,
            name="town" if creates else "",
            retention=retention,
            history=history,
        )
        return self._begin(room, room)

    def add_stranger(self, *, answers: bool) -> Person:
        """Somebody comes who only has the code."""
        random_ = draws(f"{self._seed} {len(self.people)}")
        return self._begin(Stranger(self._key.public, random_, answers=answers), None)

    def _begin(self, actor: Actor, room: Room | None) -> Person:
        number = len(self.people)
        person = Person(number, actor, room, self.chance.choice([0, 1_000, 50_000]) + number)
        self.people.append(person)
        self.handle(person, inputs.StartInput())
        return person

    def kill(self, person: Person, *, silent: bool) -> None:
        """A machine dies. silent: nobody is told that its links are gone."""
        person.is_alive = False
        person.held = None
        for side in [*person.sides.values()]:
            if silent:
                side.wire.is_broken = True
            else:
                self._send(side, b"")
        person.sides.clear()

    def stop(self, person: Person) -> None:
        """A machine does nothing any more, for now."""
        if person.is_alive and person.held is None:
            person.held = []

    def go_on(self, person: Person, *, late: bool) -> None:
        """It goes on. late: finds that time has passed before it looks at what has come."""
        held, person.held = person.held or [], None
        if late and person.is_alive:
            for side in [*person.sides.values()]:
                self._check_deadline(side)
        for what in held:
            if person.is_alive:
                what()

    def break_links(self, pairs: list[frozenset[int]], *, silent: bool) -> None:
        """All links between these break; unless it is silent, both ends are told."""
        for wire in self.wires:
            if wire.ends in pairs and not wire.is_broken:
                wire.is_broken = True
                for side in () if silent else (wire.near, wire.far):
                    self.plan(self.chance.uniform(0.02, 0.4), self._do, self._owner(side), self._lose, side)

    # --- rooms

    def type_input(self, person: Person, typed: inputs.Input) -> None:
        """The user types something, or something happens on the machine."""
        self._do(person, self.handle, person, typed)

    def handle(self, person: Person, what: inputs.Input, at_least: float = 0.0) -> None:
        """A room takes an input, and what it wants done is done."""
        actor, was_over = person.actor, person.actor.over
        touched: dict[int, Side] = {}
        head, grown = b"", False
        for effect in actor.handle_input(what, person.now(self.now, at_least)):
            match effect:
                case effects.TellEffect(event=event):
                    person.hear(event, self.now)
                    self.note(person, _describe(event))
                case effects.DialEffect():
                    self._dial(person, effect)
                case effects.ServeEffect(key=key):
                    self._serve(person, key.public)
                case effects.StopServingEffect(address=address):
                    self._stop_serving(person, address)
                case effects.HeartbeatEffect(data=data):
                    head = data
                case effects.WakeEffect() | effects.SweepEffect():
                    grown = True
                case effects.ReadFileEffect(number=number, path=path):
                    read = FileReadInput(number, path, len(path), path.encode().ljust(32)[:32])
                    self.plan(0.1, self.type_input, person, read)
                case effects.ServeFileEffect(number=number):
                    person.serving.add(number)
                case effects.StopFileEffect(number=number):
                    person.serving.discard(number)
                case effects.FetchFileEffect():
                    pass  # how files come is not played here
                case _:
                    if side := person.sides.get(effect.link):
                        apply_effect(effect, side.connection, self.now)
                        touched[side.number] = side
                    elif isinstance(effect, effects.DropEffect):
                        person.dialling.discard(effect.link)
        if grown:
            touched.update(person.sides)
        elif head:
            for side in person.sides.values():
                side.connection.send_head(head)
            touched.update(person.sides)
        for side in touched.values():
            self._react(side)
        if actor.over and not was_over:
            self._finish(person)
        elif actor.hosting and not isinstance(what, inputs.EndBatchInput) and not person.ends_batch:
            person.ends_batch = True
            self.plan(0.0, self._do, person, self._end_batch, person)
        person.deadline = actor.next_deadline()
        self._plan_tick(person)
        self.watch(person)

    def _end_batch(self, person: Person) -> None:
        person.ends_batch = False
        self.handle(person, inputs.EndBatchInput())

    def _plan_tick(self, person: Person) -> None:
        deadline = person.deadline
        if deadline is None:
            return
        at = max(self.now, deadline - person.clock)
        if at < person.ticks_at:
            person.ticks_at = at
            self.plan(at - self.now, self._do, person, self._tick, person, at)

    def _tick(self, person: Person, at: float) -> None:
        """The time of a deadline has come, if the room still has it."""
        if at != person.ticks_at:
            return
        person.ticks_at = float("inf")
        deadline = person.deadline
        if deadline is not None and deadline <= self.now + person.clock + 1e-6:
            self.handle(person, inputs.TickInput(), deadline)
        else:
            self._plan_tick(person)

    def _finish(self, person: Person) -> None:
        """A room is over: a host's last bytes are still sent."""
        for number, address in [*self._serving]:
            if number == person.number:
                self._stop_serving(person, address)
        person.dialling.clear()
        for side in [*person.sides.values()]:
            if person.actor.hosting:
                side.connection.finish(self.now)
                self._react(side)
                self.plan(FLUSH, self._do, person, self._close, side)
            else:
                self._flush(side)
                self._close(side)

    def _do(self, person: Person, what: Callable[..., object], *about: Any) -> None:
        """Something happens on somebody's machine, or will once that goes on."""
        if not person.is_alive:
            return
        if person.held is None:
            what(*about)
        else:
            person.held.append(lambda: what(*about))

    def other_end(self, side: Side) -> Person:
        """Who has the other end of a link."""
        return self._owner(side.wire.other(side))

    def _owner(self, side: Side) -> Person:
        return self.people[side.owner]

    # --- services and dials

    def _serve(self, person: Person, address: bytes) -> None:
        assert (person.number, address) not in self._serving, "an address is served once"
        self._serving[person.number, address] = None
        self.note(person, f"serves {_brief(address)}")
        self.plan(self.chance.uniform(*self._pace.publish), self._do, person, self._publish, person, address)

    def _publish(self, person: Person, address: bytes) -> None:
        if (person.number, address) in self._serving:
            self._servers[address] = person.number
            self.handle(person, inputs.PublishedInput(address))

    def _stop_serving(self, person: Person, address: bytes) -> None:
        self._serving.pop((person.number, address), None)

    def find_server(self, address: bytes) -> Person | None:
        """Who answers there: the one who has published it last, if that one still serves it."""
        number = self._servers.get(address)
        if number is None or (number, address) not in self._serving:
            return None
        return self.people[number] if self.people[number].is_alive else None

    def _dial(self, person: Person, effect: effects.DialEffect) -> None:
        person.dialling.add(effect.link)
        self.note(person, f"dials {_brief(effect.address)} for {effect.seconds:g} s")
        chance = random.Random(f"{self._seed} dial {person.number} {effect.link}")
        seconds = effect.seconds if self.hanging else min(chance.uniform(*self._pace.dial), effect.seconds)
        self.plan(seconds, self._do, person, self._connect, person, effect, effect.seconds - seconds)

    def _connect(self, person: Person, effect: effects.DialEffect, left: float) -> None:
        """A dial has come to where there is a service, or to nothing."""
        if effect.link not in person.dialling:
            return
        server = self.find_server(effect.address)
        if left <= 0 or (server is not None and not self.lines.are_open(person.number, server.number)):
            failure = inputs.DialFailedInput(effect.link, Reason("dial-timeout", 0.0))
            self.plan(left, self._do, person, self._fail, person, failure)
        elif server is None:
            is_known = effect.address in self._servers
            reason = Reason("no-introduction") if is_known else Reason("not-found")
            failure = inputs.DialFailedInput(effect.link, reason, absent=not is_known)
            self.plan(min(left, 0.3), self._do, person, self._fail, person, failure)
        else:
            person.dialling.discard(effect.link)
            self._link(person, effect, server)

    def _fail(self, person: Person, failure: inputs.DialFailedInput) -> None:
        if failure.link in person.dialling:
            person.dialling.discard(failure.link)
            self.handle(person, failure)

    def _link(self, person: Person, effect: effects.DialEffect, server: Person) -> None:
        server.accepted += 1
        seed = f"{self._seed} {person.number} {server.number} {effect.link} {server.accepted}"
        wire = Wire(seed, self._pace, self.now, (server.number, server.accepted), (person.number, effect.link))
        self.wires.append(wire)
        person.sides[effect.link] = wire.far
        self._watch_deadline(wire.far)
        self._do(server, self._accept, server, wire.near, effect.address)

    def _accept(self, server: Person, side: Side, address: bytes) -> None:
        if server.actor.over:
            side.is_up = False
            self._send(side, b"")
            return
        server.sides[side.number] = side
        self._watch_deadline(side)
        self.handle(server, inputs.LinkedInput(side.number, address))

    # --- links

    def _react(self, side: Side) -> None:
        """What was done to a connection takes effect: what it sends, what it reads, its end."""
        self._flush(side)
        self.plan(0.0, self._do, self._owner(side), self._read, side)

    def _flush(self, side: Side) -> None:
        while data := side.connection.data_to_send():
            self._send(side, bytes(data))
            side.connection.mark_sent(len(data))

    def _send(self, side: Side, data: bytes) -> None:
        """Bytes are on their way; none: the link's end."""
        wire, there = side.wire, side.wire.other(side)
        if wire.is_broken or not self.lines.are_open(*_pair(wire)):
            wire.is_broken = True
        else:
            self.plan(wire.next_arrival(there, self.now) - self.now, self._arrive, there, data)

    def _arrive(self, side: Side, data: bytes) -> None:
        if side.wire.is_broken or not self.lines.are_open(*_pair(side.wire)):
            side.wire.is_broken = True
        else:
            self._do(self._owner(side), self._receive, side, data)

    def _receive(self, side: Side, data: bytes) -> None:
        if side.is_up:
            side.connection.receive_data(data, self.now)
            self._read(side)

    def _read(self, side: Side) -> None:
        """Hands on what may be read now, and notices an end."""
        person, connection = self._owner(side), side.connection
        while side.is_up and (payload := connection.next_payload(self.now)) is not None:
            is_first = not (side.dialled or connection.is_settled)
            if is_first:
                connection.await_answer()
            self.handle(person, inputs.ReceivedInput(side.number, payload, is_first))
        if connection.is_over:
            self._close(side)
            return
        if self.now < connection.resumes_at < float("inf"):
            self.plan(connection.resumes_at - self.now, self._do, person, self._read, side)
        self._watch_deadline(side)

    def _lose(self, side: Side) -> None:
        side.connection.end("broken")
        self._close(side)

    def _close(self, side: Side) -> None:
        """An end of a link is no more: its room is told, and the other end will be."""
        if not side.is_up:
            return
        side.is_up = False
        side.connection.end()
        person = self._owner(side)
        self.on_link_end(person, self.other_end(side), side.connection.reason)
        del person.sides[side.number]
        self._send(side, b"")
        silence = side.connection.measure_silence(self.now)
        self.handle(person, inputs.DroppedInput(side.number, side.connection.reason, silence))

    def _watch_deadline(self, side: Side) -> None:
        at = side.connection.next_deadline()
        if at < side.checked_at:
            side.checked_at = at
            self.plan(at - self.now, self._do, self._owner(side), self._check_deadline, side)

    def _check_deadline(self, side: Side) -> None:
        side.checked_at = float("inf")
        if not side.is_up:
            return
        if self.now >= side.connection.next_deadline():
            side.connection.handle_timeout(self.now)
            self._close(side)
        else:
            self._watch_deadline(side)


def _pair(wire: Wire) -> tuple[int, int]:
    return wire.near.owner, wire.far.owner


def _brief(address: bytes) -> str:
    return address.hex()[:4]


def _describe(event: Any) -> str:
    """An event in a line, with what tells it from others."""
    names = ("text", "seq", "member", "nick", "reason", "state", "count", "code", "index")
    said = [f"{name}={value}" for name in names if (value := getattr(event, name, None)) is not None]
    return " ".join([type(event).__name__, *said])
