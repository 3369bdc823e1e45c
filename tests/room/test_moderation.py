"""What a moderator types, and what everyone is told of it."""

from collections.abc import Callable
from functools import partial

import pytest

from anonp2p import errors, limits
from anonp2p.room import events, inputs
from tests.room.peers import kinds
from tests.room.simulation import Simulation
from tests.support.world import Party


@pytest.fixture
def room() -> Simulation:
    """Hugo has founded it; Ann is a moderator too, Bob and Cat are none."""
    room = Simulation()
    for nick in ("ann", "bob", "cat"):
        room.joined(nick)
    room.moderate(room.host, inputs.RoleInput, "ann", "moderator", "/op")
    room.settle()
    return room


def party(room: Simulation, nick: str) -> Party:
    return next(it for it in (room.host, *room.members) if it.room.snapshot().nick == nick)


def error_of(room: Simulation, who: Party, asked: Callable[..., inputs.Moderation], *about: object) -> errors.AnonError:
    """Why that comes to nothing; nothing is ordered then."""
    index = room.host.room.index
    [error] = room.answers(who, room.moderate(who, asked, *about))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == error.text.code
    room.settle()
    assert room.host.room.index == index
    return error.text


ALL: list[tuple[Callable[..., inputs.Moderation], tuple[object, ...]]] = [
    (inputs.KickInput, ("cat",)),
    (inputs.UnbanInput, ("cat",)),
    (inputs.PurgeInput, (60,)),
    (inputs.KeepInput, ("cat",)),
    (inputs.RoleInput, ("cat", "muted", "/mute")),
    (inputs.LockInput, (True,)),
    (inputs.KnockInput, (True,)),
    (inputs.SlowInput, (10,)),
    (inputs.RaidInput, (True,)),
]


@pytest.mark.parametrize(("asked", "about"), ALL, ids=lambda it: getattr(it, "__name__", ""))
def test_only_moderators_moderate(
    room: Simulation, asked: Callable[..., inputs.Moderation], about: tuple[object, ...]
) -> None:
    assert error_of(room, party(room, "bob"), asked, *about) == errors.ModeratorsOnly()


def test_a_moderator_that_does_not_host_throws_out_and_all_are_told(room: Simulation) -> None:
    ann, cat = party(room, "ann"), party(room, "cat")
    re = room.moderate(ann, inputs.KickInput, "cat", "spam")
    room.settle()
    [left] = room.answers(ann, re)
    assert isinstance(left, events.LeftEvent)
    assert (left.nick, left.reason, left.why) == ("cat", "kicked", "spam")
    assert [it.why for it in party(room, "bob").got(events.LeftEvent)] == ["spam"]
    assert [it.reason for it in cat.got(events.GoneEvent)] == ["kicked"]
    assert list(room.who(room.host).values()) == ["hugo", "ann", "bob"]


def test_a_ban_is_told_before_who_is_banned_is_out(room: Simulation) -> None:
    ann = party(room, "ann")
    re = room.moderate(ann, inputs.KickInput, "cat", "")
    room.settle()
    assert kinds(room.answers(ann, re)) == ["LeftEvent"]
    re = room.moderate(ann, partial(inputs.KickInput, ban=True), "bob")
    room.settle()
    assert kinds(room.answers(ann, re)) == ["BanEvent", "LeftEvent"]
    re = room.moderate(ann, inputs.UnbanInput, "BOB")
    room.settle()
    [lifted] = room.answers(ann, re)
    assert isinstance(lifted, events.BanEvent)
    assert (lifted.nick, lifted.banned) == ("bob", False)
    assert error_of(room, ann, inputs.UnbanInput, "bob") == errors.NobodyBanned()


@pytest.mark.parametrize(
    ("who", "asked", "about", "error"),
    [
        ("ann", inputs.KickInput, ("zoe",), errors.NoSuchNick()),
        ("ann", inputs.KickInput, ("ann",), errors.KickSelf()),
        ("ann", inputs.KickInput, ("hugo",), errors.HostStays()),
        ("hugo", inputs.KeepInput, ("zoe",), errors.NoSuchNick()),
        ("hugo", inputs.RoleInput, ("ann", "moderator", "/op"), errors.AlreadyModerator()),
        ("hugo", inputs.RoleInput, ("bob", "member", "/deop"), errors.NoModerator()),
        ("hugo", inputs.RoleInput, ("bob", "member", "/unmute"), errors.NotMuted()),
        ("ann", inputs.RoleInput, ("hugo", "muted", "/mute"), errors.HostStays()),
        ("ann", inputs.RoleInput, ("hugo", "member", "/deop"), errors.FormerModerator()),
        ("ann", inputs.KnockInput, (False,), errors.KnockOff()),
        ("ann", inputs.SlowInput, (0,), errors.SlowUnchanged()),
        ("ann", inputs.RaidInput, (False,), errors.RaidOff()),
        ("ann", inputs.UnbanInput, ("bob",), errors.NobodyBanned()),
        ("ann", inputs.PurgeInput, (0,), errors.NobodyToPurge()),
    ],
)
def test_what_is_wrong_with_a_command_is_said_in_one_sentence(
    room: Simulation,
    who: str,
    asked: Callable[..., inputs.Moderation],
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
    room.moderate(ann, inputs.KeepInput, "eli")
    room.moderate(ann, inputs.RoleInput, "fay", "moderator", "/op")
    room.settle()
    room.moderate(ann, inputs.PurgeInput, 50)
    room.settle()
    assert list(room.who(room.host).values()) == ["hugo", "ann", "bob", "cat", "eli", "fay"]
    assert room.host.room.snapshot().epoch == 1, "all of them by one commit"


def test_a_raid_is_told_with_all_that_it_causes(room: Simulation) -> None:
    ann, bob = party(room, "ann"), party(room, "bob")
    re = room.moderate(ann, inputs.RaidInput, True)
    room.settle()
    told = ["RaidChangedEvent", "LockChangedEvent", "KnockChangedEvent", "SlowChangedEvent"]
    assert kinds(room.answers(ann, re)) == told == kinds(bob.told)[-4:]
    now = bob.room.snapshot()
    assert (now.raid, now.locked, now.knock, now.slow, now.moderates) == (True, True, True, limits.RAID_SLOW, False)
    room.moderate(room.host, inputs.RaidInput, False)
    room.settle()
    assert kinds(bob.told)[-4:] == told
    assert not bob.room.snapshot().raid


def test_roles_are_told_and_shown(room: Simulation) -> None:
    bob = party(room, "bob")
    assert [(it.nick, it.role) for it in bob.got(events.RoleEvent)] == [("ann", "moderator")]
    room.moderate(room.host, inputs.RoleInput, "cat", "muted", "/mute")
    room.settle()
    assert [(it.nick, it.role, it.moderator) for it in bob.room.members()] == [
        ("hugo", "host", True),
        ("ann", "moderator", True),
        ("bob", "member", False),
        ("cat", "muted", False),
    ]
    assert [it.role for it in bob.room.people()] == ["host", "moderator", "member", "muted"]


def test_a_muted_one_is_told_at_once_and_its_text_comes_back(room: Simulation) -> None:
    room.moderate(room.host, inputs.RoleInput, "cat", "muted", "/mute")
    room.settle()
    cat = party(room, "cat")
    for re in (room.say(cat, "hello"), room.whisper(cat, "ann", "hello")):
        error, unsent = room.answers(cat, re)
        assert isinstance(error, events.ErrorEvent)
        assert error.text == errors.Muted()
        assert isinstance(unsent, events.UnsentEvent)
    [error] = room.answers(cat, room.rename(cat, "tom"))
    assert isinstance(error, events.ErrorEvent)


def test_what_was_on_its_way_when_its_author_was_muted_comes_back(room: Simulation) -> None:
    cat = party(room, "cat")
    res = [room.say(cat, words) for words in ("one", "two")]
    room.moderate(room.host, inputs.RoleInput, "cat", "muted", "/mute")
    room.settle()
    for re in res:
        assert kinds(room.answers(cat, re)) == ["ErrorEvent", "UnsentEvent"]
    assert not cat.room.outstanding
    assert not party(room, "bob").got(events.MessageEvent)
    room.moderate(room.host, inputs.RoleInput, "cat", "member", "/unmute")
    room.settle()
    room.say(cat, "three")
    room.settle()
    assert [it.text for it in party(room, "bob").got(events.MessageEvent)] == ["three"]


def test_in_a_slow_room_what_comes_too_soon_comes_back(room: Simulation) -> None:
    room.moderate(room.host, inputs.SlowInput, 10)
    room.settle()
    bob = party(room, "bob")
    first, second = room.say(bob, "one"), room.say(bob, "two")
    room.settle()
    assert kinds(room.answers(bob, first)) == ["MessageEvent"]
    error, _ = room.answers(bob, second)
    assert isinstance(error, events.ErrorEvent)
    assert error.text == errors.RoomSlow()
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
    assert [it.reason for it in room.host.got(events.GoneEvent)] == ["closed"]
    assert all(it.room.over for it in (room.host, *room.members))
