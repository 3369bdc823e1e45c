"""Who knocks, as moderators see it on the full screen: named while there is room, and never more than a few lines."""

import pytest

from anonp2p import limits
from anonp2p.room.moderation_events import Knocker, WaitingEvent
from anonp2p.ui.screen import overlays
from anonp2p.ui.screen.looks import MemberLooks
from anonp2p.ui.screen.people import People
from anonp2p.ui.screen.waiting import WaitingPeople
from anonp2p.ui.widths import width
from tests.ui.corpus import CORPUS
from tests.ui.screen.test_tab import HOSTILE, NOW, in_room, message, said, shown, take
from tests.ui.test_wording import JOINERS, is_dangerous


def knocks(*nicks: str, count: int | None = None, seconds: int = 12) -> WaitingEvent:
    people = [Knocker(nick, "tag", seconds) for nick in nicks]
    return WaitingEvent(room="r1", count=len(nicks) if count is None else count, people=people)


def drawn(waiting: WaitingPeople, columns: int = 20, now: float = NOW, *, tags: bool = False) -> list[str]:
    return ["".join(text for _, text in row).rstrip() for row in waiting.rows(columns, now, tags=tags)]


def test_those_who_wait_are_named_with_the_time_since_when() -> None:
    waiting = WaitingPeople()
    assert drawn(waiting) == []
    waiting.take_event(knocks("ann", "ben"), NOW)
    assert drawn(waiting) == [" 2 wait", " ann            12s", " ben            12s"]
    assert drawn(waiting, now=NOW + 50)[1] == " ann             1m"
    assert drawn(waiting, now=NOW + 10_000)[1] == " ann             2h"
    assert drawn(waiting, now=NOW + 10**9)[1] == " ann            99d"
    assert drawn(waiting, 30, tags=True)[1] == " ann                  12s tag"
    waiting.take_event(knocks("ann"), NOW)
    assert drawn(waiting)[0] == " 1 waits"
    waiting.clear()
    assert drawn(waiting) == []


def test_of_many_the_first_are_named() -> None:
    waiting = WaitingPeople()
    waiting.take_event(knocks(*(f"p{n}" for n in range(16)), count=64), NOW)
    rows = drawn(waiting)
    assert len(rows) == limits.WAITING_SHOWN + 2
    assert rows[-1] == f" and {64 - limits.WAITING_SHOWN} more"
    assert waiting.nicks == [f"p{n}" for n in range(16)]


@pytest.mark.parametrize("nick", CORPUS.values(), ids=CORPUS)
def test_no_nick_of_who_waits_leaves_its_row(nick: str) -> None:
    waiting = WaitingPeople()
    waiting.take_event(WaitingEvent(room="r1", count=1, people=[Knocker(nick, nick, 12)]), NOW)
    for columns, tags in ((12, False), (30, True)):
        for row in waiting.rows(columns, NOW, tags=tags):
            text = "".join(piece for _, piece in row)
            assert width(text) == columns
            assert not [character for character in text if is_dangerous(character) and character not in JOINERS]


def test_they_stand_above_the_members_where_all_of_these_are_listed() -> None:
    waiting = WaitingPeople()
    waiting.take_event(knocks(HOSTILE), NOW)
    overlay = overlays.of_members(lambda: People([], MemberLooks()), waiting, lambda: NOW)
    first = ["".join(text for _, text in row).strip() for row in overlay.build(40, 20)][:3]
    assert first[0] == "1 waits"
    assert "\x1b" not in first[1]
    assert first[2] == "0 here"


def test_in_the_log_they_take_one_line_which_goes_with_the_last_of_them() -> None:
    tab = in_room(knocks("ann"))
    assert said(tab)[-1].endswith("turns away") or "/refuse NICK turns away" in " ".join(said(tab))
    for n in range(300):
        take(tab, knocks("ann", f"p{n}"), knocks("ann"))
    assert len(shown(tab)) < 8
    take(tab, message(1), knocks("ann"))
    assert said(tab)[-1] == "hello"
    take(tab, knocks("ann", "ben"))
    assert "2 people wait" in " ".join(said(tab)[-3:])
    take(tab, message(2, "then"), knocks("ann", "cho"))
    assert "cho (tag)" in " ".join(said(tab)[-3:]), "somebody new is told below the rest"
    take(tab, knocks())
    assert said(tab)[1:] == ["hello", "then"]


def test_the_user_is_called_when_somebody_knocks_where_nobody_did() -> None:
    tab = in_room()
    assert take(tab, knocks("ann"), knocks("ann", "ben"), knocks(), knocks("cho")) == [True, False, False, True]
    tab.attention.set_level("none")
    assert take(tab, knocks(), knocks("dee")) == [False, False]
