"""The demo: three copies of the program, each with its own Tor client, in one room on a private Tor network."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tests.support.networks import private_network
from tests.support.peers import Event, Peer, PeerFailed

ROOT = Path(__file__).resolve().parent.parent.parent
DIALOGUE = (
    ("ada", "Hello. Who is there?"),
    ("ben", "Me, through three relays and back."),
    ("eve", "Hi. Nobody but Tor was asked for an account."),
    ("ada", "Nor for a server: this room runs in my process."),
    ("ben", "And when you leave?"),
    ("ada", "Then it is gone, for now. Nothing was ever written down."),
)


def transcript(torrc: str) -> int:
    """Plays the dialogue and prints what happens; 0 if every message arrived at everyone, in one order."""
    with ExitStack() as stack:

        def start(name: str, *arguments: str) -> Peer:
            print(f"$ anonp2p --nick {name} {arguments[0]} …", flush=True)
            return stack.enter_context(Peer("--torrc", torrc, "--nick", name, *arguments))

        ada = start("ada", "create", "demo")
        room = ada.wait("room")
        print(f"ada  | Room created: {room['name']}  code {room['code']}", flush=True)
        ada.wait("reachable")
        print("ada  | Others can join now", flush=True)
        peers = {"ada": ada}
        for name in ("ben", "eve"):
            peers[name] = start(name, "join", room["code"])
            inside = peers[name].wait("room")
            others = ", ".join(member["nick"] for member in inside["members"] if member["nick"] != name)
            print(f"{name}  | In {inside['name']}, with {others}", flush=True)
        for author, text in DIALOGUE:
            peers[author].send({"text": text})
            for name, peer in peers.items():
                heard = peer.said(text)
                print(f"{name}  | {heard['nick']}: {heard['text']}", flush=True)
        seen = {name: peer.messages() for name, peer in peers.items()}
        ada.send("/quit")
        for name in ("ben", "eve"):
            print(f"{name}  | The room is {peers[name].wait('gone')['reason']}", flush=True)
            peers[name].end_input()
        statuses = [peer.result()[0] for peer in peers.values()]
    wanted = [(name, text) for name, text in DIALOGUE]
    alike = all([message[1:] for message in messages] == wanted for messages in seen.values())
    if not alike or len({tuple(messages) for messages in seen.values()}) != 1 or any(statuses):
        print("demo: not every message arrived at everyone", file=sys.stderr)
        return 1
    print(f"Every one of {len(wanted)} messages arrived at all {len(seen)} peers, in one order.")
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
            threading.Thread(target=keep_company, args=(peer, greeting), daemon=True).start()
        program = ROOT / ".venv" / "bin" / "anonp2p"
        print(f"\nTo join from a second terminal:\n  {program} --torrc {torrc} join {code}\n", flush=True)
        input("Press Enter to enter the room here: it fills this terminal. ")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program in front
        return subprocess.run([program, "--torrc", torrc, "join", code], check=False, env=own_state(stack)).returncode


def own_state(stack: ExitStack) -> dict[str, str]:
    """An environment in which the program keeps its Tor's directory apart from the user's."""
    import tempfile

    return {**os.environ, "XDG_STATE_HOME": stack.enter_context(tempfile.TemporaryDirectory(prefix="peer-"))}


def keep_company(peer: Peer, greeting: str) -> None:
    """Greets who joins and answers the first thing that each of them says."""
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
