"""Networks, clocks and directories for the tests of the network's side."""

from pathlib import Path

import pytest
import trio.testing

from anonp2p import limits
from tests.support.transports import LoopbackNetwork, MemoryNetwork, Network


@pytest.fixture(params=["memory", "loopback"])
def network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Network:
    """Each network in turn; where time is real, nothing that a test over both does may run out of it."""
    if request.param == "memory":
        return MemoryNetwork()
    for name in ("LEAVE_PATIENCE", "FLUSH_PATIENCE", "LINGER_PATIENCE"):
        monkeypatch.setattr(limits, name, LoopbackNetwork.patience)
    monkeypatch.setattr(limits, "DIAL_PAUSE", 0.01)
    return LoopbackNetwork()


@pytest.fixture
def clock(network: Network) -> trio.testing.MockClock | None:
    """The clock that goes with the network; pytest-trio uses it if the test itself takes it."""
    return trio.testing.MockClock(autojump_threshold=0) if isinstance(network, MemoryNetwork) else None


@pytest.fixture
def memory() -> MemoryNetwork:
    """A network whose links the test may break. Goes with `autojump_clock`."""
    return MemoryNetwork()


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is looked at or touched."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("TOR_CONTROL_IPC_PATH", "TOR_CONTROL_HOST", "TOR_CONTROL_PORT", "TOR_CONTROL_PASSWD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def runtime(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which the program makes its temporary ones."""
    path = short_path / "run"
    path.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    return path
