"""A member's end of its link: what goes out on it, and when it has to say something though it has nothing to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.context import Context
from anonp2p.room.member.uplink import Uplink
from tests.room.member.parts import HELLO, SECRET, joined_context, new_context, set_time, take_effects, take_events
from tests.support.world import START

CHANNEL = Channel(SECRET, HELLO, up=True)


def context_with_dice(byte: int, *, cover: bool = False) -> Context:
    """Of a room in which we are, and in which fresh bytes are all this one from now on."""
    context = joined_context(cover=cover)
    context.random = lambda length: bytes([byte]) * length
    return context


def open_uplink(context: Context) -> Uplink:
    """A link on which we have been let in at the beginning."""
    uplink = Uplink(context)
    uplink.begin(b"client handshake", CHANNEL)
    uplink.end_handshake()
    context.reporter.take_effects()
    return uplink


def seconds_left(uplink: Uplink) -> float:
    """From the beginning until the next deadline."""
    deadline = uplink.next_deadline()
    assert deadline is not None
    return deadline - START


def test_the_answer_to_a_hello_goes_out_bare_and_nothing_is_due_before_we_are_let_in() -> None:
    context = new_context()
    uplink = Uplink(context)
    uplink.begin(b"client handshake", CHANNEL)
    [sent] = take_effects(context)
    assert isinstance(sent, effects.SendEffect)
    assert (sent.link, sent.data) == (inputs.UPLINK, b"client handshake")
    assert uplink.next_deadline() is None


def test_the_records_of_a_link_are_sealed_by_the_channel_of_its_own_handshake() -> None:
    context = new_context()
    uplink = Uplink(context)
    uplink.begin(b"client handshake", Channel(b"o" * 32, HELLO, up=True))
    uplink.forget()
    uplink.begin(b"another", CHANNEL)
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
    set_time(context, limits.HEARTBEAT - 0.01)
    uplink.send_due()
    assert take_effects(context) == []
    set_time(context, limits.HEARTBEAT)
    uplink.send_due()
    [sent] = take_effects(context)
    assert isinstance(sent, effects.RecordEffect)
    assert (sent.frames, sent.echo) == ((), False)
    assert seconds_left(uplink) == 2 * limits.HEARTBEAT


def test_whatever_we_send_puts_the_heartbeat_off() -> None:
    context = context_with_dice(0)
    uplink = open_uplink(context)
    set_time(context, 3.0)
    uplink.send(frames.KeyRequestFrame(bytes(32)))
    assert seconds_left(uplink) == 3.0 + limits.HEARTBEAT


def test_without_cover_nothing_asks_for_an_answer() -> None:
    context = context_with_dice(255)
    uplink = open_uplink(context)
    for second in range(60):
        set_time(context, float(second))
        uplink.send_due()
    sent = take_effects(context)
    assert len(sent) >= 60 / limits.HEARTBEAT - 1
    assert not any(isinstance(effect, effects.RecordEffect) and effect.echo for effect in sent)


def test_cover_asks_for_an_answer_and_goes_on() -> None:
    context = joined_context(cover=True)
    uplink = open_uplink(context)
    echoes = 0
    for tenth in range(1, 6000):
        set_time(context, tenth / 10)
        uplink.send_due()
        echoes += sum(effect.echo for effect in take_effects(context) if isinstance(effect, effects.RecordEffect))
    expected = 600 / limits.COVER_INTERVAL
    assert expected * 0.7 < echoes < expected * 1.3


def test_what_we_say_does_not_change_when_cover_is_due() -> None:
    context = context_with_dice(255, cover=True)  # the dice that make cover due at once
    uplink = open_uplink(context)
    due = seconds_left(uplink)
    set_time(context, due / 2)
    uplink.send(frames.KeyRequestFrame(bytes(32)))
    assert seconds_left(uplink) == due


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
