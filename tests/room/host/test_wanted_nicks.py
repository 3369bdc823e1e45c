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
