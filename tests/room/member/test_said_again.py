"""Who has lost its place, and comes anew to a log that parted from its own, says again what that lacks (8.19)."""

import pytest
from msgspec import UNSET

from anonp2p.crypto.epoch import ENTRY, KEPT, Header
from anonp2p.protocol import bodies
from anonp2p.protocol.field_types import Opening
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.member.joining import Joining
from anonp2p.room.pending import Pending
from tests.room.member.parts import joined_context, take_events
from tests.room.peers import ANN, HOST

FORK = 20  # the last entry of both logs


def told(context: Context) -> list[tuple[type[events.Event], object]]:
    return [(type(it), it.re) for it in take_events(context) if isinstance(it, events.UnsentEvent | events.ErrorEvent)]


class Returning:
    """Somebody who said something after the fork, joins anew, and is shown the room."""

    def __init__(self, *, resealed: bool = False) -> None:
        self.context = joined_context()
        self.joining = Joining(self.context, "me")
        me = self.context.replica.me.id
        for counter, index in enumerate((FORK, FORK + 1), 1):
            body = bodies.TextBody(f"at {index}", action=False, reply=None)
            pending = Pending(body, body.text, index, resealed=resealed)
            self.context.sent.note_entry(Header(ENTRY, me, counter), index, pending, 0.0)
        self.context.sent.begin_identity()

    def comes_to(self, *begun: Opening) -> list[tuple[str, object]]:
        """The log has this term besides those of its own; returns what goes out, and on whose behalf."""
        ledger = self.context.replica.ledger
        ledger.index = FORK + 5
        self.joining.leave_log(ledger.copy())
        ledger.openings = (*ledger.openings, *begun)
        self.joining.end_history()
        pending = [it for _, it in self.context.outbox.list_pending()]
        return [(it.body.text, it.re) for it in pending if isinstance(it.body, bodies.TextBody) and it.body.late]


def test_who_comes_anew_to_a_log_that_parted_from_ours_says_again_what_it_lacks() -> None:
    """Who was cut off for ten minutes with others, or joined while the room was split."""
    returning = Returning()
    assert returning.comes_to(Opening(4, ANN.id, FORK + 1, b"d" * 32, FORK + 1)) == [(f"at {FORK + 1}", UNSET)]
    assert told(returning.context) == []
    assert returning.context.sent.take_former(0, 0.0, 0) == []


def test_where_our_log_goes_on_nothing_is_said_again() -> None:
    """It has all that we have said."""
    assert Returning().comes_to(Opening(4, ANN.id, FORK + 6, b"d" * 32, FORK + 6)) == []
    same = Returning()
    same.joining.end_history()
    assert len(same.context.outbox) == 0


def test_what_the_log_may_have_as_well_is_given_back_with_that_word() -> None:
    """5.14: nothing is ordered twice. It may have been on its way to the host of this side when the logs parted."""
    returning = Returning(resealed=True)
    assert returning.comes_to(Opening(4, ANN.id, FORK + 1, b"d" * 32, FORK + 1)) == []
    assert told(returning.context) == [(events.ErrorEvent, FORK + 1), (events.UnsentEvent, FORK + 1)]


def test_of_several_logs_on_the_way_the_one_that_it_was_in_counts() -> None:
    """A link may break while a host shows the room."""
    returning = Returning()
    ledger = returning.context.replica.ledger
    ledger.index = FORK + 5
    returning.joining.leave_log(ledger.copy())
    ledger.openings, ledger.index = (*ledger.openings, Opening(4, HOST.id, FORK + 1, b"d" * 32, FORK + 1)), FORK + 9
    returning.joining.leave_log(ledger.copy())
    returning.joining.end_history()
    assert len(returning.context.outbox) == 1


@pytest.mark.parametrize("ttl", [KEPT, 60])
def test_it_lives_no_longer_for_that(ttl: int) -> None:
    returning = Returning()
    me = returning.context.replica.me.id
    pending = Pending(bodies.TextBody("late", action=False, reply=None), "late", 1)
    returning.context.sent.forget_all()
    at = returning.context.clock.now.age - 20
    returning.context.sent.note_entry(Header(ENTRY, me, 1, 0, ttl), FORK + 1, pending, at)
    returning.context.sent.begin_identity()
    returning.comes_to(Opening(4, ANN.id, FORK + 1, b"d" * 32, FORK + 1))
    [(_, again)] = returning.context.outbox.list_pending()
    assert again.ttl == (KEPT if ttl == KEPT else 40)
