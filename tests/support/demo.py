"""The demo: copies of the program, each with its own Tor, in one room on a private network that its creator leaves."""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.support.networks import private_network
from tests.support.peers import Event, Peer, PeerFailed

ROOT = Path(__file__).resolve().parent.parent.parent
BEFORE = (
    ("ada", "Hello. Who is there?"),
    ("ben", "Me, through three relays and back."),
    ("eve", "Hi. Nobody but Tor was asked for an account."),
    ("ada", "Nor for a server: this room runs in my process."),
    ("ben", "And when you leave?"),
    ("ada", "Then it runs in one of yours, and the code stays. I am off."),
)
AFTER = (
    ("eve", "She is gone, and we still talk."),
    ("ben", "One of our processes hosts the room now."),
)
LAST = (
    ("joe", "Hi, ada gave me this code yesterday."),
    ("ben", "It is still the right one. Nothing was ever written down."),
)
HEIR_SECONDS = 60  # in which the first heir is ready


class Show:
    """Copies of the program that talk, and what is printed of that."""

    def __init__(self, torrc: str, stack: ExitStack) -> None:
        self._torrc = torrc
        self._stack = stack
        self.peers: dict[str, Peer] = {}

    def start(self, name: str, *arguments: str) -> Event:
        """Another one comes in; how it is told."""
        print(f"$ anonp2p --nick {name} {arguments[0]} …", flush=True)
        peer = Peer("--torrc", self._torrc, "--nick", name, *arguments)
        self.peers[name] = self._stack.enter_context(peer)
        return peer.wait("room")

    def join(self, name: str, code: str) -> None:
        """Somebody joins by the code."""
        inside = self.start(name, "join", code)
        others = ", ".join(member["nick"] for member in inside["members"] if member["nick"] != name)
        print(f"{name}  | In {inside['name']}, with {others}", flush=True)

    def play(self, dialogue: Iterable[tuple[str, str]]) -> None:
        """Each says a line once all have seen the line before."""
        for author, text in dialogue:
            self.peers[author].send({"text": text})
            for name, peer in self.peers.items():
                heard = peer.said(text)
                print(f"{name}  | {heard['nick']}: {heard['text']}", flush=True)

    def end(self, name: str) -> bool:
        """Somebody quits; whether their program ends well."""
        peer = self.peers.pop(name)
        peer.send("/quit")
        return peer.result()[0] == 0


def await_heir(host: Peer) -> None:
    """Returns once somebody can take the room over from its host."""
    deadline = time.monotonic() + HEIR_SECONDS
    while time.monotonic() < deadline:
        at = len(host.events)
        host.send("/heirs")
        heirs = host.wait("reply", since=at)["data"]["heirs"]
        if heirs and heirs[0]["ready"] and heirs[0]["holds_key"]:
            return
        time.sleep(0.5)
    raise PeerFailed(f"nobody could take the room over in {HEIR_SECONDS} s")


def transcript(torrc: str) -> int:
    """Plays the dialogues and prints what happens; 0 if every message arrived at everyone, in one order."""
    with ExitStack() as stack:
        show = Show(torrc, stack)
        room = show.start("ada", "create", "demo")
        ada = show.peers["ada"]
        print(f"ada  | Room created: {room['name']}  code {room['code']}", flush=True)
        ada.wait("reachable")
        print("ada  | Others can join now", flush=True)
        for name in ("ben", "eve"):
            show.join(name, room["code"])
        show.play(BEFORE)
        await_heir(ada)
        print("ada  > /quit", flush=True)
        ended_well = show.end("ada")
        for name, peer in show.peers.items():
            print(f"{name}  | ada has left; the host is {peer.wait('host')['nick']}", flush=True)
        show.play(AFTER)
        seen = {name: [message[1:] for message in peer.messages()] for name, peer in show.peers.items()}
        show.join("joe", room["code"])
        show.play(LAST)
        heard = {name: [message[1:] for message in peer.messages()] for name, peer in show.peers.items()}
        host = show.peers["eve"].wait("host")["nick"]
        print(f"{host}  > /close", flush=True)
        show.peers[host].send("/close")
        for name, peer in show.peers.items():
            print(f"{name}  | Out of the room: {peer.wait('gone')['reason']}", flush=True)
        endings = [show.end(name) for name in tuple(show.peers)]
    wanted = [*BEFORE, *AFTER, *LAST]
    whole = seen["ben"] == seen["eve"] == [*BEFORE, *AFTER] and heard["ben"] == heard["eve"] == wanted
    if not whole or heard["joe"] != [*LAST] or not (ended_well and all(endings)):
        print("demo: not every message arrived at everyone", file=sys.stderr)
        return 1
    print(f"Every one of {len(wanted)} messages arrived at all who were there, in one order.")
    return 0


def converse(torrc: str) -> int:
    """Puts the user into a room with two others, one of whom hosts it."""
    with ExitStack() as stack:
        print("Two others are starting; each has its own Tor.", flush=True)
        ada = stack.enter_context(Peer("--torrc", torrc, "--nick", "ada", "create", "demo"))
        code = ada.wait("room")["code"]
        ada.wait("reachable")
        ben = stack.enter_context(Peer("--torrc", torrc, "--nick", "ben", "join", code))
        ben.wait("room")
        for peer, greeting in ((ada, "Welcome, {}. I host this room."), (ben, "Hello {}, say something.")):
            threading.Thread(target=keep_company, args=(peer, greeting, peer is ada), daemon=True).start()
        program = ROOT / ".venv" / "bin" / "anonp2p"
        print(f"\nTo join from a second terminal:\n  {program} --torrc {torrc} join {code}\n", flush=True)
        input("Press Enter to enter the room here: it fills this terminal. ")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program in front
        return subprocess.run([program, "--torrc", torrc, "join", code], check=False, env=own_state(stack)).returncode


def own_state(stack: ExitStack) -> dict[str, str]:
    """An environment in which the program keeps its Tor's directory apart from the user's."""
    import tempfile

    return {**os.environ, "XDG_STATE_HOME": stack.enter_context(tempfile.TemporaryDirectory(prefix="peer-"))}


def keep_company(peer: Peer, greeting: str, leaves: bool) -> None:
    """Greets who joins and answers the first thing that each of them says; leaves: and then leaves the room to them."""
    answered = {"ada", "ben"}
    at = 0
    while True:
        try:
            event: Event = peer.wait(lambda event: event["type"] in ("joined", "message"), 1e6, since=at)
        except PeerFailed:
            return
        at = peer.events.index(event, at) + 1
        if event["nick"] in ("ada", "ben"):
            continue
        if event["type"] == "joined":
            peer.send({"text": greeting.format(event["nick"])})
        elif event["nick"] not in answered:
            answered.add(event["nick"])
            peer.send({"text": f"I read you, {event['nick']}."})
            if leaves:
                await_heir(peer)
                peer.send({"text": "I am off. The room stays, by the same code."})
                peer.send("/quit")


def interrupted(number: int, _: FrameType | None) -> NoReturn:
    """Ends the program by way of its clean-up."""
    sys.exit(128 + number)


def main() -> int:
    """Runs the demo; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--auto", action="store_true", help="print a transcript and end")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    interactive = sys.stdin.isatty() and sys.stdout.isatty() and not arguments.auto
    try:
        with private_network() as torrc:
            return converse(torrc) if interactive else transcript(torrc)
    except (PeerFailed, subprocess.SubprocessError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
