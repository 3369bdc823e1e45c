"""An accepted file is the one thing that is written: a whole transfer between two programs, watched by strace."""

import secrets
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.homes import Home, a_home
from tests.support.peers import Peer
from tests.support.tracing import Call, StracedPython, why_no_strace
from tests.tor.test_memory_only import (
    CHANGING,
    OPENING,
    REMOVING,
    TO_WRITE,
    WRITING,
    assert_nothing_was_left,
    own_sockets,
)

pytestmark = pytest.mark.tor

NAME = "plan-of-the-wheelbarrow.bin"
MARK = b"the plum tree is in the wheelbarrow"


def play_transfer(torrc: str, home: Home, python: str, source: Path) -> list[str]:
    """One offers the file, the other takes it; returns what else was said of it."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", python)
        host, member = (stack.enter_context(Peer("--torrc", torrc, environment=home.environment)) for _ in range(2))
        host.send("/create demo")
        code = host.wait("room")["code"]
        host.wait("reachable")
        member.send(f"/join {code}")
        member.wait("room")
        host.send(f"/send {source}")
        offer = member.wait("offer")
        assert (offer["name"], offer["size"]) == (NAME, source.stat().st_size)
        before = list(home.left())
        assert not [path for path in before if NAME in path.name], "nothing is written before it is accepted"
        member.send(f"/accept {offer['offer']}")
        done = member.wait(lambda event: event["type"] == "transfer" and event["state"] == "done")
        assert done["path"] == str(home.base / "home" / NAME)
        for peer in (member, host):
            peer.send("/quit")
        assert [peer.result() for peer in (host, member)] == [(0, ""), (0, "")]
    return [code.removesuffix(".onion")]


def assert_writes_nothing_else(call: Call, home: Home, whole: Path) -> None:
    ours = {whole, whole.with_name(f"{NAME}.part")}
    told = str(call)
    if call.name in OPENING and any(flag in call.arguments for flag in TO_WRITE):
        allowed = call.paths == [Path("/dev/null")] or all(path in ours or home.is_ours(path) for path in call.paths)
        assert allowed, told
        assert not set(call.paths) & ours or "0600" in call.arguments or "O_CREAT" not in call.arguments, told
    elif call.name in CHANGING:
        assert all(path in ours or home.is_ours(path) for path in call.paths), told
    elif call.name in REMOVING:
        assert all(map(home.may_go, call.paths)), told
    elif call.name in WRITING and call.target.startswith("/"):
        assert Path(call.target) in ours or home.is_ours(Path(call.target)), told
        assert Path(call.target) in ours or MARK not in b"".join(call.strings), told
    elif call.name == "execve":
        assert NAME.encode() not in b"\0".join(call.strings), told
    elif call.name in ("sendto", "sendmsg", "write") and own_sockets(home, call.target):
        assert MARK not in b"".join(call.strings), told


def test_an_accepted_file_is_the_one_thing_that_is_written(torrc: str, tmp_path: Path) -> None:
    if why := why_no_strace():
        pytest.skip(f"nothing may be traced here: {why}")
    python = StracedPython(tmp_path)
    source = tmp_path / NAME
    source.write_bytes(secrets.token_bytes(200_000) + MARK + secrets.token_bytes(100_000))
    with a_home() as home:
        whole = home.base / "home" / NAME
        secrets_said = play_transfer(torrc, home, python.path, source)
        calls = python.calls()
        for call in calls:
            assert_writes_nothing_else(call, home, whole)
        assert any(
            call.name in WRITING and Path(call.target) in (whole, whole.with_name(f"{NAME}.part")) for call in calls
        )
        assert whole.read_bytes() == source.read_bytes()
        assert whole.stat().st_mode & 0o777 == 0o600
        whole.unlink()
        assert_nothing_was_left(home, [*secrets_said, NAME, MARK.decode()])
