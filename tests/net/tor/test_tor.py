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

import pytest
import trio
import trio.testing

from anonp2p import limits
from anonp2p.config import Config, Endpoint
from anonp2p.errors import Failed, TorRefused
from anonp2p.names.codes import RoomKey
from anonp2p.net.tor import listener, process
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.listener import LocalEntrance, UnixEntrance
from anonp2p.net.tor.tor import Tor
from anonp2p.net.transport import Place
from tests.net.tor.parts import ADDRESS, KEY, NOWHERE, STEM, connected, control_of, described, failure, refused
from tests.support.servers import PATIENCE, FakeTor, server

pytestmark = STEM


# --- a room as an onion service


@asynccontextmanager
async def room_at(fake: FakeTor, path: Path, runtime: Path | None, *uids: int) -> AsyncIterator[Place]:
    """A room at a fake Tor of these users, or ours, with a unix socket in `runtime` or else a port."""
    entrance = UnixEntrance(runtime) if runtime else LocalEntrance(frozenset(uids or (os.getuid(),)))
    async with control_of(fake, path) as control, Tor(control, NOWHERE, entrance, "own").listen(KEY) as place:
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


async def accept_none(listener: trio.abc.Listener[trio.abc.Stream]) -> None:
    """Waits for a connection; fails where one is let in."""
    await listener.accept()
    pytest.fail("a connection was let in")


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
        async with Tor(control, NOWHERE, UnixEntrance(short_path), "own").listen(KEY) as place:
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


@pytest.mark.parametrize(
    "answer", ["510 Command filtered", "512 Nothing", f"550 Collision of {KEY.expanded_private_key()}"]
)
async def test_a_refused_room_tells_the_status_and_not_the_key(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(limits, "TAKEN_PATIENCE", 0.0)
    fake.deny["ADD_ONION"] = answer
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, answer[:3]):
            async with Tor(control, NOWHERE, UnixEntrance(short_path), "own").listen(KEY):
                pytest.fail("it was published")
    assert [line for line in fake.heard if line.startswith("DEL_ONION")] == []


async def test_a_filter_is_tried_with_the_key_of_no_room_as_it_may_log_what_it_refuses(
    fake: FakeTor, short_path: Path
) -> None:
    key = KEY.expanded_private_key()
    async with control_of(fake, short_path) as control:
        system = Tor(control, NOWHERE, UnixEntrance(short_path), "system")
        fake.deny["ADD_ONION"] = "510 Command filtered"
        with refused(TorRefused, "forbids ADD_ONION"):
            async with system.listen(KEY):
                pytest.fail("it was published")
        assert key not in " ".join(fake.heard)
        del fake.deny["ADD_ONION"]
        fake.unknown = {"PoW": "510 Command filtered"}
        fake.heard.clear()
        for _ in range(2):
            async with system.listen(KEY) as place:
                assert place.undefended == ["proof-of-work"]
    asked = [line for line in fake.heard if line.startswith("ADD_ONION") and key in line]
    assert [STREAMS in line and POW not in line for line in asked] == [True, True]
    tried = [line.split(" ")[0] for line in fake.heard if key not in line and ADDRESS not in line]
    assert tried == ["ADD_ONION", "ADD_ONION", "DEL_ONION"], (
        "with all defences, with those it takes; and withdrawn at once"
    )


async def test_what_does_not_withdraw_services_is_not_told_of_a_room_and_serves_it_all_the_same(
    fake: FakeTor, short_path: Path
) -> None:
    fake.deny["DEL_ONION"] = "510 Command filtered"
    async with control_of(fake, short_path) as control:
        system = Tor(control, NOWHERE, UnixEntrance(short_path), "system")
        async with system.listen(KEY):
            pass
    assert [line for line in fake.heard if line.startswith("DEL_ONION") and ADDRESS in line] == []


@pytest.mark.parametrize("answer", ["250 OK", "552 Unknown Onion Service id"], ids=["ours", "of another program"])
async def test_a_room_that_its_tor_serves_already_is_published_once_it_was_withdrawn(
    fake: FakeTor, short_path: Path, answer: str
) -> None:
    """Tor may take longer to withdraw a service than we wait; and a host that leaves may be on the same Tor."""
    fake.deny["DEL_ONION"] = answer
    fake.taken = 2
    async with room_at(fake, short_path, short_path) as place:
        assert place.undefended == []
    asked = [line.split()[0] for line in fake.heard if "_ONION" in line]
    assert asked == [*(2 * ["ADD_ONION", "DEL_ONION"]), "ADD_ONION", "DEL_ONION"]


async def test_a_room_is_published_with_the_first_upload_of_its_own_descriptor(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        await control.subscribe("HS_DESC")
        failed, published = trio.Event(), trio.Event()
        async with (
            Tor(control, NOWHERE, UnixEntrance(short_path), "own").listen(KEY) as place,
            trio.open_nursery() as nursery,
        ):

            async def wait() -> None:
                await place.published()
                published.set()

            nursery.start_soon(wait)
            with control.listening("HS_DESC", lambda text: failed.set() if " FAILED " in text else None):
                for event in (described("UPLOAD"), described("UPLOADED", "b" * 56), described("FAILED")):
                    await fake.tell(event)
                await failed.wait()
            await trio.testing.wait_all_tasks_blocked()
            assert not published.is_set()
            await fake.tell(described("UPLOADED"))
            await published.wait()


async def test_a_room_whose_upload_nobody_tells_is_taken_as_published_after_a_while(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UPLOAD_BLIND", 0.2)
    fake.deny["SETEVENTS"] = "510 Command filtered"
    async with control_of(fake, short_path) as control:
        assert not await control.subscribe("HS_DESC")
        async with Tor(control, NOWHERE, UnixEntrance(short_path), "own").listen(KEY) as place:
            before = trio.current_time()
            with trio.fail_after(PATIENCE):
                await place.published()
            assert trio.current_time() - before >= limits.UPLOAD_BLIND


async def test_a_room_needs_a_control_port() -> None:
    with refused(TorRefused, "--control"):
        async with Tor(None, NOWHERE, None, "system").listen(KEY):
            pytest.fail("it was published")


async def test_a_room_without_a_place_for_its_socket_fails_in_one_sentence(fake: FakeTor, short_path: Path) -> None:
    async with control_of(fake, short_path) as control:
        with refused(Failed, "No socket could be opened"):
            async with Tor(control, NOWHERE, UnixEntrance(short_path / "gone"), "own").listen(KEY):
                pytest.fail("it was published")


async def test_a_room_is_not_served_where_the_kernel_does_not_tell_who_connects(
    fake: FakeTor, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "peer_uid", lambda _: None)
    async with control_of(fake, short_path) as control:
        with refused(TorRefused, "--tor own"):
            async with Tor(control, NOWHERE, LocalEntrance(frozenset()), "system").listen(KEY):
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
    fake: FakeTor, short_path: Path, reach: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room_at(fake, short_path, reach) as place, trio.open_nursery() as nursery:
        monkeypatch.setattr(listener, "peer_uid", lambda _: os.getuid() + 1)
        nursery.start_soon(accept_none, place.listener)
        for _ in range(3 * limits.ACCEPTED_AT_ONCE):
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
        for _ in range(3 * limits.ACCEPTED_AT_ONCE):
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


@pytest.mark.parametrize(("uid", "is_admitted"), [(os.getuid(), True), (os.getuid() + 1, False), ("", True)])
async def test_a_tor_that_is_not_our_own_gets_a_port_though_its_user_is_ours_and_its_user_alone_is_let_in(
    fake: FakeTor, short_path: Path, uid: int | str, *, is_admitted: bool
) -> None:
    """It may be in a container, where our sockets are not to be found."""
    fake.info["process/uid"] = str(uid)
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(server(fake, short_path / "control"))
        system, _ = await stack.enter_async_context(connected(Config(tor="system", control=endpoint, socks=NOWHERE)))
        place = await stack.enter_async_context(system.listen(KEY))
        assert "Port=1984,127.0.0.1:" in await fake.hears("^ADD_ONION")
        async with await connect_to(fake) as stream, trio.open_nursery() as nursery:
            if is_admitted:
                await (await place.listener.accept()).aclose()
            else:
                nursery.start_soon(accept_none, place.listener)
                assert await ended(stream)
            nursery.cancel_scope.cancel()


# --- a real Tor


@asynccontextmanager
async def own_tor(torrc: Path) -> AsyncIterator[tuple[Tor, Control]]:
    """Our own Tor, not booted: it has no network."""
    async with (
        process.launch(torrc, amnesic=False) as own,
        aclosing(await Control.open(Endpoint(path=own.control))) as control,
    ):
        yield Tor(control, Endpoint(path=own.socks), UnixEntrance(own.runtime), "own"), control


@pytest.mark.tor_control
async def test_tor_publishes_a_room_under_the_address_that_we_predicted_and_not_twice_at_once(
    torrc: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TAKEN_PATIENCE", 0.1)
    monkeypatch.setattr(limits, "WITHDRAW_PATIENCE", PATIENCE)  # or else it may still be there for the second round
    async with own_tor(torrc) as (own, control):
        for _ in range(2):
            async with own.listen(KEY) as place:
                assert place.undefended == []
                with refused(TorRefused, "550"):
                    async with own.listen(KEY):
                        pytest.fail("it was published twice")
                assert await control.info("onions/current") == ADDRESS
                async with own.listen(RoomKey(b"x" * 32)):
                    assert len((await control.info("onions/current") or "").split()) == 2
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
        os.kill(int(await control.info("process/pid") or ""), signal.SIGKILL)
        with trio.fail_after(30):
            await own.lost.wait()


@pytest.mark.tor_control
async def test_a_tor_that_hangs_delays_the_end_of_a_room_by_its_time_and_no_more(torrc: Path, runtime: Path) -> None:
    async with own_tor(torrc) as (own, control):
        async with own.listen(KEY):
            os.kill(int(await control.info("process/pid") or ""), signal.SIGSTOP)
            before = trio.current_time()
        assert trio.current_time() - before >= limits.WITHDRAW_PATIENCE


# --- what killed programs left behind


async def test_each_start_removes_what_killed_programs_left_behind_whatever_tor_it_uses(
    runtime: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(short_path))
    stale = [trio.Path(place / "anonp2p-run-abcd_123") for place in (runtime, short_path)]
    for path in stale:
        await path.mkdir(0o700)
        await (path / "data").mkdir()
    await failure(Config(tor="system", control=NOWHERE))
    assert [await path.exists() for path in stale] == [False, False]
