"""What of ours has its place, and is sent again where that is cut: by who comes anew to a log that parted from ours."""

import pytest

from anonp2p.crypto.epoch import ENTRY, KEPT, Header
from anonp2p.protocol import bodies
from anonp2p.room.pending import Pending, Whisper
from anonp2p.room.sent_entries import SentEntries

ME, ANN = bytes(16), b"a" * 16
LEAST = 5  # seconds of the shortest ttl


def said(text: str, *, resealed: bool = False, is_again: bool = False) -> Pending:
    body = bodies.TextBody(text, action=False, reply=None)
    return Pending(body, text, 7, resealed=resealed, is_again=is_again)


@pytest.fixture
def sent() -> SentEntries:
    return SentEntries()


def note(sent: SentEntries, *entries: Pending, ttl: int = KEPT) -> None:
    """These have places, from 11 on, since the clock has shown 100."""
    for counter, pending in enumerate(entries, 1):
        sent.note_entry(Header(ENTRY, ME, counter, 0, ttl), 10 + counter, pending, 100.0)


def texts(entries: list[Pending]) -> list[str]:
    return [it.body.text for it in entries if isinstance(it.body, bodies.TextBody | Whisper)]


def test_messages_after_the_fork_are_said_again_by_who_is_somebody_else_once(sent: SentEntries) -> None:
    note(sent, said("one"), said("two"), Pending(Whisper(ANN, "ann", "three"), "/msg ann three", 8))
    sent.begin_identity()
    again = sent.take_former(11, 100.0, LEAST)
    assert texts(again) == ["two", "three"]
    assert all(isinstance(it.body, bodies.TextBody | Whisper) and it.body.late for it in again)
    assert sent.take_former(0, 100.0, LEAST) == []


def test_what_is_no_message_is_not_done_again_by_somebody_else(sent: SentEntries) -> None:
    """Who has come anew is no moderator, nor serves files of before."""
    file = bodies.FileOffer(1, bytes(32), bytes(32), bytes(32))
    offer = bodies.TextBody("name", action=False, reply=None, file=file)
    lock = Pending(bodies.LockBody(locked=True), None, 2)
    note(sent, Pending(bodies.NickBody("me"), None, 1), lock, Pending(offer, None, 3))
    sent.begin_identity()
    assert sent.take_former(0, 100.0, LEAST) == []


def test_what_somebody_else_has_said_since_has_counters_of_its_own(sent: SentEntries) -> None:
    note(sent, said("before"))
    sent.begin_identity()
    assert sent.find_entry(1) is None
    note(sent, said("since"))
    sent.forget_entry(1)
    assert texts(sent.take_former(0, 100.0, LEAST)) == ["before"]


def test_what_expires_meanwhile_is_not_said_again_and_the_rest_for_what_is_left(sent: SentEntries) -> None:
    note(sent, said("long"), said("longer"), ttl=60)
    note(sent, said("short"), ttl=20)  # in place of the first
    sent.begin_identity()
    assert sent.next_due == 120.0
    sent.expire_entries(130.0)
    [again] = sent.take_former(0, 130.0, LEAST)
    assert (texts([again]), again.ttl) == (["longer"], 30)


@pytest.mark.parametrize("unsure", [said("unsure", resealed=True), said("unsure", is_again=True)])
def test_what_another_log_may_have_as_well_is_marked(sent: SentEntries, unsure: Pending) -> None:
    note(sent, said("sure"), unsure)
    sent.begin_identity()
    assert [it.resealed for it in sent.take_former(0, 100.0, LEAST)] == [False, True]
