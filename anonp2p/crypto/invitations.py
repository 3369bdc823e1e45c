"""Keys of private rooms: from one secret, the pool, come those of members and all invitations (PROTOCOL.md, 5d).

The key of an invitation, 32 bytes, is used twice. Once by Tor, for client authorisation (rend-spec-v3, "Client
authorization"): without its private X25519 key nobody finds where the room's services are. And once for a signature,
by which every member sees that who joins has been invited.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from anonp2p import limits
from anonp2p.crypto import identity, suite


def derive_key(pool: bytes, slot: int) -> bytes:
    """The key of the invitation in this slot of a pool."""
    return suite.expand(pool, "pool", slot.to_bytes(2, "big"))


def derive_members_key(pool: bytes) -> bytes:
    """By which all members find the room, once they are in."""
    return suite.expand(pool, "members")


def list_clients(pool: bytes) -> tuple[bytes, ...]:
    """What a Tor is to know of a pool, to let in whoever has a key of it: those of all slots, and that of members."""
    keys = (derive_key(pool, slot) for slot in range(limits.INVITATIONS))
    return tuple(find_client(key) for key in (*keys, derive_members_key(pool)))


def find_client(key: bytes) -> bytes:
    """The X25519 public key by which a Tor knows who has this key."""
    return X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()


def is_client(client: bytes) -> bool:
    """Whether these are a proper X25519 public key: by one of small order, everybody would find the service."""
    try:
        _ANYBODY.exchange(X25519PublicKey.from_public_bytes(client))
    except ValueError:
        return False
    return True


_ANYBODY = X25519PrivateKey.from_private_bytes(bytes(32))


def find_invitation(key: bytes) -> bytes:
    """The Ed25519 public key by which members know the invitation with this key."""
    return _signer(key).public_key().public_bytes_raw()


def sign_invited(key: bytes, member_key: bytes, client: bytes) -> bytes:
    """That the invitation with this key is used by the member with this key: 64 bytes.

    client: the public half of the member's return key. Not bound to the room, which who comes does not know yet: no
    other room has this invitation.
    """
    return _signer(key).sign(identity.INVITED + member_key + client)


def is_invited(invitation: bytes, signature: bytes, member_key: bytes, client: bytes) -> bool:
    """Whether the owner of these keys knows the key of the invitation that members know by this public key."""
    return identity.is_signed(identity.INVITED, b"", member_key + client, signature, invitation)


def _signer(key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(suite.expand(key, "invitation"))
