"""What is left in temporary directories after any end of the program: nothing, or what the next start removes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.bridges import bridge_relay
from tests.support.children import list_children
from tests.support.homes import Home, a_home
from tests.support.peers import Peer

pytestmark = pytest.mark.tor

SECONDS = 60.0  # for a Tor to notice that its program is gone: by its connection at once, else it looks every 15 s


@pytest.fixture
def home() -> Iterator[Home]:
    """It is in memory: what `--amnesic` leaves goes there too, and not where the starts of other tests remove it."""
    with a_home(Path("/dev/shm")) as home:
        yield home


@dataclass(frozen=True)
class Traces:
    """What a running copy of the program may leave."""

    tor: int
    children: list[int]  # of its Tor: plugins
    runtime: Path

    @staticmethod
    def of(peer: Peer) -> "Traces":
        """It has to have a Tor of its own, with a control socket."""
        tor = peer.tor()
        (runtime,) = {path for path in processes.open_files(tor) if path.name.startswith("anonp2p-run-")}
        assert runtime.is_dir()
        return Traces(tor, list_children(tor), runtime)

    @staticmethod
    def of_starting(peer: Peer) -> "Traces":
        """As soon as it has one."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with suppress(LookupError, ValueError, OSError):  # there is no Tor yet, or only what becomes one
                return Traces.of(peer)
            time.sleep(0.005)
        raise AssertionError

    def await_end(self) -> None:
        """Returns once no process is left."""
        deadline = time.monotonic() + SECONDS
        while any(map(processes.is_alive, (self.tor, *self.children))):
            assert time.monotonic() < deadline, "its Tor lives on"
            time.sleep(0.05)


def temporary_files(home: Home) -> list[Path]:
    return [*home.runtime.iterdir(), *(home.base / "tmp").iterdir()]


def interrupt_twice(peer: Peer) -> None:
    peer.process.send_signal(signal.SIGINT)
    peer.process.send_signal(signal.SIGINT)


def kill_tor_first(peer: Peer) -> None:
    os.kill(peer.tor(), signal.SIGKILL)
    peer.end_input()


def stop_tor_first(peer: Peer) -> None:
    """So that it has to be killed."""
    os.kill(peer.tor(), signal.SIGSTOP)
    peer.send("/quit")


ENDS: dict[str, tuple[Callable[[Peer], None], int | None]] = {
    "/quit": (lambda peer: peer.send("/quit"), 0),
    "end of input": (Peer.end_input, 0),
    "SIGTERM": (lambda peer: peer.process.send_signal(signal.SIGTERM), 143),
    "SIGHUP": (lambda peer: peer.process.send_signal(signal.SIGHUP), 129),
    "SIGQUIT": (lambda peer: peer.process.send_signal(signal.SIGQUIT), 131),
    "SIGINT twice": (interrupt_twice, 130),
    "its Tor is killed": (kill_tor_first, None),
    "its Tor hangs": (stop_tor_first, 0),
}


def test_no_end_leaves_anything(torrc: str, home: Home) -> None:
    with ExitStack() as stack:
        peers = []
        for number in range(len(ENDS)):
            options = ["--amnesic"] * (number % 2)
            peer = Peer("--torrc", torrc, *options, "create", "demo", environment=home.environment)
            peers.append(stack.enter_context(peer))
        for peer, (name, (end, status)) in zip(peers, ENDS.items(), strict=True):
            peer.wait("reachable")
            traces = Traces.of(peer)
            end(peer)
            got, _ = peer.result()
            assert status in (got, None), name
            traces.await_end()
            assert not traces.runtime.exists(), name
    assert temporary_files(home) == []
    (data,) = (home.state / "anonp2p").iterdir()
    assert (data / "state").exists(), "where Tor keeps its guards is not temporary"


def test_a_failure_leaves_nothing(home: Home, tmp_path: Path) -> None:
    torrc = tmp_path / "torrc"
    torrc.write_text("Nonsense 1\n")
    with Peer("--torrc", str(torrc), "create", "demo", environment=home.environment) as peer:
        assert peer.result()[0] == 3
    assert temporary_files(home) == []


def start_and_fail(home: Home) -> None:
    """Any start will do, also one that finds no Tor."""
    with Peer("--control", "unix:/nonexistent", "create", "demo", environment=home.environment) as peer:
        assert peer.result()[0] == 3


@pytest.mark.parametrize("tor", ["Tor notices", "Tor is killed too"])
def test_what_killed_programs_leave_goes_with_the_next_start_and_nothing_else_does(
    torrc: str, home: Home, tor: str
) -> None:
    with bridge_relay(torrc) as bridges, ExitStack() as stack:
        peers = []
        for options in ([], ["--amnesic"], ["--bridge", bridges[-1]], ["--amnesic"]):
            peer = Peer("--torrc", torrc, *options, "create", "demo", environment=home.environment)
            peers.append(stack.enter_context(peer))
        for peer in peers:
            peer.wait("reachable")
        *killed, other = peers
        traces, theirs = [Traces.of(peer) for peer in killed], Traces.of(other)
        for peer, ours in zip(killed, traces, strict=True):
            peer.process.kill()
            if tor == "Tor is killed too":
                os.kill(ours.tor, signal.SIGKILL)
        for peer, ours in zip(killed, traces, strict=True):
            peer.process.wait()
            ours.await_end()
            assert ours.runtime.exists(), "it is removed by itself: what is tested here did not happen"
        start_and_fail(home)
        assert not [ours.runtime for ours in traces if ours.runtime.exists()]
        other.send("still here")
        other.said("still here")
        assert theirs.runtime.exists()
        other.send("/quit")
        assert other.result() == (0, "")
    assert temporary_files(home) == []
    assert not theirs.runtime.exists()


def test_a_program_that_is_killed_while_its_tor_starts_leaves_what_goes_with_the_next_start(
    torrc: str, home: Home
) -> None:
    """Its Tor may not know yet that it is owned by a connection, and looks for its process."""
    with Peer("--torrc", torrc, "--amnesic", "create", "demo", environment=home.environment) as peer:
        traces = Traces.of_starting(peer)
        peer.process.kill()
        peer.process.wait()
    traces.await_end()
    start_and_fail(home)
    assert not traces.runtime.exists()
    assert temporary_files(home) == []
