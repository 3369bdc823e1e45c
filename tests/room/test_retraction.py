"""Messages that their authors take back, in whole rooms (PROTOCOL.md, 5.20)."""

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.protocol.room_state import HistoryPolicy
from anonp2p.room import events, inputs
from anonp2p.room.retention import ANY
from tests.room.simulation import Simulation
from tests.support import memory
from tests.support.world import Party, log_of


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def last(party: Party) -> events.MessageEvent:
    return party.got(events.MessageEvent)[-1]


def said(room: Simulation, party: Party, text: str = "hello") -> int:
    """The number of what somebody has just said."""
    room.say(party, text)
    room.settle()
    return last(party).seq


def ended(party: Party) -> list[tuple[int, bool]]:
    """What was told of the ends of messages: number, and whether it was retracted."""
    return [(event.seq, event.retracted) for event in party.got(events.ExpiredEvent)]


def cut_off(room: Simulation, member: Party) -> None:
    """The member's link breaks, and both ends notice."""
    room.lose(member, delivering=False)
    room.member_hears(member)
    room.host_hears(member)


def refused(room: Simulation, party: Party, re: int) -> str:
    """Why a message is not taken back."""
    [error] = room.answers(party, re)
    assert isinstance(error, events.ErrorEvent)
    return type(error.text).__name__


@pytest.mark.parametrize("hosting", [True, False], ids=["the host's", "a member's"])
@pytest.mark.parametrize("ttl", [None, 60], ids=["kept", "a minute"])
def test_a_message_that_its_author_takes_back_ends_for_all_at_once(
    room: Simulation, hosting: bool, ttl: int | None
) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    author = room.host if hosting else ann
    if ttl is not None:
        room.retain(author, ttl)
    seq, other = said(room, author, "hello"), said(room, author, "this stays")
    re = room.retract(author, seq)
    room.settle()
    [receipt] = room.answers(author, re)
    assert isinstance(receipt, events.ExpiredEvent)
    for party in (ann, bob, room.host):
        assert ended(party) == [(seq, True)]
    assert [event.re for event in bob.got(events.ExpiredEvent)] == [UNSET]
    room.tick += 61
    for party in (ann, bob, room.host):
        room.step(party, inputs.TickInput())
        assert ended(party) == [(seq, True)] + [(other, False)] * (ttl is not None)
    assert not log_of(room.host.room).find_entry(seq).body


def test_without_a_number_it_is_the_latest_of_ones_own(room: Simulation) -> None:
    ann = room.joined("ann")
    first, second = said(room, ann), said(room, ann)
    said(room, room.host)
    for seq in (second, first):
        room.retract(ann)
        room.settle()
        assert ended(room.host)[-1] == (seq, True)
    assert refused(room, ann, room.retract(ann)) == "NoMessageYet"


def test_what_cannot_be_taken_back_is_told(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = said(room, ann)
    assert refused(room, bob, room.retract(bob, seq)) == "NotYours"
    for other in (0, seq + 1, 2**53):
        assert refused(room, ann, room.retract(ann, other)) == "NoSuchMessage"
    room.retract(ann, seq)
    room.settle()
    assert refused(room, ann, room.retract(ann, seq)) == "MessageGone"
    assert refused(room, bob, room.retract(bob, seq)) == "MessageGone"


def test_a_private_message_is_taken_back_too(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    room.whisper(ann, "bob", "psst")
    room.settle()
    seq = last(ann).seq
    room.retract(ann, seq)
    room.settle()
    assert ended(ann) == ended(bob) == [(seq, True)]
    assert ended(eve) == ended(room.host) == []
    assert not log_of(room.host.room).find_entry(seq).body


def test_taking_back_twice_on_the_way_changes_nothing_more(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = said(room, ann)
    first, second = room.retract(ann, seq), room.retract(ann, seq)
    room.settle()
    assert [type(event) for event in room.answers(ann, first)] == [events.ExpiredEvent]
    assert refused(room, ann, second) == "MessageGone"
    assert ended(ann) == ended(bob) == [(seq, True)]
    assert not room.drops
    said(room, ann, "still here")
    assert last(bob).text == "still here"


def test_what_expires_while_it_is_taken_back_only_expires(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.retain(ann, 60)
    seq = said(room, ann)
    re = room.retract(ann, seq)
    room.tick += 61
    room.settle()
    assert refused(room, ann, re) == "MessageGone"
    assert ended(ann) == ended(bob) == [(seq, False)]
    assert not room.drops


def test_a_reply_to_what_was_taken_back_says_that_it_is_gone(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = said(room, ann)
    room.reply(bob, seq, "yes")
    room.retract(ann, seq)
    room.settle()
    room.settle()
    assert ended(bob) == [(seq, True)]
    assert refused(room, bob, room.retract(bob, seq)) == "MessageGone"


# --- one who is away, and newcomers


@pytest.mark.parametrize("commit", [False, True], ids=["resumed", "in another epoch"])
def test_one_who_was_away_is_told_that_it_ended(
    room: Simulation, commit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EPOCH", limits.COMMIT_SHARES / 2)
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = said(room, ann)
    cut_off(room, bob)
    room.retract(ann, seq)
    room.settle_without(bob)
    if commit:
        room.wait(limits.EPOCH)
        room.settle_without(bob)
        assert room.host.room.snapshot().epoch > bob.room.snapshot().epoch
    room.settle()
    assert ended(bob) == [(seq, True)]
    assert not bob.got(events.AlarmEvent)
    assert not bob.room.over


def test_one_who_was_away_is_never_shown_what_was_taken_back_meanwhile(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    cut_off(room, bob)
    room.say(ann, "before")
    room.settle_without(bob)
    room.say(ann, "secret")
    room.settle_without(bob)
    room.retract(ann, last(ann).seq)
    room.settle_without(bob)
    room.say(ann, "after")
    room.settle_without(bob)
    room.settle()
    assert [event.text for event in bob.got(events.MessageEvent)] == ["before", "after"]
    assert [event.count for event in bob.got(events.ExpiredUnseenEvent)] == [1]
    assert ended(bob) == []
    assert not bob.got(events.AlarmEvent)


def test_an_author_whose_link_broke_gets_its_receipt_and_its_message_back(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.say(ann, "hello")
    room.host_hears(ann)
    room.host_hears(ann)
    cut_off(room, ann)
    back = room.retract(ann)
    room.settle()
    [receipt] = room.answers(ann, re)
    assert isinstance(receipt, events.MessageEvent)
    assert [type(event) for event in room.answers(ann, back)] == [events.ExpiredEvent]
    assert ended(ann) == ended(bob) == [(receipt.seq, True)]


def test_what_has_not_gone_out_is_given_back_instead(room: Simulation) -> None:
    ann = room.joined("ann")
    cut_off(room, ann)
    re = room.say(ann, "hello")
    room.retract(ann)
    [unsent] = room.answers(ann, re)
    assert isinstance(unsent, events.UnsentEvent)
    room.settle()
    assert room.host.messages == []


def test_what_may_be_denied_is_not_retracted_before_it_has_its_place(
    room: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.20: the host would take a Retract of what it has denied for a fault."""
    ann, bob = room.joined("ann"), room.joined("bob")
    monkeypatch.setattr(limits, "PRIVATE_BUCKET", 1)
    for text in ("one", "two"):
        room.whisper(ann, "bob", text)
    room.retract(ann)
    room.settle()
    assert [event.text for event in bob.got(events.MessageEvent)] == ["one"]
    assert ended(bob) == []
    assert not room.drops
    assert ann.room.entered


def test_a_retract_that_never_left_is_told(room: Simulation) -> None:
    ann = room.joined("ann")
    seq = said(room, ann)
    cut_off(room, ann)
    re = room.retract(ann, seq)
    room.leave(ann)
    room.give_up(ann)
    room.settle()
    assert refused(room, ann, re) == "RetractUnsent"


def test_newcomers_are_not_shown_what_was_taken_back() -> None:
    room = Simulation(retention=ANY, history=HistoryPolicy(10, 0))
    ann = room.joined("ann")
    seqs = [said(room, ann, text) for text in ("one", "two", "three")]
    room.retract(ann, seqs[1])
    room.settle()
    bob = room.joined("bob")
    assert [event.text for event in bob.got(events.MessageEvent)] == ["one", "three"]
    assert not bob.got(events.AlarmEvent)
    room.retract(ann, seqs[0])
    room.settle()
    assert ended(bob) == [(seqs[0], True)]


def test_who_came_later_hears_of_the_end_of_what_it_was_never_shown_without_being_told(room: Simulation) -> None:
    ann = room.joined("ann")
    seq = said(room, ann)
    bob = room.joined("bob")
    room.retract(ann, seq)
    room.settle()
    assert ended(ann) == [(seq, True)]
    assert ended(bob) == []
    said(room, ann, "still here")
    assert last(bob).text == "still here"


def test_the_history_counts_what_was_taken_back_as_it_does_what_has_expired() -> None:
    room = Simulation(retention=ANY, history=HistoryPolicy(2, 0))
    ann = room.joined("ann")
    for text in ("one", "two", "three"):
        said(room, ann, text)
    room.retract(ann)
    room.settle()
    bob = room.joined("bob")
    assert [event.text for event in bob.got(events.MessageEvent)] == ["two"]


# --- what is left of it


def test_nothing_of_it_is_held_by_host_and_members(room: Simulation) -> None:
    """5.16, 5.20"""
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = said(room, ann, "a secret to be forgotten")
    for party in (ann, bob, room.host):
        party.told.clear()
        party.typed.clear()
    assert all(is_held(party) for party in (ann, bob, room.host))  # each keeps it for those who come back
    room.retract(ann, seq)
    room.settle()
    assert not any(is_held(party) for party in (ann, bob, room.host))


def is_held(party: Party) -> bool:
    held = [part for part in memory.parts(party.room) if isinstance(part, bytes | str | bytearray)]
    return any((b"forgotten" in part) if isinstance(part, bytes | bytearray) else "forgotten" in part for part in held)


def test_a_link_on_whose_way_it_still_is_is_cut(room: Simulation) -> None:
    """5.17"""
    ann, bob = room.joined("ann"), room.joined("bob")
    link = room.link(bob)
    link.near.stalls = True
    room.say(ann, "hello")
    room.settle_without(bob)
    link.near.take_output()
    assert link.near.connection.has_data_to_send
    room.retract(ann, last(ann).seq)
    room.settle_without(bob)
    assert not link.near.open
