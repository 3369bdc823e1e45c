"""The control port, onion services and dials: against a Tor without a network, and against servers played by hand."""

import base64
import gc
import hashlib
import logging
import os
import resource
import signal
import socket
import subprocess
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, cast

import pytest
import trio
import trio.testing
from msgspec import UNSET

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.errors import AnonError, Failed, TorLost, TorMissing, TorRefused, TorUntrusted, first
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import discovery, owner, process, tor
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault
from anonp2p.reasons import Reason
from anonp2p.room import events
from tests.support.servers import PATIENCE, FakeTor, Play, says, server
from tests.support.words import in_words

pytestmark = [  # stem's ways: the second, in threads that we have given up, comes at any time
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

KEY = RoomKey(bytes(range(32)))
ADDRESS = KEY.code.removesuffix(".onion")
STRANGER = os.getuid() + 12_345  # another user
NOWHERE = Endpoint(path="/nonexistent/socks")


@pytest.fixture
def fake() -> FakeTor:
    return FakeTor()


@pytest.fixture
def stem_leaks() -> Iterator[None]:
    """stem does not close a socket that it could not connect: it is collected here, not in somebody else's test."""
    yield
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@asynccontextmanager
async def control_of(fake: Play, path: Path) -> AsyncIterator[Control]:
    """A control connection to a Tor that is played."""
    async with server(fake, path / "control") as endpoint, aclosing(await Control.open(endpoint)) as control:
        yield control


@contextmanager
def refused(error: type[AnonError], words: str) -> Iterator[None]:
    """This error, with these words in what the user is told; and no key."""
    with pytest.raises(error) as caught:
        yield
    assert words in str(caught.value)
    assert KEY.expanded_private_key() not in repr(caught.value)


# --- letting us in: `Control.open`


@pytest.mark.usefixtures("stem_leaks")
async def test_a_control_socket_that_is_not_there_is_missing(short_path: Path) -> None:
    with refused(TorMissing, "No such file or directory"):
        await Control.open(Endpoint(path=str(short_path / "control")))


@pytest.mark.usefixtures("stem_leaks")
async def test_a_control_port_that_nobody_listens_at_is_missing() -> None:
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))  # bound, not listening: nobody else gets the port meanwhile
        with refused(TorMissing, "Connection refused"):
            await Control.open(Endpoint(host="127.0.0.1", port=unused.getsockname()[1]))


@pytest.mark.usefixtures("stem_leaks")
@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\xff", b"220 mail ready\r\n", b""])
async def test_what_is_no_control_port_is_refused(said: bytes) -> None:
    async def play(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(said)

    async with server(play) as endpoint:
        with refused(TorRefused, "is no control port of Tor"):
            await Control.open(endpoint)


@pytest.mark.usefixtures("stem_leaks")
async def test_a_web_server_that_keeps_the_connection_is_refused() -> None:
    async with server(says((b"PROTOCOLINFO", b"HTTP/1.1 400 Bad Request\r\n\r\n"))) as endpoint:
        with refused(TorRefused, "is no control port of Tor"):
            await Control.open(endpoint)


@pytest.mark.usefixtures("stem_leaks")
async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.3)

    async def play(stream: trio.SocketStream) -> None:
        async for _ in stream:
            pass

    async with server(play) as endpoint:
        with refused(TorRefused, "does not answer as a control port of Tor does"):
            await Control.open(endpoint)


@pytest.mark.usefixtures("stem_leaks")
async def test_a_cookie_that_we_may_not_read_is_told_with_its_remedy(fake: FakeTor, short_path: Path) -> None:
    fake.methods = f'COOKIE,SAFECOOKIE COOKIEFILE="{short_path}/cookie"'
    async with server(fake, short_path / "control") as endpoint:
        with refused(TorRefused, "debian-tor"):
            await Control.open(endpoint)
    assert not [line for line in fake.heard if line.startswith("AUTHENTICATE")]


# --- what a control port may ask of us


SECRET = bytes(range(100, 132))  # in a file of ours that has the size of a cookie


@pytest.fixture
def cookie(short_path: Path) -> Path:
    path = short_path / "cookie"
    path.write_bytes(SECRET)
    return path


@pytest.fixture
def safe(fake: FakeTor, cookie: Path) -> FakeTor:
    """A Tor that takes its cookie."""
    fake.methods = f'COOKIE,SAFECOOKIE COOKIEFILE="{cookie}"'
    fake.cookie = SECRET
    return fake


def entered(fake: FakeTor) -> list[str]:
    """What a control port heard of us to let us in."""
    return [line for line in fake.heard if line.startswith("AUTH")]


async def assert_refused(fake: FakeTor, words: str, *, discovered: bool = False) -> None:
    async with server(fake) as endpoint:
        with refused(TorRefused, words):
            await Control.open(endpoint, discovered=discovered)
    assert SECRET.hex() not in " ".join(fake.heard).lower()


@pytest.mark.parametrize("discovered", [True, False])
async def test_a_cookie_is_proved_to_be_known_and_never_sent(safe: FakeTor, *, discovered: bool) -> None:
    async with server(safe) as endpoint, aclosing(await Control.open(endpoint, discovered=discovered)) as control:
        assert await control.version() == "0.4.9.11"
    challenge, answer = entered(safe)
    assert challenge.startswith("AUTHCHALLENGE SAFECOOKIE ")
    assert answer == f"AUTHENTICATE {safe.proof}"
    assert SECRET.hex() not in " ".join(safe.heard).lower()


@pytest.mark.parametrize("discovered", [True, False])
async def test_a_plain_cookie_is_sent_to_nobody(safe: FakeTor, *, discovered: bool) -> None:
    safe.methods = safe.methods.replace(",SAFECOOKIE", "")
    await assert_refused(safe, "no authentication method that we use", discovered=discovered)
    assert entered(safe) == []


@pytest.mark.parametrize("discovered", [True, False])
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
    ("form", "path"),
    [
        ("{}", "cookie"),
        ("{}", "a cookie"),
        ('{}/a\\"b\\\\c', 'a"b\\c'),
        ("{}/\\303\\251", "\u00e9"),
        ("{}/tab\\t", "tab\t"),
    ],
)
async def test_a_path_of_a_cookie_may_have_any_character(fake: FakeTor, short_path: Path, form: str, path: str) -> None:
    (short_path / path).write_bytes(SECRET)
    place = form.format(short_path) if "/" in form else f"{short_path}/{path}"
    fake.methods, fake.cookie = f'SAFECOOKIE COOKIEFILE="{place}"', SECRET
    async with server(fake) as endpoint:
        await (await Control.open(endpoint)).aclose()


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
async def test_only_a_file_that_may_be_a_cookie_is_opened(
    fake: FakeTor, short_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.methods = f'SAFECOOKIE COOKIEFILE="{plant(what, short_path)}"'
    await assert_refused(fake, "names a cookie file that holds no cookie")
    assert entered(fake) == []


async def test_a_discovered_control_port_names_a_cookie_that_a_tor_may_have_made(
    safe: FakeTor, cookie: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "is_trusted", lambda _: True)
    monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(102, 1)}))  # Tor's own user
    monkeypatch.setattr(owner, "tor_users", lambda: frozenset((104,)))
    real = os.fstat
    for uid, lets_in in ((102, True), (0, True), (104, True), (103, False)):
        monkeypatch.setattr(os, "fstat", lambda file, uid=uid: owned_by(uid, real(file)))
        if lets_in:
            async with server(safe) as endpoint:
                await (await Control.open(endpoint, discovered=True)).aclose()
        else:
            safe.heard.clear()
            await assert_refused(safe, "or that belongs to another user", discovered=True)
            assert entered(safe) == []
            async with server(safe) as endpoint:  # who names it answers for it
                await (await Control.open(endpoint)).aclose()


def owned_by(uid: int, status: os.stat_result) -> os.stat_result:
    fields = list(status)
    fields[4] = uid
    return os.stat_result(fields)


@pytest.mark.parametrize("discovered", [True, False])
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
        async with server(fake) as endpoint:
            await (await Control.open(endpoint, discovered=discovered)).aclose()


@pytest.mark.parametrize("discovered", [True, False])
async def test_a_password_comes_from_the_environment_only(
    fake: FakeTor, monkeypatch: pytest.MonkeyPatch, *, discovered: bool
) -> None:
    fake.methods = "HASHEDPASSWORD"
    await assert_refused(fake, "set TOR_CONTROL_PASSWD", discovered=discovered)
    assert entered(fake) == []
    monkeypatch.setenv("TOR_CONTROL_PASSWD", 'my "pass\\word"\r\nQUIT \udcff')
    async with server(fake) as endpoint:
        await (await Control.open(endpoint, discovered=discovered)).aclose()
    assert entered(fake) == [f"AUTHENTICATE {os.fsencode(os.environ['TOR_CONTROL_PASSWD']).hex()}"]


async def test_a_password_is_kept_where_a_cookie_does(safe: FakeTor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOR_CONTROL_PASSWD", "pass")
    safe.methods = safe.methods.replace("SAFE", "HASHEDPASSWORD,SAFE")
    async with server(safe) as endpoint:
        await (await Control.open(endpoint)).aclose()
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


@pytest.mark.parametrize("begin", [b"", b"250+data\r\n"])
async def test_a_reply_without_an_end_ends_the_connection(begin: bytes) -> None:
    sent = 0

    async def play(stream: trio.SocketStream) -> None:
        nonlocal sent
        await stream.receive_some()
        await stream.send_all(begin)
        while True:
            await stream.send_all(b"250-more of it\r\n" * 1_000)
            sent += 16_000

    async with server(play) as endpoint:
        with refused(TorRefused, "is no control port of Tor"):
            await Control.open(endpoint)
    assert sent < 16 * 1024 * 1024, "more than the kernel's buffers and a reply"


async def test_a_reply_without_an_end_ends_a_connection_that_had_let_us_in(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        fake.deny["GETINFO"] = "\r\n".join(["250-more of it"] * 10_000)
        with refused(TorLost, "hung up"):
            await control.info("traffic/read")
        await control.lost.wait()


@pytest.mark.usefixtures("stem_leaks")
async def test_a_control_port_that_refuses_is_refused(fake: FakeTor, short_path: Path) -> None:
    fake.deny["AUTHENTICATE"] = "515 Authentication failed"
    async with server(fake, short_path / "control") as endpoint:
        with refused(TorRefused, "does not let us in"):
            await Control.open(endpoint)


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


async def test_a_control_port_that_stops_answering_is_lost(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with control_of(fake, short_path) as control:
        monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.2)
        fake.deaf.add("GETINFO")
        with refused(TorLost, "does not answer"):
            await control.info("traffic/read")


async def test_hanging_up_on_a_hanging_tor_takes_its_time_and_no_more(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.2)
    async with server(fake, short_path / "control") as endpoint:
        control = await Control.open(endpoint)
        fake.deaf.add("GETINFO")
        with suppress(TorLost):
            await control.info("traffic/read")
        with trio.fail_after(10):
            await control.aclose()


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
            await fake.tell(f"HS_DESC UPLOADED {ADDRESS} UNKNOWN $" + "A" * 40)
            await news.wait()
        with control.listening("STATUS_CLIENT", lambda _: end.set()):
            await fake.tell(f"HS_DESC UPLOADED {ADDRESS} UNKNOWN $" + "A" * 40)
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
            await fake.tell(f"HS_DESC UPLOADED {ADDRESS} UNKNOWN $" + "A" * 40)
            with trio.fail_after(PATIENCE):
                await news.wait()
    assert not failed


# --- a room as an onion service


STREAMS = f"Flags=MaxStreamsCloseCircuit MaxStreams={limits.STREAMS}"
POW = "PoWDefensesEnabled=1"


async def test_a_room_asks_for_all_defences_and_is_withdrawn_in_the_end(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        async with Tor(control, NOWHERE, short_path, "own").listen(KEY) as place:
            assert place.undefended == []
            (asked,) = [line for line in fake.heard if line.startswith("ADD_ONION")]
            assert asked.startswith(
                f"ADD_ONION ED25519-V3:{KEY.expanded_private_key()} {STREAMS} {POW} Port=1984,unix:"
            )
            assert not [line for line in fake.heard if line.startswith("DEL_ONION")]
        assert fake.heard[-1] == f"DEL_ONION {ADDRESS}"


@pytest.mark.parametrize(
    ("unknown", "left", "told"),
    [
        ({"PoW": "512 Unrecognized argument"}, f"{STREAMS} ", ["proof-of-work"]),
        ({"MaxStreams=": "510 Command filtered"}, f"{POW} ", ["streams"]),
        ({"Flags": "513 Invalid argument"}, f"{POW} ", ["streams"]),
        ({"PoW": "512 Unrecognized argument", "Flags": "510 Command filtered"}, "", ["streams", "proof-of-work"]),
    ],
)
async def test_an_older_tor_or_a_filter_serves_the_room_with_what_it_knows_and_the_host_is_told(
    fake: FakeTor, short_path: Path, unknown: dict[str, str], left: str, told: list[str]
) -> None:
    fake.unknown = unknown
    async with (
        control_of(fake, short_path) as control,
        Tor(control, NOWHERE, short_path, "own").listen(KEY) as place,
    ):
        assert place.undefended == told
        *_, asked = [line for line in fake.heard if line.startswith("ADD_ONION")]
        assert asked.startswith(f"ADD_ONION ED25519-V3:{KEY.expanded_private_key()} {left}Port=1984,unix:")


async def test_a_filter_that_refuses_every_room_is_told_as_such(fake: FakeTor, short_path: Path) -> None:
    fake.deny["ADD_ONION"] = "510 Command filtered"
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, "510"):
            async with Tor(control, NOWHERE, short_path, "own").listen(KEY):
                pytest.fail("it was published")


async def test_a_refused_room_tells_the_status_and_not_the_key(fake: FakeTor, short_path: Path) -> None:
    fake.deny["ADD_ONION"] = f"550 Onion address collision of {KEY.expanded_private_key()}"
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, "550"):
            async with Tor(control, NOWHERE, short_path, "own").listen(KEY):
                pytest.fail("it was published")
        assert [path for path in fake.heard if path.startswith("DEL_ONION")] == []


async def test_a_room_is_published_with_the_first_upload_of_its_own_descriptor(fake: FakeTor, short_path: Path) -> None:
    other = "b" * 56
    async with control_of(fake, short_path) as control:
        await control.subscribe("HS_DESC")
        settled = trio.Event()
        published = trio.Event()
        async with Tor(control, NOWHERE, short_path, "own").listen(KEY) as place, trio.open_nursery() as nursery:

            async def wait() -> None:
                await place.published()
                published.set()

            nursery.start_soon(wait)
            with control.listening("HS_DESC", lambda event: settled.set() if event.action == "FAILED" else None):
                await fake.tell(f"HS_DESC UPLOAD {ADDRESS} UNKNOWN $" + "A" * 40)
                await fake.tell(f"HS_DESC UPLOADED {other} UNKNOWN $" + "A" * 40)
                await fake.tell(f"HS_DESC FAILED {ADDRESS} UNKNOWN $" + "A" * 40 + " REASON=UPLOAD_REJECTED")
                await settled.wait()
            await trio.testing.wait_all_tasks_blocked()
            assert not published.is_set()
            await fake.tell(f"HS_DESC UPLOADED {ADDRESS} UNKNOWN $" + "A" * 40)
            await published.wait()


async def test_a_room_needs_a_control_port() -> None:
    with refused(TorRefused, "--control"):
        async with Tor(None, NOWHERE, None, "system").listen(KEY):
            pytest.fail("it was published")


@pytest.mark.parametrize("reach", ["unix", "tcp"])
async def test_what_tor_hands_on_reaches_the_room_and_nothing_stays_behind(
    fake: FakeTor, short_path: Path, reach: str
) -> None:
    runtime = short_path / "runtime" if reach == "unix" else None
    await trio.Path(short_path / "runtime").mkdir()
    async with control_of(fake, short_path) as control:
        async with Tor(control, NOWHERE, runtime, "own").listen(KEY) as place:
            target = (await fake.hears("^ADD_ONION")).rpartition("Port=1984,")[2]
            if reach == "unix":
                await check_reached(place.listener, await trio.open_unix_socket(target.removeprefix("unix:")))
            else:
                host, _, port = target.rpartition(":")
                assert host == "127.0.0.1"
                await check_reached(place.listener, await trio.open_tcp_stream(host, int(port)))
        await place.listener.aclose()


async def check_reached(listener: trio.abc.Listener[trio.abc.Stream], stream: trio.abc.Stream) -> None:
    async with stream, await listener.accept() as accepted:
        await stream.send_all(b"hello")
        assert await accepted.receive_some() == b"hello"


@pytest.mark.parametrize("reach", ["unix", "tcp"])
async def test_only_connections_of_tors_user_reach_the_room(fake: FakeTor, short_path: Path, reach: str) -> None:
    runtime = short_path if reach == "unix" else None
    async with control_of(fake, short_path) as control:
        system = Tor(control, NOWHERE, runtime, "system", frozenset((os.getuid() + 1,)))
        async with system.listen(KEY) as place, trio.open_nursery() as nursery:
            nursery.start_soon(place.listener.accept)
            for _ in range(3 * limits.LINKS_AT_ONCE):
                async with await open_endpoint(Endpoint.parse(await target(fake))) as stream:
                    assert await ended(stream)
            nursery.cancel_scope.cancel()


async def test_a_port_of_a_room_is_open_on_the_loopback_address_that_tor_is_told_alone(
    fake: FakeTor, short_path: Path
) -> None:
    async with control_of(fake, short_path) as control, Tor(control, NOWHERE, None, "system").listen(KEY):
        endpoint = Endpoint.parse(await target(fake))
        with pytest.raises(OSError, match="failed"):
            await open_endpoint(Endpoint(host="127.0.0.2", port=endpoint.port))


async def target(fake: FakeTor) -> str:
    """Where Tor was told that the room is."""
    return (await fake.hears("^ADD_ONION")).rpartition("Port=1984,")[2]


async def open_endpoint(endpoint: Endpoint) -> trio.SocketStream:
    """A connection of ours."""
    if endpoint.path:
        return await trio.open_unix_socket(endpoint.path)
    return await trio.open_tcp_stream(endpoint.host, endpoint.port)


async def ended(stream: trio.abc.Stream) -> bool:
    """Whether the other side says nothing and closes it."""
    with trio.fail_after(PATIENCE):
        try:
            return not await stream.receive_some(1)
        except trio.BrokenResourceError:
            return True


@pytest.mark.parametrize("reach", ["unix", "tcp"])
async def test_a_connection_is_tors_as_long_as_it_is_up(fake: FakeTor, short_path: Path, reach: str) -> None:
    """The kernel no longer tells whose it was, and shows root for it, or whoever made it."""
    async with (
        control_of(fake, short_path) as control,
        Tor(control, NOWHERE, short_path if reach == "unix" else None, "system").listen(KEY) as place,
    ):
        stream = await open_endpoint(Endpoint.parse(await target(fake)))
        async with await place.listener.accept() as accepted:
            assert place.admits(accepted)
            await stream.send_all(b"hello")
            await stream.aclose()
            assert place.admits(accepted) is (reach == "unix")


async def test_a_flood_of_others_is_passed_over_at_once(fake: FakeTor, short_path: Path) -> None:
    """They have closed already, and so could be anybody's."""
    async with (
        control_of(fake, short_path) as control,
        Tor(control, NOWHERE, None, "system").listen(KEY) as place,
    ):
        endpoint = Endpoint.parse(await target(fake))
        for _ in range(3 * limits.LINKS_AT_ONCE):
            await (await open_endpoint(endpoint)).aclose()
        async with await open_endpoint(endpoint), await place.listener.accept() as accepted:
            assert place.admits(accepted)


async def test_a_room_is_not_served_where_the_kernel_does_not_tell_who_connects(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tor, "peer_uid", lambda _: None)
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, "--tor own"):
            async with Tor(control, NOWHERE, None, "system").listen(KEY):
                pytest.fail("it was published")
    assert not [line for line in fake.heard if line.startswith("ADD_ONION")]


async def test_a_connection_waits_until_the_system_has_room_for_it(
    fake: FakeTor, short_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with (
        control_of(fake, short_path) as control,
        Tor(control, NOWHERE, short_path, "own").listen(KEY) as place,
        await open_endpoint(Endpoint.parse(await target(fake))),
    ):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            with trio.move_on_after(2 * limits.ACCEPT_PAUSE) as waiting:
                await place.listener.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert waiting.cancelled_caught
        await (await place.listener.accept()).aclose()
    assert (caplog.text, capfd.readouterr().err) == ("", "")


async def test_a_room_without_a_place_for_its_socket_fails_in_one_sentence(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        with refused(Failed, "No socket could be opened"):
            async with Tor(control, NOWHERE, short_path / "gone", "own").listen(KEY):
                pytest.fail("it was published")


@pytest.mark.parametrize("told", [True, False])
async def test_the_room_trusts_the_user_whom_tor_tells(
    fake: FakeTor, short_path: Path, runtime: Path, *, told: bool
) -> None:
    if told:
        fake.info["process/uid"] = str(os.getuid() + 1)
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(server(fake, short_path / "control"))
        system, _ = await stack.enter_async_context(connected(Config(tor="system", control=endpoint, socks=NOWHERE)))
        place = await stack.enter_async_context(system.listen(KEY))
        async with await open_endpoint(Endpoint.parse(await target(fake))) as stream, trio.open_nursery() as nursery:
            if told:
                nursery.start_soon(place.listener.accept)
                assert await ended(stream)
            else:
                await (await place.listener.accept()).aclose()
            nursery.cancel_scope.cancel()


# --- dialling: what each reply of the SOCKS port means


def socks_replies(code: int) -> Play:
    async def play(stream: trio.SocketStream) -> None:
        for answer in (b"\x05\x02", b"\x01\x00", bytes([5, code, 0, 1]) + bytes(6)):
            await stream.receive_some()
            await stream.send_all(answer)

    return play


@pytest.mark.parametrize(
    ("code", "again", "absent"),
    [
        (0x01, True, False),
        (0x04, True, True),
        (0x05, True, True),
        (0x06, True, False),
        (0xF0, True, True),
        (0xF1, True, True),
        (0xF2, True, True),
        (0xF3, True, False),
        (0xF4, False, False),
        (0xF5, False, False),
        (0xF6, False, False),
        (0xF7, True, False),
    ],
)
async def test_a_refused_dial_says_whether_to_try_again(code: int, *, again: bool, absent: bool) -> None:
    async with server(socks_replies(code)) as endpoint:
        with pytest.raises(DialFault) as caught:
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")
    assert (caught.value.again, caught.value.absent) == (again, absent)
    assert str(caught.value)


async def test_a_dial_asks_for_the_room_at_its_port_isolated_by_both_words() -> None:
    heard: list[bytes] = []

    async def play(stream: trio.SocketStream) -> None:
        for answer in (b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x01" + bytes(6)):
            heard.append(await stream.receive_some())
            await stream.send_all(answer)

    async with server(play) as endpoint:
        stream = await Tor(None, endpoint, None, "system").dial(KEY.code, "me:17")
        await stream.aclose()
    assert heard[1] == b"\x01\x02me\x0217"
    assert heard[2] == b"\x05\x01\x00\x03" + bytes([62]) + KEY.code.encode() + limits.PORT.to_bytes(2, "big")


async def test_a_socks_port_that_hangs_up_is_worth_another_try() -> None:
    async def play(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    async with server(play) as endpoint:
        with pytest.raises(DialFault) as caught:
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")
    fault = caught.value
    assert (fault.reason, fault.again, fault.absent) == (Reason("tor-hung-up"), True, False)


async def test_a_socks_port_that_is_gone_is_a_lost_tor(short_path: Path) -> None:
    with refused(TorLost, "nothing answers at its SOCKS port"):
        await Tor(None, Endpoint(path=str(short_path / "socks")), None, "system").dial(KEY.code, "me:1")


async def test_what_is_no_socks_port_is_refused() -> None:
    async with server(says((b"\x05", b"HTTP/1.1 400 Bad Request\r\n\r\n"))) as endpoint:
        with refused(TorRefused, "no SOCKS port of Tor"):
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")


# --- looking anew where a room is, after a dial without an answer


class Silence:
    """A SOCKS port that answers a dial with what it is told to, and to begin with not at all."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.asked = trio.Event()

    async def __call__(self, stream: trio.SocketStream) -> None:
        for answer in (b"\x05\x02", b"\x01\x00"):
            await stream.receive_some()
            await stream.send_all(answer)
        await stream.receive_some()
        self.asked.set()
        if self.code is None:
            await stream.receive_some()
        else:
            await stream.send_all(bytes([5, self.code, 0, 1]) + bytes(6))

    async def give_up(self, tor: Tor) -> None:
        """A dial that is given up after a while without an answer."""
        self.code = None
        self.asked = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tor.dial, KEY.code, "me:1")
            await self.asked.wait()
            nursery.cancel_scope.cancel()
        self.asked = trio.Event()


@asynccontextmanager
async def dialling(
    fake: FakeTor, path: Path, kind: Literal["own", "system"] = "own"
) -> AsyncIterator[tuple[Tor, Silence]]:
    """A Tor whose control port is played, and its SOCKS port too."""
    silence = Silence()
    async with control_of(fake, path) as control, server(silence, path / "socks") as proxy:
        await control.subscribe("HS_DESC")
        yield Tor(control, proxy, None, kind), silence


def orders(fake: FakeTor) -> list[str]:
    """What a Tor was told to do about descriptors."""
    return [line for line in fake.heard if line.startswith(("HSFETCH", "SIGNAL"))]


def described(action: str, address: str = ADDRESS) -> str:
    """An event about a room's descriptor."""
    return f"HS_DESC {action} {address} NO_AUTH $" + "A" * 40


async def test_after_a_dial_without_an_answer_the_next_one_waits_for_a_new_descriptor(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", PATIENCE)
    async with dialling(fake, short_path) as (own, silence):
        await silence.give_up(own)
        assert orders(fake) == []
        silence.code = 0
        async with trio.open_nursery() as nursery:

            async def dial() -> None:
                await (await own.dial(KEY.code, "me:2")).aclose()

            nursery.start_soon(dial)
            assert await fake.hears("HSFETCH") == f"HSFETCH {ADDRESS}"
            for event in (described("REQUESTED"), described("RECEIVED", "b" * 56)):
                await fake.tell(event)
            await trio.sleep(0.1)
            assert not silence.asked.is_set(), "it dialled before the descriptor was there"
            await fake.tell(described("RECEIVED"))
        await (await own.dial(KEY.code, "me:3")).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}"], "the last dial followed one that was answered"


@pytest.mark.parametrize("kind", ["own", "system"])
async def test_only_our_own_tor_is_made_to_forget_whom_it_asked(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Literal["own", "system"]
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    async with dialling(fake, short_path, kind) as (some, silence):
        await silence.give_up(some)
        silence.code = 0
        await (await some.dial(KEY.code, "me:2")).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}", *(["SIGNAL NEWNYM"] if kind == "own" else [])]


async def test_a_fetch_that_takes_long_is_left_to_itself(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 1.0)
    async with dialling(fake, short_path) as (own, silence):
        await silence.give_up(own)
        silence.code = 0
        async with trio.open_nursery() as nursery:
            nursery.start_soon(own.dial, KEY.code, "me:2")
            await fake.hears("HSFETCH")
            await fake.tell(described("REQUESTED"))
            await silence.asked.wait()
            nursery.cancel_scope.cancel()
    assert orders(fake) == [f"HSFETCH {ADDRESS}"]


@pytest.mark.parametrize(("code", "looks"), [(0xF0, False), (0xF2, False), (0xF3, True), (0xF7, True)])
async def test_tor_is_not_told_to_look_where_it_has_just_looked(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, looks: bool
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    async with dialling(fake, short_path, "system") as (system, silence):
        silence.code = code
        for _ in range(2):
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")
    assert bool(orders(fake)) is looks


async def test_a_control_port_that_fetches_nothing_for_us_does_not_keep_us_from_dialling(
    fake: FakeTor, short_path: Path
) -> None:
    fake.deny["HSFETCH"] = "510 Command filtered"
    async with dialling(fake, short_path, "system") as (system, silence):
        await silence.give_up(system)
        silence.code = 0
        with trio.fail_after(limits.FETCH_PATIENCE):
            await (await system.dial(KEY.code, "me:2")).aclose()


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
        events.TorProgressEvent(progress=progress, summary=in_words(summary))
        for progress, summary in ((10, "Connecting"), (50, "Loading"), (75, "More"), (100, "Done"))
    ]


async def test_a_booted_tor_is_told_once(autojump_clock: trio.testing.MockClock) -> None:
    told: list[events.Event] = []
    await boot(FakeControl(FakeTor.phase(100, "Done")), told)
    assert told == [events.TorProgressEvent(progress=100, summary=in_words("Done"))]


@pytest.mark.parametrize("phase", ["", f'NOTICE BOOTSTRAP PROGRESS={"9" * 5_000} TAG=done SUMMARY="Done"'])
async def test_a_tor_that_does_not_tell_its_progress_is_taken_to_be_booted(
    autojump_clock: trio.testing.MockClock, phase: str
) -> None:
    told: list[events.Event] = []
    await boot(FakeControl(phase), told)
    assert told == [events.TorProgressEvent(progress=100, summary=in_words("Done"))]


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
        events.TorSlowEvent(progress=10, summary=in_words("Connecting"), seconds=30),
        *(
            events.TorSlowEvent(progress=20, summary=in_words("Handshake"), seconds=seconds)
            for seconds in range(30, 180, 30)
        ),
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


# --- finding a running Tor


@asynccontextmanager
async def connected(config: Config) -> AsyncIterator[tuple[Tor, list[events.Event]]]:
    told: list[events.Event] = []
    async with tor.connect(config, told.append) as connected_tor:
        yield connected_tor, told


async def failure(config: Config) -> AnonError:
    """What connecting raises."""
    try:
        async with connected(config):
            pytest.fail("it connected")
    except* AnonError as group:
        error = first(group)
    return error


async def test_a_named_tor_is_used_and_asked_for_its_socks_port(fake: FakeTor, short_path: Path, runtime: Path) -> None:
    async with (
        server(socks_replies(0xF0), short_path / "socks") as proxy,
        server(fake, short_path / "control") as endpoint,
    ):
        fake.info["net/listeners/socks"] = f'"{proxy}"'
        async with connected(Config(tor="system", control=endpoint)) as (system, told):
            assert told == [
                events.TorProgressEvent(progress=100, summary=in_words("Done")),
                events.ReadyEvent(version="0.4.9.11", tor="system"),
            ]
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")
            await fake.hang_up()
            await system.lost.wait()
    assert not [line for line in fake.heard if line.startswith("TAKEOWNERSHIP")]


@pytest.mark.parametrize("ours", [True, False])
async def test_another_users_tor_gets_a_port_instead_of_a_socket(
    fake: FakeTor, short_path: Path, runtime: Path, *, ours: bool
) -> None:
    fake.info["process/uid"] = str(os.getuid() + (not ours))
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(server(fake, short_path / "control"))
        config = Config(tor="system", control=endpoint, socks=NOWHERE)
        system, _ = await stack.enter_async_context(connected(config))
        place = await stack.enter_async_context(system.listen(KEY))
        target = (await fake.hears("^ADD_ONION")).rpartition("Port=1984,")[2]
        assert target.startswith(f"unix:{runtime}/" if ours else "127.0.0.1:")
        await place.listener.aclose()
    assert not list(await trio.Path(runtime).iterdir())


async def test_a_tor_without_a_socks_port_is_refused(fake: FakeTor, short_path: Path, runtime: Path) -> None:
    async with server(fake, short_path / "control") as endpoint:
        fake.info["net/listeners/socks"] = ""
        error = await failure(Config(tor="system", control=endpoint))
    assert isinstance(error, TorRefused)
    assert "--socks" in str(error)


async def test_a_tcp_socks_port_is_preferred_to_one_that_may_not_be_open_to_us(
    fake: FakeTor, short_path: Path, runtime: Path
) -> None:
    async with server(socks_replies(0xF7)) as proxy, server(fake, short_path / "control") as endpoint:
        fake.info["net/listeners/socks"] = f'"unix:/nonexistent/socks" "{proxy}"'
        async with connected(Config(tor="system", control=endpoint)) as (system, _):
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch, short_path: Path, stem_leaks: None) -> list[Path]:
    """The only places where `auto` looks."""
    paths = [short_path / "one", short_path / "two"]
    monkeypatch.setattr(discovery, "USUAL_PORTS", tuple(f"unix:{path}" for path in paths))
    return paths


async def test_the_first_usable_tor_is_taken(fake: FakeTor, usual: list[Path], runtime: Path) -> None:
    not_booted = FakeTor()
    not_booted.info["status/bootstrap-phase"] = FakeTor.phase(45, "Loading")
    fake.info["version"] = "0.4.8.1 (git-abc)"
    async with (
        server(not_booted, usual[0]),
        server(fake, usual[1]),
        connected(Config(socks=NOWHERE, tor="system")) as (_, told),
    ):
        assert told == [events.ReadyEvent(version="0.4.8.1", tor="system")]


async def test_the_environment_names_a_tor_before_the_usual_ones(
    fake: FakeTor, usual: list[Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.info["version"] = "0.4.8.1"
    async with server(FakeTor(), usual[0]), server(fake) as endpoint:
        monkeypatch.setenv("TOR_CONTROL_PORT", str(endpoint.port))
        async with connected(Config(socks=NOWHERE, tor="system")) as (_, told):
            assert told == [events.ReadyEvent(version="0.4.8.1", tor="system")]


USED = [events.ReadyEvent(version="0.4.8.1", tor="system")]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", "given as HOST:PORT"),
        ("0", "given as HOST:PORT"),
        ("65536", "given as HOST:PORT"),
        ("9" * 5_000, "given as HOST:PORT"),
        ("-1", "given as HOST:PORT"),
        ("9051 ", "given as HOST:PORT"),
        ("unused", "Connection refused"),
        ("web", "no control port of Tor"),
        ("strange", f"uid {STRANGER} listens"),
    ],
)
async def test_an_unusable_port_in_the_environment_is_named_and_others_are_looked_at(
    fake: FakeTor, usual: list[Path], runtime: Path, monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    fake.info["version"] = "0.4.8.1"
    async with AsyncExitStack() as stack:
        if value == "unused":
            unused = stack.enter_context(socket.socket())
            unused.bind(("127.0.0.1", 0))
            value = str(unused.getsockname()[1])
        elif value in ("web", "strange"):
            answer: Play = FakeTor()
            if value == "strange":
                monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
            else:
                answer = says((b"PROTOCOLINFO", b"HTTP/1.1 400 Bad Request\r\n\r\n"))
            value = str((await stack.enter_async_context(server(answer))).port)
        monkeypatch.setenv("TOR_CONTROL_PORT", value)
        error = await failure(Config(tor="system"))
        assert words in str(error), "where nothing else is found, this is why"
        await stack.enter_async_context(server(fake, usual[0]))
        _, (skipped, *told) = await stack.enter_async_context(connected(Config(socks=NOWHERE, tor="system")))
        assert isinstance(skipped, events.TorSkippedEvent)
        assert (skipped.variable, skipped.code) == ("TOR_CONTROL_PORT", error.code)
        assert words in str(skipped.text)
        assert told == USED


async def test_a_host_in_the_environment_is_an_address(usual: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name was looked up"))
    monkeypatch.setenv("TOR_CONTROL_HOST", "gateway.example")
    error = await failure(Config(tor="system"))
    assert "given as an address" in str(error)
    assert "gateway.example" in str(error)


async def test_a_socket_in_the_environment_comes_first(
    fake: FakeTor, usual: list[Path], runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.info["version"] = "0.4.8.1"
    async with server(fake, short_path / "named"), server(FakeTor()) as second:
        monkeypatch.setenv("TOR_CONTROL_IPC_PATH", str(short_path / "named"))
        monkeypatch.setenv("TOR_CONTROL_PORT", str(second.port))
        async with connected(Config(socks=NOWHERE, tor="system")) as (_, told):
            assert told == USED


@pytest.mark.parametrize("methods", ["NULL", "COOKIE_BYTES", "SAFECOOKIE", "HASHEDPASSWORD"])
async def test_a_stranger_at_a_usual_place_is_told_and_hears_nothing(
    fake: FakeTor,
    usual: list[Path],
    runtime: Path,
    cookie: Path,
    monkeypatch: pytest.MonkeyPatch,
    methods: str,
) -> None:
    monkeypatch.setenv("TOR_CONTROL_PASSWD", "pass")
    real = owner.peer_users

    def peer(connected: trio.socket.SocketType) -> frozenset[int]:
        return frozenset({STRANGER}) if connected.getpeername() == str(usual[0]) else real(connected)

    monkeypatch.setattr(owner, "peer_users", peer)
    stranger = FakeTor()
    stranger.methods = f'{methods} COOKIEFILE="{cookie}"' if "COOKIE_BYTES" in methods else methods
    stranger.cookie = SECRET
    fake.info["version"] = "0.4.8.1"
    async with (
        server(stranger, usual[0]),
        server(fake, usual[1]),
        connected(Config(socks=NOWHERE, tor="system")) as (_, (skipped, *told)),
    ):
        assert isinstance(skipped, events.TorSkippedEvent)
        assert (skipped.variable, skipped.code) == (UNSET, "tor-refused")
        assert f"uid {STRANGER} listens at unix:{usual[0]}" in str(skipped.text)
        assert told == USED
    assert stranger.heard == []


# --- the SOCKS port that a running Tor names


@pytest.mark.parametrize("discovered", [True, False])
@pytest.mark.parametrize(
    "listener",
    ["proxy.example:9050", "localhost.example:9050", "192.0.2.1:9050", "[2001:db8::1]:9050", "nonsense", "127.0.0.1:0"],
)
async def test_a_socks_port_elsewhere_is_refused_and_no_name_is_looked_up(
    fake: FakeTor, usual: list[Path], monkeypatch: pytest.MonkeyPatch, listener: str, *, discovered: bool
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name was looked up"))
    fake.info["net/listeners/socks"] = f'"{listener}"'
    async with server(fake, usual[0]) as endpoint:
        error = await failure(Config(tor="system", control=None if discovered else endpoint))
    assert isinstance(error, TorRefused)
    assert "no SOCKS port on this machine" in str(error)


async def test_a_socks_port_elsewhere_is_passed_over(fake: FakeTor, usual: list[Path], runtime: Path) -> None:
    async with server(socks_replies(0xF7)) as proxy, server(fake, usual[0]):
        fake.info["net/listeners/socks"] = f'"192.0.2.1:9050" "0.0.0.0:{proxy.port}"'
        async with connected(Config(tor="system")) as (system, _):
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")


@pytest.mark.parametrize("reach", ["unix", "tcp"])
async def test_a_socks_port_of_a_stranger_hears_nothing(
    fake: FakeTor, usual: list[Path], short_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch, reach: str
) -> None:
    heard = trio.Event()

    async def play(stream: trio.SocketStream) -> None:
        if await stream.receive_some():
            heard.set()

    real = owner.peer_users
    place = short_path / "socks"

    def peer(connected: trio.socket.SocketType) -> frozenset[int]:
        return frozenset({STRANGER}) if connected.getpeername() == str(place) else real(connected)

    monkeypatch.setattr(owner, "peer_users", peer)
    monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
    async with server(play, place if reach == "unix" else None) as proxy, server(fake, usual[0]):
        fake.info["net/listeners/socks"] = f'"{proxy}"'
        error = await failure(Config(tor="system"))
        assert isinstance(error, TorUntrusted)
        assert f"uid {STRANGER} listens at {proxy}" in str(error)
        await trio.testing.wait_all_tasks_blocked()
    assert not heard.is_set()


async def test_a_socks_port_that_a_stranger_took_over_is_a_lost_tor(
    fake: FakeTor, usual: list[Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []

    async def play(stream: trio.SocketStream) -> None:
        for answer in (b"\x05\x02", b"\x01\x00"):
            heard.append(await stream.receive_some())
            await stream.send_all(answer)
        heard.append(await stream.receive_some())

    async with server(play) as proxy, server(fake, usual[0]):
        fake.info["net/listeners/socks"] = f'"{proxy}"'
        async with connected(Config(tor="system")) as (system, _):
            before = b"".join(heard)
            monkeypatch.setattr(owner, "listeners_at", lambda _: frozenset({(STRANGER, 1)}))
            with refused(TorLost, f"uid {STRANGER} listens"):
                await system.dial(KEY.code, "me:1")
            await trio.testing.wait_all_tasks_blocked()
    assert b"".join(heard) == before, "it heard no more than at the start"


async def test_a_named_socks_port_goes_with_a_tor_that_is_found(
    fake: FakeTor, usual: list[Path], runtime: Path
) -> None:
    async with (
        server(socks_replies(0xF7)) as proxy,
        server(fake, usual[0]),
        connected(Config(tor="system", socks=proxy)) as (system, told),
    ):
        assert told == [events.ReadyEvent(version="0.4.9.11", tor="system")]
        with pytest.raises(DialFault):
            await system.dial(KEY.code, "me:1")
        async with system.listen(KEY) as place:
            await place.listener.aclose()
    assert not [line for line in fake.heard if "socks" in line]


async def test_a_named_socks_port_is_enough_where_no_tor_is_found(usual: list[Path]) -> None:
    async with (
        server(socks_replies(0xF7)) as proxy,
        connected(Config(tor="system", socks=proxy)) as (system, told),
    ):
        assert told == [events.ReadyEvent(version="", tor="system")]
        with pytest.raises(DialFault):
            await system.dial(KEY.code, "me:1")
        with refused(TorRefused, "--control"):
            async with system.listen(KEY):
                pytest.fail("it was published")


async def test_where_there_is_no_tor_system_says_so(usual: list[Path]) -> None:
    error = await failure(Config(tor="system"))
    assert isinstance(error, TorMissing)
    assert "--control" in str(error)


async def test_a_tor_that_is_not_open_to_us_is_told_with_its_remedy(
    usual: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object, **__: object) -> None:
        await trio.lowlevel.checkpoint()
        raise PermissionError

    monkeypatch.setattr(owner, "connect", connect)
    error = await failure(Config(tor="system"))
    assert isinstance(error, TorRefused)
    assert "debian-tor" in str(error)


async def test_the_last_refusal_is_told_where_there_is_a_tor(fake: FakeTor, usual: list[Path]) -> None:
    fake.info["status/bootstrap-phase"] = FakeTor.phase(45, "Loading")
    async with server(fake, usual[0]):
        error = await failure(Config(tor="system"))
    assert isinstance(error, TorRefused)
    assert "has not reached its network yet" in str(error)


async def test_where_there_is_no_tor_auto_starts_one(usual: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    error = await failure(Config(tor="auto"))
    assert isinstance(error, TorMissing)
    assert "install it" in str(error)


async def test_a_socks_port_alone_is_enough_to_join() -> None:
    async with server(socks_replies(0)) as proxy, connected(Config(socks=proxy)) as (system, told):
        assert told == [events.ReadyEvent(version="", tor="system")]
        assert system.kind == "system"


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\xff", b""])
async def test_what_is_no_socks_port_is_not_enough(said: bytes) -> None:
    async def play(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(said)

    async with server(play) as proxy:
        error = await failure(Config(socks=proxy))
    assert isinstance(error, TorRefused)
    assert "no SOCKS port" in str(error)


async def test_a_socks_port_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTROL_PATIENCE", 0.3)

    async def play(stream: trio.SocketStream) -> None:
        async for _ in stream:
            pass

    async with server(play) as proxy:
        assert isinstance(await failure(Config(socks=proxy)), TorRefused)


async def test_a_socks_port_that_is_not_there_is_missing() -> None:
    assert isinstance(await failure(Config(socks=NOWHERE)), TorMissing)


# --- a real Tor


@pytest.fixture
def torrc(short_path: Path) -> Path:
    """A torrc that keeps Tor off every network."""
    path = short_path / "torrc"
    path.write_text("DisableNetwork 1\n")
    return path


@asynccontextmanager
async def own_tor(torrc: Path) -> AsyncIterator[tuple[Tor, Control]]:
    """Our own Tor, not booted: it has no network."""
    async with (
        process.launch(torrc, amnesic=False) as own,
        aclosing(await Control.open(Endpoint(path=own.control))) as control,
    ):
        yield Tor(control, Endpoint(path=own.socks), own.runtime, "own"), control


@pytest.mark.tor_control
async def test_tor_publishes_a_room_under_the_address_that_we_predicted(torrc: Path, runtime: Path) -> None:
    async with own_tor(torrc) as (own, control):
        async with own.listen(KEY) as place:
            assert place.undefended == []
            assert await control.info("onions/current") == ADDRESS
        assert await control.info("onions/current") == ""
        async with own.listen(KEY):
            assert await control.info("onions/current") == ADDRESS


@pytest.mark.tor_control
async def test_one_room_is_not_published_twice_on_one_tor(torrc: Path, runtime: Path) -> None:
    async with own_tor(torrc) as (own, control), own.listen(KEY):
        with refused(TorRefused, "550"):
            async with own.listen(KEY):
                pytest.fail("it was published twice")
        assert await control.info("onions/current") == ADDRESS
        async with own.listen(RoomKey(b"x" * 32)):
            assert len((await control.info("onions/current")).split()) == 2


@pytest.mark.tor_control
async def test_what_tor_says_of_a_room_names_its_key_nowhere(
    torrc: Path, runtime: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.NOTSET)
    async with own_tor(torrc) as (own, _), own.listen(KEY):
        pass
    output = capfd.readouterr()
    for secret in (
        KEY.expanded_private_key(),
        base64.b64encode(hashlib.sha256(bytes(range(32))).digest()).decode(),
        ADDRESS,
    ):
        assert secret not in caplog.text
        assert secret not in output.out + output.err


@pytest.mark.tor_control
async def test_a_tor_that_dies_is_lost_and_its_room_with_it(torrc: Path, runtime: Path) -> None:
    async with own_tor(torrc) as (own, control), own.listen(KEY):
        os.kill(int(await control.info("process/pid")), signal.SIGKILL)
        with trio.fail_after(30):
            await own.lost.wait()


@pytest.mark.tor_control
async def test_a_tor_that_hangs_delays_the_end_of_a_room_by_its_time_and_no_more(torrc: Path, runtime: Path) -> None:
    async with own_tor(torrc) as (own, control):
        async with own.listen(KEY):
            os.kill(int(await control.info("process/pid")), signal.SIGSTOP)
            before = trio.current_time()
        assert trio.current_time() - before >= limits.WITHDRAW_PATIENCE


@pytest.fixture
def guarded(torrc: Path, short_path: Path) -> Iterator[Callable[[str], Path]]:
    """Starts a Tor, which is not ours, with these lines more; returns its control socket."""
    started: list[subprocess.Popen[str]] = []

    def start(lines: str) -> Path:
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
        return path

    yield start
    for child in started:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


PASSWORD = "16:872860B76453A77D60CA2BB8C1A7042072093276A3D701AD684053EC4C"  # of "my_password"


@pytest.mark.tor_control
@pytest.mark.usefixtures("stem_leaks")
async def test_a_tor_that_wants_a_password_is_told_as_such(guarded: Callable[[str], Path]) -> None:
    path = guarded(f"HashedControlPassword {PASSWORD}\n")
    with refused(TorRefused, "wants a password"):
        await Control.open(Endpoint(path=str(path)))


@pytest.mark.tor_control
async def test_a_tor_that_wants_a_password_takes_it(
    guarded: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = "16:BC59CA0044207E8B6045E27CEF3878CA604728BB886744533BA5508738"  # by tor --hash-password
    path = guarded(f"HashedControlPassword {hashed}\n")
    monkeypatch.setenv("TOR_CONTROL_PASSWD", "other")
    with refused(TorRefused, "does not let us in"):
        await Control.open(Endpoint(path=str(path)))
    monkeypatch.setenv("TOR_CONTROL_PASSWD", 'my "pass word')
    for discovered in (True, False):
        async with aclosing(await Control.open(Endpoint(path=str(path)), discovered=discovered)) as control:
            assert (await control.version()).startswith("0.")


@pytest.mark.tor_control
@pytest.mark.parametrize("password", ["", f"HashedControlPassword {PASSWORD}\n"], ids=["cookie", "cookie or password"])
async def test_a_tor_that_takes_cookies_lets_us_in(guarded: Callable[[str], Path], password: str) -> None:
    path = guarded(f"CookieAuthentication 1\n{password}")
    async with aclosing(await Control.open(Endpoint(path=str(path)))) as control:
        assert (await control.version()).startswith("0.")


@pytest.mark.tor_control
async def test_a_tor_that_lets_everybody_in_lets_us_in(guarded: Callable[[str], Path]) -> None:
    async with aclosing(await Control.open(Endpoint(path=str(guarded(""))))) as control:
        assert (await control.version()).startswith("0.")


@pytest.mark.tor_control
async def test_a_tor_that_is_not_ours_outlives_us(guarded: Callable[[str], Path], runtime: Path) -> None:
    path = guarded("")
    for _ in range(2):
        control = await Control.open(Endpoint(path=str(path)))
        async with aclosing(control), Tor(control, NOWHERE, runtime, "system").listen(KEY):
            assert await control.info("onions/current") == ADDRESS
