"""The messages that the user was shown: by their numbers, and as the log names them."""

import pytest

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.protocol.bodies import EntryId
from anonp2p.room.errors import MessageGone, NoMessageYet, NoSuchMessage
from anonp2p.room.message_index import Answered, MessageIndex, ShownMessage

ME, ANN, BOB = b"m" * 16, b"a" * 16, b"b" * 16


@pytest.fixture
def index() -> MessageIndex:
    """Ann's, mine, Bob's to me alone, mine to Ann alone."""
    index = MessageIndex()
    for shown in (
        ShownMessage(3, ANN, 1),
        ShownMessage(5, ME, 1),
        ShownMessage(6, BOB, 4, peer=BOB),
        ShownMessage(9, ME, 3, peer=ANN),
    ):
        index.note_message(shown)
    return index


@pytest.mark.parametrize(
    ("author", "counter", "peer", "answered"),
    [
        (ANN, 1, None, Answered(3, gone=False)),
        (ANN, 1, BOB, Answered(3, gone=False)),
        (ME, 1, None, Answered(5, gone=False)),
        (BOB, 4, BOB, Answered(6, gone=False)),
        (ME, 3, ANN, Answered(9, gone=False)),
        (BOB, 4, None, Answered(None, gone=True)),
        (BOB, 4, ANN, Answered(None, gone=True)),
        (ME, 3, BOB, Answered(None, gone=True)),
        (ANN, 2, None, Answered(None, gone=True)),
        (BOB, 1, None, Answered(None, gone=True)),
    ],
)
def test_a_reply_refers_to_what_all_who_see_it_were_shown(
    index: MessageIndex, author: bytes, counter: int, peer: bytes | None, answered: Answered
) -> None:
    """5.19: of a private message, only what is private between the same two."""
    assert index.find_answered(EntryId(author, counter), peer) == answered


def test_what_has_ended_is_still_known_to_have_been_there(index: MessageIndex) -> None:
    assert index.end_message(3)
    assert not index.end_message(3)
    assert index.end_message(4)  # of which nothing is known
    assert index.find_answered(EntryId(ANN, 1), None) == Answered(3, gone=True)
    with pytest.raises(MessageGone, match="3"):
        index.find_typed(3)


def test_what_was_shown_of_another_log_has_no_place_in_this_one_until_it_is_shown_here(index: MessageIndex) -> None:
    """8.1: else who has come anew would be told that it has moved to where another message is."""
    index.note_all_cut()
    index.note_message(ShownMessage(10, ANN, 2))
    assert index.list_since(1) == [10]
    assert index.find_answered(EntryId(ANN, 1), None) == Answered(3, gone=False)
    shown = index.take_cut(EntryId(ANN, 1))
    assert shown is not None
    assert shown.seq == 3


def test_what_is_shown_later_is_not_what_an_earlier_reply_referred_to(index: MessageIndex) -> None:
    assert index.find_answered(EntryId(ANN, 2), None).seq is None
    index.note_message(ShownMessage(10, ANN, 2))
    assert index.find_answered(EntryId(ANN, 2), None).seq == 10


@pytest.mark.parametrize(("by", "by_other_than", "seq"), [(ME, b"", 9), (b"", ME, 6), (ANN, b"", 3), (b"", b"", 9)])
def test_without_a_number_it_is_the_latest_that_is_left(
    index: MessageIndex, by: bytes, by_other_than: bytes, seq: int
) -> None:
    assert index.find_typed(None, by=by, by_other_than=by_other_than).seq == seq
    index.end_message(seq)
    before = {9: 5 if by == ME else 6, 6: 3, 3: None}[seq]
    if before is None:
        with pytest.raises(NoMessageYet):
            index.find_typed(None, by=by, by_other_than=by_other_than)
    else:
        assert index.find_typed(None, by=by, by_other_than=by_other_than).seq == before


@pytest.mark.parametrize("seq", [0, 4, 10, 2**53])
def test_a_number_of_no_message_is_an_error(index: MessageIndex, seq: int) -> None:
    with pytest.raises(NoSuchMessage) as caught:
        index.find_typed(seq)
    assert isinstance(caught.value, AnonError)
    assert str(seq) in str(caught.value)


def test_so_many_are_known_and_the_oldest_are_forgotten_first(index: MessageIndex) -> None:
    for counter in range(limits.REFERABLE - 3):
        index.note_message(ShownMessage(100 + counter, BOB, 100 + counter))
    assert index.find_answered(EntryId(ANN, 1), None) == Answered(None, gone=True)
    assert index.find_answered(EntryId(ME, 1), None) == Answered(5, gone=False)
    with pytest.raises(NoSuchMessage):
        index.find_typed(3)
