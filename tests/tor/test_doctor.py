"""The checks of `anonp2p doctor`, over a real Tor."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from anonp2p import limits
from anonp2p.config import Config
from anonp2p.doctor.doctor import examine
from anonp2p.findings import CHECKS, CheckMade, Told
from anonp2p.net.tor import commands
from anonp2p.net.tor.commands import Profile
from anonp2p.net.tor.errors import BootComplained
from tests.support.filters import running_filter
from tests.support.peers import Peer
from tests.support.tors import running_tor

pytestmark = [pytest.mark.tor, pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")]  # stem's

OTHER = 65_534  # nobody


class Found:
    """What one run of the program found."""

    def __init__(self, state: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "anonp2p", "--json", *arguments, "doctor"],
            env={**os.environ, "XDG_STATE_HOME": str(state), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        self.text = done.stdout + done.stderr
        self.status = done.returncode
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self._made: dict[str, Any] = {line["check"]: line for line in lines if line["type"] == "check"}
        assert list(self._made) == list(CHECKS)
        assert lines[-1]["type"] == "checked"
        assert not re.search(r"[a-z2-7]{56}|ED25519", self.text), "nothing of the room on trial is told"

    def codes(self, check: str) -> list[str]:
        return [finding["finding"] for finding in self._made[check]["findings"]]

    def state(self, check: str) -> str:
        return str(self._made[check]["state"])

    def texts(self, check: str) -> str:
        return " ".join(finding["text"] for finding in self._made[check]["findings"])


def test_where_all_is_well_a_room_is_published_and_reached(torrc: str, tmp_path: Path) -> None:
    found = Found(tmp_path, "--torrc", torrc)
    assert found.status == 0
    assert found.codes("tor-program") == ["tor-program", "proof-of-work"]
    assert found.codes("control-ports") == ["own-tor-asked"]
    assert found.codes("boot") == ["booted"]
    assert "A Tor of our own" in found.texts("boot")
    assert found.codes("socks-port") == ["extended-errors"]
    assert found.codes("room") == ["room-published", "room-reached", "private-reached"]
    assert found.codes("commands") == ["commands-granted"]


def test_a_running_tor_is_looked_at_as_it_is_named(torrc: str, tmp_path: Path) -> None:
    with running_tor(torrc) as tor:
        found = Found(tmp_path, "--control", tor.control)
        assert (found.status, found.codes("control-ports")) == (0, ["control-usable"])
        assert tor.control in found.texts("control-ports")
        assert "A running Tor" in found.texts("boot")
        assert found.codes("room") == ["room-published", "room-reached", "private-reached"]
        assert found.codes("commands") == ["commands-granted"]
        alone = Found(tmp_path, "--socks", tor.socks)
        assert (alone.status, alone.codes("control-ports")) == (0, ["no-control-port"])
        assert (alone.codes("socks-port"), alone.codes("room")) == (["extended-errors"], ["join-only", "looked-up"])
    assert not list(tmp_path.iterdir()), "no Tor of our own was needed"


@pytest.mark.skipif(os.getuid() != 0, reason="only root starts a Tor of another user")
def test_a_tor_of_another_user_is_told_whose_it_is_and_not_used(torrc: str, tmp_path: Path) -> None:
    with running_tor(torrc, OTHER) as theirs:
        path = theirs.control.removeprefix("unix:")
        found = Found(tmp_path, "--tor", "system", environment={"TOR_CONTROL_IPC_PATH": path})
    assert found.status == 3
    assert found.codes("control-ports")[0] == "control-refused-by-name"
    assert f"uid {OTHER} listens" in found.texts("control-ports")
    assert (found.state("boot"), found.codes("room")) == ("wrong", ["needs-boot"])


def test_a_copy_beside_another_is_told_that_its_tor_starts_anew(torrc: str, tmp_path: Path) -> None:
    with Peer("--torrc", torrc, environment={"XDG_STATE_HOME": str(tmp_path)}) as other:
        other.wait("ready")
        found = Found(tmp_path, "--torrc", torrc)
    assert (found.status, found.codes("boot")) == (0, ["booted", "state-in-use"])


@pytest.fixture
def unreachable(torrc: str, tmp_path: Path) -> Path:
    """A torrc of a network that lets nothing through."""
    path = tmp_path / "torrc"
    lines = re.sub(r"orport=[0-9]+", "orport=9", Path(torrc).read_text())
    path.write_text(re.sub(r"127\.0\.0\.1:[0-9]+", "127.0.0.1:9", lines))
    return path


async def test_a_boot_that_is_stuck_is_told_with_where(
    unreachable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(limits, "BOOT_STALL", 2 * limits.BOOT_LOOK)
    told: list[Told] = []
    await examine(Config(tor="own", torrc=unreachable), told.append)
    (boot,) = [made for made in told if isinstance(made, CheckMade) and made.name == "boot"]
    assert isinstance(boot.findings[0].error, BootComplained)
    assert "Connection refused" in str(boot.findings[0].error), "it is what Tor says"
    assert boot.findings[0].status == 3


def test_a_filter_that_refuses_services_is_told_with_what_still_works(torrc: str, tmp_path: Path) -> None:
    granted = {name: rules for name, rules in commands.TAILS.commands.items() if name != "ADD_ONION"}
    with (
        running_tor(torrc) as tor,
        running_filter(
            Profile(granted, commands.TAILS.events), tor.control.removeprefix("unix:"), tor.cookie
        ) as filter_,
    ):
        found = Found(tmp_path, "--control", filter_.port, "--socks", tor.socks)
    assert found.status == 3
    assert (found.state("control-ports"), found.state("boot"), found.state("socks-port")) == ("ok", "ok", "ok")
    assert found.codes("room") == ["failed", "looked-up"], "rooms can be joined"
    assert "ADD_ONION" in found.texts("room")
    refused = re.findall(r"\b([A-Z_]+(?: [a-z/-]+)?) is refused \(510\)", found.texts("commands"))
    assert set(refused) == {"GETINFO net/listeners/socks", "GETINFO process/uid", "ADD_ONION"}
    assert found.codes("commands") == ["command-refused", "command-spared", "command-spared"]


def test_a_filter_with_our_profile_grants_what_a_room_takes(torrc: str, tmp_path: Path) -> None:
    with (
        running_tor(torrc) as tor,
        running_filter(commands.TAILS, tor.control.removeprefix("unix:"), tor.cookie) as filter_,
    ):
        found = Found(tmp_path, "--control", filter_.port, "--socks", tor.socks)
    assert found.status == 0
    assert found.codes("room") == ["room-published", "room-reached", "private-reached"]
    assert found.state("commands") == "ok", "what is refused is not needed"
    assert found.codes("commands") == ["commands-granted", "command-spared", "command-spared"]


def test_a_filter_that_takes_no_keys_of_private_rooms_is_told_with_what_they_miss(torrc: str, tmp_path: Path) -> None:
    granted = {name: rules for name, rules in commands.TAILS.commands.items() if name != "ONION_CLIENT_AUTH_ADD"}
    with (
        running_tor(torrc) as tor,
        running_filter(
            Profile(granted, commands.TAILS.events), tor.control.removeprefix("unix:"), tor.cookie
        ) as filter_,
    ):
        found = Found(tmp_path, "--control", filter_.port, "--socks", tor.socks)
    assert found.status == 0, "all other rooms work"
    assert found.codes("room") == ["room-published", "room-reached", "private-refused"]
    assert found.codes("commands")[0] == "command-refused"
    assert "private rooms are not joined" in found.texts("commands")
