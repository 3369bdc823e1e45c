"""A member and what has expired by the time it hears of it."""

from typing import Any

import pytest

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING
from anonp2p.protocol.bodies import JoinedBody, NickBody
from anonp2p.room import events, inputs
from tests.room.hostile import BOUNDS, KEY, OUT_OF_BOUNDS, assert_left_in_alarm, fading, gone
from tests.room.member.false_host import HERE, FalseHost
from tests.room.peers import ANN, EVE, HOST, kinds, text


def test_a_backfill_in_place_of_a_batch_steps_over_generations_and_what_follows_opens(host: FalseHost) -> None:
    """5.13"""
    host.hears(host.entry(ANN, text("one")))
    fading_, kept = fading(host), host.entry(ANN, text("two"))
    came, eves = host.entry(HOST, JoinedBody(EVE.key, "eve", KEY)), host.entry(EVE, text("three"))
    past = host.past(fading_, kept, came, eves, gone=[fading_], time=60_000)
    shown = host.hears(past)
    assert kinds(shown) == ["MessageEvent", "JoinedEvent", "MessageEvent", "ExpiredUnseenEvent"]
    assert [it.count for it in shown if isinstance(it, events.ExpiredUnseenEvent)] == [1]
    host.time = 60_000
    shown = host.hears(host.entry(ANN, text("four"), generation=5), host.entry(EVE, text("five")))
    assert [event.text for event in shown if isinstance(event, events.MessageEvent)] == ["four", "five"]
    host.turns()
    assert kinds(host.hears(host.entry(ANN, text("six")))) == ["MessageEvent"]


def test_a_backfill_that_ends_with_a_commit_leads_into_the_next_epoch(host: FalseHost) -> None:
    """5.13, 6.9"""
    assert kinds(host.hears(host.past(host.entry(ANN, text("one")), host.commit()), host.slice)) == ["MessageEvent"]
    assert kinds(host.hears(host.entry(ANN, text("two")))) == ["MessageEvent"]


def test_generations_may_be_left_out_before_and_after_what_is_gone(host: FalseHost) -> None:
    """6.6"""
    far = fading(host, generation=limits.SKIPPED)
    further = host.entry(ANN, text("further"), generation=2 * limits.SKIPPED + 1)
    assert kinds(host.hears(gone(host, far, time=60_000))) == ["ExpiredUnseenEvent"]
    host.time = 60_000
    assert kinds(host.hears(further)) == ["MessageEvent"]


def test_a_time_that_a_host_has_claimed_binds_it_on_other_links_too(host: FalseHost) -> None:
    """5.6: or it would pass off what lives as expired."""
    host.hears(gone(host, fading(host), time=60_000))
    host.redials()
    host.hears(host.resumed())
    assert_left_in_alarm(host, host.hears(host.batch(host.entry(ANN, NickBody("anna")), time=59_999)))


def test_a_time_that_a_host_has_claimed_binds_it_after_a_welcome_too(host: FalseHost) -> None:
    """5.6"""
    host.hears(gone(host, fading(host), time=60_000))
    host.redials()
    host.begin_at(HERE + 7)
    assert_left_in_alarm(host, host.hears(*host.welcome(head={"time": 59_999})))


def test_a_time_that_a_host_has_claimed_does_not_bind_what_was_before(host: FalseHost) -> None:
    """5.6: at a lower index."""
    host.redials()
    batches = [host.batch(host.entry(ANN, text(words))) for words in ("one", "two")]
    host.hears(host.resumed(time=9_000))
    assert kinds(host.hears(*batches)) == ["MessageEvent"] * 2


def test_what_is_gone_of_our_own_is_shown_and_ends_at_once(host: FalseHost) -> None:
    """5.5"""
    host.takes(inputs.RetainInput(60))
    mine = host.says("ordered, and over")
    host.redials()
    past = gone(host, mine, time=60_000)
    happened = host.hears(host.resumed(time=60_000), past)
    assert kinds(happened) == ["LinkEvent", "MessageEvent"]
    assert host.room.outstanding == 0
    assert kinds(host.takes(inputs.TickInput())) == ["ExpiredEvent"]


@pytest.mark.parametrize(
    "otherwise",
    [
        {"header": {"ttl": 59}},
        {"header": {"ttl": FLEETING}},
        {"header": {"generation": 7}},
        {"body": b"what we never said"},
    ],
)
def test_a_host_that_passes_off_something_else_as_gone_of_our_own_is_left(
    host: FalseHost, otherwise: dict[str, Any]
) -> None:
    """5.7, 5.13: nobody but us could know."""
    host.takes(inputs.RetainInput(60))
    mine = host.says("mine")
    host.redials()
    host.hears(host.resumed(time=60_000))
    header, body = otherwise.get("header", {}), otherwise.get("body", mine.body)
    happened = host.hears(gone(host, mine._replace(header=mine.header._replace(**header), body=body), time=60_000))
    assert_left_in_alarm(host, happened)
    assert [event.text for event in happened if isinstance(event, events.UnsentEvent)] == ["mine"]


@pytest.mark.parametrize("typed", [inputs.SayInput("mine"), inputs.RenameInput("moi"), inputs.LeaveInput()])
def test_what_we_have_said_for_good_is_not_gone(host: FalseHost, typed: inputs.Typed) -> None:
    """5.7, 5.13: though the host says that we wanted it so."""
    host.takes(typed)
    [mine] = host.submits()
    assert_left_in_alarm(host, host.hears(gone(host, mine._replace(header=mine.header._replace(ttl=60)))))


@pytest.mark.parametrize("ttl", OUT_OF_BOUNDS)
@pytest.mark.parametrize("private", [False, True])
def test_a_host_that_orders_what_lives_too_long_or_too_short_is_left(ttl: int, private: bool) -> None:
    """5.7"""
    host = FalseHost(retention=BOUNDS)
    host.lets_in()
    body = host.sealer.box(ANN, host.room.replica.me, host.room.replica.own_keys[0], "lie") if private else text("lie")
    assert_left_in_alarm(host, host.hears(host.entry(ANN, body, ttl=ttl)))


@pytest.mark.parametrize("ttl", [FLEETING, BOUNDS.least - 1, BOUNDS.most + 1])
def test_a_host_that_passes_off_as_expired_what_never_could_is_left(ttl: int) -> None:
    """5.7, 5.13"""
    host = FalseHost(retention=BOUNDS)
    host.lets_in()
    assert_left_in_alarm(host, host.hears(gone(host, fading(host, ttl=ttl))))


def test_a_message_that_comes_late_has_only_the_rest_of_its_time(host: FalseHost) -> None:
    """5.16"""
    host.redials()
    late = host.batch(host.entry(ANN, text("late"), ttl=30))
    host.hears(host.resumed(time=12_000))
    [message] = host.hears(late)
    assert isinstance(message, events.MessageEvent)
    assert message.at == pytest.approx(host.now.wall - 12)
    for passed, told in ((17.9, []), (18.0, ["ExpiredEvent"])):
        assert kinds(host.takes(inputs.TickInput(), host.now._replace(tick=host.now.tick + passed))) == told
