"""When a host answers the slots of members with cover."""

import pytest

from anonp2p import limits
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.answers import Answers
from tests.room.host.parts import new_context, set_time, take_effects
from tests.support.world import START


@pytest.fixture
def context() -> Context:
    """Of a room in which nothing happens."""
    return new_context()


def answered(context: Context) -> list[int]:
    """The links that were answered since the last time."""
    return [effect.link for effect in take_effects(context) if isinstance(effect, effects.AnswerEffect)]


def test_from_its_first_slot_on_a_link_gets_nothing_but_answers(context: Context) -> None:
    """2.10"""
    answers = Answers(context)
    answers.take_slot(7)
    assert take_effects(context) == [effects.CoverEffect(7)]


def test_nothing_is_due_where_nobody_has_cover(context: Context) -> None:
    answers = Answers(context)
    answers.send_due()
    assert answers.next_deadline() is None
    assert take_effects(context) == []


def test_each_slot_is_answered_once_when_it_is_due_and_not_before(context: Context) -> None:
    answers = Answers(context)
    for link in (3, 1, 3, 2):
        answers.take_slot(link)
    take_effects(context)
    got = []
    while (due := answers.next_deadline()) is not None:
        set_time(context, due - START - 1e-6)
        answers.send_due()
        assert answered(context) == []
        set_time(context, due - START)
        answers.send_due()
        got += answered(context)
    assert sorted(got) == [1, 2, 3, 3]
    assert context.clock.tick <= START + limits.COVER_ANSWER


def test_slots_are_not_answered_in_the_order_in_which_they_came(context: Context) -> None:
    """Each answer draws its own time: what came just before it does not tell."""
    answers = Answers(context)
    for link in range(20):
        answers.take_slot(link)
    set_time(context, limits.COVER_ANSWER)
    take_effects(context)
    answers.send_due()
    got = answered(context)
    assert sorted(got) == list(range(20)) != got
