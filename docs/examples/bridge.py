"""Carries what is said in one room over to another, and back. What is to expire, and what is private, it leaves.

`python docs/examples/bridge.py` reads the codes of both rooms from the first two lines of standard input.
"""

import sys
from contextlib import suppress

import trio

import anonp2p
from anonp2p import errors


async def carry(here: anonp2p.Room, there: anonp2p.Room) -> None:
    """From one room to the other, until the one is over."""
    async for event in here:
        if event.type != "message" or event.mine or event.history or event.private or event.ttl is not None:
            continue
        text = " / ".join(event.text.splitlines())  # each line of a message could begin like one of somebody else's
        with suppress(errors.Unsent):  # with the nick before it, it may be too long
            await there.send(f"* {event.nick} {text}" if event.action else f"{event.nick}: {text}")


async def bridge(one: anonp2p.Room, other: anonp2p.Room) -> None:
    """Both ways, until one of the rooms is over."""

    async def way(here: anonp2p.Room, there: anonp2p.Room) -> None:
        await carry(here, there)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(way, one, other)
        nursery.start_soon(way, other, one)


async def main(code: str, other_code: str) -> None:
    """Finds or starts a Tor, and joins both rooms."""
    async with anonp2p.connect(nick="bridge") as tor, tor.join(code) as one, tor.join(other_code) as other:
        print(f"Between {one.name} and {other.name}.", flush=True)
        await bridge(one, other)


if __name__ == "__main__":
    try:
        trio.run(main, sys.stdin.readline(), sys.stdin.readline())
    except errors.AnonError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
