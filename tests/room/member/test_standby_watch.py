"""A first heir whose service some do not find: when it publishes that anew."""

from collections.abc import Callable

import pytest

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.requests import ResumeRequest
from anonp2p.room.gate import Caller
from anonp2p.room.member.standby_watch import StandbyWatch
from anonp2p.room.standby import Standby
from tests.room.member.parts import HELLO, SECRET, joined_context, set_time, take_effects
from tests.room.peers import ANN, Somebody, service_changes

OWN_KEY = RoomKey(b"o" * 32)
OWN = OWN_KEY.public
RENEWED = [("stop", OWN), ("serve", OWN)]


class FirstHeir:
    """The first heir of Hugo's room, whose service is published. Ann is to wait there."""

    def __init__(self) -> None:
        self.context = joined_context()
        self.serving, self.ledger = self.context.serving, self.context.replica.ledger
        self.ledger.heirs = (Heir(self.context.replica.me.id, OWN),)
        self.serving.add_key(OWN_KEY)
        self.serving.serve(OWN)
        self.serving.note_published(OWN)
        self.standby = Standby(self.context)
        self.watch = StandbyWatch(self.context, self.standby)
        self.seconds = 0.0
        self.passes(0)

    def passes(self, seconds: float, *, is_lost: bool = False) -> list[tuple[str, bytes]]:
        """So much time passes; returns what is done with services then."""
        self.seconds += seconds
        set_time(self.context, self.seconds)
        self.watch.update(is_lost=is_lost)
        return service_changes(take_effects(self.context))

    def ann_waits(self) -> None:
        known = list(self.ledger.openings)
        resume = ResumeRequest(SECRET, ANN.id, b"", 0, 0, bytes(32), known, False, bytes(64))
        self.standby.add_link(Caller(1, Channel(SECRET, HELLO, up=False), HELLO, OWN), resume)


@pytest.fixture
def heir() -> FirstHeir:
    return FirstHeir()


def test_a_first_heir_at_which_one_who_is_here_does_not_wait_publishes_its_service_anew_once_in_a_while(
    heir: FirstHeir,
) -> None:
    """8.9: another may have published it last, and be gone."""
    assert heir.watch.next_deadline() == heir.context.clock.tick + limits.STANDBY_MISSING
    assert heir.passes(limits.STANDBY_MISSING - 1) == []
    assert heir.passes(1) == RENEWED
    heir.serving.note_published(OWN)
    assert heir.passes(1) == []
    assert heir.passes(limits.STANDBY_RENEWED - 2) == []
    assert heir.watch.next_deadline() == heir.context.clock.tick + 1
    assert heir.passes(1) == RENEWED


def test_the_time_counts_for_each_member_by_itself_and_not_while_it_waits(heir: FirstHeir) -> None:
    heir.passes(limits.STANDBY_MISSING - 1)
    heir.ann_waits()
    heir.passes(2)
    assert heir.watch.next_deadline() is None
    heir.standby.forget_link(1)
    heir.passes(0)
    assert heir.passes(limits.STANDBY_MISSING - 1) == []
    assert heir.passes(1) == RENEWED


def _appoint_another(heir: FirstHeir) -> None:
    heir.ledger.heirs = (Heir(ANN.id, b"a" * 32), *heir.ledger.heirs)


def _unpublish(heir: FirstHeir) -> None:
    heir.serving.note_unpublished(OWN)


def _fill(heir: FirstHeir) -> None:
    for number in range(limits.STANDBY_MEMBERS):
        heir.ledger.add_member(Somebody(bytes([number])).key, f"one{number}", bytes(32))


def _send_away(heir: FirstHeir) -> None:
    heir.ledger.roster.mark_presence(heir.ledger.get_member(ANN.id), away=True)


@pytest.mark.parametrize("change", [FirstHeir.ann_waits, _appoint_another, _unpublish, _fill, _send_away])
def test_nobody_is_missed_who_is_not_to_wait(heir: FirstHeir, change: Callable[[FirstHeir], None]) -> None:
    """Who waits, or is away; and nobody at one that is not the first heir, cannot be found yet, or of a large room."""
    change(heir)
    heir.passes(0)
    assert heir.watch.next_deadline() is None
    assert heir.passes(limits.STANDBY_MISSING) == []


def test_without_a_host_it_publishes_nothing_anew(heir: FirstHeir) -> None:
    """It may be needed at any moment."""
    assert heir.passes(limits.STANDBY_MISSING, is_lost=True) == []
    assert heir.passes(0) == []
    assert heir.watch.next_deadline() == heir.context.clock.tick + limits.STANDBY_MISSING
