"""Who is new in a room, and what of theirs is put aside."""

import msgspec
import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.moderation_events import KeptEvent, RoleEvent
from anonp2p.ui.newcomers import Newcomers

MINUTE = 60.0


def joins(member: str) -> events.JoinedEvent:
    return events.JoinedEvent(room="r1", member=member, nick=member)


def leaves(member: str) -> events.LeftEvent:
    return events.LeftEvent(room="r1", member=member, nick=member, reason="lost")


def says(member: str, seq: int = 1, **more: object) -> events.MessageEvent:
    return events.MessageEvent(room="r1", member=member, nick=member, text="hi", seq=seq, at=0.0, **more)  # type: ignore[arg-type]


def quiet(minutes: int | None = 5) -> Newcomers:
    """Of a room in which ben has come at 0, and cho was before."""
    newcomers = Newcomers()
    newcomers.minutes = minutes
    newcomers.take_event(joins("ben"), 0.0)
    return newcomers


@pytest.mark.parametrize(
    ("member", "now", "aside"), [("ben", 0, True), ("ben", 4.9, True), ("ben", 5, False), ("cho", 0, False)]
)
def test_what_is_said_in_the_first_minutes_is_put_aside(member: str, now: float, aside: bool) -> None:
    assert quiet().take_event(says(member), now * MINUTE) is aside
    assert not quiet(None).take_event(says(member), now * MINUTE)


def test_a_flood_that_was_seen_before_quiet_was_asked_for_is_put_aside_from_then_on() -> None:
    newcomers = quiet(None)
    newcomers.take_event(says("ben"), 1.0)
    newcomers.minutes = 5
    assert newcomers.take_event(says("ben"), 2.0)


def test_who_has_said_something_as_no_newcomer_is_new_no_more_by_coming_back() -> None:
    newcomers = quiet()
    for at, event in enumerate((says("cho"), leaves("cho"), joins("cho")), 1):
        newcomers.take_event(event, float(at))
    assert not newcomers.take_event(says("cho"), 5.0)
    for event in (leaves("ben"), joins("ben")):
        newcomers.take_event(event, 4 * MINUTE)
    assert newcomers.take_event(says("ben"), 6 * MINUTE)  # said nothing, so that the minutes begin again


@pytest.mark.parametrize(
    ("event", "is_new"),
    [
        (events.VerifiedEvent(room="r1", member="ben", nick="ben", verified=True), False),
        (events.VerifiedEvent(room="r1", member="ben", nick="ben", verified=False), True),
        (KeptEvent(room="r1", member="ben", nick="ben", by="ada"), False),
        (RoleEvent(room="r1", member="ben", nick="ben", role="moderator", by="ada"), False),
        (RoleEvent(room="r1", member="ben", nick="ben", role="muted", by="ada"), True),
    ],
)
def test_whom_the_user_or_a_moderator_trusts_is_not_new(event: events.Event, is_new: bool) -> None:
    newcomers = quiet()
    newcomers.take_event(event, 1.0)
    assert newcomers.take_event(says("ben"), 2.0) is is_new


def test_messages_of_newcomers_say_so_for_ten_minutes_at_least() -> None:
    def marked(newcomers: Newcomers, member: str, now: float) -> object:
        event = newcomers.mark_event(says(member), now)
        assert isinstance(event, events.MessageEvent)
        return event.newcomer

    assert limits.NEWCOMER == 10
    for minutes, until in ((None, 10), (5, 10), (20, 20)):
        assert marked(quiet(minutes), "ben", until * MINUTE - 1) is True
        assert marked(quiet(minutes), "ben", until * MINUTE) is UNSET
        assert marked(quiet(minutes), "cho", 0.0) is UNSET
    assert quiet().mark_event(joins("ben"), 0.0) == joins("ben")


def test_what_was_put_aside_can_be_read_until_it_ends() -> None:
    newcomers = quiet()
    for seq, more in ((1, {}), (2, {}), (3, {"ttl": 0}), (4, {})):
        assert newcomers.take_event(says("ben", seq, **more), 1.0)
    newcomers.take_event(events.ExpiredEvent(room="r1", seq=2), 2.0)
    newcomers.take_event(events.MovedEvent(room="r1", was=4, seq=9), 2.0)
    assert newcomers.list_aside() == [says("ben", 1), msgspec.structs.replace(says("ben"), seq=9)]
    newcomers.take_event(events.ExpiredEvent(room="r1", seq=9), 3.0)
    assert newcomers.list_aside() == [says("ben", 1)]
    newcomers.forget_author("ben")
    assert newcomers.list_aside() == []


def test_of_a_flood_the_latest_are_kept() -> None:
    newcomers = quiet()
    for seq in range(limits.ASIDE + 5):
        newcomers.take_event(says("ben", seq), 1.0)
    assert [message.seq for message in newcomers.list_aside()] == list(range(5, limits.ASIDE + 5))
