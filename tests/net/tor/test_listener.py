"""How a Tor reaches us: from its own machine, from ours, and who else is kept out."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
import trio

from anonp2p.config import Endpoint, Listen
from anonp2p.errors import Failed, TorRefused
from anonp2p.net.tor import place
from anonp2p.net.tor.control import Control
from anonp2p.net.tor.listener import Entrance, LocalEntrance, RemoteEntrance
from anonp2p.net.tor.tor import find_entrance
from tests.net.tor.parts import refused
from tests.support.servers import PATIENCE


def free_ports(count: int) -> Listen:
    """So many ports in a row of which nobody has any."""
    for first in range(20_000 + os.getpid() % 1_000 * 10, 32_000, count):  # tests run side by side
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return Listen("127.0.0.1", first, first + count - 1)
    raise AssertionError


async def is_let_in(entrance: Entrance) -> bool:
    """Whether a connection of ours, which comes from 127.0.0.1, gets through."""
    with entrance.listen() as (listener, target):
        host, _, port = target.rpartition(":")
        with trio.fail_after(PATIENCE):
            async with await trio.open_tcp_stream(host, int(port)) as stream, trio.open_nursery() as nursery:
                accepted = False

                async def accept() -> None:
                    nonlocal accepted
                    async with await listener.accept() as connection:
                        accepted = True
                        await connection.send_all(b"x")

                nursery.start_soon(accept)
                with suppress(trio.BrokenResourceError):
                    await stream.receive_some(1)
                nursery.cancel_scope.cancel()
    return accepted


@pytest.mark.parametrize(
    ("gateway", "is_gateway"), [("127.0.0.1", True), ("::ffff:127.0.0.1", False), ("127.0.0.2", False)]
)
async def test_from_another_machine_only_the_gateway_is_let_in(gateway: str, *, is_gateway: bool) -> None:
    assert await is_let_in(RemoteEntrance(free_ports(1), gateway)) is is_gateway


@pytest.mark.parametrize("uid", [os.getuid(), os.getuid() + 1])
async def test_on_this_machine_only_tors_user_is_let_in_at_a_port_that_was_named(uid: int) -> None:
    assert await is_let_in(LocalEntrance(frozenset((uid,)), free_ports(1))) is (uid == os.getuid())


def test_each_service_has_a_port_of_its_own_until_there_are_no_more() -> None:
    ports = free_ports(2)
    entrance = RemoteEntrance(ports, "127.0.0.1")
    with entrance.listen() as (_, first), entrance.listen() as (_, second):
        assert [first, second] == [f"127.0.0.1:{ports.first}", f"127.0.0.1:{ports.last}"]
        with pytest.raises(Failed, match="All ports at which"), entrance.listen():
            pass
    with entrance.listen() as (_, again):
        assert again == first


def test_an_address_that_is_not_ours_is_told() -> None:
    entrance = RemoteEntrance(Listen("192.0.2.1", 1984, 1984), "192.0.2.2")
    with pytest.raises(Failed, match="Cannot assign requested address"), entrance.listen():
        pass


# --- which it is


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A table of routes by which this machine has a way out through 10.152.152.10."""
    path = tmp_path / "route"
    path.write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t0098980A\t00000000\t0001\t0\t0\t0\t00C0FFFF\t0\t0\t0\n"
        "eth0\t00000000\t0A98980A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    )
    monkeypatch.setattr(place, "ROUTES", path)
    return path


class FakeControl:
    """A control connection as far as `find_entrance` needs one."""

    owners = frozenset((12,))

    def __init__(self, endpoint: str, uid: str | None) -> None:
        self.endpoint = Endpoint.parse(endpoint)
        self._uid = uid

    async def info(self, _: str) -> str | None:
        await trio.lowlevel.checkpoint()
        return self._uid


async def entrance_of(listen: Listen | None, at: str = "127.0.0.1:9051", uid: str | None = "107") -> Entrance:
    """The entrance for a Tor that runs as this user, whose control port is there."""
    return await find_entrance(listen, cast("Control", FakeControl(at, uid)))


ELSEWHERE = Listen("192.0.2.7", 2000, 2010)
HERE = Listen("127.0.0.1", 2000, 2010)


async def test_a_tor_of_this_machine_reaches_us_at_a_port_of_the_loopback() -> None:
    assert await entrance_of(None) == LocalEntrance(frozenset((107,)))
    assert await entrance_of(None, "unix:/run/tor/control") == LocalEntrance(frozenset((107,)))
    assert await entrance_of(HERE) == LocalEntrance(frozenset((107,)), HERE)


@pytest.mark.usefixtures("routes")
async def test_a_tor_of_another_machine_reaches_us_where_was_said_and_is_known_by_its_control_port_or_a_route() -> None:
    assert await entrance_of(ELSEWHERE) == RemoteEntrance(ELSEWHERE, "10.152.152.10")
    found = await entrance_of(ELSEWHERE, "192.0.2.9:9051")
    assert found == RemoteEntrance(ELSEWHERE, "192.0.2.9")


async def test_where_a_tor_of_another_machine_reaches_us_has_to_be_said() -> None:
    with refused(TorRefused, "--listen"):
        await entrance_of(None, "192.0.2.9:9051")


@pytest.mark.parametrize("table", ["", "Iface\tDestination\n", None])
async def test_without_a_way_out_nobody_knows_the_gateway(routes: Path, table: str | None) -> None:
    if table is None:
        await trio.Path(routes).unlink()
    else:
        await trio.Path(routes).write_text(table)
    with refused(TorRefused, "nothing here says which one"):
        await entrance_of(ELSEWHERE)


async def test_a_whonix_workstation_finds_by_itself_where_its_gateway_reaches_it(
    routes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = await trio.Path(routes).read_text()
    await trio.Path(routes).write_text(table.replace("0A98980A\t0003", "0200007F\t0003"))  # 127.0.0.2
    monkeypatch.setattr(place, "is_whonix", lambda: True)
    found = await entrance_of(None)
    assert isinstance(found, RemoteEntrance)
    assert (found.gateway, found.ports.host) == ("127.0.0.2", "127.0.0.1")
    assert await entrance_of(ELSEWHERE) == RemoteEntrance(ELSEWHERE, "127.0.0.2"), "what is said wins"
