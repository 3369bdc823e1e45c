"""What a member asks its host for, what it makes of a refusal, and what it remembers of what it was shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from anonp2p import errors, limits
from anonp2p.crypto import identity, suite
from anonp2p.errors import NotAllowed, Refused
from anonp2p.names import nicks
from anonp2p.protocol import frames, handshake
from anonp2p.protocol.requests import JoinRequest, ResumeRequest
from anonp2p.room import events
from anonp2p.room.context import Context
from anonp2p.room.member.joining import NOWHERE, REFUSALS, Joining
from anonp2p.room.member.proof import Position
from tests.room.member.parts import HELLO, SECRET, joined_context, new_context, take_events
from tests.room.peers import ROOM, text


def joining_with(nick: str) -> tuple[Context, Joining]:
    """One who has never been in, and wants this nick."""
    context = new_context()
    return context, Joining(context, nick)


def returning() -> tuple[Context, Joining]:
    """One who is in as `me`."""
    context = joined_context()
    return context, Joining(context, "me")


def without_place() -> tuple[Context, Joining]:
    """One who was in as `me`, and whose place was given up."""
    context, joining = returning()
    assert joining.take_refusal("unknown") is not None
    context.reporter.take_effects()
    return context, joining


def all_asked_nicks(joining: Joining, first: frames.Refusal) -> list[str]:
    """The nicks that it asks for, one after the other, if all are refused: the present one for this reason."""
    asked = [asked_nick(joining)]
    reason = first
    while joining.take_refusal(reason) is not None:
        asked.append(asked_nick(joining))
        assert len(asked) < 20, "it never gives up"
        reason = "nick-taken"
    return asked


def asked_nick(joining: Joining) -> str:
    """The nick in the next request."""
    request = joining.sign_request(SECRET, ROOM, HELLO)
    assert isinstance(request, JoinRequest)
    return request.nick


# --- requests


def test_a_newcomer_signs_a_request_to_join_for_this_link_with_the_key_by_which_it_will_be_known() -> None:
    context, joining = joining_with("me")
    request = joining.sign_request(SECRET, ROOM, HELLO)
    assert isinstance(request, JoinRequest)
    me, own_key = context.replica.me, context.replica.own_keys[0]
    assert request == JoinRequest(SECRET, me.key, own_key.public, "me", request.signature)
    content = handshake.join_content(HELLO, request)
    assert identity.is_signed(identity.JOIN, ROOM, content, request.signature, me.key)
    other_link = handshake.join_content(bytes(32), request)
    assert not identity.is_signed(identity.JOIN, ROOM, other_link, request.signature, me.key)


def test_one_who_is_in_asks_for_its_place_and_says_how_far_it_has_come() -> None:
    context, joining = returning()
    context.replica.ledger.start_at(9, b"d" * 32)
    request = joining.sign_request(SECRET, ROOM, HELLO)
    assert isinstance(request, ResumeRequest)
    me, own_key = context.replica.me, context.replica.own_keys[0]
    signature, openings = request.signature, list(context.replica.ledger.openings)
    assert request == ResumeRequest(SECRET, me.id, own_key.public, 0, 9, b"d" * 32, openings, False, signature)
    content = handshake.resume_content(HELLO, request)
    assert identity.is_signed(identity.RESUME, ROOM, content, signature, me.key)


def test_one_whose_history_broke_off_joins_again_until_it_has_seen_all_of_it() -> None:
    _, joining = returning()
    joining.begin_history(expected=True)
    assert not joining.can_resume
    assert isinstance(joining.sign_request(SECRET, ROOM, HELLO), JoinRequest)
    joining.end_history()
    assert joining.can_resume
    assert isinstance(joining.sign_request(SECRET, ROOM, HELLO), ResumeRequest)


# --- refusals


@pytest.mark.parametrize("reason", sorted(set(REFUSALS) - {"not-allowed"}))
def test_a_refused_newcomer_is_out_and_told_why(reason: frames.Refusal) -> None:
    context, joining = joining_with("me")
    assert joining.take_refusal(reason) is None
    assert context.lifecycle.over
    assert context.lifecycle.failure is REFUSALS[reason]
    error, gone = take_events(context)
    assert isinstance(error, events.ErrorEvent)
    assert (error.code, error.re, error.final) == (REFUSALS[reason].code, "1", True)
    assert gone == events.GoneEvent(room="r1", reason="kicked" if reason == "kicked" else "refused", re="1")


def test_a_newcomer_whose_nick_is_that_of_one_who_is_away_asks_for_similar_ones_and_then_gives_up() -> None:
    context, joining = joining_with("ann")
    assert all_asked_nicks(joining, "not-allowed") == ["ann", *nicks.alternatives("ann")]
    assert isinstance(context.lifecycle.failure, errors.NickTaken)


def test_one_without_a_nick_asks_for_none_and_takes_only_those_that_its_key_gives() -> None:
    context, joining = joining_with("")
    assert asked_nick(joining) == ""
    assert joining.own_nicks() == context.replica.ledger.roster.list_free_nicks(context.replica.me.key)
    assert joining.take_refusal("not-allowed") is None
    assert isinstance(context.lifecycle.failure, NotAllowed)


def test_one_whose_place_was_given_up_comes_back_as_somebody_new_under_its_nick() -> None:
    context, joining = returning()
    former, former_key = context.replica.me, context.replica.own_keys[0]
    context.replica.ledger.start_at(9, b"d" * 32)
    context.add_entry(text("hi"), "hi", "8")
    assert joining.take_refusal("unknown") == "place-given-up"
    request = joining.sign_request(SECRET, ROOM, HELLO)
    assert isinstance(request, JoinRequest)
    assert request.nick == "me"
    assert request.key != former.key
    assert request.encryption_key != former_key.public
    assert context.replica.epoch is None
    assert not context.lifecycle.entered
    assert joining.position == Position(9, b"d" * 32, context.replica.ledger.group_context)
    assert (request.index, request.digest) == (9, b"d" * 32)
    assert take_events(context) == [events.UnsentEvent(room="r1", text="hi", re="8")]
    assert context.add_entry(text("again"), "again", UNSET) == 1, "the counters of somebody new begin anew"


def test_a_newcomer_that_the_host_does_not_know_is_refused() -> None:
    context, joining = joining_with("me")
    assert joining.take_refusal("unknown") is None
    assert isinstance(context.lifecycle.failure, Refused)


@pytest.mark.parametrize("reason", ["nick-taken", "not-allowed"])
def test_one_whose_place_was_given_up_gets_in_under_some_nick_if_there_is_any(reason: frames.Refusal) -> None:
    context, joining = without_place()
    assert all_asked_nicks(joining, reason) == ["me", *nicks.alternatives("me"), ""]
    assert isinstance(context.lifecycle.failure, errors.NickTaken)


# --- what we are let in as


def test_a_host_may_let_us_in_only_under_the_nick_that_we_asked_for_last() -> None:
    _, joining = joining_with("ann")
    assert joining.own_nicks() == ("ann",)
    joining.take_refusal("not-allowed")
    assert joining.own_nicks() == (asked_nick(joining),) == ("ann-2",)


@pytest.mark.parametrize(("reason", "free_in"), [("nick-taken", None), ("not-allowed", round(limits.PLACE_SECONDS))])
def test_the_user_is_told_once_that_the_wanted_nick_was_not_to_be_had_and_whether_it_may_be_free_later(
    reason: frames.Refusal, free_in: int | None
) -> None:
    context, joining = without_place()
    joining.take_refusal(reason)
    context.replica.ledger.add_member(context.replica.me.key, asked_nick(joining), bytes(32))
    joining.tell_of_refused_nick()
    joining.tell_of_refused_nick()
    assert take_events(context) == [
        events.NickAssignedEvent(room="r1", nick="me-2", wanted="me", free_in=free_in, re="1")
    ]


def test_the_log_may_have_any_key_for_us_that_we_have_shown_or_that_it_had() -> None:
    context, joining = returning()
    [shown] = context.replica.own_keys
    assert joining.own_key_hashes() == {suite.hash_data(shown.public)}
    fresh = suite.EncryptionKeyPair(b"f" * 32)
    context.replica.own_keys[:] = [fresh]
    assert joining.own_key_hashes() == {suite.hash_data(shown.public), suite.hash_data(fresh.public)}
    context, joining = joining_with("me")
    assert joining.own_key_hashes() == {suite.hash_data(context.replica.own_keys[0].public)}


# --- what was shown


def test_a_newcomer_has_been_shown_nothing_before() -> None:
    _, joining = joining_with("me")
    assert joining.position == NOWHERE
    assert not joining.begin_history(expected=True)
    assert joining.shown_up_to is None


def test_one_who_is_welcomed_anew_is_not_shown_again_what_it_had() -> None:
    context, joining = returning()
    context.replica.ledger.start_at(9, b"d" * 32)
    assert not joining.begin_history(expected=True)
    assert joining.shown_up_to == 9


def test_a_history_that_broke_off_goes_on_after_what_was_shown_of_it() -> None:
    context, joining = returning()
    joining.begin_history(expected=True)
    joining.note_shown(Position(5, b"f" * 32, b"c" * 32))
    context.replica.ledger.start_at(9, b"d" * 32)  # the welcome replaced it; nothing up to there has been shown
    assert joining.position == Position(5, b"f" * 32, b"c" * 32)
    assert joining.begin_history(expected=True)
    assert joining.shown_up_to == 5
    joining.end_history()
    assert joining.shown_up_to is None
    assert not joining.begin_history(expected=False)


@given(st.lists(st.integers(0, 1000), min_size=1))
def test_what_was_shown_once_is_not_shown_again_however_often_the_link_breaks(shown: list[int]) -> None:
    _, joining = joining_with("me")
    for index in shown:
        joining.note_shown(Position(index, bytes(32), bytes(32)))
    assert joining.shown_up_to == max(shown)
