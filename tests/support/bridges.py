"""A bridge of a private network that is up."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.tornet import BridgeRelay

SECONDS = 90  # for it to be ready; usually 4


@contextmanager
def bridge_relay(torrc: str) -> Iterator[list[str]]:
    """The lines of a bridge of the network that this torrc leads to: as it is, and by obfs4 if that is installed."""
    with tempfile.TemporaryDirectory(prefix="bridge-") as name:
        bridge = BridgeRelay(Path(name) / "bridge", Path(torrc).read_text(), os.getpid())
        with bridge.log.open("wb") as log, subprocess.Popen(bridge.command, stdout=log, stderr=log) as process:
            try:
                deadline = time.monotonic() + SECONDS
                while not bridge.is_ready():
                    assert process.poll() is None, bridge.log.read_text()
                    assert time.monotonic() < deadline, bridge.log.read_text()
                    time.sleep(0.1)
                yield bridge.lines()
            finally:
                process.terminate()
