"""Whose a port of Tor is: by tables as the kernel writes them, and with listeners of other users where we are root."""

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anonp2p.config import Endpoint
from anonp2p.errors import TorUntrusted
from anonp2p.net.tor import owner
from tests.net.tor.parts import STRANGER, Silent
from tests.support.servers import server

OVERFLOW = 65_534
AT_9051 = Endpoint(host="127.0.0.1", port=9051)
AT_9051_V6 = Endpoint(host="::1", port=9051)
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def raw(address: str, port: int = 9051) -> str:
    """An address as /proc/net/tcp has it: words of the host's byte order."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    words = (int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4))
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def row(local: str, uid: int, *, inode: int = 77, state: str = "0A") -> str:
    nobody = "0" * (len(local) - 5) + ":0000"
    return f"   0: {local} {nobody} {state} 00000000:00000000 00:00000000 00000000 {uid:5} 0 {inode} 1 0 100 0 0 10 0\n"


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Has the kernel's tables hold these rows, of IPv4 and of IPv6."""

    def write(rows: str, rows6: str = "") -> None:
        for name, content in (("_TABLE", rows), ("_TABLE6", rows6)):
            path = tmp_path / name
            path.write_text(HEADER + content)
            monkeypatch.setattr(owner, name, path)

    return write


V4, V6 = "IPv4", "IPv6"


@pytest.mark.parametrize(
    ("table", "local", "endpoint", "takes"),
    [
        (V4, raw("127.0.0.1"), AT_9051, True),
        (V4, raw("0.0.0.0"), AT_9051, True),
        (V6, raw("::"), AT_9051, True),
        (V6, raw("::ffff:127.0.0.1"), AT_9051, True),
        (V6, raw("::ffff:0.0.0.0"), AT_9051, True),
        (V6, raw("::1"), AT_9051_V6, True),
        (V6, raw("::"), AT_9051_V6, True),
        (V4, raw("127.0.0.1"), Endpoint(host="::ffff:127.0.0.1", port=9051), True),
        (V4, raw("127.0.0.2"), AT_9051, False),
        (V4, raw("127.0.0.1", 9050), AT_9051, False),
        (V6, raw("::1"), AT_9051, False),
        (V6, raw("::ffff:127.0.0.2"), AT_9051, False),
        (V4, raw("127.0.0.1"), AT_9051_V6, False),
        (V4, raw("0.0.0.0"), AT_9051_V6, False),
        (V6, raw("::ffff:0.0.0.0"), AT_9051_V6, False),
        (V4, raw("0.0.0.0"), Endpoint(host="192.0.2.1", port=9051), False),  # another machine's
    ],
)
def test_every_listener_counts_that_may_take_the_connection(
    tables: Callable[..., None], table: str, local: str, endpoint: Endpoint, *, takes: bool
) -> None:
    rows = row(local, STRANGER)
    tables(*((rows, "") if table == V4 else ("", rows)))
    assert owner.listeners_at(endpoint) == (frozenset({(STRANGER, 77)}) if takes else frozenset())


def test_only_those_who_listen_count(tables: Callable[..., None]) -> None:
    tables("".join(row(raw("127.0.0.1"), STRANGER, state=f"{state:02X}") for state in range(1, 12) if state != 10))
    assert owner.listeners_at(AT_9051) == frozenset()


def test_all_who_may_answer_are_told(tables: Callable[..., None]) -> None:
    tables(row(raw("127.0.0.1"), 0, inode=5), row(raw("::"), STRANGER, inode=6))
    assert owner.listeners_at(AT_9051) == frozenset({(0, 5), (STRANGER, 6)})


def test_where_the_table_cannot_be_read_nothing_is_known(
    tables: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables(row(raw("127.0.0.1"), os.getuid()))
    monkeypatch.setattr(owner, "_TABLE6", tmp_path / "none")
    assert owner.listeners_at(AT_9051), "a kernel without IPv6 has no table of it"
    monkeypatch.setattr(owner, "_TABLE6", tmp_path)
    assert owner.listeners_at(AT_9051) == frozenset()
    tables(row(raw("127.0.0.1"), os.getuid()))
    monkeypatch.setattr(owner, "_TABLE", tmp_path / "none")
    assert owner.listeners_at(AT_9051) == frozenset()


def user(name: str, uid: int) -> Callable[[str], pwd.struct_passwd]:
    """A machine whose only user this is."""

    def look_up(wanted: str) -> pwd.struct_passwd:
        if wanted != name:
            raise KeyError(wanted)
        return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/bin/false"))

    return look_up


@pytest.mark.parametrize(
    ("name", "uid", "trusted"),
    [
        ("debian-tor", 102, True),
        ("tor", 43, True),
        ("_tor", 256, True),
        ("toranon", 993, True),
        ("tor", 1000, False),
        ("debian-tor", STRANGER, False),
        ("torsten", 102, False),
        ("www-data", 33, False),
        ("nobody", OVERFLOW, False),
        ("tor", OVERFLOW, False),
    ],
)
def test_of_others_only_system_users_of_tors_names_are_trusted(
    monkeypatch: pytest.MonkeyPatch, name: str, uid: int, *, trusted: bool
) -> None:
    monkeypatch.setattr(pwd, "getpwnam", user(name, uid))
    monkeypatch.setattr(os, "getuid", lambda: 1_001)
    assert owner.is_trusted(uid) is trusted
    assert not owner.is_trusted(STRANGER + 1), "who has no name has none of Tor's"


def test_we_and_root_are_trusted_unless_we_are_nobody_in_particular(monkeypatch: pytest.MonkeyPatch) -> None:
    for uid, trusted in ((1_001, True), (0, True), (OVERFLOW, False)):
        monkeypatch.setattr(os, "getuid", lambda uid=uid: uid)
        assert owner.is_trusted(uid) is trusted
        assert owner.is_trusted(0)


async def test_a_server_of_ours_is_known_as_ours(path: Path | None) -> None:
    async with server(Silent(), path) as endpoint:
        for discovered in (True, False):
            stream, owners = await owner.connect(endpoint, discovered=discovered)
            await stream.aclose()
            assert owners == {os.getuid()}


async def test_a_stranger_is_told_by_its_uid_and_hears_nothing(
    path: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "is_trusted", lambda _: False)
    silent = Silent()
    async with server(silent, path) as endpoint:
        with pytest.raises(TorUntrusted, match=f"uid {os.getuid()} listens"):
            await owner.connect(endpoint, discovered=True)
        await silent.left.wait()
    assert silent.heard == b""


async def test_one_stranger_among_the_listeners_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = frozenset({(os.getuid(), 1), (STRANGER, 2)})
    monkeypatch.setattr(owner, "listeners_at", lambda _: both)
    async with server(Silent()) as endpoint:
        with pytest.raises(TorUntrusted, match=f"uid {STRANGER}"):
            await owner.connect(endpoint, discovered=True)


@pytest.mark.parametrize("after", [frozenset(), frozenset({(os.getuid(), 2)})])
async def test_a_listener_that_was_not_there_before_may_have_followed_a_stranger(
    monkeypatch: pytest.MonkeyPatch, after: frozenset[tuple[int, int]]
) -> None:
    looks: Iterator[frozenset[tuple[int, int]]] = iter([frozenset({(os.getuid(), 1)}), after])
    monkeypatch.setattr(owner, "listeners_at", lambda _: next(looks))
    async with server(Silent()) as endpoint:
        with pytest.raises(TorUntrusted, match="an unknown user"):
            await owner.connect(endpoint, discovered=True)


@pytest.fixture(params=[STRANGER, OVERFLOW])
def stranger(request: pytest.FixtureRequest, path: Path | None, short_path: Path) -> Iterator[tuple[int, Endpoint]]:
    """Another user, and where it listens."""
    if os.getuid() != 0:
        pytest.skip("only root can be another user")
    short_path.chmod(0o777)
    uid: int = request.param
    where = f"socket.AF_UNIX); s.bind({str(path)!r})" if path else "); s.bind(('127.0.0.1', 0))"
    program = f"import socket, time; s = socket.socket({where}; s.listen(); print(s.getsockname(), flush=True)"
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", sys.executable]
    with subprocess.Popen(
        [*command, "-c", f"{program}; time.sleep(60)"], stdout=subprocess.PIPE, text=True, cwd="/"
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        yield uid, Endpoint(path=said) if path else Endpoint(host="127.0.0.1", port=int(said.split(", ")[1][:-1]))
        process.kill()


async def test_a_listener_of_another_user_is_told_from_ours(stranger: tuple[int, Endpoint]) -> None:
    uid, endpoint = stranger
    with pytest.raises(TorUntrusted, match=f"uid {uid} listens"):
        await owner.connect(endpoint, discovered=True)
    stream, owners = await owner.connect(endpoint, discovered=False)
    await stream.aclose()
    assert owners == {uid}
