"""Somebody in a town: a real room, what it was told, and what its machine keeps from it."""

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Protocol, TypeVar

from anonp2p.room import effects, events, inputs
from anonp2p.room.errors import Muted, RightLost, RoomSlow, TextDenied
from anonp2p.room.file_events import OfferEvent
from anonp2p.room.moderation_events import WaitingEvent
from anonp2p.room.room import Room
from tests.room.town.wires import Side

HELD_BACK = (Muted, RoomSlow, TextDenied, RightLost)  # why a text comes back
E = TypeVar("E", bound=events.Event)


def draws(seed: str) -> Callable[[int], bytes]:
    """Random bytes for one room: the same in every run."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed}:{drawn}".encode()).digest(length)

    return draw


class Actor(Protocol):
    """Whatever takes inputs as a room does: a real room, or who plays one."""

    @property
    def over(self) -> bool:
        """Whether it is out for good."""

    @property
    def hosting(self) -> bool:
        """Whether its last bytes are waited for when it is out."""

    def handle_input(self, event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        """Says what is to be done."""

    def next_deadline(self) -> float | None:
        """When a Tick is due."""


class Person:
    """One in a town. actor: what acts for it. room: the real room behind that, if there is one.

    clock: by how many seconds its clock differs from the town's.
    held: what its machine has for it while it is stopped; None while it runs.
    """

    def __init__(self, number: int, actor: Actor, room: Room | None, clock: float) -> None:
        self.number = number
        self.actor = actor  # may be replaced by another for the same room
        self._room = room
        self.clock = clock
        self.is_alive = True
        self.held: list[Callable[[], object]] | None = None
        self.sides: dict[int, Side] = {}  # by the number that its room gives the link
        self.accepted = 0  # links so far
        self.dialling: set[int] = set()  # the numbers of links that it dials
        self.told: list[events.Event] = []
        self.told_at: list[float] = []  # when, by the town's clock
        self.said: dict[str, float] = {}  # texts for all that are kept, and when they were typed
        self.shown: Counter[str] = Counter()  # texts for all, however they came
        self.places: dict[str, int] = {}  # the latest `seq` of each of these
        self.unsent: list[str] = []
        self.serving: set[int] = set()  # the numbers of its offers whose files are served
        self.entered_at: list[float] = []
        self.deadline: float | None = None  # of the room, by its own clock, since its last input
        self.ticks_at = float("inf")  # when the room is told of that
        self.ends_batch = False  # whether that is planned
        self.typed = 0

    @property
    def room(self) -> Room:
        """Its real room."""
        assert self._room is not None, "a stranger has none"
        return self._room

    @property
    def id(self) -> bytes:
        """Its member id."""
        return self.room.replica.me.id

    @property
    def is_member(self) -> bool:
        """Whether it is alive and in the room as far as it knows, honest or not."""
        return self.is_alive and self._room is not None and self._room.entered

    @property
    def is_honest(self) -> bool:
        """Whether its room does all that it does."""
        return self._room is self.actor

    @property
    def is_here(self) -> bool:
        """Whether it is honest, and in the room as far as it knows."""
        return self.is_member and self.is_honest

    @property
    def is_hosting(self) -> bool:
        return self.is_member and self.room.hosting

    @property
    def has_stayed(self) -> bool:
        """Whether it has been in without a gap, from when it came."""
        return self.is_here and len(self.entered_at) == 1

    def now(self, town: float, at_least: float = 0.0) -> inputs.Now:
        """Its own time. at_least: a time of the town's, in case adding has lost a little of it."""
        tick = max(town + self.clock, at_least)
        return inputs.Now(tick, 1_000_000_000 + tick + self.clock)

    def got(self, kind: type[E]) -> list[E]:
        return [event for event in self.told if isinstance(event, kind)]

    def list_waiting(self) -> list[str]:
        """The nicks of those who knock, as far as it was told."""
        told = self.got(WaitingEvent)
        return [knocker.nick for knocker in told[-1].people] if told else []

    @property
    def waits(self) -> bool:
        """Whether it was told last that it waits to be let in."""
        told = self.got(events.LinkEvent)[-1:]
        is_outside = self.is_alive and not (self.actor.over or self.is_member)
        return is_outside and [it.detail.code for it in told] == ["knocking"]

    def when(self, kind: type[events.Event], since: float = 0.0) -> float:
        """When it was told of the first event of this kind since then; endless if it was not."""
        told = zip(self.told, self.told_at, strict=True)
        return min((at for event, at in told if isinstance(event, kind) and at >= since), default=float("inf"))

    def hear(self, event: events.Event, now: float) -> None:
        """Is told something."""
        self.told.append(event)
        self.told_at.append(now)
        match event:
            case events.MessageEvent(text=text, seq=seq, private=False) | OfferEvent(name=text, seq=seq):
                self.shown[text] += 1
                self.places[text] = seq
            case events.MovedEvent(was=was, seq=seq):
                for text in [text for text, place in self.places.items() if place == was]:
                    self.places[text] = seq
            case events.ErrorEvent(text=error, re=re) if isinstance(error, HELD_BACK) and isinstance(re, str):
                self.said.pop(re, None)
            case events.UnsentEvent(text=text):
                self.unsent.append(text.removeprefix("/send "))
            case events.EnteredEvent():
                self.entered_at.append(now)
