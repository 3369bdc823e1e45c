"""Circuits of a private Tor network that hang: who dials over one does not wait for it."""

import pytest

from anonp2p import limits
from tests.support.networks import hanging_circuits
from tests.support.peers import Event, Peer
from tests.support.tors import running_tor

pytestmark = pytest.mark.tor

HANG_SECONDS = 300.0
PATIENCE = limits.DIAL_TRIES[0]  # seconds: sooner than the first dial is given up for another one


def is_up(event: Event) -> bool:
    return bool(event["type"] == "link" and event["state"] == "up")


def test_a_circuit_that_hangs_holds_up_neither_a_join_nor_who_comes_back(torrc: str) -> None:
    with (
        hanging_circuits(torrc, HANG_SECONDS) as circuits,
        running_tor(circuits.torrc) as tor,
        Peer("--torrc", torrc, "--nick", "hugo", "create", "demo") as host,
        Peer("--control", tor.control, "--nick", "ada") as ada,
    ):
        code = host.wait("room")["code"]
        host.wait("reachable")
        ada.wait("ready")
        circuits.hang_next()
        ada.send(f"/join {code}")
        circuits.await_hang()
        ada.wait("room", PATIENCE)
        ada.wait(is_up)

        known = len(ada.events)
        circuits.hang_next()
        tor.close_circuits()
        circuits.await_hang()
        ada.wait(is_up, PATIENCE + limits.DIAL_PAUSE, since=known)
        host.send("are you back?")
        ada.said("are you back?")
