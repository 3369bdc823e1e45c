"""The world of the tests does what `net` does with what rooms want done, in whatever order the test likes."""

import random

import pytest

from anonp2p.room import events, inputs
from tests.room.simulation import Simulation


@pytest.mark.parametrize("seed", range(8))
def test_in_whatever_order_things_arrive_all_are_shown_the_same_messages(seed: int) -> None:
    choose = random.Random(seed).randrange
    room = Simulation()
    members = [room.newcomer(nick) for nick in ("ann", "bob", "eve")]
    for number in range(20):
        party = [room.host, *members][choose(4)]
        room.say(party, f"text {number}")
        if choose(3) == 0:
            room.world.run(choose)
        if choose(6) == 0 and party is not room.host:
            room.lose(party, delivering=bool(choose(2)))
            room.world.run(choose)
            room.dial(party)
    room.world.run(choose)
    assert sorted(text for _, _, _, text, _ in room.host.messages) == sorted(f"text {number}" for number in range(20))
    for member in members:
        shown = member.messages
        assert shown == room.host.messages[len(room.host.messages) - len(shown) :]
        assert not member.got(events.AlarmEvent)


def test_an_end_that_breaks_alone_is_not_noticed_at_the_other_and_what_that_one_sends_goes_nowhere() -> None:
    room = Simulation()
    ann = room.joined("ann")
    link = room.link(ann)
    room.world.cut_end(link.far)
    room.member_hears(ann)
    room.say(room.host, "text")
    room.write(ann)
    assert link.near.open
    assert not link.far.inbox
    assert [event.text for event in ann.got(events.MessageEvent)] == []
    room.dial(ann)
    room.settle()
    assert [event.text for event in ann.got(events.MessageEvent)] == ["text"]


def test_a_link_is_closed_once_what_waits_at_a_reader_that_stalls_has_expired() -> None:
    room = Simulation()
    ann = room.joined("ann")
    link = room.link(ann)
    link.near.stalls = True
    room.retain(room.host, 60)
    room.say(room.host, "text")
    room.write(ann)
    assert link.near.connection.has_data_to_send
    assert not link.far.inbox
    room.wait(59.9)
    assert link.near.open
    room.wait(0.2)
    assert not link.near.open


def test_of_a_payload_that_is_too_long_for_a_handshake_the_room_hears_nothing_but_the_end_of_the_link() -> None:
    room = Simulation()
    link = room.world.dial(room.host, None)
    heard: list[type[inputs.Input]] = []
    room.world.watchers.append(lambda party, what, done: heard.append(type(what)))
    link.near.inbox.append(bytes(61_438))
    room.world.deliver_all()
    assert heard == [inputs.DroppedInput]
