"""Private Tor networks that are up for as long as somebody needs them; see scripts/tornet."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import hangs
from tests.support.tornet import free_ports

_TORNET = Path(__file__).resolve().parent.parent.parent / "scripts" / "tornet"


def start(owner: int, delay: float = 0, jitter: float = 0, hang: float = 0) -> str:
    """Boots a network that ends with the process `owner` at the latest; returns its directory.

    delay, jitter: in milliseconds. hang: of 100 circuits of clients.
    """
    command = [str(_TORNET), "up", "--owner", f"{owner}", "--delay", f"{delay}", "--jitter", f"{jitter}"]
    command += ["--hang", f"{hang}"]
    return str(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def end(directory: str) -> None:
    """Ends a network."""
    subprocess.run([_TORNET, "down", directory], check=True)


def torrc_of(directory: str) -> str:
    """The path of the torrc that leads clients to a network."""
    return str(Path(directory) / "client.torrc")


@contextmanager
def private_network(delay: float = 0, jitter: float = 0, hang: float = 0) -> Iterator[str]:
    """A network of this process; the path of the torrc that leads clients to it."""
    directory = start(os.getpid(), delay, jitter, hang)
    try:
        yield torrc_of(directory)
    finally:
        end(directory)


class HangingCircuits:
    """Has circuits of clients hang. torrc: by which these reach their network."""

    def __init__(self, torrc: str, process: subprocess.Popen[str]) -> None:
        self.torrc = torrc
        self._process = process

    def hang_next(self) -> None:
        """The next circuit that is used hangs from then on."""
        print(1, file=self._process.stdin, flush=True)

    def await_hang(self) -> None:
        """Returns once another one hangs."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("hangs at ")


@contextmanager
def hanging_circuits(torrc: str, seconds: float) -> Iterator[HangingCircuits]:
    """A way to a network on which circuits can be made to hang for so long."""
    with free_ports(1) as ports:
        port = ports[0]
    keys = [f"{_or_port(keys.parent / 'torrc')}:{keys}" for keys in Path(torrc).parent.glob("*/keys")]
    command = [sys.executable, hangs.__file__, "0", f"{seconds}", f"{port}", *keys]
    with (
        tempfile.NamedTemporaryFile("w", suffix=".torrc") as file,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            file.write(f"{Path(torrc).read_text()}HTTPSProxy 127.0.0.1:{port}\n")
            file.flush()
            yield HangingCircuits(file.name, process)
        finally:
            process.kill()


def _or_port(torrc: Path) -> int:
    """At which a relay is reached."""
    line = next(line for line in torrc.read_text().splitlines() if line.startswith("ORPort "))
    return int(line.split()[1].rpartition(":")[2])
