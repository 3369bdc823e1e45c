"""Fixtures for the tests of Tor's parts."""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.net.tor.parts import OFFLINE, SECRET
from tests.support.servers import FakeTor


@pytest.fixture
def fake() -> FakeTor:
    return FakeTor()


@pytest.fixture
def cookie(short_path: Path) -> Path:
    """A file of ours that could be a Tor's cookie."""
    path = short_path / "cookie"
    path.write_bytes(SECRET)
    return path


@pytest.fixture(params=["tcp", "unix"])
def path(request: pytest.FixtureRequest, short_path: Path) -> Path | None:
    """Where a server's unix socket is to be; None for a loopback port."""
    return short_path / "port" if request.param == "unix" else None


@pytest.fixture
def torrc(short_path: Path) -> Path:
    """A torrc that keeps Tor off every network."""
    path = short_path / "torrc"
    path.write_text(OFFLINE)
    return path


@pytest.fixture
def stem_leaks() -> Iterator[None]:
    """stem does not close a socket that it could not connect: it is collected here, not in another test."""
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()
