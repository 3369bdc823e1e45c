"""Several tries at the same thing, of which each later one begins when those before it take long."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import trio

from anonp2p import limits
from anonp2p.errors import AnonError
from anonp2p.net.transport import DialFault

Dial = Callable[[], Awaitable[trio.abc.Stream]]


class Later(NamedTuple):
    """A try that begins so many seconds after the first one, unless there is a stream by then, or all have failed."""

    pause: float
    dial: Dial


class Won(NamedTuple):
    """The stream that was there first. number: of its try, the first one's being 0. began_at: when that try did."""

    stream: trio.abc.Stream
    number: int
    began_at: float


async def race(first: Dial, *later: Later) -> Won:
    """The stream of whichever try has one first; the others are dropped. later: in the order of their pauses.

    Raises what the last one raises, a DialFault or an AnonError.
    """
    won: list[Won] = []
    errors: list[DialFault | AnonError] = []
    over = trio.Event()
    running = 0  # how many tries are
    began_at = trio.current_time()

    @trio.lowlevel.enable_ki_protection
    async def attempt(number: int, dial: Dial) -> None:
        nonlocal running
        began = trio.current_time()
        try:
            won.append(Won(await dial(), number, began))
        except (DialFault, AnonError) as error:
            errors.append(error)
        finally:
            running -= 1
        if won or not running:
            over.set()

    try:
        async with trio.open_nursery() as nursery:
            for number, (pause, dial) in enumerate((Later(0.0, first), *later)):
                with trio.move_on_at(began_at + pause):
                    await over.wait()
                if over.is_set():
                    break
                running += 1
                nursery.start_soon(attempt, number, dial)
            await over.wait()
            nursery.cancel_scope.cancel()
    except BaseException:
        with trio.move_on_after(limits.FLUSH_PATIENCE, shield=True):
            await _close(won)
        raise
    if not won:
        raise errors[-1]
    await _close(won[1:])
    return won[0]


async def _close(won: list[Won]) -> None:
    for stream, _, _ in won:
        await trio.aclose_forcefully(stream)
