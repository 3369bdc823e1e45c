"""Work on the disk, in threads of its own: a disk that hangs keeps nothing else waiting."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import trio

from anonp2p import limits

T = TypeVar("T")

_THREADS = trio.CapacityLimiter(limits.FILE_THREADS)


async def run(work: Callable[..., T], *arguments: object) -> T:
    """What this returns or raises. Waits for it even if it is cancelled: nothing is half-done."""
    return await trio.to_thread.run_sync(work, *arguments, limiter=_THREADS)


async def read(work: Callable[..., T], *arguments: object) -> T:
    """The same, of what changes nothing: is left to itself if it is cancelled."""
    return await trio.to_thread.run_sync(work, *arguments, abandon_on_cancel=True, limiter=_THREADS)


async def make(work: Callable[[Callable[[], bool]], T], close: Callable[[T], None]) -> T:
    """The same, of what takes long and makes something that has to be closed. Cancelled, it ends soon.

    work: is given what it is to ask now and then: whether it is still wanted.
    """
    made: list[T] = []
    is_wanted = True

    def drop() -> None:
        with suppress(IndexError):  # the other thread, or who asked, has it
            close(made.pop())

    def make_it() -> None:
        made.append(work(lambda: is_wanted))
        if not is_wanted:
            drop()

    try:
        await read(make_it)
        return made.pop()
    finally:
        is_wanted = False
        drop()
