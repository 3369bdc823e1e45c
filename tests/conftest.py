"""What tests of several folders share."""

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import networks

# Properties are checked on the same examples in every run, however slow the machine. But hypothesis takes some of them
# from the modules of ours that are imported by then: of a whole run, all but eight.
settings.register_profile(
    "anonp2p",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("anonp2p")


def pytest_collection() -> None:
    """Tests that are found stay: to look for garbage among them takes a quarter of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Spares the garbage collector, and whoever walks through all objects, the many thousands of tests found."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path is short enough for unix sockets, as pytest's own need not be."""
    path = Path(tempfile.mkdtemp(prefix="t-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def torrc(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The torrc that leads clients to a private Tor network, up for the whole run.

    Where the tests of a run are spread over several processes, these share one network, which belongs to their parent
    and ends with it: the first that asks starts it, the others wait.
    """
    is_shared = worker_id != "master"
    base = tmp_path_factory.getbasetemp()
    known = (base.parent if is_shared else base) / "tornet"
    with known.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        directory = file.read()
        if not directory:
            owner = os.getppid() if is_shared else os.getpid()
            directory = networks.start(owner)
            file.write(directory)
    try:
        yield networks.torrc_of(directory)
    finally:
        if not is_shared:
            networks.end(directory)
