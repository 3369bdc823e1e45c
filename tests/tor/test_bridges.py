"""Bridges: a room behind one, and what is told of those that lead nowhere."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.bridges import bridge_relay
from tests.support.children import list_children
from tests.support.peers import Event, Peer
from tests.support.processes import find_connections

pytestmark = pytest.mark.tor


@pytest.fixture(scope="module")
def bridges(torrc: str) -> Iterator[list[str]]:
    with bridge_relay(torrc) as lines:
        yield lines


@pytest.fixture
def obfs4(bridges: list[str]) -> str:
    if len(bridges) < 2:
        pytest.skip("neither obfs4proxy nor lyrebird is installed")
    return bridges[1]


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_rooms_are_created_and_joined_by_bridges_alone(
    torrc: str, bridges: list[str], obfs4: str, tmp_path: Path
) -> None:
    file, state = tmp_path / "bridges", tmp_path / "state"
    file.write_text(f"# mine\n{obfs4}\n")
    at_home = {"XDG_STATE_HOME": str(state)}
    with Peer("--torrc", torrc, "--bridge", str(file), "create", "demo", environment=at_home) as host:
        code = host.wait("room")["code"]
        host.wait("reachable")
        with Peer("--torrc", torrc, "join", code, environment={**at_home, "ANONP2P_BRIDGE": bridges[0]}) as ada:
            ada.wait("room")
            ada.send("by a bridge")
            host.said("by a bridge")
            assert find_connections(ada.tor()) == {port_of(bridges[0])}, "it also went to relays by itself"
            assert port_of(obfs4) not in find_connections(host.tor()), "it went there without its plugin"
            for process in (host.tor(), *list_children(host.tor()), ada.tor()):
                public = b"".join(Path(f"/proc/{process}/{name}").read_bytes() for name in ("cmdline", "environ"))
                secrets = [word.encode() for line in bridges for word in line.split() if len(word) > len("iat-mode=0")]
                assert not [word for word in secrets if word in public], "others of our programs could read it there"
            for peer in (host, ada):
                peer.send("/quit")
            assert [peer.result() for peer in (host, ada)] == [(0, ""), (0, "")]
    assert files(state) == [], "Tor would write down there where its bridges are"


def port_of(line: str) -> int:
    place = next(word for word in line.split() if ":" in word)
    return int(place.rpartition(":")[2])


def slow(event: Event) -> bool:
    return event["type"] == "tor-slow" and "warning" in event


WRONG = "0123456789" * 4


def changed(line: str, at: int, word: str) -> str:
    words = line.split()
    words[at] = word
    return " ".join(words)


def told(torrc: str, line: str, environment: Mapping[str, str] | None = None) -> str:
    """What the user is told of a bridge that leads nowhere, while Tor goes on trying."""
    with Peer("--torrc", torrc, "--bridge", line, "create", "demo", environment=environment) as peer:
        warning: str = peer.wait(slow, seconds=60)["warning"]
        assert not [word for word in line.split()[1:] if word in warning]
    return warning


UNREACHED = 'Tor says: Proxy Client: unable to connect ("general SOCKS server failure")'
DEAD = "127.0.0.1:1"  # a port that nobody may listen at but root


def test_a_bridge_that_is_not_there_is_told_as_such(torrc: str, bridges: list[str]) -> None:
    assert told(torrc, changed(bridges[0], 0, DEAD)) == "Tor says: Connection refused"


def test_a_bridge_that_is_not_there_behind_its_plugin_is_told_as_such(torrc: str, obfs4: str) -> None:
    assert told(torrc, changed(obfs4, 1, DEAD)) == UNREACHED


def test_a_bridge_of_another_fingerprint_is_told_as_such(torrc: str, bridges: list[str], obfs4: str) -> None:
    words = "Tor says: Unexpected identity in router certificate"
    assert told(torrc, changed(bridges[0], 1, WRONG)) == words
    assert told(torrc, changed(obfs4, 2, WRONG)) == words


def test_a_bridge_whose_certificate_is_another_does_not_answer(torrc: str, obfs4: str) -> None:
    """As obfs4 has it: who does not know the certificate cannot tell that there is a bridge. Plugins wait for 30 s."""
    certificate = obfs4.split()[3]
    line = changed(obfs4, 3, f"cert={certificate[5:][::-1]}")
    assert told(torrc, line) in ("None of its bridges has answered yet", UNREACHED)


def failure(torrc: str, line: str, environment: Mapping[str, str]) -> str:
    """What the program says at its end where it cannot go on."""
    with Peer("--torrc", torrc, "--bridge", line, "create", "demo", environment=environment) as peer:
        status, words = peer.result(60)
    assert status == 3
    assert not [word for word in line.split()[1:] if word in words]
    return words


def test_a_plugin_that_ends_is_told_with_its_status_and_ends_the_program(
    torrc: str, obfs4: str, tmp_path: Path
) -> None:
    plugin = tmp_path / "lyrebird"
    plugin.write_text("#!/bin/sh\nexit 7\n")
    plugin.chmod(0o700)
    words = failure(torrc, obfs4, {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})
    assert f'Managed proxy "{plugin}" terminated with status code 7.' in words


def test_a_plugin_that_does_not_speak_the_transport_is_told_in_its_own_words(
    torrc: str, obfs4: str, tmp_path: Path
) -> None:
    found = shutil.which("obfs4proxy")
    if found is None:
        pytest.skip("obfs4proxy is not installed, which speaks no webtunnel")
    (tmp_path / "bin").mkdir()
    plugin = tmp_path / "bin/webtunnel-client"
    plugin.write_text(f'#!/bin/sh\n"{found}"\nsleep 2\nexit 255\n')  # a busy Tor reads nothing of one that has ended
    plugin.chmod(0o700)
    line = f"webtunnel 127.0.0.1:1 {WRONG} url=https://127.0.0.1:1/x"
    words = failure(torrc, line, {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"})
    assert "(webtunnel no such transport is supported)" in words


def test_a_plugin_that_is_missing_is_told_with_its_package(torrc: str, tmp_path: Path) -> None:
    tor = shutil.which("tor")
    assert tor
    (tmp_path / "tor").symlink_to(tor)
    line = f"snowflake 192.0.2.3:80 {WRONG} url=https://192.0.2.4/"
    assert "(Debian: apt install snowflake-client)" in failure(torrc, line, {"PATH": str(tmp_path)})
