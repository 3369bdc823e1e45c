"""What a host says of its log and of the time, held against what it said before; and what is kept as a proof."""

from collections.abc import Callable
from contextlib import nullcontext, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import KEPT
from anonp2p.errors import HostLied, PeerFault
from anonp2p.protocol import field_types
from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger
from anonp2p.room.member.head_check import Head, HeadCheck, Signer
from anonp2p.room.succession.terms import make_place
from tests.room.member.parts import head_text, joined_context, new_entry, set_time, take_events
from tests.room.peers import ANN, text

HERE, THERE = b"h" * 32, b"t" * 32  # digests of two logs
LATER = b"l" * 32  # of the first of them, as of its entry 8


@pytest.fixture
def context() -> Context:
    return joined_context()


@pytest.fixture
def heads(context: Context) -> HeadCheck:
    """Of one who has accepted a head at index 5 and time 1000, and has seen one at index 8 and time 2000."""
    heads = HeadCheck(context)
    heads.accept_head(heads.read_head(head_text(5, HERE, 1000), Signer.of_log(context.replica.ledger)))
    heads.read_head(head_text(8, LATER, 2000), Signer.of_log(context.replica.ledger))
    return heads


def test_a_head_is_read_as_it_was_signed(context: Context) -> None:
    signed = head_text(7, HERE, 1234)
    assert HeadCheck(context).read_head(signed, Signer.of_log(context.replica.ledger)) == Head(7, HERE, 1234, signed)


_UNSIGNED: dict[str, Callable[[], bytes]] = {
    "forged-head": lambda: head_text(6, HERE, 3000, signer=ANN),
    "forged-head ": lambda: head_text(6, HERE, 3000, label=identity.ENTRY),
    "head-out-of-range": lambda: head_text(field_types.COUNTS, HERE, 3000),
    "head-out-of-range ": lambda: head_text(6, HERE, field_types.COUNTS),
}


@pytest.mark.parametrize("fault", _UNSIGNED)
def test_a_head_that_the_host_has_not_signed_says_nothing_of_it(context: Context, heads: HeadCheck, fault: str) -> None:
    with pytest.raises(PeerFault, match=fault.strip()):
        heads.read_head(_UNSIGNED[fault](), Signer.of_log(context.replica.ledger))
    assert heads.told_time == 2000


_BEFORE, _LAST = head_text(5, HERE, 1000), head_text(8, LATER, 2000)


@pytest.mark.parametrize(
    ("lie", "before", "text"),
    [
        ("two-logs", _BEFORE, head_text(5, THERE, 1000)),
        ("two-logs", _BEFORE, head_text(5, THERE, 1500)),
        ("two-logs", _LAST, head_text(8, THERE, 3000)),
        ("time-turned-back", _BEFORE, head_text(6, HERE, 999)),
        ("time-turned-back", _BEFORE, head_text(4, HERE, 1001)),
        ("time-turned-back", _LAST, head_text(9, HERE, 1999)),
        ("time-turned-back", _LAST, head_text(7, HERE, 2001)),
    ],
    ids=str,
)
def test_two_heads_that_contradict_each_other_prove_that_the_host_lies(
    context: Context, heads: HeadCheck, lie: str, before: bytes, text: bytes
) -> None:
    with pytest.raises(HostLied, match=lie) as caught:
        heads.read_head(text, Signer.of_log(context.replica.ledger))
    assert caught.value.evidence == (before, text)


@pytest.mark.parametrize(
    ("place", "digest", "time"),
    [(4, THERE, 500), (5, HERE, 500), (5, HERE, 1500), (6, THERE, 1000), (8, LATER, 1999), (9, THERE, 2000)],
    ids=str,
)
def test_older_heads_prove_nothing_where_an_honest_host_may_have_signed_both(
    context: Context, heads: HeadCheck, place: int, digest: bytes, time: int
) -> None:
    head = heads.read_head(head_text(place, digest, time), Signer.of_log(context.replica.ledger))
    assert (head.place, head.time) == (place, time)


@given(st.lists(st.integers(0, 9), max_size=9), st.lists(st.tuples(st.integers(0, 99), st.booleans()), min_size=1))
def test_no_heads_of_an_honest_host_contradict_each_other_in_whatever_order_they_come(
    grown: list[int], shown: list[tuple[int, bool]]
) -> None:
    """5.9: whoever repeats or withholds them frames nobody. shown: which one comes, and whether with its entries."""
    context, place, signed = joined_context(), 0, list[bytes]()
    for time, more in enumerate([*grown, 0]):
        place += more // 5
        signed.append(head_text(place, place.to_bytes(32, "big"), time // 2))
    heads = HeadCheck(context)
    for which, accepted in shown:
        head = heads.read_head(signed[which % len(signed)], Signer.of_log(context.replica.ledger))
        if accepted:
            heads.accept_head(head)


@pytest.mark.parametrize(
    ("place", "time", "fault"), [(7, 2000, "head-too-soon"), (8, 1999, "head-older-than-last"), (8, 2000, None)]
)
def test_a_head_without_entries_is_none_from_before_what_we_know(
    context: Context, heads: HeadCheck, place: int, time: int, fault: str | None
) -> None:
    """5.6: whoever has an old one may repeat it, to hide that the log goes on."""
    heads.accept_head(Head.read(_LAST))
    head = heads.read_head(head_text(place, LATER, time), Signer.of_log(context.replica.ledger))
    with pytest.raises(PeerFault, match=fault) if fault else nullcontext():
        heads.expect_no_older(head)


def test_a_history_that_is_shown_anew_does_not_undo_what_was_signed_for_later_entries(
    context: Context, heads: HeadCheck
) -> None:
    heads.read_head(head_text(9, LATER, 3000), Signer.of_log(context.replica.ledger))
    heads.accept_head(heads.read_head(head_text(3, LATER, 100), Signer.of_log(context.replica.ledger)))
    with pytest.raises(HostLied, match="two-logs") as caught:
        heads.read_head(head_text(5, THERE, 1000), Signer.of_log(context.replica.ledger))
    assert caught.value.evidence == (_BEFORE, head_text(5, THERE, 1000))
    with pytest.raises(HostLied, match="time-turned-back"):
        heads.read_head(head_text(4, LATER, 99), Signer.of_log(context.replica.ledger))


def test_the_heads_of_another_host_bind_nobody(context: Context, heads: HeadCheck) -> None:
    """Before a newcomer is in, anybody may pass for the host."""
    ledger = context.replica.ledger
    ledger.host = ANN.id
    heads.begin_room()
    heads.read_head(head_text(5, THERE, 0, signer=ANN), Signer.of_log(ledger))
    assert heads.told_time == 0


def test_in_another_term_the_places_are_others_and_the_time_goes_on(context: Context, heads: HeadCheck) -> None:
    """8.1"""
    ledger = context.replica.ledger
    ledger.number = 5
    place = make_place(5, 3)
    head = heads.read_head(head_text(place, THERE, 50), Signer.of_log(ledger))
    assert (head.place, head.end) == (place, 3)
    assert heads.told_time == 2000
    with pytest.raises(PeerFault, match="head-of-other-term"):
        heads.read_head(head_text(4, THERE, 200), Signer.of_log(ledger))


# --- entries that lead to a head


def entries_of(context: Context, *words: str) -> list[OpenedEntry]:
    """What Ann says; only their hashes matter here."""
    return [new_entry(ANN, context.replica.ledger, text(said)) for said in words]


def ledger_at(context: Context, index: int, digest: bytes) -> Ledger:
    ledger = context.replica.ledger
    ledger.start_at(index, digest)
    return ledger


def digests_after(ledger: Ledger, entries: list[OpenedEntry]) -> list[bytes]:
    """Where these lead, which leave the group context as it is but where they say another."""
    digests, group_context = [ledger.digest], ledger.group_context
    for at, entry in enumerate(entries, ledger.index + 1):
        group_context = entry.context or group_context
        packed = entry.header.pack()
        digests.append(identity.extend_log_hash(digests[-1], at, packed, entry.digest, group_context))
    return digests[1:]


def test_entries_lead_to_a_head_or_nobody_has_signed_for_them(context: Context) -> None:
    entries = entries_of(context, "one", "two")
    entries[0].context = THERE
    ledger = ledger_at(context, 5, HERE)
    digests = digests_after(ledger, entries)
    heads = HeadCheck(context)
    right = Head.read(head_text(7, digests[-1], 0))
    assert heads.expect_log(right, ledger, entries) == digests
    for head in (right._replace(place=8), right._replace(digest=THERE)):
        with pytest.raises(PeerFault, match="head-of-other-log"):
            heads.expect_log(head, ledger, entries)
    with pytest.raises(PeerFault, match="head-of-other-log"):
        heads.expect_log(right, ledger, entries[::-1])


@pytest.mark.parametrize("accepted", [False, True])
def test_entries_that_pass_by_a_head_for_another_log_are_a_proof(context: Context, accepted: bool) -> None:
    """5.9: whoever sees both heads and the hashes between them knows that the host has signed for two logs."""
    entries = entries_of(context, "one", "two")
    entries[0].context = THERE
    ledger = ledger_at(context, 5, HERE)
    heads = HeadCheck(context)
    before = heads.read_head(head_text(6, THERE, 0), Signer.of_log(context.replica.ledger))
    if accepted:
        heads.accept_head(before)
    after = heads.read_head(head_text(7, digests_after(ledger, entries)[-1], 0), Signer.of_log(context.replica.ledger))
    if accepted:
        with pytest.raises(HostLied, match="two-logs") as caught:
            heads.expect_log(after, ledger, entries)
        one, two = (entry.header.pack() + entry.digest for entry in entries)
        hashes = one + THERE + two
        assert caught.value.evidence == (before.text, after.text, hashes)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**4)), min_size=1, max_size=8))
def test_the_time_of_the_room_is_the_latest_that_follows_from_what_was_told_and_what_has_passed_since(
    told: list[tuple[int, int]],
) -> None:
    context = joined_context()
    heads = HeadCheck(context)
    seconds, since = 0, list[int]()
    for index, (time, pause) in enumerate(told):
        seconds += pause
        set_time(context, float(seconds))
        with suppress(HostLied):
            heads.read_head(head_text(index, LATER, time), Signer.of_log(context.replica.ledger))
            since.append(time - seconds * 1000)
    set_time(context, seconds + 30.0)
    assert heads.told_time == max(time for time, _ in told)
    assert abs(heads.room_time() - (max(since) + (seconds + 30) * 1000)) <= 1


def test_what_is_heard_late_does_not_turn_the_time_of_the_room_back(context: Context, heads: HeadCheck) -> None:
    set_time(context, 40.0)
    signer = Signer.of_log(context.replica.ledger)
    heads.read_head(head_text(9, LATER, 3000), signer)
    assert (heads.told_time, heads.room_time()) == (3000, 42_000)
    heads.read_head(head_text(10, LATER, 50_000), signer)
    assert heads.room_time() == 50_000


def test_the_time_of_the_room_goes_on_while_our_machine_sleeps(context: Context, heads: HeadCheck) -> None:
    set_time(context, 1.0, slept=50.0)
    assert heads.room_time() == 2000 + 51_000


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
