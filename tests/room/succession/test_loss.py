"""What a member does that has lost its host."""

from collections.abc import Collection

from anonp2p import limits
from anonp2p.protocol.field_types import Heir
from anonp2p.room.succession.loss import Line, Loss, Target

ME, HOST, ANN, BEN, CID, OLD = (bytes([letter]) * 16 for letter in b"mhabco")
CODE = b"k" * 32


def address(member: bytes) -> bytes:
    return member * 2


def heir(member: bytes) -> Heir:
    return Heir(member, address(member))


def target(member: bytes) -> Target:
    return Target(member, address(member))


def line(*heirs: bytes, others: Collection[bytes] = (), handed_over: bool = False, present: int = 5) -> Line:
    return Line(ME, CODE, heir(HOST), handed_over, [heir(it) for it in heirs], [heir(it) for it in others], present)


LINE = line(ANN, BEN, CID)


def make_loss() -> Loss:
    return Loss(lambda least, most: (least + most) / 2)


def lost_at(now: float, standby: bytes | None = None) -> Loss:
    loss = make_loss()
    if standby is not None:
        assert loss.accept_standby(standby, LINE, 0.0)
    loss.lose(now)
    return loss


def dialled(
    loss: Loss, times: int, line: Line = LINE, start: float = 100.0, seconds: float = 1.0
) -> list[list[Target]]:
    """What is dialled at so many times in a row, each dial being over by the next one."""
    return [loss.take_due(line, (), start + at * seconds) for at in range(times)]


# --- with a host


def test_a_member_with_a_host_dials_the_first_heir_alone() -> None:
    loss = make_loss()
    assert loss.take_due(LINE, (), 0.0) == [target(ANN)]
    assert loss.accept_standby(ANN, LINE, 1.0)
    assert loss.take_due(LINE, (), 1_000.0) == []
    assert loss.next_deadline(LINE) is None


def test_a_standby_link_that_is_lost_is_dialled_again_after_a_while() -> None:
    loss = make_loss()
    loss.take_due(LINE, (), 0.0)
    assert loss.accept_standby(ANN, LINE, 1.0)
    loss.note_standby_lost(50.0)
    assert loss.next_deadline(LINE) == 50.0
    assert loss.take_due(LINE, (), 50.0) == [target(ANN)]
    assert loss.take_due(LINE, (), 50.0 + limits.STANDBY_RETRY - 0.1) == []
    assert loss.take_due(LINE, (), 50.0 + limits.STANDBY_RETRY) == [target(ANN)]


def test_the_first_heir_keeps_no_standby_link_nor_does_anybody_in_a_large_room() -> None:
    loss = make_loss()
    assert loss.take_due(line(ME, BEN), (), 0.0) == []
    assert loss.take_due(line(), (), 0.0) == []
    assert loss.take_due(line(ANN, present=limits.STANDBY_MEMBERS + 1), (), 0.0) == []


def test_a_standby_link_to_another_than_the_first_heir_is_wrong_while_there_is_a_host() -> None:
    loss = make_loss()
    assert loss.accept_standby(BEN, LINE, 0.0)
    assert loss.has_wrong_standby(LINE)
    assert not loss.has_wrong_standby(line(BEN, ANN))
    loss.lose(1.0)
    assert not loss.has_wrong_standby(LINE)


# --- without a host


def test_a_member_without_a_host_dials_it_and_then_its_heirs_in_order() -> None:
    assert dialled(lost_at(100.0), 2) == [[target(HOST), target(ANN)], [target(BEN), target(CID)]]


def test_who_was_not_tried_for_longest_is_next() -> None:
    assert dialled(lost_at(100.0), 3)[2] == [target(HOST), target(ANN)]


def test_who_could_host_once_is_dialled_after_the_heirs() -> None:
    others = line(ANN, BEN, CID, others=[OLD, ANN, ME])
    assert dialled(lost_at(100.0), 3, others)[2] == [target(OLD), target(HOST)]


def test_a_host_that_has_handed_over_is_not_dialled() -> None:
    assert dialled(lost_at(100.0), 1, line(ANN, BEN, handed_over=True)) == [[target(ANN), target(BEN)]]


def test_an_address_is_not_dialled_twice_at_once_nor_too_many_together() -> None:
    loss = lost_at(100.0)
    assert loss.take_due(LINE, [address(HOST)], 100.0) == [target(ANN), target(BEN)]
    assert loss.take_due(LINE, [bytes([it]) for it in range(limits.LOST_DIALS_MAX - 1)], 101.0) == [target(HOST)]
    assert loss.take_due(LINE, [bytes([it]) for it in range(limits.LOST_DIALS_MAX)], 102.0) == []


def test_dials_become_rarer_but_never_end() -> None:
    loss = lost_at(100.0)
    pauses = []
    for now in (100.0, 115.0, 160.0, 400.0, 10_000.0):
        assert loss.take_due(LINE, (), now)
        due = loss.next_deadline(LINE)
        assert due is not None
        pauses.append(due - now)
    assert pauses == [1, 1, 3, limits.LOST_PAUSE_MAX, limits.LOST_PAUSE_MAX]


def test_who_waits_with_an_heir_dials_no_later_one_and_not_the_host_for_a_while() -> None:
    assert dialled(lost_at(100.0, standby=ANN), 4) == [[], [], [], [target(HOST)]]
    assert dialled(lost_at(100.0, standby=CID), 4)[:2] == [[target(ANN), target(BEN)]] * 2


def test_who_hears_that_the_host_lives_goes_back_to_it_at_once() -> None:
    loss = lost_at(100.0, standby=ANN)
    loss.take_due(LINE, (), 100.0)
    loss.note_host_lives(100.5)
    assert loss.next_deadline(LINE) == 100.5
    assert loss.take_due(LINE, (), 100.5) == [target(HOST)]


def test_who_hears_again_and_again_that_the_host_lives_dials_no_more_often() -> None:
    """8.10"""
    loss = lost_at(100.0, standby=ANN)
    loss.note_host_lives(100.5)
    assert loss.take_due(LINE, (), 100.5)
    due = loss.next_deadline(LINE)
    assert due is not None
    loss.note_host_lives(100.6)
    assert loss.next_deadline(LINE) == due > 100.6
    loss.note_host_lives(100.5 + limits.PLEDGE)
    assert loss.next_deadline(LINE) == min(due, 100.5 + limits.PLEDGE)


def test_an_heir_that_does_nothing_for_a_minute_is_passed_over() -> None:
    loss = lost_at(100.0, standby=ANN)
    assert loss.take_due(LINE, (), 159.9) == [target(HOST)]
    assert loss.take_due(LINE, (), 170.0) == [target(ANN), target(BEN)]


def test_without_standby_link_the_code_is_dialled_after_a_while() -> None:
    loss = lost_at(100.0)
    assert Target(None, CODE) not in loss.take_due(LINE, (), 109.9)
    assert loss.take_due(LINE, (), 111.0)[0] == Target(None, CODE)
    assert Target(None, CODE) not in lost_at(100.0, standby=ANN).take_due(LINE, (), 115.0)


def test_an_earlier_heir_is_kept_in_place_of_a_later_one() -> None:
    loss = lost_at(100.0)
    assert loss.accept_standby(BEN, LINE, 101.0)
    assert not loss.accept_standby(CID, LINE, 102.0)
    assert loss.standby == BEN
    assert loss.accept_standby(ANN, LINE, 103.0)
    assert loss.standby == ANN


def test_a_host_that_is_found_ends_the_loss() -> None:
    loss = lost_at(100.0, standby=ANN)
    loss.note_let_in()
    assert loss.lost_at is None
    assert loss.take_due(LINE, (), 200.0) == []


def test_a_loss_is_one_loss_however_often_it_is_noted() -> None:
    loss = lost_at(100.0)
    loss.take_due(LINE, (), 100.0)
    loss.lose(105.0)
    dialled = [target.member for seconds in range(105, 125, 5) for target in loss.take_due(LINE, (), seconds)]
    assert HOST in dialled
    assert loss.lost_at == 100.0
    assert loss.first_try_of(address(HOST)) == 100.0


# --- hints


def test_who_is_sent_on_dials_that_one_first() -> None:
    loss = make_loss()
    loss.lose(100.0, target(OLD))
    assert loss.take_due(LINE, (), 100.0) == [target(OLD), target(HOST)]


def test_who_is_sent_on_by_its_host_knows_so_until_that_one_does_not_answer() -> None:
    loss = make_loss()
    loss.note_failure(target(BEN), 50.0)
    assert not loss.is_sent_on
    loss.lose(100.0, target(BEN))
    assert loss.is_sent_on, "whatever was before"
    loss.note_failure(target(BEN), 101.0)
    assert not loss.is_sent_on


def test_who_is_sent_on_to_one_that_does_not_answer_where_it_was_before_goes_there_all_the_same() -> None:
    """One that was thrown out may have taken that address from it, or its code has changed since."""
    loss = make_loss()
    loss.lose(100.0, target(BEN))
    loss.note_failure(Target(BEN, b"f" * 32), 101.0)
    assert loss.is_sent_on
    assert list(loss.failed) == [BEN]


def test_what_others_say_sends_nobody_on() -> None:
    loss = lost_at(100.0)
    loss.note_hint(target(BEN), 101.0)
    assert not loss.is_sent_on


def test_a_hint_is_followed_at_once_even_by_who_waits_with_an_heir() -> None:
    loss = lost_at(100.0, standby=ANN)
    loss.take_due(LINE, (), 100.0)
    loss.note_hint(target(OLD), 100.2)
    assert loss.take_due(LINE, (), 100.2) == [target(OLD)]


def test_of_false_hints_one_a_second_costs_a_dial() -> None:
    loss = lost_at(100.0, standby=ANN)
    found = []
    for tenth in range(30):
        now = 100 + tenth / 10
        loss.note_hint(target(bytes([tenth]) * 16), now)
        found += loss.take_due(LINE, (), now)
    assert found == [target(bytes([tenth]) * 16) for tenth in (0, 10, 20)]


def test_a_member_with_a_host_follows_no_hint() -> None:
    loss = make_loss()
    assert loss.accept_standby(ANN, LINE, 0.0)
    loss.note_hint(target(OLD), 1.0)
    assert loss.take_due(LINE, (), 1.0) == []
    loss.lose(2.0)
    assert target(OLD) not in loss.take_due(LINE, (), 2.0)


def test_a_hint_to_ourselves_is_none() -> None:
    loss = lost_at(100.0)
    loss.note_hint(target(ME), 100.0)
    assert target(ME) not in [it for targets in dialled(loss, 4) for it in targets]


# --- who does not answer


def test_who_failed_since_the_loss_or_just_before_it_is_known() -> None:
    loss = make_loss()
    loss.note_failure(target(CID), 50.0)
    assert loss.accept_standby(ANN, LINE, 90.0)
    loss.note_standby_lost(99.0)
    assert list(loss.failed) == []
    loss.lose(100.0)
    assert list(loss.failed) == [ANN]
    loss.note_failure(target(BEN), 101.0)
    assert list(loss.failed) == [ANN, BEN]


def test_who_answers_again_has_not_failed() -> None:
    loss = lost_at(100.0)
    loss.note_failure(target(ANN), 101.0)
    assert loss.accept_standby(ANN, LINE, 102.0)
    assert list(loss.failed) == []


def test_a_standby_link_that_breaks_is_followed_by_dials_soon() -> None:
    loss = lost_at(100.0, standby=ANN)
    loss.take_due(LINE, (), 100.0)
    loss.note_standby_lost(100.3)
    assert loss.next_deadline(LINE) == 101.0
    assert loss.take_due(LINE, (), 101.0) == [target(ANN), target(BEN)]
