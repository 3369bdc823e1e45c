"""The demo: programs, each with its own Tor, in one room on a private Tor network. The room outlives its creator."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
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
    ("ada", "Nor for a server: this room runs in my program."),
    ("ben", "And when you leave?"),
    ("ada", "Then one of you hosts it. See for yourselves."),
)
AFTER = (
    ("eve", "She has gone, and the room is still here."),
    ("ben", "It runs in my program now. The code is the same."),
)
LATER = (
    ("sam", "So I see: I joined with the code that ada gave me."),
    ("ben", "When the last of us leaves, the room is gone. Nothing was ever written down."),
)
ANSWERS = {  # (who says it, to what, the how manieth of that person)
    ("ada", "joined", 1): "Welcome, {}. I host this room.",
    ("ben", "joined", 1): "Hello {}, say something.",
    ("ada", "message", 1): "I read you, {}.",
    ("ben", "message", 1): "So do I, {}. Say something else, and ada will leave.",
    ("ada", "message", 2): "I leave now. The room stays: ben hosts it from here.",
    ("ben", "host", 1): "The room runs in my program now. Its code is the same.",
}


def transcript(torrc: str) -> int:
    """Plays the dialogue and prints what happens; 0 if every message arrived at all who were there, in one order."""
    with ExitStack() as stack:

        def start(name: str, *arguments: str) -> Peer:
            print(f"$ anonp2p --nick {name} {arguments[0]} …", flush=True)
            return stack.enter_context(Peer("--torrc", torrc, "--nick", name, *arguments))

        ada = start("ada", "create", "demo")
        room = ada.wait("room")
        code = room["code"]
        print(f"ada  | Room created: {room['name']}  code {code}", flush=True)
        ada.wait("reachable")
        print("ada  | Others can join now", flush=True)
        peers = {"ada": ada}
        for name in ("ben", "eve"):
            peers[name] = join(name, start(name, "join", code))
        print(f"ada  | {ada.wait(names_an_heir)['heirs'][0]['nick']} takes over if I leave, and has the code's key")
        say(BEFORE, peers)
        print("ada  > /quit", flush=True)
        ada.send("/quit")
        for name in ("ben", "eve"):
            print(f"{name}  | ada left; {peers[name].wait('host')['nick']} hosts the room now", flush=True)
        present = {name: peer for name, peer in peers.items() if name != "ada"}
        say(AFTER, present)
        present["sam"] = join("sam", start("sam", "join", code))
        say(LATER, present)
        print("ben  > /close", flush=True)
        peers["ben"].send("/close")
        for name, peer in present.items():
            print(f"{name}  | Out of the room: {peer.wait('gone')['reason']}", flush=True)
            peer.end_input()
        statuses = [peer.result()[0] for peer in (ada, *present.values())]
    heard = {"ada": BEFORE, "ben": BEFORE + AFTER + LATER, "eve": BEFORE + AFTER + LATER, "sam": LATER}
    seen = {name: peer.messages() for name, peer in {**peers, **present}.items()}
    whole = seen["ben"]
    ordered = all(messages in (whole[: len(messages)], whole[-len(messages) :]) for messages in seen.values())
    alike = all(tuple(message[1:] for message in seen[name]) == messages for name, messages in heard.items())
    if not (alike and ordered) or any(statuses):
        print("demo: not every message arrived at everyone", file=sys.stderr)
        return 1
    print(f"Every one of {len(whole)} messages arrived at all who were there, in one order, over two hosts.")
    return 0


def join(name: str, peer: Peer) -> Peer:
    """Waits until a peer is in the room, and prints who else is."""
    room = peer.wait("room")
    others = ", ".join(member["nick"] for member in room["members"] if member["nick"] != name)
    print(f"{name}  | In {room['name']}, with {others}", flush=True)
    return peer


def names_an_heir(event: Event) -> bool:
    """Whether this event says that somebody can take over, under the same code."""
    return event["type"] == "heirs" and any(heir["holds_key"] for heir in event["heirs"])


def say(lines: Iterable[tuple[str, str]], peers: Mapping[str, Peer]) -> None:
    """Has these peers say these lines, and prints what each of them hears."""
    for author, text in lines:
        peers[author].send({"text": text})
        for name, peer in peers.items():
            heard = peer.said(text)
            print(f"{name}  | {heard['nick']}: {heard['text']}", flush=True)


def converse(torrc: str) -> int:
    """Puts the user into a room with two others; the one who hosts it leaves when the user has said two things."""
    with ExitStack() as stack:
        print("Two others are starting; each has its own Tor.", flush=True)
        ada = stack.enter_context(Peer("--torrc", torrc, "--nick", "ada", "create", "demo"))
        code = ada.wait("room")["code"]
        ada.wait("reachable")
        ben = stack.enter_context(Peer("--torrc", torrc, "--nick", "ben", "join", code))
        ada.wait(names_an_heir)
        for name, peer in (("ada", ada), ("ben", ben)):
            threading.Thread(target=keep_company, args=(peer, name), daemon=True).start()
        program = ROOT / ".venv" / "bin" / "anonp2p"
        print(f"\nTo join from a second terminal:\n  {program} --torrc {torrc} join {code}\n", flush=True)
        input("Press Enter to enter the room here: it fills this terminal. ")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program in front
        return subprocess.run([program, "--torrc", torrc, "join", code], check=False, env=own_state(stack)).returncode


def own_state(stack: ExitStack) -> dict[str, str]:
    """An environment in which the program keeps its Tor's directory apart from the user's."""
    import tempfile

    return {**os.environ, "XDG_STATE_HOME": stack.enter_context(tempfile.TemporaryDirectory(prefix="peer-"))}


def keep_company(peer: Peer, me: str) -> None:
    """Answers what happens, as ANSWERS has it, and leaves when that says so."""
    heard = Counter[tuple[str, str]]()
    at = len(peer.events)
    while True:
        try:
            event = peer.wait(lambda event: event["type"] in ("joined", "message", "host"), 1e6, since=at)
        except PeerFailed:
            return
        at = peer.events.index(event, at) + 1
        kind, nick = event["type"], event["nick"]
        if kind != "host" and nick in ("ada", "ben"):
            continue
        heard[kind, nick] += 1
        answer = ANSWERS.get((me, kind, heard[kind, nick]))
        if answer is not None:
            peer.send({"text": answer.format(nick)})
        if (me, kind, heard[kind, nick]) == ("ada", "message", 2):
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
