"""Work on the disk that nobody waits for any more."""

import threading
from collections.abc import Callable

import pytest
import trio

from anonp2p.net.files import disk


@pytest.fixture(autouse=True)
def _inline() -> None:
    """Threads are what is tested here."""


async def test_what_is_not_wanted_any_more_is_told_so_and_closed() -> None:
    begun, told, closed = threading.Event(), threading.Event(), threading.Event()

    def work(is_wanted: Callable[[], bool]) -> str:
        begun.set()
        while is_wanted():
            told.wait(0.001)
        return "made"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(disk.make, work, lambda made: closed.set() if made == "made" else None)
        await trio.to_thread.run_sync(begun.wait, 30)
        nursery.cancel_scope.cancel()
    assert await trio.to_thread.run_sync(closed.wait, 30)


async def test_what_is_wanted_is_given_and_stays_open() -> None:
    closed: list[str] = []
    assert await disk.make(lambda is_wanted: f"{is_wanted()}", closed.append) == "True"
    assert closed == []


async def test_what_goes_wrong_is_raised() -> None:
    def fail(_: object) -> None:
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        await disk.make(fail, lambda _: None)


async def test_what_writes_is_waited_for_even_if_it_is_cancelled() -> None:
    begun, done = threading.Event(), threading.Event()
    written: list[int] = []

    def work() -> None:
        begun.set()
        done.wait(30)
        written.append(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(disk.run, work)
        await trio.to_thread.run_sync(begun.wait, 30)
        nursery.cancel_scope.cancel()
        done.set()
    assert written == [1]
