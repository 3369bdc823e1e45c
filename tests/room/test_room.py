"""A room as its user has it: into it and out of it, and what is asked for in it."""

from typing import Any

import pytest
from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.errors import TorLost
from anonp2p.protocol import room_state
from anonp2p.reasons import Reason
from anonp2p.room import events, inputs
from anonp2p.room.moderation_inputs import KickInput, LockInput
from tests.room.peers import kinds
from tests.room.simulation import Simulation
from tests.support.world import Party


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def test_events_of_the_room_asked_for_carry_who_asked() -> None:
    room = Simulation(re="mine")
    assert [event.re for event in room.host.told] == ["mine"]
    ann = room.newcomer("ann", re="hers")
    room.settle()
    assert [event.re for event in ann.told] == ["hers", "hers", "hers"]
    room.say(room.host, "hello")
    room.lose(ann, delivering=True)
    room.settle()
    assert {event.re for event in ann.told[3:]} == {UNSET}


def test_lines_typed_while_joining_wait_and_are_sent_in_their_order(room: Simulation) -> None:
    ann = room.newcomer("ann")
    for number in range(3):
        room.say(ann, f"early {number}")
    renamed = room.rename(ann, "anna")
    assert ann.room.outstanding == 4
    assert kinds(ann.told) == ["LinkEvent"]
    room.settle()
    assert [message.text for message in room.host.got(events.MessageEvent)] == ["early 0", "early 1", "early 2"]
    assert kinds(room.answers(ann, renamed)) == ["RenamedEvent"]
    assert ann.room.outstanding == 0


def test_a_leave_waits_behind_the_lines_that_wait(room: Simulation) -> None:
    ann = room.newcomer("ann")
    text, leave = room.say(ann, "early"), room.leave(ann)
    room.settle()
    assert kinds(room.answers(ann, text)) == ["MessageEvent"]
    assert kinds(room.answers(ann, leave)) == ["GoneEvent"]
    assert [left.reason for left in room.host.got(events.LeftEvent)] == ["left"]


def test_a_leave_at_once_gives_back_the_lines_that_wait(room: Simulation) -> None:
    ann = room.newcomer("ann")
    text = room.say(ann, "early")
    leave = room.leave(ann, now=True)
    assert kinds(room.answers(ann, text)) == ["UnsentEvent"]
    assert kinds(room.answers(ann, leave)) == ["GoneEvent"]
    room.settle()
    assert not room.host.got(events.JoinedEvent)


def test_a_leave_is_confirmed_and_all_see_it(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    re = room.leave(ann)
    assert not ann.room.over
    room.settle()
    [gone] = room.answers(ann, re)
    assert isinstance(gone, events.GoneEvent)
    assert gone.reason == "left"
    assert ann.got(events.LeftEvent) == []
    assert [left.reason for left in bob.got(events.LeftEvent)] == ["left"]
    assert bob.people == room.who(room.host)


def test_a_leave_that_nobody_confirms_takes_its_time_and_no_more(room: Simulation) -> None:
    ann = room.joined("ann")
    room.tick = 1_100.0
    text, leave = room.say(ann, "last"), room.leave(ann)
    assert ann.room.next_deadline() == 1_100.0 + limits.LEAVE_PATIENCE
    room.lose_patience(ann)
    assert kinds(room.answers(ann, text)) == ["UnsentEvent"]
    assert kinds(room.answers(ann, leave)) == ["GoneEvent"]
    assert ann.room.next_deadline() is None


def test_a_leave_that_lost_its_link_is_over_at_once(room: Simulation) -> None:
    ann = room.joined("ann")
    re = room.leave(ann)
    room.lose(ann, delivering=False)
    room.member_hears(ann)
    assert kinds(room.answers(ann, re)) == ["GoneEvent"]


def test_what_is_typed_after_a_leave_is_given_back(room: Simulation) -> None:
    ann = room.joined("ann")
    before = room.say(ann, "before")
    room.leave(ann)
    late, nick = room.say(ann, "late"), room.rename(ann, "eve")
    assert kinds(room.answers(ann, late)) == ["UnsentEvent"]
    assert kinds(room.answers(ann, nick)) == ["ErrorEvent"]
    room.settle()
    assert kinds(room.answers(ann, before)) == ["MessageEvent"]
    assert ann.room.over
    assert kinds(room.answers(ann, room.say(ann, "too late"))) == ["UnsentEvent"]


def test_frames_that_come_after_the_end_are_ignored(room: Simulation) -> None:
    ann = room.joined("ann")
    room.say(room.host, "late")
    room.write(ann)
    room.leave(ann)
    room.lose_patience(ann)
    for late in (
        inputs.ReceivedInput(ann.dialled, bytes(478)),
        inputs.DroppedInput(ann.dialled, "closed", 0.0),
        inputs.TickInput(),
        inputs.DialFailedInput(ann.dialled, Reason("not-found")),
    ):
        assert ann.room.handle_input(late, inputs.Now(0, 0)) == []
    assert kinds(ann.told)[-1] == "GoneEvent"


def test_a_joiner_that_reaches_nobody_gives_up(room: Simulation) -> None:
    room.leave(room.host)
    ann = room.newcomer("ann")
    room.give_up(ann)
    assert [error.code for error in ann.got(events.ErrorEvent)] == ["unreachable"]
    assert [gone.reason for gone in ann.got(events.GoneEvent)] == ["lost"]
    assert ann.room.failure is not None


@pytest.mark.parametrize("close", [False, True])
def test_the_room_ends_with_its_host(room: Simulation, close: bool) -> None:
    ann, bob = room.joined("ann"), room.newcomer("bob")
    waiting = room.say(bob, "early")
    lost = room.say(ann, "too late for the host")
    room.say(room.host, "bye")
    re = room.leave(room.host, close=close)
    warned = [] if close else ["LeaveEndsRoomEvent"]
    assert kinds(room.answers(room.host, re)) == [*warned, "GoneEvent"]
    room.settle()
    assert [message.text for message in ann.got(events.MessageEvent)] == ["bye"]
    assert ann.got(events.GoneEvent)[0].reason == "closed"
    assert room.host.got(events.GoneEvent)[0].reason == ("closed" if close else "left")
    assert kinds(room.answers(ann, lost)) == ["UnsentEvent"]
    assert kinds(room.answers(bob, waiting)) == ["UnsentEvent"]
    assert bob.got(events.GoneEvent)[0].reason == "lost"


def test_a_host_without_tor_is_out_and_so_is_everyone(room: Simulation) -> None:
    ann = room.joined("ann")
    room.break_down(TorLost("it ended"))
    room.settle()
    assert [gone.reason for gone in room.host.got(events.GoneEvent)] == ["tor"]
    assert [gone.reason for gone in ann.got(events.GoneEvent)] == ["lost"]


# --- what the user asks for


@pytest.mark.parametrize(
    "typed",
    [KickInput("bob", re=99), LockInput(locked=True, re=99), inputs.LeaveInput(close=True, re=99)],
    ids=["kick", "lock", "close"],
)
def test_only_the_host_throws_out_locks_or_closes(room: Simulation, typed: inputs.Typed) -> None:
    ann = room.joined("ann")
    room.joined("bob")
    room.step(ann, typed)
    assert [error.code for error in ann.got(events.ErrorEvent)] == ["not-allowed"]
    room.settle()
    assert list(room.who(room.host).values()) == ["hugo", "ann", "bob"]
    assert not room.host.room.snapshot().locked


@pytest.mark.parametrize(("nick", "code"), [("eve", "no-such-nick"), ("hugo", "not-allowed")])
def test_only_another_member_is_thrown_out(room: Simulation, nick: str, code: str) -> None:
    room.joined("ann")
    [error] = room.answers(room.host, room.kick(nick))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == code
    assert room.host.room.snapshot().epoch == 0


@pytest.mark.parametrize("locked", [True, False])
def test_a_room_that_is_so_already_says_so(room: Simulation, locked: bool) -> None:
    if locked:
        room.lock(locked=True)
    before = room.host.room.index
    assert kinds(room.answers(room.host, room.lock(locked=locked))) == ["LockUnchangedEvent"]
    assert room.host.room.index == before


def test_a_host_is_told_of_a_taken_nick_at_once(room: Simulation) -> None:
    room.joined("ann")
    [error] = room.answers(room.host, room.rename(room.host, "ANN"))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "nick-taken"


def test_ones_own_nick_again_is_no_news(room: Simulation) -> None:
    ann = room.joined("ann")
    assert kinds(room.answers(ann, room.rename(ann, "ann"))) == ["NickUnchangedEvent"]
    assert ann.room.outstanding == 0


def test_questions_are_answered_with_what_holds_now(room: Simulation) -> None:
    ann = room.joined("ann")
    room.joined("bob")
    assert list(room.who(ann).values()) == ["hugo", "ann", "bob"]
    [answer] = room.answers(ann, room.ask_code(ann))
    assert isinstance(answer, events.ReplyEvent)
    assert answer.data == {"code": room.host.room.code}


def test_retain_answers_what_holds_and_keeps_to_the_rooms_bounds() -> None:
    room = Simulation(retention=room_state.RetentionPolicy(10, 60, 3600))
    ann = room.joined("ann")

    def answer(ttl: int | None) -> list[events.Event]:
        return room.answers(ann, room.retain(ann, ttl))

    def data(told: list[events.Event]) -> Any:
        [reply] = told
        assert isinstance(reply, events.ReplyEvent)
        return reply.data

    bounds = {"minimum": 10, "default": 60, "maximum": 3600}
    assert data(answer(None)) == {"ttl": 60, **bounds}
    assert data(answer(10)) == {"ttl": 10, **bounds}
    for bad in (9, 3601, FLEETING, KEPT):
        [error] = answer(bad)
        assert isinstance(error, events.ErrorEvent)
        assert str(error.text) == "In this room messages are kept for 10s to 1h."
    assert data(answer(None)) == {"ttl": 10, **bounds}


@pytest.mark.parametrize(("nick", "code"), [("nobody", "no-such-nick"), ("ann", "bad-input")])
def test_a_private_message_to_nobody_or_oneself_is_given_back(room: Simulation, nick: str, code: str) -> None:
    ann = room.joined("ann")
    error, unsent = room.answers(ann, room.whisper(ann, nick, "psst"))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == code
    assert isinstance(unsent, events.UnsentEvent)
    assert unsent.text == f"/msg {nick} psst"


def test_in_a_private_conversation_the_member_counts_and_not_the_nick(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    member = bob.room.snapshot().member
    for party, nick in ((bob, "robert"), (eve, "bob")):
        room.rename(party, nick)
        room.settle()
    room.whisper(ann, "bob", "psst", member)
    room.settle()
    assert [event.text for event in bob.got(events.MessageEvent)] == ["psst"]
    assert eve.got(events.MessageEvent) == []
    room.leave(bob)
    room.settle()
    error, unsent = room.answers(ann, room.whisper(ann, "bob", "psst", member))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "no-such-nick"
    assert isinstance(unsent, events.UnsentEvent)


def words(room: Simulation, party: Party, nick: str = "") -> Any:
    [reply] = room.answers(party, room.verify(party, nick))
    assert isinstance(reply, events.ReplyEvent)
    return reply.data


def test_the_rooms_words_are_ten_and_the_same_at_every_member(room: Simulation) -> None:
    ann = room.joined("ann")
    first = words(room, room.host)
    assert len(first["words"]) == 10
    assert (first["minutes"], first["previous"]) == (0, None)
    assert words(room, ann) == first
    room.say(ann, "something")
    room.settle()
    room.wait(limits.MARK_INTERVAL / 1000 + limits.HEARTBEAT)
    room.settle()
    second = words(room, ann)
    assert second["words"] == words(room, room.host)["words"]
    assert second["words"] != first["words"]
    assert second["minutes"] == 10
    assert second["previous"]["words"] == first["words"]
    assert second["at"] == pytest.approx(1_000_000 + 600, abs=limits.HEARTBEAT)


def test_two_members_see_the_same_words_for_each_other_and_others_for_others(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    ours = words(room, ann, "bob")
    assert len(ours["words"]) == 10
    assert ours["nick"] == "bob"
    assert words(room, bob, "ann")["words"] == ours["words"]
    assert words(room, ann, "hugo")["words"] != ours["words"]


@pytest.mark.parametrize(("nick", "code"), [("nobody", "no-such-nick"), ("ann", "bad-input")])
def test_there_are_no_words_for_nobody_and_for_oneself(room: Simulation, nick: str, code: str) -> None:
    ann = room.joined("ann")
    [error] = room.answers(ann, room.verify(ann, nick))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == code
