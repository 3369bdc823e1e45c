"""Keys of private rooms: from one secret, the pool, come those of all invitations (PROTOCOL.md, 5d).

The key of an invitation, 32 bytes, is used twice. Once by Tor, for client authorisation (rend-spec-v3, "Client
authorization"): without its private X25519 key nobody finds where the room's services are. And once for a signature,
by which every member sees that who joins has been invited.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anonp2p import limits
from anonp2p.crypto import identity, suite


def derive_key(pool: bytes, slot: int) -> bytes:
    """The key of the invitation in this slot of a pool."""
    return suite.expand(pool, "pool", slot.to_bytes(2, "big"))


def list_clients(pool: bytes) -> tuple[bytes, ...]:
    """What a Tor is to know of a pool, to let in whoever has a key of it: the X25519 public keys of all slots."""
    keys = (derive_key(pool, slot) for slot in range(limits.INVITATIONS))
    return tuple(X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() for key in keys)


def find_invitation(key: bytes) -> bytes:
    """The Ed25519 public key by which members know the invitation with this key."""
    return _signer(key).public_key().public_bytes_raw()


def sign_invited(key: bytes, member_key: bytes) -> bytes:
    """That the invitation with this key is used by the member with this key: 64 bytes.

    Not bound to the room, which who comes does not know yet: no other room has this invitation.
    """
    return _signer(key).sign(identity.INVITED + member_key)


def is_invited(invitation: bytes, signature: bytes, member_key: bytes) -> bool:
    """Whether the owner of this member key knows the key of the invitation that members know by this public key."""
    return identity.is_signed(identity.INVITED, b"", member_key, signature, invitation)


def _signer(key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(suite.expand(key, "invitation"))
