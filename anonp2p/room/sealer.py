"""How an entry of ours is signed and sealed, as of one state of the room."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from anonp2p import limits
from anonp2p.crypto import identity, private
from anonp2p.crypto.epoch import COMMIT, ENTRY, OPENING, Epoch, Header
from anonp2p.protocol import bodies
from anonp2p.protocol.packing import pack
from anonp2p.room.contents import entry_content, padded_content
from anonp2p.room.ledger import Ledger
from anonp2p.room.pending import Pending, Sealed, Whisper


@dataclass(slots=True, repr=False)  # not frozen: one is made for each entry
class Sealer:
    """Seals what we write.

    keys: the encryption keys of members that we know, by their hashes. random: gives so many fresh bytes.
    """

    me: identity.Identity
    ledger: Ledger
    epoch: Epoch
    keys: Mapping[bytes, bytes]
    random: Callable[[int], bytes]

    @property
    def epoch_number(self) -> int:
        """The number of the epoch in which it seals."""
        return self.epoch.number

    def key_hash(self, member: bytes) -> bytes | None:
        """The hash of a member's encryption key; None if no member of the room has this id."""
        found = self.ledger.roster.find_member(member)
        return None if found is None else found.key_hash

    def knows_key(self, key_hash: bytes) -> bool:
        """Whether we have the encryption key with this hash."""
        return key_hash in self.keys

    def seal_entry(self, counter: int, pending: Pending) -> Sealed:
        """Seals a pending entry under this counter, with the next key of our ratchet and a fresh salt (4.4).

        A commit is signed alone: its members get it opened.
        Raises PeerFault for a private message if nothing can be sealed to its recipient's encryption key.
        """
        body = self._seal_whisper(pending.body, counter) if isinstance(pending.body, Whisper) else pending.body
        kind = COMMIT if isinstance(body, bodies.CommitBody) else ENTRY
        generation = self.epoch.ratchets[self.me.id].generation if kind == ENTRY else 0
        header = Header(kind, self.me.id, counter, generation, pending.ttl)
        content = self._content(body)
        signed = self._sign(self.epoch.number, header, content)
        sealed = self.epoch.seal_entry(header, signed) if kind == ENTRY else b""
        return Sealed(self.epoch.number, header, content, signed, sealed)

    def sign_opening(self, opening: bodies.OpeningBody) -> Sealed:
        """An entry that begins a term with us as the host: nobody gets it sealed, and it has no counter of ours."""
        header = Header(OPENING, self.me.id, 0)
        content = self._content(opening)
        epoch = self.ledger.epoch  # of the log, of which we may lack the keys
        return Sealed(epoch, header, content, self._sign(epoch, header, content), b"")

    def _content(self, body: bodies.Body) -> bodies.Content:
        return bodies.Content(self.random(limits.SALT), self.ledger.index, self.ledger.digest, body)

    def _sign(self, epoch: int, header: Header, content: bodies.Content) -> bytes:
        """The body: what we say, and our signature."""
        padded = padded_content(content)
        return self.me.sign(identity.ENTRY, entry_content(epoch, header.pack(), padded)) + padded

    def _seal_whisper(self, whisper: Whisper, counter: int) -> bodies.PrivateBody:
        key = self.keys[self.ledger.get_member(whisper.to).key_hash]
        info = private.bind_message(self.ledger.room, self.epoch.number, self.me.id, counter, whisper.to)
        packed = pack(bodies.PrivateText(whisper.text, whisper.reply, whisper.late, whisper.file))
        return bodies.PrivateBody(private.seal_message(key, packed, info))
