"""What a message is worth: how long it lives, who is shown it later, who alone may read it, what proves the room."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from anonp2p import limits
from anonp2p.crypto.epoch import FLEETING, KEPT
from anonp2p.protocol import frames
from anonp2p.room import events, inputs
from anonp2p.room.retention import ANY
from tests.room.simulation import Simulation
from tests.room.test_room import Talk, check_party, people
from tests.support.world import Party, log_of

LAST_THREE = frames.HistoryPolicy(3, 0)


@pytest.fixture
def room() -> Simulation:
    """A host in a room of its own."""
    return Simulation()


def texts(party: Party) -> list[str]:
    return [message.text for message in party.got(events.MessageEvent)]


def seqs(party: Party, kind: type[events.ExpiredEvent] | type[events.MessageEvent]) -> list[int]:
    return [event.seq for event in party.got(kind)]


def expired_unseen(party: Party) -> list[int]:
    return [event.count for event in party.got(events.ExpiredUnseenEvent)]


def pass_time(room: Simulation, seconds: float) -> None:
    """So much time passes for all."""
    room.wait(seconds)
    for member in room.members:
        if not member.room.over:
            room.step(member, inputs.TickInput())
    room.settle()


def held(room: Simulation) -> bytes:
    """All that the host's log holds of what was said."""
    log = log_of(room.host.room)
    pieces = [batch.wire + b"".join(entry.body for entry in batch.entries) for batch in log.batches]
    return b"".join([*pieces, log.shared_piece, *log.unsealed])


def retaining(room: Simulation, party: Party, ttl: int, text: str, *, absent: Party | None = None) -> int:
    """Says something that is kept for so long, which all hear who are there; returns its seq."""
    room.retain(party, ttl)
    room.say(party, text)
    if absent is None:
        room.settle()
    else:
        room.settle_without(absent)
    return seqs(room.host, events.MessageEvent)[-1]


# --- retention


def test_a_message_tells_its_time_and_ends_after_it_at_everyone(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    seq = retaining(room, ann, 30, "short")
    assert [event.ttl for each in (room.host, ann, bob) for event in each.got(events.MessageEvent)] == [30, 30, 30]
    pass_time(room, 29.9)
    assert not any(seqs(each, events.ExpiredEvent) for each in (room.host, ann, bob))
    pass_time(room, 0.2)
    assert [seqs(each, events.ExpiredEvent) for each in (room.host, ann, bob)] == [[seq]] * 3


def test_at_its_end_the_host_holds_neither_text_nor_bytes_of_it_but_its_hash(room: Simulation) -> None:
    ann = room.joined("ann")
    retaining(room, ann, 30, "the text")
    assert b"the text" in held(room)
    size = len(held(room))
    pass_time(room, 31)
    assert b"the text" not in held(room)
    assert len(held(room)) < size
    assert room.host.room.index == ann.room.index


def test_time_that_the_machine_sleeps_counts(room: Simulation) -> None:
    ann = room.joined("ann")
    seq = retaining(room, ann, 3600, "short")
    room.world.slept += 3600
    for party in (room.host, ann):
        room.step(party, inputs.TickInput())
        assert seqs(party, events.ExpiredEvent) == [seq]
    assert b"short" not in held(room)


def test_what_is_said_after_a_sleep_has_its_whole_time(room: Simulation) -> None:
    ann = room.joined("ann")
    room.world.slept += 3600
    seq = retaining(room, ann, 60, "short")
    for more, ended in ((59, []), (2, [seq])):
        pass_time(room, more)
        assert seqs(ann, events.ExpiredEvent) == seqs(room.host, events.ExpiredEvent) == ended


def test_a_member_is_woken_at_the_end_of_a_message(room: Simulation) -> None:
    """Though nothing else happens: its beat is due later."""
    ann = room.joined("ann")
    retaining(room, ann, 2, "short")
    deadline = ann.room.next_deadline()
    assert deadline is not None
    assert deadline <= room.tick + 2.01


def test_of_too_many_messages_that_expire_the_first_end_early(
    room: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXPIRING", 2)
    ann = room.joined("ann")
    first, *_ = [retaining(room, ann, ttl, "short") for ttl in (3600, 3601, 3602)]
    assert seqs(ann, events.ExpiredEvent) == [first]


def test_a_clock_that_slept_is_looked_at_soon(room: Simulation) -> None:
    ann = room.joined("ann")
    retaining(room, ann, 3600, "short")
    for party in (room.host, ann):
        deadline = party.room.next_deadline()
        assert deadline is not None
        assert deadline <= room.tick + limits.SLEEP_NOTICE


def test_one_who_was_away_when_it_expired_is_told_how_many_and_has_the_same_log(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.say(ann, "kept 1")
    room.settle()
    room.lose(bob, delivering=False)
    for number in range(3):
        retaining(room, ann, 5, f"short {number}", absent=bob)
    retaining(room, ann, KEPT, "kept 2", absent=bob)
    room.tick += 15
    room.step(room.host, inputs.TickInput())
    room.settle()
    room.say(bob, "I am back")
    room.settle()
    assert texts(bob) == ["kept 1", "kept 2", "I am back"]
    assert expired_unseen(bob) == [3]
    assert texts(ann)[-1] == "I am back"
    assert not bob.got(events.AlarmEvent)


def test_what_expired_is_left_out_also_for_one_who_comes_back_in_another_epoch(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.joined("eve")
    room.lose(bob, delivering=False)
    retaining(room, ann, 5, "short", absent=bob)
    retaining(room, ann, KEPT, "kept", absent=bob)
    room.kick("eve")
    room.tick += 15
    room.step(room.host, inputs.TickInput())
    room.settle()
    assert texts(bob) == ["kept"]
    assert expired_unseen(bob) == [1]
    room.say(ann, "and on")
    room.settle()
    assert texts(bob) == ["kept", "and on"]


def test_more_expired_messages_of_one_author_than_keys_may_be_left_out_at_once_are_stepped_over(
    room: Simulation,
) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.lose(bob, delivering=False)
    room.retain(ann, 5)
    for number in range(limits.SKIPPED + 20):
        room.say(ann, f"short {number}")
        if number % 40 == 0:
            room.settle_without(bob)
    room.settle_without(bob)
    room.tick += 10
    room.step(room.host, inputs.TickInput())
    room.settle()
    retaining(room, ann, KEPT, "kept")
    assert texts(bob) == ["kept"]


def test_ones_own_message_that_expired_before_its_receipt_came_is_confirmed_and_ends(room: Simulation) -> None:
    ann = room.joined("ann")
    room.retain(ann, 5)
    re = room.say(ann, "short")
    room.host_hears(ann)
    room.end_batch()
    room.lose(ann, delivering=False)
    room.tick += 10
    room.step(room.host, inputs.TickInput())
    room.settle()
    [receipt] = room.answers(ann, re)
    assert isinstance(receipt, events.MessageEvent)
    assert receipt.mine
    pass_time(room, 0.1)
    assert seqs(ann, events.ExpiredEvent) == [receipt.seq]
    assert ann.room.outstanding == 0


def test_a_message_that_comes_late_has_only_the_rest_of_its_time(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.lose(bob, delivering=False)
    seq = retaining(room, ann, 30, "late", absent=bob)
    end = room.tick + 30
    room.tick += 12
    room.step(room.host, inputs.TickInput())
    room.settle()
    [message] = bob.got(events.MessageEvent)
    assert message.at == pytest.approx(1_000_000, abs=0.01)
    pass_time(room, end - 0.1 - room.tick)
    assert not seqs(bob, events.ExpiredEvent)
    pass_time(room, 0.2)
    assert seqs(bob, events.ExpiredEvent) == [seq]


def test_what_is_never_kept_is_shown_to_who_is_there_and_gone_once_all_have_it(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    retaining(room, ann, FLEETING, "now or never")
    assert texts(bob) == texts(room.host) == ["now or never"]
    assert bob.got(events.MessageEvent)[0].ttl == 0
    room.wait(limits.FLEETING_CHECK)
    assert b"now or never" not in held(room)
    assert not any(seqs(each, events.ExpiredEvent) for each in (room.host, ann, bob))


def test_what_is_never_kept_waits_for_a_slow_link_but_not_for_ever(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.retain(ann, FLEETING)
    room.say(ann, "now or never")
    room.settle_without(bob)
    room.wait(limits.FLEETING - 1)
    assert b"now or never" in held(room)
    room.wait(2)
    assert b"now or never" not in held(room)
    room.settle()
    assert texts(bob) == []
    assert expired_unseen(bob) == [1]


def test_retain_answers_what_holds_and_keeps_to_the_rooms_bounds() -> None:
    room = Simulation(retention=frames.RetentionPolicy(10, 60, 3600))
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


def test_the_rooms_rules_are_told_to_all_who_come_in() -> None:
    room = Simulation(retention=frames.RetentionPolicy(FLEETING, 300, KEPT), history=LAST_THREE)
    ann = room.joined("ann")
    for party in (ann, room.host):
        [retention] = party.got(events.RetentionRuleEvent)
        assert (retention.minimum, retention.default, retention.maximum) == (0, 300, None)
        [history] = party.got(events.HistoryRuleEvent)
        assert (history.messages, history.seconds) == (3, None)
    room.say(ann, "usual")
    room.settle()
    assert room.host.got(events.MessageEvent)[0].ttl == 300


def test_when_the_room_ends_all_that_had_a_time_ends_with_it(room: Simulation) -> None:
    ann = room.joined("ann")
    seq = retaining(room, ann, 3600, "short")
    room.leave(ann)
    room.settle()
    assert [type(event).__name__ for event in ann.told[-2:]] == ["ExpiredEvent", "GoneEvent"]
    assert seqs(ann, events.ExpiredEvent) == [seq]


# --- history


def test_a_newcomer_is_shown_what_is_kept_of_the_last_messages_as_history() -> None:
    room = Simulation(history=LAST_THREE)
    ann = room.joined("ann")
    for number in range(4):
        room.say(ann, f"kept {number}")
    retaining(room, ann, 5, "short")
    room.retain(ann, KEPT)
    room.rename(ann, "anna")
    room.whisper(ann, "hugo", "secret")
    room.wait(10)
    bob = room.joined("bob")
    room.say(ann, "live")
    room.settle()
    got = [(it.text, it.history, it.nick, it.mine) for it in bob.got(events.MessageEvent)]
    assert got == [("kept 2", True, "ann", False), ("kept 3", True, "ann", False), ("live", False, "anna", False)]
    assert (
        seqs(bob, events.MessageEvent)
        == seqs(room.host, events.MessageEvent)[2:4] + seqs(room.host, events.MessageEvent)[-1:]
    )
    at = [it.at for it in bob.got(events.MessageEvent)]
    assert at[0] == pytest.approx(1_000_000, abs=1)
    assert at[2] == pytest.approx(1_000_010, abs=1)
    check_party(bob)


def test_history_by_time_shows_what_is_not_older() -> None:
    room = Simulation(history=frames.HistoryPolicy(0, 60))
    room.say(room.host, "old")
    room.wait(40)
    room.say(room.host, "new")
    room.wait(30)
    assert texts(room.joined("ann")) == ["new"]


def test_history_shows_messages_of_those_who_have_left() -> None:
    room = Simulation(history=LAST_THREE)
    ann = room.joined("ann")
    room.say(ann, "I was here")
    room.leave(ann)
    room.settle()
    room.wait(limits.COMMIT_PAUSE + 1)
    room.settle()
    bob = room.joined("bob")
    assert [(it.text, it.nick) for it in bob.got(events.MessageEvent)] == [("I was here", "ann")]
    assert room.who(bob).keys() == room.who(room.host).keys()


def test_without_history_a_newcomer_is_shown_nothing_of_before(room: Simulation) -> None:
    room.say(room.host, "before")
    assert texts(room.joined("ann")) == []


def test_what_is_shown_as_history_ends_in_its_time() -> None:
    room = Simulation(history=LAST_THREE)
    seq = retaining(room, room.host, 60, "a minute")
    room.wait(40)
    ann = room.joined("ann")
    assert texts(ann) == ["a minute"]
    pass_time(room, 20 + limits.HEARTBEAT)
    assert seqs(ann, events.ExpiredEvent) == [seq]


def test_a_history_that_breaks_in_the_middle_is_shown_whole_and_once() -> None:
    room = Simulation(history=frames.HistoryPolicy(50, 0))
    for number in range(10):
        room.say(room.host, f"kept {number}")
        room.end_batch()
    ann = room.newcomer("ann")
    room.write(ann)
    room.member_hears(ann)  # the hello
    room.host_hears(ann)
    room.write(ann)
    early = room.say(ann, "mine")
    for _ in range(6):
        room.member_hears(ann)
    assert 0 < len(texts(ann)) < 10
    room.lose(ann, delivering=False)
    room.say(room.host, "live")
    room.settle()
    assert texts(ann) == [f"kept {number}" for number in range(10)] + ["live", "mine"]
    assert len(ann.got(events.EnteredEvent)) == 1
    assert len(room.answers(ann, early)) == 1
    check_party(ann)


def test_one_who_was_away_too_long_is_shown_the_history_but_nothing_twice() -> None:
    room = Simulation(history=LAST_THREE)
    ann = room.joined("ann")
    room.say(ann, "before 1")
    room.say(ann, "before 2")
    room.settle()
    room.lose(ann, delivering=False)
    room.wait(limits.PLACE_SECONDS + limits.COMMIT_PAUSE + 1)
    room.say(room.host, "after")
    room.settle()
    assert texts(ann) == ["before 1", "before 2", "after"]
    check_party(ann)


# --- private messages


def test_a_private_message_is_shown_to_its_author_and_to_whom_it_is_for_alone(room: Simulation) -> None:
    ann, bob, eve = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    re = room.whisper(ann, "BOB", "psst")
    room.settle()
    [own] = room.answers(ann, re)
    [got] = bob.got(events.MessageEvent)
    assert isinstance(own, events.MessageEvent)
    assert (own.text, own.private, own.to, own.mine) == ("psst", True, "bob", True)
    assert (got.text, got.private, got.mine, got.nick, got.seq) == ("psst", True, False, "ann", own.seq)
    assert texts(eve) == texts(room.host) == []
    assert b"psst" not in held(room)


def test_host_and_members_write_to_each_other_in_private(room: Simulation) -> None:
    ann = room.joined("ann")
    room.whisper(room.host, "ann", "to you")
    room.whisper(ann, "hugo", "and back")
    room.settle()
    assert texts(ann) == ["to you", "and back"]
    assert texts(room.host) == ["to you", "and back"]


def test_private_and_other_lines_keep_their_order_though_a_key_has_to_be_fetched_first(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.newcomer("bob")
    room.say(bob, "one")
    room.whisper(bob, "ann", "two")
    room.say(bob, "three")
    room.settle()
    assert texts(ann) == ["one", "two", "three"]


def test_in_a_large_room_the_key_is_fetched_when_it_is_needed(
    room: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RENEWING", 2)
    ann, bob = room.joined("ann"), room.joined("bob")
    assert not bob.room.replica.keys
    room.whisper(bob, "ann", "hello")
    room.say(bob, "after it")
    room.settle()
    assert texts(ann) == ["hello", "after it"]


def test_a_private_message_opens_after_any_change_of_keys(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    for number in range(3):
        room.wait(limits.EPOCH)
        room.whisper(ann, "bob", f"early {number}")  # before it has heard of anything new
        room.settle()
        room.whisper(bob, "ann", f"late {number}")
        room.settle()
    assert texts(bob) == texts(ann) == [f"{when} {number}" for number in range(3) for when in ("early", "late")]


def test_a_private_message_reaches_one_who_was_away_and_missed_a_commit(room: Simulation) -> None:
    ann, bob, _ = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    room.lose(bob, delivering=False)
    room.whisper(ann, "bob", "for later")
    room.settle_without(bob)
    room.kick("eve")
    room.settle()
    assert texts(bob) == ["for later"]


def test_a_private_message_in_flight_across_a_commit_is_boxed_anew_and_shown_once(room: Simulation) -> None:
    ann, bob, _ = (room.joined(nick) for nick in ("ann", "bob", "eve"))
    re = room.whisper(ann, "bob", "psst")
    room.kick("eve")
    room.settle()
    assert texts(bob) == ["psst"]
    assert len(room.answers(ann, re)) == 1


def test_a_private_message_to_one_who_is_gone_meanwhile_is_given_back_as_it_was_typed(room: Simulation) -> None:
    ann, _ = room.joined("ann"), room.joined("eve")
    re = room.whisper(ann, "eve", "psst")
    room.kick("eve")
    room.host_hears(ann)  # in an epoch that is over
    room.settle()
    error, unsent = room.answers(ann, re)
    assert isinstance(error, events.ErrorEvent)
    assert error.code == "no-such-nick"
    assert isinstance(unsent, events.UnsentEvent)
    assert unsent.text == "/msg eve psst"
    assert ann.room.outstanding == 0


@pytest.mark.parametrize(("nick", "code"), [("nobody", "no-such-nick"), ("ann", "bad-input")])
def test_a_private_message_to_nobody_or_oneself_is_given_back(room: Simulation, nick: str, code: str) -> None:
    ann = room.joined("ann")
    error, unsent = room.answers(ann, room.whisper(ann, nick, "psst"))
    assert isinstance(error, events.ErrorEvent)
    assert error.code == code
    assert isinstance(unsent, events.UnsentEvent)
    assert unsent.text == f"/msg {nick} psst"


def test_too_many_private_messages_at_once_are_given_back_and_all_others_go(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    asked = [room.whisper(ann, "bob", f"psst {number}") for number in range(limits.PRIVATE_BUCKET + 5)]
    room.say(ann, "aloud")
    room.settle()
    assert len(texts(bob)) == limits.PRIVATE_BUCKET + 1
    for re in asked[limits.PRIVATE_BUCKET :]:
        error, unsent = room.answers(ann, re)
        assert isinstance(error, events.ErrorEvent)
        assert error.code == "not-allowed"
        assert isinstance(unsent, events.UnsentEvent)
    room.tick += 10
    room.whisper(ann, "bob", "again")
    room.settle()
    assert texts(bob)[-1] == "again"


def test_a_private_message_expires_like_any(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.retain(ann, 30)
    room.whisper(ann, "bob", "psst")
    room.settle()
    pass_time(room, 31)
    assert seqs(bob, events.ExpiredEvent) == seqs(ann, events.ExpiredEvent) == seqs(bob, events.MessageEvent)


# --- safety words


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
    pass_time(room, limits.MARK_INTERVAL / 1000 + limits.HEARTBEAT)
    second = words(room, ann)
    assert second["words"] == words(room, room.host)["words"]
    assert second["words"] != first["words"]
    assert second["minutes"] == 10
    assert second["previous"]["words"] == first["words"]
    assert second["at"] == pytest.approx(1_000_000 + 600, abs=limits.HEARTBEAT)


def test_the_time_of_a_mark_stays_when_the_machine_has_slept(room: Simulation) -> None:
    ann = room.joined("ann")
    before = [words(room, party)["at"] for party in (room.host, ann)]
    room.world.slept += 3600
    assert [words(room, party)["at"] for party in (room.host, ann)] == before


def test_words_change_with_what_was_said(room: Simulation) -> None:
    other = Simulation()
    for each, text in ((room, "this"), (other, "that")):
        each.say(each.host, text)
        each.wait(limits.MARK_INTERVAL / 1000 + limits.HEARTBEAT)
    assert words(room, room.host)["words"] != words(other, other.host)["words"]
    assert words(room, room.host)["previous"] == words(other, other.host)["previous"]


def test_one_who_comes_late_has_words_from_the_next_mark_on(room: Simulation) -> None:
    room.wait(25 * 60)
    ann = room.joined("ann")
    assert words(room, ann) == {"words": [], "at": None, "minutes": None, "previous": None}
    pass_time(room, 10 * 60)
    assert words(room, ann)["words"] == words(room, room.host)["words"]
    assert words(room, ann)["minutes"] == 30
    assert words(room, ann)["previous"] is None


def test_one_who_was_away_has_the_same_words_as_all(room: Simulation) -> None:
    ann, bob = room.joined("ann"), room.joined("bob")
    room.wait(9 * 60)
    room.lose(bob, delivering=False)
    room.say(ann, "meanwhile")
    room.settle_without(bob)
    room.wait(2 * 60)
    room.say(ann, "after the mark")
    room.settle_without(bob)
    room.settle()
    assert words(room, bob) == words(room, ann) == words(room, room.host)
    assert words(room, bob)["minutes"] == 10


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


# --- all of it together


class Worth(Talk):
    """Talk of which some is forgotten, shown to newcomers, or for one alone."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Simulation(retention=ANY, history=LAST_THREE)

    @rule(who=people, ttl=st.sampled_from([FLEETING, 5, 300, KEPT]))
    def retain(self, who: int, ttl: int) -> None:
        self.room.retain(self.one(who), ttl)

    @precondition(lambda self: self.room.members)
    @rule(who=people, other=people)
    def whisper(self, who: int, other: int) -> None:
        self.said += 1
        self.room.whisper(self.one(who), self.one(other).room.snapshot().nick or "ann", f"private {self.said}")

    @rule(seconds=st.sampled_from([5.0, 300.0]))
    def sleep(self, seconds: float) -> None:
        self.room.world.slept += seconds

    def check_order(self) -> None:
        """What all may read is everywhere as at the host, but for what they came too late for."""
        everyone = [self.room.host, *self.room.members]
        public = {it.seq: it for it in self.room.host.got(events.MessageEvent) if not it.private}
        for party in everyone:
            shown = party.got(events.MessageEvent)
            for it in shown:
                if not it.private:
                    assert (public[it.seq].text, public[it.seq].member) == (it.text, it.member)
            last = max([it.seq for it in shown], default=0)
            live = [it.seq for it in shown if not it.history]
            kept = [seq for seq, it in public.items() if it.ttl is None and live and live[0] < seq < last]
            if party.gaps == 0:
                assert set(kept) <= {it.seq for it in shown}, "what is kept reaches everyone who is there"
            ended = [event.seq for event in party.got(events.ExpiredEvent)]
            assert len(ended) == len(set(ended))
            assert set(ended) <= {it.seq for it in shown if it.ttl}
        whispers = [it for party in everyone for it in party.got(events.MessageEvent) if it.private]
        for text in {it.text for it in whispers}:
            readers = [it for it in whispers if it.text == text]
            assert len(readers) <= 2
            assert len([it for it in readers if it.mine]) <= 1
            assert len({it.seq for it in readers}) == 1

    def check_settled(self) -> None:
        """With nothing on its way any more, all agree who is there, and nobody waits for anything."""
        for party in [self.room.host, *self.room.members]:
            assert party.room.outstanding == 0
            for re, typed in party.typed.items():
                answers = self.room.answers(party, re)
                if isinstance(typed, inputs.WhisperInput):
                    assert len([it for it in answers if isinstance(it, events.MessageEvent | events.UnsentEvent)]) <= 1
            if party.room.entered:
                assert self.room.who(party) == self.room.who(self.room.host) == party.people


TestWorth = Worth.TestCase
TestWorth.settings = settings(max_examples=50, stateful_step_count=40)
