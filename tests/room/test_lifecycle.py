"""The way into a room and out of it, without a role that goes it."""

import pytest
from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.errors import Locked
from anonp2p.protocol import bodies
from anonp2p.room import changes, events, inputs
from anonp2p.room.context import Context, create_context
from anonp2p.room.host.founding import Founding, found_room
from anonp2p.room.inputs import Now
from anonp2p.room.retention import ANY, NO_HISTORY
from tests.room.peers import ANN, EVE, ROOM, ROOM_KEY, kinds, randomness, told


@pytest.fixture
def context() -> Context:
    """A room that input 7 asked for, with us in its roster but not told of it."""
    context = create_context(label="r1", key=ROOM, random=randomness(b"me"), re=7)
    context.clock.now = Now(100.0, 1_000_000.0)
    found_room(context, Founding(ROOM_KEY, "hugo", "demo", ANY, NO_HISTORY))
    return context


def take_told(context: Context) -> list[events.Event]:
    return told(context.reporter.take_effects())


def test_who_is_in_is_told_so_and_the_input_that_asked_is_answered(context: Context) -> None:
    assert not context.lifecycle.entered
    assert context.lifecycle.re == 7
    context.lifecycle.enter("host")
    entered, *_ = take_told(context)
    assert isinstance(entered, events.EnteredEvent)
    assert (entered.name, entered.nick, entered.role, entered.re) == ("demo", "hugo", "host", 7)
    assert context.lifecycle.entered
    assert context.lifecycle.re is UNSET


def test_who_comes_in_is_told_at_once_whose_nick_passes_for_anothers(context: Context) -> None:
    context.replica.ledger.add_member(ANN.key, "ad4", bytes(32))
    context.replica.ledger.add_member(EVE.key, "ad4_", bytes(32))
    context.lifecycle.enter("member")
    entered, caution, *_ = take_told(context)
    assert isinstance(entered, events.EnteredEvent)
    assert isinstance(caution, events.LookalikeEvent)
    assert (caution.nick, caution.was, caution.of) == ("ad4_", "ad4", "present")


def test_what_was_not_ordered_is_given_back_before_the_room_is_gone(context: Context) -> None:
    context.lifecycle.enter("member")
    context.add_entry(bodies.TextBody("not ordered", action=False, reply=None), "not ordered", 8)
    take_told(context)
    context.lifecycle.leave_room("lost")
    unsent, gone = take_told(context)
    assert isinstance(unsent, events.UnsentEvent)
    assert (unsent.text, unsent.re) == ("not ordered", 8)
    assert isinstance(gone, events.GoneEvent)
    assert gone.reason == "lost"
    assert context.lifecycle.over
    assert not context.lifecycle.entered


def test_what_waited_to_be_let_in_is_given_back_if_we_never_are(context: Context) -> None:
    context.lifecycle.waiting += [
        inputs.SayInput("hello", re=8),
        inputs.AskInput("/who", re=9),
        inputs.LeaveInput(re=10),
    ]
    context.lifecycle.fail(Locked(), "refused")
    why, unsent, no_room, gone = take_told(context)
    assert isinstance(why, events.ErrorEvent)
    assert (why.code, why.re) == (Locked.code, 7)
    assert isinstance(unsent, events.UnsentEvent)
    assert (unsent.text, unsent.re) == ("hello", 8)
    assert isinstance(no_room, events.ErrorEvent)
    assert (no_room.code, no_room.re) == (errors.NoRoom.code, 9)
    assert isinstance(gone, events.GoneEvent)
    assert (gone.reason, gone.re) == ("refused", 7)
    assert isinstance(context.lifecycle.failure, Locked)
    assert not context.lifecycle.waiting


@pytest.mark.parametrize("entered", [False, True])
def test_gone_answers_who_asked_to_leave_or_else_who_asked_for_a_room_that_we_never_entered(
    context: Context, entered: bool
) -> None:
    if entered:
        context.lifecycle.enter("member")
    take_told(context)
    context.lifecycle.leave_room("closed")
    [gone] = take_told(context)
    assert isinstance(gone, events.GoneEvent)
    assert gone.re == (UNSET if entered else 7)


def test_gone_answers_the_input_that_asked_to_leave(context: Context) -> None:
    context.lifecycle.enter("member")
    context.lifecycle.begin_leaving(9)
    assert context.lifecycle.entered
    take_told(context)
    context.lifecycle.leave_room("left")
    [gone] = take_told(context)
    assert isinstance(gone, events.GoneEvent)
    assert gone.re == 9


def test_who_leaves_a_room_that_ends_meanwhile_has_left_it(context: Context) -> None:
    context.lifecycle.enter("member")
    context.lifecycle.begin_leaving(9)
    take_told(context)
    context.lifecycle.leave_room("closed")
    [gone] = take_told(context)
    assert gone == events.GoneEvent(room="r1", reason="left", re=9)


def test_who_lost_its_place_is_outside_again(context: Context) -> None:
    context.lifecycle.enter("member")
    context.lifecycle.lose_place()
    assert not context.lifecycle.entered
    assert not context.lifecycle.over


def test_messages_that_were_shown_end_with_the_room(context: Context) -> None:
    context.lifecycle.enter("member")
    said = changes.MessageChange(member=b"m" * 16, counter=1, nick="ann", text="short", seq=3, ttl=60, age=20.0)
    context.reporter.tell_change(said, UNSET)
    take_told(context)
    assert context.reporter.next_deadline is not None
    context.clock.now = Now(100.0, 1_000_000.0, slept=39.0)
    context.reporter.end_due_messages()
    assert take_told(context) == []
    context.lifecycle.leave_room("closed")
    expired, gone = take_told(context)
    assert isinstance(expired, events.ExpiredEvent)
    assert expired.seq == 3
    assert kinds([gone]) == ["GoneEvent"]
    assert context.reporter.next_deadline is None


def test_a_message_ends_by_its_age_with_what_the_machine_has_slept(context: Context) -> None:
    context.clock.now = Now(100.0, 1_000_000.0, slept=500.0)
    said = changes.MessageChange(member=b"m" * 16, counter=1, nick="ann", text="short", seq=3, ttl=60, age=20.0)
    context.reporter.tell_change(said, UNSET)
    take_told(context)
    assert context.reporter.next_deadline == 100.0 + limits.SLEEP_NOTICE, "a sleep is noticed soon"
    context.clock.now = Now(100.0, 1_000_000.0, slept=538.0)
    assert context.reporter.next_deadline == pytest.approx(102.0, abs=0.01)
    context.clock.now = Now(100.0, 1_000_000.0, slept=540.0)
    context.reporter.end_due_messages()
    assert [event.seq for event in take_told(context) if isinstance(event, events.ExpiredEvent)] == [3]


def test_a_leave_that_is_planned_is_due_once_and_not_before(context: Context) -> None:
    lifecycle, leave = context.lifecycle, inputs.LeaveInput(now=True, within=2.0, re=8)
    assert lifecycle.take_due_leave(1_000.0) is None
    lifecycle.plan_leave(leave, 101.0)
    assert lifecycle.leaves_at == 101.0
    assert lifecycle.take_due_leave(100.9) is None
    assert lifecycle.take_due_leave(101.0) is leave
    assert lifecycle.take_due_leave(102.0) is None
