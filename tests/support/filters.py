"""A filter before a Tor's control port, as onion-grater is on Whonix and Tails, by the same kind of profile."""

import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from anonp2p.net.tor.commands import Profile, Rule

NOTHING = Profile({}, {})  # as on Tails, for programs without a profile
STOCK = Profile(  # as on Whonix, without profiles of programs
    {
        "GETINFO": (Rule("status/circuit-established"), Rule("version"), Rule("net/listeners/socks")),
        "SIGNAL": (Rule("NEWNYM"),),
    },
    {kind: (Rule(".*", ""),) for kind in ("STREAM", "SIGNAL", "CONF_CHANGED", "STATUS_SERVER", "CIRC")},
)


class Filter(NamedTuple):
    """A filter that runs. port: its control port, for the program's arguments. asked, told: what went through it."""

    port: str
    asked: list[str]
    told: list[str]


def rewrite(rules: tuple[Rule, ...], line: str, client: str) -> str | None:
    """What is passed on in place of a line, by the first rule that matches; None if there is none."""
    for rule in rules:
        if match := re.fullmatch(rule.pattern, line):
            known = {"client-address": client}
            return line if rule.replacement is None else rule.replacement.format(*match.groups(), **known)
    return None


class _Session(socketserver.StreamRequestHandler):
    """One client, for which a connection of its own to Tor is let in."""

    server: "_Server"

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as tor:
            tor.connect(self.server.control)
            tor.sendall(f"AUTHENTICATE {self.server.cookie.read_bytes().hex()}\r\n".encode())
            replies = tor.makefile("rb")
            replies.readline()
            teller = threading.Thread(target=self._tell, args=(replies,))
            teller.start()
            with suppress(OSError):
                for line in self.rfile:
                    self._take(line.decode().strip(), tor)
            with suppress(OSError):
                tor.shutdown(socket.SHUT_RDWR)
            teller.join()

    def _say(self, *lines: str) -> None:
        with suppress(OSError):
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _take(self, line: str, tor: socket.socket) -> None:
        """Answers a command, or passes it on."""
        word, _, arguments = line.partition(" ")
        profile = self.server.profile
        if word == "PROTOCOLINFO":
            self._say("250-PROTOCOLINFO 1", "250-AUTH METHODS=NULL", '250-VERSION Tor="0.4.9.11"', "250 OK")
            return
        if word == "AUTHENTICATE":
            self._say("250 OK")
            return
        self.server.asked.append(line)
        if word == "SETEVENTS":
            passed = arguments if set(arguments.split()) <= set(profile.events) else None
        else:
            passed = rewrite(profile.commands.get(word, ()), arguments, str(self.client_address[0]))
        if passed is None:
            self._say("510 Command filtered")
        else:
            tor.sendall(f"{word} {passed}\r\n".encode())

    def _tell(self, replies: Iterator[bytes]) -> None:
        """Passes on what Tor says."""
        for line in replies:
            text: str | None = line.decode().rstrip("\r\n")
            assert text is not None
            if text.startswith("650 "):
                text = rewrite(self.server.profile.events[text.split(" ")[1]], text, "")
            if text:
                self.server.told.append(text)
                self._say(text)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, host: str, profile: Profile, control: str, cookie: Path) -> None:
        self.profile = profile
        self.control = control
        self.cookie = cookie
        self.asked: list[str] = []
        self.told: list[str] = []
        super().__init__((host, 0), _Session)


@contextmanager
def running_filter(profile: Profile, control: str, cookie: Path, host: str = "127.0.0.1") -> Iterator[Filter]:
    """A filter that listens at a port of this address. control: Tor's unix socket; cookie: its cookie file."""
    with _Server(host, profile, control, cookie) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Filter(f"{host}:{server.server_address[1]}", server.asked, server.told)
        finally:
            server.shutdown()
            thread.join()
