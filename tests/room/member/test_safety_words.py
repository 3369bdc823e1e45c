"""Safety words are the same for those who were shown the same log, and for them alone."""

from collections.abc import Callable

import pytest

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.room import events
from tests.room import simulation
from tests.room.hostile import at, words
from tests.room.member.false_host import FalseHost
from tests.room.peers import ANN, HOST, Placed, text
from tests.room.simulation import Simulation
from tests.support.world import Party


@pytest.fixture
def two() -> list[FalseHost]:
    """A host and a guest, once more and once more: what it tells it may differ."""
    hosts = [FalseHost() for _ in range(2)]
    for host in hosts:
        host.lets_in()
    return hosts


@pytest.mark.parametrize("lie", ["another text", "one left out", "another order"])
def test_two_who_are_shown_different_logs_have_different_words_from_the_next_mark_on(
    two: list[FalseHost], lie: str
) -> None:
    """7.5"""
    one, other = two
    shown: dict[str, Callable[[FalseHost], list[Placed]]] = {
        "another text": lambda it: [it.entry(ANN, text("lie"))],
        "one left out": lambda it: [it.entry(HOST, text("true"))],
        "another order": lambda it: [it.entry(ANN, text("true")), it.entry(HOST, text("true"))],
    }
    one.hears(one.batch(one.entry(HOST, text("true")), one.entry(ANN, text("true")), time=1_000))
    other.hears(other.batch(*shown[lie](other), time=1_000))
    assert words(one)["words"] == words(other)["words"]  # of the empty log: nobody has said anything by then
    for host in two:
        host.hears(host.head(time=limits.MARK_INTERVAL - 1))
    assert [words(host)["minutes"] for host in two] == [0, 0]
    for host in two:
        host.hears(host.head(time=limits.MARK_INTERVAL))
    assert [words(host)["minutes"] for host in two] == [10, 10]
    assert words(one)["words"] != words(other)["words"]
    assert len(words(one)["words"]) == 10
    assert not one.room.evidence + other.room.evidence  # neither of them could know


def test_two_who_are_shown_one_log_have_the_same_words(two: list[FalseHost]) -> None:
    """7.5: however it comes to them, and whatever is on its way."""
    one, other = two
    entries = [[it.entry(ANN, text("true")), it.entry(HOST, text("true"))] for it in two]
    one.hears(*(one.batch(entry, time=limits.MARK_INTERVAL - 1) for entry in entries[0]))
    other.hears(other.batch(*entries[1], time=limits.MARK_INTERVAL - 1))
    one.hears(one.batch(one.entry(ANN, text("after")), time=limits.MARK_INTERVAL))
    other.hears(other.head(time=limits.MARK_INTERVAL + 5_000))
    assert words(one)["words"] == words(other)["words"]
    assert words(one)["minutes"] == words(other)["minutes"] == 10
    for host, time in ((one, 2 * limits.MARK_INTERVAL), (other, 2 * limits.MARK_INTERVAL)):
        host.hears(host.head(time=time))
    assert words(one)["previous"]["words"] == words(other)["previous"]["words"]
    assert words(one)["words"] != words(other)["words"]  # the other was not told what was said after


def test_a_backfill_makes_the_same_words_as_a_batch(two: list[FalseHost]) -> None:
    """7.5, 5.13"""
    one, other = (at(host, 1_000) for host in two)
    one.hears(one.entry(ANN, text("true")))
    other.hears(other.past(other.entry(ANN, text("true"))))
    for host in two:
        host.hears(at(host, limits.MARK_INTERVAL).head())
    assert words(one)["words"] == words(other)["words"]
    assert words(one)["minutes"] == 10


def test_one_who_was_welcomed_later_shows_no_words_of_before(host: FalseHost) -> None:
    """7.5: what the host says of them proves nothing."""
    late = FalseHost(seed=b"late")
    late.greets()
    late.roster_guest()
    late.hears(*at(late, 2 * limits.MARK_INTERVAL + 1).welcome())
    assert words(late) == {"words": [], "at": None, "minutes": None, "previous": None, "unproven": None}
    late.hears(at(late, 3 * limits.MARK_INTERVAL).head())
    assert (words(late)["minutes"], words(late)["previous"]) == (30, None)


def test_words_of_two_tell_whether_they_have_each_others_keys() -> None:
    """7.6: here is one between them, who speaks to each of them in the other's name."""
    room = Simulation()
    ann, bob = room.joined("ann"), room.joined("bob")
    between = FalseHost("bob")
    between.lets_in()

    def of(party: Party, nick: str) -> list[str]:
        [reply] = room.answers(party, room.verify(party, nick))
        assert isinstance(reply, events.ReplyEvent)
        words: list[str] = reply.data["words"]
        return words

    assert of(ann, "bob") == of(bob, "ann")
    assert of(ann, "hugo") == of(room.host, "ann")
    assert len({tuple(of(one, other)) for one, other in ((ann, "bob"), (ann, "hugo"), (bob, "hugo"))}) == 3
    assert words(between, "ann")["words"] not in (of(ann, "bob"), of(ann, "hugo"), of(bob, "ann"))


def test_a_room_that_is_passed_on_under_another_key_has_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """7.5, 7.6: though all in it have the same keys, and say the same at the same time."""

    def talk() -> tuple[list[bytes], list[list[str]]]:
        """The keys of three, their words for the room, and those of each two."""
        room = Simulation()
        ann, bob = room.joined("ann"), room.joined("bob")
        room.say(ann, "hello")
        room.settle()
        room.wait(limits.MARK_INTERVAL / 1_000)
        room.settle()
        asked = ((room.host, ""), (ann, ""), (bob, ""), (ann, "bob"), (bob, "ann"))
        replies = [room.answers(party, room.verify(party, nick))[0] for party, nick in asked]
        words = [reply.data["words"] for reply in replies if isinstance(reply, events.ReplyEvent)]
        return [party.room.replica.me.key for party in (room.host, ann, bob)], words

    keys, real = talk()
    monkeypatch.setattr(simulation, "KEY", RoomKey(b"the seed of another room........"))
    same_keys, passed_on = talk()
    assert keys == same_keys
    for shown in (real, passed_on):
        assert shown[0] == shown[1] == shown[2]
        assert shown[3] == shown[4]
        assert [len(ten) for ten in shown] == [10] * 5
    assert real[0] != passed_on[0]
    assert real[3] != passed_on[3]
