"""What tests of several folders share."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TORNET = Path(__file__).resolve().parent.parent / "scripts" / "tornet"


@pytest.fixture(scope="session")
def torrc() -> Iterator[str]:
    """The torrc that leads clients to a private Tor network, up for the whole run."""
    up = subprocess.run([TORNET, "up", "--owner", str(os.getpid())], check=True, stdout=subprocess.PIPE, text=True)
    directory = up.stdout.strip()
    try:
        yield str(Path(directory) / "client.torrc")
    finally:
        subprocess.run([TORNET, "down", directory], check=True)
