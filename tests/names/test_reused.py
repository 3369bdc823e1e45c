"""Who had which nick before: what is remembered of it, and when it is told."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anonp2p import limits
from anonp2p.names import nicks
from anonp2p.names.reused import ReusedNicks
from anonp2p.protocol import room_state
from anonp2p.room import events, inputs
from tests.room.simulation import Simulation
from tests.support.world import Party

NICKS = ["ann", "ANN", "bob", "eve", "éve", "modern", "modem", "νick", "vick", "NICK"]


def was(reused_nicks: ReusedNicks, nick: str, member: bytes = b"z") -> str:
    """For whose nick this one may be taken; empty if for nobody's."""
    former = reused_nicks.find_former_owner(member, nick)
    return former.nick if former else ""


freed = st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.sampled_from(NICKS)), max_size=12)


@given(freed, st.binary(min_size=1, max_size=1), st.sampled_from(NICKS))
def test_of_each_look_the_last_to_give_it_up_counts(
    given_up: list[tuple[bytes, str]], member: bytes, nick: str
) -> None:
    reused_nicks = ReusedNicks()
    last: dict[str, tuple[int, bytes, str]] = {}
    for number, (whose, what) in enumerate(given_up):
        reused_nicks.free_nick(whose, what)
        last |= dict.fromkeys(nicks.narrow_looks(what), (number, whose, what))
    others = [last[look] for look in nicks.narrow_looks(nick) if look in last and last[look][1] != member]
    assert was(reused_nicks, nick, member) == (max(others)[2] if others else "")


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(nicks.narrow_looks("n1")) == 1
    monkeypatch.setattr(limits, "FORMER_NICKS", 3)
    reused_nicks = ReusedNicks()
    for nick in ("nb", "nc", "nd", "nb"):
        reused_nicks.free_nick(b"a", nick)
    assert not reused_nicks.may_have_forgotten("nz")
    reused_nicks.free_nick(b"a", "ne")
    assert [was(reused_nicks, nick) for nick in ("nb", "nc", "nd", "ne")] == ["nb", "", "nd", "ne"]
    assert [reused_nicks.may_have_forgotten(nick) for nick in ("nb", "nc", "ne", "nz")] == [False, True, False, True]


@pytest.mark.parametrize("speaking", [False, True])
def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch, speaking: bool) -> None:
    monkeypatch.setattr(limits, "FORMER_NICKS", 20)
    monkeypatch.setattr(limits, "FORMER_NICKS_OF_SPEAKERS", 20)
    reused_nicks = ReusedNicks()
    for number in range(100):
        if speaking:
            reused_nicks.note_message(b"a")
        reused_nicks.free_nick(b"a", f"νick{number}")
    assert reused_nicks.size == 20


def test_who_spoke_is_forgotten_for_no_one_who_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FORMER_NICKS", 3)
    monkeypatch.setattr(limits, "FORMER_NICKS_OF_SPEAKERS", 2)
    reused_nicks = ReusedNicks()
    reused_nicks.note_message(b"a")
    reused_nicks.free_nick(b"a", "ann")
    for number in range(10):
        reused_nicks.free_nick(b"e", f"eve{number}")
    former = reused_nicks.find_former_owner(b"z", "Ann")
    assert former is not None
    assert (former.nick, former.spoke) == ("ann", True)
    for nick in ("bob", "cho"):
        reused_nicks.note_message(b"b")
        reused_nicks.free_nick(b"b", nick)
    assert [was(reused_nicks, nick) for nick in ("ann", "bob", "cho")] == ["", "bob", "cho"]


def test_whoever_has_a_nick_in_between_does_not_make_it_one_that_never_spoke() -> None:
    reused_nicks = ReusedNicks()
    reused_nicks.note_message(b"a")
    reused_nicks.free_nick(b"a", "ann")
    reused_nicks.free_nick(b"e", "Ann")
    former = reused_nicks.find_former_owner(b"z", "ann")
    assert former is not None
    assert (former.member, former.nick, former.spoke) == (b"e", "Ann", True)
    assert reused_nicks.find_former_owner(b"e", "ann") is None


def test_a_nick_under_which_nothing_was_said_is_none_that_spoke() -> None:
    reused_nicks = ReusedNicks()
    reused_nicks.note_message(b"a")
    reused_nicks.free_nick(b"a", "ann")
    reused_nicks.free_nick(b"a", "eve")
    assert [former.spoke for nick in ("ann", "eve") if (former := reused_nicks.find_former_owner(b"z", nick))] == [
        True,
        False,
    ]


# --- in a room


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def told(party: Party) -> list[tuple[str, str]]:
    """Of which lookalikes: nick, and whose it may be taken for."""
    return [(event.nick, event.was) for event in party.got(events.LookalikeEvent)]


def keys(room: Simulation, party: Party) -> None:
    room.leave(party)
    room.settle()


def is_thrown_out(room: Simulation, party: Party) -> None:
    room.kick(party.room.snapshot().nick)
    room.settle()


def is_lost(room: Simulation, party: Party) -> None:
    """For so long that its place is given up."""
    room.lose(party, delivering=False)
    room.member_hears(party)
    room.host_hears(party)
    for _ in range(int(limits.PLACE_SECONDS / limits.HEARTBEAT)):
        room.wait(limits.HEARTBEAT)
        room.settle_without(party)


def has_another_nick(room: Simulation, party: Party) -> None:
    room.rename(party, "somebody")
    room.settle()


GOES = [keys, is_thrown_out, is_lost, has_another_nick]
Goes = Callable[[Simulation, Party], None]


@pytest.mark.parametrize("goes", GOES)
@pytest.mark.parametrize("nick", ["ada", "ADA", "аda"], ids=["same", "capitals", "Cyrillic"])
def test_who_comes_to_a_nick_that_another_had_is_told_of_to_all_who_knew(
    room: Simulation, goes: Goes, nick: str
) -> None:
    bob, ada = room.joined("bob"), room.joined("ada")
    goes(room, ada)
    false = room.newcomer(nick)
    room.settle_without(ada)
    assert told(room.host) == told(bob) == [(nick, "ada")]
    assert told(false) == []
    for party in (room.host, bob):
        before, event = party.told[-2:]
        assert isinstance(before, events.JoinedEvent)
        assert isinstance(event, events.LookalikeEvent)
        assert event.member == before.member == false.room.snapshot().member


@pytest.mark.parametrize("goes", [keys, is_thrown_out, has_another_nick])
def test_so_is_who_changes_to_it(room: Simulation, goes: Goes) -> None:
    bob, ada, eve = room.joined("bob"), room.joined("ada"), room.joined("eve")
    goes(room, ada)
    room.rename(eve, "Ada")
    room.settle()
    assert told(room.host) == told(bob) == [("Ada", "ada")]
    assert told(eve) == []
    assert isinstance(bob.told[-2], events.RenamedEvent)
    room.rename(eve, "eve")
    room.rename(eve, "ada")
    room.settle()
    assert told(bob) == [("Ada", "ada")], "once is enough"


def test_who_has_given_up_a_nick_itself_is_told_who_comes_to_it(room: Simulation) -> None:
    ada, eve = room.joined("ada"), room.joined("eve")
    has_another_nick(room, ada)
    room.rename(eve, "ada")
    room.settle()
    assert told(ada) == [("ada", "ada")]


def test_who_comes_back_to_its_own_nick_is_no_cause(room: Simulation) -> None:
    bob, ada = room.joined("bob"), room.joined("ada")
    has_another_nick(room, ada)
    room.rename(ada, "Ada")
    room.settle()
    assert told(bob) == told(room.host) == []


def test_nor_is_who_was_away(room: Simulation) -> None:
    bob, ada = room.joined("bob"), room.joined("ada")
    keys(room, ada)
    ada = room.joined("ada")
    assert told(bob) == [("ada", "ada")]
    room.lose(ada, delivering=False)
    room.member_hears(ada)
    room.host_hears(ada)
    room.wait(limits.AWAY_SECONDS)
    room.settle()
    assert [left.reason for left in room.host.got(events.LeftEvent)] == ["left", "lost"]
    assert len(room.host.got(events.JoinedEvent)) == 4
    assert told(bob) == told(room.host) == [("ada", "ada")]


def test_nor_is_a_nick_that_was_given_up_before_one_came(room: Simulation) -> None:
    ada = room.joined("ada")
    keys(room, ada)
    bob = room.joined("bob")
    room.joined("ada")
    assert told(bob) == []
    assert told(room.host) == [("ada", "ada")]


def test_what_was_missed_counts_as_well(room: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ENTRIES", 4)
    bob, ada = room.joined("bob"), room.joined("ada")
    room.lose(bob, delivering=False)
    room.member_hears(bob)
    room.host_hears(bob)
    room.leave(ada)
    room.settle_without(bob)
    room.newcomer("Ada")
    room.settle_without(bob)
    for number in range(9):
        room.say(room.host, f"text {number}")
        room.end_batch()
    room.settle()
    assert bob.got(events.EntriesMissedEvent)
    assert told(bob) == [("Ada", "ada")]


def test_the_history_counts_as_well() -> None:
    room = Simulation(history=room_state.HistoryPolicy(10, 0))
    ada = room.joined("ada")
    room.say(ada, "true")
    keys(room, ada)
    room.say(room.joined("Ada"), "false")
    room.settle()
    bob = room.joined("bob")
    shown = [event for event in bob.told if isinstance(event, events.MessageEvent | events.LookalikeEvent)]
    assert [type(event) for event in shown] == [events.MessageEvent, events.LookalikeEvent, events.MessageEvent]
    assert told(bob) == [("Ada", "ada")]


def test_what_was_told_is_not_told_again_with_the_history() -> None:
    room = Simulation(history=room_state.HistoryPolicy(10, 0))
    bob, ada = room.joined("bob"), room.joined("ada")
    keys(room, ada)
    room.joined("Ada")
    assert told(bob) == [("Ada", "ada")]
    is_lost(room, bob)
    room.settle()
    assert len(bob.got(events.EnteredEvent)) == 2
    assert told(bob) == [("Ada", "ada")]


def test_it_carries_no_id_of_an_input(room: Simulation) -> None:
    keys(room, room.joined("ada"))
    eve = room.joined("eve")
    re = room.rename(eve, "ada")
    room.settle()
    assert [type(event) for event in room.answers(eve, re)] == [events.RenamedEvent]
    assert isinstance(eve.typed[re], inputs.RenameInput)


# --- more than can be remembered


def crowd(room: Simulation, count: int) -> None:
    """So many join under nicks of their own, say nothing, and leave."""
    for number in range(count):
        one = room.joined(f"x{number}")
        keys(room, one)
        room.members.remove(one)


@pytest.mark.parametrize("shown", ["live", "history", "private"])
def test_no_crowd_of_joins_and_leaves_hides_who_takes_the_nick_of_one_who_spoke(
    monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    monkeypatch.setattr(limits, "FORMER_NICKS", 5)
    room = Simulation(history=room_state.HistoryPolicy(10, 0))
    ada = room.joined("ada")
    bob = None if shown == "history" else room.joined("bob")
    if shown == "private":
        room.whisper(ada, "bob", "true")
    else:
        room.say(ada, "true")
    room.settle()
    bob = bob or room.joined("bob")
    keys(room, ada)
    crowd(room, 12)
    room.joined("Ada")
    [warning] = [event for event in bob.got(events.LookalikeEvent) if event.was == "ada"]
    assert (warning.nick, warning.spoke) == ("Ada", True)


def test_once_a_nick_is_forgotten_every_newcomer_and_every_new_nick_is_told_with_that(
    room: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FORMER_NICKS", 5)
    bob, ada = room.joined("bob"), room.joined("ada")
    keys(room, ada)
    crowd(room, 4)
    assert all(event.unknown_past is UNSET for event in bob.got(events.JoinedEvent))
    crowd(room, 6)
    false = room.joined("ada")
    assert told(bob) == [("x0", "x0"), ("x1", "x1"), ("x2", "x2"), ("x3", "x3")]
    assert bob.got(events.JoinedEvent)[-1].unknown_past is True
    room.rename(false, "Bea")
    room.settle()
    assert bob.got(events.RenamedEvent)[-1].unknown_past is True
    assert false.got(events.RenamedEvent)[-1].unknown_past is UNSET, (
        "it has forgotten nothing, and this is its own nick"
    )
    room.rename(false, "x5")
    room.settle()
    assert told(bob)[-1] == ("x5", "x5")
    assert bob.got(events.RenamedEvent)[-1].unknown_past is UNSET, "that nick is remembered"
    room.lose(false, delivering=False)
    room.member_hears(false)
    room.host_hears(false)
    room.wait(limits.AWAY_SECONDS)
    room.settle()
    assert bob.got(events.JoinedEvent)[-1].unknown_past is UNSET, "who was away has the nick that it had"
