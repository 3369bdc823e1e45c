"""What a bot has not read yet: bounded, in order, and told exactly where something is missing."""

from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from anonp2p.bots.inbox import Inbox
from anonp2p.errors import RoomGone
from anonp2p.room.events import (
    EntriesMissedEvent,
    ExpiredEvent,
    ExpiredUnseenEvent,
    GoneEvent,
    MessageEvent,
    MovedEvent,
    NoticeEvent,
)
from anonp2p.ui.plain_events import PlainEvent

GONE = GoneEvent(room="r1", reason="left")


def notice(number: int) -> NoticeEvent:
    return NoticeEvent(text=str(number))


def message(seq: int) -> MessageEvent:
    return MessageEvent(room="r1", member="m", nick="ann", text="psst", seq=seq, at=0.0)


def filled(*events: PlainEvent, capacity: int = 10) -> Inbox:
    inbox = Inbox("r1", capacity)
    for event in events:
        inbox.put(event)
    return inbox


async def read(inbox: Inbox) -> PlainEvent | None:
    """What can be read at once; fails where that is nothing."""
    with trio.fail_after(1):
        return await inbox.next_event()


async def wait_for(inbox: Inbox, kind: str) -> PlainEvent:
    """The event that is waited for; fails where it does not come."""
    with trio.fail_after(1):
        return await inbox.wait_for(kind)


async def read_all(inbox: Inbox) -> list[PlainEvent]:
    """All that there is, to the end of the room."""
    return [event async for event in iterate(inbox)]


async def iterate(inbox: Inbox) -> AsyncIterator[PlainEvent]:
    while (event := await read(inbox)) is not None:
        yield event


def expect_none_lost(seen: list[PlainEvent], count: int) -> None:
    """Of the notices 0, 1, ... each was read in its order, or is counted where it is missing."""
    at = 0
    for event in seen:
        if isinstance(event, EntriesMissedEvent):
            assert event.lagging is True
            assert event.count > 0
            at += event.count
        elif isinstance(event, NoticeEvent):
            assert event.text == str(at)
            at += 1
    assert at == count


@given(st.lists(st.sampled_from(["put", "put", "put", "read", "wait"]), max_size=60), st.integers(2, 5))
def test_each_event_is_read_in_its_order_or_counted_where_it_is_missing(steps: list[str], capacity: int) -> None:
    async def play() -> None:
        inbox, count, seen = Inbox("r1", capacity), 0, []
        for step in steps:
            if step == "put":
                inbox.put(notice(count))
                count += 1
            with trio.move_on_after(0.1):
                if step == "read" and (event := await inbox.next_event()):
                    seen.append(event)
                if step == "wait":
                    await inbox.wait_for("notice")
        inbox.put(GONE)
        rest = await read_all(inbox)
        assert rest[-1] == GONE
        assert len([event for event in rest if isinstance(event, NoticeEvent)]) <= capacity
        assert len(rest) <= capacity + 3  # with what is missing before them and after them, and the end
        expect_none_lost([*seen, *rest], count)

    trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0))


async def test_what_comes_while_nobody_reads_is_counted_and_what_was_there_is_kept() -> None:
    inbox = filled(*map(notice, range(13)), GONE)
    read, missed, gone = (seen := await read_all(inbox))[:10], seen[10], seen[11]
    assert read == list(map(notice, range(10)))
    assert missed == EntriesMissedEvent(room="r1", count=3, verified=True, lagging=True)
    assert gone == GONE


async def test_whoever_reads_late_is_told_at_once_that_something_is_missing_though_nothing_follows() -> None:
    inbox = filled(*map(notice, range(3)), capacity=2)
    assert [await read(inbox), await read(inbox)] == [notice(0), notice(1)]
    assert await read(inbox) == EntriesMissedEvent(room="r1", count=1, verified=True, lagging=True)


async def test_a_program_that_only_waits_goes_on_however_much_there_is(autojump_clock: trio.abc.Clock) -> None:
    inbox = Inbox("r1", 3)
    for number in range(20):
        inbox.put(notice(number))
        assert await wait_for(inbox, "notice") == notice(number)
    inbox.put(GONE)
    expect_none_lost(await read_all(inbox), 20)


async def test_an_event_that_is_not_kept_is_seen_by_who_waits_for_it(autojump_clock: trio.abc.Clock) -> None:
    inbox = filled(*map(notice, range(3)), capacity=3)
    async with trio.open_nursery() as nursery:
        seen: list[PlainEvent] = []

        async def wait() -> None:
            seen.append(await wait_for(inbox, "message"))

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        inbox.put(message(1))
    assert seen == [message(1)]


async def test_waiting_finds_what_was_not_read_yet_then_goes_on_from_there() -> None:
    inbox = filled(notice(0), message(1), notice(1), message(2))
    assert await wait_for(inbox, "message") == message(1)
    assert await wait_for(inbox, "notice") == notice(1)  # not the first: it was before that message
    assert await wait_for(inbox, "message") == message(2)
    assert await read(inbox) == notice(0)  # nothing is taken out by waiting


async def test_what_was_waited_for_as_it_came_is_not_waited_for_again() -> None:
    inbox = Inbox("r1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_for, inbox, "message")
        await trio.testing.wait_all_tasks_blocked()
        inbox.put(message(1))
    inbox.put(message(2))
    assert await wait_for(inbox, "message") == message(2)


async def test_what_was_read_is_not_waited_for() -> None:
    inbox = filled(message(1), GONE)
    assert await read(inbox) == message(1)
    with pytest.raises(RoomGone):
        await wait_for(inbox, "message")


async def test_a_wait_that_is_cancelled_as_the_event_comes_does_not_swallow_it() -> None:
    inbox = Inbox("r1")
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_for, inbox, "message")
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
            inbox.put(message(1))
    assert await wait_for(inbox, "message") == message(1)


async def test_the_end_can_be_waited_for_before_and_after_and_ends_all_other_waits() -> None:
    inbox = Inbox("r1")
    async with trio.open_nursery() as nursery:

        async def wait_in_vain() -> None:
            with pytest.raises(RoomGone):
                await wait_for(inbox, "message")

        nursery.start_soon(wait_in_vain)
        nursery.start_soon(wait_for, inbox, "gone")
        await trio.testing.wait_all_tasks_blocked()
        inbox.put(GONE)
    assert await read_all(inbox) == [GONE]
    assert await wait_for(inbox, "gone") == GONE
    assert await read(inbox) is None


async def test_nothing_comes_after_the_end() -> None:
    inbox = filled(GONE, notice(1), GONE)
    assert await read_all(inbox) == [GONE]


async def test_a_room_that_ends_without_a_word_ends_reading_and_waiting() -> None:
    inbox = filled(notice(1))
    inbox.close()
    assert await read_all(inbox) == [notice(1)]
    with pytest.raises(RoomGone):
        await wait_for(inbox, "gone")


async def test_one_task_reads_at_a_time() -> None:
    inbox = Inbox("r1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(inbox.next_event)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await inbox.next_event()
        inbox.put(notice(1))
    inbox.put(notice(2))
    assert await read(inbox) == notice(2)


async def test_a_read_that_is_cancelled_takes_nothing_out() -> None:
    inbox = filled(notice(1))
    with trio.CancelScope() as scope:
        scope.cancel()
        await inbox.next_event()
    assert await read(inbox) == notice(1)


# --- messages that end before they are read


async def test_a_message_that_expires_unread_is_taken_out_and_its_place_says_so() -> None:
    inbox = filled(message(1), message(2), notice(3), ExpiredEvent(room="r1", seq=1), GONE)
    assert await read_all(inbox) == [ExpiredUnseenEvent(room="r1", count=1), message(2), notice(3), GONE]


async def test_a_message_is_taken_out_though_the_inbox_is_full_or_it_was_moved() -> None:
    moved = MovedEvent(room="r1", was=1, seq=7)
    inbox = filled(message(1), moved, notice(3), ExpiredEvent(room="r1", seq=7), GONE, capacity=3)
    assert await read_all(inbox) == [ExpiredUnseenEvent(room="r1", count=1), moved, notice(3), GONE]


async def test_of_a_message_that_was_read_or_waited_for_the_end_is_told() -> None:
    inbox = filled(message(1), message(2))
    assert await read(inbox) == message(1)
    assert await wait_for(inbox, "message") == message(2)
    inbox.put(ExpiredEvent(room="r1", seq=1))
    inbox.put(ExpiredEvent(room="r1", seq=2))
    assert await wait_for(inbox, "expired") == ExpiredEvent(room="r1", seq=1)
    assert await wait_for(inbox, "expired") == ExpiredEvent(room="r1", seq=2)
    assert await read(inbox) == ExpiredUnseenEvent(room="r1", count=1)  # the text is held by nobody here any more
