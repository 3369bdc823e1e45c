"""What the user is told of hosts, heirs and codes: all that changes, once, and nothing else."""

import msgspec
import pytest

from anonp2p.crypto.identity import Identity, spell_member
from anonp2p.names.codes import encode_key
from anonp2p.protocol.bodies import (
    AwayBody,
    Body,
    CodeBody,
    HandOverBody,
    HeirsBody,
    LeaveBody,
    NickBody,
    OpeningBody,
    RoleBody,
    TextBody,
)
from anonp2p.protocol.field_types import Heir
from anonp2p.protocol.rights import Rights
from anonp2p.room import effects, events
from anonp2p.room.context import Context, create_context
from anonp2p.room.hosting_events import CodeEvent, HeirEvent, HeirsEvent, HostEvent, HostingEvent, Successor
from anonp2p.room.ledger import Ledger
from anonp2p.room.moderation_events import RoleEvent
from tests.room.test_ledger_terms import take

ROOM, KEY = b"r" * 32, b"l" * 32
HOST, ANN = (Identity(name * 32, ROOM) for name in (b"h", b"a"))
FIRST, SECOND, OTHER = (Identity(bytes([number]) * 32, ROOM).key for number in (1, 2, 4))


class Watcher:
    """A member of a room of three, who was told that it is in it."""

    def __init__(self) -> None:
        self._secrets = iter(range(1, 100))
        self.context: Context = create_context(label="r1", key=ROOM, random=self._draw)
        self.me = self.context.replica.me
        ledger = Ledger(ROOM)
        ledger.host = ledger.add_member(HOST.key, "host", KEY).id
        for who, nick in ((ANN, "ann"), (self.me, "me")):
            ledger.add_member(who.key, nick, KEY)
        ledger.rights = Rights(moderators=(self.me.id,))
        ledger.begin_log()
        self.context.replica.ledger = ledger
        self.context.succession.begin()
        assert self.told() == []

    def _draw(self, count: int) -> bytes:
        return bytes([next(self._secrets)]) * count

    @property
    def ledger(self) -> Ledger:
        return self.context.replica.ledger

    def told(self) -> list[events.Event]:
        """Since the last look."""
        return [it.event for it in self.context.reporter.take_effects() if isinstance(it, effects.TellEffect)]

    def take(self, *entries: tuple[Identity, Body]) -> list[events.Event]:
        """Applies entries, and looks after each of them."""
        for author, body in entries:
            take(self.ledger, author, body)
            self.context.succession.tell_changes()
        return self.told()


@pytest.fixture
def w() -> Watcher:
    return Watcher()


def successor(who: Identity, nick: str, *, holds_key: bool) -> Successor:
    return Successor(spell_member(who.id), nick, holds_key)


def heirs(w: Watcher, *, entrusts: bool = True, mine: bool = True) -> HeirsBody:
    named = [Heir(ANN.id, FIRST), *([Heir(w.me.id, SECOND)] if mine else [])]
    return HeirsBody(named, entrusts)


def host_event(who: Identity, nick: str, cause: str) -> HostEvent:
    return HostEvent(room="r1", member=spell_member(who.id), nick=nick, cause=cause)  # type: ignore[arg-type]


def heirs_event(*named: Successor) -> HeirsEvent:
    return HeirsEvent(room="r1", heirs=list(named))


def heir_event(rank: int | None, was: int | None, *, holds_key: bool = False) -> HeirEvent:
    return HeirEvent(room="r1", rank=rank, was=was, holds_key=holds_key)


def test_what_concerns_none_of_it_is_not_told(w: Watcher) -> None:
    hello = TextBody("hello", action=False, reply=None)
    assert w.take((ANN, hello), (ANN, NickBody("anna")), (HOST, AwayBody(ANN.id))) == []


def test_who_would_take_over_and_whether_we_do_is_told(w: Watcher) -> None:
    ann, me = successor(ANN, "ann", holds_key=True), successor(w.me, "me", holds_key=False)
    assert w.take((HOST, heirs(w))) == [heirs_event(ann, me), heir_event(2, None)]
    assert w.take((ANN, LeaveBody())) == [heirs_event(me), heir_event(1, 2)]
    held = successor(w.me, "me", holds_key=True)
    again = HeirsBody([Heir(w.me.id, SECOND)], entrusts=True)
    assert w.take((HOST, again)) == [heirs_event(held), heir_event(1, 1, holds_key=True)]
    assert w.take((HOST, again)) == []
    assert w.take((HOST, HeirsBody([], entrusts=False))) == [heirs_event(), heir_event(None, 1)]


def test_who_enters_is_told_who_would_take_over(w: Watcher) -> None:
    w.take((HOST, heirs(w, mine=False)))
    w.context.succession.begin()
    assert w.told() == [heirs_event(successor(ANN, "ann", holds_key=True))]


def test_a_new_code_is_told_and_who_has_its_key(w: Watcher) -> None:
    w.take((HOST, heirs(w, mine=False)))
    told = w.take((HOST, CodeBody(OTHER)))
    assert told == [
        CodeEvent(room="r1", code=encode_key(OTHER)),
        heirs_event(successor(ANN, "ann", holds_key=False)),
    ]


def test_a_host_that_leaves_has_handed_over(w: Watcher) -> None:
    w.take((HOST, heirs(w)), (HOST, HandOverBody(leaves=True)))
    told = w.take((ANN, OpeningBody(5, FIRST, w.ledger.code, 0)))
    assert told == [
        host_event(ANN, "ann", "left"),
        heirs_event(successor(w.me, "me", holds_key=False)),
        heir_event(1, 2),
    ]


def test_a_host_that_was_lost_is_told_as_such_before_who_hosts_instead(w: Watcher) -> None:
    w.take((HOST, heirs(w)))
    told = w.take((ANN, OpeningBody(5, FIRST, w.ledger.code, 0)))
    lost = events.LeftEvent(room="r1", member=spell_member(HOST.id), nick="host", reason="lost")
    assert told[:2] == [lost, host_event(ANN, "ann", "lost")]


def test_who_hands_over_and_stays_is_not_lost(w: Watcher) -> None:
    w.take((HOST, heirs(w, mine=False)), (HOST, HandOverBody(leaves=False)))
    told = w.take((ANN, OpeningBody(5, FIRST, w.ledger.code, 0)))
    assert told[0] == host_event(ANN, "ann", "left")


def test_who_begins_to_host_is_told_so_and_that_the_code_is_another_one(w: Watcher) -> None:
    w.take((HOST, HeirsBody([Heir(w.me.id, SECOND)], entrusts=False)))
    told = w.take((w.me, OpeningBody(5, SECOND, SECOND, 0)))
    assert told[1:] == [
        host_event(w.me, "me", "lost"),
        HostingEvent(room="r1"),
        CodeEvent(room="r1", code=encode_key(SECOND)),
        heirs_event(),
    ]


def test_a_host_that_begins_a_term_again_is_the_same_host(w: Watcher) -> None:
    w.take((HOST, heirs(w)))
    assert w.take((HOST, OpeningBody(4, ROOM, ROOM, 0))) == []


def test_where_halves_of_a_room_met_nobody_was_lost(w: Watcher) -> None:
    w.take((HOST, heirs(w)))
    other = w.ledger.copy()
    take(other, ANN, OpeningBody(5, FIRST, other.code, 0))
    w.context.replica.ledger = other
    w.context.succession.tell_changes(merged=True)
    assert w.told()[0] == host_event(ANN, "ann", "merged")


def test_before_we_are_in_nothing_is_told() -> None:
    secrets = iter(range(1, 100))
    context = create_context(label="r1", key=ROOM, random=lambda count: bytes([next(secrets)]) * count)
    context.succession.tell_changes()
    assert context.reporter.take_effects() == []


def test_a_host_that_is_the_moderator_as_no_other_is_left_is_told_of(w: Watcher) -> None:
    """5c.1: it may have seen to that itself."""
    w.take((HOST, HeirsBody([Heir(ANN.id, FIRST)], entrusts=False)))
    host = RoleEvent(room="r1", member=spell_member(HOST.id), nick="host", role="moderator", by=spell_member(HOST.id))
    assert [it for it in w.take((w.me, RoleBody(w.me.id, "member"))) if isinstance(it, RoleEvent)] == [host]
    assert w.take((ANN, NickBody("anna"))) == [], "once"
    ann = msgspec.structs.replace(host, member=spell_member(ANN.id), nick="anna", by=spell_member(ANN.id))
    opened = OpeningBody(5, FIRST, FIRST, w.ledger.index + 1)
    assert [it for it in w.take((ANN, opened)) if isinstance(it, RoleEvent)] == [ann]
    assert w.take((ANN, RoleBody(w.me.id, "moderator"))) == [], "that is told as what ann has done"
