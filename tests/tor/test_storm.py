"""A conversation through everything that befalls Tor, all at once, over the private Tor network."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.support.company import differences, log_of, story
from tests.support.peers import Peer
from tests.support.tors import RunningTor, running_tor

pytestmark = pytest.mark.tor

TURNS = 20
TURN = 3.0  # seconds: traffic for a minute
LINES = 4  # of each in a turn
OFFLINE = range(3, 17)  # the turns that one Tor spends without its network: 42 seconds
NEWNYM = {1: "hugo", 7: "ada", 12: "eve"}  # turn: whose Tor gets it
RELOAD = {5: "hugo", 10: "eve", 14: "ada"}
# Whose Tor loses all its circuits. Each twice at most: Tor makes new introduction points for a service, of which it
# has 3 for each of 2 descriptors, 28 times in 5 minutes, and whoever hosts by then could not be reached any more.
CUT = {0: "ada", 2: "mia", 4: "hugo", 6: "eve", 9: "ada", 12: "eve", 15: "hugo", 18: "mia"}
AGREED = 120.0  # seconds in which rooms that a cut has made two are one again
KILLED = 8  # the turn in which somebody's own Tor is killed


@dataclass
class Author:
    """Somebody in the room, and what they have typed. tor: theirs, if it is not one that the program has started."""

    nick: str
    peer: Peer
    tor: RunningTor | None
    typed: list[str] = field(default_factory=list)

    def type(self, lines: int) -> None:
        for _ in range(lines):
            number = len(self.typed)
            self.typed.append(f"{self.nick} {number}")
            self.peer.send({"id": number, "text": self.typed[-1]})

    def links(self) -> list[str]:
        """What became of their link, in order."""
        return [event["state"] for event in self.peer.events if event["type"] == "link"]


def unsettled(authors: dict[str, Author]) -> list[str]:
    """In what the messages that they have, or their places, are not the same; and whose link is not up."""
    away = [f"{author.nick}'s link is not up" for author in authors.values() if author.links()[-1:] not in ([], ["up"])]
    return away + differences({author.nick: log_of(list(author.peer.events)) for author in authors.values()})


@pytest.fixture
def authors(torrc: str) -> Iterator[dict[str, Author]]:
    """Seven in a room: some share a Tor, mia has one to herself, zoe one that her program has started.

    What each was told, messages aside, is printed in the end: a failure is to be understood from it.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        tors = [stack.enter_context(running_tor(torrc)) for _ in range(4)]
        shared = {"hugo": 0, "ada": 1, "ben": 1, "eve": 2, "joe": 2, "mia": 3}
        people: dict[str, Author] = {}
        for nick, tor in [*((nick, tors[at]) for nick, at in shared.items()), ("zoe", None)]:
            way = ("--control", tor.control) if tor else ("--torrc", torrc)
            people[nick] = Author(nick, stack.enter_context(Peer(*way, "--nick", nick)), tor)
        host = people["hugo"].peer
        host.send("/create demo")
        code = host.wait("room")["code"]
        host.wait("reachable")
        for author in people.values():
            if author.peer is not host:
                author.peer.send(f"/join {code}")
        for author in people.values():
            author.peer.wait("room")
        try:
            yield people
        finally:
            for author in people.values():
                told = story(author.peer.events, author.peer.times, began)
                sys.stderr.write("\n  ".join([author.nick, *told]) + "\n")


def test_nothing_is_lost_or_doubled_or_out_of_order_whatever_befalls_tor(authors: dict[str, Author]) -> None:
    """For a minute circuits die, Tors are told NEWNYM and RELOAD, one is killed, one is offline; and everyone types."""
    host, mia, zoe = authors["hugo"], authors["mia"], authors["zoe"]
    assert mia.tor is not None
    began = time.monotonic()
    for turn in range(TURNS):
        time.sleep(max(0.0, began + turn * TURN - time.monotonic()))
        for author in authors.values():
            author.type(LINES)
        if turn in (OFFLINE.start, OFFLINE.stop):
            mia.tor.set_online(online=turn == OFFLINE.stop)
        if turn == KILLED:
            os.kill(zoe.peer.tor(), signal.SIGKILL)
        for name, plan in (("NEWNYM", NEWNYM), ("RELOAD", RELOAD)):
            if (victim := authors[plan[turn]].tor if turn in plan else None) is not None:
                victim.signal(name)
        if (tor := authors[CUT[turn]].tor if turn in CUT else None) is not None:
            tor.close_circuits()

    everything = sum(len(author.typed) for author in authors.values())
    assert everything == len(authors) * TURNS * LINES
    for author in authors.values():
        author.peer.has(everything)
    until = time.monotonic() + AGREED
    while unsettled(authors) and time.monotonic() < until:
        time.sleep(0.5)
    assert not unsettled(authors)
    told = [(place, *line) for place, line in sorted(log_of(host.peer.events).items())]
    for author in authors.values():
        assert [text for _, nick, text in told if nick == author.nick] == author.typed
        receipts = [event["re"] for event in author.peer.events if event["type"] == "message" and event["mine"]]
        assert receipts == list(range(len(author.typed)))
        assert not [event for event in author.peer.events if event["type"] in ("unsent", "error", "gone", "alarm")]
        assert author is host or author.links().count("lost") >= 1
        assert {event["reason"] for event in author.peer.events if event["type"] == "left"} <= {"lost"}
