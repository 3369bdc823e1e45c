"""Private Tor networks that are up for as long as somebody needs them; see scripts/tornet."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TORNET = Path(__file__).resolve().parent.parent.parent / "scripts" / "tornet"


def start(owner: int, delay: float = 0, jitter: float = 0) -> str:
    """Boots a network that ends with the process `owner` at the latest; returns its directory. In milliseconds."""
    command = [str(_TORNET), "up", "--owner", f"{owner}", "--delay", f"{delay}", "--jitter", f"{jitter}"]
    return str(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def end(directory: str) -> None:
    """Ends a network."""
    subprocess.run([_TORNET, "down", directory], check=True)


def torrc_of(directory: str) -> str:
    """The path of the torrc that leads clients to a network."""
    return str(Path(directory) / "client.torrc")


@contextmanager
def private_network(delay: float = 0, jitter: float = 0) -> Iterator[str]:
    """A network of this process; the path of the torrc that leads clients to it."""
    directory = start(os.getpid(), delay, jitter)
    try:
        yield torrc_of(directory)
    finally:
        end(directory)
