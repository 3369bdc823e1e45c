"""The control port, onion services and dials: against a Tor without a network, and against servers played by hand."""

import base64
import gc
import hashlib
import logging
import os
import resource
import signal
import subprocess
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
from anonp2p.core import events
from anonp2p.core.code import RoomKey
from anonp2p.errors import AnonError, TorLost, TorMissing, TorRefused, first
from anonp2p.net import launch, tor
from anonp2p.net.control import Control
from anonp2p.net.socks import open_endpoint
from anonp2p.net.tor import Tor
from anonp2p.net.transport import DialFault
from tests.support.servers import PATIENCE, FakeTor, Play, says, server

pytestmark = [  # stem's ways: the second, in threads that we have given up, comes at any time
    pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

KEY = RoomKey(bytes(range(32)))
ADDRESS = KEY.code.removesuffix(".onion")
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
    assert KEY.expanded() not in repr(caught.value)


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
    monkeypatch.setattr(limits, "CONTROL", 0.3)

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
        monkeypatch.setattr(limits, "CONTROL", 0.2)
        fake.deaf.add("GETINFO")
        with refused(TorLost, "does not answer"):
            await control.info("traffic/read")


async def test_hanging_up_on_a_hanging_tor_takes_its_time_and_no_more(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONTROL", 0.2)
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


# --- a room as an onion service


STREAMS = f"Flags=MaxStreamsCloseCircuit MaxStreams={limits.STREAMS}"
POW = "PoWDefensesEnabled=1"


async def test_a_room_asks_for_all_defences_and_is_withdrawn_in_the_end(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        async with Tor(control, NOWHERE, short_path, "own").listen(KEY) as place:
            assert place.notice == ""
            (asked,) = [line for line in fake.heard if line.startswith("ADD_ONION")]
            assert asked.startswith(f"ADD_ONION ED25519-V3:{KEY.expanded()} {STREAMS} {POW} Port=1984,unix:")
            assert not [line for line in fake.heard if line.startswith("DEL_ONION")]
        assert fake.heard[-1] == f"DEL_ONION {ADDRESS}"


@pytest.mark.parametrize(
    ("unknown", "left", "told"),
    [
        ({"PoW": "512 Unrecognized argument"}, f"{STREAMS} ", ["proof of work"]),
        ({"MaxStreams=": "510 Command filtered"}, f"{POW} ", ["circuit"]),
        ({"Flags": "513 Invalid argument"}, f"{POW} ", ["circuit"]),
        ({"PoW": "512 Unrecognized argument", "Flags": "510 Command filtered"}, "", ["circuit", "proof of work"]),
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
        assert [words for words in ("circuit", "proof of work") if words in place.notice] == told
        *_, asked = [line for line in fake.heard if line.startswith("ADD_ONION")]
        assert asked.startswith(f"ADD_ONION ED25519-V3:{KEY.expanded()} {left}Port=1984,unix:")


async def test_a_filter_that_refuses_every_room_is_told_as_such(fake: FakeTor, short_path: Path) -> None:
    fake.deny["ADD_ONION"] = "510 Command filtered"
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, "510"):
            async with Tor(control, NOWHERE, short_path, "own").listen(KEY):
                pytest.fail("it was published")


async def test_a_refused_room_tells_the_status_and_not_the_key(fake: FakeTor, short_path: Path) -> None:
    fake.deny["ADD_ONION"] = f"550 Onion address collision of {KEY.expanded()}"
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
            for _ in range(3 * limits.TURN):
                async with await open_endpoint(Endpoint.parse(await target(fake))) as stream:
                    assert await ended(stream)
            nursery.cancel_scope.cancel()


async def target(fake: FakeTor) -> str:
    """Where Tor was told that the room is."""
    return (await fake.hears("^ADD_ONION")).rpartition("Port=1984,")[2]


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
        for _ in range(3 * limits.TURN):
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


async def test_a_full_room_does_not_run_out_of_descriptors(fake: FakeTor, short_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        async with control_of(fake, short_path) as control, Tor(control, NOWHERE, short_path, "own").listen(KEY):
            wanted = limits.DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, limits.DESCRIPTORS)
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


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
        with pytest.raises(DialFault, match="hung up") as caught:
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")
    assert (caught.value.again, caught.value.absent) == (True, False)


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
    monkeypatch.setattr(limits, "FETCH", PATIENCE)
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
    monkeypatch.setattr(limits, "FETCH", 0.1)
    async with dialling(fake, short_path, kind) as (some, silence):
        await silence.give_up(some)
        silence.code = 0
        await (await some.dial(KEY.code, "me:2")).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}", *(["SIGNAL NEWNYM"] if kind == "own" else [])]


async def test_a_fetch_that_takes_long_is_left_to_itself(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FETCH", 1.0)
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
    monkeypatch.setattr(limits, "FETCH", 0.1)
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
        with trio.fail_after(limits.FETCH):
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
        events.TorProgress(progress=progress, summary=summary)
        for progress, summary in ((10, "Connecting"), (50, "Loading"), (75, "More"), (100, "Done"))
    ]


async def test_a_booted_tor_is_told_once(autojump_clock: trio.testing.MockClock) -> None:
    told: list[events.Event] = []
    await boot(FakeControl(FakeTor.phase(100, "Done")), told)
    assert told == [events.TorProgress(progress=100, summary="Done")]


async def test_a_tor_that_does_not_tell_its_progress_is_taken_to_be_booted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    told: list[events.Event] = []
    await boot(FakeControl(""), told)
    assert told == [events.TorProgress(progress=100, summary="Done")]


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
    notices = [event for event in told if isinstance(event, events.Notice)]
    assert [notice.room for notice in notices] == [UNSET] * 6
    stuck = ["at 10 % (Connecting) for 30 ", *(f"at 20 % (Handshake) for {seconds} " for seconds in range(30, 180, 30))]
    assert all(words in notice.text for words, notice in zip(stuck, notices, strict=True))


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
                events.TorProgress(progress=100, summary="Done"),
                events.Ready(version="0.4.9.11", tor="system"),
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
    monkeypatch.setattr(tor, "_USUAL", tuple(Endpoint(path=str(path)) for path in paths))
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
        assert told == [events.Ready(version="0.4.8.1", tor="system")]


async def test_the_environment_names_a_tor_before_the_usual_ones(
    fake: FakeTor, usual: list[Path], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.info["version"] = "0.4.8.1"
    async with server(FakeTor(), usual[0]), server(fake) as endpoint:
        monkeypatch.setenv("TOR_CONTROL_PORT", str(endpoint.port))
        async with connected(Config(socks=NOWHERE, tor="system")) as (_, told):
            assert told == [events.Ready(version="0.4.8.1", tor="system")]


async def test_where_there_is_no_tor_system_says_so(usual: list[Path]) -> None:
    error = await failure(Config(tor="system"))
    assert isinstance(error, TorMissing)
    assert "--control" in str(error)


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
        assert told == [events.Ready(version="", tor="system")]
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
    monkeypatch.setattr(limits, "CONTROL", 0.3)

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
        launch.launch(torrc, amnesic=False) as own,
        aclosing(await Control.open(Endpoint(path=own.control))) as control,
    ):
        yield Tor(control, Endpoint(path=own.socks), own.runtime, "own"), control


@pytest.mark.tor_control
async def test_tor_publishes_a_room_under_the_address_that_we_predicted(torrc: Path, runtime: Path) -> None:
    async with own_tor(torrc) as (own, control):
        async with own.listen(KEY) as place:
            assert place.notice == ""
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
    for secret in (KEY.expanded(), base64.b64encode(hashlib.sha256(bytes(range(32))).digest()).decode(), ADDRESS):
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
        assert trio.current_time() - before >= limits.WITHDRAW


@pytest.fixture
def guarded(torrc: Path, short_path: Path) -> Iterator[Callable[[str], Path]]:
    """Starts a Tor, which is not ours, with these lines more; returns its control socket."""
    started: list[subprocess.Popen[str]] = []

    def start(lines: str) -> Path:
        path = short_path / "control"
        command = ["tor", "--defaults-torrc", "/dev/null", "-f", "-"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        usual = f"DataDirectory {short_path}/data\nControlSocket {path}\nSocksPort 0\nLog notice stdout\n"
        process.stdin.write(torrc.read_text() + usual + lines)
        process.stdin.close()
        assert any("Opened Control listener" in line for line in process.stdout)
        return path

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


PASSWORD = "16:872860B76453A77D60CA2BB8C1A7042072093276A3D701AD684053EC4C"  # of "my_password"


@pytest.mark.tor_control
@pytest.mark.usefixtures("stem_leaks")
async def test_a_tor_that_wants_a_password_is_told_as_such(guarded: Callable[[str], Path]) -> None:
    path = guarded(f"HashedControlPassword {PASSWORD}\n")
    with refused(TorRefused, "wants a password"):
        await Control.open(Endpoint(path=str(path)))


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
