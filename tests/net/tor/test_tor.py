"""Rooms as onion services and dials to them: at fake control and SOCKS ports, and at a Tor without a network."""

import base64
import hashlib
import logging
import os
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.errors import Failed, TorLost, TorRefused
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import process, tor
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import DialFault, Place
from tests.net.tor.parts import ADDRESS, KEY, NOWHERE, STEM, connected, control_of, refused, replies, socks_replies
from tests.support.servers import PATIENCE, FakeTor, Play, says, server

pytestmark = STEM


# --- a room as an onion service


@asynccontextmanager
async def room_at(fake: FakeTor, path: Path, runtime: Path | None, *uids: int) -> AsyncIterator[Place]:
    """A room at a fake Tor of these users, with a unix socket in `runtime` or else a port."""
    async with (
        control_of(fake, path) as control,
        Tor(control, NOWHERE, runtime, "own", frozenset(uids)).listen(KEY) as place,
    ):
        yield place


@pytest.fixture(params=["unix", "tcp"])
def reach(request: pytest.FixtureRequest, short_path: Path) -> Path | None:
    """Where the room's socket is to be; None for a port."""
    return short_path if request.param == "unix" else None


async def connect_to(fake: FakeTor) -> trio.SocketStream:
    """A connection to where Tor was told that the room is."""
    endpoint = Endpoint.parse((await fake.hears("^ADD_ONION")).rpartition("Port=1984,")[2])
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
    async with room_at(fake, short_path, short_path) as place:
        assert place.undefended == told
    *_, asked = [line for line in fake.heard if line.startswith("ADD_ONION")]
    assert asked.startswith(f"ADD_ONION ED25519-V3:{KEY.expanded_private_key()} {left}Port=1984,unix:")


@pytest.mark.parametrize("answer", ["510 Command filtered", f"550 Collision of {KEY.expanded_private_key()}"])
async def test_a_refused_room_tells_the_status_and_not_the_key(fake: FakeTor, short_path: Path, answer: str) -> None:
    fake.deny["ADD_ONION"] = answer
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, answer[:3]):
            async with Tor(control, NOWHERE, short_path, "own").listen(KEY):
                pytest.fail("it was published")
    assert [line for line in fake.heard if line.startswith("DEL_ONION")] == []


async def test_a_room_is_published_with_the_first_upload_of_its_own_descriptor(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        await control.subscribe("HS_DESC")
        failed, published = trio.Event(), trio.Event()
        async with Tor(control, NOWHERE, short_path, "own").listen(KEY) as place, trio.open_nursery() as nursery:

            async def wait() -> None:
                await place.published()
                published.set()

            nursery.start_soon(wait)
            with control.listening("HS_DESC", lambda event: failed.set() if event.action == "FAILED" else None):
                for event in (described("UPLOAD"), described("UPLOADED", "b" * 56), described("FAILED")):
                    await fake.tell(event)
                await failed.wait()
            await trio.testing.wait_all_tasks_blocked()
            assert not published.is_set()
            await fake.tell(described("UPLOADED"))
            await published.wait()


def described(action: str, address: str = ADDRESS) -> str:
    """An event about a room's descriptor."""
    return f"HS_DESC {action} {address} UNKNOWN $" + "A" * 40


async def test_a_room_needs_a_control_port() -> None:
    with refused(TorRefused, "--control"):
        async with Tor(None, NOWHERE, None, "system").listen(KEY):
            pytest.fail("it was published")


async def test_a_room_without_a_place_for_its_socket_fails_in_one_sentence(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        with refused(Failed, "No socket could be opened"):
            async with Tor(control, NOWHERE, short_path / "gone", "own").listen(KEY):
                pytest.fail("it was published")


async def test_a_room_is_not_served_where_the_kernel_does_not_tell_who_connects(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tor, "peer_uid", lambda _: None)
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, "--tor own"):
            async with Tor(control, NOWHERE, None, "system").listen(KEY):
                pytest.fail("it was published")
    assert not [line for line in fake.heard if line.startswith("ADD_ONION")]


# --- who reaches the room


async def test_what_tor_hands_on_reaches_the_room(fake: FakeTor, short_path: Path, reach: Path | None) -> None:
    async with (
        room_at(fake, short_path, reach) as place,
        await connect_to(fake) as stream,
        await place.listener.accept() as accepted,
    ):
        await stream.send_all(b"hello")
        assert await accepted.receive_some() == b"hello"


async def test_only_connections_of_tors_user_reach_the_room(
    fake: FakeTor, short_path: Path, reach: Path | None
) -> None:
    async with room_at(fake, short_path, reach, os.getuid() + 1) as place, trio.open_nursery() as nursery:
        nursery.start_soon(place.listener.accept)
        for _ in range(3 * limits.LINKS_AT_ONCE):
            async with await connect_to(fake) as stream:
                assert await ended(stream)
        nursery.cancel_scope.cancel()


async def test_a_port_of_a_room_is_open_on_the_loopback_address_that_tor_is_told_alone(
    fake: FakeTor, short_path: Path
) -> None:
    async with room_at(fake, short_path, None):
        host, _, port = (await fake.hears("^ADD_ONION")).rpartition("Port=1984,")[2].partition(":")
        assert host == "127.0.0.1"
        with pytest.raises(OSError, match="failed"):
            await trio.open_tcp_stream("127.0.0.2", int(port))


async def test_a_connection_is_tors_as_long_as_it_is_up(fake: FakeTor, short_path: Path, reach: Path | None) -> None:
    """The kernel no longer tells whose it was, and shows root for it, or whoever made it."""
    async with room_at(fake, short_path, reach) as place:
        stream = await connect_to(fake)
        async with await place.listener.accept() as accepted:
            assert place.admits(accepted)
            await stream.send_all(b"hello")
            await stream.aclose()
            assert place.admits(accepted) is (reach is not None)


async def test_a_flood_of_others_is_passed_over_at_once(fake: FakeTor, short_path: Path) -> None:
    """They have closed already, and so could be anybody's."""
    async with room_at(fake, short_path, None) as place:
        for _ in range(3 * limits.LINKS_AT_ONCE):
            await (await connect_to(fake)).aclose()
        async with await connect_to(fake), await place.listener.accept() as accepted:
            assert place.admits(accepted)


async def test_a_connection_waits_until_the_system_has_room_for_it(
    fake: FakeTor, short_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with room_at(fake, short_path, short_path) as place, await connect_to(fake):
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


@pytest.mark.parametrize(
    ("uid", "is_unix", "is_admitted"), [(os.getuid(), True, True), (os.getuid() + 1, False, False), ("", False, True)]
)
async def test_another_users_tor_gets_a_port_instead_of_a_socket_and_its_user_alone_is_let_in(
    fake: FakeTor, short_path: Path, runtime: Path, uid: int | str, *, is_unix: bool, is_admitted: bool
) -> None:
    fake.info["process/uid"] = str(uid)
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(server(fake, short_path / "control"))
        system, _ = await stack.enter_async_context(connected(Config(tor="system", control=endpoint, socks=NOWHERE)))
        place = await stack.enter_async_context(system.listen(KEY))
        assert (f"Port=1984,unix:{runtime}/" in await fake.hears("^ADD_ONION")) is is_unix
        async with await connect_to(fake) as stream, trio.open_nursery() as nursery:
            if is_admitted:
                await (await place.listener.accept()).aclose()
            else:
                nursery.start_soon(place.listener.accept)
                assert await ended(stream)
            nursery.cancel_scope.cancel()
    assert not list(await trio.Path(runtime).iterdir())


# --- dialling: what each reply of the SOCKS port means


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
    await check_fault(socks_replies(code), again=again, absent=absent)


async def test_a_socks_port_that_hangs_up_is_worth_another_try() -> None:
    await check_fault(replies(b""), again=True, absent=False)


async def check_fault(play: Play, *, again: bool, absent: bool) -> None:
    async with server(play) as endpoint:
        with pytest.raises(DialFault) as caught:
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")
    assert (caught.value.again, caught.value.absent) == (again, absent)
    assert str(caught.value)


async def test_a_dial_asks_for_the_room_at_its_port_isolated_by_both_words() -> None:
    heard: list[bytes] = []
    async with server(socks_replies(0, heard)) as endpoint:
        await (await Tor(None, endpoint, None, "system").dial(KEY.code, "me:17")).aclose()
    assert heard[1] == b"\x01\x02me\x0217"
    assert heard[2] == b"\x05\x01\x00\x03" + bytes([62]) + KEY.code.encode() + limits.PORT.to_bytes(2, "big")


async def test_a_socks_port_that_is_gone_is_a_lost_tor() -> None:
    with refused(TorLost, "nothing answers at its SOCKS port"):
        await Tor(None, NOWHERE, None, "system").dial(KEY.code, "me:1")


async def test_what_is_no_socks_port_is_refused() -> None:
    async with server(says((b"\x05", b"HTTP/1.1 400 Bad Request\r\n\r\n"))) as endpoint:
        with refused(TorRefused, "no SOCKS port of Tor"):
            await Tor(None, endpoint, None, "system").dial(KEY.code, "me:1")


# --- looking anew where a room is, after a dial without an answer


class Proxy:
    """A SOCKS port that answers a dial with `code`, and to begin with not at all."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.asked = trio.Event()

    async def __call__(self, stream: trio.SocketStream) -> None:
        await replies(b"\x05\x02", b"\x01\x00")(stream)
        await stream.receive_some()
        self.asked.set()
        if self.code is None:
            await stream.receive_some()
        else:
            await stream.send_all(bytes([5, self.code, 0, 1]) + bytes(6))

    async def give_up(self, tor: Tor) -> None:
        """A dial that is given up after a while without an answer; the next one will be answered."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tor.dial, KEY.code, "me:1")
            await self.asked.wait()
            nursery.cancel_scope.cancel()
        self.asked = trio.Event()
        self.code = 0


@asynccontextmanager
async def dialling(
    fake: FakeTor, path: Path, kind: Literal["own", "system"] = "own"
) -> AsyncIterator[tuple[Tor, Proxy]]:
    """A Tor whose control port and SOCKS port are fake."""
    proxy = Proxy()
    async with control_of(fake, path) as control, server(proxy, path / "socks") as endpoint:
        await control.subscribe("HS_DESC")
        yield Tor(control, endpoint, None, kind), proxy


def orders(fake: FakeTor) -> list[str]:
    """What a Tor was told to do about descriptors."""
    return [line for line in fake.heard if line.startswith(("HSFETCH", "SIGNAL"))]


async def test_after_a_dial_without_an_answer_the_next_one_waits_for_a_new_descriptor(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", PATIENCE)
    async with dialling(fake, short_path) as (own, proxy):
        await proxy.give_up(own)
        assert orders(fake) == []
        async with trio.open_nursery() as nursery:

            async def dial() -> None:
                await (await own.dial(KEY.code, "me:2")).aclose()

            nursery.start_soon(dial)
            assert await fake.hears("HSFETCH") == f"HSFETCH {ADDRESS}"
            for event in (described("REQUESTED"), described("RECEIVED", "b" * 56)):
                await fake.tell(event)
            await trio.sleep(0.1)
            assert not proxy.asked.is_set(), "it dialled before the descriptor was there"
            await fake.tell(described("RECEIVED"))
        await (await own.dial(KEY.code, "me:3")).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}"], "the last dial followed one that was answered"


@pytest.mark.parametrize("kind", ["own", "system"])
async def test_only_our_own_tor_is_made_to_forget_whom_it_asked(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Literal["own", "system"]
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    async with dialling(fake, short_path, kind) as (some, proxy):
        await proxy.give_up(some)
        await (await some.dial(KEY.code, "me:2")).aclose()
    assert orders(fake) == [f"HSFETCH {ADDRESS}", *(["SIGNAL NEWNYM"] if kind == "own" else [])]


async def test_a_fetch_that_takes_long_is_left_to_itself(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 1.0)
    async with dialling(fake, short_path) as (own, proxy):
        await proxy.give_up(own)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(own.dial, KEY.code, "me:2")
            await fake.hears("HSFETCH")
            await fake.tell(described("REQUESTED"))
            await proxy.asked.wait()
            nursery.cancel_scope.cancel()
    assert orders(fake) == [f"HSFETCH {ADDRESS}"]


@pytest.mark.parametrize(("code", "looks"), [(0xF0, False), (0xF2, False), (0xF3, True), (0xF7, True)])
async def test_tor_is_not_told_to_look_where_it_has_just_looked(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, looks: bool
) -> None:
    monkeypatch.setattr(limits, "FETCH_PATIENCE", 0.1)
    async with dialling(fake, short_path, "system") as (system, proxy):
        proxy.code = code
        for _ in range(2):
            with pytest.raises(DialFault):
                await system.dial(KEY.code, "me:1")
    assert bool(orders(fake)) is looks


async def test_a_control_port_that_fetches_nothing_for_us_does_not_keep_us_from_dialling(
    fake: FakeTor, short_path: Path
) -> None:
    fake.deny["HSFETCH"] = "510 Command filtered"
    async with dialling(fake, short_path, "system") as (system, proxy):
        await proxy.give_up(system)
        with trio.fail_after(limits.FETCH_PATIENCE):
            await (await system.dial(KEY.code, "me:2")).aclose()


# --- a real Tor


@asynccontextmanager
async def own_tor(torrc: Path) -> AsyncIterator[tuple[Tor, Control]]:
    """Our own Tor, not booted: it has no network."""
    async with (
        process.launch(torrc, amnesic=False) as own,
        aclosing(await Control.open(Endpoint(path=own.control))) as control,
    ):
        yield Tor(control, Endpoint(path=own.socks), own.runtime, "own"), control


@pytest.mark.tor_control
async def test_tor_publishes_a_room_under_the_address_that_we_predicted_and_not_twice_at_once(
    torrc: Path, runtime: Path
) -> None:
    async with own_tor(torrc) as (own, control):
        for _ in range(2):
            async with own.listen(KEY) as place:
                assert place.undefended == []
                with refused(TorRefused, "550"):
                    async with own.listen(KEY):
                        pytest.fail("it was published twice")
                assert await control.info("onions/current") == ADDRESS
                async with own.listen(RoomKey(b"x" * 32)):
                    assert len((await control.info("onions/current")).split()) == 2
            assert await control.info("onions/current") == ""


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
