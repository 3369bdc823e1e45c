"""Says again what it is asked to: `!echo hello`. Privately, if it is asked privately.

`python docs/examples/echo.py` reads the room's code from the first line of standard input.
"""

import sys
from contextlib import suppress

import trio

import anonp2p
from anonp2p import errors

ASKS = "!echo "


async def echo(room: anonp2p.Room) -> None:
    """Answers until the room is over."""
    async for event in room:
        if event.type != "message" or event.mine or event.history or not event.text.startswith(ASKS):
            continue
        answer = event.text.removeprefix(ASKS)
        with suppress(errors.Unsent):  # we are muted, say, or who asked has left
            if event.private:
                await room.command(f"/msg {event.nick} {answer}")
            else:
                await room.send(answer)


async def main(code: str) -> None:
    """Finds or starts a Tor, and joins the room."""
    async with anonp2p.connect(nick="echo") as tor, tor.join(code) as room:
        print(f"In {room.name} as {room.nick}.", flush=True)
        await echo(room)


if __name__ == "__main__":
    try:
        trio.run(main, sys.stdin.readline())
    except errors.AnonError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
