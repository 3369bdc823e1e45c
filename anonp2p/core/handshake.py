"""How a link becomes one that only its two ends read: hello, knock, records (PROTOCOL.md, 2)."""

from collections.abc import Callable
from typing import Any

from anonp2p import limits
from anonp2p.core import frames
from anonp2p.core.epochs import suite
from anonp2p.core.epochs.suite import LeafKey
from anonp2p.errors import PeerFault


class OtherVersion(Exception):
    """The host speaks another version of the protocol."""


class Channel:
    """The records of one link, as one end sends and reads them."""

    def __init__(self, secret: bytes, hello: bytes, *, up: bool) -> None:
        # As bytes, made into one that works for each record: a host has a thousand links, and each would cost 5 KB.
        keys = [suite.expand(secret, name, hello) for name in ("up", "down")]
        self._ours, self._theirs = keys if up else reversed(keys)
        self._accepts: Any = frames.FromHost if up else frames.FromMember
        self._sent = self._read = 0

    def seal(self, frame: frames.Frame) -> bytes:
        """A frame as it goes on the wire, after all that were sealed before."""
        sealed = suite.Key(self._ours).seal(self._sent, frames.pack(frame))
        self._sent += 1
        return frames.on_wire(sealed)

    def open(self, payload: bytes) -> frames.Frame:
        """The next frame of the other end. Raises PeerFault."""
        packed = suite.Key(self._theirs).open(self._read, payload)
        if packed is None:
            raise PeerFault("a record that does not open")
        self._read += 1
        frame: frames.Frame = frames.unpack(self._accepts, packed)
        return frame


class Greeting:
    """A host's side of one handshake: the hello that was said, and the key to what is answered."""

    def __init__(self, nonce: bytes, room: bytes, door: LeafKey) -> None:
        payload = frames.pack(frames.Hello(frames.VERSION, nonce, door.public))
        self.wire = frames.on_wire(payload)
        self.hello = suite.digest(payload)
        self._room = room
        self._door = door

    def open(self, knock: bytes) -> frames.Request:
        """What is asked in a knock. Raises PeerFault."""
        packed = self._door.open(knock, _knocking(self._room, self.hello))
        request: frames.Request = frames.unpack(frames.Request, packed)
        return request


class Door:
    """A host's handshake key, made anew every minute. room: whose; random: gives so many fresh bytes."""

    def __init__(self, room: bytes, random: Callable[[int], bytes]) -> None:
        self._room = room
        self._random = random
        self._leaf: LeafKey | None = None
        self._until = 0.0

    def greet(self, now: float) -> Greeting:
        """For a new link. What was greeted with an older key still opens with it."""
        if self._leaf is None or now >= self._until:
            self._leaf = LeafKey(self._random(suite.SECRET))
            self._until = now + limits.DOOR
        return Greeting(self._random(32), self._room, self._leaf)


def read_hello(payload: bytes) -> tuple[frames.Hello, bytes]:
    """A host's hello, and its hash. Raises PeerFault, OtherVersion."""
    if frames.unpack(frames.AnyHello, payload).version != frames.VERSION:
        raise OtherVersion
    hello: frames.Hello = frames.unpack(frames.Hello, payload)
    return hello, suite.digest(payload)


def knock(request: frames.Request, room: bytes, hello: frames.Hello, digest: bytes) -> bytes:
    """A request as it goes on the wire. digest: the hello's hash. Raises PeerFault for a hello with a bad key."""
    return frames.on_wire(suite.seal_to(hello.door, frames.pack(request), _knocking(room, digest)))


def _knocking(room: bytes, hello: bytes) -> bytes:
    return suite.label("knock") + room + hello


def join_content(hello: bytes, join: frames.Join) -> bytes:
    """What a Join is signed over."""
    return hello + join.link + join.key + suite.digest(join.leaf) + join.nick.encode()


def resume_content(hello: bytes, resume: frames.Resume) -> bytes:
    """What a Resume is signed over."""
    position = resume.epoch.to_bytes(8, "big") + resume.index.to_bytes(8, "big") + resume.digest
    return hello + resume.link + suite.digest(resume.leaf) + position
