"""Those who do not keep to the rules: strangers who only have the code, and members with a rule of their own."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from anonp2p import limits
from anonp2p.crypto.padding import LENGTH, frame_content
from anonp2p.room import effects, inputs
from anonp2p.room.host.commits import Commits
from anonp2p.room.host.presence import LateMembers, Presence
from anonp2p.room.room import Room
from anonp2p.room.succession import terms
from anonp2p.room.succession.heir import BeginTerm, Heirship, Situation, Wait
from anonp2p.room.succession.meeting import Meeting
from tests.room.town.liar import Liar

LINKS = 12  # of one stranger at once
PAUSE = 0.5  # seconds between its dials


class Stranger:
    """Opens one link after the other to the room, and never asks properly to be let in.

    answers: whether it answers the hello, with bytes of which nothing can be made; otherwise it only waits.
    """

    def __init__(self, address: bytes, random: Callable[[int], bytes], *, answers: bool) -> None:
        self.over = False
        self.hosting = False
        self._address = address
        self._random = random
        self._answers = answers
        self._links: set[int] = set()
        self._dials = 0
        self._due_at: float | None = None

    def handle_input(self, event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        match event:
            case inputs.StartInput():
                self._due_at = now.tick
            case inputs.DroppedInput(link=link) | inputs.DialFailedInput(link=link):
                self._links.discard(link)
            case inputs.ReceivedInput(link=link) if self._answers:
                content = self._random(limits.CLIENT_HANDSHAKE - LENGTH)
                return [effects.SendEffect(link, frame_content(content))]
        if self._due_at is None or now.tick < self._due_at:
            return []
        self._due_at = now.tick + PAUSE
        if len(self._links) >= LINKS:
            return []
        self._dials += 1
        self._links.add(-self._dials)
        return [effects.DialEffect(-self._dials, self._address, limits.DIAL_TRIES[0], returns=False, pause=0.0)]

    def next_deadline(self) -> float | None:
        return self._due_at


class Meddler:
    """A real room in which one rule is replaced by another."""

    def __init__(self, room: Room, owner: type, name: str, rule: Callable[..., Any]) -> None:
        self._room = room
        self._owner = owner
        self._name = name
        self._rule = rule

    @property
    def over(self) -> bool:
        return self._room.over

    @property
    def hosting(self) -> bool:
        return self._room.hosting

    def handle_input(self, event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        with patch.object(self._owner, self._name, self._rule):
            return self._room.handle_input(event, now)

    def next_deadline(self) -> float | None:
        return self._room.next_deadline()


def _begin_at_once(_: Heirship, situation: Situation, __: float) -> BeginTerm | Wait:
    """An heir asks nobody, and waits for nobody."""
    if situation.lost_at is None or situation.me not in situation.heirs:
        return Wait(float("inf"))
    return BeginTerm(terms.heir_number(situation.number, situation.heirs.index(situation.me)))


def _wait_for_ever(_: Heirship, __: Situation, ___: float) -> Wait:
    """An heir does nothing when it is due."""
    return Wait(float("inf"))


def _judge_nobody(_: Meeting, *__: object) -> None:
    """A host takes no notice of others."""


def _carry_out_nothing(_: Commits) -> None:
    """A host keeps whom moderators have ordered out."""


_take_late = Presence.take_late


def _lose_moderators(room: Room, presence: Presence) -> LateMembers:
    """A host says that all other moderators are lost, and before that, that those who are here are away."""
    ledger = room.replica.ledger
    others = [it for it in ledger.rights.moderators if it != ledger.host]
    present = [it for it in others if not ledger.get_member(it).away]
    return LateMembers(present, others) if others else _take_late(presence)


MEDDLERS: dict[str, Callable[[Room], Meddler | Liar]] = {
    "eager": lambda room: Meddler(room, Heirship, "decide", _begin_at_once),
    "idle": lambda room: Meddler(room, Heirship, "decide", _wait_for_ever),
    "keeper": lambda room: Meddler(room, Commits, "carry_out_orders", _carry_out_nothing),
    "liar": Liar,
    "usurper": lambda room: Meddler(room, Presence, "take_late", lambda presence: _lose_moderators(room, presence)),
    "stubborn": lambda room: Meddler(room, Meeting, "judge", _judge_nobody),
}
