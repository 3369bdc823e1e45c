"""Rooms through a filter before the control port, as on Whonix and Tails, with and without our profiles."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from anonp2p import limits
from anonp2p.net.tor import commands
from anonp2p.net.tor.commands import Profile
from tests.support import filters
from tests.support.filters import Filter, running_filter
from tests.support.peers import Peer
from tests.support.tors import RunningTor, running_tor

pytestmark = pytest.mark.tor

FORBIDDEN = "forbids ADD_ONION"


@pytest.fixture(scope="module")
def running(torrc: str) -> Iterator[RunningTor]:
    with running_tor(torrc) as tor:
        tor.await_boot()  # on a busy machine later than a program waits for a Tor that is not its own
        yield tor


def environment(running: RunningTor, filter_: Filter) -> dict[str, str]:
    """What names both ports, as on Whonix."""
    host, _, port = filter_.port.rpartition(":")
    socks = running.socks.removeprefix("unix:")
    return {"TOR_CONTROL_HOST": host, "TOR_CONTROL_PORT": port, "TOR_SOCKS_IPC_PATH": socks}


def assert_known(asked: list[str], profile: Profile) -> None:
    """Whatever was asked is granted, or is what we do without."""
    unknown = [line for line in asked if not commands.is_granted(line, profile)]
    assert set(map(commands.name_command, unknown)) <= set(commands.UNGRANTED)


@pytest.mark.parametrize("profile", [filters.NOTHING, filters.STOCK], ids=["no profile", "stock"])
def test_without_our_profile_rooms_are_joined_and_creating_one_says_what_is_forbidden(
    running: RunningTor, torrc: str, profile: Profile
) -> None:
    control, socks = running.control.removeprefix("unix:"), running.socks.removeprefix("unix:")
    with (
        running_filter(profile, control, running.cookie) as filter_,
        Peer("--torrc", torrc, "create", "demo") as host,
    ):
        code = host.wait("room")["code"]
        host.wait("reachable")
        named = {"TOR_SOCKS_IPC_PATH": socks}
        with (
            Peer("join", code, environment=environment(running, filter_)) as ada,
            Peer("--control", filter_.port, "join", code, environment=named) as ben,
        ):
            for peer in (ada, ben):
                peer.wait("room")
                assert peer.wait("ready")["tor"] == "system"
            ada.send("hello")
            ben.said("hello")
        with Peer("create", "other", environment=environment(running, filter_)) as creator:
            status, said = creator.result(60)
        assert status == 3
        assert FORBIDDEN in said
        assert [line for line in filter_.asked if line.startswith("ADD_ONION")]
        assert_known(filter_.asked, commands.TAILS)


def test_with_our_profile_for_tails_a_room_is_created_and_reached_by_what_it_grants_alone(
    running: RunningTor, torrc: str
) -> None:
    control = running.control.removeprefix("unix:")
    with (
        running_filter(commands.TAILS, control, running.cookie) as filter_,
        Peer("--tor", "system", "create", "demo", environment=environment(running, filter_)) as host,
    ):
        code = host.wait("room")["code"]
        host.wait("reachable")
        with Peer("--torrc", torrc, "join", code) as ada:
            ada.wait("room")
            ada.send("hello")
            host.said("hello")
        host.send("/leave")
        host.wait("gone")
        assert_known(filter_.asked, commands.TAILS)
        assert {line.split(" ")[0] for line in filter_.asked} >= {"GETINFO", "SETEVENTS", "ADD_ONION", "DEL_ONION"}
        events = [line for line in filter_.told if line.startswith("650 HS_DESC")]
        assert [line for line in events if " UPLOADED " in line]
        assert not [line for line in events if "$" in line], "no relay is named"


def test_a_room_whose_tor_cannot_connect_to_it_is_not_called_reachable(running: RunningTor) -> None:
    """As where Tor runs in a container: the room is published all the same."""
    lost = commands.TAILS._replace(
        commands={
            **commands.TAILS.commands,
            "ADD_ONION": (commands.TAILS.commands["ADD_ONION"][0]._replace(replacement="{},{client-address}:1"),),
        }
    )
    control = running.control.removeprefix("unix:")
    with (
        running_filter(lost, control, running.cookie) as filter_,
        Peer("--tor", "system", "create", "demo", environment=environment(running, filter_)) as host,
    ):
        said = host.wait("unreached", 200)
        assert said["reason"]
        assert not [event for event in host.events if event["type"] == "reachable"]
        assert [line for line in filter_.told if " UPLOADED " in line]


def own_address() -> str:
    """An address of ours that is not on the loopback; empty where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.254", 9))
        return str(probe.getsockname()[0])
    return ""


@pytest.mark.skipif(own_address() in ("", "127.0.0.1"), reason="there is only the loopback")
def test_with_our_profile_for_whonix_a_room_is_reached_from_the_gateway_alone(
    running: RunningTor, torrc: str, tmp_path: Path
) -> None:
    """The gateway is this machine, by an address that is not on the loopback."""
    control, us = running.control.removeprefix("unix:"), own_address()
    listen = f"{us}:{limits.WHONIX_PORTS[0]}-{limits.WHONIX_PORTS[1]}"
    with (
        running_filter(commands.WHONIX, control, running.cookie, us) as filter_,
        Peer(
            *("--control", filter_.port, "--listen", listen, "create", "demo"),
            environment={"TOR_SOCKS_IPC_PATH": running.socks.removeprefix("unix:")},
        ) as host,
    ):
        code = host.wait("room")["code"]
        host.wait("reachable")
        with Peer("--torrc", torrc, "join", code) as ada:
            ada.wait("room")
        assert_known(filter_.asked, commands.WHONIX)
        (target,) = {line.rpartition(",")[2] for line in filter_.asked if line.startswith("ADD_ONION")}
        port = int(target.rpartition(":")[2])
        with socket.create_connection((us, port)) as friend:
            assert friend.recv(1), "it comes from the gateway's address"
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.1", 0))
            with suppress(OSError):  # the kernel may know that this address cannot be the loopback's
                stranger.connect((us, port))
                assert stranger.recv(1) == b""
