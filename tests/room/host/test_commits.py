"""When epochs end, whom that removes, and how long the secret of a commit is kept."""

import itertools

import pytest

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol.bodies import AwayBody, CommitBody, Removal, RenewBody
from anonp2p.room import effects
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ANN, BOB, EVE


@pytest.fixture
def room() -> Ordering:
    """A room with Ann and Bob in it, both linked."""
    room = Ordering()
    for number, (who, nick) in enumerate(((ANN, "ann"), (BOB, "bob")), 1):
        room.add_member(who, nick)
        room.add_link(number, who)
    return room


def test_an_epoch_ends_in_its_time_and_all_may_renew_their_keys_once(room: Ordering) -> None:
    before = room.context.replica.current_epoch
    assert room.commits.next_deadline() == room.context.clock.tick + limits.EPOCH
    set_time(room.context, limits.EPOCH - 1)
    room.commits.commit_if_due()
    assert room.context.replica.current_epoch is before
    set_time(room.context, limits.EPOCH)
    room.commits.commit_if_due()
    own = suite.hash_data(room.context.replica.own_keys[0].public)
    assert room.bodies(3) == [CommitBody(1, [], renew=True), RenewBody(own)]
    assert room.context.replica.current_epoch.number == 1
    assert room.commits.renewable == 1
    assert room.context.replica.keys[own] == room.context.replica.own_keys[0].public
    assert len(room.context.replica.own_keys) == 2  # the old one may still be written to


def test_members_renew_once_in_an_epochs_time_however_often_others_come_and_go(room: Ordering) -> None:
    """6.8"""
    times = [limits.COMMIT_PAUSE, limits.EPOCH - 1, limits.EPOCH + 4, limits.EPOCH + 9, 2 * limits.EPOCH + 4]
    for seconds in times:
        set_time(room.context, seconds)
        room.commits.note_left()
        room.commits.commit_if_due()
    commits = [body.renew for body in room.bodies() if isinstance(body, CommitBody)]
    assert commits == [False, False, True, False, True]
    assert room.commits.renewable == 2


def test_who_joins_and_leaves_all_the_time_causes_a_commit_in_30_seconds_and_a_kick_takes_effect_at_once(
    room: Ordering,
) -> None:
    """6.8"""
    room.commits.note_left()
    seconds, times = 0.0, list[float]()
    while len(times) < limits.COMMIT_BUCKET + 12:
        seconds += 1.0
        set_time(room.context, seconds)
        before = room.context.replica.current_epoch.number
        room.commits.commit_if_due()
        if room.context.replica.current_epoch.number > before:
            times.append(seconds)
            room.commits.note_left()
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert gaps[: limits.COMMIT_BUCKET - 1] == [limits.COMMIT_PAUSE] * (limits.COMMIT_BUCKET - 1)
    assert all(29 <= gap <= 31 for gap in gaps[-2:])
    room.throw_out(BOB)
    assert BOB.id not in room.context.replica.current_epoch.ratchets


def test_a_commit_that_lets_members_renew_waits_for_nothing_else(room: Ordering) -> None:
    """6.8: who makes the host commit all the time does not put it off."""
    set_time(room.context, limits.EPOCH - 1)
    room.commits.note_left()
    room.commits.commit_if_due()
    assert room.commits.renewable == 0
    set_time(room.context, limits.EPOCH + limits.COMMIT_PAUSE)
    assert room.commits.next_deadline() <= room.context.clock.tick
    room.commits.commit_if_due()
    assert room.commits.renewable == 1


def test_nobody_renews_in_a_large_room(room: Ordering, monkeypatch: pytest.MonkeyPatch) -> None:
    """6.8"""
    monkeypatch.setattr(limits, "RENEWING", 2)
    set_time(room.context, limits.EPOCH)
    assert room.commits.next_deadline() == room.context.clock.tick
    room.commits.commit_if_due()
    assert room.bodies(3) == [CommitBody(1, [], renew=False)]
    assert room.commits.next_deadline() == pytest.approx(room.context.clock.tick + limits.COMMIT_SHARES)
    room.commits.forget_due_secrets()
    assert room.commits.renewable == 0
    room.throw_out(BOB)
    assert CommitBody(2, [Removal(BOB.id, "kicked")], renew=True) in room.bodies(4), "which is small again"


def test_the_batch_of_a_commit_ends_with_it_and_has_the_secret_for_those_who_stay(room: Ordering) -> None:
    room.throw_out(BOB, "noise")
    batch = room.sequencer.log.batches[-1]
    assert batch.commit_secret is not None
    assert batch.commit_secret.epoch == 1
    assert batch.end == room.sequencer.log.end
    assert set(room.context.replica.current_epoch.ratchets) == {room.context.replica.me.id, ANN.id}


def test_one_who_is_thrown_out_gets_the_log_up_to_there_and_is_remembered(room: Ordering) -> None:
    link = room.presence.links[2]
    room.throw_out(BOB, "noise")
    assert effects.FinishEffect(2) in take_effects(room.context)
    assert not link.reader.is_out  # the commit is still to be sent
    assert set(room.presence.links) == {1}
    assert room.context.replica.ledger.kicked == {BOB.id: BOB.key}
    assert suite.hash_data(BOB.encryption_key.public) not in room.context.replica.keys


@pytest.mark.parametrize("cause", ["left", "pending removal"])
def test_an_epoch_ends_soon_if_somebody_who_is_out_has_its_keys(room: Ordering, cause: str) -> None:
    if cause == "left":
        room.commits.note_left()
    else:
        room.sequencer.order_own(AwayBody(BOB.id))
        room.commits.remove_soon(BOB.id)
        assert room.commits.pending_removals == {BOB.id}
    set_time(room.context, limits.COMMIT_PAUSE - 0.1)
    room.commits.commit_if_due()
    assert room.context.replica.current_epoch.number == 0
    set_time(room.context, limits.COMMIT_PAUSE)
    room.commits.commit_if_due()
    assert room.context.replica.current_epoch.number == 1
    removed = [Removal(BOB.id, "lost")] if cause != "left" else []
    assert CommitBody(1, removed, renew=False) in room.bodies()
    assert not room.commits.pending_removals
    assert room.commits.next_deadline() > room.context.clock.tick + limits.COMMIT_PAUSE


def test_who_is_thrown_out_while_its_removal_is_pending_is_removed_once(room: Ordering) -> None:
    room.sequencer.order_own(AwayBody(BOB.id))
    room.commits.remove_soon(BOB.id)
    room.throw_out(BOB)
    assert room.bodies()[-1] == CommitBody(1, [Removal(BOB.id, "kicked")], renew=False)


def test_the_secret_of_a_commit_is_forgotten_in_its_time(room: Ordering) -> None:
    room.throw_out(BOB)
    batch = room.sequencer.log.batches[-1]
    assert room.commits.secrets_kept_until == [room.context.clock.tick + limits.COMMIT_SHARES]
    set_time(room.context, limits.COMMIT_SHARES - 1)
    room.commits.forget_due_secrets()
    assert batch.commit_secret is not None
    set_time(room.context, limits.COMMIT_SHARES)
    room.commits.forget_due_secrets()
    assert batch.commit_secret is None
    assert batch.wire == b""
    assert room.commits.secrets_kept_until == []


def test_who_hosts_no_more_keeps_no_secret_of_its_commits(room: Ordering) -> None:
    room.throw_out(BOB)
    room.commits.note_left()
    set_time(room.context, limits.COMMIT_PAUSE)
    room.commits.commit_if_due()
    room.commits.forget_secrets()
    assert [batch.commit_secret for batch in room.sequencer.log.batches if batch.commit_secret] == []
    assert room.commits.secrets_kept_until == []


def test_only_idle_members_give_way_all_at_once_and_not_right_after_a_commit(room: Ordering) -> None:
    room.add_member(EVE, "eve")
    room.add_link(3, EVE)
    room.presence.allowances[EVE.id].spoke = True
    for number in (2, 3):
        room.presence.lose_link(number, 0.0)
    assert not room.commits.make_room()
    set_time(room.context, limits.COMMIT_PAUSE)
    before = room.sequencer.log.end
    assert room.commits.make_room()
    assert room.bodies(before) == [AwayBody(BOB.id), CommitBody(1, [Removal(BOB.id, "lost")], renew=False)]
    assert set(room.presence.absences) == {EVE.id}


def test_nobody_gives_way_where_nobody_is_idle(room: Ordering) -> None:
    set_time(room.context, limits.EPOCH)
    assert not room.commits.make_room()
    assert room.context.replica.current_epoch.number == 0
