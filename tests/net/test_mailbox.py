"""Who waits for a place in a full mailbox, and who comes next."""

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.net.mailbox import Mailbox
from anonp2p.room import inputs

RECORD = bytes(limits.UNIT * limits.MAILBOX)  # which fills a mailbox


@pytest.fixture
async def full() -> Mailbox:
    """A mailbox with a member's record in it."""
    mailbox = Mailbox()
    await mailbox.post_input(inputs.ReceivedInput(1, RECORD))
    return mailbox


async def taken(mailbox: Mailbox, count: int) -> list[inputs.Input]:
    """So many inputs, in the order in which they come out."""
    items = []
    for _ in range(count):
        items.append(await mailbox.receive_input())
        await trio.testing.wait_all_tasks_blocked()
    return items


@pytest.mark.parametrize(
    "knock",
    [inputs.LinkedInput(9, bytes(32)), inputs.ReceivedInput(9, b"client handshake", is_first=True)],
    ids=["dial", "first"],
)
async def test_one_who_dials_waits_for_one_of_those_who_are_in_and_not_for_all(
    full: Mailbox, knock: inputs.Input
) -> None:
    """However many links flood the room."""
    records = [inputs.ReceivedInput(number, RECORD) for number in range(2, 8)]
    async with trio.open_nursery() as nursery:
        for item in (*records, knock):
            nursery.start_soon(full.post_input, item)
            await trio.testing.wait_all_tasks_blocked()
        order = await taken(full, 1 + len(records) + 1)
    assert order.index(knock) <= 2
    assert [item for item in order[1:] if item is not knock] == records


async def test_those_who_are_in_wait_for_one_of_those_who_dial_and_not_for_all(full: Mailbox) -> None:
    """However many dial."""
    knocks = [inputs.ReceivedInput(number, RECORD, is_first=True) for number in range(2, 8)]
    record = inputs.ReceivedInput(9, RECORD)
    async with trio.open_nursery() as nursery:
        for item in (*knocks, record):
            nursery.start_soon(full.post_input, item)
            await trio.testing.wait_all_tasks_blocked()
        order = await taken(full, 1 + len(knocks) + 1)
    assert order.index(record) <= 2
    assert [item for item in order[1:] if item is not record] == knocks


async def test_all_who_wait_learn_that_a_mailbox_is_closed(full: Mailbox) -> None:
    told = []

    async def post(item: inputs.Input) -> None:
        told.append(await full.post_input(item))

    async with trio.open_nursery() as nursery:
        for item in (inputs.LinkedInput(2, bytes(32)), inputs.ReceivedInput(3, RECORD)):
            nursery.start_soon(post, item)
        await trio.testing.wait_all_tasks_blocked()
        full.close()
    assert told == [False, False]
