"""Who waits before a room in which moderators let people in, over a host's real room (PROTOCOL.md, 5.2a and 5.2b)."""

from typing import Any

import pytest

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import bodies, frames
from anonp2p.room import effects, events, inputs
from anonp2p.room.moderation_events import WaitingEvent
from anonp2p.room.moderation_inputs import AdmitInput, KnockInput, LockInput, RoleInput
from tests.room.host.inn import FalseMember, Inn
from tests.room.peers import ZOE, Somebody, told
from tests.support.world import host_role, payloads


@pytest.fixture
def inn() -> Inn:
    """A room with Ann and Eve in it, whose host, its first moderator, has newcomers wait."""
    inn = Inn()
    inn.takes(KnockInput(on=True))
    inn.end_batch()
    return inn


def stranger(inn: Inn, name: bytes = b"z", nick: str | None = None, at: float = 0.0) -> FalseMember:
    """One who knocks, under its name where no nick is given."""
    one = FalseMember(inn, Somebody(name))
    one.dials(at)
    one.joins(name.decode() if nick is None else nick)
    return one


def of_kind(done: list[effects.Effect], kind: type) -> list[Any]:
    return [effect for effect in done if isinstance(effect, kind)]


def waiting(inn: Inn) -> list[list[str]]:
    """What the host, who is a moderator, was told of who waits."""
    return [[person.nick for person in event.people] for event in inn.party.got(WaitingEvent)]


def members(inn: Inn) -> list[str]:
    return [member.nick for member in inn.room.replica.ledger.roster]


def ends_batch(inn: Inn, *guests: FalseMember) -> list[effects.Effect]:
    """What it does once it has nothing else to do; these read what comes on their links."""
    done = inn.takes(inputs.EndBatchInput(), inn.tick)
    for guest in guests:
        guest.takes_in(done)
    return done


def links_in_line(inn: Inn) -> list[int]:
    """The links of those who wait, as the host has them."""
    return list(host_role(inn.room).porter.knockers.links)


# --- who waits


def test_a_newcomer_waits_and_hears_nothing_but_that(inn: Inn) -> None:
    before = inn.log.end
    zoe = FalseMember(inn, ZOE)
    zoe.dials()
    done = zoe.joins("zoe")
    assert [type(effect) for effect in done] == [effects.HoldEffect, effects.SendEffect, effects.TellEffect]
    assert zoe.is_held
    assert inn.log.end == before, "nothing is ordered"
    assert host_role(inn.room).gate.links == frozenset(), "it is not half-open any more"
    inn.end_batch()
    said = [it for it in inn.ticks(60) if getattr(it, "link", 0) == zoe.link]
    sent = of_kind(said, effects.SendEffect)
    assert len(sent) == len(said) >= 60 / limits.HEARTBEAT
    for effect in sent:
        [payload] = payloads(effect.data)
        assert zoe.channel.open_record(payload) == frames.HostRecord([])


@pytest.mark.parametrize(
    ("nick", "reason"), [("ann", "nick-taken"), ("a\u0301\u0302\u0303", "bad-nick"), ("host", "bad-nick")]
)
def test_who_could_not_come_in_anyway_is_told_so_at_once(inn: Inn, nick: str, reason: str) -> None:
    """5.1 comes first."""
    zoe = stranger(inn, nick=nick)
    assert (zoe.refused, zoe.is_held) == (reason, False)


def test_nobody_gives_its_place_to_one_that_only_knocks(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    """5.11: else whoever knocks could have readers removed whose links broke."""
    monkeypatch.setattr(limits, "MEMBERS", 3)
    inn.takes(inputs.DroppedInput(inn.eve.link, "broken", 0.0))
    assert stranger(inn, at=limits.COMMIT_PAUSE).refused == "full"
    assert members(inn) == ["hugo", "ann", "eve"]


def test_where_the_room_is_locked_nobody_waits(inn: Inn) -> None:
    inn.takes(LockInput(locked=True))
    assert stranger(inn).refused == "locked"


def test_a_member_that_dials_again_does_not_wait(inn: Inn) -> None:
    inn.takes(inputs.DroppedInput(inn.ann.link, "broken", 0.0))
    inn.ann.dials()
    assert of_kind(inn.ann.joins("ann"), effects.AdmitEffect)


def test_no_two_who_wait_have_nicks_that_pass_for_one_another(inn: Inn) -> None:
    assert stranger(inn, b"z", "zoe").is_held
    assert stranger(inn, b"y", "z0e").refused == "nick-taken"
    assert stranger(inn, b"x", "zo_e").refused == "nick-taken"
    assert stranger(inn, b"w", "zora").is_held


def test_who_asks_for_no_nick_gets_one_that_nobody_has_who_waits(inn: Inn) -> None:
    key = Somebody(b"z").key
    taken = "anon-" + identity.spell_member(identity.member_id(key))[:4]
    assert stranger(inn, b"y", taken).is_held
    zoe = stranger(inn, b"z", "")
    assert zoe.is_held
    inn.ticks(3)
    assert waiting(inn)[-1] == [taken, taken + identity.spell_member(zoe.who.id)[4]]
    inn.takes(KnockInput(on=False))
    ends_batch(inn)
    assert members(inn)[3:] == [taken, taken + identity.spell_member(zoe.who.id)[4]]


def test_a_key_waits_on_one_link_the_latest_and_keeps_its_place(inn: Inn) -> None:
    zoe, bob = stranger(inn, b"z"), stranger(inn, b"y")
    first = zoe.link
    zoe.dials(10)
    done = zoe.joins("z")
    assert of_kind(done, effects.DropEffect) == [effects.DropEffect(first, "dialled-again")]
    assert zoe.is_held
    assert waiting(inn)[-1] == ["z", "y"]
    stranger(inn, b"x", at=13)
    [*_, event] = inn.party.got(WaitingEvent)
    assert [(person.nick, person.seconds) for person in event.people] == [("z", 13), ("y", 13), ("x", 0)]
    inn.takes(inputs.DroppedInput(inn.world.links[-1].number, "broken", 0.0), 13)
    assert set(links_in_line(inn)) == {zoe.link, bob.link}
    inn.takes(inputs.DroppedInput(first, "dialled-again", 0.0))
    assert set(links_in_line(inn)) == {zoe.link, bob.link}


# --- who says something


@pytest.mark.parametrize(
    "said", [[frames.AbleFrame()], [frames.SubmitFrame(0, b"x")], [frames.KeyRequestFrame(bytes(32))]], ids=repr
)
def test_who_says_more_than_that_it_is_there_waits_no_more(inn: Inn, said: list[frames.Frame]) -> None:
    zoe = stranger(inn)
    assert of_kind(zoe.sends(*said), effects.DropEffect) == [effects.DropEffect(zoe.link, "unexpected-frame")]
    assert links_in_line(inn) == []
    assert inn.ordered()[-1] == bodies.KnockBody(on=True), "nobody is a member for that"


def test_who_asks_for_answers_or_says_what_does_not_open_waits_no_more(inn: Inn) -> None:
    zoe = stranger(inn)
    assert of_kind(zoe.sends(echo=True), effects.DropEffect) == [effects.DropEffect(zoe.link, "unexpected-frame")]
    bob = stranger(inn, b"y")
    assert of_kind(bob.sends(bytes(478)), effects.DropEffect) == [effects.DropEffect(bob.link, "unreadable-record")]
    assert links_in_line(inn) == []


def test_of_who_waits_one_heartbeat_is_read_in_a_second(inn: Inn) -> None:
    zoe = stranger(inn)
    assert zoe.sends() == [effects.PauseEffect(zoe.link, limits.KNOCK_PAUSE)]


# --- of so many


def fill(inn: Inn, count: int, at: float = 0.0) -> list[FalseMember]:
    return [stranger(inn, bytes([64 + number]), f"k{number:03}x", at) for number in range(count)]


def test_nobody_gives_way_before_it_had_its_time(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KNOCKERS", 3)
    line = fill(inn, 3)
    for seconds in (0.0, limits.KNOCK_TURN - 0.1):
        for one in line:
            inn.tick = seconds
            one.sends()
        assert stranger(inn, b"y", "late", seconds).refused == "crowded"
    for one in line:
        inn.tick = limits.KNOCK_TURN
        one.sends()
    late = stranger(inn, b"y", "late", limits.KNOCK_TURN)
    assert late.is_held
    assert links_in_line(inn) == [line[1].link, line[2].link, late.link]


def test_who_gives_way_is_told_so_and_may_ask_again(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KNOCKERS", 1)
    [first] = fill(inn, 1)
    late = FalseMember(inn, Somebody(b"y"))
    late.dials(limits.KNOCK_TURN)
    done = late.joins("late")
    first.takes_in(done)
    assert (first.refused, late.is_held) == ("crowded", True)


def test_who_fell_silent_gives_way_before_all_others(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    """5.2a: and before it had its time."""
    monkeypatch.setattr(limits, "KNOCKERS", 3)
    line = fill(inn, 3)
    for one in (line[0], line[2]):
        inn.tick = 5.0
        one.sends()
    assert stranger(inn, b"y", "late", limits.KNOCK_SILENT - 0.1).refused == "crowded"
    late = stranger(inn, b"x", "later", limits.KNOCK_SILENT)
    assert late.is_held
    assert links_in_line(inn) == [line[0].link, line[2].link, late.link]


def test_who_is_gone_leaves_its_place(inn: Inn) -> None:
    zoe = stranger(inn)
    ends_batch(inn)
    inn.takes(inputs.DroppedInput(zoe.link, "silent", 15.0))
    assert links_in_line(inn) == []
    inn.ticks(3)
    assert waiting(inn) == [["z"], []]


def test_once_we_host_no_more_nobody_waits_with_us(inn: Inn) -> None:
    """They find who does."""
    zoe = stranger(inn)
    host_role(inn.room).retire()
    assert effects.DropEffect(zoe.link, "closed") in inn.takes(inputs.EndBatchInput())
    assert links_in_line(inn) == []


# --- who is let in


def test_who_is_admitted_is_welcomed_on_its_link(inn: Inn) -> None:
    zoe, bob = stranger(inn), stranger(inn, b"y")
    ends_batch(inn)
    inn.takes(AdmitInput("z", admitted=True))
    ends_batch(inn, zoe, bob)
    assert zoe.greeted
    assert isinstance(zoe.greeted[0], frames.WelcomeFrame)
    assert members(inn) == ["hugo", "ann", "eve", "z"]
    assert links_in_line(inn) == [bob.link]
    assert inn.room.replica.ledger.rights.admitted == ()
    zoe.says(bodies.TextBody("hello", action=False, reply=None))
    assert inn.ordered()[-1] == bodies.TextBody("hello", action=False, reply=None)


def test_who_is_turned_away_is_told_so_and_waits_no_more(inn: Inn) -> None:
    zoe, bob = stranger(inn), stranger(inn, b"y")
    ends_batch(inn)
    zoe.takes_in(inn.takes(AdmitInput("z", admitted=False)))
    assert zoe.refused == "turned-away"
    assert links_in_line(inn) == [bob.link]
    assert members(inn) == ["hugo", "ann", "eve"]


def test_who_was_admitted_and_lost_its_link_comes_in_at_once_when_it_is_back(inn: Inn) -> None:
    zoe = stranger(inn)
    ends_batch(inn)
    inn.takes(AdmitInput("z", admitted=True))
    inn.takes(inputs.DroppedInput(zoe.link, "broken", 0.0))
    ends_batch(inn)
    zoe.dials(1)
    zoe.joins("z")
    assert zoe.greeted
    assert members(inn)[-1] == "z"


def test_whose_nick_is_taken_by_then_is_told_so_and_stays_admitted(inn: Inn) -> None:
    zoe = stranger(inn)
    ends_batch(inn)
    inn.ann.says(bodies.NickBody("z"))
    inn.takes(AdmitInput("z", admitted=True))
    ends_batch(inn, zoe)
    assert zoe.refused == "nick-taken"
    zoe.dials(1)
    zoe.joins("z-2")
    assert members(inn) == ["hugo", "z", "eve", "z-2"]


def test_when_there_is_no_knocking_any_more_all_come_in_in_their_order(inn: Inn) -> None:
    line = [stranger(inn, name) for name in (b"x", b"z", b"y")]
    ends_batch(inn)
    inn.takes(KnockInput(on=False))
    ends_batch(inn, *line)
    assert members(inn) == ["hugo", "ann", "eve", "x", "z", "y"]
    assert all(one.greeted for one in line)
    assert links_in_line(inn) == []


def test_while_the_room_is_locked_they_go_on_waiting(inn: Inn) -> None:
    zoe = stranger(inn)
    ends_batch(inn)
    inn.takes(LockInput(locked=True))
    inn.takes(AdmitInput("z", admitted=True))
    inn.takes(KnockInput(on=False))
    ends_batch(inn, zoe)
    assert links_in_line(inn) == [zoe.link]
    assert zoe.refused is None
    inn.takes(LockInput(locked=False))
    ends_batch(inn, zoe)
    assert members(inn)[-1] == "z"


def test_they_come_in_no_faster_than_strangers_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.6"""
    monkeypatch.setattr(limits, "JOIN_BUCKET", 4)
    monkeypatch.setattr(limits, "JOIN_RATE", 1.0)
    inn = Inn()
    inn.takes(KnockInput(on=True))
    for at, name in enumerate((b"w", b"x", b"y", b"z"), 1):
        inn.ticks(20.0 * at)
        assert stranger(inn, name, at=20.0 * at).is_held
    inn.ticks(90.0)
    inn.takes(KnockInput(on=False), 90.0)
    for seconds, count in ((0.0, 2), (0.1, 3), (1.9, 3), (2.1, 4)):
        inn.ticks(90.0 + seconds)
        assert len(members(inn)) == 3 + count


def test_where_the_room_is_full_by_then_who_was_admitted_is_told_so(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    zoe = stranger(inn)
    ends_batch(inn)
    monkeypatch.setattr(limits, "MEMBERS", 3)
    inn.takes(AdmitInput("z", admitted=True))
    ends_batch(inn, zoe)
    assert zoe.refused == "full"


# --- what moderators are told


def test_a_host_that_moderates_is_told_who_waits_but_not_all_the_time(inn: Inn) -> None:
    stranger(inn, b"x")
    stranger(inn, b"y", at=0.5)
    stranger(inn, b"z", at=1.0)
    inn.ticks(limits.KNOCKERS_TOLD - 0.1)
    assert waiting(inn) == [["x"]]
    [event] = [it for it in told(inn.ticks(limits.KNOCKERS_TOLD)) if isinstance(it, WaitingEvent)]
    assert event.count == 3
    tags = [identity.short_id(Somebody(name).id) for name in (b"x", b"y", b"z")]
    assert [(it.nick, it.tag, it.seconds) for it in event.people] == [
        ("x", tags[0], 2),
        ("y", tags[1], 2),
        ("z", tags[2], 1),
    ]
    inn.ticks(60)
    assert len(waiting(inn)) == 2, "nothing has changed"


def test_another_moderator_is_told_on_its_link_when_it_changes_and_each_time_it_is_back(inn: Inn) -> None:
    inn.takes(RoleInput("ann", "moderator", "/op"))
    zoe = stranger(inn)

    def knockers(done: list[effects.Effect]) -> list[list[tuple[bytes, str, int]]]:
        said = [it for it in inn.ann.answers(done) if isinstance(it, frames.KnockersFrame)]
        return [[(person.key, person.nick, person.seconds) for person in it.people] for it in said]

    done = ends_batch(inn)
    assert knockers(done) == [[(zoe.who.key, "z", 0)]]
    assert not [it for it in inn.eve.answers(done) if isinstance(it, frames.KnockersFrame)], "she is no moderator"
    assert knockers(inn.ticks(10)) == []
    inn.takes(inputs.DroppedInput(inn.ann.link, "broken", 0.0), 10)
    inn.ann.dials(11)
    inn.ann.joins("ann")
    assert knockers(inn.ticks(14)) == [[(zoe.who.key, "z", 12)]]
    inn.takes(inputs.DroppedInput(zoe.link, "silent", 15.0), 20)
    assert knockers(inn.ticks(23)) == [[]]


def test_who_is_no_moderator_any_more_is_told_nothing(inn: Inn) -> None:
    inn.takes(RoleInput("ann", "moderator", "/op"))
    stranger(inn, b"y")
    ends_batch(inn)
    inn.takes(RoleInput("ann", "member", "/deop"))
    stranger(inn, b"z", at=5)
    done = inn.ticks(10)
    assert not [it for it in inn.ann.answers(done) if isinstance(it, frames.KnockersFrame)]
    assert waiting(inn)[-1] == ["y", "z"]


def test_a_moderator_that_does_not_host_admits_and_turns_away(inn: Inn) -> None:
    inn.takes(RoleInput("ann", "moderator", "/op"))
    zoe, bob = stranger(inn), stranger(inn, b"y")
    inn.ann.says(bodies.AdmitBody(zoe.who.key, admitted=True))
    ends_batch(inn, zoe)
    assert zoe.greeted
    bob.takes_in(inn.ann.says(bodies.AdmitBody(bob.who.key, admitted=False)))
    assert bob.refused == "turned-away"


def test_nobody_else_does(inn: Inn) -> None:
    zoe = stranger(inn)
    done = inn.ann.says(bodies.AdmitBody(zoe.who.key, admitted=True))
    assert [reason for _, reason in inn.ann.denials(done)] == ["not-allowed"]
    ends_batch(inn, zoe)
    assert links_in_line(inn) == [zoe.link]


@pytest.mark.parametrize("admitted", [True, False])
def test_who_is_named_and_does_not_wait_is_nobody(inn: Inn, *, admitted: bool) -> None:
    before = inn.log.end
    [error] = told(inn.takes(AdmitInput("zoe", admitted=admitted)))
    assert isinstance(error, events.ErrorEvent)
    assert inn.log.end == before
