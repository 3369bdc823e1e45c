"""The same over a Tor that runs already, which several copies of the program share: --control and --socks."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing, suppress
from itertools import count

import pytest
import trio

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import commands, socks
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.listener import LocalEntrance
from anonp2p.net.tor.socks import SocksError
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault, Place
from tests.support.other_limits import other_limits
from tests.support.peers import Peer
from tests.support.processes import find_listeners
from tests.support.tors import RunningTor, running_tor

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's

SILENT = 600.0  # seconds for which a stream may say nothing


@pytest.fixture
def running(torrc: str) -> Iterator[RunningTor]:
    with running_tor(torrc) as tor:
        yield tor


def test_several_programs_share_a_running_tor_that_is_named_or_found(running: RunningTor) -> None:
    found = {"TOR_CONTROL_IPC_PATH": running.control.removeprefix("unix:")}
    with Peer("--control", running.control, "create", "demo") as host:
        code = host.wait("room")["code"]
        host.wait("reachable")
        with (
            Peer("--control", running.control, "join", code) as ada,
            Peer("--socks", running.socks, "join", code) as ben,
            Peer("--tor", "system", "join", code, environment=found) as cho,
        ):
            for peer in (host, ada, ben, cho):
                peer.wait("room")
                assert peer.wait("ready")["tor"] == "system"
            ben.send("through SOCKS alone")
            for peer in (host, ada, ben, cho):
                peer.said("through SOCKS alone")
                assert not [event for event in peer.events if event["type"] == "tor-skipped"]


def test_a_room_ends_with_the_program_that_made_it_not_with_its_tor(running: RunningTor) -> None:
    with Peer("--control", running.control, "create", "demo") as host:
        code = host.wait("room")["code"]
        host.wait("reachable")
        with Peer("--control", running.control, "join", code) as ada:
            ada.wait("room")
            address = code.removesuffix(".onion")
            assert running.count_introductions(address)
            host.process.kill()
            ada.wait(lambda event: event["type"] == "link" and event["state"] == "lost")
            deadline = time.monotonic() + 60
            while running.count_introductions(address):  # a dial may hang: relays may hear late that one is closed
                assert time.monotonic() < deadline
                time.sleep(0.1)


async def test_a_circuit_with_more_silent_streams_than_anybody_needs_is_closed(running: RunningTor) -> None:
    """And so 40 of them over one circuit keep nobody out."""
    patient = other_limits(HANDSHAKE_SECONDS=SILENT)  # they do not end by themselves before
    with Peer("--control", running.control, "create", "demo", **patient) as host:
        code = host.wait("room")["code"]
        host.wait("reachable")
        proxy = Endpoint.parse(running.socks)

        async def silent() -> None:
            with suppress(SocksError, trio.BrokenResourceError):
                async with await socks.connect(proxy, code, limits.PORT, "one", "circuit") as stream:
                    while await stream.receive_some():
                        pass

        with trio.fail_after(SILENT / 5):
            async with trio.open_nursery() as nursery:
                for _ in range(40):
                    nursery.start_soon(silent)
        with Peer("--socks", running.socks, "join", code) as ada:
            ada.wait("room")


OTHER = 65_534  # nobody


@pytest.mark.skipif(os.getuid() != 0, reason="only root starts a Tor of another user")
def test_a_room_at_another_users_tor_is_reached_through_it_alone(torrc: str) -> None:
    with (
        running_tor(torrc, OTHER) as theirs,
        running_tor(torrc) as ours,
        Peer("--control", theirs.control, "create", "demo") as host,
    ):
        code = host.wait("room")["code"]
        host.wait("reachable")
        with Peer("--socks", ours.socks, "join", code) as ada:
            ada.wait("room")
            (port,) = map(str, find_listeners(host.process.pid))
            assert greeting(port) == b""
            assert greeting(port, "setpriv", "--reuid", str(OTHER + 1), "--clear-groups") == b""
            assert greeting(port, "setpriv", "--reuid", str(OTHER), "--clear-groups"), (
                "it is a matter of the user alone"
            )
            ada.send("hello")
            host.said("hello")


def greeting(port: str, *become: str) -> bytes:
    """What the room says at once to one who connects to its port from this machine."""
    program = "import socket, sys; print(socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(99).hex())"
    done = subprocess.run([*become, sys.executable, "-c", program, port], capture_output=True, check=False, text=True)
    return bytes.fromhex(done.stdout.strip())


async def greet(place: Place, words: bytes) -> None:
    """Serves a room that says this first, as all services of ours say something."""

    async def say(stream: trio.abc.Stream) -> None:
        async with stream:
            await stream.send_all(words)
            await stream.receive_some()

    await trio.serve_listeners(say, [place.listener])


async def reach(tor: Tor, key: RoomKey) -> trio.abc.Stream:
    """A stream to a room that is there; a try without an answer is given up, as the program does."""
    with trio.fail_after(180):
        for number in count():
            with trio.move_on_after(limits.DIAL_TRIES[0]), suppress(DialFault):
                return await tor.dial(key.code, f"reach:{number}")
            await trio.sleep(0.3)
    raise AssertionError


async def test_a_room_that_is_at_another_tor_without_a_word_is_found_there(torrc: str) -> None:
    key = RoomKey(b"moved" + bytes(27))
    with ExitStack() as running:
        before, after, guest = [running.enter_context(running_tor(torrc)) for _ in range(3)]
        async with AsyncExitStack() as stack:
            tors = []
            for each in (before, after, guest):
                control = await stack.enter_async_context(aclosing(await Control.open(Endpoint.parse(each.control))))
                await control.boot(lambda _: None)
                await control.subscribe(commands.DESCRIPTORS)
                entrance = LocalEntrance(frozenset((os.getuid(),)))
                tors.append(Tor(control, Endpoint.parse(each.socks), entrance, "system"))
            nursery = await stack.enter_async_context(trio.open_nursery())
            place = await stack.enter_async_context(tors[0].listen(key))
            nursery.start_soon(greet, place, b"before")
            await place.published()
            await trio.aclose_forcefully(await reach(tors[2], key))
            before.process.send_signal(signal.SIGSTOP)  # so its circuits stay, and take calls for the room
            place = await stack.enter_async_context(tors[1].listen(key))
            nursery.start_soon(greet, place, b"after")
            await place.published()
            with trio.move_on_after(5) as given_up:
                await tors[2].dial(key.code, "the old way:1")
            assert given_up.cancelled_caught, "Tor knew the new place by itself: what is tested here did not happen"
            async with await reach(tors[2], key) as stream:
                assert await stream.receive_some() == b"after"
            before.process.send_signal(signal.SIGCONT)
            nursery.cancel_scope.cancel()
