"""Circuits of a private Tor network that hang: who dials over one does not wait for it."""

import pytest

from tests.support.networks import hanging_circuits
from tests.support.other_limits import other_limits
from tests.support.peers import Event, Peer
from tests.support.tors import running_tor

pytestmark = pytest.mark.tor

HANG_SECONDS = 300.0
GIVEN_UP = 200.0  # seconds until a dial, or a link without an answer, is: as long waits who has no other try beside it
PATIENCE = 45.0  # seconds: sooner than that, and than the minute after which Tor itself gives a circuit up


def is_up(event: Event) -> bool:
    return bool(event["type"] == "link" and event["state"] == "up")


def test_a_circuit_that_hangs_holds_up_neither_a_join_nor_who_comes_back(torrc: str) -> None:
    waiting = other_limits(DIAL_TRIES=[GIVEN_UP], HANDSHAKE_SECONDS=GIVEN_UP)
    with (
        hanging_circuits(torrc, HANG_SECONDS) as circuits,
        running_tor(circuits.torrc) as tor,
        Peer("--torrc", torrc, "--nick", "hugo", "create", "demo") as host,
        Peer("--control", tor.control, "--nick", "ada", **waiting) as ada,
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
        ada.wait(is_up, PATIENCE, since=known)
        host.send("are you back?")
        ada.said("are you back?")
