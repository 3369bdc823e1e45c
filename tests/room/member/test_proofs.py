"""What proves that a host lies."""

import msgspec

from anonp2p.crypto import identity
from anonp2p.protocol.bodies import NickBody
from anonp2p.reasons import Reason
from anonp2p.room import events
from tests.room.hostile import assert_link_ended
from tests.room.member.false_host import HERE, FalseHost, leads_to
from tests.room.peers import ANN, HOST, kinds, text


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


def test_a_backfill_and_a_welcome_that_disagree_are_proof_too(host: FalseHost) -> None:
    """5.6"""
    host.redials()
    missed = host.past(host.entry(ANN, NickBody("anna")))
    latest = msgspec.structs.replace(host.latest, digest=bytes(32))
    other = host.head_text(digest=leads_to(msgspec.structs.replace(host.state(), latest=latest), host.ledger.index))
    lie = host.welcome(past=True, latest=latest)
    assert kinds(host.hears(*lie, missed))[-2:] == ["AlarmEvent", "GoneEvent"]
    assert host.room.evidence == [(other, missed.head)]


def test_a_head_that_only_disagrees_with_what_came_with_it_is_no_proof(host: FalseHost) -> None:
    """5.9: whoever has the key of the log can put other entries under a head that was signed."""
    assert_link_ended(host, host.hears(host.batch(host.entry(ANN, text("one")), digest=bytes(32))))
