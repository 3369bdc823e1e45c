"""Nothing of a room ever reaches a disk, another program's arguments, or anyone but our Tor: a whole session, watched."""

import base64
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from peers import Peer

from tests.support.tracing import AuditedPython, Call, StracedPython, why_no_strace

pytestmark = pytest.mark.tor

ROOM = "zanzibar-9"
NICKS = ("Quixotl", "Wimbrel", "Wimbrel-ii")
TEXTS = ("the plum tree is in bloom", "plné švestek ležícího koně", "a wheelbarrow of umbrellas")


@dataclass(frozen=True)
class Home:
    """Every place that the program could write to without being told: two of its own, and all that it may think are."""

    base: Path

    @property
    def state(self) -> Path:
        return self.base / "state"

    @property
    def runtime(self) -> Path:
        return self.base / "run"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.base / "home"),
            "TMPDIR": str(self.base / "tmp"),
            "XDG_STATE_HOME": str(self.state),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def is_ours(self, path: Path) -> bool:
        """Whether we and our Tor may write there: its DataDirectory, and where sockets are."""
        path = Path(os.path.normpath(path))
        return path.is_relative_to(self.state / "anonp2p") or (self.runtime in path.parents)

    def left(self) -> list[Path]:
        """All files that are there now."""
        return [path for path in self.base.rglob("*") if path.is_file()]


@pytest.fixture
def home() -> Iterator[Home]:
    """A home in a place with a short path, as sockets need it."""
    base = Path(tempfile.mkdtemp(prefix="home-"))
    try:
        for name in ("home", "tmp", "state", "run"):
            (base / name).mkdir(mode=0o700)
        yield Home(base)
    finally:
        shutil.rmtree(base)


def play_session(torrc: str, home: Home) -> list[str]:
    """Two copies of the program from their start to their end; returns what nobody else may come to know of it."""
    with ExitStack() as stack:
        host, member = (stack.enter_context(Peer("--torrc", torrc, environment=home.environment)) for _ in range(2))
        host.send(f"/create {ROOM}")
        created = host.wait("room")
        host.wait("reachable")
        host.send(f"/nick {NICKS[0]}")
        member.send(f"/join {created['code']}")
        joined = member.wait("room")
        member.send(f"/nick {NICKS[1]}")
        for author, text in ((host, TEXTS[0]), (member, TEXTS[1])):
            author.send(text)
            for reader in (host, member):
                reader.said(text)
        member.send(f"/nick {NICKS[2]}")
        host.wait(lambda event: event["type"] == "nick" and event["nick"] == NICKS[2])
        host.send({"text": TEXTS[2]})
        member.said(TEXTS[2])
        member.send("/leave")
        assert member.wait("gone")["reason"] == "left"
        assert host.wait("left")["nick"] == NICKS[2]
        for peer in (host, member):
            peer.send("/quit")
        assert [peer.result() for peer in (host, member)] == [(0, ""), (0, "")]
    first = [room["nick"] for room in (created, joined)]
    return [ROOM, *NICKS, *first, *TEXTS, created["code"].removesuffix(".onion"), created["member"], joined["member"]]


def forms(secret: str) -> set[bytes]:
    """A secret as it could be found somewhere. A code or an id is bytes besides, which may be written in other ways."""
    found = {secret.encode(), secret.upper().encode(), ascii(secret)[1:-1].encode(), secret.encode("utf-16-le")}
    if len(secret) in (26, 56) and secret.isalnum():
        raw = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))[:32]
        found |= {raw, raw.hex().encode(), raw.hex().upper().encode(), base64.b64encode(raw)[: len(raw) * 4 // 3]}
        found.add(base64.urlsafe_b64encode(raw)[: len(raw) * 4 // 3])
    return found


def assert_holds_none(data: bytes, secrets: list[str], where: object) -> None:
    for secret in secrets:
        assert not any(form in data for form in forms(secret)), f"{secret!r} is in {where}"


def assert_nothing_was_left(home: Home, secrets: list[str]) -> None:
    files = home.left()
    assert any(path.name == "state" for path in files), "Tor did keep its state somewhere else"
    for path in files:
        assert home.is_ours(path)
        assert_holds_none(os.fsencode(path) + path.read_bytes(), secrets, path)


# What a hook may hear of besides what is looked at below: nothing that writes, sends or begins anything.
HARMLESS = {
    "cpython.run_module",
    "ctypes.dlopen",
    "ctypes.dlsym",
    "ctypes.dlsym/handle",
    "fcntl.fcntl",
    "fcntl.flock",
    "os.listdir",
    "os.scandir",
    "os.posix_fallocate",
    "shutil.rmtree",
    "socket.__new__",
    "socket.bind",
    "tempfile.mkdtemp",
    "tempfile.mkstemp",
}


def test_by_its_own_account_it_writes_nothing_and_connects_to_nobody(
    torrc: str, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = AuditedPython(tmp_path)
    monkeypatch.setattr(sys, "executable", python.path)
    secrets = play_session(torrc, home)
    events = python.events()
    kinds = sorted({name for name, _ in events})
    print(kinds)
    for e in events:
        print(str(e)[:300])
    assert_nothing_was_left(home, secrets)
