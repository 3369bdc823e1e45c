"""Safety words: those who have the same log compare equal, however they came to it, and nobody else does."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.names import safety_words, words
from anonp2p.names.safety_words import Mark, Marks

MARK = limits.MARK_INTERVAL
GENESIS = b"g" * 32
ROOM, ANN, BOB = b"r" * 32, b"a" * 32, b"b" * 32


def digest(number: int) -> bytes:
    """Of the log with so many entries."""
    return hashlib.sha256(bytes([number])).digest() if number else GENESIS


def seen(*heads: tuple[int, int]) -> Marks:
    """What one who was there from the beginning has seen: times, and how many entries there were."""
    found = Marks(GENESIS)
    for time, number in heads:
        found.note_head(time, digest(number))
    return found


# --- which digest


def test_a_mark_is_every_ten_minutes() -> None:
    """7.5: "a multiple of 600,000 ms (`MARK`) of the room's time"."""
    assert MARK == 600_000


def test_the_first_mark_is_that_of_the_log_without_entries() -> None:
    """7.5: "at mark 0, that of the log without entries"."""
    assert Marks(GENESIS).latest_marks() == [Mark(0, GENESIS)]
    assert seen((0, 1), (1, 2), (MARK - 1, 3)).latest_marks() == [Mark(0, GENESIS)]


@pytest.mark.parametrize("time", [MARK, MARK + 1, MARK + 5_000, 2 * MARK - 1])
def test_the_digest_at_a_mark_is_that_of_the_last_entry_before_it(time: int) -> None:
    """7.5: "that of the last entry whose time is before it"; an entry's time is its head's (4.5)."""
    found = seen((10, 1), (MARK - 1, 2), (time, 3))
    assert found.latest_marks() == [Mark(MARK, digest(2)), Mark(0, GENESIS)]


def test_an_entry_at_the_very_time_of_a_mark_is_not_before_it() -> None:
    found = seen((10, 1), (MARK, 2), (2 * MARK, 3))
    assert found.latest_marks() == [Mark(2 * MARK, digest(2)), Mark(MARK, digest(1))]


def test_there_is_no_mark_before_a_head_has_come_from_after_it() -> None:
    """Nobody knows yet what else comes from before it."""
    found = seen((MARK - 1, 1))
    assert found.latest_marks() == [Mark(0, GENESIS)]
    found.note_head(MARK - 1, digest(2))
    found.note_head(MARK, digest(2))
    assert found.latest_marks()[0] == Mark(MARK, digest(2))


def test_the_last_two_marks_are_shown_the_newest_first() -> None:
    """7.5: "The last two marks are shown"."""
    found = seen(*((minutes * 60_000, minutes) for minutes in range(1, 36)))
    assert found.latest_marks() == [Mark(3 * MARK, digest(29)), Mark(2 * MARK, digest(19))]


@pytest.mark.parametrize("gap", [2, 3, 50])
def test_many_marks_in_a_gap_have_one_digest(gap: int) -> None:
    found = seen((10, 1), (gap * MARK + 7, 2))
    assert found.latest_marks() == [Mark(gap * MARK, digest(1)), Mark((gap - 1) * MARK, digest(1))]


def test_entries_in_one_batch_come_before_a_mark_or_after_it_together() -> None:
    found = seen((10, 1), (MARK + 1, 9), (2 * MARK + 1, 9))
    assert found.latest_marks() == [Mark(2 * MARK, digest(9)), Mark(MARK, digest(1))]


# --- members agree


def crowded(steps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Heads of a room: how much later each is, and how many entries it has more."""
    times = itertools.accumulate((later for later, _ in steps), initial=1)
    numbers = itertools.accumulate((more for _, more in steps), initial=1)
    return list(zip(times, numbers, strict=True))


steps = st.lists(st.tuples(st.integers(0, MARK * 5 // 2), st.integers(0, 2)), max_size=12)


@given(steps, st.data())
def test_members_that_see_different_idle_heads_agree(later: list[tuple[int, int]], data: st.DataObject) -> None:
    """A link that lags gets no heads without entries, and sees the next with entries; in the end they have the same."""
    heads = crowded(later)
    idle = [at for at in range(1, len(heads) - 1) if heads[at][1] == heads[at - 1][1]]
    missed = data.draw(st.sets(st.sampled_from(idle))) if idle else set()
    other = seen(*(head for at, head in enumerate(heads) if at not in missed))
    assert other.latest_marks() == seen(*heads).latest_marks()


@given(steps, st.data())
def test_one_that_came_late_shows_no_mark_that_others_have_otherwise(
    later: list[tuple[int, int]], data: st.DataObject
) -> None:
    """7.5: "but for those that were before one's own Welcome"."""
    heads = crowded(later)
    welcome = data.draw(st.integers(0, len(heads) - 1))
    time, number = heads[welcome]
    found = Marks(GENESIS)
    found.begin_at(time, digest(number), keeps=False)
    for at, more in heads[welcome + 1 :]:
        found.note_head(at, digest(more))
    everyone = seen(*heads).latest_marks()
    shown = found.latest_marks()
    assert set(shown) <= set(everyone)
    assert [mark for mark in shown if mark.time] == [mark for mark in everyone if mark.time > time]


@given(steps)
def test_marks_do_not_hang_on_a_head_that_comes_twice(later: list[tuple[int, int]]) -> None:
    heads = crowded(later)
    assert seen(*(head for head in heads for _ in "12")).latest_marks() == seen(*heads).latest_marks()


@given(steps)
def test_a_mark_is_as_the_log_was_then(later: list[tuple[int, int]]) -> None:
    """7.5, written down as it stands: the last two multiples up to the newest head, and the last entry before each."""
    heads = crowded(later)
    newest = heads[-1][0] // MARK * MARK
    expected = []
    for mark in (newest, newest - MARK):
        before = [number for time, number in heads if time < mark]
        expected += [Mark(mark, digest(before[-1] if before else 0))] if mark >= 0 else []
    assert seen(*heads).latest_marks() == expected


# --- beginning


@pytest.mark.parametrize("time", [MARK, MARK + 1, 5 * MARK, 7 * MARK + 3])
def test_of_marks_before_ones_own_welcome_none_is_shown(time: int) -> None:
    """7.5: "what the host says of them proves nothing"."""
    found = Marks(GENESIS)
    found.begin_at(time, digest(1), keeps=False)
    assert not any(mark.digest != GENESIS for mark in found.latest_marks())
    found.note_head(time // MARK * MARK + MARK, digest(2))
    assert [mark for mark in found.latest_marks() if mark.time] == [Mark(time // MARK * MARK + MARK, digest(1))]


def test_who_begins_anew_forgets_what_it_has_seen_before() -> None:
    found = seen((10, 1), (2 * MARK + 1, 2), (3 * MARK + 1, 3))
    assert [mark.time for mark in found.latest_marks()] == [3 * MARK, 2 * MARK]
    found.begin_at(3 * MARK + 5, digest(9), keeps=False)
    assert found.latest_marks() == []
    found.note_head(4 * MARK, digest(10))
    assert found.latest_marks() == [Mark(4 * MARK, digest(9))]


@pytest.mark.parametrize("proven", [False, True])
def test_marks_of_before_a_gap_stay_only_if_it_is_proven(proven: bool) -> None:
    """7.5, 7.3a"""
    found = seen((10, 1), (2 * MARK + 1, 2))
    before = found.latest_marks()
    found.begin_at(2 * MARK + 5, digest(9), keeps=proven)
    assert found.latest_marks() == (before if proven else [])
    found.note_head(3 * MARK, digest(10))
    assert found.latest_marks() == [Mark(3 * MARK, digest(9)), *before[:1]][: 1 + proven]


def test_the_log_without_entries_needs_no_seeing() -> None:
    """Its digest follows from the room's code."""
    found = Marks(GENESIS)
    found.begin_at(MARK - 5, digest(1), keeps=False)
    assert found.latest_marks() == [Mark(0, GENESIS)]


# --- words


def test_the_words_of_a_room_are_of_its_mark_and_log() -> None:
    """7.5: "the first 10 bytes of H(`anonp2p/4 words of a room` || room || digest || u64 mark)"."""
    data = b"anonp2p/4 words of a room" + ROOM + GENESIS + MARK.to_bytes(8, "big")
    told = safety_words.words_of_room(ROOM, Mark(MARK, GENESIS))
    assert told == words.spell_data(hashlib.sha256(data).digest()[:10])
    assert len(told) == 10


def test_another_room_log_or_mark_has_other_words() -> None:
    told = [
        safety_words.words_of_room(room, Mark(time, found))
        for room in (ROOM, b"q" * 32)
        for time in (0, MARK)
        for found in (GENESIS, digest(1))
    ]
    assert len(set(map(tuple, told))) == 8


def test_the_words_of_two_are_the_same_for_both() -> None:
    """7.6: "`anonp2p/4 words of two` || room || the lower of their keys || the higher"."""
    told = safety_words.words_of_two(ROOM, BOB, ANN)
    assert told == safety_words.words_of_two(ROOM, ANN, BOB)
    assert told == words.spell_data(hashlib.sha256(b"anonp2p/4 words of two" + ROOM + ANN + BOB).digest()[:10])


def test_the_words_of_others_or_elsewhere_are_others() -> None:
    pairs = [(ROOM, ANN, BOB), (ROOM, ANN, b"c" * 32), (ROOM, BOB, b"c" * 32), (b"q" * 32, ANN, BOB), (ROOM, ANN, ANN)]
    assert len({tuple(safety_words.words_of_two(*pair)) for pair in pairs}) == 5


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_whichever_asks_the_words_of_two_are_the_same(one: bytes, other: bytes) -> None:
    assert safety_words.words_of_two(ROOM, one, other) == safety_words.words_of_two(ROOM, other, one)
