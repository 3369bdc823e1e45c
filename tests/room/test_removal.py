"""Who is out reads nothing on, who is new reads nothing from before, and who was away misses nothing."""

import pytest

from anonp2p import limits
from anonp2p.crypto import commit
from anonp2p.crypto.epoch import ENTRY, Epoch, read_header
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.room import events
from tests.room.peers import kinds
from tests.room.simulation import Simulation
from tests.support.world import End, Party, log_of


@pytest.fixture
def room() -> Simulation:
    return Simulation()


@pytest.fixture
def heard(room: Simulation) -> list[bytes]:
    """All payloads that members were sent."""
    payloads: list[bytes] = []

    def hear(end: End, payload: bytes | None) -> None:
        if end.owner is not room.host and payload is not None:
            payloads.append(payload)

    room.world.taps.append(hear)
    return payloads


def opening(epoch: Epoch, heard: list[bytes]) -> list[bytes]:
    """Which of these are of the log for somebody with these keys."""
    return [payload for payload in heard if epoch.open_batch(payload) is not None]


def texts(party: Party) -> list[str]:
    return [message.text for message in party.got(events.MessageEvent)]


def cut_off(room: Simulation, member: Party) -> None:
    """The member's link breaks, and both ends notice."""
    room.lose(member, delivering=False)
    room.member_hears(member)
    room.host_hears(member)


def follow(room: Simulation, *members: Party) -> None:
    """These, and nobody else, get what there is for them."""
    for _ in range(12):
        for member in members:
            room.write(member)
            room.member_hears(member)
            room.host_hears(member)


def test_one_who_is_thrown_out_opens_nothing_after_it_with_all_its_keys(room: Simulation, heard: list[bytes]) -> None:
    """6.8"""
    ann, bob = room.joined("ann"), room.joined("bob")
    room.say(ann, "bob reads this")
    room.settle()
    epoch, keys = bob.room.replica.current_epoch, list(bob.room.replica.own_keys)
    assert opening(epoch, heard)
    room.kick("bob")
    room.write(bob)
    room.settle()
    assert bob.room.over
    heard.clear()
    room.say(ann, "bob does not read this")
    room.say(room.host, "nor this")
    room.joined("zoe")
    room.settle()
    assert texts(ann) == ["bob reads this", "nor this", "bob does not read this"]
    assert opening(epoch, heard) == []
    assert opening(ann.room.replica.current_epoch, heard)
    [turn] = [batch.commit_secret for batch in log_of(room.host.room).batches if batch.commit_secret is not None]
    theirs = turn.seal_share(ann.room.replica.me.id, ann.room.replica.own_keys[0].public)
    for key in keys:
        with pytest.raises(PeerFault):
            commit.open_share(theirs, key, turn.room, ann.room.replica.me.id, turn.epoch, turn.group_context)
    without, _ = epoch.follow(bytes(32), turn.group_context, [ann.room.replica.me.id])
    assert opening(without, heard) == []


def test_a_newcomer_opens_nothing_that_was_ordered_before_it_came(room: Simulation, heard: list[bytes]) -> None:
    """6.5, 7.3"""
    ann, bob = room.joined("ann"), room.joined("bob")
    for party in (ann, bob, room.host):
        room.say(party, f"before, by {party.room.snapshot().nick}")
    room.settle()
    recorded = list(heard)
    zoe = room.joined("zoe")
    epoch = zoe.room.replica.current_epoch
    batches = [frames.unpack(frames.Batch, epoch.open_batch(payload) or b"") for payload in opening(epoch, recorded)]
    entries = [entry for batch in batches for entry in batch.entries if read_header(entry).kind == ENTRY]
    assert entries
    for entry in entries:
        with pytest.raises(PeerFault):
            epoch.open_entry(entry)
    assert texts(zoe) == []


def test_one_who_is_away_during_commits_misses_nothing_and_gets_nothing_twice(room: Simulation) -> None:
    """5.12, 5.13, 7.3"""
    ann, bob = room.joined("ann"), room.joined("bob")
    room.joined("eve")
    seen = room.say(ann, "ordered unseen")
    room.host_hears(ann)
    late = room.say(ann, "sent in vain")
    cut_off(room, ann)
    room.say(bob, "in the old epoch")
    follow(room, bob)
    room.kick("eve")
    follow(room, bob)
    room.say(bob, "in the next")
    follow(room, bob)
    room.wait(limits.AWAY_SECONDS)
    room.kick("nobody")
    typed = room.say(ann, "typed meanwhile")
    room.settle()
    expected = ["ordered unseen", "in the old epoch", "in the next", "sent in vain", "typed meanwhile"]
    assert texts(ann) == texts(bob) == texts(room.host) == expected
    assert ann.messages == bob.messages == room.host.messages
    assert [kinds(room.answers(ann, re)) for re in (seen, late, typed)] == [["MessageEvent"]] * 3
    assert not ann.got(events.EntriesMissedEvent)
    assert len(ann.got(events.EnteredEvent)) == 1
    assert ann.people == bob.people == room.who(room.host)
