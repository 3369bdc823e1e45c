"""Opens a room, prints its code, and greets whoever comes for the first time, so that they alone see it.

Run `python docs/examples/greeter.py [NAME OF THE ROOM]`.
"""

import sys
from collections import deque
from contextlib import suppress

import trio

import anonp2p
from anonp2p import errors

REMEMBERED = 1_000  # members who were greeted: somebody who is back is not greeted again


async def greet(room: anonp2p.Room) -> None:
    """Greets until the room is over."""
    greeted: deque[str] = deque(maxlen=REMEMBERED)
    async for event in room:
        if event.type == "joined" and event.member not in greeted:
            greeted.append(event.member)
            words = f"Welcome to {room.name}, {event.nick}! {len(room.members)} are here."
            with suppress(errors.Unsent):  # they are gone already, or have another nick
                await room.command(f"/msg {event.nick} {words}")
        elif event.type == "code":
            print(event.code, flush=True)


async def main(name: str) -> None:
    """Finds or starts a Tor, and opens the room."""
    async with anonp2p.connect(nick="greeter") as tor, tor.create(name, history="20") as room:
        print(room.code, flush=True)
        await greet(room)


if __name__ == "__main__":
    try:
        trio.run(main, sys.argv[1] if len(sys.argv) > 1 else "lobby")
    except errors.AnonError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
