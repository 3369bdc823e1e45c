"""A member's own entries: ordered as it wrote them, denied and given back, or left out."""

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.protocol import frames
from anonp2p.room import events, inputs
from tests.room.hostile import assert_link_ended
from tests.room.member.false_host import FalseHost
from tests.room.peers import ANN, kinds, said, text


def test_ones_own_entry_changed_on_its_way_is_not_shown(host: FalseHost) -> None:
    mine = host.says("I agree")
    changed = host.sealer.seal(mine.header, mine.body.replace(b"I agree", b"I doubt"))
    assert_link_ended(host, host.hears(changed))
    assert host.room.outstanding == 1


def test_the_id_of_ones_own_input_is_at_ones_own_entry_alone(host: FalseHost) -> None:
    host.takes(inputs.SayInput("mine", re=7))
    [mine] = host.submits()
    [anns] = host.hears(host.entry(ANN, text("hers, with the same counter")))
    assert anns.re is UNSET
    [own] = host.hears(mine)
    assert own.re == 7


def test_a_denied_text_is_given_back(host: FalseHost) -> None:
    host.says("unwanted")
    assert kinds(host.hears(frames.DeniedFrame(1, "too-often"))) == ["ErrorEvent", "UnsentEvent"]
    assert host.room.outstanding == 0


def test_generations_may_leave_out_as_many_as_a_host_may_have_denied(host: FalseHost) -> None:
    """6.6"""
    far = host.entry(ANN, text("far on"), generation=limits.SKIPPED)
    further = host.entry(ANN, text("further"), generation=2 * limits.SKIPPED + 1)
    assert kinds(host.hears(far, further)) == ["MessageEvent"] * 2


@pytest.mark.parametrize("answer", ["found", "missing", "none"])
def test_what_is_typed_after_a_private_message_waits_for_its_key_with_it(host: FalseHost, answer: str) -> None:
    """5.15: a host that holds the key back holds up nothing but what it is for, and not for long."""
    host.takes(inputs.WhisperInput("ann", "first", re=7))
    host.takes(inputs.SayInput("second"))
    assert host.submits() == []
    match answer:
        case "found":
            happened = host.hears(frames.KeyResponseFrame(ANN.encryption_key.public))
        case "missing":
            happened = host.hears(frames.KeyNotFoundFrame(suite.hash_data(ANN.encryption_key.public)))
        case _:
            due = host.room.next_deadline()
            assert due is not None
            assert due <= host.now.tick + limits.KEY_WAIT
            happened = host.takes(inputs.TickInput(), host.now._replace(tick=host.now.tick + limits.KEY_WAIT))
    *private, second = [said(entry) for entry in host.submits()]
    assert second == text("second")
    if answer == "found":
        assert kinds(private) == ["PrivateBody"]
        assert happened == []
    else:
        assert private == []
        assert [(type(event), event.re) for event in happened] == [(events.ErrorEvent, 7), (events.UnsentEvent, 7)]
