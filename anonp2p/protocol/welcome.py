"""Welcomes: the state of a room, sealed to the member that the host admits (PROTOCOL.md, 7)."""

from collections.abc import Callable

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.crypto.epoch import Epoch
from anonp2p.crypto.ratchet import Ratchet
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames, room_state
from anonp2p.protocol.packing import pack, unpack


def seal_welcome(
    state: room_state.RoomState,
    encryption_key: bytes,
    service: bytes,
    hello: bytes,
    key: bytes,
    sign: Callable[[bytes, bytes], bytes],
) -> list[frames.Frame]:
    """The frames of a welcome. service: what was dialled; key: 32 random bytes; sign: makes the host's signature.

    Raises PeerFault for an invalid encryption key.
    """
    packed = pack(state)
    text = suite.Key(key).seal_text(0, sign(identity.WELCOME, hello + suite.hash_data(packed)) + packed)
    parts = [text[at : at + limits.PAGE] for at in range(0, len(text), limits.PAGE)]
    box = suite.seal_to_key(encryption_key, key, _info(service, hello))
    return [frames.WelcomeFrame(box, len(parts)), *map(frames.PageFrame, parts)]


class WelcomeReader:
    """Collects the pages of a welcome. Their number and the length of a frame bound what it holds."""

    def __init__(
        self, welcome: frames.WelcomeFrame, key: suite.EncryptionKeyPair, service: bytes, hello: bytes
    ) -> None:
        self._key = suite.Key(_proper(key.open_sealed(welcome.box, _info(service, hello))))
        self._missing = welcome.pages
        self._parts: list[bytes] = []
        self._service = service
        self._hello = hello

    def take_page(self, page: frames.PageFrame) -> room_state.RoomState | None:
        """Takes the next page; returns the state of the room with the last one. Raises PeerFault."""
        if not self._missing:
            raise PeerFault("extra-page")
        self._parts.append(page.part)
        self._missing -= 1
        if self._missing:
            return None
        text = self._key.open_sealed(0, b"".join(self._parts))
        if text is None:
            raise PeerFault("unreadable-welcome")
        signature, packed = text[: identity.SIGNATURE], text[identity.SIGNATURE :]
        state: room_state.RoomState = unpack(room_state.RoomState, packed)
        host = next(
            (roster_entry.key for roster_entry in state.roster if identity.member_id(roster_entry.key) == state.host),
            b"",
        )
        content = self._hello + suite.hash_data(packed)
        if not (host and identity.is_signed(identity.WELCOME, self._service, content, signature, host)):
            raise PeerFault("unsigned-welcome")
        return state


def make_epoch(state: room_state.RoomState) -> Epoch:
    """The epoch of a welcome."""
    chains = {
        identity.member_id(roster_entry.key): Ratchet(roster_entry.chain_key, roster_entry.generation)
        for roster_entry in state.roster
    }
    return Epoch(state.epoch, state.init_secret, state.log_key, state.newcomer_secret, chains)


def _info(service: bytes, hello: bytes) -> bytes:
    return suite.label("welcome") + service + hello


def _proper(key: bytes) -> bytes:
    if len(key) != suite.SECRET:
        raise PeerFault("key-length")
    return key
