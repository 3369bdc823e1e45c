"""What we have of the keys of a private room: that of our invitation, and perhaps the secret from which all come."""

from anonp2p.crypto import invitations
from anonp2p.names import codes
from anonp2p.protocol import appointment
from anonp2p.protocol.field_types import Invited
from anonp2p.protocol.frames import PoolFrame


class Pool:
    """key: of the invitation by which we come in. secret: the pool (PROTOCOL.md, 5d). Each is empty without it.

    In a room that is not private, we have neither, or a key that is of no use.
    """

    def __init__(self, key: bytes = b"", secret: bytes = b"") -> None:
        self._key = key
        self._secret = secret
        self._clients = invitations.list_clients(secret) if secret else ()

    def __repr__(self) -> str:
        return "<Pool>"

    @property
    def is_ours(self) -> bool:
        """Whether we have the pool, and can invite others."""
        return bool(self._secret)

    @property
    def client_key(self) -> bytes:
        """By which our Tor finds the services of the room; empty where we have none, as it is not private."""
        return self._key or (invitations.derive_key(self._secret, 0) if self._secret else b"")

    @property
    def clients(self) -> tuple[bytes, ...]:
        """What our Tor is to know of the pool for each service that we publish: public keys; empty without them."""
        return self._clients

    def take_clients(self, clients: tuple[bytes, ...]) -> None:
        """Our host has told us by what a service of ours is to be found."""
        self._clients = clients

    def take_secret(self, secret: bytes) -> None:
        """Our host has given us the pool."""
        self._secret, self._clients = secret, invitations.list_clients(secret)

    def seal_secret(self, encryption_key: bytes, room: bytes, member: bytes) -> PoolFrame:
        """The pool, for this member alone. Raises PeerFault for an encryption key that takes nothing."""
        return appointment.seal_pool(self._secret, encryption_key, room, member)

    def sign_invited(self, member_key: bytes) -> Invited | None:
        """That we, under this key, come by our invitation; None without one."""
        if not self._key:
            return None
        return Invited(invitations.find_invitation(self._key), invitations.sign_invited(self._key, member_key))

    def find_invitation(self, slot: int) -> bytes:
        """The public key of the invitation in this slot."""
        return invitations.find_invitation(invitations.derive_key(self._secret, slot))

    def spell_code(self, address: bytes, slot: int) -> str:
        """What a guest is given who is to come by the invitation in this slot. address: of the room's code."""
        return codes.Code(address, invitations.derive_key(self._secret, slot)).spell()

    def forget(self) -> None:
        """We are out."""
        self._key, self._secret, self._clients = b"", b"", ()
