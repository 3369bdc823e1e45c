"""What was before a welcome: whether it leads to where the welcome says, what of it is shown, and what comes after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anonp2p.crypto.epoch import Epoch
from anonp2p.errors import HostLied, PeerFault
from anonp2p.protocol import bodies
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.ledger import Ledger
from anonp2p.room.member.backfill import Backfill
from anonp2p.room.member.head_check import Head, HeadCheck, Signer
from tests.room.member.parts import (
    fill_ledger,
    head_text,
    joined_context,
    new_entry,
    new_epoch,
    take_effects,
    take_events,
)
from tests.room.peers import ANN, HOST, ROOM, text

HERE, THERE = b"h" * 32, b"t" * 32  # digests of two logs


@pytest.fixture
def context() -> Context:
    return joined_context()


def ledger_at(context: Context, index: int, digest: bytes = HERE) -> Ledger:
    """The room of this context, after so many entries."""
    ledger = fill_ledger(Ledger(ROOM), context)
    ledger.start_at(index, digest)
    return ledger


def new_backfill(
    context: Context,
    *,
    end: int,
    now: Ledger | None = None,
    epoch: Epoch | None = None,
    replayed: Ledger | None = None,
    former: Ledger | None = None,
    heads: HeadCheck | None = None,
) -> Backfill:
    """What leads to a welcome whose head is at `end`."""
    head = Head.read(head_text(end, HERE, 1000))
    now = now or ledger_at(context, end)
    heads = heads or HeadCheck(context)
    return Backfill(context, heads, epoch or new_epoch(context), head, now, replayed, former)


# --- whether it is complete


@pytest.mark.parametrize(("reached", "complete"), [(0, False), (6, False), (7, True)])
def test_what_we_missed_is_complete_once_our_own_log_ends_where_the_welcome_does(
    context: Context, reached: int, complete: bool
) -> None:
    backfill = new_backfill(context, end=7)
    context.replica.ledger.start_at(reached, HERE)
    assert backfill.continues
    assert backfill.is_complete() is complete


@pytest.mark.parametrize(("reached", "complete"), [(0, False), (6, False), (7, True)])
def test_a_history_is_complete_once_the_copy_ends_where_the_welcome_does(
    context: Context, reached: int, complete: bool
) -> None:
    replayed = ledger_at(context, reached)
    backfill = new_backfill(context, end=7, replayed=replayed, former=context.replica.ledger)
    context.replica.ledger.start_at(7, THERE)  # of which nothing is asked
    assert not backfill.continues
    assert backfill.reached is replayed
    assert backfill.is_complete() is complete


def test_what_leads_to_another_log_than_the_head_of_the_welcome_is_refused(context: Context) -> None:
    backfill = new_backfill(context, end=7, replayed=ledger_at(context, 7, THERE))
    with pytest.raises(HostLied, match="backfill-to-other-log"):
        backfill.is_complete()


def test_what_leads_to_another_room_than_the_welcome_shows_is_refused(context: Context) -> None:
    now = ledger_at(context, 7)
    now.roster.rename_member(now.get_member(ANN.id), "eve")
    now.start_at(7, HERE)
    with pytest.raises(HostLied, match="backfill-to-other-room"):
        new_backfill(context, end=7, now=now, replayed=ledger_at(context, 7)).is_complete()


def test_what_leads_to_another_epoch_than_that_of_the_welcome_is_refused(context: Context) -> None:
    now = ledger_at(context, 7)
    now.epoch = 1
    now.start_at(7, HERE)
    with pytest.raises(HostLied, match="backfill-to-other-room"):
        new_backfill(context, end=7, now=now, replayed=ledger_at(context, 7)).is_complete()


def test_an_entry_of_the_history_that_leads_to_another_group_context_is_not_shown(context: Context) -> None:
    replayed = ledger_at(context, 3)
    entry = new_entry(ANN, replayed, bodies.NickBody("anna"))
    with pytest.raises(PeerFault, match="other-group-context"):
        new_backfill(context, end=4, replayed=replayed).replay_entry(replayed, entry, 1.0, None)
    assert take_events(context) == []


# --- what we are shown again


@pytest.mark.parametrize(
    ("index", "digest", "same"),
    [(7, HERE, True), (7, THERE, False), (6, THERE, True), (8, THERE, True)],
    ids=["the same", "another", "before what we remember", "after what we had"],
)
def test_what_we_had_before_is_not_shown_as_something_else(
    context: Context, index: int, digest: bytes, same: bool
) -> None:
    backfill = new_backfill(context, end=9, replayed=ledger_at(context, 5), former=ledger_at(context, 7))
    if same:
        backfill.expect_same_log(index, digest)
    else:
        with pytest.raises(HostLied, match="other-log"):
            backfill.expect_same_log(index, digest)


@given(st.none() | st.integers(0, 6), st.integers(1, 6))
def test_of_a_history_only_that_is_shown_which_was_not_shown_before(shown_up_to: int | None, count: int) -> None:
    context = joined_context()
    replayed = ledger_at(context, 0)
    backfill = new_backfill(context, end=count, replayed=replayed)
    for number in range(1, count + 1):
        entry = new_entry(ANN, replayed, text(f"line {number}"))
        backfill.replay_entry(replayed, entry, 1.0, shown_up_to)
    shown = [event.seq for event in take_events(context) if isinstance(event, events.MessageEvent)]
    assert shown == list(range(1 + (shown_up_to or 0), count + 1))
    assert replayed.index == count
    assert context.replica.ledger.index == 0, "history takes no effect in the room as it is"


def test_an_entry_that_may_not_come_next_takes_no_effect_in_the_history(context: Context) -> None:
    replayed = ledger_at(context, 0)
    backfill = new_backfill(context, end=1, replayed=replayed)
    with pytest.raises(PeerFault, match="without-right"):
        backfill.replay_entry(replayed, new_entry(ANN, replayed, bodies.LockBody(True)), 1.0, None)
    assert replayed.index == 0
    assert take_events(context) == []


def test_an_entry_of_the_history_that_was_written_on_another_log_raises_an_alarm(context: Context) -> None:
    replayed = ledger_at(context, 3)
    entry = new_entry(ANN, replayed, text("hi"), digest=THERE)
    new_backfill(context, end=4, replayed=replayed).replay_entry(replayed, entry, 1.0, None)
    kinds = [type(event) for event in take_events(context)]
    assert kinds == [events.AlarmEvent, events.MessageEvent]
    assert len(context.replica.evidence) == 1


# --- the epoch that we go on in


def test_in_an_epoch_in_which_we_were_we_go_on_with_our_own_chain_and_those_of_others_as_welcomed(
    context: Context,
) -> None:
    own_id, had, welcomed = context.replica.me.id, context.replica.current_epoch, new_epoch(context)
    had.ratchets[own_id].take_key(4)
    welcomed.ratchets[ANN.id].take_key(2)
    new_backfill(context, end=0, epoch=welcomed).enter_epoch()
    epoch = context.replica.current_epoch
    assert epoch is welcomed
    assert epoch.ratchets[own_id].generation == 5, "a key that was used is used again"
    assert epoch.ratchets[ANN.id].generation == 3


def test_of_another_epoch_all_chains_are_as_welcomed(context: Context) -> None:
    own_id = context.replica.me.id
    context.replica.current_epoch.ratchets[own_id].take_key(4)
    later, _ = new_epoch(context).follow(bytes(32), bytes(32), [HOST.id, ANN.id, own_id])
    new_backfill(context, end=0, epoch=later).enter_epoch()
    assert context.replica.current_epoch is later
    assert context.replica.current_epoch.ratchets[own_id].generation == 0


def test_the_head_of_a_welcome_binds_the_host_once_we_go_on_from_it(context: Context) -> None:
    heads = HeadCheck(context)
    backfill = new_backfill(context, end=7, heads=heads)
    heads.read_head(backfill.head.text, Signer.of_log(context.replica.ledger))
    backfill.enter_epoch()
    heads.read_head(head_text(9, THERE, 2000), Signer.of_log(context.replica.ledger))
    with pytest.raises(HostLied, match="two-logs") as caught:
        heads.read_head(head_text(7, THERE, 1000), Signer.of_log(context.replica.ledger))
    assert caught.value.evidence == (backfill.head.text, head_text(7, THERE, 1000))
    assert heads.blame("generation", backfill.head).evidence == (backfill.head.text, backfill.head.text)


def test_what_of_ours_has_no_place_goes_out_again_in_the_epoch_of_the_welcome(context: Context) -> None:
    context.add_entry(text("hi"), "hi", UNSET)
    sealer = context.replica.sealer(context.random)
    [first] = context.outbox.send_ready(sealer, 0.0)
    assert context.outbox.send_ready(sealer, 0.0) == []
    new_backfill(context, end=0).enter_epoch()
    assert context.outbox.send_ready(context.replica.sealer(context.random), 0.0) == [first]
    assert take_effects(context) == []
