"""Posts the lines that are written to a log file, in messages that everybody's program forgets after five minutes.

`python docs/examples/tail.py FILE` reads the room's code from the first line of standard input.
"""

import sys
from contextlib import suppress

import trio

import anonp2p
from anonp2p import errors

KEPT = "5m"  # what is posted
PAUSE = 1.0  # seconds between two looks at the file
SIZE = 1_300  # bytes at a time: a message has 4,000, and each byte that is no UTF-8 becomes three


async def tail(room: anonp2p.Room, path: trio.Path) -> None:
    """Posts what is new in the file, until the room is over. What comes faster than the room takes it waits there."""
    await room.command(f"/retain {KEPT}")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(post_lines, room, path)
        await room.wait_for("gone")
        nursery.cancel_scope.cancel()


async def post_lines(room: anonp2p.Room, path: trio.Path) -> None:
    """Posts whole lines, as many at a time as have come; a line that is too long is cut."""
    async with await path.open("rb") as file:
        await file.seek(0, 2)
        rest = b""
        while True:
            data = await file.read(SIZE - len(rest))
            lines, _, rest = (rest + data).rpartition(b"\n")
            if len(rest) == SIZE:
                lines, rest = rest, b""
            if lines.strip():
                with suppress(errors.Unsent):  # we are muted, say
                    await room.send(lines.decode(errors="replace"))
            elif not data:
                await trio.sleep(PAUSE)


async def main(path: str, code: str) -> None:
    """Finds or starts a Tor, and joins the room."""
    async with anonp2p.connect(nick="log") as tor, tor.join(code) as room:
        print(f"In {room.name} as {room.nick}.", flush=True)
        await tail(room, trio.Path(path))


if __name__ == "__main__":
    try:
        trio.run(main, sys.argv[1], sys.stdin.readline())
    except errors.AnonError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
