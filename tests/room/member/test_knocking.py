"""A newcomer that a moderator has to let in: it waits, can give up, and asks again when its link is lost."""

from typing import Any

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.protocol import bodies, credentials, frames
from anonp2p.protocol.rights import Rights
from anonp2p.reasons import Reason
from anonp2p.room import effects, events, inputs
from anonp2p.room.moderation_events import WaitingEvent
from anonp2p.room.moderation_inputs import AdmitInput
from tests.room.hostile import assert_link_ended, come_anew
from tests.room.member.false_host import FalseHost
from tests.room.peers import ANN, CREDENTIALS, EVE, HOST, ROOM_KEY, kinds, said

WAITS = Reason("knocking")


@pytest.fixture
def held() -> FalseHost:
    """A host that has a guest wait."""
    host = FalseHost()
    host.greets()
    told = host.hears(host.held())
    assert told == [events.LinkEvent(room="r1", state="connecting", attempt=1, detail=WAITS, knocking=True, re=UNSET)]
    return host


def passes(host: FalseHost, seconds: float) -> list[events.Event]:
    """So much time passes, and the guest does on the way what it has planned."""
    told, end = [], host.now.tick + seconds
    while (due := host.room.next_deadline()) is not None and due <= end:
        host.now = host.now._replace(tick=max(due, host.now.tick))
        told += host.takes(inputs.TickInput())
    host.now = host.now._replace(tick=end)
    return told


def test_who_waits_sends_heartbeats_and_nothing_else_however_long_it_takes(held: FalseHost) -> None:
    records, end = [], held.now.tick + 600
    while (due := held.room.next_deadline()) is not None and due <= end:
        assert due - held.now.tick <= limits.HEARTBEAT
        held.now = held.now._replace(tick=due)
        assert held.takes(inputs.TickInput()) == []
        records += held.records()
    assert len(records) >= 600 / limits.HEARTBEAT
    assert set(map(repr, records)) == {"<MemberRecord>"}
    assert all(record == frames.MemberRecord(False, []) for record in records)
    assert not held.end.connection.is_over, "no handshake that lasts too long"


def test_who_is_let_in_after_all_is_welcomed_on_the_same_link(held: FalseHost) -> None:
    passes(held, 100)
    held.roster_guest()
    entered = held.hears(*held.welcome())
    assert [event.state for event in entered if isinstance(event, events.LinkEvent)] == ["up"]
    assert any(isinstance(event, events.EnteredEvent) for event in entered)
    assert held.hears(held.head()) == []
    assert held.says("hello")


@pytest.mark.parametrize(("reason", "code"), [("turned-away", "refused"), ("full", "full"), ("locked", "locked")])
def test_who_is_turned_away_is_out_and_told_why(held: FalseHost, reason: frames.Refusal, code: str) -> None:
    error, gone = held.hears(held.refused(reason))
    assert isinstance(error, events.ErrorEvent)
    assert (error.code, error.final) == (code, True)
    assert gone == events.GoneEvent(room="r1", reason="refused")


@pytest.mark.parametrize("typed", [[], ["hello"]])
def test_who_waits_can_give_up_at_any_time_and_gets_back_what_it_has_typed(held: FalseHost, typed: list[str]) -> None:
    for words in typed:
        assert held.takes(inputs.SayInput(words)) == []
    *unsent, gone = held.takes(inputs.LeaveInput())
    assert unsent == [events.UnsentEvent(room="r1", text=words) for words in typed]
    assert gone == events.GoneEvent(room="r1", reason="left")
    assert held.room.over


def test_who_waits_can_give_up_while_its_link_is_lost(held: FalseHost) -> None:
    held.takes(inputs.SayInput("hello"))
    held.takes(inputs.DroppedInput(held.end.number, "broken", 0.0))
    assert kinds(held.takes(inputs.LeaveInput())) == ["UnsentEvent", "GoneEvent"]


def test_what_is_typed_meanwhile_waits_until_it_is_in(held: FalseHost) -> None:
    assert held.takes(inputs.SayInput("hello")) == []
    held.roster_guest()
    held.hears(*held.welcome())
    assert [it.header.author for it in held.submits()] == [held.me]


def test_whose_link_is_lost_knocks_again_with_the_same_key(held: FalseHost) -> None:
    """However long it has waited: its patience begins anew."""
    request: Any = held.request
    key = request.key
    for _ in range(5):
        passes(held, 2 * limits.DIAL_PATIENCE)
        assert held.redials("broken").key == key
        assert kinds(held.hears(held.held())) == ["LinkEvent"]


def test_who_is_held_by_nobody_any_more_gives_up_in_the_end(held: FalseHost) -> None:
    """The host is gone, and nobody goes on with the room: an heir that is alone takes a minute for that."""
    held.takes(inputs.DroppedInput(held.end.number, "broken", 0.0))
    began = held.now.tick
    while not held.room.over:
        held.awaits_dial()
        held.takes(inputs.DialFailedInput(held.end.number, Reason("not-found"), absent=True))
    assert limits.DIAL_PATIENCE < held.now.tick - began < limits.DIAL_PATIENCE + 2 * limits.DIAL_PAUSE_MAX


def test_where_too_many_wait_it_asks_again_after_a_pause_and_with_the_same_key() -> None:
    host = FalseHost()
    key = host.greets().key
    began = host.now.tick
    assert host.hears(host.refused("crowded")) == []
    [drop] = host.effects
    assert drop == effects.DropEffect(host.end.number, "crowded")
    assert host.redials("crowded").key == key
    assert host.now.tick - began >= limits.DIAL_PAUSE_MAX / 4
    assert kinds(host.hears(host.held())) == ["LinkEvent"]
    assert host.hears(host.refused("crowded")) == [], "it gave way to another one"
    began = host.now.tick
    assert host.redials("crowded").key == key
    assert host.now.tick - began >= limits.DIAL_PAUSE_MAX / 2, "as it had its turn"


def test_where_too_many_wait_for_too_long_it_gives_up() -> None:
    host = FalseHost()
    host.greets()
    began = host.now.tick
    while True:
        host.hears(host.refused("crowded"))
        told = host.takes(inputs.DroppedInput(host.end.number, "crowded", 0.0))
        if host.room.over:
            break
        host.greets()
    error, gone = told
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "unreachable"
    assert isinstance(gone, events.GoneEvent)
    assert limits.CROWDED_PATIENCE < host.now.tick - began < limits.CROWDED_PATIENCE + limits.DIAL_PAUSE_MAX


def test_whose_nick_another_has_by_the_time_it_is_let_in_asks_for_a_similar_one_with_the_same_key(
    held: FalseHost,
) -> None:
    """That key is still let in."""
    request: Any = held.request
    key = request.key
    assert held.hears(held.refused("nick-taken")) == []
    again = held.redials("nick-refused")
    assert (again.key, again.nick) == (key, "me-2")
    held.roster_guest()
    told = held.hears(*held.welcome())
    assert [event.wanted for event in told if isinstance(event, events.NickAssignedEvent)] == ["me"]


# --- what is no proper host


def test_who_waits_is_told_nothing_of_the_room(held: FalseHost) -> None:
    """What only members are told ends the link."""
    told: list[frames.Frame] = [
        frames.KnockersFrame([]),
        frames.DeniedFrame(1, "nick-taken"),
        frames.EchoedFrame(),
        held.held(),
        held.resumed(),
    ]
    for frame in told:
        assert_link_ended(held, held.hears(frame))
        assert kinds(held.hears(held.held())) == ["LinkEvent"]


def forged_holds(host: FalseHost) -> list[frames.HeldFrame]:
    stolen = credentials.sign_credentials(ROOM_KEY, EVE.key)
    return [
        credentials.sign_hold(host.hello, CREDENTIALS, EVE.sign),
        credentials.sign_hold(bytes(32), CREDENTIALS, HOST.sign),
        credentials.sign_hold(host.hello, CREDENTIALS, lambda _, content: HOST.sign(identity.WAITING, content)),
        credentials.sign_hold(host.hello, stolen, HOST.sign),
    ]


@pytest.mark.parametrize("which", range(4), ids=["another's", "another link's", "another label", "other credentials"])
def test_nobody_waits_for_whom_the_host_has_not_asked_to(which: int) -> None:
    """2.13"""
    host = FalseHost()
    host.greets()
    assert_link_ended(host, host.hears(forged_holds(host)[which]))


def test_a_member_is_not_made_to_wait(held: FalseHost) -> None:
    """By whomever: who asks for its place again is no newcomer."""
    held.roster_guest()
    held.hears(*held.welcome())
    held.redials()
    assert_link_ended(held, held.hears(held.held()))


def test_who_joins_anew_waits_for_its_host_or_one_of_a_later_term_whom_it_knows(host: FalseHost) -> None:
    """2.13: whoever has the key of the code does not keep it waiting."""
    come_anew(host)
    for who, term, waits in ((EVE, 0, False), (EVE, 5, False), (ANN, 0, False), (ANN, 5, True), (HOST, 0, True)):
        vouched = credentials.sign_credentials(ROOM_KEY, who.key, term)
        told = host.hears(credentials.sign_hold(host.hello, vouched, who.sign))
        assert (kinds(told) == ["LinkEvent"]) == waits
        host.redials()


# --- a moderator that does not host


@pytest.fixture
def moderator() -> FalseHost:
    """A host whose guest is a moderator."""
    host = FalseHost()
    host.greets()
    host.roster_guest()
    host.ledger.rights = Rights(moderators=(host.me,))
    host.begin_at(host.ledger.index, host.latest.digest)
    host.hears(*host.welcome())
    return host


def waiting(told: list[events.Event]) -> list[list[tuple[str, int]]]:
    """Who waits, by what was told."""
    shown = [event for event in told if isinstance(event, WaitingEvent)]
    return [[(person.nick, person.seconds) for person in event.people] for event in shown]


def knockers(*nicks: str) -> frames.KnockersFrame:
    return frames.KnockersFrame([frames.KnockEntry(bytes([at]) * 32, nick, at) for at, nick in enumerate(nicks)])


def test_a_moderator_is_told_by_its_host_who_waits_and_admits_by_nick(moderator: FalseHost) -> None:
    assert waiting(moderator.hears(knockers("bob", "zoe"))) == [[("bob", 0), ("zoe", 1)]]
    assert moderator.takes(AdmitInput("zoe", admitted=True)) == []
    [entry] = moderator.submits()
    assert said(entry) == bodies.AdmitBody(b"\1" * 32, admitted=True)


def test_a_host_that_tells_it_all_the_time_does_not_flood_its_user(moderator: FalseHost) -> None:
    told = moderator.hears(*(knockers(f"nick{number}") for number in range(100)))
    assert waiting(told) == [[("nick0", 0)]]
    assert waiting(passes(moderator, limits.KNOCKERS_TOLD)) == [[("nick99", 2)]]


def test_once_its_link_is_lost_nobody_waits_as_far_as_it_knows(moderator: FalseHost) -> None:
    moderator.hears(knockers("zoe"))
    moderator.takes(inputs.DroppedInput(moderator.end.number, "broken", 0.0))
    assert waiting(passes(moderator, limits.KNOCKERS_TOLD)) == [[]]


def test_whom_no_host_could_let_in_is_nobody_that_waits(moderator: FalseHost) -> None:
    """5.2b: nicks are shown."""
    assert_link_ended(moderator, moderator.hears(knockers("not a nick")))


def test_who_is_no_moderator_is_shown_nothing_of_it(host: FalseHost) -> None:
    assert host.hears(knockers("zoe")) == []
    assert passes(host, 5) == []
    assert not host.end.connection.is_over
