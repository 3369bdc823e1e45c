"""Welcomes: the state of a room, sealed to the member that the host admits (PROTOCOL.md, 7)."""

from collections.abc import Callable

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import Epoch
from anonp2p.crypto.ratchet import Chain
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames


def seal(
    state: frames.State,
    leaf: bytes,
    room: bytes,
    hello: bytes,
    key: bytes,
    sign: Callable[[bytes, bytes], bytes],
) -> list[frames.Frame]:
    """The frames of a welcome. key: 32 random bytes; sign: makes the host's signature.

    Raises PeerFault for an invalid encryption key.
    """
    packed = frames.pack(state)
    text = suite.Key(key).seal(0, sign(identity.WELCOME, hello + suite.digest(packed)) + packed)
    parts = [text[at : at + limits.PAGE] for at in range(0, len(text), limits.PAGE)]
    box = suite.seal_to(leaf, key, _info(room, hello))
    return [frames.Welcome(box, len(parts)), *map(frames.Page, parts)]


class Arrival:
    """Collects the pages of a welcome. Their number and the length of a frame bound what it holds."""

    def __init__(self, welcome: frames.Welcome, leaf: suite.LeafKey, room: bytes, hello: bytes) -> None:
        self._key = suite.Key(_proper(leaf.open(welcome.box, _info(room, hello))))
        self._missing = welcome.pages
        self._parts: list[bytes] = []
        self._room = room
        self._hello = hello

    def take(self, page: frames.Page) -> frames.State | None:
        """Takes the next page; returns the state of the room with the last one. Raises PeerFault."""
        if not self._missing:
            raise PeerFault("a page too many")
        self._parts.append(page.part)
        self._missing -= 1
        if self._missing:
            return None
        text = self._key.open(0, b"".join(self._parts))
        if text is None:
            raise PeerFault("a welcome that does not open")
        signature, packed = text[: identity.SIGNATURE], text[identity.SIGNATURE :]
        state: frames.State = frames.unpack(frames.State, packed)
        host = next((seat.key for seat in state.seats if identity.member_id(seat.key) == state.host), b"")
        content = self._hello + suite.digest(packed)
        if not (host and identity.signed(identity.WELCOME, self._room, content, signature, host)):
            raise PeerFault("a welcome that its host did not sign")
        return state


def epoch_of(state: frames.State) -> Epoch:
    """The epoch of a welcome."""
    chains = {identity.member_id(seat.key): Chain(seat.link, seat.generation) for seat in state.seats}
    return Epoch(state.epoch, state.init, state.log_key, state.newcomers, chains)


def _info(room: bytes, hello: bytes) -> bytes:
    return suite.label("welcome") + room + hello


def _proper(key: bytes) -> bytes:
    if len(key) != suite.SECRET:
        raise PeerFault("a key of no proper length")
    return key
