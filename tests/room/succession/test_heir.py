"""When an heir goes on as host."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from anonp2p import limits
from anonp2p.room.succession.heir import BeginTerm, CatchUp, Heirship, Report, Situation, Wait

HOST, ANN, BEN, CID, DAN, EVE = (bytes([letter]) * 16 for letter in b"habcde")
ALL = (HOST, ANN, BEN, CID, DAN, EVE)
NEVER = float("inf")


def lost(index: int = 10, number: int = 0, host: bytes = HOST) -> Report:
    return Report(lost=True, number=number, host=host, index=index)


def content(index: int = 10) -> Report:
    return Report(lost=False, number=0, host=HOST, index=index)


def situation(
    reports: Mapping[bytes, Report] | None = None,
    *,
    me: bytes = ANN,
    lost_at: float | None = 100.0,
    heirs: tuple[bytes, ...] = (ANN, BEN, CID),
    handed_over: bool = False,
    host_tried_at: float | None = 100.0,
    failed: Collection[bytes] = (),
    present: Collection[bytes] = ALL,
) -> Situation:
    return Situation(me, 0, HOST, 10, heirs, handed_over, present, lost_at, host_tried_at, failed, reports or {})


def decide(it: Situation, now: float) -> BeginTerm | CatchUp | Wait:
    return Heirship().decide(it, now)


def test_an_heir_that_has_its_host_waits_whatever_others_say() -> None:
    everybody = dict.fromkeys((BEN, CID, DAN, EVE), lost())
    assert decide(situation(everybody, lost_at=None), 1e6) == Wait(NEVER)


def test_who_is_no_heir_begins_no_term() -> None:
    assert decide(situation(me=EVE), 1e6) == Wait(NEVER)


def test_after_a_hand_over_the_first_heir_goes_on_at_once() -> None:
    assert decide(situation(handed_over=True), 100.0) == BeginTerm(5)
    assert decide(situation(handed_over=True, me=BEN), 100.0) == Wait(160.0)


def test_with_more_than_half_an_heir_goes_on_after_a_second() -> None:
    majority = dict.fromkeys((BEN, CID), lost())
    assert decide(situation(majority), 100.0) == Wait(101.0)
    assert decide(situation(majority), 101.0) == BeginTerm(5)


def test_that_second_is_one_in_which_the_host_is_dialled_in_vain() -> None:
    majority = situation(dict.fromkeys((BEN, CID), lost()), host_tried_at=99.4)
    assert decide(majority, 100.0) == Wait(99.4 + limits.GATHER)
    assert decide(replace(majority, host_tried_at=98.0), 100.0) == BeginTerm(5), "while others had lost it already"
    assert decide(replace(majority, host_tried_at=100.5), 101.0) == Wait(100.5 + limits.GATHER)


def test_the_lost_host_does_not_count_among_those_who_are_here() -> None:
    assert decide(situation({BEN: lost(), HOST: lost()}, present=(HOST, ANN, BEN, CID, DAN)), 101.0) == Wait(120.0)
    assert decide(situation({BEN: lost()}, present=(HOST, ANN, BEN, CID)), 101.0) == BeginTerm(5)


def test_the_host_is_dialled_before_an_heir_goes_on_with_more_than_half() -> None:
    assert decide(situation(dict.fromkeys((BEN, CID), lost()), host_tried_at=None), 101.0) == Wait(120.0)


def test_one_alone_is_no_majority_of_two() -> None:
    assert decide(situation(present=(HOST, ANN)), 101.0) == Wait(160.0)
    assert decide(situation(present=(HOST, ANN)), 160.0) == BeginTerm(5)


def test_half_is_not_enough_at_once_but_after_a_while() -> None:
    half = {BEN: lost()}
    assert decide(situation(half, present=(*ALL[:4], DAN)), 101.0) == Wait(120.0)
    assert decide(situation(half, present=(*ALL[:4], DAN)), 120.0) == BeginTerm(5)


def test_who_is_not_here_by_our_log_does_not_count() -> None:
    strangers = {bytes([number]) * 16: lost() for number in range(20)}
    assert decide(situation(strangers), 101.0) == Wait(160.0)


def test_those_who_have_the_host_and_say_so_keep_a_few_from_going_on_without_them() -> None:
    reports = {BEN: lost(), CID: content(), DAN: content()}
    assert decide(situation(reports), 120.0) == Wait(160.0)
    assert decide(situation(reports | {DAN: lost()}, present=[*ALL, b"x" * 16, b"y" * 16]), 120.0) == BeginTerm(5)


def test_in_a_large_room_nobody_goes_on_with_a_few_before_a_minute_is_over() -> None:
    others = [bytes([number]) * 16 for number in range(limits.STANDBY_MEMBERS)]
    large = situation({BEN: lost(), CID: lost()}, present=(*ALL, *others))
    assert decide(large, 120.0) == Wait(160.0)
    assert decide(large, 160.0) == BeginTerm(5)


# --- the line


def test_a_later_heir_waits_for_an_earlier_one_that_may_answer() -> None:
    majority = dict.fromkeys((CID, DAN, EVE), lost())
    assert decide(situation(majority, me=BEN), 101.0) == Wait(160.0)
    assert decide(situation(majority, me=BEN, failed=[ANN]), 101.0) == BeginTerm(6)
    assert decide(situation(majority, me=CID, failed=[ANN]), 101.0) == Wait(160.0)
    assert decide(situation(majority, me=CID, failed=[ANN, BEN]), 101.0) == BeginTerm(7)


def test_an_earlier_heir_that_does_nothing_for_a_minute_is_passed_over() -> None:
    assert decide(situation(me=BEN), 160.0) == BeginTerm(6)


# --- catching up


def test_an_heir_asks_who_is_ahead_before_it_goes_on() -> None:
    heirship, reports = Heirship(), {BEN: lost(12), CID: lost(14), DAN: lost(3)}
    assert heirship.decide(situation(reports), 101.0) == CatchUp(CID)
    assert heirship.decide(situation(reports), 101.5) == Wait(102.0)
    assert heirship.decide(situation(reports), 102.0) == CatchUp(CID)
    assert heirship.decide(situation({BEN: lost(3)} | dict.fromkeys((CID, DAN), lost(10))), 102.5) == BeginTerm(5)


def test_who_is_of_a_higher_term_is_ahead_whatever_its_index() -> None:
    assert decide(situation({BEN: lost(14), CID: lost(4, number=5)}), 101.0) == CatchUp(CID)


def test_who_says_that_it_is_ahead_and_sends_nothing_holds_up_nobody_for_long() -> None:
    heirship, reports = Heirship(), dict.fromkeys((BEN, CID, DAN), lost(2**31))
    decisions = [heirship.decide(situation(reports), 101 + tenth / 10) for tenth in range(31)]
    assert all(isinstance(it, CatchUp | Wait) for it in decisions[:30])
    assert len([it for it in decisions if isinstance(it, CatchUp)]) == 3
    assert decisions[30] == BeginTerm(5)


def test_who_has_its_host_is_not_asked_for_what_we_lack() -> None:
    assert decide(situation({BEN: content(99)}), 101.0) == Wait(160.0)


def test_after_another_loss_there_is_time_again_to_catch_up() -> None:
    heirship, reports = Heirship(), dict.fromkeys((BEN, CID, DAN), lost(12))
    heirship.decide(situation(reports), 101.0)
    assert heirship.decide(situation(reports, lost_at=200.0), 201.0) == CatchUp(BEN)


# --- one who was host


def test_who_gave_way_to_one_that_it_cannot_reach_goes_on_after_a_while() -> None:
    assert decide(situation(me=HOST), 129.9) == Wait(130.0)
    assert decide(situation(me=HOST), 130.0) == BeginTerm(4)


def test_who_gave_way_goes_on_in_a_term_above_the_one_to_which_it_gave_way() -> None:
    gave_way = replace(situation(me=HOST), gave_way_to=12)
    assert decide(gave_way, 130.0) == BeginTerm(16)
    far_above = replace(situation(me=HOST), gave_way_to=limits.TERM_JUMP + 1)
    assert decide(far_above, 130.0) == BeginTerm(limits.TERM_JUMP)


def test_who_handed_over_never_goes_on_in_the_same_term() -> None:
    assert decide(situation(me=HOST, handed_over=True), 1e6) == Wait(NEVER)
