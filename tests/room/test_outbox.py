"""What of ours has no place yet: what is sent and when, what waits for a key, what is given back."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import suite
from anonp2p.crypto.epoch import ENTRY, KEPT, Header
from anonp2p.errors import NoSuchNick, PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.room.errors import InvitationTaken, Repeated, RetractUnsent, Unconfirmed
from anonp2p.room.outbox import GivenBack, Outbox
from anonp2p.room.pending import Pending, Sealed, Whisper
from anonp2p.room.sent_entries import SentEntries

ME = bytes(16)
ANN, BOB = b"ann", b"bob"
ANN_KEY, BOB_KEY = b"key of ann", b"key of bob"


class FakeSealer:
    """Seals into bytes that say what went in. Nothing can be sealed to a key whose hash is among the bad ones."""

    def __init__(self) -> None:
        self.epoch_number = 0
        self.members = {ANN: ANN_KEY, BOB: BOB_KEY}
        self.known: set[bytes] = set()
        self.bad: set[bytes] = set()
        self.times = 0

    def key_hash(self, member: bytes) -> bytes | None:
        return self.members.get(member)

    def knows_key(self, key_hash: bytes) -> bool:
        return key_hash in self.known

    def seal_entry(self, counter: int, pending: Pending) -> Sealed:
        if isinstance(pending.body, Whisper) and self.members[pending.body.to] in self.bad:
            raise PeerFault("unusable-key")
        self.times += 1
        name = f"{self.epoch_number}/{counter}".encode()
        content = bodies.Content(bytes(limits.SALT), 0, bytes(32), bodies.LeaveBody())
        return Sealed(self.epoch_number, Header(ENTRY, ME, counter, 0, pending.ttl), content, b"body " + name, name)


FORMER = b"f" * 16


@pytest.fixture
def sealer() -> FakeSealer:
    return FakeSealer()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


def say(outbox: Outbox, line: str) -> int:
    return outbox.add_entry(bodies.TextBody(line, action=False, reply=None), line, line, 60)


def whisper(outbox: Outbox, line: str, to: bytes = ANN) -> int:
    return outbox.add_entry(Whisper(to, "nick", line), line, line)


def rename(outbox: Outbox, nick: str) -> int:
    return outbox.add_entry(bodies.NickBody(nick), None, nick)


def sent(ready: list[Any]) -> list[bytes | str]:
    """Entries as the fake sealer names them, hashes of keys asked for, lines (or inputs) given back."""
    seen: list[bytes | str] = []
    for one in ready:
        match one:
            case frames.SubmitFrame(entry=entry):
                seen.append(entry)
            case frames.KeyRequestFrame(key_hash=key_hash):
                seen.append(b"? " + key_hash)
            case GivenBack(line=line, re=re):
                seen.append(line or str(re))
    return seen


def code_of(given: GivenBack) -> str:
    return given.error.code if given.error else ""


# --- sending


def test_everything_goes_out_once_in_its_order(outbox: Outbox, sealer: FakeSealer) -> None:
    say(outbox, "one")
    rename(outbox, "two")
    assert sent(outbox.send_ready(sealer, 0.0)) == [b"0/1", b"0/2"]
    assert outbox.send_ready(sealer, 0.0) == []
    say(outbox, "three")
    assert sent(outbox.send_ready(sealer, 0.0)) == [b"0/3"]
    assert len(outbox) == 3


def test_on_another_link_the_same_bytes_go_out_again(outbox: Outbox, sealer: FakeSealer) -> None:
    say(outbox, "one")
    first = outbox.send_ready(sealer, 0.0)
    outbox.lose_link()
    assert outbox.send_ready(sealer, 1.0) == first
    assert sealer.times == 1


def test_in_another_epoch_what_has_no_place_is_sealed_anew_under_its_counter(
    outbox: Outbox, sealer: FakeSealer
) -> None:
    say(outbox, "one")
    say(outbox, "two")
    outbox.send_ready(sealer, 0.0)
    outbox.take_entry(1)
    sealer.epoch_number = 1
    outbox.begin_epoch()
    assert sent(outbox.send_ready(sealer, 0.0)) == [b"1/2"]


def test_the_time_to_live_is_the_one_that_was_asked_for(outbox: Outbox, sealer: FakeSealer) -> None:
    said, renamed = say(outbox, "one"), rename(outbox, "two")
    assert outbox.seal_entry(said, sealer).header.ttl == 60
    assert outbox.seal_entry(renamed, sealer).header.ttl == KEPT


def test_what_cannot_be_sealed_is_given_back_and_holds_up_nothing(outbox: Outbox, sealer: FakeSealer) -> None:
    sealer.known, sealer.bad = {ANN_KEY}, {ANN_KEY}
    whisper(outbox, "one")
    say(outbox, "two")
    refused, submit = outbox.send_ready(sealer, 0.0)
    assert isinstance(refused, GivenBack)
    assert (code_of(refused), refused.line) == ("not-allowed", "one")
    assert sent([submit]) == [b"0/2"]
    assert len(outbox) == 1


# --- waiting for keys


def test_a_private_message_without_a_key_asks_for_it_and_holds_up_what_follows(
    outbox: Outbox, sealer: FakeSealer
) -> None:
    say(outbox, "one")
    whisper(outbox, "two")
    say(outbox, "three")
    assert sent(outbox.send_ready(sealer, 5.0)) == [b"0/1", b"? " + ANN_KEY]
    assert outbox.wait_ends_at == 5.0 + limits.KEY_WAIT
    assert outbox.send_ready(sealer, 6.0) == []
    assert outbox.wait_ends_at == 5.0 + limits.KEY_WAIT
    outbox.end_request(ANN_KEY)
    sealer.known = {ANN_KEY}
    assert sent(outbox.send_ready(sealer, 7.0)) == [b"0/2", b"0/3"]
    assert outbox.wait_ends_at is None


def test_all_keys_are_asked_for_at_once(outbox: Outbox, sealer: FakeSealer) -> None:
    whisper(outbox, "one", ANN)
    whisper(outbox, "two", BOB)
    whisper(outbox, "three", ANN)
    assert sent(outbox.send_ready(sealer, 0.0)) == [b"? " + ANN_KEY, b"? " + BOB_KEY]
    outbox.end_request(ANN_KEY)
    sealer.known = {ANN_KEY}
    assert sent(outbox.send_ready(sealer, 1.0)) == [b"0/1"]
    assert outbox.wait_ends_at == limits.KEY_WAIT, "counted from when the second was asked for"


def test_who_has_waited_for_too_long_gets_the_text_back(outbox: Outbox, sealer: FakeSealer) -> None:
    whisper(outbox, "one")
    say(outbox, "two")
    outbox.send_ready(sealer, 0.0)
    assert outbox.send_ready(sealer, limits.KEY_WAIT - 0.001) == []
    given, submit = outbox.send_ready(sealer, limits.KEY_WAIT)
    assert isinstance(given, GivenBack)
    assert (code_of(given), given.line) == ("failed", "one")
    assert sent([submit]) == [b"0/2"]


def test_a_key_asked_for_beforehand_is_waited_for_from_when_it_is_needed(outbox: Outbox, sealer: FakeSealer) -> None:
    assert outbox.request_key(ANN_KEY) == [frames.KeyRequestFrame(ANN_KEY)]
    assert outbox.request_key(ANN_KEY) == []
    assert outbox.wait_ends_at is None
    whisper(outbox, "one")
    assert outbox.send_ready(sealer, 50.0) == []
    assert outbox.wait_ends_at == 50.0 + limits.KEY_WAIT


def test_what_is_for_somebody_who_is_out_is_given_back(outbox: Outbox, sealer: FakeSealer) -> None:
    whisper(outbox, "one")
    outbox.send_ready(sealer, 0.0)
    del sealer.members[ANN]
    [given] = outbox.send_ready(sealer, 1.0)
    assert isinstance(given, GivenBack)
    assert (code_of(given), given.line) == (NoSuchNick().code, "one")


def test_what_was_sealed_goes_out_again_though_its_key_is_forgotten(outbox: Outbox, sealer: FakeSealer) -> None:
    sealer.known = {ANN_KEY}
    whisper(outbox, "one")
    outbox.send_ready(sealer, 0.0)
    outbox.lose_link()
    sealer.known = set()
    assert sent(outbox.send_ready(sealer, 1.0)) == [b"0/1"]


def test_on_another_link_keys_are_asked_for_again(outbox: Outbox, sealer: FakeSealer) -> None:
    whisper(outbox, "one")
    outbox.send_ready(sealer, 0.0)
    outbox.lose_link()
    assert outbox.wait_ends_at is None
    with pytest.raises(PeerFault):
        outbox.end_request(ANN_KEY)
    assert sent(outbox.send_ready(sealer, 1.0)) == [b"? " + ANN_KEY]


def test_a_key_that_the_host_has_not_refuses_what_was_to_be_sealed_to_it(outbox: Outbox, sealer: FakeSealer) -> None:
    sealer.known = {ANN_KEY}
    whisper(outbox, "sealed already", ANN)
    outbox.send_ready(sealer, 0.0)
    sealer.known = set()
    whisper(outbox, "refused", ANN)
    whisper(outbox, "for another", BOB)
    outbox.send_ready(sealer, 0.0)
    outbox.end_request(ANN_KEY)
    assert sent(outbox.refuse_unsealable(ANN_KEY, sealer)) == ["refused"]
    assert len(outbox) == 2


def test_no_answer_is_taken_twice_or_unasked(outbox: Outbox) -> None:
    with pytest.raises(PeerFault):
        outbox.end_request(ANN_KEY)
    outbox.request_key(ANN_KEY)
    outbox.end_request(ANN_KEY)
    with pytest.raises(PeerFault):
        outbox.end_request(ANN_KEY)


# --- what the host makes of ours


def test_our_own_entries_are_ordered_as_we_sent_them(outbox: Outbox, sealer: FakeSealer) -> None:
    say(outbox, "one")
    say(outbox, "two")
    outbox.send_ready(sealer, 0.0)
    own = [outbox.seal_entry(counter, sealer) for counter in (1, 2)]
    assert [outbox.own_body(it.header, it.entry) for it in own] == [it.body for it in own]
    outbox.expect_next(own[0].header, suite.hash_data(own[0].body))
    assert outbox.take_entry(1) is not None
    outbox.expect_next(own[1].header, suite.hash_data(own[1].body))


FAULTS: dict[str, Callable[[Outbox, list[Sealed]], object]] = {
    "bytes that we never sent": lambda outbox, own: outbox.own_body(own[0].header, own[1].entry),
    "a counter that we never used": lambda outbox, own: outbox.own_body(Header(ENTRY, ME, 9), own[0].entry),
    "the second before the first": lambda outbox, own: outbox.expect_next(own[1].header, suite.hash_data(own[1].body)),
    "another body": lambda outbox, own: outbox.expect_next(own[0].header, suite.hash_data(own[1].body)),
    "another time to live": lambda outbox, own: outbox.expect_next(
        own[0].header._replace(ttl=1), suite.hash_data(own[0].body)
    ),
    "a denial of what has its place": lambda outbox, _: (outbox.take_entry(1), outbox.deny_entry(1, "repeated")),
    "a denial of what was never asked": lambda outbox, _: outbox.deny_entry(9, "repeated"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_host_that_orders_as_ours_what_is_not_breaks_a_rule(outbox: Outbox, sealer: FakeSealer, fault: str) -> None:
    say(outbox, "one")
    say(outbox, "two")
    outbox.send_ready(sealer, 0.0)
    own = [outbox.seal_entry(counter, sealer) for counter in (1, 2)]
    with pytest.raises(PeerFault):
        FAULTS[fault](outbox, own)


def test_the_latest_message_that_never_went_out_is_taken_back(outbox: Outbox, sealer: FakeSealer) -> None:
    """5.20"""
    assert outbox.retract_latest("r") is None
    for line in ("one", "two"):
        say(outbox, line)
    rename(outbox, "anna")
    assert [(it.error, it.line, it.re) for it in outbox.retract_latest("r") or ()] == [(None, "two", "two")]
    assert sent(outbox.send_ready(sealer, 0.0)) == [b"0/1", b"0/3"]


def test_of_what_may_have_gone_out_it_is_noted_that_it_is_to_end(outbox: Outbox, sealer: FakeSealer) -> None:
    """5.20: nothing is sent about it before it has its place: it may be denied."""
    say(outbox, "one")
    whisper(outbox, "two")
    sealer.known.add(ANN_KEY)
    outbox.send_ready(sealer, 0.0)
    for re, counter in (("r", 2), ("s", 1)):
        assert outbox.retract_latest(re) == []
        assert outbox.send_ready(sealer, 0.0) == []
        pending = outbox.take_entry(counter)
        assert pending is not None
        assert pending.retraction == re
    assert outbox.retract_latest("t") is None


def test_what_is_to_end_already_is_not_ended_again(outbox: Outbox, sealer: FakeSealer) -> None:
    say(outbox, "one")
    say(outbox, "two")
    outbox.send_ready(sealer, 0.0)
    assert outbox.retract_latest("r") == outbox.retract_latest("s") == []
    assert outbox.retract_latest("t") is None
    one, two = outbox.take_entry(1), outbox.take_entry(2)
    assert one is not None
    assert two is not None
    assert (one.retraction, two.retraction) == ("s", "r")


def test_that_a_retract_never_left_is_told(outbox: Outbox) -> None:
    outbox.add_entry(bodies.RetractBody(1), None, "r")
    assert [(type(it.error), it.line, it.re) for it in outbox.give_back_all()] == [(RetractUnsent, None, "r")]


def test_what_has_its_place_gets_no_second_one(outbox: Outbox, sealer: FakeSealer) -> None:
    own = outbox.seal_entry(say(outbox, "one"), sealer)
    outbox.take_entry(1)
    with pytest.raises(PeerFault):
        outbox.expect_next(own.header, suite.hash_data(own.body))


def test_what_was_never_sealed_is_not_ordered_as_ours(outbox: Outbox) -> None:
    say(outbox, "one")
    with pytest.raises(PeerFault):
        outbox.expect_next(Header(ENTRY, ME, 1, 0, 60), bytes(32))
    with pytest.raises(PeerFault):
        outbox.own_body(Header(ENTRY, ME, 1, 0, 60), b"")


def test_what_was_denied_on_a_link_that_broke_is_known_by_what_comes_after_it(outbox: Outbox) -> None:
    rename(outbox, "one")
    whisper(outbox, "two")
    say(outbox, "not deniable: a host that leaves it out breaks a rule")
    say(outbox, "ordered")
    rename(outbox, "later")
    given = outbox.refuse_denied_before(4)
    assert [(code_of(it), it.line, it.re) for it in given] == [
        ("not-allowed", None, "one"),
        ("not-allowed", "two", "two"),
    ]
    assert len(outbox) == 3


@pytest.mark.parametrize(
    ("kind", "reason", "code"),
    [
        (rename, "nick-taken", errors.NickTaken().code),
        (rename, "too-often", "not-allowed"),
        (rename, "repeated", "not-allowed"),
        (whisper, "too-often", "not-allowed"),
        (whisper, "repeated", "not-allowed"),
        (say, "repeated", "not-allowed"),
    ],
)
def test_what_is_denied_is_given_back_with_the_reason(
    outbox: Outbox, kind: Callable[[Outbox, str], int], reason: frames.Denial, code: str
) -> None:
    counter = kind(outbox, "one")
    given = outbox.deny_entry(counter, reason)
    assert (code_of(given), given.line, given.re) == (code, None if kind is rename else "one", "one")
    assert len(outbox) == 0


def test_no_more_is_sent_than_a_host_bears_to_deny(outbox: Outbox) -> None:
    """Beyond limits.SKIPPED denials in a row a host would take the next entry for a fault."""
    say(outbox, "certain")
    for number in range(limits.SKIPPED):
        whisper(outbox, str(number))
        assert outbox.refuse_excess() == []
    whisper(outbox, "too many")
    assert sent(outbox.refuse_excess()) == ["too many"]
    say(outbox, "certain again")
    assert outbox.refuse_excess() == []
    whisper(outbox, "one more")
    assert outbox.refuse_excess() == []


def test_what_was_ordered_is_certain(outbox: Outbox) -> None:
    for number in range(limits.SKIPPED):
        whisper(outbox, str(number))
    outbox.refuse_denied_before(limits.SKIPPED)
    whisper(outbox, "one more")
    assert outbox.refuse_excess() == []


# --- given back, forgotten


def test_at_the_end_the_user_gets_back_what_can_be_sent_again(outbox: Outbox) -> None:
    say(outbox, "one")
    rename(outbox, "two")
    outbox.add_entry(bodies.LeaveBody(), None, UNSET)
    whisper(outbox, "three")
    given = outbox.give_back_all()
    assert [(code_of(it), it.line, it.re) for it in given] == [
        ("", "one", "one"),
        ("failed", None, "two"),
        ("", "three", "three"),
    ]
    assert len(outbox) == 0
    assert outbox.give_back_all() == []


def test_after_the_end_nothing_waits(outbox: Outbox, sealer: FakeSealer) -> None:
    whisper(outbox, "one")
    outbox.send_ready(sealer, 0.0)
    outbox.give_back_all()
    assert outbox.wait_ends_at is None


def test_a_new_identity_counts_from_the_beginning(outbox: Outbox, sealer: FakeSealer) -> None:
    assert (say(outbox, "one"), say(outbox, "two")) == (1, 2)
    outbox.lose_link()
    assert [it.line for it in outbox.begin_identity(FORMER)] == ["one", "two"]
    assert say(outbox, "three") == 1
    assert sent(outbox.send_ready(sealer, 0.0)) == [b"0/1"]


@pytest.mark.parametrize("proven", [False, True, None])
def test_what_went_out_under_a_former_identity_waits_until_it_is_known_whether_it_was_ordered(
    outbox: Outbox, sealer: FakeSealer, proven: bool | None
) -> None:
    """5.14. None: it never becomes known, as we are out before."""
    for line in ("ordered", "lost"):
        say(outbox, line)
    rename(outbox, "nick")
    ordered = outbox.seal_entry(1, sealer)
    outbox.send_ready(sealer, 0.0)
    say(outbox, "never sent")
    assert [it.line for it in outbox.begin_identity(ordered.header.author)] == [None, "never sent"]
    assert len(outbox) == 2
    assert say(outbox, "as somebody new") == 1
    assert outbox.awaits_receipt(ordered.header)
    assert not outbox.awaits_receipt(ordered.header._replace(author=FORMER))
    assert not outbox.awaits_receipt(ordered.header._replace(counter=3)), "a change of nick, which nobody waits for"
    digest = suite.hash_data(ordered.body)
    assert outbox.has_sent(ordered.header, digest)
    assert not outbox.has_sent(ordered.header, bytes(32))
    receipt = outbox.take_receipt(ordered.header)
    assert receipt is not None
    assert receipt.line == "ordered"
    rest = outbox.give_back_all() if proven is None else outbox.settle(0, proven=proven)
    assert (rest[0].error, rest[0].line) == (None if proven else Unconfirmed(), "lost")
    assert not outbox.awaits_receipt(ordered.header)


@pytest.mark.parametrize("proven", [False, True])
def test_what_was_ordered_or_denied_unseen_is_given_back_and_the_rest_sent(
    outbox: Outbox, sealer: FakeSealer, proven: bool
) -> None:
    for line in ("one", "two", "three"):
        say(outbox, line)
    given = outbox.settle(2, proven=proven)
    assert [(it.error, it.line) for it in given] == [
        (Repeated() if proven else Unconfirmed(), line) for line in ("one", "two")
    ]
    assert sent(outbox.send_ready(sealer, 0.0)) == [b"0/3"]


def test_nothing_of_it_is_shown_by_repr() -> None:
    assert "secret" not in repr(GivenBack(None, "secret", UNSET))


@given(st.lists(st.sampled_from(["say", "whisper", "rename", "link", "epoch", "send", "key"]), max_size=40))
def test_nothing_is_lost_sent_twice_on_a_link_or_out_of_its_order(happens: list[str]) -> None:
    outbox, sealer = Outbox(), FakeSealer()
    added: list[int] = []
    on_link: list[int] = []
    for what in [*happens, "send", "key", "send"]:
        match what:
            case "say" | "whisper" | "rename":
                added.append({"say": say, "whisper": whisper, "rename": rename}[what](outbox, what))
            case "link" | "epoch":
                sealer.epoch_number += what == "epoch"
                outbox.lose_link() if what == "link" else outbox.begin_epoch()
                on_link.clear()
            case "key":
                sealer.known = {ANN_KEY}
            case "send":
                ready = outbox.send_ready(sealer, 0.0)
                on_link += [int(one.entry.split(b"/")[1]) for one in ready if isinstance(one, frames.SubmitFrame)]
                assert on_link == added[: len(on_link)]
                assert len(outbox) == len(added)
    assert on_link == added


def test_what_was_sealed_in_two_epochs_may_be_in_two_logs(outbox: Outbox, sealer: FakeSealer) -> None:
    """The host of either may have ordered it."""
    pending = outbox.find_entry(say(outbox, "one"))
    assert pending is not None
    outbox.send_ready(sealer, 0.0)
    outbox.lose_link()
    outbox.send_ready(sealer, 0.0)
    assert not pending.may_be_elsewhere
    sealer.epoch_number += 1
    outbox.begin_epoch()
    outbox.send_ready(sealer, 0.0)
    assert pending.may_be_elsewhere


# --- what moderators do


def test_what_a_moderator_did_and_was_cut_goes_out_again_and_is_no_news_where_it_is_so(outbox: Outbox) -> None:
    """8.19"""
    body = bodies.RoleBody(ME, "muted")
    sent = SentEntries()
    sent.note_entry(Header(ENTRY, ME, 1), 5, Pending(body, None, 7), 0.0)
    outbox.restore_entries(sent.take_after(4, 0.0, 0))
    [(counter, again)] = outbox.list_pending()
    assert (counter, again.body, again.re) == (1, body, 7)
    assert outbox.deny_entry(1, "moot").error is None


def test_of_two_invitations_of_one_moment_the_second_is_asked_for_again(outbox: Outbox) -> None:
    outbox.add_entry(bodies.InviteBody(bytes(32), 0, 1, bytes(32)), None, 7)
    assert outbox.deny_entry(1, "moot").error == InvitationTaken()


def test_messages_are_deniable_only_where_rights_hold_them_back(outbox: Outbox) -> None:
    """5.7: else a host could leave out one of ours, and order the next."""
    first = say(outbox, "one")
    pending = outbox.find_entry(first)
    assert pending is not None
    assert not pending.deniable
    outbox.note_held_back()
    assert pending.deniable


def test_an_entry_of_a_moderator_without_an_answer_is_told_of_once(outbox: Outbox, sealer: FakeSealer) -> None:
    outbox.add_entry(bodies.LockBody(locked=True), None, 1)
    assert outbox.asked_at is None
    outbox.send_ready(sealer, 100.0)
    assert outbox.asked_at == 100.0
    assert outbox.take_unanswered(99.9, before=200.0) == []
    assert outbox.take_unanswered(100.0, before=100.0) == []
    assert outbox.take_unanswered(100.0, before=100.1) == [1]
    assert (outbox.take_unanswered(200.0, before=200.0), outbox.asked_at) == ([], None)
