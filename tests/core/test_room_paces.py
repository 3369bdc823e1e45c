"""Who changes nicks, or writes to one, faster than people can read is told so, and nobody else is bothered."""

from anonp2p import limits
from anonp2p.core import events
from tests.core.peers import kinds
from tests.core.simulation import Party, Simulation


def rename_often(room: Simulation, party: Party, times: int) -> list[events.Event]:
    """What somebody is answered who takes one nick after the other."""
    asked = [room.rename(party, f"nick{number}") for number in range(times)]
    room.settle()
    return [answer for re in asked for answer in room.answers(party, re)]


def test_a_member_that_changes_its_nick_too_often_is_denied_and_the_others_see_none_of_it() -> None:
    """5.8"""
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


def whisper_often(room: Simulation, party: Party, nick: str, times: int) -> list[list[events.Event]]:
    """What somebody is answered who writes one private message after the other."""
    asked = [room.whisper(party, nick, f"text {number}") for number in range(times)]
    room.settle()
    return [room.answers(party, re) for re in asked]


def test_a_member_that_writes_to_one_too_often_is_denied_and_its_text_given_back() -> None:
    """5.8"""
    room = Simulation()
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    answers = whisper_often(room, ann, "bob", limits.PRIVATE_BURST + 2)
    assert [kinds(answer) for answer in answers] == [["Message"]] * limits.PRIVATE_BURST + [["Error", "Unsent"]] * 2
    given_back = [event.text for answer in answers for event in answer if isinstance(event, events.Unsent)]
    assert given_back == [f"/msg bob text {number}" for number in range(limits.PRIVATE_BURST, limits.PRIVATE_BURST + 2)]
    assert all(answer[0].code == "not-allowed" for answer in answers if isinstance(answer[0], events.Error))
    texts = [message.text for message in bob.got(events.Message) if message.private]
    assert texts == [f"text {number}" for number in range(limits.PRIVATE_BURST)]
    assert not eve.got(events.Message)
    room.say(ann, "to all")
    room.settle()
    assert [message.text for message in eve.got(events.Message)] == ["to all"]
    assert not room.drops


def test_after_a_while_it_may_write_to_one_again() -> None:
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    whisper_often(room, ann, "bob", limits.PRIVATE_BURST)
    room.wait(1 / limits.PRIVATE_RATE)
    [[answer]] = whisper_often(room, ann, "bob", 1)
    assert isinstance(answer, events.Message)
    assert bob.got(events.Message)[-1].text == "text 0"


def test_another_link_gives_no_further_private_messages() -> None:
    """The measure is the member's."""
    room = Simulation()
    ann, _ = room.joined("ann"), room.joined("bob")
    whisper_often(room, ann, "bob", limits.PRIVATE_BURST)
    room.lose(ann, delivering=True)
    room.dial(ann)
    room.settle()
    assert [kinds(answer) for answer in whisper_often(room, ann, "bob", 1)] == [["Error", "Unsent"]]


def test_a_host_has_no_measure() -> None:
    """It orders what it likes in any case."""
    room = Simulation()
    room.joined("bob")
    answers = whisper_often(room, room.host, "bob", limits.PRIVATE_BURST + 1)
    assert [kinds(answer) for answer in answers] == [["Message"]] * (limits.PRIVATE_BURST + 1)
