"""What a flood would repeat is told in few lines, and all of it in the end."""

import pytest

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.moderation_events import Knocker, WaitingEvent
from anonp2p.ui.line.floods import Floods
from tests.support.offers import offered

LATER = limits.TOLD_SELDOM


def joined(nick: str) -> events.JoinedEvent:
    return events.JoinedEvent(room="r1", member=nick, nick=nick)


def kicked(nick: str, why: str) -> events.LeftEvent:
    return events.LeftEvent(room="r1", member=nick, nick=nick, reason="kicked", why=why)


def waiting(*nicks: str) -> WaitingEvent:
    return WaitingEvent(room="r1", count=len(nicks), people=[Knocker(nick, "tag", 0) for nick in nicks])


def test_as_many_as_come_to_a_talk_are_told_one_by_one_and_of_a_flood_the_number() -> None:
    floods = Floods()
    held = [floods.hold_event(joined(f"p{n}"), 0.01 * n) for n in range(300)]
    assert held == [False] * limits.MOVES_TOLD + [True] * (300 - limits.MOVES_TOLD)
    assert floods.list_due(LATER - 1) == []
    [said] = floods.list_due(LATER)
    assert said.startswith(f"{300 - limits.MOVES_TOLD} joined, last ")
    assert floods.list_due(3 * LATER) == []
    assert not floods.hold_event(joined("ann"), 3 * LATER)


def test_those_who_come_now_and_then_are_never_a_flood() -> None:
    floods = Floods()
    for n in range(10):
        assert not any(floods.hold_event(joined(f"p{n}"), n * LATER) for _ in range(limits.MOVES_TOLD))


def test_what_else_happens_in_a_flood_is_told_by_kind() -> None:
    floods = Floods()
    for n in range(limits.MOVES_TOLD):
        floods.hold_event(joined(f"p{n}"), 0.0)
    alike = events.LookalikeEvent(room="r1", member="m", nick="a1", was="al")
    for event in (joined("ann"), kicked("ben", "ads"), kicked("cho", "ads"), kicked("dee", ""), alike):
        assert floods.hold_event(event, 1.0)
    assert not floods.hold_event(events.NoticeEvent(text="x"), 1.0)
    assert floods.hold_event(joined("eve"), LATER), "it is told after those who came before"
    joins, ads, plain, caution = floods.list_due(LATER)
    assert (joins, ads, plain) == ("ann, eve joined", "ben, cho were thrown out: ads", "dee was thrown out")
    assert caution.startswith("CAUTION: ")


def test_a_flood_of_offers_is_told_in_one_line_and_ones_own_are_none() -> None:
    floods = Floods()
    held = [floods.hold_event(offered(n, f"p{n % 3}"), n / 10_000) for n in range(10_000)]
    assert held == [False] * limits.OFFERS_TOLD + [True] * (10_000 - limits.OFFERS_TOLD)
    assert not floods.hold_event(offered(1, mine=True), 1.0)
    assert floods.list_due(LATER) == ["9,992 more files offered by 3 members: /files"]
    assert floods.list_due(3 * LATER) == []
    assert not floods.hold_event(offered(1), 3 * LATER)


def test_what_is_put_aside_is_counted() -> None:
    floods = Floods()
    floods.put_aside("b")
    assert floods.list_due(0.0) == ["1 message of a newcomer put aside: /quiet show"]
    for member in "bbc":
        floods.put_aside(member)
    assert floods.list_due(1.0) == []
    assert floods.list_due(LATER) == ["3 messages of 2 newcomers put aside: /quiet show"]


def test_who_knocks_is_told_once_and_the_rest_of_a_flood_later() -> None:
    floods = Floods()
    assert floods.hold_event(waiting("ann"), 0.0)
    [said] = floods.list_due(0.0)
    assert said.startswith("1 person waits to be let in: ann (tag); /admit NICK")
    floods.hold_event(waiting("ann", "ben"), 1.0)
    floods.hold_event(waiting("ann", "ben", "cho"), 3.0)
    assert floods.list_due(3.0) == []
    [said] = floods.list_due(LATER)
    assert said.startswith("3 people wait to be let in: ann (tag), ben (tag), cho (tag);")


def test_that_another_knocks_in_place_of_one_is_told() -> None:
    floods = Floods()
    floods.hold_event(waiting("ann"), 0.0)
    floods.list_due(0.0)
    floods.hold_event(waiting("ben"), 1.0)
    [said] = floods.list_due(LATER)
    assert "ben (tag)" in said


@pytest.mark.parametrize("then", [(), ("ann",)])
def test_that_fewer_knock_is_no_news_but_that_another_does_is(then: tuple[str, ...]) -> None:
    floods = Floods()
    floods.hold_event(waiting("ann", "ben"), 0.0)
    floods.list_due(0.0)
    floods.hold_event(waiting(*then), LATER)
    assert floods.list_due(LATER) == []
    floods.hold_event(waiting(*then, "cho"), 2 * LATER)
    assert len(floods.list_due(2 * LATER)) == 1
