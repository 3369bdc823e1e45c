"""Whole links, as one member's program has them: what it is given, in order, what it sends, and what comes of that.

The rooms and the network are those of `tests/support/world.py`, so that a transcript is the same whenever it is made;
what is drawn at random is part of it. A fork is played by a host that lies (`tests/room/member/false_host.py`).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import room_state
from anonp2p.room import effects, events, inputs
from anonp2p.room.link_effects import LinkEffect
from anonp2p.room.moderation_events import LockChangedEvent, SelfKickedEvent
from anonp2p.room.moderation_inputs import KickInput, LockInput
from anonp2p.room.retention import ANY, NO_HISTORY
from anonp2p.room.room import Room
from tests.room import peers
from tests.room.member.false_host import FalseHost
from tests.support.world import PLAYED, START, End, Party, World

Vectors = dict[str, Any]
Step = tuple[float, inputs.Input]  # after how many seconds, what
Draw = Callable[[int], bytes]
MEMBER = "annie"
FIELDS: dict[type[events.Event], tuple[str, ...]] = {  # what is told of an event; of others nothing
    events.EnteredEvent: ("name", "nick"),
    events.MessageEvent: ("seq", "nick", "text"),
    events.ExpiredEvent: ("seq", "retracted"),
    events.JoinedEvent: ("nick",),
    events.LeftEvent: ("nick", "reason"),
    events.RenamedEvent: ("was", "nick"),
    LockChangedEvent: ("locked",),
    events.EntriesMissedEvent: ("count", "verified"),
    events.ExpiredUnseenEvent: ("count",),
    SelfKickedEvent: ("why",),
    events.GoneEvent: ("reason",),
}


# --- what a transcript says


def verdict(done: Iterable[effects.Effect]) -> list[Vectors]:
    """What a step leads to: what the user is told, and why the link ends."""
    found: list[Vectors] = []
    for effect in done:
        match effect:
            case effects.TellEffect(event=events.AlarmEvent(reason=reason)):
                found.append({"told": "alarm", "code": reason.code, "fault": str(reason.value)})
            case effects.TellEffect(event=event) if type(event) in FIELDS:
                told = {name: getattr(event, name) for name in FIELDS[type(event)]}
                found.append({"told": event.__struct_config__.tag, **told})
            case effects.DropEffect(reason=reason):
                found.append({"link ends": reason})
            case effects.FinishEffect():
                found.append({"link ends": "once all is sent"})
            case effects.DialEffect():
                found.append({"dials": True})
    return found


def step_of(what: inputs.Input) -> Vectors | None:
    """An input as it stands in a transcript; None for one that changes nothing."""
    match what:
        case inputs.StartInput():
            return {"begins": True}
        case inputs.ReceivedInput(payload=payload):
            return {"hears": payload}
        case inputs.DroppedInput():
            return {"link is lost": True}
        case inputs.TickInput():
            return {"time passes": True}
        case inputs.SayInput(text=text):
            return {"says": text}
        case inputs.LeaveInput():
            return {"leaves": True}
    return None


def input_of(step: Vectors, link: int) -> inputs.Input:
    """The input that stands in a transcript so. link: the latest that was dialled."""
    match step:
        case {"begins": True}:
            return inputs.StartInput()
        case {"hears": payload}:
            return inputs.ReceivedInput(link, payload)
        case {"link is lost": True}:
            return inputs.DroppedInput(link, "broken", 0.0)
        case {"says": text}:
            return inputs.SayInput(text, re=UNSET)
        case {"leaves": True}:
            return inputs.LeaveInput(re=UNSET)
    return inputs.TickInput()


def replay(room: bytes, random: Draw, steps: Iterable[Vectors]) -> Iterator[tuple[list[bytes], list[Vectors]]]:
    """What a member's room sends at each step, and what comes of it."""
    member = Room(label="r1", key=room, random=random, nick=MEMBER)
    end = End(PLAYED, START)
    for step in steps:
        now = inputs.Now(START + step["at"], 1_000_000 + step["at"])
        done = member.handle_input(input_of(step, end.number), now)
        for effect in done:
            if isinstance(effect, effects.DialEffect):
                end = End(effect.link, now.tick)
            elif isinstance(effect, LinkEffect):
                end.carry_out(effect, now.tick)
        yield end.take_output(), verdict(done)


# --- how one is made


class Recorder:
    """Notes what one member's room is given, and what it draws."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self.drawn: list[bytes] = []
        self.steps: list[Vectors] = []

    def random(self, length: int) -> bytes:
        self.drawn.append(self._draw(length))
        return self.drawn[-1]

    def note(self, tick: float, what: inputs.Input) -> None:
        step = step_of(what)
        if step is not None:
            self.steps.append({"at": tick - START, **step})


class Table:
    """A room of a host, in which others talk, and one whose steps are noted."""

    def __init__(self, key: RoomKey, history: room_state.HistoryPolicy = NO_HISTORY) -> None:
        self.world = World()
        self._room = key.public
        founded = {"room_key": key, "name": "demo", "retention": ANY, "history": history}
        self.host = self._add("hugo", self.world.random, **founded)
        self.world.handle(self.host, inputs.PublishedInput(key.public))
        self.other = self._add("robert", self.world.random)
        self.dial(self.other)
        self.recorder = Recorder(self.world.random)
        self.world.watchers.append(self._watch)
        self.member: Party | None = None

    def _add(self, nick: str, random: Draw, **otherwise: Any) -> Party:
        return self.world.add(Room(label="r1", key=self._room, random=random, nick=nick, **otherwise))

    def _watch(self, party: Party, what: inputs.Input, _: list[effects.Effect]) -> None:
        if party not in (self.host, self.other):
            self.recorder.note(self.world.tick, what)

    def joins(self) -> Party:
        """The one whose steps are noted comes in."""
        self.member = self._add(MEMBER, self.recorder.random)
        self.dial(self.member)
        return self.member

    def dial(self, party: Party) -> None:
        self.world.dial(self.host, party)
        self.run()

    def says(self, party: Party, text: str) -> None:
        self.takes(party, inputs.SayInput(text))

    def takes(self, party: Party, typed: inputs.Typed) -> None:
        self.world.handle(party, typed)
        self.run()

    def cuts(self, party: Party) -> None:
        """Its link breaks, and both ends notice."""
        link = self.world.link_of(party)
        assert link is not None
        self.world.cut(link)
        self.run()

    def passes(self, seconds: float) -> None:
        """So much time passes for the host and the other."""
        self.world.pass_time(seconds, [party for party in self.world.parties if party is not self.member])
        self.run()

    def run(self) -> None:
        self.world.run(lambda _: 0)


def _join(table: Table) -> None:
    member = table.joins()
    table.says(table.other, "welcome!")
    table.says(member, "thank you")
    table.takes(table.other, inputs.RenameInput("roberta"))
    table.takes(table.host, LockInput(locked=True))
    table.takes(member, inputs.LeaveInput())


def _resume(table: Table) -> None:
    member = table.joins()
    table.says(table.other, "before")
    table.cuts(member)
    table.says(table.other, "while your link was broken")
    table.says(member, "said without a link")
    table.dial(member)
    table.says(table.host, "after")


def _missed_commit(table: Table) -> None:
    member = table.joins()
    table.cuts(member)
    table.says(table.other, "one last word")
    table.takes(table.host, KickInput("robert", "spam"))
    table.says(table.host, "in the next epoch")
    table.dial(member)
    table.says(member, "so am I")


def _history(table: Table) -> None:
    table.says(table.other, "the first")
    table.takes(table.other, inputs.RetainInput(2))
    table.says(table.other, "this one expires")
    table.takes(table.other, inputs.RetainInput(3_600))
    table.says(table.other, "the second")
    table.passes(3.0)
    table.says(table.joins(), "and the third")


def _removal(table: Table) -> None:
    table.joins()
    table.says(table.host, "out with you")
    table.takes(table.host, KickInput(MEMBER, "too many transcripts"))


def _retraction(table: Table) -> None:
    member = table.joins()
    table.says(table.other, "a slip of the tongue")
    table.takes(table.other, inputs.RetractInput(None))
    table.cuts(member)
    table.says(table.other, "another one")
    table.takes(table.other, inputs.RetractInput(None))
    table.says(table.other, "what was meant")
    table.dial(member)


def _gap(table: Table) -> None:
    """The host keeps fewer entries than usual, so that a short story is too long for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "LOG_ENTRIES", 8)
        member = table.joins()
        table.says(table.other, "before")
        table.cuts(member)
        for number in range(12):
            table.says(table.other, f"missed for good: {number}")
        table.takes(table.other, inputs.RenameInput("roberta"))
        table.dial(member)
        table.says(member, "what did I miss?")


STORIES: dict[str, Callable[[Table], None]] = {
    "join": _join,
    "resume": _resume,
    "missed commit": _missed_commit,
    "history": _history,
    "removal": _removal,
    "retraction": _retraction,
    "gap": _gap,
}


def _fork() -> tuple[bytes, Draw, list[Vectors]]:
    """A host that shows another entry in the place of one that it has signed for."""
    host = FalseHost(MEMBER, seed=b"member of a fork")
    recorder = Recorder(peers.randomness(b"member of a fork"))
    recorder.note(START, inputs.StartInput())
    host.watch = lambda what, _: recorder.note(host.now.tick, what)
    host.lets_in()
    host.hears(host.entry(peers.ANN, peers.text("in one log")))
    host.hears(host.entry(peers.ANN, peers.text("in another"), reference=(host.ledger.index, bytes(32))))
    host.hears(host.head(digest=bytes(32)))
    return peers.ROOM, recorder.random, recorder.steps


def transcripts(key: RoomKey, boxes: Any) -> Vectors:
    """All of them. key: of the room in which most are; boxes: see `make.Boxes`."""
    found = {}
    for name, story in STORIES.items():
        with _noted(boxes) as noted:
            table = Table(key, room_state.HistoryPolicy(2, 0) if name == "history" else NO_HISTORY)
            story(table)
            found[name] = _transcript(key.public, again(table.recorder.drawn), table.recorder.steps, noted)
    with _noted(boxes) as noted:
        found["fork"] = _transcript(*_fork(), noted)
    return found


def again(drawn: list[bytes]) -> Draw:
    """Draws the same once more."""
    left = iter(drawn)

    def draw(length: int) -> bytes:
        data = next(left)
        assert len(data) == length
        return data

    return draw


def _transcript(room: bytes, draw: Draw, steps: list[Vectors], noted: Vectors) -> Vectors:
    recorder = Recorder(draw)
    played = replay(room, recorder.random, steps)
    told = [{**step, "sends": sent, "verdict": found} for step, (sent, found) in zip(steps, played, strict=True)]
    return {"room": room, "nick": MEMBER, "drawn": recorder.drawn, **noted, "steps": told}


@contextmanager
def _noted(boxes: Any) -> Iterator[Vectors]:
    """Notes the seeds of all encryption keys that are made meanwhile, and the boxes to them, which boxes may hold."""
    noted: Vectors = {"seeds of encryption keys": [], "boxes": []}
    made: dict[bytes, suite.EncryptionKeyPair] = {}
    make_pair, seal = suite.EncryptionKeyPair.__init__, suite.seal_to_key

    def note_pair(pair: suite.EncryptionKeyPair, seed: bytes) -> None:
        make_pair(pair, seed)
        if pair.public not in made:
            noted["seeds of encryption keys"].append(seed)
        made[pair.public] = pair

    def note_box(key: bytes, text: bytes, info: bytes) -> bytes:
        if key not in made or not info:
            return seal(key, text, info)
        sealed: Vectors = boxes.sealed(made[key], text, info)
        if sealed not in noted["boxes"]:
            noted["boxes"].append(sealed)
        box: bytes = sealed["box"]
        return box

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite.EncryptionKeyPair, "__init__", note_pair)
        patch.setattr(suite, "seal_to_key", note_box)
        yield noted
