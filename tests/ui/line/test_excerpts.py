"""What line mode keeps of messages, and for how long."""

import msgspec
import pytest

from anonp2p import limits
from anonp2p.room import events
from anonp2p.room.hosting_events import ReachableEvent
from anonp2p.room.succession.terms import make_place
from anonp2p.ui.line.excerpts import Excerpt, Excerpts
from tests.support.offers import offered


def message(seq: int, text: str = "hello", room: str = "r1", ttl: int | None = None) -> events.MessageEvent:
    return events.MessageEvent(room=room, member="m", nick="ann", text=text, seq=seq, at=0.0, ttl=ttl)


def replies(seq: int | None, room: str = "r1") -> events.MessageEvent:
    return msgspec.structs.replace(message(99, room=room), reply=seq)


@pytest.fixture
def excerpts() -> Excerpts:
    """Messages 1 of two rooms, and a longer one."""
    excerpts = Excerpts()
    for event in (message(1), message(1, "other", "r2"), message(2, "x" * 4_000, ttl=60)):
        excerpts.take_event(event)
    return excerpts


def test_a_reply_is_shown_with_the_first_words_of_what_it_refers_to(excerpts: Excerpts) -> None:
    assert excerpts.find_excerpt(replies(1)) == Excerpt("m", "ann", "hello", "")
    assert excerpts.find_excerpt(replies(1, "r2")) == Excerpt("m", "ann", "other", "")
    assert excerpts.find_excerpt(replies(2)) == Excerpt("m", "ann", "x" * (limits.EXCERPT - 1) + "…", "")


def test_an_offer_is_quoted_by_the_name_of_its_file(excerpts: Excerpts) -> None:
    excerpts.take_event(offered(1, name="a\x1bb.pdf"))
    excerpts.take_event(offered(2, ttl=0))
    assert excerpts.find_excerpt(replies(101)) == Excerpt("key of ben", "ben", "ab.pdf", "", is_offer=True)
    assert excerpts.find_excerpt(replies(102)) is None


@pytest.mark.parametrize("event", [replies(3), replies(None), ReachableEvent(room="r1")], ids=repr)
def test_there_is_nothing_to_quote_of_what_is_not_there(excerpts: Excerpts, event: events.Event) -> None:
    assert excerpts.find_excerpt(event) is None


def test_what_the_room_calls_gone_is_not_quoted(excerpts: Excerpts) -> None:
    assert excerpts.find_excerpt(msgspec.structs.replace(replies(1), reply_gone=True)) is None


def test_a_message_with_another_place_is_found_by_that(excerpts: Excerpts) -> None:
    excerpts.take_event(events.MovedEvent(room="r1", was=1, seq=make_place(5, 9)))
    assert excerpts.find_excerpt(replies(make_place(5, 9))) == Excerpt("m", "ann", "hello", "")
    assert excerpts.find_excerpt(replies(1)) is None
    assert excerpts.find_excerpt(replies(1, "r2")) == Excerpt("m", "ann", "other", "")
    excerpts.take_event(events.MovedEvent(room="r1", was=77, seq=make_place(5, 10)))
    assert excerpts.find_excerpt(replies(make_place(5, 10))) is None


def test_a_number_means_the_message_with_that_index_in_the_latest_term(excerpts: Excerpts) -> None:
    for number in range(1, 4):
        assert excerpts.find_seq("r1", number) == number  # as long as no other has hosted
    excerpts.take_event(message(make_place(5, 1)))
    excerpts.take_event(message(make_place(5, 3)))
    assert [excerpts.find_seq("r1", number) for number in (1, 2, 3)] == [make_place(5, 1), 2, make_place(5, 3)]
    assert excerpts.find_seq("r2", 1) == 1
    assert excerpts.find_seq("r1", make_place(5, 3)) == make_place(5, 3)


def test_who_took_a_message_back_is_known(excerpts: Excerpts) -> None:
    event = events.ExpiredEvent(room="r1", seq=1, retracted=True)
    assert excerpts.find_excerpt(event) == Excerpt("m", "ann", "hello", "")
    excerpts.take_event(event)
    assert excerpts.find_excerpt(event) is None


def test_a_message_that_has_ended_is_not_kept(excerpts: Excerpts) -> None:
    excerpts.take_event(events.ExpiredEvent(room="r1", seq=2))
    assert excerpts.find_excerpt(replies(2)) is None
    assert excerpts.find_excerpt(replies(1)) is not None


def test_a_message_that_is_shown_once_is_never_kept(excerpts: Excerpts) -> None:
    excerpts.take_event(message(3, ttl=0))
    assert excerpts.find_excerpt(replies(3)) is None


def test_the_latest_of_a_room_are_listed_with_their_numbers(excerpts: Excerpts) -> None:
    for seq in range(3, limits.NUMBERED + 2):
        excerpts.take_event(message(seq))
    excerpts.take_event(events.ExpiredEvent(room="r1", seq=3))
    listed = excerpts.list_latest("r1")
    assert [row["seq"] for row in listed] == [1, 2, *range(4, limits.NUMBERED + 2)]
    assert listed[0] == {"seq": 1, "member": "m", "nick": "ann", "words": "hello"}
    excerpts.take_event(message(99))
    excerpts.take_event(message(100))
    assert [row["seq"] for row in excerpts.list_latest("r1")][:2] == [4, 5]
    assert excerpts.list_latest("r3") == []


def test_nothing_is_kept_of_a_room_that_is_over(excerpts: Excerpts) -> None:
    excerpts.take_event(events.GoneEvent(room="r1", reason="left"))
    assert excerpts.find_excerpt(replies(1)) is None
    assert excerpts.find_excerpt(replies(1, "r2")) is not None


def test_the_oldest_are_forgotten_first(excerpts: Excerpts) -> None:
    for seq in range(3, 1 + limits.EXCERPTS):
        excerpts.take_event(message(seq))
    assert excerpts.find_excerpt(replies(1)) is None
    assert excerpts.find_excerpt(replies(1, "r2")) is not None


def test_whole_texts_are_kept_where_they_can_be_copied_and_as_long_as_the_messages() -> None:
    excerpts = Excerpts(keeps_texts=True)
    for event in (message(1, "x" * 4_000), message(2, "once", ttl=0), message(make_place(5, 3), "later")):
        excerpts.take_event(event)
    found = excerpts.find_numbered("r1", 1)
    assert found is not None
    assert found.text == "x" * 4_000
    assert excerpts.find_numbered("r1", 2) is None
    assert [it.text[:5] for it in excerpts.list_excerpts("r1")] == ["later", "xxxxx"]
    excerpts.take_event(events.ExpiredEvent(room="r1", seq=1))
    assert excerpts.find_numbered("r1", 1) is None
