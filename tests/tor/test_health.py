"""A room that stays, as its systemd unit runs it, over Tor: its owner asks how it is, also while its Tor is dead."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gates import Gate, tor_gate
from tests.support.peers import Peer
from tests.support.unit import Unit, run_here

pytestmark = pytest.mark.tor


@pytest.fixture
def gate() -> Iterator[Gate]:
    with tor_gate() as gate:
        yield gate


@pytest.fixture
def unit(torrc: str, short_path: Path, gate: Gate) -> Iterator[Unit]:
    with Unit(run_here(path=gate.path), {"ANONP2P_TORRC": torrc, "XDG_STATE_HOME": str(short_path)}) as unit:
        yield unit


def test_a_host_whose_tor_dies_says_that_nobody_reaches_it_until_somebody_does(
    unit: Unit, torrc: str, gate: Gate
) -> None:
    told = unit.await_well(True)
    assert (told["role"], told["tor"], told["reachable"], told["members"]) == ("host", True, True, 1)
    (code,) = unit.read("code").split()
    with Peer("--torrc", torrc, "--nick", "ada", "--no-heir", "join", code) as ada:
        ada.wait("room")
        unit.await_true(lambda: unit.ask(f"who {len(ada.events)}")["members"] == 2, "ada in the room")
        gate.close()  # or else there may be another Tor before it says anything
        os.kill(unit.tor(), signal.SIGKILL)
        told = unit.await_well(False)
        assert (told["tor"], told["reachable"]) == (False, False)
        gate.open()
        told = unit.await_well(True)
        assert (told["tor"], told["reachable"]) == (True, True)
        ada.wait(lambda event: event["type"] == "link" and event["state"] == "lost")
        ada.send("still here")
        ada.said("still here")
        ada.send("/health")
        told = ada.wait("reply")["data"]
        assert (told["ok"], told["role"], told["link"], told["heirs"]) == (True, "member", "up", 0)
        assert "still here" not in unit.read("health") + unit.read("code")
        assert unit.stop() == (128 + signal.SIGTERM, "")
        assert ada.wait("gone")["reason"] == "closed", "it has left, and nobody can take the room over"
