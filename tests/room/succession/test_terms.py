"""Terms: numbers, places, where logs part, who may begin one, who stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.room.succession import terms

HOST, ANN, BEN, CID, EVE = (bytes([letter]) * 16 for letter in b"habce")
HEIRS = tuple(Heir(member, member * 2) for member in (ANN, BEN, CID))
FOUNDING = Opening(0, HOST, 0, bytes(32))


def opening(number: int, index: int, digest: int = 0, host: bytes = ANN) -> Opening:
    return Opening(number, host, index, bytes([digest]) * 32)


def numbering(number: int, index: int, since: int) -> Opening:
    """One that gives its number to entries from `since` on."""
    return Opening(number, ANN, index, bytes(32), since)


def may_begin(author: bytes, number: int, before: int = 0, heirs: tuple[Heir, ...] = HEIRS) -> bool:
    return terms.may_begin(author, number, host=HOST, before=before, heirs=heirs)


@given(st.integers(0, limits.TERMS - 1), st.integers(0, 2**32 - 1))
def test_a_place_is_a_number_of_a_term_and_an_index_and_fits_into_json(number: int, index: int) -> None:
    place = terms.make_place(number, index)
    assert (terms.number_of(place), terms.index_of(place)) == (number, index)
    assert place < 2**53


@given(st.integers(0, 1_000), st.integers(0, 2**32 - 1), st.integers(1, 1_000), st.integers(0, 2**32 - 1))
def test_places_of_a_higher_term_are_higher(number: int, index: int, more: int, other: int) -> None:
    assert terms.make_place(number, index) < terms.make_place(number + more, other)


def test_a_term_of_the_founder_has_the_plain_indices() -> None:
    assert terms.make_place(0, 17) == 17


def test_epochs_of_a_term_are_numbered_from_its_own_number_on() -> None:
    assert [terms.first_epoch(number) for number in (0, 1, 5)] == [0, 2**32, 5 * 2**32]


@given(st.integers(0, 10_000))
def test_no_two_who_begin_a_term_after_the_same_entry_begin_the_same_one(number: int) -> None:
    numbers = [terms.host_number(number), *(terms.heir_number(number, rank) for rank in range(limits.HEIRS))]
    assert numbers == sorted(set(numbers))
    assert numbers[0] > number


def test_numbers_of_terms_tell_who_began_them() -> None:
    assert [terms.heir_number(0, rank) for rank in range(3)] == [5, 6, 7]
    assert [terms.heir_number(6, rank) for rank in range(3)] == [9, 10, 11]
    assert [terms.host_number(number) for number in (0, 3, 4, 7, 8)] == [4, 4, 8, 8, 12]


def test_terms_compare_by_number_and_then_by_host() -> None:
    assert opening(5, 9, host=BEN).term > opening(5, 3, host=ANN).term > opening(4, 99, host=EVE).term


# --- numbers of entries


@pytest.mark.parametrize(
    ("theirs", "fork", "since"),
    [
        ([], 20, None),
        ([numbering(4, 15, since=15)], 14, 15),
        ([numbering(4, 15, since=12)], 14, 12),
        ([numbering(5, 35, since=35)], 34, 35),
        ([numbering(6, 35, since=35)], 34, 35),
        ([numbering(4, 35, since=35)], 34, None),
        ([numbering(4, 35, since=28)], 34, 28),
        ([numbering(4, 35, since=35), numbering(6, 40, since=40)], 34, 35),
        ([numbering(4, 15, since=15), numbering(6, 40, since=31)], 14, 15),
    ],
    ids=[
        *(
            "nobody began a term",
            "alone",
            "with what was before",
            "the same number",
            "a higher number",
            "a lower number",
        ),
        *("a lower number, but for what was before", "a later term", "two terms"),
    ],
)
def test_numbers_are_overtaken_from_where_the_other_log_has_none_lower(
    theirs: list[Opening], fork: int, since: int | None
) -> None:
    """Ours are 0 up to the entry 29, and 5 from there on."""
    mine = [FOUNDING, numbering(5, 30, since=30)]
    assert terms.find_overtaken(mine, [FOUNDING, *theirs], fork) == since


def test_the_latest_term_that_numbers_an_entry_has_it() -> None:
    openings = [FOUNDING, numbering(5, 9, since=9), numbering(8, 12, since=4)]
    assert [terms.number_of(terms.find_place(openings, index)) for index in (3, 4, 9, 12)] == [0, 8, 8, 8]


def test_a_log_goes_over_to_one_whose_latest_term_has_a_higher_number_and_to_none_of_the_same() -> None:
    ours = opening(5, 9, host=BEN)
    assert not terms.rivals(ours, ours)
    assert not terms.rivals(opening(4, 9), ours)
    assert terms.rivals(opening(6, 9), ours)
    assert all(terms.rivals(opening(5, 8, host=other), ours) for other in (ANN, BEN, EVE))


# --- openings of others


def test_openings_are_proper_if_a_log_can_have_them() -> None:
    assert terms.are_proper([FOUNDING])
    assert terms.are_proper([FOUNDING, opening(5, 1), opening(8, 2)])
    assert terms.are_proper([FOUNDING, numbering(5, 4, since=4), numbering(8, 9, since=2)])
    assert terms.are_proper([opening(number, number) for number in range(1, limits.OPENINGS + 1)])


@pytest.mark.parametrize(
    "openings",
    [
        [],
        [opening(number, number) for number in range(1, limits.OPENINGS + 2)],
        [FOUNDING, opening(5, 4), opening(5, 6)],
        [FOUNDING, opening(5, 4), opening(9, 4)],
        [FOUNDING, opening(9, 4), opening(5, 6)],
        [FOUNDING, opening(limits.TERMS, 4)],
    ],
)
def test_openings_that_no_log_can_have_are_improper(openings: list[Opening]) -> None:
    assert not terms.are_proper(openings)


# --- where logs part


def test_logs_of_one_term_are_the_same_up_to_the_shorter_one() -> None:
    assert terms.find_fork([FOUNDING], 12, [FOUNDING], 9) == 9
    assert terms.find_fork([FOUNDING], 9, [FOUNDING], 12) == 9


def test_logs_part_where_the_first_of_them_leaves_their_latest_common_term() -> None:
    mine = [FOUNDING, opening(5, 8)]
    assert terms.find_fork(mine, 20, [FOUNDING], 5) == 5
    assert terms.find_fork(mine, 20, [FOUNDING], 30) == 7
    assert terms.find_fork(mine, 20, [FOUNDING, opening(6, 4, host=BEN)], 30) == 3
    assert terms.find_fork(mine, 20, [*mine, opening(9, 15, host=BEN)], 30) == 14


def test_a_term_is_common_only_with_the_same_entry_at_its_beginning() -> None:
    mine, theirs = [FOUNDING, opening(5, 8, digest=1)], [FOUNDING, opening(5, 8, digest=2)]
    assert terms.find_fork(mine, 20, theirs, 20) == 7


@pytest.mark.parametrize("told", [opening(9, 8), opening(5, 8, host=BEN)])
def test_a_term_is_common_only_with_the_same_number_and_host(told: Opening) -> None:
    mine = [FOUNDING, opening(5, 8)]
    assert terms.find_fork(mine, 20, [FOUNDING, told], 20) == 7
    assert terms.find_fork(mine, 20, [told], 20) is None


def test_openings_before_the_latest_few_may_be_forgotten() -> None:
    mine = [opening(number, 10 * number) for number in range(1, 9)]
    theirs = [opening(number, 10 * number) for number in range(4, 12)]
    assert terms.find_fork(mine, 500, theirs, 600) == 89


def test_logs_without_a_common_term_are_of_different_rooms() -> None:
    assert terms.find_fork([FOUNDING], 9, [opening(0, 0, digest=7)], 9) is None


@given(st.lists(st.booleans(), max_size=12), st.lists(st.booleans(), max_size=12), st.integers(0, 12))
def test_a_fork_is_where_two_histories_part(mine: list[bool], theirs: list[bool], common: int) -> None:
    """Each history says of each entry whether it begins a term; the first few entries are the same in both."""
    shared = mine[:common]
    logs = [(shared + rest[len(shared) :], side) for rest, side in ((mine, 1), (theirs, 2))]
    lists = []
    for log, side in logs:
        found = [FOUNDING]
        for index, begins in enumerate(log, 1):
            if begins:
                found.append(opening(found[-1].number + 4, index, 0 if index <= len(shared) else side))
        lists.append(found[-limits.OPENINGS :])
    fork = terms.find_fork(lists[0], len(logs[0][0]), lists[1], len(logs[1][0]))
    if fork is not None:
        assert fork >= len(shared)
        past_common = [begins for begins in (*mine[len(shared) : fork], *logs[1][0][len(shared) : fork]) if begins]
        assert not past_common
    assert fork == terms.find_fork(lists[1], len(logs[1][0]), lists[0], len(logs[0][0]))


# --- who may begin a term


def test_an_heir_begins_the_term_of_its_rank_alone() -> None:
    assert [number for number in range(30) if may_begin(BEN, number)] == [6]
    assert [number for number in range(30) if may_begin(BEN, number, before=6)] == [10]


def test_who_is_no_heir_begins_none() -> None:
    assert not any(may_begin(EVE, number) for number in range(30))
    assert not any(may_begin(ANN, number, heirs=HEIRS[1:]) for number in range(30))


def test_a_host_begins_multiples_of_four_above_its_own() -> None:
    assert [number for number in range(20) if may_begin(HOST, number, before=8)] == [12, 16]


def test_no_term_begins_too_far_above_the_one_before() -> None:
    assert may_begin(HOST, limits.TERM_JUMP)
    assert not may_begin(HOST, limits.TERM_JUMP + 4)
    assert not may_begin(HOST, limits.TERMS, before=limits.TERMS - 4)
    assert not may_begin(ANN, limits.TERMS + 1, before=limits.TERMS - 4)


@given(st.integers(0, 2_000), st.integers(0, 6_000))
def test_a_host_tops_a_challenger_in_as_few_steps_as_it_may(number: int, more: int) -> None:
    challenger, steps = number + more, 0
    while number <= challenger:
        above = terms.number_to_top(number, challenger)
        assert above is not None
        assert may_begin(HOST, above, before=number)
        number, steps = above, steps + 1
    assert number == terms.host_number(challenger)
    assert steps <= more // (limits.TERM_JUMP - 4) + 1


def test_when_there_are_no_more_numbers_nobody_is_topped() -> None:
    assert terms.number_to_top(limits.TERMS - 4, limits.TERMS - 2) is None


# --- who stands


def stands(me: bytes, linked: set[bytes], present: set[bytes], host: bytes = HOST) -> bool:
    return terms.stands(me, linked, present=present, host=host)


def test_a_host_stands_with_more_than_half_of_those_who_were_there() -> None:
    present = {HOST, ANN, BEN, CID, EVE}
    assert stands(ANN, {BEN, CID}, present)
    assert not stands(ANN, {BEN}, present)
    assert not stands(HOST, {BEN}, present)


def test_with_half_of_them_who_was_host_there_stands_and_nobody_else() -> None:
    present = {HOST, ANN, BEN, CID}
    assert stands(HOST, {CID}, present)
    assert not stands(ANN, {BEN}, present)


def test_who_was_not_there_does_not_count() -> None:
    assert not stands(ANN, {BEN, CID, EVE}, {HOST, BEN})
    assert not stands(ANN, {CID, EVE}, {HOST, ANN, BEN})


@given(st.sets(st.sampled_from([HOST, ANN, BEN, CID, EVE]), min_size=2), st.data())
def test_of_two_hosts_with_different_members_at_most_one_stands(present: set[bytes], data: st.DataObject) -> None:
    one, other = data.draw(st.permutations(sorted(present)))[:2]
    linked = data.draw(
        st.sets(st.sampled_from(sorted(present - {one, other}))) if present - {one, other} else st.just(set())
    )
    others = present - linked - {one, other}
    assert not (stands(one, linked, present, HOST) and stands(other, others, present, HOST))
