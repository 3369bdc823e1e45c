"""Who changes nicks faster than people can read is told so, and nobody else is bothered."""

from anonp2p import limits
from anonp2p.core import events
from tests.core.simulation import Party, Simulation


def rename_often(room: Simulation, party: Party, times: int) -> list[events.Event]:
    """What somebody is answered who takes one nick after the other."""
    asked = [room.rename(party, f"nick{number}") for number in range(times)]
    room.settle()
    return [answer for re in asked for answer in room.answers(party, re)]


def test_a_member_that_changes_its_nick_too_often_is_denied_and_the_others_see_none_of_it() -> None:
    """4.8"""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    answers = rename_often(room, ann, limits.NICK_BURST + 2)
    assert [type(answer) for answer in answers] == [events.Renamed] * limits.NICK_BURST + [events.Error] * 2
    assert all(answer.code == "not-allowed" for answer in answers if isinstance(answer, events.Error))
    assert len(bob.got(events.Renamed)) == limits.NICK_BURST
    assert ann.people == bob.people == room.host.people
    assert not ann.room.over


def test_after_a_while_it_may_change_it_again() -> None:
    room = Simulation()
    ann = room.joined("ann")
    rename_often(room, ann, limits.NICK_BURST)
    room.wait(1 / limits.NICK_RATE)
    [answer] = rename_often(room, ann, 1)
    assert isinstance(answer, events.Renamed)


def test_a_member_has_its_own_measure() -> None:
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    rename_often(room, ann, limits.NICK_BURST + 1)
    re = room.rename(bob, "rob")
    room.settle()
    assert [type(answer) for answer in room.answers(bob, re)] == [events.Renamed]


def test_another_link_gives_no_further_nicks() -> None:
    """The measure is the member's."""
    room = Simulation()
    ann = room.joined("ann")
    rename_often(room, ann, limits.NICK_BURST)
    room.lose(ann, delivering=True)
    room.dial(ann)
    room.settle()
    [answer] = rename_often(room, ann, 1)
    assert isinstance(answer, events.Error)
