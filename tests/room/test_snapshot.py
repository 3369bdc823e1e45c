"""A room at a glance, at every moment of its life."""

from dataclasses import replace

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import room_state
from anonp2p.protocol.field_types import Heir
from anonp2p.room.snapshot import MemberView, Snapshot
from tests.room.member.false_host import FalseHost
from tests.room.peers import ANN, text
from tests.room.simulation import Simulation
from tests.support.world import Party


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def goes_away(room: Simulation, member: Party) -> None:
    room.lose(member, delivering=False)
    room.member_hears(member)
    room.host_hears(member)
    room.wait(limits.AWAY_SECONDS)
    room.settle_without(member)


def test_a_host_sees_its_room(room: Simulation) -> None:
    host = room.host.room
    assert host.snapshot() == Snapshot(
        name="demo",
        code=host.code,
        nick="hugo",
        member=identity.spell_member(host.replica.me.id),
        hosting=True,
        host="hugo",
        settled=False,  # it is published, and has not reached itself
        members=1,
        epoch=0,
        locked=False,
        ttl=None,
        alarmed=False,
        moderates=True,
    )


def test_it_says_who_would_host_and_who_has_the_key(room: Simulation) -> None:
    ann, bob = room.joined("ann").room, room.joined("bob").room
    ledger = room.host.room.replica.ledger
    ledger.heirs = tuple(Heir(who.replica.me.id, who.replica.me.key) for who in (bob, ann))
    ledger.holders = (*ledger.holders, bob.replica.me.id)
    snapshot = room.host.room.snapshot()
    assert (snapshot.heir, snapshot.ends_with_us) == ("bob", False)
    assert [(it.nick, it.rank, it.holds_key) for it in room.host.room.members()] == [
        (room.host.room.snapshot().nick, None, True),
        ("ann", 2, False),
        ("bob", 1, True),
    ]


def test_one_who_joins_knows_little_and_then_as_much_as_the_host(room: Simulation) -> None:
    ann = room.newcomer("ann")
    before = ann.room.snapshot()
    assert (before.name, before.nick, before.host, before.members) == ("", "", "", 0)
    assert (before.settled, before.hosting) == (False, False)
    assert before.code == room.host.room.code
    room.settle()
    after, host = ann.room.snapshot(), room.host.room.snapshot()
    assert host.members == 2
    assert host.ends_with_us, "as the other one has not said that it can host"
    own = {
        "nick": "ann",
        "member": before.member,
        "hosting": False,
        "ends_with_us": False,
        "settled": True,
        "moderates": False,
    }
    assert after == replace(host, **own)  # type: ignore[arg-type]  # of the types of their fields


def test_it_follows_nicks_locks_times_and_epochs(room: Simulation) -> None:
    ann = room.joined("ann")
    room.rename(ann, "Ann.2")
    room.rename(room.host, "boss")
    room.lock(locked=True)
    room.retain(ann, 30)
    room.settle()
    shown = ann.room.snapshot()
    assert (shown.nick, shown.host, shown.locked, shown.ttl, shown.epoch) == ("Ann.2", "boss", True, 30, 0)
    room.wait(limits.EPOCH)
    room.settle()
    assert ann.room.snapshot().epoch == room.host.room.snapshot().epoch > 0
    for ttl, seen in ((FLEETING, 0), (KEPT, None)):
        room.retain(ann, ttl)
        assert ann.room.snapshot().ttl == seen


def test_without_a_wish_of_ours_the_room_says_how_long_messages_live() -> None:
    room = Simulation(retention=room_state.RetentionPolicy(FLEETING, 300, KEPT))
    assert room.joined("ann").room.snapshot().ttl == 300


def test_once_we_are_out_we_have_no_nick(room: Simulation) -> None:
    ann = room.joined("ann")
    room.leave(ann)
    room.settle()
    assert (ann.room.snapshot().nick, ann.room.snapshot().settled) == ("", False)


def test_who_is_away_is_not_counted_but_stands_there(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    goes_away(room, ann)
    assert room.host.room.snapshot().members == bob.room.snapshot().members == 2
    seen = [(it.nick, it.role, it.away, it.mine) for it in bob.room.members()]
    assert seen == [("hugo", "host", False, False), ("ann", "member", True, False), ("bob", "member", False, True)]
    assert [it.nick for it in bob.room.people()] == ["hugo", "bob"]
    eve = room.newcomer("eve")
    room.settle_without(ann)
    assert eve.room.snapshot().members == 3, "a newcomer does not count it either"
    assert [it.away for it in eve.room.members()] == [False, True, False, False]
    room.settle()
    assert room.host.room.snapshot().members == eve.room.snapshot().members == 4


def test_one_who_is_away_and_then_out_is_not_missed_twice(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    goes_away(room, ann)
    room.kick("ann")
    room.settle_without(ann)
    assert room.host.room.snapshot().members == bob.room.snapshot().members == 2
    assert len(bob.room.members()) == 2


def test_a_member_view_names_a_member_as_a_person_does(room: Simulation) -> None:
    ann = room.joined("ann")
    for group_context, person in zip(ann.room.members(), ann.room.people(), strict=True):
        assert (group_context.member, group_context.nick, group_context.role, group_context.tag) == (
            person.member,
            person.nick,
            person.role,
            person.tag,
        )


def test_a_room_whose_host_lies_is_marked() -> None:
    host = FalseHost()
    host.lets_in()
    assert not host.room.snapshot().alarmed
    lie = host.entry(ANN, text("hm"), reference=(host.ledger.index, b"x" * 32))
    host.hears(lie)
    assert host.room.snapshot().alarmed


def test_nothing_of_it_is_shown() -> None:
    shown = Simulation().host.room
    assert "demo" not in repr(shown.snapshot())
    assert "hugo" not in repr(shown.members()[0])
    assert isinstance(shown.members()[0], MemberView)
