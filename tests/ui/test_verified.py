"""The mark behind the nicks of those whom the user has verified."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import UNSET

from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.events import Event
from anonp2p.room.hosting_events import HeirsEvent, HostEvent, LeaveHandsOverEvent, Successor
from anonp2p.room.moderation_events import AbsentRemovedEvent, LockChangedEvent
from anonp2p.ui import wording
from anonp2p.ui.verified import VERIFIED, Verified

BEN, EVE = "key of ben", "key of eve"


def person(member: str, nick: str) -> events.Person:
    return events.Person(member=member, nick=nick, role="member", tag="t")


def verify(member: str = BEN, *, same: bool = True) -> events.VerifiedEvent:
    return events.VerifiedEvent(room="r1", member=member, nick="ben", verified=same)


def said(member: str, nick: str, **more: Any) -> events.MessageEvent:
    return events.MessageEvent(room="r1", member=member, nick=nick, text="hi", seq=1, at=0.0, **more)


def in_room(*more: Event) -> Verified:
    """A room with ben, who is verified, and eve."""
    members = [person("me", "ada"), person(BEN, "ben"), person(EVE, "eve")]
    entered = events.EnteredEvent(
        room="r1", name="demo", code="", nick="ada", member="me", role="member", members=members
    )
    verified = Verified()
    for event in (entered, verify(), *more):
        verified.take_event(event)
    return verified


HEIR: dict[str, Any] = {"member": BEN, "nick": "ben", "rank": 1, "ready": True, "holds_key": False}
HEIRS = {"host": {"member": EVE, "nick": "eve"}, "heirs": [HEIR], "holders": [HEIR, {"member": "x", "nick": None}]}


@pytest.mark.parametrize(
    "shown",
    [
        said(BEN, "ben"),
        said("me", "ada", mine=True, private=True, to="ben"),
        events.JoinedEvent(room="r1", member=BEN, nick="ben"),
        *(events.LeftEvent(room="r1", member=BEN, nick="ben", reason=why) for why in ("left", "lost", "kicked")),
        events.RenamedEvent(room="r1", member=BEN, nick="ben", was="Bob"),
        events.RenamedEvent(room="r1", member=BEN, nick="Bob", was="ben"),
        AbsentRemovedEvent(room="r1", member=BEN, nick="ben"),
        HostEvent(room="r1", member=BEN, nick="ben", cause="left"),
        LeaveHandsOverEvent(room="r1", name="demo", member=BEN, nick="ben"),
        HeirsEvent(room="r1", heirs=[Successor(BEN, "ben", True), Successor(EVE, "eve", False)]),
        events.EnteredEvent(
            room="r1", name="d", code="", nick="me", member="me", role="member", members=[person(BEN, "ben")]
        ),
        events.ReplyEvent(room="r1", command="/who", data=[person(EVE, "eve"), person(BEN, "ben")]),
        events.ReplyEvent(room="r1", command="/heirs", data=HEIRS),
        events.ReplyEvent(
            room="r1", command="/numbers", data=[{"seq": 1, "member": BEN, "nick": "ben", "words": "so"}]
        ),
        verify(),
    ],
    ids=lambda event: event.__struct_config__.tag,
)
def test_it_stands_behind_the_nick_in_whatever_is_shown_of_an_event(shown: Event) -> None:
    line = wording.format_line(in_room().mark_event(shown))
    assert f"ben{VERIFIED}" in line
    assert line.count("ben") == line.count(f"ben{VERIFIED}")
    assert f"eve{VERIFIED}" not in line


def test_what_is_to_be_typed_has_no_mark() -> None:
    alike = events.LookalikeEvent(room="r1", member=BEN, nick="ben", was="Ben")
    words = events.ReplyEvent(room="r1", command="/verify", data={"nick": "ben", "member": BEN, "words": ["apple"]})
    for event in (alike, words):
        assert in_room().mark_event(event) is event


@pytest.mark.parametrize("mark", [lambda it: it.mark(BEN), lambda it: it.mark_nick("ben")], ids=["member", "nick"])
def test_it_goes_when_the_words_turn_out_to_be_others(mark: Callable[[Verified], str]) -> None:
    verified = in_room()
    before = verified.version
    assert mark(verified) == VERIFIED
    verified.take_event(verify(same=False))
    assert mark(verified) == ""
    assert verified.version != before
    assert verified.mark_event(said(BEN, "ben")) == said(BEN, "ben")


def test_it_goes_with_its_member_from_nick_to_nick() -> None:
    verified = in_room(events.RenamedEvent(room="r1", member=BEN, nick="Bob", was="ben"))
    assert (verified.mark_nick("Bob"), verified.mark_nick("ben"), verified.mark(BEN)) == (VERIFIED, "", VERIFIED)
    assert (verified.find_member("Bob"), verified.find_member("ben")) == (BEN, "")


def test_a_mark_never_goes_to_who_takes_the_nick_of_a_verified_member() -> None:
    verified = in_room(
        events.LeftEvent(room="r1", member=BEN, nick="ben", reason="left"),
        events.JoinedEvent(room="r1", member="another", nick="ben"),
    )
    assert (verified.mark("another"), verified.mark_nick("ben")) == ("", "")
    mine = said("me", "ada", mine=True, private=True, to="ben")
    assert verified.mark_event(mine) == mine
    assert verified.mark_event(said("another", "ben")).nick == "ben"  # type: ignore[attr-defined]


def test_where_nobody_is_verified_an_event_is_left_as_it_is() -> None:
    event = said(BEN, "ben", to=UNSET)
    assert Verified().mark_event(event) is event


def test_an_event_of_somebody_verified_that_has_no_nick_is_left_as_it_is() -> None:
    for event in (
        events.AlarmEvent(room="r1", member=BEN, reason=Reason("other-at-code")),
        LockChangedEvent(room="r1", locked=True, member=BEN),
    ):
        assert in_room().mark_event(event) is event
