"""The control port: what it may ask of us, what it may say, and booting; against servers that are played, and Tor."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.config import Endpoint
from anonp2p.errors import TorLost, TorMissing, TorRefused
from anonp2p.net.tor import owner
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.tor import Tor
from anonp2p.room import events
from tests.net.tor.parts import ADDRESS, KEY, NOWHERE, SECRET, STEM, Silent, control_of, refused, replies
from tests.support.servers import PATIENCE, FakeTor, Play, says, server

pytestmark = STEM

HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"


# --- who is there


@pytest.mark.usefixtures("stem_leaks")
@pytest.mark.parametrize(("reach", "why"), [("unix", "No such file or directory"), ("tcp", "Connection refused")])
async def test_a_control_port_that_is_not_there_is_missing(short_path: Path, reach: str, why: str) -> None:
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))  # bound, not listening: no other program gets the port meanwhile
        tcp = Endpoint(host="127.0.0.1", port=unused.getsockname()[1])
        with refused(TorMissing, why):
            await Control.open(Endpoint(path=str(short_path / "control")) if reach == "unix" else tcp)


@pytest.mark.usefixtures("stem_leaks")
@pytest.mark.parametrize(
    "play",
    [replies(HTTP), replies(b"\x05\xff"), replies(b"220 mail ready\r\n"), replies(b""), says((b"PROTOCOLINFO", HTTP))],
    ids=["HTTP", "SOCKS", "SMTP", "hangs up", "HTTP, keeps the connection"],
)
async def test_what_is_no_control_port_is_refused(play: Play) -> None:
    async with server(play) as endpoint:
        with refused(TorRefused, "is no control port of Tor"):
            await Control.open(endpoint)


@pytest.mark.usefixtures("stem_leaks")
async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.3)
    async with server(Silent()) as endpoint:
        with refused(TorRefused, "does not answer as a control port of Tor does"):
            await Control.open(endpoint)


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


async def test_a_cookie_that_we_may_not_read_is_told_with_its_remedy(fake: FakeTor, short_path: Path) -> None:
    fake.methods = f'COOKIE,SAFECOOKIE COOKIEFILE="{short_path}/cookie"'
    await assert_refused(fake, "debian-tor")
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
    await assert_refused(fake, "set TOR_CONTROL_PASSWD", discovered=discovered)
    assert entered(fake) == []
    monkeypatch.setenv("TOR_CONTROL_PASSWD", 'my "pass\\word"\r\nQUIT \udcff')
    await assert_enters(fake, discovered=discovered)
    assert entered(fake) == [f"AUTHENTICATE {os.fsencode(os.environ['TOR_CONTROL_PASSWD']).hex()}"]


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


# --- a control connection


async def test_a_question_that_a_filter_refuses_has_an_empty_answer(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        assert await control.info("no/such/key") == ""
        assert await control.version() == "0.4.9.11"


async def test_a_control_connection_that_ends_is_lost(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        assert not control.lost.is_set()
        await fake.hang_up()
        await control.lost.wait()
        with refused(TorLost, "hung up"):
            await control.send("GETINFO version")


async def test_a_reply_without_an_end_ends_the_connection(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        fake.deny["GETINFO"] = "\r\n".join(["250-more of it"] * 10_000)
        with refused(TorLost, "hung up"):
            await control.info("traffic/read")
        await control.lost.wait()


async def test_a_control_port_that_stops_answering_is_lost_and_is_hung_up_on_without_waiting_for_it(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trio.fail_after(10):
        async with control_of(fake, short_path) as control:
            monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.2)
            fake.deaf.add("GETINFO")
            with refused(TorLost, "does not answer"):
                await control.info("traffic/read")


UPLOADED = f"HS_DESC UPLOADED {ADDRESS} UNKNOWN $" + "A" * 40


async def test_only_events_of_a_kind_are_heard_and_only_as_long_as_listened_to(fake: FakeTor, short_path: Path) -> None:
    heard: list[str] = []
    news, end = trio.Event(), trio.Event()

    def hear(event: Any) -> None:
        heard.append(event.address)
        news.set()

    async with control_of(fake, short_path) as control:
        await control.subscribe("HS_DESC", "STATUS_CLIENT")
        with control.listening("HS_DESC", hear):
            await fake.tell(f"STATUS_CLIENT {FakeTor.phase(5, 'x')}")
            await fake.tell(UPLOADED)
            await news.wait()
        with control.listening("STATUS_CLIENT", lambda _: end.set()):
            await fake.tell(UPLOADED)
            await fake.tell(f"STATUS_CLIENT {FakeTor.phase(6, 'x')}")
            await end.wait()
    assert heard == [ADDRESS]


@pytest.mark.parametrize("odd", ["HS_DESC", "HS_DESC UPLOADED", "STATUS_CLIENT", "", "NOTHING"])
async def test_an_event_that_cannot_be_read_is_passed_over(
    fake: FakeTor, short_path: Path, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    news = trio.Event()
    async with control_of(fake, short_path) as control:
        await control.subscribe("HS_DESC", "STATUS_CLIENT")
        with control.listening("HS_DESC", lambda event: event.address == ADDRESS and news.set()):
            await fake.tell(odd)
            await fake.tell(UPLOADED)
            with trio.fail_after(PATIENCE):
                await news.wait()
    assert not failed


# --- booting, in virtual time


class FakeControl:
    """A control connection as far as booting needs one."""

    def __init__(self, phase: str) -> None:
        self.lost = trio.Event()
        self.phase = phase
        self.heard: Callable[[str], None] = lambda _: None

    async def subscribe(self, *_: str) -> None:
        await trio.lowlevel.checkpoint()

    async def info(self, _: str) -> str:
        await trio.lowlevel.checkpoint()
        return self.phase

    @contextmanager
    def listening(self, kind: str, heard: Callable[[str], None]) -> Iterator[None]:
        assert kind == "STATUS_CLIENT"
        self.heard = heard
        yield


async def boot(fake: FakeControl, told: list[events.Event]) -> None:
    await Control.boot(cast("Control", fake), told.append)


async def test_booting_is_told_step_by_step_and_done_at_100(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(10, "Connecting")), list[events.Event]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(boot, fake, told)
        for progress, summary in ((50, "Loading"), (45, "Never back"), (75, "More"), (100, "Done")):
            await trio.sleep(12)
            assert nursery.child_tasks
            fake.heard(f"STATUS_CLIENT {FakeTor.phase(progress, summary)}")
            fake.heard("STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED")
    assert trio.current_time() == 48
    assert told == [
        events.TorProgressEvent(progress=progress, summary=summary)
        for progress, summary in ((10, "Connecting"), (50, "Loading"), (75, "More"), (100, "Done"))
    ]


@pytest.mark.parametrize(
    "phase", [FakeTor.phase(100, "Done"), "", f'NOTICE BOOTSTRAP PROGRESS={"9" * 5_000} TAG=done SUMMARY="Done"']
)
async def test_a_tor_that_is_booted_or_does_not_tell_its_progress_is_told_once(
    autojump_clock: trio.testing.MockClock, phase: str
) -> None:
    told: list[events.Event] = []
    await boot(FakeControl(phase), told)
    assert told == [events.TorProgressEvent(progress=100, summary="Done")]


async def test_a_slow_boot_is_told_and_a_stuck_one_given_up(autojump_clock: trio.testing.MockClock) -> None:
    fake, told = FakeControl(FakeTor.phase(10, "Connecting")), list[events.Event]()

    async def move_once() -> None:
        await trio.sleep(45)
        fake.heard(FakeTor.phase(20, "Handshake"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(move_once)
        with refused(TorRefused, "stuck at 20 % (Handshake)"):
            await boot(fake, told)
    assert trio.current_time() == 45 + limits.BOOT_STALL
    assert [event for event in told if isinstance(event, events.TorSlowEvent)] == [
        events.TorSlowEvent(progress=10, summary="Connecting", seconds=30),
        *(events.TorSlowEvent(progress=20, summary="Handshake", seconds=seconds) for seconds in range(30, 180, 30)),
    ]


async def test_a_tor_lost_while_booting_ends_the_wait(autojump_clock: trio.testing.MockClock) -> None:
    fake = FakeControl(FakeTor.phase(10, "Connecting"))

    async def end() -> None:
        await trio.sleep(3)
        fake.lost.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(end)
        with refused(TorLost, "it ended while starting"):
            await boot(fake, [])
    assert trio.current_time() == 3


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
        async with aclosing(control), Tor(control, NOWHERE, runtime, "system").listen(KEY):
            assert await control.info("onions/current") == ADDRESS
