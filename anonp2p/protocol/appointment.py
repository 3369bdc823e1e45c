"""What a host and its heirs tell each other: where an heir can be reached, and the key of the room's code."""

from collections.abc import Iterable
from contextlib import suppress

from anonp2p.crypto import identity, suite
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import frames


def sign_address(key: RoomKey, room: bytes, member: bytes) -> frames.AddressFrame:
    """The onion service with this key is where members of the room reach this member, once it is their host."""
    return frames.AddressFrame(key.public, key.sign(identity.ADDRESS + room + member))


def check_address(said: frames.AddressFrame, room: bytes, member: bytes) -> None:
    """Raises PeerFault for an address whose key has not signed for this member of this room."""
    if not identity.is_signed(identity.ADDRESS, room, member, said.signature, said.address):
        raise PeerFault("unsigned-address")


def seal_room_key(key: RoomKey, encryption_key: bytes, room: bytes, member: bytes) -> frames.EntrustFrame:
    """The key of the room's code, for this member alone. Raises PeerFault for an encryption key that takes nothing."""
    return frames.EntrustFrame(suite.seal_to_key(encryption_key, key.seed, _bind_key(room, member, key.public)))


def open_room_key(
    box: bytes, key_pairs: Iterable[suite.EncryptionKeyPair], room: bytes, member: bytes, code: bytes
) -> RoomKey:
    """The key that leads to this code. Raises PeerFault if it is none, or is not for one of our encryption keys."""
    for key_pair in key_pairs:
        try:
            key = RoomKey(key_pair.open_sealed(box, _bind_key(room, member, code)))
        except (PeerFault, ValueError):  # ValueError: a seed of another length
            continue
        if key.public == code:
            return key
    raise PeerFault("wrong-room-key")


def seal_pool(secret: bytes, encryption_key: bytes, room: bytes, member: bytes) -> frames.PoolFrame:
    """The pool of a private room, for this member alone. Raises PeerFault for a key that takes nothing."""
    return frames.PoolFrame(suite.seal_to_key(encryption_key, secret, _bind_pool(room, member)))


def open_pool(box: bytes, key_pairs: Iterable[suite.EncryptionKeyPair], room: bytes, member: bytes) -> bytes:
    """The pool that is for one of our encryption keys. Raises PeerFault if there is none in the box."""
    for key_pair in key_pairs:
        with suppress(PeerFault):
            secret = key_pair.open_sealed(box, _bind_pool(room, member))
            if len(secret) == suite.SECRET:
                return secret
    raise PeerFault("wrong-pool")


def _bind_pool(room: bytes, member: bytes) -> bytes:
    return suite.label("pool") + room + member


def _bind_key(room: bytes, member: bytes, code: bytes) -> bytes:
    return suite.label("room key") + room + member + code
