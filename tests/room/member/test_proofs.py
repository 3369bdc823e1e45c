"""What proves that a host lies."""

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol.frames import NickBody
from anonp2p.reasons import Reason
from anonp2p.room import events
from tests.room.hostile import assert_left_in_alarm
from tests.room.peers import ANN, HERE, HOST, ROOM, FalseHost, kinds, text


def test_an_entry_that_refers_to_another_log_raises_an_alarm_and_the_room_goes_on_marked(host: FalseHost) -> None:
    """5.9: its author was shown another log, and yet our host has ordered what it wrote there."""
    alarm, message = host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32))))
    assert isinstance(alarm, events.AlarmEvent)
    assert alarm.member == identity.spell_member(HOST.id)
    assert alarm.reason == Reason("other-log-shown", "ann")
    assert isinstance(message, events.MessageEvent)
    assert len(host.room.evidence) == 1
    assert kinds(host.hears(host.entry(ANN, text("on")))) == ["MessageEvent"]
    assert not host.room.over


def test_what_proves_it_can_be_checked_by_anybody(host: FalseHost) -> None:
    entry = host.entry(ANN, text("which log?"), reference=(HERE, bytes(32)))
    host.hears(entry)
    [(header, body, key)] = host.room.evidence
    assert (header, body, key) == (entry.header.pack(), entry.body, ANN.key)
    assert identity.is_signed(identity.ENTRY, ROOM, bytes(8) + header + body[64:], body[:64], key)


def test_the_text_of_what_will_expire_is_not_kept_as_proof(host: FalseHost) -> None:
    """5.16"""
    host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32)), ttl=60))
    assert [body for _, body, _ in host.room.evidence] == [b""]


def test_proofs_are_kept_and_told_up_to_a_limit(host: FalseHost) -> None:
    for _ in range(limits.EVIDENCE):
        assert "AlarmEvent" in kinds(host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32)))))
    assert kinds(host.hears(host.entry(ANN, text("which log?"), reference=(HERE, bytes(32))))) == ["MessageEvent"]
    assert len(host.room.evidence) == limits.EVIDENCE


@pytest.mark.parametrize("index", [0, HERE - 1])
def test_a_reference_to_what_was_before_we_came_says_nothing(host: FalseHost, index: int) -> None:
    """5.7: as far as one has it."""
    assert kinds(host.hears(host.entry(ANN, text("x"), reference=(index, bytes(32))))) == ["MessageEvent"]
    assert not host.room.evidence


def test_a_reference_to_any_entry_since_is_checked(host: FalseHost) -> None:
    first, second = host.entry(ANN, text("one")), host.entry(ANN, text("two"))
    host.hears(first)
    after_first = host.reference
    host.hears(second)
    assert kinds(host.hears(host.entry(ANN, text("x"), reference=after_first))) == ["MessageEvent"]
    assert kinds(host.hears(host.entry(ANN, text("x"), reference=(HERE + 2, after_first[1])))) == [
        "AlarmEvent",
        "MessageEvent",
    ]


def test_two_heads_for_one_index_are_kept_as_proof(host: FalseHost) -> None:
    """5.6"""
    host.hears(host.entry(ANN, text("one")))
    first = host.head_text()
    other = host.head_text(digest=bytes(32))
    assert_left_in_alarm(host, host.hears(host.batch_of([], other)))
    assert host.room.evidence == [(first, other)]
    for head in host.room.evidence[0]:
        assert identity.is_signed(identity.HEAD, ROOM, head[:48], head[48:], HOST.key)


@pytest.mark.parametrize("past", [False, True])
def test_two_heads_are_proof_across_links_too(host: FalseHost, past: bool) -> None:
    host.hears(host.entry(ANN, text("one")))
    first = host.head_text()
    host.redials()
    other = host.head_text(digest=bytes(32))
    assert_left_in_alarm(host, host.hears(*host.welcome(head=other, past=past)))
    assert host.room.evidence == [(first, other)]


def test_a_backfill_and_a_welcome_that_disagree_are_proof_too(host: FalseHost) -> None:
    """5.6"""
    host.redials()
    missed = host.past(host.entry(ANN, NickBody("anna")))
    other = host.head_text(digest=bytes(32))
    assert kinds(host.hears(*host.welcome(past=True, head=other), missed))[-2:] == ["AlarmEvent", "GoneEvent"]
    assert host.room.evidence == [(missed.head, other)]


def test_a_head_that_only_disagrees_with_us_is_no_proof_and_yet_the_end(host: FalseHost) -> None:
    assert kinds(host.hears(host.batch(host.entry(ANN, text("one")), digest=bytes(32)))) == ["AlarmEvent", "GoneEvent"]
    assert host.room.evidence == []
