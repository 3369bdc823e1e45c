"""What a message is worth, over the private Tor network: its time, its readers, what of it shows."""

import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from anonp2p.crypto.padding import SIZES
from tests.support.memory import residue
from tests.support.peers import Event, Peer
from tests.support.recording import Recording, recorder
from tests.support.tors import running_tor

pytestmark = pytest.mark.tor

# A Python in whose memory one may look, though all else is as it is.
_DUMPABLE = """
import sys
from anonp2p import cli, hardening
hardening.harden = hardening.wipe_freed
sys.argv[:2] = []  # of `-c -m anonp2p ARGUMENTS`
sys.exit(cli.main())
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def reply(peer: Peer, command: str) -> Event:
    """What a command is answered with."""
    since = len(peer.events)
    peer.send({"id": command, "command": command})
    return peer.wait(answers(command), since=since)


def answers(what: str) -> Callable[[Event], bool]:
    """Whether an event was caused by the input with this id."""
    return lambda event: bool(event.get("re") == what)


def create(stack: ExitStack, *arguments: str, command: str) -> tuple[Peer, str]:
    """A host whose room can be reached, and its code."""
    host = stack.enter_context(Peer(*arguments, "--nick", "hugo"))
    host.send(command)
    code = host.wait("room")["code"]
    host.wait("reachable")
    return host, code


def join(stack: ExitStack, code: str, nick: str, *arguments: str) -> Peer:
    member = stack.enter_context(Peer(*arguments, "--nick", nick, "join", code))
    member.wait("room")
    return member


def test_messages_end_everywhere_in_their_time_and_newcomers_are_shown_what_is_left(
    torrc: str, stack: ExitStack
) -> None:
    own = ("--torrc", torrc)
    host, code = create(stack, *own, command="/create demo --retain 1s:off:off --history 10")
    ada, ben = (join(stack, code, nick, *own) for nick in ("ada", "ben"))
    ada.send("stays")
    ben.said("stays")
    assert reply(ada, "/retain 6s")["data"]["ttl"] == 6
    assert reply(ada, "/retain never")["code"] == "not-allowed"
    ada.send("gone soon")
    shown = [peer.said("gone soon") for peer in (host, ada, ben)]
    assert {(event["seq"], event["ttl"]) for event in shown} == {(shown[0]["seq"], 6)}
    for peer in (host, ada, ben):
        assert peer.wait("expired")["seq"] == shown[0]["seq"]
    assert reply(ada, "/retain off")["data"]["ttl"] is None
    ada.send("stays too")
    host.said("stays too")
    cho = join(stack, code, "cho", *own)
    late = cho.said("stays too")
    assert [text for _, _, text in cho.messages()] == ["stays", "stays too"]
    assert late["history"]
    assert late["at"] == pytest.approx(host.said("stays too")["at"], abs=10)
    cho.send("live")
    assert not ben.said("live")["history"]


def test_private_messages_are_shown_to_two_and_all_have_the_same_words(torrc: str, stack: ExitStack) -> None:
    own = ("--torrc", torrc)
    host, code = create(stack, *own, command="/create demo")
    ada, ben, cho = (join(stack, code, nick, *own) for nick in ("ada", "ben", "cho"))
    everyone = (host, ada, ben, cho)
    ada.wait(lambda event: event["type"] == "joined" and event["nick"] == "cho")  # before that, she knows of no cho
    ada.send("/msg cho for you")
    ada.send("/msg nobody lost?")
    ada.send("for all")
    for peer in everyone:
        peer.said("for all")
    for peer, texts in ((host, ["for all"]), (ben, ["for all"]), (cho, ["for you", "for all"])):
        assert [text for _, _, text in peer.messages()] == texts
    own_copy, theirs = ada.said("for you"), cho.said("for you")
    assert (own_copy["private"], own_copy["to"], own_copy["mine"]) == (True, "cho", True)
    assert (theirs["private"], theirs["nick"], theirs["seq"]) == (True, "ada", own_copy["seq"])
    assert ada.wait("unsent")["text"] == "/msg nobody lost?"
    rooms = [reply(peer, "/verify")["data"]["words"] for peer in everyone]
    assert len(rooms[0]) == 10
    assert rooms == [rooms[0]] * 4
    words = reply(ada, "/verify cho")["data"]["words"]
    assert len(words) == 10
    assert reply(cho, "/verify ada")["data"]["words"] == words
    assert reply(ada, "/verify ben")["data"]["words"] != words


def contents(data: bytes) -> list[bytes]:
    """What a stream consists of so far, as whoever sees it can take it apart."""
    found = []
    while len(data) > 2 and len(data) >= (size := 2 + int.from_bytes(data[:2], "big")):
        found.append(data[2:size])
        data = data[size:]
    return found


def test_to_its_tor_a_member_shows_nothing_but_a_few_sizes_whatever_is_said(torrc: str, stack: ExitStack) -> None:
    tor = stack.enter_context(running_tor(torrc))
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="socks-")))
    record = stack.enter_context(recorder(place / "socks", tor.socks))
    host, code = create(stack, "--control", tor.control, command="/create demo --history 5")
    host.send("said before")
    host.said("said before")
    recorded = ("--control", tor.control, "--socks", record.socks)
    ada = join(stack, code, "ada", *recorded)
    ada.said("said before")

    def link() -> Recording:
        return record.recordings[-1]

    def amount() -> int:
        return len(link().up)

    said = {
        "a message": "short",
        "as short in private": "/msg hugo short",
        "another nick": "/nick ada2",
        "long": "long " * 300,
    }
    spent = {}
    for what, line in said.items():
        before = amount()
        ada.send({"id": what, "command": line} if line.startswith("/") else {"id": what, "text": line})
        ada.wait(answers(what))
        spent[what] = amount() - before
    sizes = {"a message": SIZES[0], "another nick": SIZES[0], "as short in private": SIZES[2], "long": SIZES[2]}
    for what, count in spent.items():
        others = count - sizes[what]  # a heartbeat, or a question for an encryption key, may have gone meanwhile
        assert others in (0, SIZES[0], 2 * SIZES[0]), f"{what}: {count}"
    for data in (link().up, link().down):
        assert {2 + len(content) for content in contents(data)} <= set(SIZES)
        for text in (b"short", b"long long", b"said before", b"ada", b"demo", code.encode()):
            assert text not in data


def test_cover_goes_both_ways_though_nothing_is_said(torrc: str, stack: ExitStack) -> None:
    tor = stack.enter_context(running_tor(torrc))
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="socks-")))
    record = stack.enter_context(recorder(place / "socks", tor.socks))
    _, code = create(stack, "--control", tor.control, command="/create demo")
    ada = join(stack, code, "ada", "--control", tor.control, "--socks", record.socks, "--cover")
    assert [event["rate"] for event in ada.events if event["type"] == "cover"] == [480]  # bytes a second
    up, down = (len(contents(getattr(record.recordings[-1], way))) for way in ("up", "down"))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:  # more than beats alone would do for minutes: then it has happened
        recording = record.recordings[-1]
        if min(len(contents(recording.up)) - up, len(contents(recording.down)) - down) >= 10:
            break
        time.sleep(0.2)
    else:
        raise AssertionError("no cover")
    assert {2 + len(content) for content in contents(record.recordings[-1].up)[1:]} == {SIZES[0]}
    assert ada.messages() == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_has_expired_is_in_no_members_memory(torrc: str, stack: ExitStack, tmp_path: Path) -> None:
    python = tmp_path / "dumpable-python"
    command = shlex.join([sys.executable, "-c", _DUMPABLE])
    python.write_text(f'#!/bin/sh\nPYTHONMALLOC=debug exec {command} "$@"\n')
    python.chmod(0o700)
    patch = pytest.MonkeyPatch()
    stack.callback(patch.undo)
    patch.setattr(sys, "executable", str(python))
    own = ("--torrc", torrc)
    host, code = create(stack, *own, command="/create demo")
    ada, ben = (join(stack, code, nick, *own) for nick in ("ada", "ben"))
    kept, short, never = (f"{what} " + os.urandom(20).hex() for what in ("kept", "short", "never"))
    for time_to_live, text in (("off", kept), ("5s", short), ("never", never)):
        reply(ada, f"/retain {time_to_live}")
        ada.send(text)
        for peer in (host, ada, ben):
            peer.said(text)
    for peer in (host, ada, ben):
        peer.wait("expired")
    for number in range(20):  # what stands on the stacks of C is overwritten by what is done next
        host.send(f"and another {number}")
        for peer in (host, ada, ben):
            peer.said(f"and another {number}")
    for peer in (host, ada, ben):
        for text in (short, never):
            assert residue(peer.process.pid, text.split()[1].encode()) == 0
    assert residue(host.process.pid, kept.split()[1].encode()) > 0, "what is kept is not found either"
