"""The program in a process of its own, without Tor: its surroundings are asked for things over a unix socket.

    python -m tests.support.program --control SOCKET [OPTIONS] [-- ARGUMENTS OF THE PROGRAM]

All of the program runs but for its Tor, by way of its own `cli.main`. What is asked for are lines of JSON, as
`Surroundings.answer` (tests/support/surroundings.py) takes them; each is answered by a line once it is done.
"""

import argparse
import fcntl
import json
import os
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import trio

from anonp2p import app, cli
from anonp2p.client import client
from anonp2p.config import Config
from anonp2p.ui.frontend import Frontend
from tests.support.surroundings import SeededSecrets, Surroundings


def _stop_clock(now: float) -> None:
    """The wall clock is this far, in UTC, and goes on from there."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    start = time.monotonic()
    real = time.localtime
    time.time = lambda: now + time.monotonic() - start
    time.localtime = lambda seconds=None: real(time.time() if seconds is None else seconds)


async def _attend(control: str, surroundings: Surroundings) -> None:
    """Answers what is asked for, until cancelled."""

    async def serve(stream: trio.SocketStream) -> None:
        rest = b""
        with suppress(trio.BrokenResourceError):
            async with stream:
                async for data in stream:
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        answer = await surroundings.answer(json.loads(line))
                        await stream.send_all(json.dumps(answer).encode() + b"\n")

    with trio.socket.socket(trio.socket.AF_UNIX) as server:
        await server.bind(control)
        server.listen()
        async with trio.open_nursery() as nursery:
            while True:
                connection, _ = await server.accept()
                nursery.start_soon(serve, trio.SocketStream(connection))


def _composed(options: argparse.Namespace) -> Callable[[Config, Frontend, app.Signals], Any]:
    """What makes the program's App, as cli does, in its surroundings."""
    real = app.App
    surroundings = Surroundings(seed=options.seed, slow_boot=options.slow_boot, keys=0, display=1)

    async def attend() -> None:
        await _attend(options.control, surroundings)

    def compose(config: Config, frontend: Frontend, signals: app.Signals) -> app.App:
        return real(config, surroundings.watch(frontend, attend), signals, surroundings.connect)

    return compose


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--control", required=True, metavar="SOCKET")
    parser.add_argument("--mode", choices=("screen", "line", "json"), default="screen")
    parser.add_argument("--slow-boot", action="store_true", help="Tor is usable once it is said so")
    parser.add_argument("--now", type=float, metavar="EPOCH", help="the time at the start")
    parser.add_argument("--seed", type=int, help="what is random is the same each time")
    parser.add_argument("program", nargs="*")
    options = parser.parse_args()
    with suppress(OSError):  # it is ours already
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if options.now is not None:
        _stop_clock(options.now)
    if options.seed is not None:
        vars(client)["secrets"] = SeededSecrets(f"{options.seed}:user")
    vars(app)["App"] = _composed(options)
    sys.argv = ["anonp2p", *([] if options.mode == "screen" else [f"--{options.mode}"]), *options.program]
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
