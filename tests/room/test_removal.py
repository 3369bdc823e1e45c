"""Who is out reads nothing on, who is new reads nothing from before, and who was away misses nothing."""

import pytest

from anonp2p import limits
from anonp2p.crypto import commit, suite
from anonp2p.crypto.epoch import ENTRY, Epoch, read_header
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.frames import CommitBody, Removal, RenewBody
from anonp2p.room import effects, events, inputs
from anonp2p.room.ledger import unpack_content
from tests.room.peers import EVE, ZOE, Inn, kinds, text
from tests.room.simulation import Simulation
from tests.support.world import End, Party, log_of


class Tapped(Simulation):
    """A room on whose links somebody listens."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        super().__init__()
        self.world.taps.append(self._hear)

    def _hear(self, end: End, payload: bytes | None) -> None:
        if end.owner is not self.host and payload is not None:
            self.heard.append(payload)


@pytest.fixture
def room() -> Tapped:
    return Tapped()


def epoch_of(party: Party) -> int:
    epoch = party.room.replica.epoch
    assert epoch is not None
    return epoch.number


def keys_of(party: Party) -> tuple[Epoch, list[suite.EncryptionKeyPair]]:
    """All that it has, as of now."""
    assert party.room.replica.epoch is not None
    return party.room.replica.epoch, list(party.room.replica.own_keys)


def opening(epoch: Epoch, heard: list[bytes]) -> list[bytes]:
    """Which of these are of the log for somebody with these keys."""
    return [payload for payload in heard if epoch.open_batch(payload) is not None]


def turns(room: Simulation) -> list[commit.CommitSecret]:
    """The commits whose secrets the host still has."""
    return [batch.commit_secret for batch in log_of(room.host.room).batches if batch.commit_secret is not None]


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


# --- thrown out


def test_one_who_is_thrown_out_is_told_why_and_the_others_that_it_is_gone(room: Tapped) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.kick("BOB", "enough")
    room.settle()
    assert [kicked.why for kicked in bob.got(events.SelfKickedEvent)] == ["enough"]
    assert [gone.reason for gone in bob.got(events.GoneEvent)] == ["kicked"]
    assert kinds(room.answers(room.host, re)) == ["LeftEvent"]
    for party in (ann, room.host):
        assert [(left.nick, left.reason, left.why) for left in party.got(events.LeftEvent)] == [
            ("bob", "kicked", "enough")
        ]
        assert party.people == room.who(room.host)
    assert "bob" not in room.who(room.host).values()
    assert bob.dials == 1


def test_no_reason_is_none(room: Tapped) -> None:
    ann = room.joined("ann")
    room.kick("ann")
    room.settle()
    assert [kicked.why for kicked in ann.got(events.SelfKickedEvent)] == [""]


def test_one_who_is_thrown_out_opens_nothing_after_it_with_all_its_keys(room: Tapped) -> None:
    """6.8"""
    ann, bob = room.joined("ann"), room.joined("bob")
    room.say(ann, "bob reads this")
    room.settle()
    epoch, keys = keys_of(bob)
    assert opening(epoch, room.heard)
    room.kick("bob")
    room.write(bob)
    room.settle()
    assert bob.room.over
    room.heard.clear()
    room.say(ann, "bob does not read this")
    room.say(room.host, "nor this")
    room.joined("zoe")
    room.settle()
    assert texts(ann) == ["bob reads this", "nor this", "bob does not read this"]
    assert opening(epoch, room.heard) == []
    here = ann.room.replica.epoch
    assert here is not None
    assert opening(here, room.heard)
    [turn] = turns(room)
    theirs = turn.seal_share(ann.room.replica.me.id, ann.room.replica.own_keys[0].public)
    for key in keys:
        with pytest.raises(PeerFault):
            commit.open_share(theirs, key, turn.room, ann.room.replica.me.id, turn.epoch, turn.group_context)
    without, _ = epoch.follow(bytes(32), turn.group_context, [ann.room.replica.me.id])
    assert opening(without, room.heard) == []


def test_one_who_is_out_has_no_keys_in_memory(room: Tapped) -> None:
    ann = room.joined("ann")
    room.kick("ann")
    room.settle()
    assert ann.room.replica.epoch is None
    assert ann.room.replica.own_keys == []


def test_one_who_is_thrown_out_gets_no_commit_share(room: Tapped) -> None:
    ann = room.joined("ann")
    room.kick("ann")
    room.write(ann)
    on_its_way = [payload for payload in room.link(ann).far.inbox if payload]
    epoch, _ = keys_of(ann)
    assert len(opening(epoch, on_its_way)) == len(on_its_way) == 1  # the batch that ends with the commit
    room.settle()


def test_what_one_who_is_thrown_out_has_on_its_way_is_not_ordered(room: Tapped) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.say(bob, "too late")
    room.kick("bob")
    room.settle()
    assert kinds(room.answers(bob, re)) == ["UnsentEvent"]
    assert texts(ann) == texts(room.host) == []


def test_what_others_have_on_their_way_then_is_ordered_once(room: Tapped) -> None:
    """5.8, 5.13, 6.7: their host passes it over, and they seal it anew in the next epoch."""
    ann = room.joined("ann")
    room.joined("bob")
    answers = [room.say(ann, f"text {number}") for number in range(3)]
    room.host_hears(ann)
    room.kick("bob")
    room.host_hears(ann)
    more = room.say(ann, "text 3")
    room.settle()
    assert texts(ann) == texts(room.host) == [f"text {number}" for number in range(4)]
    assert [kinds(room.answers(ann, re)) for re in [*answers, more]] == [["MessageEvent"]] * 4
    assert ann.room.outstanding == 0


def test_the_place_of_one_who_was_thrown_out_while_away_is_gone(room: Tapped) -> None:
    """5.12"""
    ann, bob = room.joined("ann"), room.joined("bob")
    cut_off(room, ann)
    room.wait(limits.AWAY_SECONDS)
    re = room.kick("ann", "enough")
    assert kinds(room.answers(room.host, re)) == ["AbsentRemovedEvent"]
    room.settle()
    assert [gone.reason for gone in ann.got(events.GoneEvent)] == ["kicked"]
    assert ann.room.replica.epoch is None
    assert list(bob.people.values()) == ["hugo", "bob"]
    assert [left.reason for left in bob.got(events.LeftEvent)] == ["lost"]


@pytest.mark.parametrize(("nick", "code"), [("eve", "no-such-nick"), ("hugo", "not-allowed")])
def test_only_another_member_is_thrown_out(room: Tapped, nick: str, code: str) -> None:
    room.joined("ann")
    [error] = room.answers(room.host, room.kick(nick))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == code
    assert epoch_of(room.host) == 0


@pytest.mark.parametrize("typed", [inputs.KickInput("bob", re=99), inputs.LockInput(locked=True, re=99)])
def test_only_the_host_throws_out_or_locks(room: Tapped, typed: inputs.Typed) -> None:
    ann = room.joined("ann")
    room.joined("bob")
    room.step(ann, typed)
    assert [error.code for error in ann.got(events.ErrorEvent)] == ["not-allowed"]
    room.settle()
    assert "bob" in room.who(room.host).values()


# --- locked


def test_a_locked_room_lets_no_newcomer_in_until_it_is_open_again(room: Tapped) -> None:
    """5.1"""
    ann = room.joined("ann")
    re = room.lock(locked=True)
    assert kinds(room.answers(room.host, re)) == ["LockChangedEvent"]
    refused = room.joined("bob")
    assert [error.code for error in refused.got(events.ErrorEvent)] == ["locked"]
    host = room.host.got(events.EnteredEvent)[0].member
    assert [(told.locked, told.member) for told in ann.got(events.LockChangedEvent)] == [(True, host)]
    room.lock(locked=False)
    assert room.joined("bob").room.entered
    assert [(told.locked, told.member) for told in ann.got(events.LockChangedEvent)] == [(True, host), (False, host)]


def test_members_come_back_to_a_locked_room(room: Tapped) -> None:
    ann = room.joined("ann")
    room.lock(locked=True)
    cut_off(room, ann)
    room.settle()
    assert ann.room.entered
    assert room.who(room.host) == ann.people


@pytest.mark.parametrize("locked", [True, False])
def test_a_room_that_is_so_already_says_so(room: Tapped, locked: bool) -> None:
    if locked:
        room.lock(locked=True)
    before = log_of(room.host.room).end
    assert kinds(room.answers(room.host, room.lock(locked=locked))) == ["LockUnchangedEvent"]
    assert log_of(room.host.room).end == before


# --- out for other reasons


def test_one_who_leaves_opens_nothing_once_the_commit_has_come(room: Tapped) -> None:
    """6.8"""
    ann, bob = room.joined("ann"), room.joined("bob")
    epoch, _ = keys_of(bob)
    room.leave(bob)
    room.settle()
    assert epoch_of(room.host) == 0
    room.wait(limits.COMMIT_PAUSE)
    room.settle()
    assert epoch_of(room.host) == epoch_of(ann) == 1
    room.heard.clear()
    room.say(ann, "hello")
    room.settle()
    assert opening(epoch, room.heard) == []
    assert not ann.got(events.AlarmEvent)


def test_all_who_leave_within_the_pause_are_out_with_one_commit(room: Tapped) -> None:
    """6.8: no sooner than 5 s after the last."""
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    room.kick("eve")
    room.leave(ann)
    room.settle()
    room.wait(limits.COMMIT_PAUSE / 2)
    room.leave(bob)
    room.settle()
    assert epoch_of(room.host) == 1
    room.wait(limits.COMMIT_PAUSE / 2 - 0.01)
    assert epoch_of(room.host) == 1
    room.wait(0.01)
    assert epoch_of(room.host) == 2
    room.wait(limits.COMMIT_PAUSE * 3)
    assert epoch_of(room.host) == 2
    assert eve.room.over


@pytest.fixture
def inn() -> Inn:
    return Inn()


def test_one_who_broke_a_rule_does_not_come_back_before_the_commit_takes_its_place(inn: Inn) -> None:
    """5.8"""
    inn.eve.sends(b"")
    for ask, answer in (("resume", "unknown"), ("join", "not-allowed")):
        inn.eve.dials()
        if ask == "resume":
            inn.eve.resumes(*inn.eve.reference)
        else:
            inn.eve.joins("eve")
        assert inn.eve.refused == answer
    inn.ticks(limits.COMMIT_PAUSE)
    assert inn.ordered()[-1] == CommitBody(1, [Removal(EVE.id, "lost", "")])
    inn.eve.dials(inn.tick)
    inn.eve.resumes(*inn.eve.reference)
    assert inn.eve.refused == "unknown"


def test_one_who_broke_a_rule_may_be_thrown_out_at_once_and_is_removed_once(inn: Inn) -> None:
    inn.eve.sends(b"")
    inn.takes(inputs.KickInput("eve", "why"))
    assert inn.ordered()[-1] == CommitBody(1, [Removal(EVE.id, "kicked", "why")])
    inn.ticks(limits.COMMIT_PAUSE * 2)
    assert epoch_number(inn) == 1


def test_throwing_one_out_takes_those_along_who_are_to_go_anyway(inn: Inn) -> None:
    inn.eve.sends(b"")
    inn.takes(inputs.KickInput("ann"))
    commit_ = inn.ordered()[-1]
    assert isinstance(commit_, CommitBody)
    assert [(removal.reason) for removal in commit_.removed] == ["kicked", "lost"]


def test_one_who_is_thrown_out_is_out_at_once_and_told_so_when_it_comes_back(inn: Inn) -> None:
    """5.12"""
    link = inn.eve.link
    done = inn.takes(inputs.KickInput("eve"))
    assert [effect.link for effect in done if isinstance(effect, effects.FinishEffect)] == [link]
    assert inn.eve.says(text("still here")) == []
    inn.eve.dials()
    inn.eve.resumes(*inn.eve.reference)
    assert inn.eve.refused == "kicked"
    inn.eve.dials()
    inn.eve.joins("eve")
    assert inn.eve.refused == "kicked"


def test_one_who_has_left_does_not_join_again_with_its_key_in_the_same_epoch(inn: Inn) -> None:
    """3.2: it would have a second chain."""
    inn.eve.says(frames.LeaveBody())
    inn.eve.dials()
    inn.eve.joins("eve")
    assert inn.eve.refused == "not-allowed"
    inn.ticks(limits.COMMIT_PAUSE)
    inn.eve.dials(inn.tick)
    assert kinds(inn.eve.joins("eve")) == ["TellEffect", "AdmitEffect"]


def epoch_number(inn: Inn) -> int:
    assert inn.room.replica.epoch is not None
    return inn.room.replica.epoch.number


# --- new


def test_a_newcomer_opens_nothing_that_was_ordered_before_it_came(room: Tapped) -> None:
    """6.5, 7.3"""
    ann, bob = room.joined("ann"), room.joined("bob")
    for party in (ann, bob, room.host):
        room.say(party, f"before, by {party.room.snapshot().nick}")
    room.settle()
    recorded = list(room.heard)
    zoe = room.joined("zoe")
    epoch, _ = keys_of(zoe)
    batches = [frames.unpack(frames.Batch, epoch.open_batch(payload) or b"") for payload in opening(epoch, recorded)]
    entries = [entry for batch in batches for entry in batch.entries if read_header(entry).kind == ENTRY]
    assert entries
    for entry in entries:
        with pytest.raises(PeerFault):
            epoch.open_entry(entry)
    assert texts(zoe) == []


# --- away while it happens


def test_one_who_is_away_during_commits_misses_nothing_and_gets_nothing_twice(room: Tapped) -> None:
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


def test_one_whose_link_breaks_between_commit_and_commit_share_comes_back_all_the_same(room: Tapped) -> None:
    ann = room.joined("ann")
    room.joined("bob")
    room.kick("bob")
    room.write(ann)
    while ann.room.replica.ledger.epoch == ann.room.replica.current_epoch.number:
        room.member_hears(ann)
    re = room.say(ann, "typed while turning")
    cut_off(room, ann)
    room.settle()
    assert epoch_of(ann) == epoch_of(room.host) == 1
    assert kinds(room.answers(ann, re)) == ["MessageEvent"]
    assert not ann.got(events.EntriesMissedEvent)


def test_a_laggard_that_does_not_come_to_the_commit_in_time_is_cut_and_comes_back(room: Tapped) -> None:
    """6.9"""
    ann = room.joined("ann")
    room.joined("bob")
    re = room.say(ann, "on its way")
    room.kick("bob")
    room.wait(limits.COMMIT_SHARES - 0.01)
    reader = room.link(ann).near.reader
    assert reader is not None
    assert not reader.lags
    assert turns(room)
    room.wait(0.01)
    assert reader.lags
    assert turns(room) == []
    room.settle()
    assert epoch_of(ann) == 1
    assert kinds(room.answers(ann, re)) == ["MessageEvent"]
    assert not ann.got(events.EntriesMissedEvent)


def test_the_fresh_secret_of_a_commit_is_forgotten_though_nobody_lags(room: Tapped) -> None:
    room.joined("ann")
    room.wait(limits.EPOCH)
    room.settle()
    assert turns(room)
    room.wait(limits.COMMIT_SHARES)
    assert turns(room) == []


# --- from time to time


def test_every_epoch_comes_in_time_and_all_renew_their_leaves(room: Tapped) -> None:
    """6.8"""
    ann, bob = room.joined("ann"), room.joined("bob")
    parties = (room.host, ann, bob)
    keys = [party.room.replica.own_keys[0].public for party in parties]
    room.wait(limits.EPOCH - 0.01)
    assert epoch_of(room.host) == 0
    room.wait(0.01)
    room.settle()
    for party, before in zip(parties, keys, strict=True):
        assert epoch_of(party) == 1
        [now] = {suite.hash_data(key.public) for key in party.room.replica.own_keys[:1]}
        assert now != suite.hash_data(before)
        for other in parties:
            assert other.room.replica.ledger.get_member(party.room.replica.me.id).key_hash == now
        assert party.room.outstanding == 0
    room.wait(limits.EPOCH)
    room.settle()
    assert {epoch_of(party) for party in parties} == {2}
    assert all(len(party.room.replica.own_keys) <= 2 for party in parties)


def test_the_next_commit_is_sealed_to_the_renewed_key_and_the_old_one_is_gone(room: Tapped) -> None:
    ann = room.joined("ann")
    room.joined("bob")
    room.wait(limits.EPOCH)
    room.settle()
    assert len(ann.room.replica.own_keys) == 2
    room.kick("bob")
    room.settle()
    assert epoch_of(ann) == 2
    assert len(ann.room.replica.own_keys) == 1


@pytest.mark.parametrize("members", [3, 2])
def test_large_rooms_do_not_renew(room: Tapped, monkeypatch: pytest.MonkeyPatch, members: int) -> None:
    """6.8"""
    monkeypatch.setattr(limits, "RENEWING", members - 1 if members == 3 else 2)
    ann = room.joined("ann")
    if members == 3:
        room.joined("bob")
    keys = [party.room.replica.own_keys[0] for party in (room.host, ann)]
    room.wait(limits.EPOCH)
    room.settle()
    assert epoch_of(ann) == 1
    assert [party.room.replica.own_keys[0] is key for party, key in zip((room.host, ann), keys, strict=True)] == [
        members == 3
    ] * 2


def test_a_commit_with_a_cause_renews_nothing(room: Tapped) -> None:
    ann = room.joined("ann")
    room.joined("bob")
    key, hosts = ann.room.replica.own_keys[0], room.host.room.replica.own_keys[0]
    room.kick("bob")
    room.settle()
    assert (ann.room.replica.own_keys, room.host.room.replica.own_keys) == ([key], [hosts])


def test_a_renewal_is_ordered_like_anything(inn: Inn) -> None:
    inn.ticks(limits.EPOCH)
    inn.eve.follows()
    inn.eve.says(RenewBody(b"n" * 32))
    assert inn.ordered()[-1] == RenewBody(b"n" * 32)


def test_a_key_is_the_one_of_its_link_from_the_frame_on(inn: Inn) -> None:
    """2.7"""
    assert inn.eve.sends(frames.KeyFrame(ZOE.encryption_key.public)) == []
    inn.takes(inputs.KickInput("ann"))
    inn.end_batch()
    *_, slice_ = inn.eve.reads()
    [sliced] = inn.eve.channel.open_record(slice_).frames
    assert isinstance(sliced, frames.CommitShareFrame)
    group_context = inn.room.replica.ledger.group_context()
    secret, _ = commit.open_share(
        sliced.box, ZOE.encryption_key, inn.room.replica.ledger.room, EVE.id, 1, group_context
    )
    assert len(secret) == 32
    with pytest.raises(PeerFault):
        commit.open_share(sliced.box, EVE.encryption_key, inn.room.replica.ledger.room, EVE.id, 1, group_context)


def test_one_whose_epoch_is_over_is_welcomed_with_all_that_it_missed(inn: Inn) -> None:
    """5.12"""
    index, digest = inn.eve.reference
    inn.ann.says(text("missed"))
    inn.takes(inputs.KickInput("ann"))
    inn.eve.dials()
    inn.eve.resumes(index, digest)
    first = inn.eve.greeted[0]
    assert isinstance(first, frames.WelcomeFrame)
    assert (inn.eve.state.since, inn.eve.state.snapshot) == (index, None)
    assert inn.eve.state.epoch == 1
    entries = [entry for past in inn.eve.missed() for entry in past.entries]
    assert [unpack_content(entry.body).body for entry in entries] == [
        text("missed"),
        CommitBody(1, [Removal(inn.ann.who.id, "kicked", "")]),
    ]
