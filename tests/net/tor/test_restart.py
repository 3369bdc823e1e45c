"""A Tor that is lost, and the one that comes after it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.errors import Failed, TorMissing
from anonp2p.net.tor.restart import TorKeeper
from anonp2p.net.transport import Transport
from anonp2p.room import events
from tests.support.transports import MemoryNetwork, Tor


class Tors:
    """So many Tors, one after the other; each tells of a stranger. lost: so many are lost at once. had: those given."""

    def __init__(self, available: int, lost: int = 0) -> None:
        self.told: list[events.Event] = []
        self.had: list[Transport] = []
        self.tries = 0
        self._available = available
        self._lost = lost
        self.keeper = TorKeeper(self._connect, self.told.append)

    @asynccontextmanager
    async def _connect(self, tell: Callable[[events.Event], None]) -> AsyncIterator[Transport]:
        self.tries += 1
        tell(events.TorSkippedEvent(code="tor-refused", text=Failed("A stranger listens there.")))
        if len(self.had) == self._available:
            raise TorMissing("there is none")
        self.had.append(await Tor(MemoryNetwork()).usable())
        if len(self.had) <= self._lost:
            self.had[-1].lost.set()
        yield self.had[-1]

    @property
    def notices(self) -> int:
        return len([event for event in self.told if isinstance(event, events.TorSkippedEvent)])


async def test_who_needs_a_tor_waits_for_it(nursery: trio.Nursery) -> None:
    tors = Tors(1)
    nursery.start_soon(tors.keeper.run)
    assert await tors.keeper.usable(0.0) is tors.had[0]
    assert tors.keeper.failure is None


async def test_where_there_never_is_one_that_is_told_at_once(autojump_clock: trio.testing.MockClock) -> None:
    tors = Tors(0)
    error = await tors.keeper.run()
    assert isinstance(error, TorMissing)
    assert tors.tries == 1
    assert tors.keeper.failure is error
    with pytest.raises(TorMissing):
        await tors.keeper.usable(0.0)


async def test_a_lost_one_is_told_and_another_takes_its_place(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    tors = Tors(2)
    nursery.start_soon(tors.keeper.run)
    (await tors.keeper.usable(0.0)).lost.set()
    await trio.testing.wait_all_tasks_blocked()
    assert [event.progress for event in tors.told if isinstance(event, events.TorProgressEvent)] == [0]
    with trio.fail_after(2 * limits.TOR_RETRY):
        assert await tors.keeper.usable(0.0) is tors.had[1]


async def test_one_that_had_to_be_waited_for_is_there_after_a_pause_and_one_that_is_there_at_once(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    tors = Tors(2)
    nursery.start_soon(tors.keeper.run)
    start = trio.current_time()
    (await tors.keeper.usable(3.0)).lost.set()
    assert trio.current_time() == start + 3.0
    await trio.testing.wait_all_tasks_blocked()
    assert await tors.keeper.usable(5.0) is tors.had[1]
    assert trio.current_time() == pytest.approx(start + 3.0 + limits.TOR_RETRY + 5.0)
    assert await tors.keeper.usable(100.0) is tors.had[1]
    assert trio.current_time() == pytest.approx(start + 3.0 + limits.TOR_RETRY + 5.0)


async def test_one_that_is_lost_in_that_pause_is_not_there(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    tors = Tors(2, lost=1)
    nursery.start_soon(tors.keeper.run)
    assert await tors.keeper.usable(limits.TOR_RETRY / 2) is tors.had[1]


async def test_what_keeps_a_lost_tor_away_is_told_once_however_often_it_is_tried(
    autojump_clock: trio.testing.MockClock,
) -> None:
    tors = Tors(2, lost=2)
    start = trio.current_time()
    assert isinstance(await tors.keeper.run(), TorMissing)
    assert limits.TOR_PATIENCE <= trio.current_time() - start < limits.TOR_PATIENCE + 10 * limits.TOR_RETRY
    assert tors.tries > limits.TOR_PATIENCE / limits.TOR_RETRY / 2
    assert tors.notices == 3  # of each Tor that we had, and of what came after them
