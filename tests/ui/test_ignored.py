"""Members whose messages the user does not want to see."""

import pytest

from anonp2p.errors import NoSuchNick
from anonp2p.room import events
from anonp2p.room.snapshot import MemberView
from anonp2p.ui.errors import IgnoresItself, NobodyIgnored
from anonp2p.ui.ignored import Ignored, find_ignored
from tests.support.offers import offered


def says(member: str, nick: str) -> events.MessageEvent:
    return events.MessageEvent(room="r1", member=member, nick=nick, text="hi", seq=1, at=0.0)


def view(member: str, nick: str, *, mine: bool = False) -> MemberView:
    return MemberView(member=member, nick=nick, role="member", tag=member, away=False, mine=mine)


def test_another_nick_does_not_help_who_is_ignored_nor_harm_who_takes_the_nick() -> None:
    ignored = Ignored()
    ignored.add_member("b", "ben")
    assert ignored.hides(says("b", "ben"))
    assert not ignored.hides(says("c", "ben"))
    assert not ignored.hides(events.RenamedEvent(room="r1", member="b", was="ben", nick="Bob"))
    assert ignored.hides(says("b", "Bob"))
    assert ignored.nicks == ["Bob"]


def test_only_what_is_said_is_hidden() -> None:
    ignored = Ignored()
    ignored.add_member("b", "ben")
    for event in (
        events.JoinedEvent(room="r1", member="b", nick="ben"),
        events.LeftEvent(room="r1", member="b", nick="ben", reason="left"),
    ):
        assert not ignored.hides(event)


def test_no_file_of_theirs_is_shown_or_listed() -> None:
    ignored = Ignored()
    ignored.add_member("b", "ben")
    assert ignored.hides(offered(member="b"))
    assert not ignored.hides(offered(member="c"))
    rows = [{"member": "b", "offer": 1}, {"member": "c", "offer": 2}]
    assert ignored.keep_shown(rows) == rows[1:]


def test_one_can_be_ignored_no_more() -> None:
    ignored = Ignored()
    ignored.add_member("b", "Ben")
    with pytest.raises(NobodyIgnored):
        ignored.remove_nick("cho")
    ignored.remove_nick("bEN")
    assert not ignored.hides(says("b", "Ben"))


def test_one_ignores_a_member_who_is_there_and_not_oneself() -> None:
    people = [view("a", "ada", mine=True), view("b", "Ben")]
    assert find_ignored(people, "ben") is people[1]
    with pytest.raises(IgnoresItself):
        find_ignored(people, "ADA")
    with pytest.raises(NoSuchNick):
        find_ignored(people, "cho")
