"""The links of members, their absences, and what they may cost: without a log that grows or a room."""

import pytest

from anonp2p import limits
from anonp2p.crypto.epoch import KEPT
from anonp2p.room import effects
from anonp2p.room.context import Context
from anonp2p.room.host.presence import Presence
from anonp2p.room.log.log import Log, LogEntry
from tests.room.host.parts import new_context, new_link, set_time, take_effects
from tests.room.peers import ANN, BOB, Somebody


class Links:
    """The presence of members alone."""

    def __init__(self) -> None:
        self.context: Context = new_context()
        self.presence = Presence(self.context)
        self.log = Log()

    def add(self, number: int, who: Somebody) -> None:
        """A member with a link."""
        if who.id not in self.presence.allowances:
            self.presence.add_member(who.id, 0)
        self.presence.add_link(number, new_link(who, self.log), [])
        take_effects(self.context)


@pytest.fixture
def links() -> Links:
    """Ann is on link 1, Bob on link 2."""
    links = Links()
    links.add(1, ANN)
    links.add(2, BOB)
    return links


def test_who_dials_again_has_its_new_link_alone(links: Links) -> None:
    links.presence.replace_link(ANN.id)
    [drop] = take_effects(links.context)
    assert isinstance(drop, effects.DropEffect)
    assert drop.link == 1
    assert set(links.presence.links) == {2}
    assert not links.presence.absences


def test_who_loses_its_link_is_absent_since_it_was_last_heard_until_it_comes_back(links: Links) -> None:
    links.presence.lose_link(1, silence=3.0)
    assert links.presence.absences[ANN.id].heard_at == links.context.clock.tick - 3.0
    assert links.presence.next_deadline() == links.context.clock.tick - 3.0 + limits.AWAY_SECONDS
    links.presence.replace_link(ANN.id)
    assert not links.presence.absences
    assert links.presence.next_deadline() is None


def test_the_absent_are_called_away_then_lose_their_places(links: Links) -> None:
    links.presence.lose_link(1, silence=0.0)
    set_time(links.context, limits.AWAY_SECONDS - 1)
    assert links.presence.take_late() == ([], [])
    set_time(links.context, limits.AWAY_SECONDS)
    assert links.presence.take_late() == ([ANN.id], [])
    assert links.presence.take_late() == ([], [])
    set_time(links.context, limits.PLACE_SECONDS)
    assert links.presence.take_late() == ([], [ANN.id])
    assert not links.presence.absences


def test_whom_a_host_that_has_slept_tells_late_that_it_is_away_has_time_to_come_back(links: Links) -> None:
    links.presence.lose_link(1, 0.0)
    set_time(links.context, limits.PLACE_SECONDS)
    assert links.presence.take_late() == ([ANN.id], [])
    set_time(links.context, limits.PLACE_SECONDS + limits.MODERATOR_LOST)
    assert links.presence.take_late() == ([], [])
    set_time(links.context, limits.PLACE_SECONDS + limits.AWAY_AT_LEAST)
    assert links.presence.take_late() == ([], [ANN.id])


def test_of_many_who_are_late_some_are_taken_at_a_time() -> None:
    links = Links()
    for number in range(limits.MAILBOX + 1):
        links.add(number, Somebody(bytes([number])))
        links.presence.lose_link(number, 0.0)
    set_time(links.context, limits.AWAY_SECONDS)
    assert len(links.presence.take_late().away) == limits.MAILBOX
    assert len(links.presence.take_late().away) == 1


def test_one_who_broke_a_rule_is_not_absent_but_out(links: Links) -> None:
    links.presence.expel_link(1)
    assert set(links.presence.links) == {2}
    assert not links.presence.absences


def test_of_one_who_is_out_nothing_is_kept_and_its_link_gets_no_more_of_the_log(links: Links) -> None:
    reader = links.presence.links[1].reader
    links.presence.lose_link(2, 0.0)
    links.presence.remove_member(ANN.id)
    links.presence.remove_member(BOB.id)
    assert take_effects(links.context) == [effects.FinishEffect(1)]
    assert reader.is_out
    assert not (links.presence.links)
    assert not (links.presence.absences)
    assert not (links.presence.allowances)


@pytest.mark.parametrize(
    ("joined", "heard", "spoke", "idle"),
    [
        (0.0, 100.0, True, False),
        (100.0, 100.0, False, True),  # came a moment ago
        (0.0, 100.0, False, False),  # an honest reader who is about to come back
        (0.0, 0.0, False, True),
    ],
)
def test_who_gives_way_never_spoke_and_came_just_now_or_has_long_been_silent(
    joined: float, heard: float, spoke: bool, idle: bool
) -> None:
    links = Links()
    set_time(links.context, joined)
    links.add(1, ANN)
    links.presence.allowances[ANN.id].spoke = spoke
    set_time(links.context, heard)
    links.presence.lose_link(1, 0.0)
    set_time(links.context, 100.0)
    assert links.presence.idle_members() == ([ANN.id] if idle else [])


def test_who_has_caused_more_than_it_may_is_not_read_for_a_while_on_another_link_too(links: Links) -> None:
    links.presence.charge(1, entries=1)
    assert take_effects(links.context) == []
    links.presence.charge(1, entries=2 * limits.ENTRY_BUCKET)
    [pause] = take_effects(links.context)
    assert isinstance(pause, effects.PauseEffect)
    assert (pause.link, pause.seconds > 0) == (1, True)
    links.presence.replace_link(ANN.id)
    take_effects(links.context)
    links.presence.add_link(3, new_link(ANN, links.log), [])
    admit, pause = take_effects(links.context)
    assert isinstance(admit, effects.AdmitEffect)
    assert isinstance(pause, effects.PauseEffect)
    assert (admit.link, pause.link) == (3, 3)


def test_the_log_has_passed_where_the_slowest_link_is(links: Links) -> None:
    assert Links().presence.passed(7) == 7
    links.log.append_entry(b"sealed", LogEntry(b"header", b"digest", b"body", KEPT))
    links.log.seal_batch(b"head", b"wire", 0)
    quick = links.presence.links[2].reader
    quick.take_data()
    quick.mark_sent()
    assert (quick.sent_up_to, links.presence.passed(7)) == (2, 1)
