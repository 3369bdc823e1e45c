"""Messages that refer to earlier ones, in whole rooms (PROTOCOL.md, 5.19)."""

import pytest
from msgspec import UNSET

from anonp2p.protocol import room_state
from anonp2p.room import events
from anonp2p.room.errors import MessageGone
from anonp2p.room.retention import ANY
from tests.room.simulation import Simulation
from tests.support.world import Party


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def last(party: Party) -> events.MessageEvent:
    return party.got(events.MessageEvent)[-1]


def said(room: Simulation, party: Party, text: str) -> int:
    """The number of what somebody has just said."""
    room.say(party, text)
    room.settle()
    return last(party).seq


def refused(room: Simulation, party: Party, re: int) -> tuple[str, str]:
    """Why a text was not sent, and what of it was given back."""
    error, unsent = room.answers(party, re)
    assert isinstance(error, events.ErrorEvent)
    assert isinstance(unsent, events.UnsentEvent)
    return type(error.text).__name__, unsent.text


@pytest.mark.parametrize("hosting", [True, False], ids=["of the host's", "of a member's"])
def test_a_reply_refers_to_the_same_message_everywhere(room: Simulation, hosting: bool) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = said(room, room.host if hosting else ann, "hello")
    re = room.reply(bob, seq, "yes")
    room.settle()
    [receipt] = room.answers(bob, re)
    assert receipt is last(bob)
    for party in (ann, bob, room.host):
        assert (last(party).text, last(party).reply, last(party).reply_gone) == ("yes", seq, UNSET)
        assert not last(party).private
    assert [event.reply for event in ann.got(events.MessageEvent)] == [None, seq]


def test_without_a_number_it_is_the_latest_of_another_that_is_answered(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = said(room, ann, "hello")
    said(room, bob, "that was me")
    room.reply(bob, None, "yes")
    room.settle()
    assert last(ann).reply == seq


def test_a_reply_to_a_private_message_is_private_between_the_same_two(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    room.whisper(ann, "bob", "psst")
    room.settle()
    seq = last(ann).seq
    for author, reader in ((bob, ann), (ann, bob)):
        re = room.reply(author, seq, "yes")
        room.settle()
        [receipt] = room.answers(author, re)
        assert isinstance(receipt, events.MessageEvent)
        for party in (author, reader):
            assert (last(party).text, last(party).private, last(party).reply) == ("yes", True, seq)
    assert eve.messages == room.host.messages == []


def test_a_reply_to_a_private_message_of_one_who_has_left_is_given_back(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.whisper(ann, "bob", "psst")
    room.settle()
    room.leave(ann)
    room.settle()
    seq = last(bob).seq
    assert refused(room, bob, room.reply(bob, seq, "yes")) == ("NoSuchNick", f"/reply {seq} yes")


def test_what_cannot_be_referred_to_is_told_and_the_text_given_back(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    assert refused(room, bob, room.reply(bob, None, "yes")) == ("NoMessageYet", "/reply yes")
    room.whisper(ann, "hugo", "not for bob")
    room.settle()
    private = last(ann).seq
    for seq in (0, 1, private, 2**53):
        assert refused(room, bob, room.reply(bob, seq, "yes")) == ("NoSuchMessage", f"/reply {seq} yes")
    room.retain(ann, 60)
    seq = said(room, ann, "a minute")
    room.wait(61)
    assert refused(room, bob, room.reply(bob, seq, "yes")) == ("MessageGone", f"/reply {seq} yes")
    assert MessageGone(7).code == "bad-input"
    room.settle()
    assert not [event for event in ann.got(events.MessageEvent) if event.text == "yes"]


def test_a_reply_to_what_has_ended_meanwhile_says_so(room: Simulation) -> None:
    """What is on its way while the message ends."""
    ann, bob = room.joined("ann"), room.joined("bob")
    room.retain(ann, 60)
    seq = said(room, ann, "a minute")
    room.reply(bob, seq, "yes")
    room.tick += 61
    room.settle()
    for party in (ann, bob, room.host):
        assert (last(party).text, last(party).reply, last(party).reply_gone) == ("yes", seq, True)


def test_a_newcomer_is_told_only_that_it_refers_to_something(room: Simulation) -> None:
    ann = room.joined("ann")
    seq = said(room, ann, "before bob came")
    bob = room.joined("bob")
    room.reply(ann, seq, "yes")
    room.settle()
    assert (last(bob).reply, last(bob).reply_gone) == (None, True)
    assert (last(ann).reply, last(ann).reply_gone) == (seq, UNSET)


def test_replies_in_the_history_refer_to_what_is_shown_of_it() -> None:
    room = Simulation(retention=ANY, history=room_state.HistoryPolicy(2, 0))
    ann = room.joined("ann")
    out_of_sight = said(room, ann, "one")
    seq = said(room, ann, "two")
    room.reply(ann, seq, "three")
    room.settle()
    bob = room.joined("bob")
    assert [(event.text, event.reply) for event in bob.got(events.MessageEvent)] == [("two", None), ("three", seq)]
    room.reply(ann, out_of_sight, "four")
    room.reply(bob, seq, "five")
    room.settle()
    assert [event.reply for event in bob.got(events.MessageEvent)[2:]] == [None, seq]
    assert [event.reply for event in ann.got(events.MessageEvent)[3:]] == [out_of_sight, seq]


def test_what_waits_to_be_let_in_is_given_back_with_its_command(room: Simulation) -> None:
    room.lock(locked=True)
    room.settle()
    bob = room.newcomer("bob")
    re = room.reply(bob, 7, "yes")
    room.settle()
    [unsent] = room.answers(bob, re)
    assert isinstance(unsent, events.UnsentEvent)
    assert unsent.text == "/reply 7 yes"
