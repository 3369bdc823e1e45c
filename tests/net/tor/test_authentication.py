"""Letting us in: what a control port may ask of us and gets; against one that is played, and real Tors."""

import grp
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.errors import TorRefused
from anonp2p.net.tor import owner
from anonp2p.net.tor.control import Control, wants_password
from anonp2p.net.tor.listener import UnixEntrance
from anonp2p.net.tor.tor import Tor
from tests.net.tor.parts import ADDRESS, KEY, NOWHERE, SECRET, STEM, STRANGER, refused
from tests.support.servers import PATIENCE, FakeTor, server

pytestmark = STEM


# --- what a control port may ask of us


@pytest.fixture
def safe(fake: FakeTor, cookie: Path) -> FakeTor:
    """A Tor that takes its cookie."""
    fake.methods = f'COOKIE,SAFECOOKIE COOKIEFILE="{cookie}"'
    fake.cookie = SECRET
    return fake


def entered(fake: FakeTor) -> list[str]:
    """What a control port heard of us to let us in."""
    return [line for line in fake.heard if line.startswith("AUTH")]


async def assert_enters(fake: FakeTor, *, discovered: bool = False) -> None:
    async with server(fake) as endpoint:
        await (await Control.open(endpoint, discovered=discovered)).aclose()
    assert SECRET.hex() not in " ".join(fake.heard).lower()


async def assert_refused(fake: FakeTor, words: str, *, discovered: bool = False) -> None:
    async with server(fake) as endpoint:
        with refused(TorRefused, words):
            await Control.open(endpoint, discovered=discovered)
    assert SECRET.hex() not in " ".join(fake.heard).lower()


discovered_or_named = pytest.mark.parametrize("discovered", [True, False])


@discovered_or_named
async def test_a_cookie_is_proved_to_be_known_and_never_sent(safe: FakeTor, *, discovered: bool) -> None:
    await assert_enters(safe, discovered=discovered)
    challenge, answer = entered(safe)
    assert challenge.startswith("AUTHCHALLENGE SAFECOOKIE ")
    assert answer == f"AUTHENTICATE {safe.proof}"


@discovered_or_named
async def test_a_plain_cookie_is_sent_to_nobody(safe: FakeTor, *, discovered: bool) -> None:
    safe.methods = safe.methods.replace(",SAFECOOKIE", "")
    await assert_refused(safe, "no authentication method that we use", discovered=discovered)
    assert entered(safe) == []


@discovered_or_named
async def test_who_does_not_know_its_cookie_gets_no_proof(safe: FakeTor, *, discovered: bool) -> None:
    safe.cookie = bytes(32)
    await assert_refused(safe, "does not know the cookie", discovered=discovered)
    assert [line.split(" ")[0] for line in entered(safe)] == ["AUTHCHALLENGE"]


@pytest.mark.parametrize(
    "answer",
    [
        "250 OK",
        "513 Invalid base16 client nonce",
        "250 AUTHCHALLENGE",
        "250 AUTHCHALLENGE SERVERHASH= SERVERNONCE=",
        f"250 AUTHCHALLENGE SERVERHASH={'0' * 62} SERVERNONCE={'0' * 64}",
        f"250 AUTHCHALLENGE SERVERHASH={'0' * 64} SERVERNONCE={'0' * 66}",
        f"250-AUTHCHALLENGE SERVERHASH={'0' * 64} SERVERNONCE={'0' * 64}\r\n250 OK",
        f"650 AUTHCHALLENGE SERVERHASH={'0' * 64} SERVERNONCE={'0' * 64}",
    ],
)
async def test_a_challenge_without_a_proof_gets_none(safe: FakeTor, answer: str) -> None:
    safe.deny["AUTHCHALLENGE"] = answer
    await assert_refused(safe, "is no control port of Tor")
    assert [line.split(" ")[0] for line in entered(safe)] == ["AUTHCHALLENGE"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("cookie", "cookie"),
        ("a cookie", "a cookie"),
        ('a\\"b\\\\c', 'a"b\\c'),
        ("\\303\\251", "\u00e9"),
        ("tab\\t", "tab\t"),
    ],
)
async def test_a_path_of_a_cookie_may_have_any_character(
    safe: FakeTor, short_path: Path, written: str, name: str
) -> None:
    (short_path / name).write_bytes(SECRET)
    safe.methods = f'SAFECOOKIE COOKIEFILE="{short_path}/{written}"'
    await assert_enters(safe)


def plant(what: str, short_path: Path) -> str:
    """Something that is no cookie; its path."""
    path = short_path / "planted"
    match what:
        case "link":
            (short_path / "target").write_bytes(SECRET)
            path.symlink_to(short_path / "target")
        case "link of that size":
            path.symlink_to("x" * limits.COOKIE_BYTES)
        case "directory":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "relative":
            return os.path.relpath(short_path / "target")
        case "device":
            return "/dev/zero"
        case "nothing":
            return ""
        case _:
            path.write_bytes(bytes(int(what)))
    return str(path)


@pytest.mark.parametrize(
    "what", ["link", "link of that size", "directory", "pipe", "relative", "device", "nothing", "0", "31", "33", "4096"]
)
async def test_only_a_file_that_may_be_a_cookie_is_opened(fake: FakeTor, short_path: Path, what: str) -> None:
    fake.methods = f'SAFECOOKIE COOKIEFILE="{plant(what, short_path)}"'
    await assert_refused(fake, "names a cookie file that holds no cookie")
    assert entered(fake) == []


async def test_a_cookie_that_we_may_not_read_is_told_with_its_remedy(
    safe: FakeTor, cookie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def denied(path: str | bytes, flags: int, mode: int = 0o777) -> int:
        if path == os.fsencode(cookie):
            raise PermissionError
        return real(path, flags, mode)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", denied)
        await assert_refused(safe, "to join that: sudo adduser $USER debian-tor")
    assert entered(safe) == []


async def test_a_cookie_that_is_not_here_is_told_as_that_of_a_container(fake: FakeTor, short_path: Path) -> None:
    fake.methods = f'COOKIE,SAFECOOKIE COOKIEFILE="{short_path}/cookie"'
    await assert_refused(fake, "Tor Browser in flatpak: its SOCKS port (--socks) is enough")
    assert entered(fake) == []


@pytest.mark.parametrize(("uid", "is_fit"), [(102, True), (0, True), (104, True), (103, False)])
async def test_a_discovered_control_port_names_a_cookie_that_a_tor_may_have_made(
    safe: FakeTor, monkeypatch: pytest.MonkeyPatch, uid: int, *, is_fit: bool
) -> None:
    real = os.fstat

    def owned(file: int) -> os.stat_result:
        fields = list(real(file))
        fields[4] = uid
        return os.stat_result(fields)

    monkeypatch.setattr(owner, "is_trusted", lambda _: True)
    monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(102, 1)}))  # Tor's own user
    monkeypatch.setattr(owner, "tor_users", lambda: frozenset((104,)))
    monkeypatch.setattr(os, "fstat", owned)
    if is_fit:
        await assert_enters(safe, discovered=True)
    else:
        await assert_refused(safe, "or that belongs to another user", discovered=True)
        assert entered(safe) == []
        await assert_enters(safe)  # who names a control port answers for it


@discovered_or_named
@pytest.mark.parametrize(("uids", "ours"), [((102,), False), ((0,), True), ((1_001,), True), ((0, 102), False)])
async def test_who_lets_in_everybody_is_ours_or_roots_unless_it_is_named(
    fake: FakeTor, monkeypatch: pytest.MonkeyPatch, uids: tuple[int, ...], *, ours: bool, discovered: bool
) -> None:
    monkeypatch.setattr(owner, "is_trusted", lambda _: True)
    monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset((uid, 1) for uid in uids))
    monkeypatch.setattr(os, "getuid", lambda: 1_001)
    if discovered and not ours:
        await assert_refused(fake, "asks for no authentication", discovered=True)
        assert entered(fake) == []
    else:
        await assert_enters(fake, discovered=discovered)


@discovered_or_named
async def test_a_password_comes_from_the_environment_only(
    fake: FakeTor, monkeypatch: pytest.MonkeyPatch, *, discovered: bool
) -> None:
    fake.methods = "HASHEDPASSWORD"
    await assert_refused(fake, "wants a password", discovered=discovered)
    assert entered(fake) == []
    monkeypatch.setenv("TOR_CONTROL_PASSWD", 'my "pass\\word"\r\nQUIT \udcff')
    await assert_enters(fake, discovered=discovered)
    assert entered(fake) == [f"AUTHENTICATE {os.fsencode(os.environ['TOR_CONTROL_PASSWD']).hex()}"]


async def test_a_password_that_was_given_comes_before_that_of_the_environment(
    fake: FakeTor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOR_CONTROL_PASSWD", "other")
    fake.methods = "HASHEDPASSWORD"
    async with server(fake) as endpoint:
        await (await Control.open(endpoint, password=b"given")).aclose()
    assert entered(fake) == [f"AUTHENTICATE {b'given'.hex()}"]


@pytest.mark.usefixtures("stem_leaks")
@pytest.mark.parametrize(
    ("methods", "is_wanted"), [("HASHEDPASSWORD", True), ("NULL", False), ("HASHEDPASSWORD,NULL", False), ("X", False)]
)
async def test_a_port_wants_a_password_where_nothing_else_lets_us_in(
    fake: FakeTor, monkeypatch: pytest.MonkeyPatch, methods: str, *, is_wanted: bool
) -> None:
    monkeypatch.setattr(limits, "PASSWORD_PATIENCE", PATIENCE)
    fake.methods = methods
    async with server(fake) as endpoint:
        assert await wants_password(endpoint) is is_wanted


async def test_a_password_is_kept_where_a_cookie_does(safe: FakeTor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOR_CONTROL_PASSWD", "pass")
    safe.methods = safe.methods.replace("SAFE", "HASHEDPASSWORD,SAFE")
    await assert_enters(safe)
    assert b"pass".hex() not in " ".join(safe.heard)


@pytest.mark.parametrize(
    "answer",
    [
        "250 OK",
        "250-PROTOCOLINFO 1\r\n250 OK",
        "250-AUTH METHODS=NULL\r\n250 OK",
        "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-AUTH METHODS=NULL\r\n250 OK",
        "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=\r\n250 OK",
        "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL COOKIEFILE=/x\r\n250 OK",
        '250-PROTOCOLINFO 1\r\n250-AUTH METHODS=SAFECOOKIE COOKIEFILE="/\\777"\r\n250 OK',
        '250-PROTOCOLINFO 1\r\n250-AUTH METHODS=SAFECOOKIE COOKIEFILE="/x\r\n250 OK',
        "250-PROTOCOLINFO 1\r\n250+AUTH METHODS=NULL\r\nx\r\n.\r\n250 OK",
        "650 PROTOCOLINFO 1",
        "510 Unrecognized command",
    ],
)
async def test_an_unfit_answer_to_the_first_question_gets_nothing(fake: FakeTor, answer: str) -> None:
    fake.deny["PROTOCOLINFO"] = answer
    await assert_refused(fake, "is no control port of Tor")
    assert fake.heard == ["PROTOCOLINFO 1"]


@pytest.mark.usefixtures("stem_leaks")
async def test_a_control_port_that_refuses_is_refused(fake: FakeTor) -> None:
    fake.deny["AUTHENTICATE"] = "515 Authentication failed"
    await assert_refused(fake, "does not let us in")


# --- a real Tor, which is not ours


@pytest.fixture
def start(torrc: Path, short_path: Path) -> Iterator[Callable[[str], Endpoint]]:
    """Starts a Tor with these lines in its torrc; returns its control socket."""
    started: list[subprocess.Popen[str]] = []

    def start(lines: str) -> Endpoint:
        path = short_path / "control"
        command = ["tor", "--defaults-torrc", "/dev/null", "-f", "-"]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(child)
        assert child.stdin is not None
        assert child.stdout is not None
        usual = f"DataDirectory {short_path}/data\nControlSocket {path}\nSocksPort 0\nLog notice stdout\n"
        child.stdin.write(torrc.read_text() + usual + lines)
        child.stdin.close()
        assert any("Opened Control listener" in line for line in child.stdout)
        return Endpoint(path=str(path))

    yield start
    for child in started:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


Start = Callable[[str], Endpoint]
PASSWORD = "HashedControlPassword 16:BC59CA0044207E8B6045E27CEF3878CA604728BB886744533BA5508738\n"


@pytest.mark.tor_control
@pytest.mark.usefixtures("stem_leaks")
async def test_a_tor_that_wants_a_password_says_so_and_takes_the_right_one(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = start(PASSWORD)
    for password, words in (("", "wants a password"), ("other", "does not let us in")):
        monkeypatch.setenv("TOR_CONTROL_PASSWD", password)
        with refused(TorRefused, words):
            await Control.open(endpoint)
    monkeypatch.setenv("TOR_CONTROL_PASSWD", 'my "pass word')
    for discovered in (True, False):
        async with aclosing(await Control.open(endpoint, discovered=discovered)) as control:
            assert (await control.version()).startswith("0.")


@pytest.mark.tor_control
@pytest.mark.parametrize("password", ["", PASSWORD], ids=["cookie", "cookie or password"])
async def test_a_tor_that_takes_cookies_lets_us_in(start: Start, password: str) -> None:
    async with aclosing(await Control.open(start(f"CookieAuthentication 1\n{password}"))) as control:
        assert (await control.version()).startswith("0.")


@pytest.mark.tor_control
async def test_a_tor_that_lets_everybody_in_lets_us_in_and_outlives_us(start: Start, runtime: Path) -> None:
    endpoint = start("")
    for _ in range(2):
        control = await Control.open(endpoint)
        async with aclosing(control), Tor(control, NOWHERE, UnixEntrance(runtime), "system").listen(KEY):
            assert await control.info("onions/current") == ADDRESS


@pytest.mark.tor_control
@pytest.mark.skipif(os.getuid() != 0, reason="only root runs programs as other users")
def test_another_user_is_told_which_group_to_join(start: Start, short_path: Path) -> None:
    group = grp.getgrnam("nogroup")
    endpoint = start("CookieAuthentication 1\n")
    os.chown(endpoint.path, -1, group.gr_gid)
    Path(endpoint.path).chmod(0o660)
    for parent in (short_path, *list(short_path.parents)[:-2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    command = ["setpriv", "--reuid", str(STRANGER), "--clear-groups", "--regid", str(STRANGER)]
    done = subprocess.run(
        [*command, sys.executable, "-m", "anonp2p", "--control", str(endpoint), "create", "demo"],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"HOME": str(short_path), "XDG_STATE_HOME": str(short_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 3
    assert f"we may not open its control port {endpoint}" in done.stderr
    assert "sudo adduser $USER nogroup" in done.stderr
