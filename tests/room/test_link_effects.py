"""What each effect about one link does to its connection."""

from typing import Final

import pytest

from anonp2p import limits
from anonp2p.crypto import padding
from anonp2p.crypto.epoch import KEPT
from anonp2p.protocol import frames
from anonp2p.protocol.connection import Connection
from anonp2p.protocol.handshake import Channel
from anonp2p.room import effects
from anonp2p.room.link_effects import LinkEffect, apply_effect
from anonp2p.room.log.log import FIRST, Log, LogEntry
from anonp2p.room.log.reader import LogReader
from tests.room.peers import ANN
from tests.support.world import payloads

NOW: Final = 100.0
PAYLOAD = padding.frame_content(bytes(padding.SIZES[0] - padding.LENGTH))
DENIED = frames.DeniedFrame(1, "nick-taken")


def channel(*, up: bool = False) -> Channel:
    return Channel(b"k" * 32, b"h" * 32, up=up)


def after(*applied: LinkEffect) -> Connection:
    """A half-open connection to which this was done."""
    connection = Connection(NOW, limits.CLIENT_HANDSHAKE)
    for effect in applied:
        apply_effect(effect, connection, NOW)
    return connection


def test_bytes_go_out_as_they_are() -> None:
    assert after(effects.SendEffect(2, PAYLOAD)).data_to_send() == PAYLOAD


def test_what_wants_an_answer_has_it_in_time_or_the_link_ends() -> None:
    assert after(effects.SendEffect(2, PAYLOAD, 10.0)).next_deadline() == NOW + 10.0


@pytest.mark.parametrize("echo", [False, True])
def test_frames_go_out_in_a_record_that_asks_for_an_answer_where_one_is_wanted(*, echo: bool) -> None:
    request = frames.KeyRequestFrame(bytes(32))
    connection = after(effects.AdmitEffect(2, channel(up=True)), effects.RecordEffect(2, (request,), echo))
    [record] = payloads(bytes(connection.data_to_send()))
    assert channel().open_record(record) == frames.MemberRecord(echo, [request])


def test_who_is_admitted_gets_its_welcome_and_then_the_log() -> None:
    log = Log()
    log.append_entry(PAYLOAD, LogEntry(bytes(33), b"d" * 32, b"body", KEPT))
    log.seal_batch(b"s" * 112, PAYLOAD, log.time)
    reader = LogReader(log, FIRST, ANN.id, ANN.encryption_key.public, channel())
    connection = after(effects.AdmitEffect(2, channel(), (DENIED,), reader))
    assert connection.is_settled
    record, batch = payloads(bytes(connection.data_to_send()))
    assert channel(up=True).open_record(record).frames == [DENIED]
    assert padding.frame_content(batch) == PAYLOAD


def test_who_is_to_pause_is_not_read_for_so_long() -> None:
    connection = after(effects.AdmitEffect(2, channel()), effects.PauseEffect(2, 7.0))
    connection.receive_data(PAYLOAD, NOW)
    assert connection.next_payload(NOW + 6.9) is None
    assert connection.next_payload(NOW + 7.0) is not None


@pytest.mark.parametrize("last", [b"", PAYLOAD])
def test_a_link_that_finishes_sends_the_last_bytes_and_has_its_time_to_close(last: bytes) -> None:
    connection = after(effects.FinishEffect(2, last))
    assert connection.data_to_send() == last
    assert not connection.is_over
    assert connection.next_deadline() == NOW + limits.LINGER_PATIENCE


def test_what_is_for_a_link_with_cover_waits_for_an_answer() -> None:
    connection = after(effects.AdmitEffect(2, channel()), effects.CoverEffect(2), effects.RecordEffect(2, (DENIED,)))
    assert connection.data_to_send() == b""
    apply_effect(effects.AnswerEffect(2), connection, NOW)
    [record] = payloads(bytes(connection.data_to_send()))
    assert channel(up=True).open_record(record).frames == [DENIED]


def test_a_link_that_is_dropped_is_over_at_once_for_that_reason() -> None:
    connection = after(effects.SendEffect(2, PAYLOAD), effects.DropEffect(2, "malformed"))
    assert (connection.is_over, connection.reason) == (True, "malformed")
    assert connection.data_to_send() == b""


def test_who_is_admitted_to_no_log_gets_what_it_is_to_get_first() -> None:
    connection = after(effects.AdmitEffect(2, channel(), (DENIED,)))
    [record] = payloads(bytes(connection.data_to_send()))
    assert channel(up=True).open_record(record).frames == [DENIED]


def test_who_is_to_wait_may_say_nothing_longer_than_a_heartbeat() -> None:
    connection = after(effects.HoldEffect(2, channel()))
    assert connection.is_settled
    assert connection.next_deadline() == NOW + limits.LINK_LOST, "no handshake that lasts too long"
    connection.receive_data(PAYLOAD + padding.frame_content(bytes(padding.SIZES[1] - padding.LENGTH)), NOW)
    assert connection.next_payload(NOW) is not None
    assert connection.next_payload(NOW) is None
    assert (connection.is_over, connection.reason) == (True, "payload-too-long")


def test_who_is_let_in_after_all_may_say_as_much_as_any() -> None:
    connection = after(effects.HoldEffect(2, channel()), effects.AdmitEffect(2, channel()))
    connection.receive_data(padding.frame_content(bytes(padding.SIZES[-1] - padding.LENGTH)), NOW)
    assert connection.next_payload(NOW) is not None
