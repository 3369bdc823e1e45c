"""A member's end of its link: what goes out on it, and when it has to say something though it has nothing to say."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import Reason
from anonp2p.room import effects, events
from anonp2p.room.context import Context
from anonp2p.room.member.uplink import Uplink
from tests.room.member.parts import HELLO, SECRET, joined_context, new_context, set_time, take_effects, take_events
from tests.room.peers import HOST, ROOM
from tests.support.world import START

LINK = -1
CHANNEL = Channel(SECRET, HELLO, up=True)
SOONEST = limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER)  # seconds after which a heartbeat may be due
SUBMITTED = frames.SubmitFrame(0, b"an entry")


def context_with_dice(byte: int, *, cover: bool = False) -> Context:
    """Of a room in which we are, and in which fresh bytes are all this one from now on."""
    context = joined_context(cover=cover)
    context.random = lambda length: bytes([byte]) * length
    return context


def open_uplink(context: Context) -> Uplink:
    """A link on which we have been let in, and have all of the log, at the beginning."""
    uplink = Uplink(context)
    uplink.begin(LINK, ROOM, HELLO, CHANNEL)
    uplink.end_handshake()
    uplink.begin_slots()
    context.reporter.take_effects()
    return uplink


def seconds_left(uplink: Uplink) -> float:
    """From the beginning until the next deadline."""
    deadline = uplink.next_deadline()
    assert deadline is not None
    return deadline - START


def test_nothing_is_due_before_we_are_let_in() -> None:
    context = new_context()
    uplink = Uplink(context)
    uplink.begin(LINK, ROOM, HELLO, CHANNEL)
    assert take_effects(context) == []
    assert uplink.next_deadline() is None


def test_the_records_of_a_link_are_sealed_by_the_channel_of_its_own_handshake() -> None:
    context = new_context()
    uplink = Uplink(context)
    uplink.begin(LINK, ROOM, HELLO, Channel(b"o" * 32, HELLO, up=True))
    uplink.forget()
    uplink.begin(LINK, ROOM, HELLO, CHANNEL)
    context.reporter.take_effects()
    uplink.end_handshake()
    [admitted] = take_effects(context)
    assert isinstance(admitted, effects.AdmitEffect)
    assert admitted.channel is uplink.channel is CHANNEL


@given(st.integers(0, 255))
def test_a_heartbeat_is_due_in_time_whatever_the_dice_say(byte: int) -> None:
    uplink = open_uplink(context_with_dice(byte))
    assert limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER) - 1e-6 <= seconds_left(uplink) <= limits.HEARTBEAT + 1e-6


def test_heartbeats_of_different_members_are_not_due_at_the_same_time() -> None:
    due = {seconds_left(open_uplink(context_with_dice(byte))) for byte in range(256)}
    assert len(due) == 256


def test_a_heartbeat_is_an_empty_record_once_it_is_due_and_not_before() -> None:
    context = context_with_dice(0)
    uplink = open_uplink(context)
    set_time(context, SOONEST - 0.01)
    uplink.send_due()
    assert take_effects(context) == []
    set_time(context, SOONEST)
    uplink.send_due()
    [sent] = take_effects(context)
    assert isinstance(sent, effects.RecordEffect)
    assert (sent.frames, sent.echo) == ((), False)
    assert seconds_left(uplink) == pytest.approx(2 * SOONEST)


def test_whatever_we_send_puts_the_heartbeat_off() -> None:
    context = context_with_dice(0)
    uplink = open_uplink(context)
    set_time(context, 3.0)
    uplink.send(frames.KeyRequestFrame(bytes(32)))
    assert seconds_left(uplink) == 3.0 + SOONEST


def test_without_cover_nothing_asks_for_an_answer() -> None:
    context = context_with_dice(255)
    uplink = open_uplink(context)
    for second in range(60):
        set_time(context, float(second))
        uplink.send_due()
    sent = take_effects(context)
    assert len(sent) >= 60 / limits.HEARTBEAT - 1
    assert not any(isinstance(effect, effects.RecordEffect) and effect.echo for effect in sent)


def slots_until(context: Context, uplink: Uplink, end: float) -> list[tuple[float, effects.RecordEffect]]:
    """What goes out until then, and when."""
    sent = []
    while (due := seconds_left(uplink)) < end:
        set_time(context, due - 1e-6)
        uplink.send_due()
        assert take_effects(context) == []
        set_time(context, due)
        uplink.send_due()
        for effect in take_effects(context):
            assert isinstance(effect, effects.RecordEffect)
            sent.append((due, effect))
    return sent


def test_with_cover_a_record_goes_out_in_each_slot_and_none_else() -> None:
    """2.9"""
    context = joined_context(cover=True)
    uplink = open_uplink(context)
    sent = slots_until(context, uplink, 600.0)
    assert all((slot.frames, slot.echo) == ((), True) for _, slot in sent)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]
    assert 0.5 * limits.COVER_INTERVAL <= min(gaps) < 0.6 * limits.COVER_INTERVAL
    assert 1.4 * limits.COVER_INTERVAL < max(gaps) <= 1.5 * limits.COVER_INTERVAL


def test_what_is_asked_goes_out_at_once_or_with_cover_first_of_all_in_the_next_slot() -> None:
    context = context_with_dice(255)
    uplink = open_uplink(context)
    assert uplink.ask(frames.EchoFrame()) == START
    [sent] = [it for it in take_effects(context) if isinstance(it, effects.RecordEffect)]
    assert sent.frames == (frames.EchoFrame(),)
    context = context_with_dice(255, cover=True)
    uplink = open_uplink(context)
    uplink.send(SUBMITTED)
    due = uplink.ask(frames.EchoFrame())
    assert due == START + seconds_left(uplink) > START
    [(_, slot)] = slots_until(context, uplink, seconds_left(uplink) + 0.01)
    assert slot.frames[0] == frames.EchoFrame()


def test_until_it_has_all_of_the_log_a_member_with_cover_is_like_any_other() -> None:
    """2.9: so that it gets there sooner; on each link anew."""
    context = context_with_dice(0, cover=True)
    uplink = open_uplink(context)
    uplink.forget()
    uplink.begin(LINK, ROOM, HELLO, CHANNEL)
    uplink.end_handshake()
    context.reporter.take_effects()
    assert seconds_left(uplink) == SOONEST
    uplink.send(SUBMITTED)
    set_time(context, SOONEST)
    uplink.send_due()
    sent = [(it.frames, it.echo) for it in take_effects(context) if isinstance(it, effects.RecordEffect)]
    assert sent == [((SUBMITTED,), False), ((), False)]


def test_what_is_said_goes_in_the_next_slots_and_moves_none() -> None:
    """2.9"""
    context = context_with_dice(255, cover=True)
    uplink = open_uplink(context)
    due = seconds_left(uplink)
    said: list[frames.Frame] = [
        frames.KeyRequestFrame(bytes([1]) * 32),
        SUBMITTED,
        frames.KeyRequestFrame(bytes([2]) * 32),
        SUBMITTED,
    ]
    for number, frame in enumerate(said):
        set_time(context, number / 10)
        uplink.send(frame)
    assert take_effects(context) == []
    assert seconds_left(uplink) == due
    slots = slots_until(context, uplink, 3.5 * due)
    assert [slot.frames for _, slot in slots] == [tuple(said[:2]), tuple(said[2:]), ()]


def test_an_entry_of_an_epoch_that_is_over_by_its_slot_is_not_sent() -> None:
    """2.9, 6.7: it is sealed anew."""
    context = context_with_dice(0, cover=True)
    uplink = open_uplink(context)
    request = frames.KeyRequestFrame(bytes(32))
    uplink.send(SUBMITTED, request)
    context.replica.epoch, _ = context.replica.current_epoch.follow(bytes(32), bytes(32), [HOST.id])
    again = frames.SubmitFrame(1, b"sealed anew")
    uplink.send(again)
    [(_, slot)] = slots_until(context, uplink, 1.5 * seconds_left(uplink))
    assert slot.frames == (request, again)


def test_who_leaves_does_not_wait_for_a_slot() -> None:
    """2.9"""
    context = context_with_dice(0, cover=True)
    uplink = open_uplink(context)
    due = seconds_left(uplink)
    uplink.send(SUBMITTED)
    set_time(context, due / 2)
    context.lifecycle.begin_leaving(UNSET)
    uplink.send(SUBMITTED)
    [sent] = take_effects(context)
    assert isinstance(sent, effects.RecordEffect)
    assert (sent.frames, sent.echo) == ((SUBMITTED, SUBMITTED), False)
    assert seconds_left(uplink) == due


def test_what_waited_for_a_slot_of_a_link_that_is_gone_is_not_sent_on_another() -> None:
    """5.14: the outbox sends it again."""
    context = context_with_dice(0, cover=True)
    uplink = open_uplink(context)
    uplink.send(SUBMITTED)
    uplink.forget()
    uplink.begin(LINK, ROOM, HELLO, CHANNEL)
    uplink.end_handshake()
    uplink.begin_slots()
    context.reporter.take_effects()
    [(_, slot)] = slots_until(context, uplink, 1.5 * seconds_left(uplink))
    assert slot.frames == ()


def test_on_a_link_that_is_gone_nothing_is_due() -> None:
    context = joined_context(cover=True)
    uplink = open_uplink(context)
    uplink.forget()
    set_time(context, 1000.0)
    uplink.send_due()
    assert uplink.next_deadline() is None
    assert take_effects(context) == []


@pytest.mark.parametrize(("context", "re"), [(new_context(), "1"), (joined_context(), UNSET)], ids=["outside", "in"])
def test_the_state_of_a_link_answers_who_asked_for_the_room_until_we_are_in(context: Context, re: events.Re) -> None:
    Uplink(context).tell_state("connecting", 2, Reason("not-found"))
    assert take_events(context) == [
        events.LinkEvent(room="r1", state="connecting", attempt=2, detail=Reason("not-found"), re=re)
    ]
