"""The bots of docs/examples as programs, over the private Tor network: all at once, by one Tor that runs already."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

import anonp2p
from anonp2p import hardening
from tests.support.documents import read_blocks
from tests.support.services import Service
from tests.support.tors import RunningTor, running_tor

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
PATIENCE = 120.0  # seconds
RAIDERS = 3
# The moderator, that takes fewer who come in a longer time for a raid: how fast people come over Tor is not up to us.
MODERATOR = f"""
import sys, trio, moderator as it
it.JOINS, it.WITHIN = {RAIDERS}, {PATIENCE}
try:
    trio.run(it.main, "lobby")
except KeyboardInterrupt:
    sys.exit(130)
"""


@asynccontextmanager
async def program(tor: RunningTor, *arguments: str, given: str = "") -> AsyncIterator[str]:
    """One that runs, as its first line of output; told to end, it ends as a program that was interrupted."""
    process = await trio.lowlevel.open_process(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=EXAMPLES,
        env={**os.environ, "TOR_CONTROL_IPC_PATH": tor.control.removeprefix("unix:")},
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        async with process.stdin:
            await process.stdin.send_all(given.encode())
        said = b""
        with trio.fail_after(PATIENCE):
            while not said.endswith(b"\n"):
                said += (part := await process.stdout.receive_some())
                assert part, await process.stderr.receive_some()
        yield said.decode().strip()
        process.send_signal(signal.SIGINT)
        with trio.fail_after(PATIENCE):
            assert await process.wait() == 130
            assert await process.stderr.receive_some() == b""
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                await pipe.aclose()


async def hear(room: anonp2p.Room) -> str:
    """What another says next."""
    while True:
        event = await room.wait_for("message", within=PATIENCE)
        if not event.mine:
            return event.text


@asynccontextmanager
async def opened(tor: anonp2p.Tor, name: str) -> AsyncIterator[anonp2p.Room]:
    """A room of ours that others can join."""
    async with tor.create(name) as room:
        await room.wait_for("reachable", within=PATIENCE)
        yield room


async def try_echo(tor: RunningTor, us: anonp2p.Tor, home: Path) -> None:
    """As the unit in docs/BOTS.md starts it."""
    [block] = read_blocks("ini")
    (bot := home / "bot").mkdir()
    (bot / ".venv").symlink_to(sys.prefix)
    shutil.copy(EXAMPLES / "echo.py", bot)
    async with opened(us, "one") as room:
        (bot / "code").write_text(room.code)
        environment = {**os.environ, "TOR_CONTROL_IPC_PATH": tor.control.removeprefix("unix:")}
        with Service(block.text, home, home, environment=environment) as service:
            await room.wait_for("joined", within=PATIENCE)
            await room.send("!echo hello")
            assert await hear(room) == "hello"
            assert await trio.to_thread.run_sync(service.stop) == (130, "")
            assert not service.has_failed
        left = await room.wait_for("left", within=PATIENCE)
        assert (left.nick, left.reason) == ("echo", "left"), "it left properly"


async def try_tail(tor: RunningTor, us: anonp2p.Tor, log: Path) -> None:
    async with opened(us, "two") as room, program(tor, "tail.py", str(log), given=room.code) as said:
        assert said == "In two as log."
        with trio.move_on_after(PATIENCE) as waiting:  # it reads from the end of the file on, as soon as it is there
            while not waiting.cancel_called:
                with log.open("a") as file:
                    file.write("it happened\n")
                with trio.move_on_after(1):
                    assert set((await hear(room)).splitlines()) == {"it happened"}
                    break
        assert not waiting.cancelled_caught


async def try_bridge(tor: RunningTor, us: anonp2p.Tor) -> None:
    async with (
        opened(us, "three") as one,
        opened(us, "four") as other,
        program(tor, "bridge.py", given=f"{one.code}\n{other.code}\n") as said,
    ):
        assert said == "Between three and four."
        await one.send("hello")
        assert await hear(other) == "ann: hello"


async def try_greeter(tor: RunningTor, us: anonp2p.Tor) -> None:
    async with program(tor, "greeter.py", "hall") as code, us.join(code) as room:
        assert await hear(room) == "Welcome to hall, ann! 2 are here."


async def try_moderator(tor: RunningTor) -> None:
    async def raid(code: str) -> None:
        async with anonp2p.connect(socks=tor.socks) as theirs, theirs.join(code) as room:
            assert (await room.wait_for("gone", within=PATIENCE)).reason == "kicked"

    async with program(tor, "-c", MODERATOR) as code, trio.open_nursery() as raiders:
        for _ in range(RAIDERS):
            raiders.start_soon(raid, code)


async def test_each_example_runs_over_tor(torrc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardening, "harden", lambda: None)  # it is for good, and of the whole process
    log = tmp_path / "log"
    log.touch()
    with running_tor(torrc) as tor:
        async with anonp2p.connect(control=tor.control, nick="ann") as us, trio.open_nursery() as nursery:
            nursery.start_soon(try_echo, tor, us, tmp_path)
            nursery.start_soon(try_tail, tor, us, log)
            nursery.start_soon(try_bridge, tor, us)
            nursery.start_soon(try_greeter, tor, us)
            nursery.start_soon(try_moderator, tor)
