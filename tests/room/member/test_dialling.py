"""When a member dials, how long it waits before another try, and when it gives up; with neither room nor network."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.reasons import NO_REASON, Reason
from anonp2p.room import effects, inputs
from anonp2p.room.member.dialling import Dialling
from tests.room.peers import randomness

START = 1_000.0  # the clock at the beginning: where it stands means nothing
SERVICE = b"s" * 32
LONGEST = b"\xff" * 8  # randomness that makes pauses the longest
NO_TRACE = inputs.DialFailedInput(-1, Reason("not-found"), absent=True)
BAD_CIRCUIT = inputs.DialFailedInput(-1, Reason("broken-circuit"))


def longest(length: int) -> bytes:
    return LONGEST[:length]


def shortest(length: int) -> bytes:
    return bytes(length)


class Member:
    """One who dials, and a clock."""

    def __init__(self, random: Callable[[int], bytes] = longest, *, is_alone: bool = True) -> None:
        self.numbers = itertools.count(-1, -1)
        self.dialling = Dialling(self._plan, random, is_alone=is_alone)
        self.now = START
        self.dialling.begin(START)

    def _plan(self, address: bytes, seconds: float, *, returns: bool, pause: float) -> effects.DialEffect:
        return effects.DialEffect(next(self.numbers), address, seconds, returns, pause)

    def dial(self) -> effects.DialEffect:
        """Waits until it dials; the dial."""
        deadline = self.dialling.next_deadline
        assert deadline is not None
        assert self.dialling.take_due(SERVICE, deadline - 0.001) is None, "it is not due before"
        self.now = max(self.now, deadline)
        dial = self.dialling.take_due(SERVICE, self.now)
        assert dial is not None
        assert self.dialling.next_deadline is None, "nothing is due while it dials"
        assert self.dialling.take_due(SERVICE, self.now + 1_000) is None
        return dial

    def fail(self, failure: inputs.DialFailedInput, after: float = 0.0) -> bool:
        self.now += after
        return self.dialling.take_failure(failure, self.now)

    def lose(self, *, let_in: bool, after: float = 0.0) -> bool:
        """It has a link for so long."""
        if let_in:
            self.dialling.note_let_in()
        self.now += after
        return self.dialling.take_loss(Reason("broken"), self.now)

    def fail_until_given_up(self, failure: inputs.DialFailedInput, after: float = 1.0) -> float:
        """How long it tried."""
        began = self.now
        self.dial()
        while self.fail(failure, after):
            self.dial()
        return self.now - began


def test_the_first_dial_is_made_at_once() -> None:
    member = Member()
    assert member.dial() == effects.DialEffect(-1, SERVICE, limits.DIAL_TRIES[0], returns=False, pause=0.0)
    assert (member.now, member.dialling.attempt, member.dialling.reason) == (START, 1, NO_REASON)


def test_later_tries_have_more_time_and_circuits_of_their_own() -> None:
    member, dials = Member(), []
    for _ in range(5):
        dials.append(member.dial())
        assert member.fail(BAD_CIRCUIT)
    short, middle, last = limits.DIAL_TRIES
    assert [dial.seconds for dial in dials] == [short, middle, last, last, last]
    assert [dial.link for dial in dials] == [-1, -2, -3, -4, -5]
    assert (member.dialling.attempt, member.dialling.reason) == (5, BAD_CIRCUIT.reason)


def measure_pauses(member: Member, count: int) -> list[float]:
    pauses = []
    for _ in range(count):
        assert member.fail(BAD_CIRCUIT)
        before = member.now
        member.dial()
        pauses.append(member.now - before)
    return pauses


@pytest.mark.parametrize(("random", "share"), [(longest, 1.0), (shortest, 0.5)])
def test_pauses_grow_by_half_up_to_the_longest(random: Callable[[int], bytes], share: float) -> None:
    member = Member(random)
    member.dial()
    expected = [share * min(limits.DIAL_PAUSE * 1.5**number, limits.DIAL_PAUSE_MAX) for number in range(8)]
    assert measure_pauses(member, 8) == pytest.approx(expected)


def test_who_has_several_rooms_or_comes_back_waits_for_a_time_of_its_own_once_there_is_a_network() -> None:
    """So that rooms which lose their network together do not all come back at one moment."""
    first_dials = [Member(randomness(bytes([number])), is_alone=False).dial().pause for number in range(100)]
    members = [Member(randomness(bytes([number]))) for number in range(100)]
    assert {member.dial().pause for member in members} == {0.0}
    assert all(member.lose(let_in=True) for member in members)
    later_dials = [member.dial() for member in members]
    assert all(dial.returns for dial in later_dials)
    for pauses in (first_dials, [dial.pause for dial in later_dials]):
        assert len(set(pauses)) == 100
        assert 0.0 <= min(pauses) < 0.1 * limits.RETURN_SPREAD
        assert 0.9 * limits.RETURN_SPREAD < max(pauses) <= limits.RETURN_SPREAD


@given(st.binary(min_size=8, max_size=8))
def test_no_pause_is_longer_than_its_longest_or_shorter_than_half(drawn: bytes) -> None:
    member = Member(lambda length: drawn[:length])
    member.dial()
    [pause] = measure_pauses(member, 1)
    assert pause + 1e-6 >= limits.DIAL_PAUSE / 2
    assert pause <= limits.DIAL_PAUSE + 1e-6


def test_two_members_who_lose_the_same_host_do_not_dial_at_the_same_moment() -> None:
    one, other = Member(longest), Member(shortest)
    for member in (one, other):
        member.dial()
        assert member.lose(let_in=True)
        member.dial()
    assert one.now != other.now


@pytest.mark.parametrize(
    ("failure", "patience"), [(NO_TRACE, limits.ABSENT_PATIENCE), (BAD_CIRCUIT, limits.DIAL_PATIENCE)]
)
def test_a_room_without_a_trace_is_given_up_sooner_than_one_behind_bad_circuits(
    failure: inputs.DialFailedInput, patience: float
) -> None:
    took = Member().fail_until_given_up(failure)
    assert patience < took <= patience + limits.DIAL_PAUSE_MAX + 1


@pytest.mark.parametrize("failure", [NO_TRACE, BAD_CIRCUIT])
def test_a_host_that_was_lost_is_dialled_as_long_as_it_keeps_our_place(failure: inputs.DialFailedInput) -> None:
    member = Member()
    member.dial()
    assert member.lose(let_in=True, after=500.0)
    took = member.fail_until_given_up(failure)
    assert limits.PLACE_SECONDS < took <= limits.PLACE_SECONDS + 2 * limits.DIAL_PAUSE_MAX + 1


def test_a_failure_that_no_other_try_mends_is_the_last() -> None:
    member = Member()
    member.dial()
    assert not member.fail(inputs.DialFailedInput(-1, Reason("bad-address"), again=False))
    assert member.dialling.next_deadline is None


def test_a_link_that_ends_before_we_are_let_in_is_a_failed_try() -> None:
    member = Member()
    member.dial()
    assert member.lose(let_in=False)
    dial = member.dial()
    assert (dial.link, member.dialling.attempt, member.dialling.reason) == (-2, 2, Reason("broken"))
    assert not member.lose(let_in=False, after=limits.DIAL_PATIENCE)


def test_tries_are_counted_anew_after_each_link_on_which_we_were_in() -> None:
    member = Member()
    member.dial()
    assert member.fail(BAD_CIRCUIT)
    member.dial()
    assert member.lose(let_in=True, after=limits.DIAL_PATIENCE)
    dial = member.dial()
    assert (member.dialling.attempt, member.dialling.reason) == (1, NO_REASON)
    assert (dial.seconds, dial.link) == (limits.DIAL_TRIES[0], -3)


def test_a_link_that_lasts_no_time_is_not_dialled_again_without_a_pause() -> None:
    member = Member()
    for _ in range(10):
        member.dial()
        before = member.now
        assert member.lose(let_in=True)
        assert member.dialling.next_deadline == pytest.approx(before + limits.DIAL_PAUSE)


def test_who_ends_the_link_to_ask_otherwise_dials_at_once_and_has_all_the_time_again() -> None:
    member = Member()
    for number in range(1, 4):
        member.dial()
        member.dialling.note_drop()
        assert member.lose(let_in=False, after=limits.DIAL_PATIENCE - 1)
        assert member.dialling.next_deadline == member.now
        assert member.dialling.attempt == number
    member.dial()
    assert member.fail(BAD_CIRCUIT, after=limits.DIAL_PATIENCE - 1)
    assert member.dialling.next_deadline == pytest.approx(member.now + limits.DIAL_PAUSE * 1.5**3)


def test_a_host_that_refuses_and_then_lets_in_on_the_same_link_is_not_dialled_without_a_pause_later() -> None:
    member = Member()
    member.dial()
    member.dialling.note_drop()
    assert member.lose(let_in=True)
    member.dial()
    assert member.lose(let_in=False)
    assert member.dialling.next_deadline == pytest.approx(member.now + limits.DIAL_PAUSE)


def test_who_is_let_in_on_a_link_that_it_has_not_dialled_for_that_dials_no_more() -> None:
    """An heir at which it waited hosts now: a second link there would end the first."""
    member = Member()
    member.dial()
    member.dialling.note_let_in()
    member.dialling.take_loss(Reason("passed-on"), member.now)
    assert member.dialling.next_deadline is not None
    member.dialling.note_let_in()
    assert member.dialling.next_deadline is None
    assert member.dialling.take_due(SERVICE, member.now + 1_000) is None
