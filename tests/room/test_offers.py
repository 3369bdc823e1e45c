"""The book of offers: numbers, what is known again, and how many of one author are kept (PROTOCOL.md, 5e)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonp2p import limits
from anonp2p.protocol import bodies
from anonp2p.room import changes
from anonp2p.room.file_inputs import SendFileInput
from anonp2p.room.offers import Offer, OfferBook, may_offer
from tests.room.peers import ANN, BOB

OFFERED = bodies.FileOffer(5, b"r" * 32, b"a" * 32, b"s" * 32)
SAID = changes.MessageChange(
    member=ANN.id, counter=1, nick="ann", text="report.pdf", seq=1, ttl=60, age=0.0, file=OFFERED
)


def said(number: int, author: bytes = ANN.id, seq: int = 0) -> changes.MessageChange:
    """An offer of its own."""
    file = bodies.FileOffer(number, b"r" * 32, number.to_bytes(32, "big"), b"s" * 32)
    return msgspec.structs.replace(SAID, member=author, counter=number, seq=seq or number, file=file)


def numbers(offers: list[Offer]) -> list[int]:
    return [offer.number for offer in offers]


@pytest.mark.parametrize(
    "body",
    [
        bodies.TextBody("x", action=False, reply=None),
        bodies.TextBody("x" * limits.TEXT, action=True, reply=bodies.EntryId(ANN.id, 1)),
        bodies.TextBody("x" * limits.FILE_NAME, action=False, reply=None, file=OFFERED),
        bodies.TextBody("\U0001f47b" * limits.FILE_NAME, action=False, reply=None, late=True, file=OFFERED),
        bodies.PrivateText("../../etc", None, file=OFFERED),
        bodies.PrivateText("x" * limits.TEXT, bodies.EntryId(ANN.id, 1)),
    ],
    ids=lambda body: f"{type(body).__name__} of {len(body.text)}",
)
def test_what_a_message_may_offer(body: bodies.TextBody | bodies.PrivateText) -> None:
    assert may_offer(body)


@pytest.mark.parametrize(
    "body",
    [
        bodies.TextBody("", action=False, reply=None, file=OFFERED),
        bodies.TextBody("x" * (limits.FILE_NAME + 1), action=False, reply=None, file=OFFERED),
        bodies.TextBody("x", action=True, reply=None, file=OFFERED),
        bodies.TextBody("x", action=False, reply=bodies.EntryId(ANN.id, 1), file=OFFERED),
        bodies.PrivateText("x" * (limits.FILE_NAME + 1), None, file=OFFERED),
        bodies.PrivateText("x", bodies.EntryId(ANN.id, 1), file=OFFERED),
    ],
    ids=["nameless", "long", "action", "reply", "private and long", "private reply"],
)
def test_what_no_message_may_offer(body: bodies.TextBody | bodies.PrivateText) -> None:
    assert not may_offer(body)


def test_offers_are_numbered_in_the_order_shown_and_no_number_comes_again() -> None:
    book = OfferBook()
    assert numbers([book.note_message(said(number)) for number in (3, 1, 2)]) == [1, 2, 3]
    last = book.find_number(3)
    assert last is not None
    book.end_offer(last)
    assert book.find_number(3) is None
    assert (book.note_message(said(9)).number, book.latest) == (4, 4)


def test_an_offer_that_comes_again_elsewhere_is_the_same() -> None:
    book = OfferBook()
    first = book.note_message(SAID)
    again = book.note_message(msgspec.structs.replace(SAID, counter=7, seq=9, nick="anna", late=True))
    assert again is first
    assert (again.number, again.counter, again.seq, again.nick) == (1, 7, 9, "anna")
    assert book.find_seq(1) is None
    assert book.find_seq(9) is book.find_counter(ANN.id, 7) is first
    book.move_message(9, 12)
    book.move_message(99, 100)
    assert (book.find_seq(9), book.find_seq(12), first.seq) == (None, first, 12)


@pytest.mark.parametrize(
    "other",
    [
        {"text": "another.pdf"},
        {"member": BOB.id},
        {"peer": ANN.id},
        *({"file": msgspec.structs.replace(OFFERED, **{name: b"x" * 32})} for name in ("root", "address", "secret")),
        {"file": msgspec.structs.replace(OFFERED, size=6)},
    ],
    ids=str,
)
def test_who_offers_something_else_has_another_offer(other: dict[str, object]) -> None:
    book = OfferBook()
    first = book.note_message(SAID)
    assert book.note_message(msgspec.structs.replace(SAID, **other)).number == 2
    assert (first.name, first.file) == ("report.pdf", OFFERED)


def test_one_of_ours_has_its_number_from_when_it_is_asked_for() -> None:
    book = OfferBook()
    ours = book.begin_own(ANN.id, None, SendFileInput("report.pdf"))
    assert book.list_own() == [ours]
    assert book.list_of(ANN.id) == []
    book.note_read(ours, "report.pdf", OFFERED)
    assert book.find_own(OFFERED) is ours
    assert not ours.is_told
    assert book.note_message(SAID) is ours
    assert ours.is_told
    book.end_offer(ours)
    assert (list(book), book.authors, book.find_own(OFFERED), book.find_seq(1)) == ([], [], None, None)


@given(st.lists(st.tuples(st.sampled_from([ANN.id, BOB.id]), st.integers(1, 60)), max_size=120))
def test_of_each_author_the_latest_are_open_whatever_is_offered(offers: list[tuple[bytes, int]]) -> None:
    """5e.4"""
    book = OfferBook()
    open_: dict[bytes, list[int]] = {ANN.id: [], BOB.id: []}
    for seq, (author, number) in enumerate(offers, 1):
        offer = book.note_message(said(number, author, seq))
        for oldest in book.list_excess(author):
            book.end_offer(oldest)
        if offer.number not in open_[author]:
            open_[author] = [*open_[author], offer.number][-limits.OFFERS :]
        assert numbers(book.list_of(author)) == open_[author]
    assert sorted(numbers(list(book))) == sorted(open_[ANN.id] + open_[BOB.id])
    assert set(book.authors) == {author for author, theirs in open_.items() if theirs}
    assert all(book.find_seq(offer.seq) is offer for offer in book)


def test_no_offer_shows_what_it_is_by_repr() -> None:
    offer = OfferBook().note_message(SAID)
    assert "report" not in repr(offer)
    assert "report" not in repr(SendFileInput("report.pdf"))
    assert repr(OFFERED) == "<FileOffer>"
