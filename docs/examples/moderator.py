"""Opens a room, prints its code, and closes it when many come at once: a raid. Later it opens the room again.

Run `python docs/examples/moderator.py [NAME OF THE ROOM]`.
"""

import sys
from collections import deque
from contextlib import suppress

import trio

import anonp2p
from anonp2p import errors

JOINS, WITHIN = 10, 10.0  # so many who come within so many seconds are a raid
CLOSED = 600.0  # seconds


async def moderate(room: anonp2p.Room) -> None:
    """Watches who comes, until the room is over."""
    arrivals: deque[float] = deque(maxlen=JOINS)
    async with trio.open_nursery() as nursery:
        async for event in room:
            if event.type == "joined":
                arrivals.append(trio.current_time())
                if len(arrivals) == JOINS and arrivals[-1] - arrivals[0] <= WITHIN:
                    arrivals.clear()
                    nursery.start_soon(close, room)
        nursery.cancel_scope.cancel()


async def close(room: anonp2p.Room) -> None:
    """Lets nobody in for a while, and throws out those who have just come."""
    with suppress(errors.AnonError):  # somebody else did the same, or the room is over
        await room.command("/raid")
        await room.command(f"/purge {2 * WITHIN:.0f}s")
        await trio.sleep(CLOSED)
        await room.command("/raid off")


async def main(name: str) -> None:
    """Finds or starts a Tor, and opens the room. Who creates a room moderates it."""
    async with anonp2p.connect(nick="guard") as tor, tor.create(name) as room:
        print(room.code, flush=True)
        await moderate(room)


if __name__ == "__main__":
    try:
        trio.run(main, sys.argv[1] if len(sys.argv) > 1 else "lobby")
    except errors.AnonError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
