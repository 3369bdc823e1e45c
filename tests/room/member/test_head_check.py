"""What a host says of its log and of the time, held against what it said before; and what is kept as a proof."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import KEPT
from anonp2p.errors import PeerFault
from anonp2p.protocol import field_types
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.member.head_check import Head, HeadCheck
from tests.room.member.parts import head_text, joined_context, new_entry, set_time, take_events
from tests.room.peers import ANN, text

HERE, THERE = b"h" * 32, b"t" * 32  # digests of two logs


@pytest.fixture
def context() -> Context:
    return joined_context()


@pytest.fixture
def heads(context: Context) -> HeadCheck:
    """Of one who has accepted a head at index 5 and time 1000, and was told that the log stands at 8 at time 2000."""
    heads = HeadCheck(context)
    heads.accept_head(heads.read_head(head_text(5, HERE, 1000), context.replica.ledger))
    heads.note_claim(8, 2000)
    return heads


def test_a_head_is_read_as_it_was_signed(context: Context) -> None:
    signed = head_text(7, HERE, 1234)
    assert HeadCheck(context).read_head(signed, context.replica.ledger) == Head(7, HERE, 1234, signed)


_CONTRADICTIONS: dict[str, Callable[[], bytes]] = {
    "forged-head": lambda: head_text(6, HERE, 3000, signer=ANN),
    "forged-head ": lambda: head_text(6, HERE, 3000, label=identity.ENTRY),
    "head-out-of-range": lambda: head_text(field_types.COUNTS, HERE, 3000),
    "head-out-of-range ": lambda: head_text(6, HERE, field_types.COUNTS),
    "two-logs": lambda: head_text(5, THERE, 3000),
    "head-older-than-last": lambda: head_text(6, HERE, 999),
    "head-older-than-claim": lambda: head_text(9, HERE, 1999),
}


@pytest.mark.parametrize("fault", _CONTRADICTIONS)
def test_a_head_that_contradicts_what_the_host_said_is_refused(context: Context, heads: HeadCheck, fault: str) -> None:
    with pytest.raises(PeerFault, match=fault.strip()):
        heads.read_head(_CONTRADICTIONS[fault](), context.replica.ledger)
    assert heads.told_time == 2000


@pytest.mark.parametrize(("place", "time"), [(5, 1000), (5, 1500), (6, 1000), (8, 1999), (9, 2000)], ids=str)
def test_a_head_may_be_as_old_as_the_last_one_up_to_the_claimed_index(
    context: Context, heads: HeadCheck, place: int, time: int
) -> None:
    head = heads.read_head(head_text(place, HERE, time), context.replica.ledger)
    assert (head.place, head.time) == (place, time)


def test_two_heads_for_different_logs_are_a_proof_and_one_alone_is_none(context: Context, heads: HeadCheck) -> None:
    with pytest.raises(PeerFault):
        heads.read_head(head_text(6, HERE, 0), context.replica.ledger)
    assert context.replica.evidence == []
    with pytest.raises(PeerFault):
        heads.read_head(head_text(5, THERE, 1000), context.replica.ledger)
    assert context.replica.evidence == [(head_text(5, HERE, 1000), head_text(5, THERE, 1000))]


def test_a_head_binds_the_host_only_once_all_that_it_covers_is_checked(context: Context, heads: HeadCheck) -> None:
    heads.read_head(head_text(6, HERE, 3000), context.replica.ledger)
    other = heads.read_head(head_text(6, THERE, 1500), context.replica.ledger)
    heads.accept_head(other)
    with pytest.raises(PeerFault, match="two-logs"):
        heads.read_head(head_text(6, HERE, 3000), context.replica.ledger)


def test_a_log_that_is_shown_anew_may_begin_earlier_but_not_after_the_claim(context: Context, heads: HeadCheck) -> None:
    heads.begin_log()
    heads.read_head(head_text(5, THERE, 0), context.replica.ledger)
    with pytest.raises(PeerFault, match="head-older-than-claim"):
        heads.read_head(head_text(9, THERE, 1999), context.replica.ledger)


@pytest.mark.parametrize(("time", "claimed"), [(1999, 8), (2000, 8), (2001, 3)])
def test_only_a_later_claim_replaces_one(heads: HeadCheck, time: int, claimed: int) -> None:
    heads.note_claim(3, time)
    assert heads.claimed_index == claimed


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**4)), min_size=1, max_size=8))
def test_the_time_of_the_room_is_the_latest_that_was_told_and_what_has_passed_since(
    told: list[tuple[int, int]],
) -> None:
    context = joined_context()
    heads = HeadCheck(context)
    seconds = latest = since = 0
    for index, (time, pause) in enumerate(told):
        seconds += pause
        set_time(context, float(seconds))
        if index == 0 or time > latest:
            latest, since = time, seconds
        heads.note_claim(index, time)
    set_time(context, seconds + 30.0)
    assert heads.told_time == latest
    assert abs(heads.room_time() - (latest + (seconds + 30 - since) * 1000)) <= 1


def test_the_time_of_the_room_goes_on_while_our_machine_sleeps(context: Context, heads: HeadCheck) -> None:
    set_time(context, 1.0, slept=50.0)
    assert heads.room_time() == 2000 + 51_000


def test_a_backfill_that_leads_elsewhere_is_a_proof_if_both_ends_were_signed(
    context: Context, heads: HeadCheck
) -> None:
    apart, same = (Head.read(head_text(place, THERE, 1000)) for place in (6, 5))
    with pytest.raises(PeerFault, match="backfill-to-other-log"):
        heads.refuse_other_log(apart)
    assert context.replica.evidence == []
    with pytest.raises(PeerFault, match="backfill-to-other-log"):
        heads.refuse_other_log(same)
    assert context.replica.evidence == [(head_text(5, HERE, 1000), same.text)]


@pytest.mark.parametrize(("ttl", "is_kept"), [(KEPT, True), (60, False)])
def test_an_entry_that_was_written_on_another_log_is_kept_as_a_proof_unless_it_expires(
    context: Context, ttl: int, is_kept: bool
) -> None:
    entry = new_entry(ANN, context.replica.ledger, text("hi"), ttl=ttl, digest=THERE)
    HeadCheck(context).doubt_entry(entry.header, entry.body, context.replica.ledger)
    assert context.replica.evidence == [(entry.header.pack(), entry.body if is_kept else b"", ANN.key)]
    [alarm] = take_events(context)
    assert isinstance(alarm, events.AlarmEvent)
    assert alarm.reason == Reason("other-log-shown", "ann")
    assert alarm.member == identity.spell_member(context.replica.ledger.host)


def test_a_host_that_never_stops_lying_fills_neither_memory_nor_the_screen(context: Context) -> None:
    entry = new_entry(ANN, context.replica.ledger, text("hi"), digest=THERE)
    heads = HeadCheck(context)
    for _ in range(limits.EVIDENCE + 5):
        heads.doubt_entry(entry.header, entry.body, context.replica.ledger)
    assert len(context.replica.evidence) == limits.EVIDENCE
    assert len(take_events(context)) == limits.EVIDENCE
