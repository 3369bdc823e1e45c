"""What a moderator types, and what everyone is told of it."""

from collections.abc import Callable
from functools import partial

import pytest
from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.errors import NoSuchNick
from anonp2p.room import events
from anonp2p.room.errors import (
    AlreadyModerator,
    FormerModerator,
    HostModerates,
    HostStays,
    KickSelf,
    KnockOff,
    ModeratorsOnly,
    Muted,
    NobodyBanned,
    NobodyToPurge,
    NoModerator,
    NotMuted,
    RaidOff,
    RoomSlow,
    SlowUnchanged,
)
from anonp2p.room.moderation_events import BanEvent, KnockChangedEvent, LockChangedEvent, RoleEvent, SlowChangedEvent
from anonp2p.room.moderation_inputs import (
    AnyModerationInput,
    KeepInput,
    KickInput,
    KnockInput,
    LockInput,
    PurgeInput,
    RaidInput,
    RoleInput,
    SlowInput,
    UnbanInput,
)
from tests.room.peers import kinds
from tests.room.simulation import Simulation
from tests.support.world import Party

Ask = Callable[..., AnyModerationInput]  # makes an input


@pytest.fixture
def room() -> Simulation:
    """Hugo has founded it; Ann is a moderator too, Bob and Cat are none."""
    room = Simulation()
    for nick in ("ann", "bob", "cat"):
        room.joined(nick)
    room.moderate(room.host, RoleInput, "ann", "moderator", "/op")
    room.settle()
    return room


def party(room: Simulation, nick: str) -> Party:
    return next(it for it in (room.host, *room.members) if it.room.snapshot().nick == nick)


def error_of(room: Simulation, who: Party, asked: Ask, *about: object) -> errors.AnonError:
    """Why that comes to nothing; nothing is ordered then."""
    index = room.host.room.index
    [error] = room.answers(who, room.moderate(who, asked, *about))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == error.text.code
    room.settle()
    assert room.host.room.index == index
    return error.text


ALL: list[tuple[Ask, tuple[object, ...]]] = [
    (KickInput, ("cat",)),
    (UnbanInput, ("cat",)),
    (PurgeInput, (60,)),
    (KeepInput, ("cat",)),
    (RoleInput, ("cat", "muted", "/mute")),
    (LockInput, (True,)),
    (KnockInput, (True,)),
    (SlowInput, (10,)),
    (RaidInput, (True,)),
]


@pytest.mark.parametrize(("asked", "about"), ALL, ids=lambda it: getattr(it, "__name__", ""))
def test_only_moderators_moderate(room: Simulation, asked: Ask, about: tuple[object, ...]) -> None:
    assert error_of(room, party(room, "bob"), asked, *about) == ModeratorsOnly()


def test_a_moderator_that_does_not_host_throws_out_and_all_are_told(room: Simulation) -> None:
    ann, cat = party(room, "ann"), party(room, "cat")
    re = room.moderate(ann, KickInput, "cat", "spam")
    room.settle()
    [left] = room.answers(ann, re)
    assert isinstance(left, events.LeftEvent)
    assert (left.nick, left.reason, left.why) == ("cat", "kicked", "spam")
    assert [it.why for it in party(room, "bob").got(events.LeftEvent)] == ["spam"]
    assert [it.reason for it in cat.got(events.GoneEvent)] == ["kicked"]
    assert list(room.who(room.host).values()) == ["hugo", "ann", "bob"]


def test_a_ban_is_told_before_who_is_banned_is_out(room: Simulation) -> None:
    ann = party(room, "ann")
    re = room.moderate(ann, KickInput, "cat", "")
    room.settle()
    assert kinds(room.answers(ann, re)) == ["LeftEvent"]
    re = room.moderate(ann, partial(KickInput, ban=True), "bob")
    room.settle()
    assert kinds(room.answers(ann, re)) == ["BanEvent", "LeftEvent"]
    assert ann.room.banned() == ["bob"]
    re = room.moderate(ann, UnbanInput, "BOB")
    room.settle()
    [lifted] = room.answers(ann, re)
    assert isinstance(lifted, BanEvent)
    assert (lifted.nick, lifted.banned) == ("bob", False)
    assert error_of(room, ann, UnbanInput, "bob") == NobodyBanned()


@pytest.mark.parametrize(
    ("who", "asked", "about", "error"),
    [
        ("ann", KickInput, ("zoe",), NoSuchNick()),
        ("ann", KickInput, ("ann",), KickSelf()),
        ("ann", KickInput, ("hugo",), HostStays()),
        ("hugo", KeepInput, ("zoe",), NoSuchNick()),
        ("hugo", RoleInput, ("ann", "moderator", "/op"), AlreadyModerator()),
        ("hugo", RoleInput, ("bob", "member", "/deop"), NoModerator()),
        ("hugo", RoleInput, ("bob", "member", "/unmute"), NotMuted()),
        ("ann", RoleInput, ("hugo", "muted", "/mute"), HostStays()),
        ("ann", RoleInput, ("hugo", "member", "/deop"), FormerModerator()),
        ("ann", KnockInput, (False,), KnockOff()),
        ("ann", SlowInput, (0,), SlowUnchanged()),
        ("ann", RaidInput, (False,), RaidOff()),
        ("ann", UnbanInput, ("bob",), NobodyBanned()),
        ("ann", PurgeInput, (0,), NobodyToPurge()),
    ],
)
def test_what_is_wrong_with_a_command_is_said_in_one_sentence(
    room: Simulation,
    who: str,
    asked: Ask,
    about: tuple[object, ...],
    error: errors.AnonError,
) -> None:
    room.tick += 1
    assert error_of(room, party(room, who), asked, *about) == error


def test_a_purge_throws_out_who_came_lately_but_moderators_and_those_who_are_kept(room: Simulation) -> None:
    room.wait(100)
    for nick in ("dan", "eli", "fay"):
        room.joined(nick)
    ann = party(room, "ann")
    room.moderate(ann, KeepInput, "eli")
    room.moderate(ann, RoleInput, "fay", "moderator", "/op")
    room.settle()
    room.moderate(ann, PurgeInput, 50)
    room.settle()
    assert list(room.who(room.host).values()) == ["hugo", "ann", "bob", "cat", "eli", "fay"]
    assert room.host.room.snapshot().epoch == 1, "all of them by one commit"


def test_a_raid_is_told_with_all_that_it_causes(room: Simulation) -> None:
    ann, bob = party(room, "ann"), party(room, "bob")
    re = room.moderate(ann, RaidInput, True)
    room.settle()
    told = ["RaidChangedEvent", "LockChangedEvent", "KnockChangedEvent", "SlowChangedEvent"]
    assert kinds(room.answers(ann, re)) == told == kinds(bob.told)[-4:]
    now = bob.room.snapshot()
    assert (now.raid, now.locked, now.knock, now.slow, now.moderates) == (True, True, True, limits.RAID_SLOW, False)
    room.moderate(room.host, RaidInput, False)
    room.settle()
    assert kinds(bob.told)[-4:] == told
    assert not bob.room.snapshot().raid
    caused = bob.got(LockChangedEvent) + bob.got(KnockChangedEvent) + bob.got(SlowChangedEvent)
    assert [it.raid for it in caused] == [True] * 6
    room.moderate(ann, LockInput, True)
    room.settle()
    assert bob.got(LockChangedEvent)[-1].raid is UNSET


def test_roles_are_told_and_shown(room: Simulation) -> None:
    bob = party(room, "bob")
    assert [(it.nick, it.role) for it in bob.got(RoleEvent)] == [("ann", "moderator")]
    room.moderate(room.host, RoleInput, "cat", "muted", "/mute")
    room.settle()
    assert [(it.nick, it.role, it.moderator) for it in bob.room.members()] == [
        ("hugo", "host", True),
        ("ann", "moderator", True),
        ("bob", "member", False),
        ("cat", "muted", False),
    ]
    assert [it.role for it in bob.room.people()] == ["host", "moderator", "member", "muted"]


def test_the_host_moderates_once_nobody_else_does_and_cannot_step_down(room: Simulation) -> None:
    ann = party(room, "ann")
    room.moderate(room.host, RoleInput, "hugo", "member", "/deop")
    room.settle()
    re = room.moderate(ann, RoleInput, "ann", "member", "/deop")
    room.settle()
    told = [it for it in room.answers(ann, re) if isinstance(it, RoleEvent)]
    assert [(it.nick, it.role) for it in told] == [("ann", "member"), ("hugo", "moderator")]
    room.moderate(room.host, RoleInput, "bob", "moderator", "/op")
    room.settle()
    room.moderate(party(room, "bob"), RoleInput, "bob", "member", "/deop")
    room.settle()
    assert error_of(room, room.host, RoleInput, "hugo", "member", "/deop") == HostModerates()


def test_a_muted_one_is_told_at_once_and_its_text_comes_back(room: Simulation) -> None:
    room.moderate(room.host, RoleInput, "cat", "muted", "/mute")
    room.settle()
    cat = party(room, "cat")
    for re in (room.say(cat, "hello"), room.whisper(cat, "ann", "hello")):
        error, unsent = room.answers(cat, re)
        assert isinstance(error, events.ErrorEvent)
        assert error.text == Muted()
        assert isinstance(unsent, events.UnsentEvent)
    [error] = room.answers(cat, room.rename(cat, "tom"))
    assert isinstance(error, events.ErrorEvent)


def test_what_was_on_its_way_when_its_author_was_muted_comes_back(room: Simulation) -> None:
    cat = party(room, "cat")
    res = [room.say(cat, words) for words in ("one", "two")]
    room.moderate(room.host, RoleInput, "cat", "muted", "/mute")
    room.settle()
    for re in res:
        assert kinds(room.answers(cat, re)) == ["ErrorEvent", "UnsentEvent"]
    assert not cat.room.outstanding
    assert not party(room, "bob").got(events.MessageEvent)
    room.moderate(room.host, RoleInput, "cat", "member", "/unmute")
    room.settle()
    room.say(cat, "three")
    room.settle()
    assert [it.text for it in party(room, "bob").got(events.MessageEvent)] == ["three"]


def test_in_a_slow_room_what_comes_too_soon_comes_back(room: Simulation) -> None:
    room.moderate(room.host, SlowInput, 10)
    room.settle()
    bob = party(room, "bob")
    first, second = room.say(bob, "one"), room.say(bob, "two")
    room.settle()
    assert kinds(room.answers(bob, first)) == ["MessageEvent"]
    error, _ = room.answers(bob, second)
    assert isinstance(error, events.ErrorEvent)
    assert error.text == RoomSlow()
    room.wait(10.1)
    room.settle()
    third = room.say(bob, "three")
    room.settle()
    assert kinds(room.answers(bob, third)) == ["MessageEvent"]
    assert kinds(party(room, "cat").told).count("MessageEvent") == 2


def test_a_moderator_that_does_not_host_closes_the_room(room: Simulation) -> None:
    ann = party(room, "ann")
    re = room.leave(ann, close=True)
    room.settle()
    [gone] = room.answers(ann, re)[-1:]
    assert isinstance(gone, events.GoneEvent)
    for one in (room.host, ann):
        assert [it.reason for it in one.got(events.GoneEvent)] == ["closed"]
    assert all(it.room.over for it in (room.host, *room.members))
