"""Nicks that may be taken for another member's, or for the program: hosts keep them out, and members warn of them.

What a host of another making lets in is made by a host that refuses nothing.
"""

import pytest

from anonp2p import limits
from anonp2p.names import nicks
from anonp2p.room import events, ledger
from anonp2p.room.host import admission
from anonp2p.room.roster import Member
from tests.room.simulation import Simulation
from tests.support.world import Party

RESERVED = [("SYSTEM", "system"), ("5YSTEM", "system"), ("уоu", "you")]
CONFUSED = ["ad4_", "a-d4", "acl4"]


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


@pytest.fixture
def lax(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts that go by the rules of a room alone (PROTOCOL.md, 5.7)."""

    def holders_of(room: ledger.Ledger, nick: str, member: bytes) -> list[Member]:
        return [holder for holder in room.roster.find_alike(nick) if holder.id != member]

    def unreserved(nick: str) -> str:
        return ""

    monkeypatch.setattr(admission, "holders_of", holders_of)
    monkeypatch.setattr(nicks, "reserved_word", unreserved)


def told(party: Party) -> list[tuple[str, str, str]]:
    """Of which nicks: for what they may be taken, and of what kind that is."""
    return [(event.nick, event.was, event.of) for event in party.got(events.LookalikeEvent)]


@pytest.mark.parametrize("nick", [nick for nick, _ in RESERVED])
def test_nobody_is_let_in_who_passes_for_the_program_or_a_role(room: Simulation, nick: str) -> None:
    bob, false = room.joined("bob"), room.joined(nick)
    assert [(event.code, event.room) for event in false.got(events.ErrorEvent)] == [("bad-nick", "r1")]
    assert false.room.over
    assert told(bob) == told(room.host) == []


@pytest.mark.parametrize("nick", CONFUSED)
def test_nobody_is_let_in_who_is_confused_with_a_member(room: Simulation, nick: str) -> None:
    ada, false = room.joined("ad4"), room.joined(nick)
    assert [event.code for event in false.got(events.ErrorEvent)] == ["nick-taken"]
    assert told(ada) == told(room.host) == []


@pytest.mark.parametrize("nick", [*CONFUSED, *(nick for nick, _ in RESERVED)])
def test_nobody_changes_to_such_a_nick(room: Simulation, nick: str) -> None:
    """5.8: it is denied, and costs its author no more than that."""
    ada, eve = room.joined("ad4"), room.joined("eve")
    for party in (eve, room.host):
        re = room.rename(party, nick)
        room.settle()
        assert [event.code for event in party.got(events.ErrorEvent) if event.re == re] == ["nick-taken"]
    room.say(eve, "still here")
    room.settle()
    assert ada.messages[-1][2:4] == ("eve", "still here")
    assert told(ada) == []


def test_one_may_change_to_what_is_confused_with_ones_own(room: Simulation) -> None:
    ada = room.joined("ad4")
    room.rename(ada, "ad4_")
    room.settle()
    assert [event.nick for event in room.host.got(events.RenamedEvent)] == ["ad4_"]
    assert told(room.host) == []


@pytest.mark.usefixtures("lax")
@pytest.mark.parametrize("nick", CONFUSED)
def test_members_are_told_who_may_be_confused_with_another(room: Simulation, nick: str) -> None:
    ada, bob = room.joined("ad4"), room.joined("bob")
    false = room.joined(nick)
    for party in (ada, bob):
        assert told(party) == [(nick, "ad4", "present")]
        [event] = party.got(events.LookalikeEvent)
        assert event.member == false.room.snapshot().member
    assert told(false) == []
    late = room.joined("late")
    assert told(late) == [(nick, "ad4", "present")]
    assert [type(event) for event in late.told[-2:]] == [events.EnteredEvent, events.LookalikeEvent]
    assert not any(party.got(events.AlarmEvent) for party in (ada, bob, false, late))


@pytest.mark.usefixtures("lax")
def test_members_are_told_who_changes_to_such_a_nick(room: Simulation) -> None:
    ada, eve = room.joined("ad4"), room.joined("eve")
    room.rename(eve, "ad4_")
    room.settle()
    assert told(ada) == [("ad4_", "ad4", "present")]
    assert isinstance(ada.told[-2], events.RenamedEvent)
    assert told(eve) == []


@pytest.mark.parametrize(("nick", "word"), RESERVED)
def test_members_are_told_who_passes_for_the_program_or_a_role(
    room: Simulation, monkeypatch: pytest.MonkeyPatch, nick: str, word: str
) -> None:
    bob = room.joined("bob")
    with monkeypatch.context() as lax:
        lax.setattr(nicks, "reserved_word", lambda _: "")
        false = room.newcomer(nick)
        room.write(false)
        room.member_hears(false)
        room.host_hears(false)
    room.settle()
    late = room.joined("late")
    assert told(bob) == told(late) == [(nick, word, "reserved")]
    assert told(false) == []
    assert not bob.got(events.AlarmEvent)


def test_nicks_made_from_keys_warn_of_nobody(room: Simulation) -> None:
    """Of 1,000 of them about one pair would be confused, if hosts did not see to it."""
    parties = [room.joined() for _ in range(30)]
    assert not any(told(party) for party in [room.host, *parties])
    assert limits.MEMBERS == 1_000
    assert not nicks.reserved_word(parties[0].room.snapshot().nick)
