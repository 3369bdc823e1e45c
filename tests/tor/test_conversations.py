"""Copies of the program, each with a Tor of its own: what becomes of their rooms when a Tor, or one of them, ends."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from anonp2p import limits
from tests.support.company import await_one_log
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


def retracted(seq: int) -> Callable[[Event], bool]:
    """Whether an event tells that the author of this message has taken it back."""
    return lambda event: event["type"] == "expired" and event["seq"] == seq and event["retracted"]


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
    assert late.wait("gone")["reason"] == "lost"
    status, sentence = late.result()
    assert status == 4
    assert sentence.startswith("anonp2p: The room could not be reached: ")


def test_a_hosts_tor_that_dies_is_started_again_and_everyone_is_back(start: Start) -> None:
    host, ada, ben = room_of(start, "ada", "ben")
    os.kill(host.tor(), signal.SIGKILL)
    for author in (host, ada, ben):
        author.send(f"{author.wait('room')['nick']} after the death of the host's")
    for reader in (host, ada, ben):
        for nick in ("hugo", "ada", "ben"):
            reader.said(f"{nick} after the death of the host's")
    await_one_log(60, host=host, ada=ada, ben=ben)  # one of them may have gone on as host meanwhile
    for member in (ada, ben):
        assert "lost" in [event["state"] for event in member.events if event["type"] == "link"]


def test_what_is_taken_back_ends_for_one_who_is_cut_off_too_and_is_not_shown_later(start: Start) -> None:
    host, ada, ben = room_of(start, "ada", "ben")
    ada.send("shall we?")
    shown = ben.said("shall we?")["seq"]
    ben.send(f"/reply {shown} yes")
    assert [peer.said("yes")["reply"] for peer in (host, ada, ben)] == [shown] * 3
    os.kill(ben.tor(), signal.SIGKILL)
    ben.process.send_signal(signal.SIGSTOP)  # so that it is not back sooner than all that follows is done
    ada.send("not for ben")
    for seq in (shown, host.said("not for ben")["seq"]):
        ada.send(f"/retract {seq}")
        for peer in (host, ada):
            peer.wait(retracted(seq))
    ada.send("after")
    host.said("after")
    ben.process.send_signal(signal.SIGCONT)
    ben.said("after")
    assert [event["seq"] for event in ben.events if event["type"] == "expired"] == [shown]
    assert [text for _, _, text in ben.messages()] == ["shall we?", "yes", "after"]
    ben.send(f"/reply {shown} too late")
    assert ben.wait("unsent")["text"] == f"/reply {shown} too late"


def test_quitting_works_while_tor_hangs(start: Start) -> None:
    host, ada = room_of(start, "ada")
    hung = ada.tor()
    os.kill(hung, signal.SIGSTOP)
    ada.process.send_signal(signal.SIGINT)
    assert ada.result()[0] == 130
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
