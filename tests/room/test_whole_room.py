"""What only a whole room shows: one message, one removal, one expiry, one lost link, one newcomer."""

import gc
from typing import Any

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import commit
from anonp2p.crypto.epoch import ENTRY, KEPT, Epoch, read_header
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.crypto.suite import EncryptionKeyPair
from anonp2p.errors import PeerFault
from anonp2p.protocol import room_state
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.handshake import Channel
from anonp2p.protocol.packing import unpack
from anonp2p.room import call, events, gate, inputs
from anonp2p.room.moderation_events import SelfKickedEvent
from tests.room.peers import kinds
from tests.room.simulation import Simulation
from tests.support.memory import held, parts
from tests.support.world import End, Party, log_of


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def texts(party: Party) -> list[str]:
    return [message.text for message in party.got(events.MessageEvent)]


def asking(room: Simulation, nick: str) -> Party:
    """A newcomer whose client handshake the host has taken, and what answers it is on the way."""
    newcomer = room.newcomer(nick)
    room.write(newcomer)
    room.member_hears(newcomer)  # the hello
    room.host_hears(newcomer)
    room.write(newcomer)
    return newcomer


def cut_off(room: Simulation, member: Party) -> None:
    """The member's link breaks, and both ends notice."""
    room.lose(member, delivering=False)
    room.member_hears(member)
    room.host_hears(member)


def test_no_end_keeps_the_secret_of_its_link(room: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """2.6: "Both MUST drop the link's secret once they have these"."""
    secrets: list[bytes] = []

    def channel(secret: bytes, hello: bytes, **direction: Any) -> Channel:
        secrets.append(bytes(bytearray(secret)))  # a copy: what is looked for does not count as held
        return Channel(secret, hello, **direction)

    for end in (call, gate):
        monkeypatch.setattr(end, "Channel", channel)
    room.world.random(1)  # so that what follows is drawn in no transcript, which other tests hold
    ann = room.joined("ann")
    room.say(ann, "hello")
    room.settle()
    member, host = secrets
    assert member == host
    gc.collect()
    assert held(member, host) == []


def with_history() -> Simulation:
    """A room in which ten messages were said that newcomers are shown."""
    room = Simulation(history=room_state.HistoryPolicy(50, 0))
    for number in range(10):
        room.say(room.host, f"kept {number}")
        room.end_batch()
    return room


@pytest.mark.parametrize("when", ["up", "in the midst of a history", "in the midst of a welcome"])
def test_a_room_that_was_left_holds_no_keys_of_its_link_or_its_epoch(when: str) -> None:
    """6.3, 2.6"""
    room = with_history()
    ann = asking(room, "ann")
    for _ in range({"up": 20, "in the midst of a history": 4}.get(when, 1)):
        if room.link(ann).far.inbox:
            room.world.deliver(room.link(ann), room.link(ann).far)
    keys = Epoch | Ratchet | EncryptionKeyPair | Channel
    assert any(isinstance(part, keys) for part in parts(ann.room))
    room.leave(ann, now=True)
    room.settle()
    room.wait(limits.LEAVE_PATIENCE)
    assert ann.room.over
    assert not any(isinstance(part, keys) for part in parts(ann.room))


def test_a_message_reaches_all_and_its_author_once(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.say(ann, "hello")
    room.settle()
    [receipt] = room.answers(ann, re)
    assert isinstance(receipt, events.MessageEvent)
    assert receipt.mine
    assert receipt.at == 1_000_000
    assert ann.messages == bob.messages == room.host.messages
    for other in (bob, room.host):
        [message] = other.got(events.MessageEvent)
        assert (message.text, message.nick, message.mine, message.re) == ("hello", "ann", False, UNSET)


def test_a_private_message_is_shown_to_its_author_and_to_whom_it_is_for_alone(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    re = room.whisper(ann, "BOB", "psst")
    room.settle()
    [own] = room.answers(ann, re)
    [got] = bob.got(events.MessageEvent)
    assert isinstance(own, events.MessageEvent)
    assert (own.text, own.private, own.to, own.mine) == ("psst", True, "bob", True)
    assert (got.text, got.private, got.mine, got.nick, got.seq) == ("psst", True, False, "ann", own.seq)
    assert texts(eve) == texts(room.host) == []


def test_one_who_is_thrown_out_is_told_why_and_the_others_that_it_is_gone(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.kick("BOB", "enough")
    room.settle()
    assert [kicked.why for kicked in bob.got(SelfKickedEvent)] == ["enough"]
    assert [gone.reason for gone in bob.got(events.GoneEvent)] == ["kicked"]
    assert kinds(room.answers(room.host, re)) == ["LeftEvent"]
    for party in (ann, room.host):
        assert [(left.nick, left.reason, left.why) for left in party.got(events.LeftEvent)] == [
            ("bob", "kicked", "enough")
        ]
        assert party.people == room.who(room.host)
    assert "bob" not in room.who(room.host).values()
    assert bob.dials == 1


def test_a_message_tells_its_time_and_ends_after_it_at_everyone(room: Simulation) -> None:
    parties = [room.host, room.joined("ann"), room.joined("bob")]
    room.retain(parties[1], 30)
    room.say(parties[1], "short")
    room.settle()
    assert [[event.ttl for event in party.got(events.MessageEvent)] for party in parties] == [[30]] * 3
    for passed, ended in ((29.9, 0), (0.2, 1)):
        room.wait(passed)
        for party in parties:
            room.step(party, inputs.TickInput())
            assert len(party.got(events.ExpiredEvent)) == ended


def test_one_who_comes_back_has_missed_nothing_and_lost_nothing(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.say(ann, "ordered unseen")
    room.host_hears(ann)
    room.say(ann, "sent in vain")
    cut_off(room, ann)
    room.say(ann, "typed meanwhile")
    room.say(bob, "said meanwhile")
    room.settle()
    expected = ["ordered unseen", "said meanwhile", "sent in vain", "typed meanwhile"]
    assert texts(ann) == texts(bob) == texts(room.host) == expected
    assert ann.messages == bob.messages == room.host.messages
    assert [link.state for link in ann.got(events.LinkEvent)] == ["connecting", "up", "lost", "connecting", "up"]
    assert not bob.got(events.LeftEvent)
    assert len(ann.got(events.EnteredEvent)) == 1
    assert ann.room.outstanding == 0


def test_one_who_is_away_too_long_comes_back_as_somebody_new_under_its_nick(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    before = ann.got(events.EnteredEvent)[0]
    text = room.say(ann, "never sent")
    cut_off(room, ann)
    room.wait(limits.PLACE_SECONDS)
    hear_all(room, bob)
    room.say(bob, "missed")
    room.host_hears(bob)
    room.settle()
    assert kinds(room.answers(ann, text)) == ["UnsentEvent"]
    after = ann.got(events.EnteredEvent)[-1]
    assert (before.nick, after.nick) == ("ann", "ann")
    assert before.member != after.member
    [missed] = ann.got(events.EntriesMissedEvent)
    assert (missed.count, missed.verified) == (4, True)  # lost, removed, the text, and ann's own coming
    assert room.who(ann) == room.who(bob) == room.who(room.host) == ann.people == bob.people
    assert texts(ann) == []
    room.say(ann, "here")
    room.settle()
    assert texts(ann) == ["here"]
    assert [left.reason for left in bob.got(events.LeftEvent)] == ["lost"]


@pytest.mark.parametrize("renamed", [False, True])
def test_one_whose_message_was_ordered_unseen_is_told_though_its_place_was_given_up(
    room: Simulation, renamed: bool
) -> None:
    """5.14: what else was ordered of who it was before is nothing to it."""
    ann, bob = room.joined("ann"), room.joined("bob")
    if renamed:
        room.rename(ann, "anna")
        room.host_hears(ann)
    text = room.say(ann, "ordered unseen")
    room.host_hears(ann)
    cut_off(room, ann)
    room.wait(limits.PLACE_SECONDS)
    hear_all(room, bob)
    room.settle()
    assert kinds(room.answers(ann, text)) == ["MessageEvent"]
    assert texts(ann) == texts(bob) == ["ordered unseen"]
    assert ann.room.outstanding == 0


def hear_all(room: Simulation, member: Party) -> None:
    """The member, and nobody else, gets what there is for it."""
    while member.room.index < room.host.room.index:
        room.write(member)
        room.member_hears(member)
    room.member_hears(member)  # its commit share, if that was a commit


def test_one_who_has_fallen_behind_the_log_is_told_how_much_is_missing(
    room: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 8)
    ann, bob = room.joined("ann"), room.joined("bob")
    first = room.say(ann, "ordered unseen")
    room.host_hears(ann)
    cut_off(room, ann)
    later = room.say(ann, "typed meanwhile")
    for number in range(12):
        room.say(bob, f"text {number}")
        room.host_hears(bob)
        room.write(bob)
    room.settle()
    assert [(missed.count, missed.verified) for missed in ann.got(events.EntriesMissedEvent)] == [(13, True)]
    assert texts(room.host).count("ordered unseen") == 1
    assert kinds(room.answers(ann, first)) == kinds(room.answers(ann, later)) == ["MessageEvent"]
    assert texts(ann) == ["ordered unseen", "typed meanwhile"]
    assert ann.people == room.who(room.host)


def test_one_who_was_away_when_messages_expired_is_told_how_many_and_has_the_same_log(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.lose(bob, delivering=False)
    for ttl, text in ((5, "short 1"), (5, "short 2"), (KEPT, "kept")):
        room.retain(ann, ttl)
        room.say(ann, text)
        room.settle_without(bob)
    room.tick += 15
    room.step(room.host, inputs.TickInput())
    room.settle()
    assert texts(bob) == ["kept"]
    assert [event.count for event in bob.got(events.ExpiredUnseenEvent)] == [2]
    assert not bob.got(events.AlarmEvent)
    assert bob.room.index == ann.room.index


def test_a_newcomer_is_shown_what_is_kept_of_the_last_messages_as_history() -> None:
    room = Simulation(history=room_state.HistoryPolicy(3, 0))
    ann = room.joined("ann")
    for number in range(4):
        room.say(ann, f"kept {number}")
    room.retain(ann, 5)
    room.say(ann, "short")
    room.settle()
    room.retain(ann, KEPT)
    room.rename(ann, "anna")
    room.whisper(ann, "hugo", "secret")
    room.wait(10)
    bob = room.joined("bob")
    room.say(ann, "live")
    room.settle()
    got = [(it.text, it.history, it.nick, it.mine) for it in bob.got(events.MessageEvent)]
    assert got == [("kept 2", True, "ann", False), ("kept 3", True, "ann", False), ("live", False, "anna", False)]
    seqs = [it.seq for it in room.host.got(events.MessageEvent)]
    assert [it.seq for it in bob.got(events.MessageEvent)] == [*seqs[2:4], seqs[-1]]
    at = [it.at for it in bob.got(events.MessageEvent)]
    assert at[0] == pytest.approx(1_000_000, abs=1)
    assert at[2] == pytest.approx(1_000_010, abs=1)


@pytest.mark.parametrize("spoiled", [False, True])
def test_a_history_that_breaks_in_the_middle_is_shown_whole_and_once(spoiled: bool) -> None:
    """spoiled: a payload was, by whoever carries the link; else the link was lost."""
    room = with_history()
    ann = asking(room, "ann")
    early = room.say(ann, "mine")
    for _ in range(6):
        room.member_hears(ann)
    assert 0 < len(texts(ann)) < 10
    if spoiled:
        waiting = room.link(ann).far.inbox
        waiting[0] = bytes(len(waiting[0] or b""))
        room.member_hears(ann)
        room.host_hears(ann)
    else:
        room.lose(ann, delivering=False)
    room.say(room.host, "live")
    room.settle()
    assert texts(ann) == [f"kept {number}" for number in range(10)] + ["live", "mine"]
    assert len(ann.got(events.EnteredEvent)) == 1
    assert len(room.answers(ann, early)) == 1


@pytest.mark.parametrize("shown", [3, 6])
def test_what_a_history_that_broke_off_did_not_show_is_counted_and_proven(shown: int) -> None:
    """7.3a: nothing is hidden by a link that breaks in its midst."""
    room = Simulation(history=room_state.HistoryPolicy(5, 0))
    for number in range(10):
        room.say(room.host, f"old {number}")
        room.end_batch()
    ann = asking(room, "ann")
    for _ in range(shown):
        room.member_hears(ann)
    before = texts(ann)
    assert before == [f"old {number}" for number in range(5, 5 + len(before))] != []
    room.lose(ann, delivering=False)
    for number in range(40):
        room.say(room.host, f"new {number}")
        room.end_batch()
    room.settle()
    after = texts(ann)[len(before) :]
    assert after == [f"new {number}" for number in range(35, 40)]
    hidden = (5 - len(before)) + 1 + 35  # messages, and ann's own coming
    assert [(it.count, it.verified) for it in ann.got(events.EntriesMissedEvent)] == [(hidden, True)]
    assert len(ann.got(events.EnteredEvent)) == 1


def test_host_and_members_write_to_each_other_in_private(room: Simulation) -> None:
    ann = room.joined("ann")
    room.whisper(room.host, "ann", "to you")
    room.whisper(ann, "hugo", "and back")
    room.settle()
    assert texts(ann) == ["to you", "and back"]
    assert texts(room.host) == ["to you", "and back"]


# --- who is out reads nothing on, who is new nothing from before, and who was away misses nothing


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
            commit.open_share(theirs, key, turn.room, ann.room.replica.me.id, turn.epoch, turn.digest)
    without, _ = epoch.follow(bytes(32), turn.digest, [ann.room.replica.me.id])
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
    batches = [unpack(Batch, epoch.open_batch(payload) or b"") for payload in opening(epoch, recorded)]
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
