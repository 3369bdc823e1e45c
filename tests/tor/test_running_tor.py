"""The same over a Tor that runs already, which several copies of the program share: --control and --socks."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import stem.control
from peers import Peer

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's


@contextmanager
def running_tor(torrc: str) -> Iterator[Path]:
    """A client Tor with a control and a SOCKS port, as unix sockets in this directory."""
    with tempfile.TemporaryDirectory(prefix="tor-") as name:
        place = Path(name)
        lines = (
            Path(torrc).read_text(),
            f"DataDirectory {place}/data",
            f"ControlSocket {place}/control",
            f"SocksPort unix:{place}/socks ExtendedErrors",
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


@pytest.fixture
def running(torrc: str) -> Iterator[Path]:
    with running_tor(torrc) as place:
        yield place


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
            ada.wait(lambda event: event["type"] == "link" and event["state"] == "lost")
            ada.wait(lambda event: event["type"] == "link" and "ended" in event["detail"])


def test_circuits_that_die_all_the_time_lose_and_double_nothing(torrc: str) -> None:
    with ExitStack() as stack:
        tors = [stack.enter_context(running_tor(torrc)) for _ in range(3)]
        host, ada, ben = peers = [
            stack.enter_context(Peer("--control", f"unix:{tor}/control", "--nick", nick))
            for tor, nick in zip(tors, ("host", "ada", "ben"), strict=True)
        ]
        host.send("/create demo")
        code = host.wait("room")["code"]
        host.wait("reachable")
        for member in (ada, ben):
            member.send(f"/join {code}")
            member.wait("room")
        for cut in range(8):
            for at, peer in enumerate(peers):
                for number in range(10):
                    peer.send({"text": f"{at}/{cut}/{number}"})
            close_circuits(tors[cut % 3])
        texts = {f"{at}/{cut}/{number}" for at in range(3) for cut in range(8) for number in range(10)}
        for peer in peers:
            for text in texts:
                peer.said(text)
        assert len(host.messages()) == len(texts)
        assert host.messages() == ada.messages() == ben.messages()
        assert any(event["type"] == "link" and event["state"] == "lost" for event in (*ada.events, *ben.events))


def close_circuits(tor: Path) -> None:
    """Closes all circuits of a Tor but those that it needs to be asked for."""
    with stem.control.Controller.from_socket_file(f"{tor}/control") as control:
        control.authenticate()
        for circuit in control.get_circuits():
            with suppress(stem.ControllerError):  # it is closed already
                control.close_circuit(circuit.id)


def test_a_member_that_was_offline_is_back_with_what_it_wrote(torrc: str) -> None:
    with (
        running_tor(torrc) as first,
        running_tor(torrc) as second,
        Peer("--control", f"unix:{first}/control", "create", "demo") as host,
        Peer("--control", f"unix:{second}/control", "--nick", "ada") as ada,
        stem.control.Controller.from_socket_file(f"{second}/control") as control,
    ):
        control.authenticate()
        code = host.wait("room")["code"]
        host.wait("reachable")
        ada.send(f"/join {code}")
        ada.wait("room")
        control.set_conf("DisableNetwork", "1")
        ada.wait(lambda event: event["type"] == "link" and event["state"] == "lost")
        ada.send("written offline")
        host.send("said meanwhile")
        assert host.wait("left")["reason"] == "lost"
        control.set_conf("DisableNetwork", "0")
        for peer in (ada, host):
            peer.said("said meanwhile")
            peer.said("written offline")
        assert [event["nick"] for event in host.events if event["type"] == "joined"] == ["ada", "ada"]
        assert ada.messages() == host.messages()
