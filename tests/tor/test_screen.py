"""The full screen over real Tor: a newcomer's way from the welcome to a talk, and out again."""

import os
import re
import signal
import sys

import pytest

from tests.support import terminal
from tests.support.children import list_children
from tests.support.gates import tor_gate
from tests.support.peers import Peer
from tests.support.stage import Stage

pytestmark = pytest.mark.tor

PATIENCE = 120.0  # seconds for what Tor has to do


def screen(torrc: str, *arguments: str, **environment: str) -> Stage:
    """The program as a user starts it."""
    command = [sys.executable, "-m", "anonp2p", "--torrc", torrc, "--nick", "ada", *arguments]
    return Stage(columns=80, rows=24, command=command, environment=environment)


def test_a_room_is_created_and_talked_in_and_left(torrc: str) -> None:
    with screen(torrc) as stage:
        stage.until("/create NAME")
        stage.until("Tor [█░]+ +[0-9]+ %|is ready", PATIENCE)
        stage.type("/create demo\n")
        shown = stage.until(r"^[a-z2-7]{56}\.onion", PATIENCE)
        [code] = [found[0] for row in shown if (found := re.match(r"[a-z2-7]{56}\.onion", row))]
        stage.until("Others can join now", PATIENCE)
        with Peer("--torrc", torrc, "--nick", "ben", "join", code) as ben:
            ben.wait("room")
            stage.until("ben joined", PATIENCE)
            stage.type("hello ben\n")
            ben.said("hello ben")
            ben.send("hello ada")
            stage.until(r"\d\d:\d\d +ben │ hello ada", PATIENCE)
            stage.until(r"\d\d:\d\d +ada │ hello ben", PATIENCE)
            ben.end_input()
            stage.until("ben left", PATIENCE)
        stage.type("/quit\n")
        assert stage.status() == 0
        assert stage.modes == terminal.USUAL


def test_a_room_is_joined_and_outlives_a_tor_that_dies(torrc: str) -> None:
    with tor_gate() as gate, Peer("--torrc", torrc, "--nick", "ben", "create", "demo") as ben:
        code = ben.wait("room")["code"]
        ben.wait("reachable")
        with screen(torrc, "join", code, PATH=gate.path) as stage:
            stage.until("try 1.*[0-9]+ s|You are in demo", PATIENCE)
            stage.until("You are in demo as ada, with ben", PATIENCE)
            stage.until("link up", PATIENCE)
            gate.close()  # or else it may be back before anybody looks
            [tor] = list_children(stage.on_pty.process.pid)
            os.kill(tor, signal.SIGKILL)
            stage.until("link (lost|connecting)", PATIENCE)
            stage.type("typed meanwhile\n")
            stage.until(r"^ +… +ada │ typed meanwhile")  # no time: it has no place yet
            gate.open()
            stage.until("link up", PATIENCE)
            stage.until(r"^\d\d:\d\d +ada │ typed meanwhile", PATIENCE)
            ben.said("typed meanwhile")
            ben.send("/close")
            stage.until("The room was closed", PATIENCE)
            stage.key("ctrl c").until("Ctrl-C again")
            stage.key("ctrl c")
            assert stage.status() == 0
            assert stage.modes == terminal.USUAL
