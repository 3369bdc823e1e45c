"""The order of entries, batches and heads, without anybody who sends or reads them."""

from itertools import pairwise

import pytest

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import FLEETING, KEPT, Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, room_state
from anonp2p.protocol.batches import Batch
from anonp2p.protocol.packing import unpack
from anonp2p.room import effects, events
from anonp2p.room.member.head_check import Head
from anonp2p.room.pending import Whisper
from tests.room.host.parts import Ordering, set_time, take_effects
from tests.room.peers import ANN, ROOM, kinds, text
from tests.support.world import START


@pytest.fixture
def room() -> Ordering:
    """A room with nobody in it but us."""
    return Ordering()


def heads(room: Ordering) -> list[Batch]:
    """The heads alone that were sent since the last time."""
    epoch = room.context.replica.current_epoch
    pulses = [effect for effect in take_effects(room.context) if isinstance(effect, effects.HeartbeatEffect)]
    return [unpack(Batch, epoch.open_batch(pulse.data[2:]) or b"") for pulse in pulses]


def test_entries_get_their_places_in_the_order_in_which_they_are_given(room: Ordering) -> None:
    for words in ("one", "two", "three"):
        room.sequencer.order_own(text(words))
    assert room.bodies() == [text("one"), text("two"), text("three")]
    assert room.context.replica.ledger.index == 3


def test_one_head_is_signed_for_all_entries_of_a_batch_and_links_are_woken_once(room: Ordering) -> None:
    set_time(room.context, 2.5)
    room.sequencer.order_own(text("one"))
    room.sequencer.order_own(text("two"))
    room.sequencer.end_batch()
    room.sequencer.end_batch()
    [batch] = room.sequencer.log.batches
    assert (batch.first, len(batch.entries), batch.time) == (1, 2, 2_500)
    ledger, me = room.context.replica.ledger, room.context.replica.me
    assert batch.head[:48] == (2).to_bytes(8, "big") + ledger.digest + (2_500).to_bytes(8, "big")
    assert identity.is_signed(identity.HEAD, ROOM, batch.head[:48], batch.head[48:], me.key)
    assert take_effects(room.context) == [effects.WakeEffect()]


def test_a_batch_ends_before_an_entry_that_it_has_no_room_for(room: Ordering) -> None:
    words = "x" * 900
    while not room.sequencer.log.batches:
        room.sequencer.order_own(text(words))
    [batch] = room.sequencer.log.batches
    assert batch.end == room.sequencer.log.end - 1
    assert take_effects(room.context) == [effects.WakeEffect()]


def test_what_is_told_of_an_entry_is_told_once_it_is_in_the_log(room: Ordering) -> None:
    room.sequencer.order_own(bodies.CloseBody())
    gone = [it.event for it in room.context.reporter.take_effects() if isinstance(it, effects.TellEffect)]
    assert [type(event) for event in gone] == [events.GoneEvent]
    assert room.bodies() == [bodies.CloseBody()]


def test_messages_live_as_long_as_their_author_says_and_all_else_for_ever(room: Ordering) -> None:
    """5.16: private messages too."""
    room.add_member(ANN, "ann")
    room.context.ttl = 30
    for body in (text("to all"), Whisper(ANN.id, "ann", "for you"), bodies.NickBody("hugh")):
        room.sequencer.order_own(body)
    log = room.sequencer.log
    assert [log.find_entry(index).ttl for index in range(log.end - 3, log.end)] == [30, 30, KEPT]


def test_a_private_message_that_cannot_be_sealed_gets_no_place_and_waits_for_none(room: Ordering) -> None:
    bad = ANN.encryption_key.public[:-32] + bytes(32)
    room.context.replica.keys[suite.hash_data(bad)] = bad
    room.sequencer.order_own(bodies.JoinedBody(ANN.key, "ann", suite.hash_data(bad)))
    with pytest.raises(PeerFault):
        room.sequencer.order_own(Whisper(ANN.id, "ann", "for you"))
    assert len(room.bodies()) == 1
    assert len(room.context.outbox) == 0


def test_skipped_keys_are_counted_from_the_last_ordered_entry_in_each_epoch(room: Ordering) -> None:
    def count(generation: int) -> int:
        return room.sequencer.count_skipped(Header(0, room.context.replica.me.id, 99, generation))

    assert count(7) == 7
    room.sequencer.order_own(text("generation 0"))
    room.sequencer.order_own(text("generation 1"))
    assert count(7) == 5
    room.sequencer.begin_epoch()
    assert count(7) == 7


def test_a_head_alone_is_due_once_nothing_was_sent_for_a_while_and_not_before(room: Ordering) -> None:
    room.sequencer.order_own(text("now"))
    set_time(room.context, 1.0)
    room.sequencer.end_batch()
    due = room.sequencer.next_deadline() - START
    assert limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER) <= due - 1.0 <= limits.HEARTBEAT
    set_time(room.context, due - 0.01)
    room.sequencer.send_due_head()
    assert heads(room) == []
    set_time(room.context, due + 0.01)
    room.sequencer.send_due_head()
    [head] = heads(room)
    assert head.entries == []
    assert int.from_bytes(head.head[:8], "big") == 1
    assert room.sequencer.next_deadline() - START > due


def test_no_head_alone_is_sent_while_one_is_to_come_with_entries(room: Ordering) -> None:
    room.sequencer.order_own(text("not signed yet"))
    set_time(room.context, 2 * limits.HEARTBEAT)
    room.sequencer.send_due_head()
    assert take_effects(room.context) == []


def test_with_cover_a_batch_ends_in_a_slot_with_or_without_entries() -> None:
    """2.11"""
    room = Ordering(cover=True)
    slots = [room.sequencer.next_deadline()]
    for number in range(200):
        set_time(room.context, slots[-1] - START - 1e-6)
        if number % 2:
            room.sequencer.order_own(text("now"))
        room.sequencer.send_due_head()
        assert take_effects(room.context) == []
        set_time(room.context, slots[-1] - START)
        room.sequencer.send_due_head()
        assert kinds(take_effects(room.context)) == ["WakeEffect" if number % 2 else "HeartbeatEffect"]
        slots.append(room.sequencer.next_deadline())
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    assert 0.5 * limits.COVER_INTERVAL <= min(gaps) < 0.6 * limits.COVER_INTERVAL
    assert 1.4 * limits.COVER_INTERVAL < max(gaps) <= 1.5 * limits.COVER_INTERVAL


def test_entries_expire_by_the_clock_that_counts_sleep(room: Ordering) -> None:
    room.context.ttl = 5
    room.sequencer.order_own(text("short"))
    room.sequencer.end_batch()
    take_effects(room.context)
    set_time(room.context, 4.0)
    room.sequencer.expire_entries(room.sequencer.log.end)
    assert take_effects(room.context) == []
    set_time(room.context, 4.0, slept=1.0)
    room.sequencer.expire_entries(room.sequencer.log.end)
    assert take_effects(room.context) == [effects.SweepEffect()]
    assert room.sequencer.log.find_entry(1).body == b""


def test_what_has_expired_is_shown_as_gone_with_a_head_of_that_time(room: Ordering) -> None:
    """5.13: or members would take it for something that lives and is hidden from them."""
    room.context.ttl = 5
    room.sequencer.order_own(text("short"))
    room.sequencer.end_batch()
    set_time(room.context, 5.0)
    room.sequencer.expire_entries(room.sequencer.log.end)
    assert Head.read(room.sequencer.log.backfill_batch(1).now).time == 5_000


def test_a_message_that_is_never_kept_goes_once_all_links_have_sent_it(room: Ordering) -> None:
    room.context.ttl = FLEETING
    room.sequencer.order_own(text("fleeting"))
    room.sequencer.end_batch()
    room.sequencer.expire_entries(1)
    assert room.sequencer.log.find_entry(1).body != b""
    room.sequencer.expire_entries(2)
    assert room.sequencer.log.find_entry(1).body == b""


def test_newcomers_are_shown_nothing_of_before_in_a_room_without_history(room: Ordering) -> None:
    room.sequencer.order_own(text("before"))
    assert room.sequencer.trim_history() == (1, None)


def test_newcomers_are_shown_the_last_texts_in_a_room_with_history() -> None:
    room = Ordering(history=room_state.HistoryPolicy(2, 0))
    for number in range(5):
        room.sequencer.order_own(text(f"text {number}"))
    room.sequencer.end_batch()
    since, base = room.sequencer.trim_history()
    assert since == 3
    assert base is not None
    assert base.digest == room.context.replica.ledger.digest_at(3)
    assert [member.nick for member in base.roster] == ["hugo"]
