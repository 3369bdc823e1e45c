"""Two tries at the same thing, of which the second begins when the first takes long."""

from collections.abc import Awaitable, Callable

import trio

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.net.transport import DialFault

Dial = Callable[[], Awaitable[trio.abc.Stream]]


async def race(first: Dial, second: Dial, pause: float) -> trio.abc.Stream:
    """The stream of whichever has one first. The second begins after `pause` seconds, unless the first is over by then.

    Raises what the last one raises, a DialFault or an AnonError.
    """
    streams: list[trio.abc.Stream] = []
    errors: list[DialFault | AnonError] = []
    over = trio.Event()
    running = 0  # how many tries are

    async def attempt(dial: Dial) -> None:
        nonlocal running
        running += 1
        try:
            streams.append(await dial())
        except (DialFault, AnonError) as error:
            errors.append(error)
        finally:
            running -= 1
        if streams or not running:
            over.set()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(attempt, first)
            with trio.move_on_after(pause):
                await over.wait()
            if not over.is_set():
                nursery.start_soon(attempt, second)
            await over.wait()
            nursery.cancel_scope.cancel()
    except BaseException:
        with trio.move_on_after(limits.FLUSH_PATIENCE, shield=True):
            await _close(streams)
        raise
    if not streams:
        raise errors[-1]
    await _close(streams[1:])
    return streams[0]


async def _close(streams: list[trio.abc.Stream]) -> None:
    for stream in streams:
        await trio.aclose_forcefully(stream)
