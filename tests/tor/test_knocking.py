"""People who knock at a room, over the private Tor network: its host has a Tor of its own, the others share one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.peers import Event, Peer
from tests.support.tors import running_tor

pytestmark = pytest.mark.tor

Join = Callable[[str], Peer]


@pytest.fixture
def host(torrc: str) -> Iterator[Peer]:
    """The host of a room in which newcomers wait."""
    with Peer("--torrc", torrc, "--nick", "hugo", "create", "demo", "--knock") as host:
        host.wait("reachable")
        yield host


@pytest.fixture
def join(torrc: str, host: Peer) -> Iterator[Join]:
    """Has somebody knock under a nick."""
    with ExitStack() as stack:
        socks = stack.enter_context(running_tor(torrc)).socks
        code = host.wait("room")["code"]

        def join(nick: str) -> Peer:
            peer = stack.enter_context(Peer("--socks", socks, "--nick", nick, "join", code))
            peer.wait(lambda event: event["type"] == "link" and "knocking" in event)
            return peer

        yield join


def waits(nick: str) -> Callable[[Event], bool]:
    """Whether an event tells that this one, and nobody else, waits."""
    return lambda event: event["type"] == "waiting" and [person["nick"] for person in event["people"]] == [nick]


def test_a_moderator_that_does_not_host_lets_one_in_who_knocks_and_turns_another_away(host: Peer, join: Join) -> None:
    ann = join("ann")
    host.wait(waits("ann"))
    host.send("/admit ann")
    ann.wait("room")
    host.send("/op ann")
    ann.wait("role")
    zoe = join("zoe")
    for moderator in (host, ann):
        assert moderator.wait(waits("zoe"))["count"] == 1
    assert not [event for event in zoe.events if event["type"] == "room"]
    ann.send("/admit zoe")
    assert [person["nick"] for person in zoe.wait("room")["members"]] == ["hugo", "ann", "zoe"]
    zoe.send("hello")
    for peer in (host, ann):
        peer.said("hello")
    bob = join("bob")
    ann.wait(waits("bob"))
    ann.send("/refuse bob")
    assert bob.wait("gone")["reason"] == "refused"
    assert bob.wait("error")["code"] == "refused"
    assert bob.result()[0] != 0
    assert not [event for event in host.events if event["type"] == "joined" and event["nick"] == "bob"]
