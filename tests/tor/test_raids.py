"""A raid over the private Tor network, by strangers with a Tor of their own who come back as soon as they are out."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from anonp2p.names import codes
from tests.support.peers import Event, Peer
from tests.support.tors import running_tor

pytestmark = pytest.mark.tor

RAIDERS = 12
OURS = ("hugo", "mia", "ann")

Come = Callable[[str], Peer]


@pytest.fixture
def come(torrc: str) -> Iterator[Come]:
    """Has somebody come to the room of hugo, who hosts it and is the first to be asked for."""
    with ExitStack() as stack:
        socks = stack.enter_context(running_tor(torrc)).socks
        host = stack.enter_context(Peer("--torrc", torrc, "--nick", "hugo", "create", "demo"))
        code = host.wait("room")["code"]
        host.wait("reachable")

        def come(nick: str) -> Peer:
            if nick == "hugo":
                return host
            return stack.enter_context(Peer("--socks", socks, "--nick", nick, "join", code))

        yield come


@pytest.fixture
def begin_raid(torrc: str, come: Come) -> Iterator[Callable[[], None]]:
    """Has strangers come, who say something all the time."""
    code = come("hugo").wait("room")["code"]
    command = [sys.executable, "-m", "tests.bench.strangers"]
    with running_tor(torrc) as tor, subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as raiders:

        def begin() -> None:
            room = codes.parse_code(code).address.hex()
            socks = tor.socks.removeprefix("unix:")
            plan = {"habits": ["raid"], "streams": RAIDERS, "room": room, "code": code, "socks": socks}
            assert raiders.stdin is not None
            raiders.stdin.write(json.dumps(plan) + "\n")
            raiders.stdin.flush()

        try:
            yield begin
        finally:
            raiders.kill()


def is_theirs(event: Event) -> bool:
    """Whether an event is of one of the strangers."""
    return event["type"] in ("joined", "left", "message") and event["nick"] not in OURS


def await_inside(peer: Peer, least: int, most: int) -> None:
    """Returns once so many of the strangers are in the room, as far as a program was told.

    One whose link has broken is there a second time, as it has a new key.
    """

    def is_so(_: Event) -> bool:
        kinds = [event["type"] for event in list(peer.events) if is_theirs(event)]
        return least <= kinds.count("joined") - kinds.count("left") <= most

    peer.wait(is_so)


def test_two_commands_of_a_moderator_that_does_not_host_end_a_raid_and_leave_whom_she_keeps(
    come: Come, begin_raid: Callable[[], None]
) -> None:
    host, mia, ann = ours = [come(nick) for nick in OURS]
    for peer in ours:
        peer.wait("room")
    host.send("/op mia")
    mia.wait("role")
    mia.send("/keep ann")
    ann.wait("kept")
    begin_raid()
    for peer in ours:
        await_inside(peer, RAIDERS, 2 * RAIDERS)
        peer.wait(lambda event: event["type"] == "message" and is_theirs(event))
    mia.send("/raid")
    mia.send("/purge 10m")
    for peer in ours:
        peer.wait("raid")
        await_inside(peer, 0, 0)
    over = [len(peer.events) for peer in ours]
    bob = come("bob")  # who takes as long to be kept out as strangers to come back
    assert bob.wait("error")["code"] == "locked"
    ann.send("it is over")
    for peer, seen in zip(ours, over, strict=True):
        peer.said("it is over")
        assert not [event for event in peer.events[seen:] if is_theirs(event)]
        assert not [event for event in peer.events if event["type"] in ("alarm", "gone")]
