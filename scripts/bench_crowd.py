"""The members that scripts/bench puts into a room: hundreds in one process, each with a real handshake.

Afterwards they only count the entries that arrive, and hash them: what a member's own work would cost is not measured
here. One loop over epoll; nothing waits for ever.
"""

import hashlib
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from anonp2p import limits
from anonp2p.core import frames, identity

READ = 256 * 1024
SEND = 64 * 1024  # bytes that the kernel takes from a member: what is sent is to be at the host, not on its way
DIALLING = limits.HALF_OPEN // 2  # links in handshake at once
RETRY = 0.001  # seconds until what the host did not take is sent again
QUIET = 0.2  # seconds without anything to read: everything has arrived
_ENTRY: Any = frames.Entry.__struct_config__.tag
BEAT = frames.encode(frames.Beat())


class BenchFailed(Exception):
    """What was measured is not as it has to be."""


class Member:
    """A member's end of a link. Counts since `mark`."""

    def __init__(self, port: int, room: bytes, number: int) -> None:
        self.me = identity.Identity(os.urandom(32), room)
        self.nick = f"m{number}"
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND)
        self.socket.setblocking(False)
        self.welcome = False
        self.ended = False
        self.reads = True
        self.counter = 0
        self.out = b""  # what the host has not taken yet
        self.watched = b""  # bytes to look out for; `seen` is when they came, and then there are none
        self.seen = 0.0
        self._rest = b""
        self.mark()

    def mark(self) -> None:
        """Counts anew."""
        self.entries = 0
        self.hash = hashlib.sha256()

    def text(self, text: str) -> bytes:
        """A signed message as it goes on the wire, to be sent in the order in which they are made."""
        self.counter += 1
        content = frames.seal(frames.Content(self.me.id, self.counter, frames.Text(text, False)))
        return frames.encode(frames.Submit(content, self.me.sign(identity.ENTRY, content)))

    def send(self, data: bytes) -> None:
        """Sends, or keeps what the host does not take yet."""
        self.out += data
        try:
            while self.out:
                self.out = self.out[self.socket.send(self.out) :]
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True

    def receive(self) -> int:
        """Takes in what has come; returns how many entries that completed."""
        try:
            data = self.socket.recv(READ)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return 0
        if self._rest:
            data = self._rest + data
        if self.watched and self.watched in data:
            self.watched, self.seen = b"", time.monotonic()
        return self._count(data) if self.welcome else self._meet(data)

    def _count(self, data: bytes) -> int:
        entries = start = at = 0
        last = len(data) - 2
        while at < last:
            end = at + 2 + (data[at] << 8 | data[at + 1])
            if end > last + 2:
                break
            if data[at + 3] == _ENTRY:  # a msgpack array: its length, its tag
                entries += 1
            else:
                self.hash.update(data[start:at])
                start = end
            at = end
        self.hash.update(data[start:at])
        self._rest = data[at:]
        self.entries += entries
        return entries

    def _meet(self, data: bytes) -> int:
        decoder = frames.Decoder(frames.FromHost, limits.FRAME)
        at = 0
        while len(data) - at >= 2 and len(data) >= (end := at + 2 + int.from_bytes(data[at : at + 2], "big")):
            for frame in decoder.feed(data[at:end]):
                self._answer(frame)
            at = end
            if self.welcome:
                return self._count(data[at:])
        self._rest = data[at:]
        return 0

    def _answer(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Hello(nonce=nonce):
                signature = self.me.sign(identity.JOIN, nonce + self.nick.encode())
                self.send(frames.encode(frames.Join(self.me.key, self.nick, signature)))
            case frames.Welcome():
                self.welcome = True
            case frames.Refused(reason=reason):
                raise BenchFailed(f"a member was refused: {reason}")


class Crowd:
    """Members, and the loop that moves what they send and get. seconds: after which BenchFailed is raised."""

    def __init__(self, port: int, room: bytes, seconds: float) -> None:
        self.members: list[Member] = []
        self._port, self._room = port, room
        self._deadline = time.monotonic() + seconds
        self._epoll = select.epoll()
        self._by_descriptor: dict[int, Member] = {}
        self._senders: set[Member] = set()
        self._beaten = time.monotonic()
        self._next_beat = 0

    def close(self) -> None:
        """Hangs up."""
        for member in self.members:
            member.socket.close()
        self._epoll.close()

    def join(self, count: int) -> list[Member]:
        """Lets so many in, as fast as the host takes them."""
        new: list[Member] = []
        while len(new) < count or not all(member.welcome for member in new[-DIALLING:]):
            while len(new) < count and sum(not member.welcome for member in new[-DIALLING:]) < DIALLING:
                member = Member(self._port, self._room, len(self.members))
                self.members.append(member)
                new.append(member)
                self._by_descriptor[member.socket.fileno()] = member
                self._epoll.register(member.socket, select.EPOLLIN)
            self.pump()
        return new

    def ignore(self, member: Member) -> None:
        """From now on this member reads nothing; it goes on to beat."""
        self._epoll.unregister(member.socket)
        member.reads = False

    def pump(self, wait: float = 0.05) -> int:
        """Moves what there is to move; returns how many entries came."""
        now = time.monotonic()
        if now > self._deadline:
            raise BenchFailed("it took too long")
        self._beat(now)
        pending = [member for member in self._senders if member.out]
        for member in pending:
            member.send(b"")
        entries = 0
        ready = self._epoll.poll(RETRY if pending else wait)
        for descriptor, _ in ready:
            member = self._by_descriptor[descriptor]
            entries += member.receive()
            if member.ended:
                if not member.welcome:
                    raise BenchFailed("a member was turned away")
                self._epoll.unregister(descriptor)
                member.reads = False
        return entries

    def until(self, condition: Callable[[], bool]) -> None:
        """Pumps until this holds."""
        while not condition():
            self.pump()

    def send(self, member: Member, data: bytes) -> None:
        """Sends, over as many pumps as it takes."""
        self._senders.add(member)
        member.send(data)

    def settle(self) -> None:
        """Waits for calm, then lets every member count anew."""
        self.calm()
        for member in self.members:
            member.mark()

    def calm(self) -> None:
        """Pumps until everything that is on its way has arrived."""
        quiet = time.monotonic() + QUIET
        while time.monotonic() < quiet:
            if self.pump():
                quiet = time.monotonic() + QUIET

    def _beat(self, now: float) -> None:
        """Each member in turn, all of them within a beat's time."""
        due = int((now - self._beaten) / (limits.BEAT * 0.9) * len(self.members))
        if not due:
            return
        self._beaten = now
        for _ in range(min(due, len(self.members))):
            self._next_beat = (self._next_beat + 1) % len(self.members)
            member = self.members[self._next_beat]
            if member.welcome and not member.ended and not member.out:
                member.send(BEAT)
