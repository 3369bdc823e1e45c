"""What a host does about others who host the same room."""

from collections.abc import Collection

import pytest

from anonp2p import limits
from anonp2p.protocol.field_types import Heir
from anonp2p.room.succession.meeting import Challenge, GiveWay, Hosting, Meeting, Stand

ME, ANN, BEN, CID, DAN, EVE = (bytes([letter]) * 16 for letter in b"mabcde")
ALL = (ME, ANN, BEN, CID, DAN, EVE)


def heir(member: bytes) -> Heir:
    return Heir(member, member * 2)


def make_meeting(predecessor: bytes | None = None) -> Meeting:
    meeting = Meeting(lambda least, most: (least + most) / 2)
    meeting.begin(0.0, predecessor)
    return meeting


def hosting(
    *linked: bytes,
    number: int = 0,
    heirs: Collection[bytes] = (ANN, BEN),
    present: Collection[bytes] = ALL,
    members: Collection[bytes] = ALL,
) -> Hosting:
    return Hosting(ME, number, list(heirs), [heir(it) for it in (ANN, BEN, CID, ME)], present, members, linked)


def challenge(
    number: int = 5, opener: bytes = ANN, present: Collection[bytes] = ALL, host_there: bytes = ME
) -> Challenge:
    return Challenge(number, opener, opener, present, host_there)


# --- looking for others


def test_a_host_looks_now_and_then_for_all_without_a_link_who_may_host_too() -> None:
    meeting, now = make_meeting(), hosting(ANN, EVE, DAN)
    assert meeting.take_due(now, (), limits.MEET - 0.1) == []
    assert meeting.take_due(now, (), limits.MEET) == [heir(BEN), heir(CID)]
    assert meeting.take_due(now, (), limits.MEET + 1) == []
    assert meeting.next_deadline == 2 * limits.MEET
    assert meeting.take_due(now, [heir(BEN).address], 2 * limits.MEET) == [heir(CID)]


def test_one_who_has_lost_half_of_its_members_and_its_heir_looks_sooner() -> None:
    meeting, alone = make_meeting(), hosting(EVE, DAN)
    assert meeting.take_due(alone, (), 1.0) == []
    assert meeting.next_deadline == limits.MEET_SOON
    assert meeting.take_due(alone, (), limits.MEET_SOON) == [heir(ANN), heir(BEN), heir(CID)]
    assert meeting.take_due(alone, (), limits.MEET_SOON + 1) == []
    for linked in ((EVE, DAN, CID), (EVE, ANN)):
        large = make_meeting()
        assert large.take_due(hosting(*linked), (), 1.0) == []
        assert large.next_deadline == limits.MEET


def test_one_whose_members_are_all_away_looks_sooner_too() -> None:
    """A machine that has slept finds all of them gone at once: so there is nobody left who is present, or an heir."""
    meeting, alone = make_meeting(), hosting(heirs=(), present=(ME,))
    assert meeting.take_due(alone, (), 1.0) == []
    assert meeting.next_deadline == limits.MEET_SOON
    left = make_meeting()
    assert left.take_due(hosting(heirs=(), present=(ME,), members=(ME,)), (), 1.0) == []
    assert left.next_deadline == limits.MEET


# --- another host


def test_a_host_with_more_than_half_of_those_who_were_there_begins_a_term_above() -> None:
    assert make_meeting().judge(challenge(), hosting(BEN, CID, DAN), 50.0) == Stand(8)


def test_a_host_with_half_stands_if_it_hosted_where_the_logs_part_and_gives_way_else() -> None:
    assert make_meeting().judge(challenge(), hosting(BEN, CID), 50.0) == Stand(8)
    assert make_meeting().judge(challenge(host_there=DAN), hosting(BEN, CID), 50.0) == GiveWay()


def test_a_host_with_less_than_half_gives_way() -> None:
    meeting = make_meeting()
    assert meeting.judge(challenge(), hosting(BEN), 50.0) == GiveWay()
    assert meeting.gave_way_to == 5


def test_a_challenger_makes_a_host_begin_one_term_in_a_while() -> None:
    meeting = make_meeting()
    assert meeting.judge(challenge(), hosting(BEN, CID, DAN), 50.0) == Stand(8)
    again = challenge(9)
    assert meeting.judge(again, hosting(BEN, CID, DAN, number=8), 51.0) is None
    assert meeting.judge(challenge(10, BEN), hosting(EVE, CID, DAN, number=8), 51.0) == Stand(12)
    assert meeting.judge(again, hosting(BEN, CID, DAN, number=8), 50.0 + limits.STAND_PAUSE) == Stand(12)


def test_above_one_that_was_thrown_out_a_host_stands_whoever_is_with_it_but_seldom() -> None:
    """8.17: twice at once, as an heir of that one may go on above the first time, and then once in 10 minutes."""
    meeting, removed = make_meeting(), challenge()._replace(is_removed=True)
    assert meeting.judge(removed, hosting(), 50.0) == Stand(8)
    assert meeting.judge(removed._replace(number=9), hosting(number=8), 51.0) == Stand(12)
    again = removed._replace(number=13)
    assert meeting.judge(again, hosting(number=12), 49.0 + limits.STAND_PAUSE_REMOVED) is None
    assert meeting.judge(again, hosting(number=12), 50.0 + limits.STAND_PAUSE_REMOVED) == Stand(16)


def test_who_is_overruled_by_the_host_of_both_gives_way_whoever_is_with_it_once_the_other_is_above() -> None:
    meeting, overruled = make_meeting(), challenge()._replace(is_overruled=True)
    assert meeting.judge(overruled, hosting(BEN, CID, DAN, number=5), 50.0) is None
    assert meeting.judge(overruled, hosting(BEN, CID, DAN), 50.0) == GiveWay()
    assert meeting.gave_way_to == 5


@pytest.mark.parametrize("opener", [ANN, b"z" * 16], ids=["of lower id", "of higher id"])
def test_a_host_begins_a_term_above_another_of_the_same_number_however_few_are_with_it(opener: bytes) -> None:
    few, alike = hosting(number=5), challenge(5, opener)
    meeting = make_meeting()
    assert meeting.judge(alike, few, 5.0) == Stand(8)
    assert meeting.next_deadline == 5.0
    assert meeting.judge(alike, few, 6.0) is None


def test_a_challenger_far_above_is_topped_in_steps_that_members_take() -> None:
    linked = (BEN, CID, DAN)
    assert make_meeting().judge(challenge(limits.TERM_JUMP + 1), hosting(*linked), 50.0) == Stand(limits.TERM_JUMP)
    assert make_meeting().judge(challenge(limits.TERMS - 1), hosting(*linked, number=limits.TERMS - 4), 50.0) is None


def test_who_makes_a_host_go_up_far_waits_as_much_longer() -> None:
    """8.17: "or in as many times that as its number went up by 8"."""
    meeting, jump = make_meeting(), limits.TERM_JUMP
    assert meeting.judge(challenge(limits.TERMS - 1), hosting(BEN, CID, DAN), 0.0) == Stand(jump)
    again, now = challenge(limits.TERMS - 1), hosting(BEN, CID, DAN, number=jump)
    pause = limits.STAND_PAUSE * jump / limits.STAND_NUMBERS
    assert meeting.judge(again, now, pause - 1) is None
    assert meeting.judge(again, now, pause) == Stand(2 * jump)
    assert pause * limits.TERMS / jump > 90 * 86_400


# --- handing over to who hears more


def cut_off(meeting: Meeting, now: Hosting, at: float = 60.0) -> bool:
    return meeting.is_cut_off(now, at)


def test_a_host_hands_over_to_an_heir_that_more_of_its_members_have_turned_to() -> None:
    meeting = make_meeting()
    meeting.note_strays(2, 60.0)
    assert cut_off(meeting, hosting(ANN, EVE))
    assert not cut_off(meeting, hosting(ANN, EVE, DAN))


def test_an_heir_does_not_move_a_host_by_more_lost_members_than_are_missing() -> None:
    meeting = make_meeting()
    meeting.note_strays(3, 60.0)
    assert not cut_off(meeting, hosting(ANN, EVE, DAN, CID))
    meeting.note_strays(1_000, 60.0)
    assert not cut_off(meeting, hosting(ANN))


def test_what_an_heir_said_some_time_ago_or_before_we_hosted_does_not_count() -> None:
    meeting = make_meeting()
    meeting.note_strays(2, 60.0)
    assert not cut_off(meeting, hosting(ANN, EVE), 60.0 + limits.STRAYS_FRESH)
    meeting.begin(61.0, None)
    assert not cut_off(meeting, hosting(ANN, EVE), 61.0)


def test_a_host_hands_over_to_nobody_that_has_no_link() -> None:
    meeting = make_meeting()
    meeting.note_strays(2, 60.0)
    assert not cut_off(meeting, hosting(BEN, EVE))
    assert not cut_off(meeting, hosting(ANN, EVE, heirs=()))


# --- handing back


def test_who_hosted_before_hosts_again_once_it_has_been_back_for_a_while() -> None:
    meeting = make_meeting(predecessor=BEN)
    assert meeting.find_returned(hosting(ANN), 10.0) is None
    assert meeting.find_returned(hosting(ANN, BEN), 20.0) is None
    assert meeting.find_returned(hosting(ANN, BEN), 20.0 + limits.HAND_BACK) == BEN


def test_the_room_goes_back_once_its_next_host_has_been_the_first_heir_for_so_long_that_all_wait_there() -> None:
    meeting = make_meeting(predecessor=BEN)
    assert not meeting.may_hand_back(BEN, hosting(ANN, BEN), 20.0)
    first = hosting(ANN, BEN, heirs=(BEN, ANN))
    assert not meeting.may_hand_back(BEN, first, 20.0)
    assert not meeting.may_hand_back(BEN, first, 20.0 + limits.HAND_BACK_READY - 1)
    assert meeting.may_hand_back(BEN, first, 20.0 + limits.HAND_BACK_READY)
    assert not meeting.may_hand_back(None, first, 20.0 + limits.HAND_BACK_READY), "its link broke"
    assert not meeting.may_hand_back(BEN, first, 21.0 + limits.HAND_BACK_READY)


def test_a_link_that_breaks_begins_the_time_anew() -> None:
    meeting = make_meeting(predecessor=BEN)
    meeting.find_returned(hosting(ANN, BEN), 20.0)
    meeting.find_returned(hosting(ANN), 70.0)
    assert meeting.find_returned(hosting(ANN, BEN), 75.0) is None
    assert meeting.find_returned(hosting(ANN, BEN), 20.0 + limits.HAND_BACK) is None
    assert meeting.find_returned(hosting(ANN, BEN), 75.0 + limits.HAND_BACK) == BEN


def test_the_room_goes_back_to_who_hosted_before_once_in_a_long_while() -> None:
    meeting = make_meeting(predecessor=BEN)
    meeting.note_handed_back(100.0)
    meeting.begin(110.0, BEN)
    meeting.find_returned(hosting(ANN, BEN), 120.0)
    assert meeting.find_returned(hosting(ANN, BEN), 100.0 + limits.HAND_BACK_PAUSE - 1) is None
    assert meeting.find_returned(hosting(ANN, BEN), 100.0 + limits.HAND_BACK_PAUSE) == BEN


def test_nobody_is_handed_back_to_what_was_handed_over() -> None:
    meeting = make_meeting(predecessor=None)
    meeting.find_returned(hosting(*ALL[1:]), 10.0)
    assert meeting.find_returned(hosting(*ALL[1:]), 10_000.0) is None
