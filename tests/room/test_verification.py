"""Whom the user has verified."""

import pytest

from anonp2p.room import events
from anonp2p.room.errors import NotCompared
from anonp2p.room.verification import Verification
from tests.room.simulation import Simulation
from tests.support.world import Party


def test_only_the_member_whose_words_were_shown_last_can_be_verified() -> None:
    verification = Verification()
    with pytest.raises(NotCompared):
        verification.answer(b"b", same=True)
    verification.note_shown(b"b")
    verification.note_shown(b"c")
    with pytest.raises(NotCompared):
        verification.answer(b"b", same=True)
    verification.answer(b"c", same=True)
    assert verification.is_verified(b"c")
    assert not verification.is_verified(b"b")


def test_who_is_found_to_have_other_words_is_verified_no_longer() -> None:
    verification = Verification()
    verification.note_shown(b"b")
    for same in (True, False):
        verification.answer(b"b", same=same)
        assert verification.is_verified(b"b") == same


def told(room: Simulation, party: Party, nick: str, *, same: bool | None = None) -> events.Event:
    [event] = room.answers(party, room.verify(party, nick, same=same))
    return event


def test_a_member_is_verified_until_its_key_is_another() -> None:
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")

    def listed() -> list[str]:
        [reply] = room.answers(ann, room.ask_who(ann))
        assert isinstance(reply, events.ReplyEvent)
        return [person.nick for person in reply.data if person.verified]

    assert isinstance(told(room, ann, "bob"), events.ReplyEvent)
    event = told(room, ann, "bob", same=True)
    assert isinstance(event, events.VerifiedEvent)
    assert (event.nick, event.member, event.verified) == ("bob", bob.room.snapshot().member, True)
    room.rename(bob, "robert")
    room.settle()
    assert listed() == ["robert"]
    room.leave(bob)
    room.settle()
    room.joined("robert")
    assert listed() == []
    error = told(room, ann, "robert", same=True)
    assert isinstance(error, events.ErrorEvent)
    assert isinstance(error.text, NotCompared), "the words shown were those of who has left"
