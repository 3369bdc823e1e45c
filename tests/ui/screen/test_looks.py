"""How members are told apart: by colours in the order of joining, and by nicks that fit."""

import pytest

from anonp2p import limits
from anonp2p.room import events
from anonp2p.ui.screen import palette
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.widths import width

LONG = "margarethe-of-town"


def with_members(count: int) -> MemberLooks:
    looks = MemberLooks()
    looks.enter_all((f"m{number}", f"nick{number}") for number in range(count))
    return looks


def styles(looks: MemberLooks, *numbers: int) -> list[str]:
    return [looks.style(f"m{number}") for number in numbers]


def test_the_first_eight_share_no_colour() -> None:
    assert len(set(styles(with_members(8), *range(8)))) == palette.HUES == 8


def test_more_share_the_colours_evenly() -> None:
    shared = styles(with_members(24), *range(24))
    assert {shared.count(style) for style in shared} == {3}


def test_a_newcomer_has_a_free_colour_of_which_the_one_given_longest_ago() -> None:
    looks = with_members(3)
    looks.leave_member("m1")
    looks.enter_member("m3", "dan")
    assert len(set(styles(looks, 0, 1, 2, 3))) == 4  # what the one who left had said is not taken for the newcomer's
    for number in range(4, 9):
        looks.enter_member(f"m{number}", "x")
    assert styles(looks, 8) == styles(looks, 1)  # by then no other is free


def test_an_author_of_before_has_a_colour_too() -> None:
    looks = with_members(2)
    looks.note_author("gone", "gus")
    assert len({looks.style("gone"), *styles(looks, 0, 1)}) == 3
    looks.note_author("m1", "nick1")
    assert looks.style("m1") == palette.nick_style(1)


def test_who_is_here_twice_keeps_the_colour() -> None:
    looks = with_members(3)
    before = styles(looks, 0, 1, 2)
    looks.enter_all((f"m{number}", "x") for number in (2, 0, 3))
    assert styles(looks, 0, 2) == [before[0], before[2]]


def test_a_nick_that_fits_is_whole() -> None:
    assert MemberLooks().shorten(LONG, "m", len(LONG)) == LONG


def test_a_longer_one_ends_in_an_ellipsis() -> None:
    looks = MemberLooks()
    looks.note_nick(LONG)
    assert looks.shorten(LONG, "abcdefghijkl", 14) == "margarethe-of…"


@pytest.mark.parametrize("other", ["margarethe-of-ulm", "mаrgarethe-of-ulm", "MARGARETHE-OF-ULM"])
def test_where_it_could_be_anothers_a_tag_says_whose_it_is(other: str) -> None:
    looks = MemberLooks()
    looks.note_nick(LONG)
    before = looks.version
    looks.shorten(LONG, "abcdefghijkl", 14)
    looks.note_nick(other)
    assert looks.version > before  # what was drawn without a tag is drawn anew
    assert looks.shorten(LONG, "abcdefghijkl", 14) == "marga…abcdefgh"
    assert looks.shorten(other, "zyxwvutsrqpo", 14) == f"{other[:5]}…zyxwvuts"


@pytest.mark.parametrize("columns", range(8, 20))
def test_none_is_wider_than_its_column(columns: int) -> None:
    looks = MemberLooks()
    for nick in ("日" * 20, "日" * 19 + "本", "a" * 20, "a" * 19 + "b"):
        looks.note_nick(nick)
    for nick in ("日" * 20, "a" * 20):
        assert width(looks.shorten(nick, "abcdefghijkl", columns)) <= columns


def test_no_more_is_kept_than_the_bounds_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOOKS", 10)
    looks = with_members(3)
    for number in range(50):
        looks.note_author(f"gone{number}", f"somebody-else-{number}")
    assert sum(looks.style(f"gone{number}") != palette.nick_style(0) for number in range(43)) == 0
    assert len(set(styles(looks, 0, 1, 2))) == 3
    assert looks.shorten("somebody-else-49", "abcdefghijkl", 15) == "somebo…abcdefgh"


def test_who_is_verified_has_a_mark_that_fits_into_the_column() -> None:
    looks = with_members(2)
    before = looks.version
    looks.verified.take_event(events.VerifiedEvent(room="r1", member="m1", nick="nick1", verified=True))
    assert looks.version != before
    assert looks.shorten("nick1", "m1", 14) == "nick1✓"
    assert looks.shorten("nick0", "m0", 14) == "nick0"
    long = "a-very-long-nick-1"
    looks.note_nick(long)
    assert width(looks.shorten(long, "m1", 14)) == 14
    assert looks.shorten(long, "m1", 14).endswith("✓")
    looks.verified.take_event(events.VerifiedEvent(room="r1", member="m1", nick="nick1", verified=False))
    assert looks.shorten("nick1", "m1", 14) == "nick1"
