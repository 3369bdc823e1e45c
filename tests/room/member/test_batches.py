"""A member and the batches of its host: nothing is shown before the head that covers it."""

import pytest

from anonp2p import limits
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.bodies import CloseBody
from anonp2p.room import events, inputs
from tests.room.hostile import assert_link_ended
from tests.room.member.false_host import HERE, FalseHost
from tests.room.peers import ANN, EVE, HOST, NOW, kinds, said, text, told
from tests.support.world import START


def test_heads_over_nothing_new_say_nothing(host: FalseHost) -> None:
    assert host.hears(host.head(), host.head()) == []
    assert not host.room.over


def test_a_member_that_has_nothing_to_say_says_so_in_time_and_no_more_often(host: FalseHost) -> None:
    """1.4"""
    tick = START
    for _ in range(3):
        deadline = host.room.next_deadline()
        assert deadline is not None
        assert limits.HEARTBEAT * (1 - limits.HEARTBEAT_JITTER) <= deadline - tick <= limits.HEARTBEAT
        host.takes(inputs.TickInput(), NOW._replace(tick=deadline - 0.01))
        assert host.effects == []
        host.takes(inputs.TickInput(), NOW._replace(tick=deadline))
        assert host.records() == [frames.MemberRecord(echo=False, frames=[])]
        tick = deadline


def test_what_one_head_covers_is_shown_in_its_order(host: FalseHost) -> None:
    """5.6"""
    shown = host.hears(host.batch(*(host.entry(ANN, text(f"text {number}")) for number in (1, 2, 3))))
    assert kinds(shown) == ["MessageEvent"] * 3
    assert [event.seq for event in shown if isinstance(event, events.MessageEvent)] == [HERE + 1, HERE + 2, HERE + 3]


def test_nothing_is_shown_before_its_head(host: FalseHost) -> None:
    """5.6: though each entry is its author's."""
    false = host.batch(*(host.entry(ANN, text(f"text {number}")) for number in (1, 2, 3)), signer=ANN)
    assert_link_ended(host, host.hears(false))


def test_a_head_that_covers_a_lie_shows_what_was_true_before_it_and_no_more(host: FalseHost) -> None:
    lying = host.batch(host.entry(ANN, text("true")), host.entry(ANN, text("lie"), signer=EVE))
    assert kinds(host.hears(lying)) == ["MessageEvent", "AlarmEvent", "GoneEvent"]


@pytest.mark.parametrize("end", ["the host's", "our own"])
def test_what_one_head_covers_behind_the_end_of_the_room_is_not_shown(host: FalseHost, end: str) -> None:
    """5.10"""
    if end == "our own":
        host.takes(inputs.LeaveInput())
        [last] = host.submits()
    else:
        last = host.entry(HOST, CloseBody())
    assert kinds(host.hears(host.batch(last, host.entry(ANN, text("too late")))))[-1] == "GoneEvent"
    assert not [event for event in told(host.effects) if isinstance(event, events.MessageEvent | events.AlarmEvent)]


@pytest.mark.parametrize("renew", [True, False])
@pytest.mark.parametrize("removed", [[], [bodies.Removal(ANN.id, "kicked")]], ids=["without", "with"])
def test_a_key_is_renewed_after_a_commit_that_says_so_and_after_no_other(
    host: FalseHost, removed: list[bodies.Removal], renew: bool
) -> None:
    """6.8: the host drops who renews more often."""
    if removed:
        host.hears(host.batch(host.order_out(ANN.id)))
    host.turns(*removed, renew=renew)
    assert [type(said(entry)) for entry in host.submits()] == [bodies.RenewBody] * renew
