"""A member's own entries: ordered as it wrote them, denied and given back, or left out."""

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.protocol import frames
from anonp2p.room import events, inputs
from tests.room.hostile import assert_left_in_alarm
from tests.room.peers import ANN, FalseHost, kinds, text


def test_what_was_not_ordered_is_given_back_when_the_host_lies(host: FalseHost) -> None:
    host.says("precious")
    happened = host.hears(bytes(478))
    assert kinds(happened) == ["AlarmEvent", "UnsentEvent", "GoneEvent"]
    assert_left_in_alarm(host, happened)


def test_ones_own_entry_changed_by_the_host_is_not_shown(host: FalseHost) -> None:
    mine = host.says("I agree")
    changed = host.seal(mine.header, mine.body.replace(b"I agree", b"I doubt"))
    happened = host.hears(changed)
    assert_left_in_alarm(host, happened)
    assert [event.text for event in happened if isinstance(event, events.UnsentEvent)] == ["I agree"]


def test_an_entry_of_our_own_that_we_never_wrote_is_not_shown(host: FalseHost) -> None:
    assert_left_in_alarm(host, host.hears(host.entry(host.room.replica.me, text("lie"))))


def test_the_id_of_ones_own_input_is_at_ones_own_entry_alone(host: FalseHost) -> None:
    host.takes(inputs.SayInput("mine", re=7))
    [mine] = host.submits()
    [anns] = host.hears(host.entry(ANN, text("hers, with the same counter")))
    assert anns.re is UNSET
    [own] = host.hears(mine)
    assert own.re == 7


def test_ones_own_entry_ordered_twice_is_not_shown_twice(host: FalseHost) -> None:
    mine = host.says("once")
    assert kinds(host.hears(mine)) == ["MessageEvent"]
    assert_left_in_alarm(host, host.hears(mine))


def test_a_denied_text_is_given_back(host: FalseHost) -> None:
    host.says("unwanted")
    assert kinds(host.hears(frames.DeniedFrame(1, "too-often"))) == ["ErrorEvent", "UnsentEvent"]
    assert host.room.outstanding == 0


@pytest.mark.parametrize(
    ("typed", "reason", "words"),
    [
        (inputs.SayInput("x"), "repeated", "repetition"),
        (inputs.SayInput("x"), "nick-taken", "nick"),
        (inputs.RenameInput("x"), "repeated", "did not take that nick"),
        (inputs.RenameInput("x"), "too-often", "too many"),
        (inputs.RenameInput("x"), "nick-taken", "taken"),
    ],
)
def test_a_denial_is_told_in_our_own_words(
    host: FalseHost, typed: inputs.Typed, reason: frames.Denial, words: str
) -> None:
    host.takes(typed)
    error = host.hears(frames.DeniedFrame(1, reason))[0]
    assert isinstance(error, events.ErrorEvent)
    assert words in str(error.text)


def test_a_second_denial_is_one_of_nothing(host: FalseHost) -> None:
    host.says("unwanted")
    host.hears(frames.DeniedFrame(1, "too-often"))
    assert_left_in_alarm(host, host.hears(frames.DeniedFrame(1, "too-often")))


def test_what_was_given_back_is_never_shown_as_ordered(host: FalseHost) -> None:
    mine = host.says("unwanted")
    assert kinds(host.hears(frames.DeniedFrame(1, "too-often"))) == ["ErrorEvent", "UnsentEvent"]
    assert_left_in_alarm(host, host.hears(mine))


def test_a_host_that_leaves_out_one_of_our_own_lines_is_noticed(host: FalseHost) -> None:
    """5.7: they come in the order in which they were written."""
    host.says("first")
    second = host.says("second")
    assert_left_in_alarm(host, host.hears(second))


def test_generations_may_leave_out_as_many_as_a_host_may_have_denied(host: FalseHost) -> None:
    """6.6"""
    far = host.entry(ANN, text("far on"), generation=limits.SKIPPED)
    further = host.entry(ANN, text("further"), generation=2 * limits.SKIPPED + 1)
    assert kinds(host.hears(far, further)) == ["MessageEvent"] * 2
