"""What is said after what moderators do, and when many come at once."""

import dataclasses

import pytest

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.hosting_events import CodeEvent
from anonp2p.room.moderation_events import BanEvent, RoleEvent, RoleName
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.ui.advice import Advice

PLAIN = Snapshot("demo", "abc.onion", "zoe", "me", False, "ann", True, 3, 0, False, None, False)


class Room:
    """One that looks so."""

    def __init__(self, **changes: object) -> None:
        self._seen = dataclasses.replace(PLAIN, **changes)  # type: ignore[arg-type]

    def snapshot(self) -> Snapshot:
        return self._seen

    def members(self) -> list[MemberView]:
        return []

    def banned(self) -> list[str]:
        return []


def banned(by: str = "me", *, banned: bool = True) -> BanEvent:
    return BanEvent(room="r1", member="m", nick="ben", banned=banned, by=by)


@pytest.mark.parametrize(
    ("event", "room", "advised"),
    [
        (banned(), Room(), True),
        (banned("other"), Room(), False),
        (banned(banned=False), Room(), False),
        (banned(), Room(knock=True), False),
        (banned(), Room(private=True), False),
        (banned("other"), Room(member="other"), True),
        (banned(), None, False),
    ],
)
def test_who_bans_somebody_from_an_open_room_is_told_what_that_is_worth(
    event: events.Event, room: Room | None, advised: bool
) -> None:
    said = Advice().follow_event(event, 0.0, room)
    assert ("ben can come back with another" in said and "/knock on" in said) if advised else said == ""


@pytest.mark.parametrize(
    ("role", "member", "told"),
    [("moderator", "me", "/kick"), ("muted", "me", "/unmute"), ("member", "me", ""), ("moderator", "m", "")],
)
def test_who_gets_another_role_is_told_what_that_means(role: RoleName, member: str, told: str) -> None:
    event = RoleEvent(room="r1", member=member, nick="zoe", role=role, by="ann")
    said = Advice().follow_event(event, 0.0, Room())
    assert (told in said) if told else said == ""


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"private": True, "moderates": True}, True), ({"private": True}, False), ({"moderates": True}, False)],
)
def test_moderators_learn_that_invitations_to_the_code_before_lead_nowhere(
    changes: dict[str, object], told: bool
) -> None:
    said = Advice().follow_event(CodeEvent(room="r1", code="b"), 0.0, Room(**changes))
    assert ("/invite makes new ones" in said) is told


def said_of(times: list[float], **changes: object) -> list[str]:
    """What is said as somebody comes at each of these times, where it is anything."""
    advice, room = Advice(), Room(**changes)
    joined = [events.JoinedEvent(room="r1", member=f"m{n}", nick=f"p{n}") for n in range(len(times))]
    return [said for event, at in zip(joined, times, strict=True) if (said := advice.follow_event(event, at, room))]


def test_that_many_come_at_once_is_said_once_with_what_to_do() -> None:
    raid = [n * limits.RAID_SECONDS / limits.RAID_JOINS for n in range(300)]
    [said] = said_of(raid)
    assert "/quiet" in said
    assert "/raid" not in said
    [said] = said_of(raid, moderates=True)
    assert "/raid and then /purge 1m" in said
    assert len(said_of([*raid, *(limits.RAID_WARNED + at for at in raid)])) == 2


def test_that_people_come_as_to_any_talk_is_not() -> None:
    assert said_of([0.0] * (limits.RAID_JOINS - 1)) == []
    assert said_of([n * 2 * limits.RAID_SECONDS / limits.RAID_JOINS for n in range(300)]) == []
