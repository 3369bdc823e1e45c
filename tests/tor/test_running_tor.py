"""The same over a Tor that runs already, which several copies of the program share: --control and --socks."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import Peer

pytestmark = pytest.mark.tor


@pytest.fixture
def running(torrc: str) -> Iterator[Path]:
    """A client Tor with a control and a SOCKS port, as unix sockets in this directory."""
    with tempfile.TemporaryDirectory(prefix="tor-") as name:
        place = Path(name)
        lines = (
            Path(torrc).read_text(),
            f"DataDirectory {place}/data",
            f"ControlSocket {place}/control",
            f"SocksPort unix:{place}/socks",
            "CookieAuthentication 1",
            "Log notice stdout",
        )
        command = ["tor", "--defaults-torrc", "/dev/null", "-f", "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tor:
            assert tor.stdin is not None
            assert tor.stdout is not None
            tor.stdin.write("\n".join(lines))
            tor.stdin.close()
            try:
                for line in tor.stdout:
                    if "Opened Control listener" in line:
                        break
                yield place
            finally:
                tor.terminate()


def test_several_programs_share_a_running_tor(running: Path) -> None:
    control = f"unix:{running}/control"
    with Peer("--control", control, "create", "demo") as host:
        code = host.wait("room")["code"]
        assert host.wait("ready")["tor"] == "system"
        host.wait("reachable")
        with (
            Peer("--control", control, "join", code) as ada,
            Peer("--socks", f"unix:{running}/socks", "join", code) as ben,
        ):
            for peer in (ada, ben):
                peer.wait("room")
            ben.send("through SOCKS alone")
            for peer in (host, ada, ben):
                peer.said("through SOCKS alone")


def test_socks_alone_is_not_enough_to_create_a_room(running: Path) -> None:
    with Peer("--socks", f"unix:{running}/socks", "create", "demo") as peer:
        status, sentence = peer.result()
    assert status == 3
    assert "--control" in sentence


def test_a_room_ends_with_the_program_that_made_it_not_with_its_tor(running: Path) -> None:
    control = f"unix:{running}/control"
    with Peer("--control", control, "create", "demo") as host:
        code = host.wait("room")["code"]
        host.wait("reachable")
        with Peer("--control", control, "join", code) as ada:
            ada.wait("room")
            host.process.kill()
            assert ada.wait("gone")["reason"] == "lost"
