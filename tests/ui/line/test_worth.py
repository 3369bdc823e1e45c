"""What a person on a terminal is told line by line."""

from anonp2p.reasons import Reason
from anonp2p.room import events
from anonp2p.room.hosting_events import HeirsEvent, ReachableEvent, Successor
from anonp2p.ui.line.worth import Worth


def told(worth: Worth, *progress: int) -> list[int]:
    """At which of these steps of its boot Tor is told of."""
    steps = (events.TorProgressEvent(progress=at, summary=Reason("none")) for at in progress)
    return [step.progress for step in steps if worth.is_told(step)]


def test_of_the_boot_of_tor_few_steps_are_told_the_last_one_among_them() -> None:
    assert told(Worth(), 0, 5, 10, 14, 20, 25, 30, 45, 50, 75, 90, 95, 100) == [0, 25, 50, 75, 100]
    assert told(Worth(), 0, 90, 95, 100) == [0, 90, 100]


def test_when_tor_begins_anew_that_is_told() -> None:
    worth = Worth()
    assert told(worth, 0, 90, 5, 10, 30) == [0, 90, 5, 30]
    assert told(worth, 100) == [100]
    assert worth.is_told(events.ReadyEvent(version="1", tor="own"))
    assert told(worth, 100) == [100]


def test_who_could_take_the_room_over_is_told_where_nobody_can() -> None:
    heirs = [Successor("b", "ben", False)]
    assert not Worth().is_told(HeirsEvent(room="r1", heirs=heirs))
    assert Worth().is_told(HeirsEvent(room="r1", heirs=[]))
    assert Worth().is_told(ReachableEvent(room="r1"))
