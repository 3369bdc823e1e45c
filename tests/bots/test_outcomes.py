"""What becomes of an input: its first answer, or the error in its place."""

from itertools import count

import pytest
import trio
import trio.testing

from anonp2p.bots.outcomes import Outcome, Outcomes
from anonp2p.errors import RoomGone, TorLost, Unsent
from anonp2p.room import events
from anonp2p.room.errors import Muted
from anonp2p.room.hosting_events import HeirsEvent


def failed(re: int) -> events.ErrorEvent:
    return events.ErrorEvent(room="r1", code="not-allowed", text=Muted(), re=re)


async def test_a_text_is_unsent_once_it_is_given_back_and_not_by_an_error_alone() -> None:
    outcome = Outcome(7)
    outcome.is_text = True
    outcome.take_event(failed(7))
    assert not outcome.is_there
    outcome.take_event(events.UnsentEvent(room="r1", text="psst", re=7))
    with pytest.raises(Unsent) as caught:
        await outcome.wait()
    assert caught.value.__cause__ == Muted()
    assert "psst" not in repr(caught.value)


async def test_a_command_fails_with_its_error() -> None:
    outcome = Outcome(7)
    outcome.take_event(failed(7))
    with pytest.raises(Muted):
        await outcome.wait()


async def test_notices_and_heirs_come_beside_the_answer_and_what_comes_later_does_not_count() -> None:
    outcome = Outcome(7)
    answer = events.LeftEvent(room="r1", member="m", nick="bob", reason="kicked", re=7)
    for beside in (events.NoticeEvent(text="psst", re=7), HeirsEvent(room="r1", heirs=[], re=7)):
        outcome.take_event(beside)
        assert not outcome.is_there
    outcome.take_event(answer)
    outcome.take_event(failed(7))
    assert await outcome.wait() == answer


async def test_a_notice_is_the_answer_of_what_is_done_here_alone() -> None:
    outcome = Outcome(7)
    outcome.take_event(notice := events.NoticeEvent(text="psst", re=7))
    outcome.answer_with_notice()
    assert await outcome.wait() == notice


def test_each_input_has_its_own_answer_and_those_that_are_waited_for_no_more_get_none() -> None:
    outcomes = Outcomes(count(1))
    with outcomes.expect_one() as first, outcomes.expect_one() as second:
        outcomes.take_event(failed(second.re))
        assert (first.is_there, second.is_there) == (False, True)
        assert outcomes.awaits(first.re)
    assert not outcomes.awaits(first.re)
    outcomes.take_event(failed(first.re))


async def test_all_that_is_waited_for_ends_with_the_room_and_so_does_what_comes_after() -> None:
    outcomes = Outcomes(count(1))
    with outcomes.expect_one() as before:
        outcomes.end(TorLost("it hung up"))
        with outcomes.expect_one() as after:
            for outcome in (before, after):
                with pytest.raises(RoomGone) as caught:
                    await outcome.wait()
                assert caught.value.__cause__ == TorLost("it hung up")


async def test_what_was_answered_before_the_end_stays_so() -> None:
    outcomes = Outcomes(count(1))
    with outcomes.expect_one() as outcome:
        outcomes.take_event(failed(outcome.re))
        outcomes.end(None)
        with pytest.raises(Muted), trio.fail_after(1):
            await outcome.wait()
