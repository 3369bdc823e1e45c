"""Conversations between copies of the program, each with a Tor of its own, over the private Tor network."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from anonp2p import limits
from tests.support.peers import Event, Peer

pytestmark = pytest.mark.tor

Start = Callable[..., Peer]


@pytest.fixture
def start(torrc: str) -> Iterator[Start]:
    """Starts a copy of the program that ends with the test."""
    with ExitStack() as stack:

        def start(*arguments: str) -> Peer:
            return stack.enter_context(Peer("--torrc", torrc, *arguments))

        yield start


def room_of(start: Start, *members: str) -> list[Peer]:
    """A reachable room: its host, then its members, all in."""
    host = start("--nick", "hugo", "create", "demo")
    code = host.wait("room")["code"]
    host.wait("reachable")
    joined = [start("--nick", nick, "join", code) for nick in members]
    for member in joined:
        member.wait("room")
    for _ in members:
        host.wait(lambda event: event["type"] == "joined")
    return [host, *joined]


def gone(peer: Peer) -> str:
    reason: str = peer.wait("gone")["reason"]
    return reason


def test_nick_changes_and_leaving_are_seen_by_all(start: Start) -> None:
    host, ada, ben = room_of(start, "ada", "ben")
    ada.send({"id": "n", "command": "/nick Ada.2"})
    for peer in (host, ada, ben):
        assert peer.wait("nick")["was"] == "ada"
    assert next(event for event in ada.events if event["type"] == "nick")["re"] == "n"
    ben.send({"id": 1, "command": "/nick ADA.2"})
    assert ben.wait("error") == {
        "type": "error",
        "code": "nick-taken",
        "text": "That nick, or one that looks like it, is taken in this room: choose another.",
        "room": "r1",
        "re": 1,
    }
    ada.send("/leave")
    assert gone(ada) == "left"
    for peer in (host, ben):
        left: Event = peer.wait("left")
        assert (left["nick"], left["reason"]) == ("Ada.2", "left")
    ben.send({"id": 2, "command": "/who"})
    assert [person["nick"] for person in ben.wait("reply")["data"]] == ["hugo", "ben"]


def test_when_the_host_leaves_everyone_is_told_and_may_go_elsewhere(start: Start) -> None:
    host, ada, ben = room_of(start, "ada", "ben")
    host.send("last words")
    host.send({"id": 5, "command": "/close"})
    for peer in (ada, ben):
        assert gone(peer) == "closed"
        assert [text for _, _, text in peer.messages()] == ["last words"]
    assert host.wait("gone") == {"type": "gone", "room": "r1", "reason": "left", "re": 5}
    ada.send("/create next")
    room = ada.wait(lambda event: event["type"] == "room" and event["room"] == "r2")
    ada.wait(lambda event: event["type"] == "reachable" and event["room"] == "r2")
    ben.send(f"/join {room['code']}")
    assert ben.wait(lambda event: event["type"] == "room" and event["room"] == "r2")["nick"] == "ben"


def test_a_nick_cannot_be_had_twice_and_who_was_killed_is_back_at_once_under_the_next(start: Start) -> None:
    host, ada = room_of(start, "ada")
    code = host.wait("room")["code"]
    double = start("--nick", "ADA", "join", code)
    assert gone(double) == "refused"
    assert double.result()[0] == 4
    ada.process.kill()
    again = start("--nick", "ada", "join", code)
    assert again.wait("room")["nick"] == "ada-2"
    assigned = again.wait("assigned-nick")
    assert (assigned["nick"], assigned["wanted"], assigned["free_in"]) == ("ada-2", "ada", 600)
    again.send("back")
    host.said("back")
    left = host.wait("left")
    assert (left["nick"], left["reason"]) == ("ada", "lost")


def test_a_room_that_is_gone_is_unreachable(start: Start) -> None:
    (host,) = room_of(start)
    code = host.wait("room")["code"]
    host.send("/quit")
    assert host.result() == (0, "")
    late = start("join", code)
    late.send("for nobody")
    # Now and then its introduction points go on taking calls for minutes: then no try gets an answer, and all are made.
    longest = limits.DIAL_PATIENCE + 2 * limits.DIAL_TRIES[-1]
    assert late.wait("unsent", longest)["text"] == "for nobody"
    assert gone(late) == "lost"
    status, sentence = late.result()
    assert status == 4
    assert sentence.startswith("anonp2p: The room could not be reached: ")


def test_the_end_of_input_sends_what_was_typed_then_leaves(start: Start) -> None:
    (host,) = room_of(start)
    code = host.wait("room")["code"]
    piped = start("join", "-")
    for line in (code.removesuffix(".onion").upper(), "one", '{"text": "two\\nlines"}', "//three"):
        piped.send(line)
    piped.end_input()
    assert piped.result() == (0, "")
    assert host.wait("left")["reason"] == "left"
    assert [text for _, _, text in host.messages()] == ["one", "two\nlines", "/three"]


def test_a_hosts_tor_that_dies_is_started_again_and_everyone_is_back(start: Start) -> None:
    host, ada, ben = room_of(start, "ada", "ben")
    os.kill(host.tor(), signal.SIGKILL)
    for author in (host, ada, ben):
        author.send(f"{author.wait('room')['nick']} after the death of the host's")
    for reader in (host, ada, ben):
        for nick in ("hugo", "ada", "ben"):
            reader.said(f"{nick} after the death of the host's")
    assert host.messages() == ada.messages() == ben.messages()
    for member in (ada, ben):
        assert "lost" in [event["state"] for event in member.events if event["type"] == "link"]


@pytest.mark.parametrize("way", ["/quit", "SIGINT"])
def test_quitting_works_while_tor_hangs(start: Start, way: str) -> None:
    host, ada = room_of(start, "ada")
    hung = ada.tor()
    os.kill(hung, signal.SIGSTOP)
    if way == "/quit":
        ada.send("/quit")
    else:
        ada.process.send_signal(signal.SIGINT)
    assert ada.result()[0] == (0 if way == "/quit" else 130)
    assert not Path(f"/proc/{hung}").exists()
    assert host.wait("left")["nick"] == "ada"


def test_our_tor_ends_even_if_we_are_killed(start: Start) -> None:
    (host,) = room_of(start)
    tor = os.pidfd_open(host.tor())
    try:
        host.process.kill()
        assert select.select([tor], [], [], 60)[0], "our Tor outlived us by a minute"
    finally:
        os.close(tor)
