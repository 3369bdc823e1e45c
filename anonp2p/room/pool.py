"""What we have of the keys of a private room: that of our invitation, and perhaps the secret from which all come."""

from anonp2p.crypto import invitations
from anonp2p.crypto.identity import Identity
from anonp2p.names import codes
from anonp2p.protocol import appointment
from anonp2p.protocol.field_types import Invited
from anonp2p.protocol.frames import PoolFrame
from anonp2p.room.keyring import Keyring


class Pool:
    """key: of the invitation by which we come in. secret: the pool (PROTOCOL.md, 5d). Each is empty without it.

    In a room that is not private, we have neither, or a key that is of no use. What we are given is of the present pool
    if its key of members is that of the log, which may come before or after it.
    """

    def __init__(self, key: bytes = b"", secret: bytes = b"") -> None:
        self.keyring = Keyring(key)
        self._key = key
        self._secret = b""
        self._clients: tuple[tuple[bytes, ...], ...] = ()  # told last, and of before
        self.members_key: bytes | None = None  # as the log has it
        self._client = b""  # by which a Tor knows it
        if secret:
            self.begin(secret)

    def __repr__(self) -> str:
        return "<Pool>"

    def begin(self, secret: bytes) -> bytes:
        """We host, and this is the pool from now on, with no other keys; returns the key of members."""
        members_key = invitations.derive_members_key(secret)
        self.take_secret(secret)
        self.follow(members_key)
        return members_key

    def follow(self, members_key: bytes | None) -> None:
        """The log has this key of members; None in a room that is not private."""
        if members_key == self.members_key:
            return
        self.members_key = members_key
        self._client = b"" if members_key is None else invitations.find_client(members_key)
        self.keyring.follow(members_key)
        if self._secret and not self.is_ours:
            self._secret = b""

    @property
    def is_ours(self) -> bool:
        """Whether we have the pool, and can invite others."""
        return bool(self._secret) and invitations.derive_members_key(self._secret) == self.members_key

    @property
    def clients(self) -> tuple[bytes, ...]:
        """What our Tor is to know of the pool for each service that we publish: public keys; empty without them."""
        return next((told for told in self._clients if told[-1:] == (self._client,)), ())

    def take_clients(self, clients: tuple[bytes, ...]) -> None:
        """Our host has told us by what a service of ours is to be found.

        Those of the keys that the log has are kept with them: we are found by these, if the host is lost now.
        """
        self._clients = clients, self.clients

    def take_secret(self, secret: bytes) -> None:
        """Our host has given us the pool."""
        self._secret = secret
        self.take_clients(invitations.list_clients(secret))

    def seal_secret(self, encryption_key: bytes, room: bytes, member: bytes) -> PoolFrame:
        """The pool, for this member alone. Raises PeerFault for an encryption key that takes nothing."""
        return appointment.seal_pool(self._secret, encryption_key, room, member)

    def sign_invited(self, me: Identity) -> Invited | None:
        """That we, under this identity, come by our invitation; None without one."""
        if not self._key:
            return None
        client = invitations.find_client(me.return_key)
        signature = invitations.sign_invited(self._key, me.key, client)
        return Invited(invitations.find_invitation(self._key), client, signature)

    def find_invitation(self, slot: int) -> bytes:
        """The public key of the invitation in this slot."""
        return invitations.find_invitation(invitations.derive_key(self._secret, slot))

    def spell_code(self, address: bytes, slot: int) -> str:
        """What a guest is given who is to come by the invitation in this slot. address: of the room's code."""
        return codes.Code(address, invitations.derive_key(self._secret, slot)).spell()

    def forget(self) -> None:
        """We are out."""
        self._key, self._secret, self._clients, self.members_key = b"", b"", (), None
        self.keyring.forget()
