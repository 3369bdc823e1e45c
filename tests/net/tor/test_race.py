"""Several tries, of which each later one begins when those before it take long."""

import pytest
import trio
import trio.testing

from anonp2p.errors import TorLost
from anonp2p.net.tor.race import Dial, Later, race
from anonp2p.net.transport import DialFault
from anonp2p.reasons import Reason

PAUSE = 8.0


class Tries:
    """Tries that take so many seconds, and end in a stream or an error; when each began, and the streams."""

    def __init__(self) -> None:
        self.begun: list[float] = []
        self.streams: list[trio.testing.MemorySendStream] = []

    def one(self, seconds: float, error: Exception | None = None) -> Dial:
        async def dial() -> trio.abc.Stream:
            self.begun.append(trio.current_time())
            await trio.sleep(seconds)
            if error is not None:
                raise error
            stream, _ = trio.testing.memory_stream_pair()
            self.streams.append(stream.send_stream)
            return stream

        return dial

    @property
    def closed(self) -> list[bool]:
        """Which of the streams are."""
        return [_is_closed(stream) for stream in self.streams]


def _is_closed(stream: trio.testing.MemorySendStream) -> bool:
    try:
        stream.get_data_nowait()
    except trio.WouldBlock:
        return False
    return True


async def test_one_that_is_quick_is_alone(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    await race(tries.one(PAUSE - 1), Later(PAUSE, tries.one(0)))
    assert (tries.begun, trio.current_time()) == ([0], PAUSE - 1)


async def test_one_that_fails_soon_is_not_followed(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    with pytest.raises(DialFault):
        await race(tries.one(1, DialFault(Reason("no-descriptor"))), Later(PAUSE, tries.one(0)))
    assert tries.begun == [0]


@pytest.mark.parametrize(
    ("first", "second", "number", "began_at", "took"),
    [(100, 1, 1, PAUSE, PAUSE + 1), (PAUSE + 1, 100, 0, 0, PAUSE + 1)],
)
async def test_of_two_the_quicker_one_counts(
    autojump_clock: trio.testing.MockClock, first: float, second: float, number: int, began_at: float, took: float
) -> None:
    tries = Tries()
    won = await race(tries.one(first), Later(PAUSE, tries.one(second)))
    assert (tries.begun, trio.current_time()) == ([0, PAUSE], took)
    assert (won.number, won.began_at) == (number, began_at)
    assert len(tries.streams) == 1


async def test_a_third_one_begins_where_two_take_long(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    won = await race(tries.one(100), Later(PAUSE, tries.one(100)), Later(PAUSE + 5, tries.one(1)))
    assert tries.begun == [0, PAUSE, PAUSE + 5]
    assert (won.number, won.began_at) == (2, PAUSE + 5)


async def test_a_third_one_begins_though_the_first_has_failed_while_the_second_runs(
    autojump_clock: trio.testing.MockClock,
) -> None:
    tries = Tries()
    failing = tries.one(PAUSE + 1, DialFault(Reason("broken-circuit")))
    won = await race(failing, Later(PAUSE, tries.one(100)), Later(PAUSE + 5, tries.one(1)))
    assert (won.number, trio.current_time()) == (2, PAUSE + 6)


async def test_once_all_have_failed_no_other_one_begins(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    fault = DialFault(Reason("broken-circuit"))
    with pytest.raises(DialFault):
        await race(tries.one(PAUSE + 1, fault), Later(PAUSE, tries.one(2, fault)), Later(PAUSE + 5, tries.one(1)))
    assert (tries.begun, trio.current_time()) == ([0, PAUSE], PAUSE + 2)


async def test_of_two_that_come_at_once_one_is_closed(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    won = await race(tries.one(PAUSE + 1), Later(PAUSE, tries.one(1)))
    assert len(tries.streams) == 2
    assert sum(tries.closed) == 1
    await won.stream.aclose()
    assert all(tries.closed)


async def test_one_that_fails_leaves_the_other_its_time(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    await race(tries.one(PAUSE + 1, DialFault(Reason("broken-circuit"))), Later(PAUSE, tries.one(50)))
    assert trio.current_time() == PAUSE + 50


async def test_what_the_last_one_failed_of_is_told(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    with pytest.raises(TorLost):
        await race(
            tries.one(PAUSE + 1, DialFault(Reason("broken-circuit"))), Later(PAUSE, tries.one(5, TorLost("gone")))
        )


async def test_who_is_called_off_leaves_nothing_open(autojump_clock: trio.testing.MockClock) -> None:
    tries = Tries()
    with trio.move_on_after(PAUSE + 1):
        await race(tries.one(PAUSE + 1), Later(PAUSE, tries.one(1)))
    assert all(tries.closed)
