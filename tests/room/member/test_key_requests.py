"""A member asks for the encryption keys that it lacks."""

import pytest

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol import frames
from anonp2p.protocol.frames import Joined, Leave
from anonp2p.room import events, inputs
from tests.room.hostile import LEAF, assert_left_in_alarm
from tests.room.peers import ANN, EVE, HERE, HOST, FalseHost, kinds, said, text

WEAK = ANN.leaf.public[:-32] + bytes(32)  # a leaf that cannot be sealed to


def test_all_leaves_are_sought_at_once_and_once(host: FalseHost) -> None:
    """5.15"""
    host = FalseHost()
    host.lets_in()
    sought = [frame.leaf for frame in host.spoken()]
    assert sought == [suite.digest(HOST.leaf.public), suite.digest(ANN.leaf.public)]
    host.hears(host.entry(HOST, Joined(EVE.key, "eve", LEAF)))
    assert host.spoken() == [frames.Seek(LEAF)]


def test_in_a_large_room_a_leaf_is_sought_when_it_is_to_be_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """5.15"""
    monkeypatch.setattr(limits, "RENEWING", 2)
    host = FalseHost()
    host.lets_in()
    assert host.spoken() == []
    host.takes(inputs.Whisper("ann", "between us"))
    assert host.spoken() == [frames.Seek(suite.digest(ANN.leaf.public))]


def test_a_text_to_one_whose_leaf_nobody_has_is_given_back_and_others_go_on(host: FalseHost) -> None:
    """2.7"""
    host.takes(inputs.Whisper("ann", "between us"))
    assert host.submits() == []
    host.takes(inputs.Say("to all"))
    happened = host.hears(frames.Missing(suite.digest(ANN.leaf.public)))
    assert kinds(happened) == ["Error", "Unsent"]
    assert [it.text for it in happened if isinstance(it, events.Unsent)] == ["/msg ann between us"]
    [mine] = host.submits()
    assert said(mine) == text("to all")
    assert kinds(host.hears(mine)) == ["Message"]


def test_the_lack_of_another_leaf_gives_nothing_back(host: FalseHost) -> None:
    host.takes(inputs.Whisper("ann", "between us"))
    assert host.hears(frames.Missing(suite.digest(HOST.leaf.public))) == []
    assert host.room.outstanding == 1
    host.hears(frames.Found(ANN.leaf.public))
    [mine] = host.submits()
    [message] = host.hears(mine)
    assert isinstance(message, events.Message)
    assert (message.text, message.private, message.to) == ("between us", True, "ann")


def test_a_text_to_one_whose_leaf_takes_none_is_given_back_and_others_go_on() -> None:
    """3.2"""
    host = FalseHost()
    host.ledger.member(ANN.id).leaf = suite.digest(WEAK)
    host.lets_in()
    assert host.hears(frames.Found(WEAK)) == []
    happened = host.takes(inputs.Whisper("ann", "between us"))
    assert kinds(happened) == ["Error", "Unsent"]
    assert host.submits() == []
    mine = host.says("to all")
    assert kinds(host.hears(mine)) == ["Message"]


def test_a_text_to_one_who_is_out_by_then_is_given_back(host: FalseHost) -> None:
    host.takes(inputs.Whisper("ann", "between us"))
    assert kinds(host.hears(host.entry(ANN, Leave()))) == ["Left", "Error", "Unsent"]
    assert host.room.outstanding == 0
    assert host.hears(frames.Missing(suite.digest(ANN.leaf.public))) == []


def test_leaves_are_sought_anew_on_another_link(host: FalseHost) -> None:
    host.hears(frames.Found(ANN.leaf.public))
    host.redials()
    host.hears(frames.Resumed(HERE, 0))
    assert host.spoken() == [frames.Seek(suite.digest(HOST.leaf.public))]
    assert_left_in_alarm(host, host.hears(frames.Found(ANN.leaf.public)))
