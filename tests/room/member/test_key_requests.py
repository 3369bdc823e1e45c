"""A member asks for the encryption keys that it lacks."""

import pytest

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol import frames
from anonp2p.protocol.frames import JoinedBody, LeaveBody
from anonp2p.room import events, inputs
from tests.room.hostile import KEY, assert_left_in_alarm
from tests.room.member.false_host import HERE, FalseHost
from tests.room.peers import ANN, EVE, HOST, kinds, said, text

WEAK = ANN.encryption_key.public[:-32] + bytes(32)  # an encryption key that cannot be sealed to


def test_all_leaves_are_sought_at_once_and_once(host: FalseHost) -> None:
    """5.15"""
    host = FalseHost()
    host.lets_in()
    sought = [frame.key_hash for frame in host.spoken()]
    assert sought == [suite.hash_data(HOST.encryption_key.public), suite.hash_data(ANN.encryption_key.public)]
    host.hears(host.entry(HOST, JoinedBody(EVE.key, "eve", KEY)))
    assert host.spoken() == [frames.KeyRequestFrame(KEY)]


def test_in_a_large_room_a_key_is_sought_when_it_is_to_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """5.15"""
    monkeypatch.setattr(limits, "RENEWING", 2)
    host = FalseHost()
    host.lets_in()
    assert host.spoken() == []
    host.takes(inputs.WhisperInput("ann", "between us"))
    assert host.spoken() == [frames.KeyRequestFrame(suite.hash_data(ANN.encryption_key.public))]


@pytest.mark.parametrize("removed", [[], [frames.Removal(ANN.id, "kicked", "")]], ids=["without", "with"])
def test_a_key_is_renewed_after_a_commit_without_cause_and_after_no_other(
    host: FalseHost, removed: list[frames.Removal]
) -> None:
    """6.8: the host drops who renews more often."""
    host.turns(*removed)
    assert [type(said(entry)) for entry in host.submits()] == [frames.RenewBody] * (not removed)


def test_a_text_to_one_whose_key_nobody_has_is_given_back_and_others_go_on(host: FalseHost) -> None:
    """2.7"""
    host.takes(inputs.WhisperInput("ann", "between us"))
    assert host.submits() == []
    host.takes(inputs.SayInput("to all"))
    happened = host.hears(frames.KeyNotFoundFrame(suite.hash_data(ANN.encryption_key.public)))
    assert kinds(happened) == ["ErrorEvent", "UnsentEvent"]
    assert [it.text for it in happened if isinstance(it, events.UnsentEvent)] == ["/msg ann between us"]
    [mine] = host.submits()
    assert said(mine) == text("to all")
    assert kinds(host.hears(mine)) == ["MessageEvent"]


def test_the_lack_of_another_key_gives_nothing_back(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "between us"))
    assert host.hears(frames.KeyNotFoundFrame(suite.hash_data(HOST.encryption_key.public))) == []
    assert host.room.outstanding == 1
    host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))
    [mine] = host.submits()
    [message] = host.hears(mine)
    assert isinstance(message, events.MessageEvent)
    assert (message.text, message.private, message.to) == ("between us", True, "ann")


def test_a_text_to_one_whose_key_takes_none_is_given_back_and_others_go_on() -> None:
    """3.2"""
    host = FalseHost()
    host.ledger.get_member(ANN.id).key_hash = suite.hash_data(WEAK)
    host.lets_in()
    assert host.hears(frames.KeyResponseFrame(WEAK)) == []
    happened = host.takes(inputs.WhisperInput("ann", "between us"))
    assert kinds(happened) == ["ErrorEvent", "UnsentEvent"]
    assert host.submits() == []
    mine = host.says("to all")
    assert kinds(host.hears(mine)) == ["MessageEvent"]


def test_a_text_to_one_who_is_out_by_then_is_given_back(host: FalseHost) -> None:
    host.takes(inputs.WhisperInput("ann", "between us"))
    assert kinds(host.hears(host.entry(ANN, LeaveBody()))) == ["LeftEvent", "ErrorEvent", "UnsentEvent"]
    assert host.room.outstanding == 0
    assert host.hears(frames.KeyNotFoundFrame(suite.hash_data(ANN.encryption_key.public))) == []


def test_leaves_are_sought_anew_on_another_link(host: FalseHost) -> None:
    host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))
    host.redials()
    host.hears(frames.ResumedFrame(HERE, 0))
    assert host.spoken() == [frames.KeyRequestFrame(suite.hash_data(HOST.encryption_key.public))]
    assert_left_in_alarm(host, host.hears(frames.KeyResponseFrame(ANN.encryption_key.public)))
