"""A host denies what it does not order, to its author alone, and is not framed by that."""

import pytest

from anonp2p import limits
from anonp2p.protocol import field_types, frames
from anonp2p.protocol.frames import NickBody
from anonp2p.room import effects, events
from tests.room.hostile import assert_dropped
from tests.room.peers import EVE, Inn, kinds, text
from tests.room.simulation import Simulation


def test_a_thirty_first_private_message_at_once_is_denied_to_its_author_alone(inn: Inn) -> None:
    """5.8"""
    box = frames.PrivateBody(bytes(field_types.BOX + 1))
    denied = [inn.eve.denials(inn.eve.says(box)) for _ in range(limits.PRIVATE_BUCKET + 2)]
    assert denied == [[]] * limits.PRIVATE_BUCKET + [[(31, "too-often")], [(32, "too-often")]]
    assert inn.ordered() == [box] * limits.PRIVATE_BUCKET
    inn.eve.says(text("on"))
    assert inn.ordered()[-1] == text("on")
    inn.ann.says(box)
    assert inn.ordered()[-1] == box


def test_one_who_has_changed_its_nick_too_often_still_writes_to_one(inn: Inn) -> None:
    """5.8: each has its measure."""
    for number in range(limits.NICK_BUCKET + 1):
        inn.eve.says(NickBody(f"eve{number}"))
    box = frames.PrivateBody(bytes(field_types.BOX + 1))
    inn.eve.says(box)
    assert inn.ordered()[-1] == box


@pytest.mark.parametrize("counter", [0, 1, 5])
def test_a_member_that_repeats_itself_is_denied_and_nobody_notices(inn: Inn, counter: int) -> None:
    """5.8: it may have lost the link on which it would have seen its entry ordered."""
    inn.eve.says(text("once"), counter=5)
    assert inn.eve.denials(inn.eve.says(text("once"), counter=counter)) == [(counter, "repeated")]
    assert inn.ordered() == [text("once")]
    inn.eve.says(text("on"), counter=6, generation=1)
    assert inn.ordered()[1:] == [text("on")]


def test_a_member_that_repeats_what_was_denied_is_denied_again(inn: Inn) -> None:
    entry = inn.eve.entry(EVE, NickBody("ann"))
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "nick-taken")]
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "repeated")]
    assert inn.ordered() == []


def test_what_was_denied_is_not_ordered_once_it_could_be(inn: Inn) -> None:
    entry = inn.eve.entry(EVE, NickBody("ann"))
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "nick-taken")]
    inn.ann.says(NickBody("anna"))
    assert inn.eve.denials(inn.eve.submits(entry)) == [(1, "repeated")]


def test_a_sixth_nick_at_once_is_denied_to_its_author_alone(inn: Inn) -> None:
    """5.8"""
    done = [inn.eve.says(NickBody(f"eve{number}")) for number in range(limits.NICK_BUCKET + 1)]
    assert inn.eve.denials(done[-1]) == [(limits.NICK_BUCKET + 1, "too-often")]
    assert len(inn.ordered()) == limits.NICK_BUCKET


def test_what_was_denied_leaves_out_no_more_than_others_can_follow(inn: Inn) -> None:
    """6.6: a host that ordered what comes after too many denied would seem to lie."""
    for number in range(limits.SKIPPED):
        assert inn.eve.denials(inn.eve.says(NickBody("ann"))) == [(number + 1, "nick-taken")]
    last = inn.eve.entry(EVE, text("all can follow"))
    inn.eve.submits(last)
    assert inn.ordered() == [text("all can follow")]
    inn.ann.epoch.admit_member(EVE.id)
    assert inn.ann.epoch.open_entry(last.sealed) == (last.header, last.body)
    for _ in range(limits.SKIPPED + 1):
        assert len(inn.eve.denials(inn.eve.says(NickBody("ann")))) == 1
    assert_dropped(inn, inn.eve.says(text("nobody can follow")), text("all can follow"))


def test_how_many_were_left_out_is_counted_from_the_beginning_of_the_epoch(inn: Inn) -> None:
    inn.eve.says(text("far on"), generation=limits.SKIPPED)
    inn.ticks(limits.EPOCH)
    inn.eve.dials(inn.tick)
    inn.eve.resumes(*inn.eve.reference)
    assert set(map(type, inn.eve.missed())) == {frames.BackfillFrame}
    for _ in range(limits.SKIPPED + 1):
        assert len(inn.eve.denials(inn.eve.says(NickBody("ann")))) == 1
    drop, *_ = inn.eve.says(text("nobody can follow"))
    assert isinstance(drop, effects.DropEffect)


def test_the_same_count_begins_anew_with_every_epoch() -> None:
    """6.6: in another epoch, another chain."""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    for _ in range(2):
        for _ in range(limits.SKIPPED):
            room.rename(ann, "bob")
        room.settle()
        room.wait(limits.EPOCH)
        room.settle()
    room.say(ann, "on")
    room.settle()
    assert [message.text for message in bob.got(events.MessageEvent)] == ["on"]
    assert not room.drops


def test_a_member_with_too_many_nicks_denied_in_a_row_asks_for_no_more_until_it_has_said_something() -> None:
    """6.6: an honest member's own program keeps to it."""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    answers = [room.answers(ann, room.rename(ann, "bob")) for _ in range(limits.SKIPPED + 3)]
    assert [kinds(answer) for answer in answers] == [[]] * limits.SKIPPED + [["ErrorEvent"]] * 3
    room.say(ann, "on")
    room.rename(ann, "anna")
    room.settle()
    assert [message.text for message in bob.got(events.MessageEvent)] == ["on"]
    assert [renamed.nick for renamed in bob.got(events.RenamedEvent)] == ["anna"]
    assert not room.drops
    assert not bob.got(events.AlarmEvent)
