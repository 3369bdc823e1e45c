"""Files and folders, and work on them that takes no time by a clock that jumps."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
import trio

T = TypeVar("T")


async def _at_once(work: Callable[..., T], *arguments: object, **_: object) -> T:
    await trio.lowlevel.checkpoint()
    return work(*arguments)


@pytest.fixture(autouse=True)
def _inline(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps does not wait for threads."""
    if "loopback" not in request.node.name:
        monkeypatch.setattr(trio.to_thread, "run_sync", _at_once)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file to be offered, which is not there yet."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "f.bin"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where what is fetched goes."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"
