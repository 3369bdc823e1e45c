"""What makes one log of several programs' events, and what does not."""

from typing import Any

import pytest

from tests.support.company import AstrayError, differences, log_of, require_agreement, story


def said(place: int, text: str, **fields: Any) -> dict[str, Any]:
    """A message of the author whose nick begins its text."""
    return {"type": "message", "seq": place, "nick": text.partition(" ")[0], "text": text, "history": False, **fields}


def test_a_message_that_moved_is_where_it_moved_to() -> None:
    events = [said(1, "ada 0"), said(2, "ben 0"), {"type": "cut", "count": 1}, {"type": "moved", "was": 2, "seq": 9}]
    assert log_of(events) == {1: ("ada", "ada 0"), 9: ("ben", "ben 0")}


@pytest.mark.parametrize(
    "events",
    [
        [said(1, "ada 0"), said(1, "ben 0")],
        [said(2, "ada 0"), said(1, "ben 0")],
        [said(1, "ada 0"), {"type": "moved", "was": 2, "seq": 9}],
        [said(1, "ada 0"), said(2, "ben 0"), {"type": "moved", "was": 1, "seq": 2}],
        [said(5, "ada 0"), said(7, "ben 0"), {"type": "moved", "was": 5, "seq": 6}],
    ],
    ids=["a place twice", "places that fall", "from nowhere", "onto another", "a move that falls"],
)
def test_what_is_no_log_is_told(events: list[dict[str, Any]]) -> None:
    with pytest.raises(AstrayError):
        log_of(events)


def test_history_is_from_before_what_was_shown() -> None:
    assert list(log_of([said(5, "ada 1"), said(3, "ada 0", history=True)])) == [5, 3]


ADA, BEN = {1: ("ada", "ada 0"), 2: ("ben", "ben 0"), 4: ("ada", "ada 1")}, {2: ("ben", "ben 0"), 4: ("ada", "ada 1")}
TYPED = {"ada": ["ada 0", "ada 1"], "ben": ["ben 0"]}


def test_logs_agree_from_where_the_later_one_begins() -> None:
    require_agreement([ADA, BEN], TYPED)


def test_one_who_has_just_come_may_have_no_message_yet() -> None:
    require_agreement([{}, ADA, BEN], TYPED)


def test_messages_of_who_is_gone_may_have_been_cut() -> None:
    require_agreement([ADA | {3: ("eve", "eve 7")}, BEN], TYPED)


@pytest.mark.parametrize(
    "other",
    [
        {2: ("ada", "ada 1"), 4: ("ben", "ben 0")},
        {2: ("ben", "ben 0")},
        {2: ("ben", "ben 0"), 4: ("ada", "ada 1"), 5: ("ada", "ada 1")},
        {2: ("ben", "ben 0"), 5: ("ada", "ada 1")},
    ],
    ids=["another order", "less", "one twice", "another place"],
)
def test_logs_that_differ_are_told(other: dict[int, tuple[str, str]]) -> None:
    with pytest.raises(AstrayError):
        require_agreement([ADA, other], TYPED)


def test_a_message_that_nobody_has_is_told_and_so_is_one_that_all_have_twice() -> None:
    twice = {5: ("ben", "ben 0")}
    for logs in ([ADA, BEN], [ADA | twice, BEN | twice]):
        with pytest.raises(AstrayError):
            require_agreement(logs, TYPED | {"ben": ["ben 0", "ben 1"][: 1 + (logs[0] is ADA)]})


def test_what_differs_between_logs_is_said() -> None:
    other = {2: ("ben", "ben 0"), (5 << 32) + 4: ("ada", "ada 1"), 6: ("ada", "ada 2")}
    assert differences({"ben": BEN, "ada": ADA, "eve": BEN, "joe": other}) == [
        "ada alone has 1: 'ada 0' at 0:1",
        "joe alone has 1: 'ada 2' at 0:6",
        "joe has elsewhere than ben 1: 'ada 1' at 0:4 and 5:4",
    ]
    assert differences({"ada": ADA, "ben": BEN}) == ["ben lacks 1: 'ada 0' at 0:1"]


def test_a_story_has_what_happened_to_links_and_hosts_and_counts_the_rest() -> None:
    events = [
        said(1, "ada 0"),
        said(2, "ben 0"),
        {"type": "link", "state": "lost", "detail": "it is gone"},
        {"type": "cut", "count": 1},
        {"type": "moved", "was": 2, "seq": 9},
        {"type": "host", "nick": "ben", "cause": "merged"},
        {"type": "ready", "tor": "own"},
    ]
    assert story(events, [0.0, 1.0, 2.0, 2.5, 2.5, 3.0, 4.0], 1.0) == [
        "   1.00 link lost it is gone (after 2 message)",
        "   1.50 cut 1",
        "   2.00 host ben merged (after 1 moved)",
    ]
