"""Who is served when more want files than can be served at once."""

import trio
import trio.testing

from anonp2p import limits
from anonp2p.net.files.turns import Turns

FIRST = [f"m{number}".encode() for number in range(limits.FETCHERS)]


async def entered(*members: bytes) -> Turns:
    turns = Turns()
    for member in members:
        assert turns.enter(member)
    await trio.lowlevel.checkpoint()
    return turns


async def test_so_many_are_served_and_the_next_ones_wait_in_their_order(
    autojump_clock: trio.testing.MockClock,
) -> None:
    turns = await entered(*FIRST, b"x", b"y")
    assert all(map(turns.is_turn, FIRST))
    assert (turns.count_before(b"x"), turns.count_before(b"y")) == (0, 1)
    turns.leave(FIRST[2])
    assert turns.is_turn(b"x")
    assert (turns.count_before(b"x"), turns.count_before(b"y")) == (None, 0)


async def test_who_has_been_served_for_its_time_waits_behind_the_others(
    autojump_clock: trio.testing.MockClock,
) -> None:
    turns = await entered(*FIRST, b"x")
    await trio.sleep(limits.FILE_TURN - 1)
    assert turns.is_turn(FIRST[0])
    await trio.sleep(1)
    assert not turns.is_turn(FIRST[0])
    assert turns.is_turn(b"x")
    assert turns.count_before(FIRST[0]) == 0
    assert not turns.is_turn(FIRST[1])
    assert turns.is_turn(FIRST[0])


async def test_without_others_nobody_has_to_wait(autojump_clock: trio.testing.MockClock) -> None:
    turns = await entered(*FIRST)
    await trio.sleep(10 * limits.FILE_TURN)
    assert all(map(turns.is_turn, FIRST))


async def test_a_member_has_one_place_for_all_its_links(autojump_clock: trio.testing.MockClock) -> None:
    turns = await entered(FIRST[0], FIRST[0], *FIRST[1:], b"x")
    turns.leave(FIRST[0])
    assert turns.is_turn(FIRST[0])
    assert not turns.is_turn(b"x")
    turns.leave(FIRST[0])
    assert turns.is_turn(b"x")


async def test_of_more_than_may_wait_nobody_waits(autojump_clock: trio.testing.MockClock) -> None:
    members = [f"w{number}".encode() for number in range(limits.FILE_WAITERS)]
    turns = await entered(*FIRST, *members)
    assert not turns.enter(b"x")
    assert turns.enter(members[0]), "it waits already"
    turns.leave(FIRST[0])
    assert turns.enter(b"x")


async def test_who_waits_hears_of_changes(autojump_clock: trio.testing.MockClock) -> None:
    turns = await entered(*FIRST, b"x")
    changed = turns.changed
    turns.leave(FIRST[0])
    assert changed.is_set()
    assert not turns.changed.is_set()
