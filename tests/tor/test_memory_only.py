"""Nothing of a room reaches a disk, another program's arguments, or anyone but our Tor: a whole session, watched."""

import base64
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.homes import Home, a_home
from tests.support.peers import Peer
from tests.support.tracing import AuditedPython, Call, StracedPython, why_no_strace

pytestmark = pytest.mark.tor

PYTHON = sys.executable
ROOM = "zanzibar-9"
NICKS = ("Quixotl", "Wimbrel", "Wimbrel-ii")
TEXTS = ("the plum tree is in bloom", "plné švestek ležícího koně", "a wheelbarrow of umbrellas")


_TO_URL = bytes.maketrans(b"+/", b"-_")  # the other base64


def play_session(torrc: str, home: Home, python: str) -> tuple[str, list[str]]:
    """Two copies of the program, by this Python, from start to end; returns the room's address, and all else of it.

    Nothing is on their command lines, which everybody on the machine can read.
    """
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", python)
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
    others = [room[key] for room in (created, joined) for key in ("nick", "member")]
    return created["code"].removesuffix(".onion"), [ROOM, *NICKS, *TEXTS, *others]


def forms(secret: str) -> set[bytes]:
    """A secret as it could be found somewhere. Codes, ids and keys are bytes, which may be written in other ways."""
    found = {secret.encode(), secret.upper().encode(), ascii(secret)[1:-1].encode(), secret.encode("utf-16-le")}
    if len(secret) in (26, 56) and secret.isalnum():
        raw = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))[:32]
    elif len(secret) == 88:
        raw = base64.b64decode(secret)
    else:
        return found
    in_64 = base64.b64encode(raw)[: len(raw) * 4 // 3]  # without what depends on what comes after it
    return found | {raw, raw.hex().encode(), raw.hex().upper().encode(), in_64, in_64.translate(_TO_URL)}


def assert_holds_none(data: bytes, secrets: list[str], where: object) -> None:
    for secret in secrets:
        assert not any(form in data for form in forms(secret)), f"{secret!r} is in {where}"


def assert_nothing_was_left(home: Home, secrets: list[str]) -> None:
    files = home.left()
    assert any(path.name == "state" for path in files), "Tor did keep its state somewhere else"
    for path in files:
        assert home.is_ours(path), path
        assert_holds_none(os.fsencode(path) + path.read_bytes(), secrets, path)


# What a hook may hear of besides what is looked at below: nothing that writes, sends or begins anything.
SANITIZED = {
    *("_thread.start_joinable_thread", "_thread.start_new_thread", "ctypes.dlopen", "ctypes.dlsym", "fcntl.flock"),
    *("os.kill", "os.listdir", "os.scandir", "os.unsetenv", "resource.setrlimit", "socket.__new__", "time.sleep"),
}
LDCONFIG = "/sbin/ldconfig"  # is asked where a library is, by ctypes


def own_sockets(home: Home, path: str) -> bool:
    """Whether these are our Tor's control or SOCKS socket."""
    return Path(path).name in ("control", "socks") and home.is_ours(Path(path))


def test_by_its_own_account_it_writes_nothing_and_connects_to_nobody_else(torrc: str, tmp_path: Path) -> None:
    python = AuditedPython(tmp_path)
    with a_home() as home:
        address, words = play_session(torrc, home, python.path)
        assert_nothing_was_left(home, [address, *words])
    events = python.events()
    assert_holds_none(ascii(events).encode(), [address, *words], "what an audit hook hears of")
    seen = {name for name, _ in events}
    assert {"open", "socket.connect", "subprocess.Popen"} <= seen, "the hook heard nothing"
    for name, arguments in events:
        told = f"{name}{arguments}"
        match name, arguments:
            case "open", [path, _, int(flags)] if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                assert isinstance(path, int) or path == os.devnull or home.is_ours(Path(path)), told
            case "os.mkdir", [path, *_]:
                assert home.is_ours(Path(path)), told
            case (("os.remove" | "os.rmdir"), [path, directory]):
                assert directory != -1 or home.may_go(Path(path)), told  # in one: that of the shutil.rmtree before
            case (("tempfile.mkdtemp" | "tempfile.mkstemp"), [path]):
                assert home.is_ours(Path(path)), told
            case "shutil.rmtree", [path, *_]:
                assert home.may_go(Path(path.split("'")[1])), told
            case ("os.posix_fallocate", _) | ("mmap.__new__", [-1, *_]):  # the latter is memory, and no file
                pass
            case "socket.bind", [_, str(path)]:
                assert home.is_ours(Path(path)), told
            case "socket.connect", [_, str(path)]:
                assert own_sockets(home, path), told
            case "os.exec", [path, *_]:
                assert path == PYTHON, told  # itself, with allocators that overwrite what is freed
            case "subprocess.Popen", [path, *_]:
                assert path in (tor_program(), LDCONFIG), told
            case _:
                assert name == "open" or name in SANITIZED, told


def tor_program() -> str:
    found = shutil.which("tor")
    assert found
    return os.path.realpath(found)


OPENING = ("open", "openat", "openat2")
TO_WRITE = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")
CHANGING = {
    *(
        "creat",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "symlink",
        "symlinkat",
        "mkdir",
        "mkdirat",
        "mknod",
    ),
    *("mknodat", "truncate", "setxattr", "lsetxattr", "fsetxattr"),
}
REMOVING = {"unlink", "unlinkat", "rmdir"}
WRITING = {"write", "writev", "pwrite64", "pwritev", "pwritev2"}
UNSEEN = {"sendfile", "copy_file_range", "splice", "io_uring_setup", "open_by_handle_at", "execveat"}


def assert_sanitized(call: Call, home: Home, secrets: list[str]) -> None:
    """What anybody may do; our Tor, which is to have a network, may connect to the relays of this machine besides."""
    told = str(call)
    assert call.name not in UNSEEN, f"nobody can tell what goes where: {told}"
    is_tor = call.program == tor_program()
    if call.name in OPENING and any(flag in call.arguments for flag in TO_WRITE):
        assert call.paths == [Path(os.devnull)] or all(map(home.is_ours, call.paths)), told
    elif call.name in REMOVING:
        assert all(map(home.may_go, call.paths)), told
    elif call.name in CHANGING:
        assert all(map(home.is_ours, call.paths)), told
    elif call.name in WRITING and call.target.startswith("/"):  # else a pipe, a socket or the like
        assert home.is_ours(Path(call.target)), told
        assert_holds_none(b"".join(call.strings), secrets, told)
    elif call.name == "execve":
        assert call.program in (PYTHON, tor_program(), LDCONFIG), told
        assert_holds_none(b"\0".join(call.strings), secrets, told)
    elif call.name == "socket":
        assert call.arguments.startswith("AF_UNIX") or is_tor, told
    elif call.name in ("connect", "bind", "sendto", "sendmsg", "sendmmsg") and "sa_family=" in call.arguments:
        place = os.fsdecode(call.strings[-1]) if call.strings else ""
        if "sa_family=AF_UNIX" in call.arguments:
            assert home.is_ours(Path(place)), told
            assert is_tor or call.name == "bind" or own_sockets(home, place), told
        else:
            assert is_tor, told
            assert place == "127.0.0.1" or "sa_family=AF_NETLINK" in call.arguments, told


@dataclass(frozen=True)
class Traced:
    """What strace saw of a session, and what was said in it."""

    home: Home
    calls: list[Call]
    address: str
    words: list[str]

    @property
    def sent(self) -> list[Call]:
        """What the program, not its Tor, wrote to sockets."""
        return [call for call in self.calls if call.name in ("sendto", "sendmsg") and call.program == PYTHON]

    @property
    def onion_keys(self) -> list[str]:
        """The private keys of rooms, and of the services of those who may take one over, as Tor is told them."""
        sent = b"\n".join(text for call in self.sent for text in call.strings)
        return [found.decode() for found in re.findall(rb"ADD_ONION ED25519-V3:(\S+)", sent)]


@pytest.fixture(scope="module")
def traced(torrc: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A session that strace has seen all of; what is left of it is still there."""
    if why := why_no_strace():
        pytest.skip(f"nothing may be traced here: {why}")
    python = StracedPython(tmp_path_factory.mktemp("strace"))
    with a_home() as home:
        address, words = play_session(torrc, home, python.path)
        yield Traced(home, python.calls(), address, words)


def test_by_the_kernels_account_neither_do_it_and_its_tor(traced: Traced) -> None:
    keys = traced.onion_keys
    assert keys, "strace did not see what Tor is told"
    for call in traced.calls:
        assert_sanitized(call, traced.home, [traced.address, *traced.words, *keys])
    assert_nothing_was_left(traced.home, [traced.address, *traced.words, *keys])


def test_what_goes_to_its_tor_is_sealed(traced: Traced) -> None:
    assert traced.sent
    for call in traced.sent:
        assert_holds_none(b"".join(call.strings), traced.words, str(call))


def test_the_kernels_account_is_complete(traced: Traced) -> None:
    told = b"".join(text for call in traced.calls if call.target.startswith("pipe:") for text in call.strings)
    assert all(text.encode() in told for text in TEXTS), "strace did not see what was shown"
    by_tor = {Path(call.target).name for call in traced.calls if call.program == tor_program()}
    assert "state.tmp" in by_tor, "strace did not see what Tor writes"
    hardened = [call for call in traced.calls if call.name == "prctl" and "PR_SET_DUMPABLE" in call.arguments]
    assert len([call for call in hardened if call.program == PYTHON]) == 2
