"""Whose wanted nick is held by a member who is away gets in under the nearest free one, and is told so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.names import nicks
from anonp2p.room import events
from tests.room.simulation import Simulation
from tests.support.world import Party


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def kill(room: Simulation, party: Party, seconds: float = 0.0) -> None:
    """Its program is gone, for so long."""
    room.lose(party, delivering=False)
    room.host_hears(party)
    room.members.remove(party)
    room.wait(seconds)
    room.settle()


def nick_of(party: Party) -> str:
    return party.got(events.EnteredEvent)[-1].nick if party.room.entered else ""


@pytest.mark.parametrize("wanted", ["ann", "ANN", "аnn"], ids=["same", "capitals", "Cyrillic"])
@pytest.mark.parametrize("seconds", [0.0, limits.AWAY_SECONDS, limits.PLACE_SECONDS - 1])
def test_who_wants_the_nick_of_one_who_is_away_gets_the_next_one_and_is_told(
    room: Simulation, wanted: str, seconds: float
) -> None:
    bob = room.joined("bob")
    ghost = room.joined("ann")
    kill(room, ghost, seconds)
    again = room.newcomer(wanted, re="mine")
    room.settle()
    assert nick_of(again) == f"{wanted}-2"
    assert again.got(events.NickAssignedEvent) == [
        events.NickAssignedEvent(room="r1", nick=f"{wanted}-2", wanted=wanted, free_in=600, re="mine")
    ]
    assert [joined.nick for joined in bob.got(events.JoinedEvent)] == ["ann", f"{wanted}-2"]
    assert not again.got(events.ErrorEvent)


def test_the_nick_can_be_had_once_the_place_is_given_up(room: Simulation) -> None:
    kill(room, room.joined("ann"))
    again = room.joined("ann")
    early = room.rename(again, "ann")
    room.settle()
    [error] = room.answers(again, early)
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "nick-taken"
    for _ in range(int((limits.PLACE_SECONDS + limits.COMMIT_PAUSE) / limits.HEARTBEAT) + 1):
        room.wait(limits.HEARTBEAT)
        room.settle()
    late = room.rename(again, "ann")
    room.settle()
    assert [type(event) for event in room.answers(again, late)] == [events.RenamedEvent]


def test_further_ghosts_and_members_are_passed_over(room: Simulation) -> None:
    kill(room, room.joined("ann"))
    kill(room, room.joined("ann"), limits.AWAY_SECONDS)
    room.joined("Ann-3")
    assert nick_of(room.joined("ann")) == "ann-4"
    assert nick_of(room.joined("Ann-2")) == "Ann-5", "which is held by somebody who is away as well"


def test_a_nick_of_somebody_present_is_refused_as_before(room: Simulation) -> None:
    room.joined("ann")
    late = room.joined("Ann")
    assert [error.code for error in late.got(events.ErrorEvent)] == ["nick-taken"]
    assert late.dials == 1
    host = room.joined("hugo")
    assert [error.code for error in host.got(events.ErrorEvent)] == ["nick-taken"]


def test_a_nick_like_those_of_two_of_whom_one_is_present_is_refused(room: Simulation) -> None:
    """Greek nu looks like v in small letters, and like N in capitals."""
    ghost = room.joined("vick")
    room.joined("NICK")
    kill(room, ghost)
    assert [error.code for error in room.joined("νick").got(events.ErrorEvent)] == ["nick-taken"]


def test_when_all_nicks_nearby_are_held_it_is_an_error(room: Simulation) -> None:
    for _ in range(9):
        kill(room, room.joined("ann"))
    late = room.joined("ann")
    assert [error.code for error in late.got(events.ErrorEvent)] == ["nick-taken"]
    assert late.dials == 9
    assert late.room.over


def test_who_comes_back_has_its_place_and_nick_though_others_asked_for_it(room: Simulation) -> None:
    ann = room.joined("ann")
    room.lose(ann, delivering=False)
    room.member_hears(ann)
    room.host_hears(ann)
    room.wait(limits.AWAY_SECONDS)
    other = room.newcomer("ann")
    room.settle_without(ann)
    room.settle()
    assert (nick_of(ann), nick_of(other)) == ("ann", "ann-2")
    assert len(ann.got(events.EnteredEvent)) == 1
    assert room.who(ann) == room.who(room.host)
    assert not ann.got(events.NickAssignedEvent)


def test_who_was_away_for_too_long_does_the_same(room: Simulation) -> None:
    """Somebody else has taken the nick meanwhile, and is away now."""
    ann = room.joined("ann")
    room.lose(ann, delivering=False)
    room.member_hears(ann)
    room.host_hears(ann)
    room.wait(limits.PLACE_SECONDS + limits.COMMIT_PAUSE)
    other = room.newcomer("ann")
    room.settle_without(ann)
    kill_without(room, other, ann)
    room.settle()
    assert nick_of(ann) == "ann-2"
    assert [(it.nick, it.wanted, it.free_in) for it in ann.got(events.NickAssignedEvent)] == [("ann-2", "ann", 600)]


def kill_without(room: Simulation, party: Party, absent: Party) -> None:
    room.lose(party, delivering=False)
    room.host_hears(party)
    room.members.remove(party)
    room.settle_without(absent)


any_nicks = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Mn"]) | st.sampled_from("-_.29"), max_size=20)


@given(any_nicks.filter(nicks.is_nick))
def test_alternatives_are_proper_and_alike_neither_to_each_other_nor_to_the_nick(nick: str) -> None:
    others = nicks.alternatives(nick)
    assert len(others) >= 7
    assert all(map(nicks.is_nick, others))
    looks = [nicks.narrow_looks(name) for name in (nick, *others)]
    assert sum(map(len, looks)) == len(frozenset().union(*looks))


def test_alternatives_are_numbered_and_no_longer_than_a_nick() -> None:
    assert nicks.alternatives("Ann") == [f"Ann-{number}" for number in range(2, 10)]
    assert nicks.alternatives("Ann-3") == [f"Ann-{number}" for number in (2, 4, 5, 6, 7, 8, 9)]
    assert nicks.alternatives("x" * 20)[0] == "x" * 18 + "-2"
