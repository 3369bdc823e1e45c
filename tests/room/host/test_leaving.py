"""A host that leaves: with an heir, without one, and where it closes the room for all."""

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import bodies
from anonp2p.protocol.field_types import Heir
from anonp2p.room import events, inputs
from anonp2p.room.host.leaving import Leaving
from anonp2p.room.hosting_events import LeaveEndsRoomEvent, LeaveHandsOverEvent
from tests.room.host.parts import Ordering, set_time
from tests.room.peers import ANN, BOB, kinds, told


class Home(Ordering):
    """A room of ours with Ann and Bob in it, Ann with a link; or with nobody else."""

    def __init__(self, *, alone: bool = False) -> None:
        super().__init__()
        if not alone:
            self.add_member(ANN, "ann")
            self.add_member(BOB, "bob")
            self.add_link(1, ANN)
        self.leaving = Leaving(self.context, self.sequencer, self.presence)
        self.context.lifecycle.enter("host")
        self.context.reporter.take_effects()
        self.start = self.sequencer.log.end

    def has_heir(self, member: bytes) -> None:
        """The log names one."""
        self.context.replica.ledger.heirs = (Heir(member, bytes([7]) * 32),)

    @property
    def name(self) -> str:
        """What the room is called."""
        return self.context.replica.ledger.name

    def warning(self, *, closes: bool = False, asks: bool = False, away: int = 0) -> LeaveEndsRoomEvent:
        """That the room ends for both."""
        return LeaveEndsRoomEvent(room="r1", name=self.name, others=2, away=away, closes=closes, asks=asks, re="1")

    def leaves(self, *, close: bool = False, asks: bool = False, at: float = 0.0) -> list[events.Event]:
        """The user wants out; returns what it is told."""
        set_time(self.context, at)
        self.leaving.leave(inputs.LeaveInput(close=close, asks=asks, re="1"))
        return told(self.context.reporter.take_effects())


@pytest.fixture
def home() -> Home:
    return Home()


def test_a_host_with_an_heir_hands_over_and_is_out(home: Home) -> None:
    home.has_heir(ANN.id)
    assert home.leaving.can_hand_over
    handed, gone = home.leaves()
    ann = identity.spell_member(ANN.id)
    assert handed == LeaveHandsOverEvent(room="r1", name=home.name, member=ann, nick="ann", re="1")
    assert isinstance(gone, events.GoneEvent)
    assert home.bodies(home.start) == [bodies.HandOverBody(leaves=True)]
    ledger = home.context.replica.ledger
    assert ledger.handed_over
    assert ledger.roster.find_member(home.context.replica.me.id) is None


def test_an_heir_without_a_link_takes_nothing_over(home: Home) -> None:
    home.has_heir(BOB.id)
    assert not home.leaving.can_hand_over
    home.leaves()
    assert home.bodies(home.start) == [bodies.CloseBody()]


def test_to_close_ends_the_room_for_all_even_with_an_heir(home: Home) -> None:
    home.has_heir(ANN.id)
    assert kinds(home.leaves(close=True)) == ["GoneEvent"]
    assert home.bodies(home.start) == [bodies.CloseBody()]


def test_a_person_has_to_say_twice_that_a_room_is_to_be_closed(home: Home) -> None:
    home.has_heir(ANN.id)
    assert home.leaves(close=True, asks=True) == [home.warning(closes=True, asks=True)]
    assert home.bodies(home.start) == []
    assert kinds(home.leaves(close=True, asks=True, at=1.0)) == ["GoneEvent"]
    assert home.bodies(home.start) == [bodies.CloseBody()]


def test_a_host_without_an_heir_is_told_before_the_room_ends(home: Home) -> None:
    told_, gone = home.leaves()
    assert told_ == home.warning()
    assert isinstance(gone, events.GoneEvent)


def test_a_person_has_to_say_it_twice(home: Home) -> None:
    assert home.leaves(asks=True) == [home.warning(asks=True)]
    assert home.bodies(home.start) == []
    assert kinds(home.leaves(asks=True, at=limits.LEAVE_CONFIRM)) == ["LeaveEndsRoomEvent", "GoneEvent"]


def test_what_was_said_long_ago_has_to_be_said_again(home: Home) -> None:
    home.leaves(asks=True)
    home.leaves(asks=True, at=limits.LEAVE_CONFIRM + 1)
    assert home.bodies(home.start) == []


@pytest.mark.parametrize("close", [False, True])
def test_a_host_that_is_alone_just_leaves(close: bool) -> None:
    home = Home(alone=True)
    assert not home.leaving.ends_room
    assert kinds(home.leaves(asks=True, close=close)) == ["GoneEvent"]
    assert home.bodies(home.start) == [bodies.CloseBody()]


@pytest.mark.parametrize("close", [False, True])
def test_a_room_ends_for_those_who_are_away_too(home: Home, close: bool) -> None:
    for count, member in enumerate((ANN, BOB), 1):
        home.sequencer.order_own(bodies.AwayBody(member.id))
        home.context.reporter.take_effects()
        assert home.leaving.ends_room
        asked = home.leaves(asks=True, close=close, at=count * (limits.LEAVE_CONFIRM + 1))
        assert asked == [home.warning(asks=True, closes=close, away=count)]
