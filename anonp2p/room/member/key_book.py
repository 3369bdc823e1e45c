"""Encryption keys: those of others, asked for at the host, and our own, with which commit shares are opened."""

from msgspec import UNSET

from anonp2p import limits
from anonp2p.crypto import commit, suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames
from anonp2p.room.context import Context
from anonp2p.room.member.uplink import Uplink


class KeyBook:
    """Asks for the encryption keys that we lack, takes the answers, and renews our own key."""

    def __init__(self, context: Context, uplink: Uplink) -> None:
        self._context = context
        self._replica = context.replica
        self._outbox = context.outbox
        self._reporter = context.reporter
        self._uplink = uplink

    def request_missing(self) -> None:
        """In small rooms we know them all, so that the host does not learn from our asking to whom we write."""
        if len(self._replica.ledger.roster) <= limits.RENEWING:
            for member in self._replica.ledger.roster:
                if member.id != self._replica.me.id and member.key_hash not in self._replica.keys:
                    for request in self._outbox.request_key(member.key_hash):
                        self._uplink.send(request)

    def take_found(self, found: frames.KeyResponseFrame) -> None:
        """The host has sent a key. Raises PeerFault if it is none that we asked for."""
        key_hash = suite.hash_data(found.encryption_key)
        self._outbox.end_request(key_hash)
        self._replica.keys[key_hash] = found.encryption_key

    def take_missing(self, missing: frames.KeyNotFoundFrame) -> None:
        """The host does not have a key. Raises PeerFault if we did not ask for it."""
        self._outbox.end_request(missing.key_hash)
        sealer = self._replica.sealer(self._context.random)
        self._reporter.tell_given_back(self._outbox.refuse_unsealable(missing.key_hash, sealer))

    def enter_next_epoch(self, box: bytes) -> None:
        """Opens our share of the latest commit: with it we are in the next epoch. Raises PeerFault."""
        ledger = self._replica.ledger
        at, secret, tag = self._open_commit_share(box, ledger.digest)
        members = [member.id for member in ledger.roster]
        epoch, mine = self._replica.current_epoch.follow(secret, ledger.digest, members, ledger.epoch)
        commit.check_confirmation_tag(mine, tag)
        self._replica.epoch = epoch
        self._forget_keys_before(at)
        self._outbox.begin_epoch()
        self._replica.forget_keys()

    def renew_own_key(self) -> None:
        """Replaces our encryption key."""
        self._replica.own_keys.insert(0, suite.EncryptionKeyPair(self._context.random(suite.SECRET)))
        self._uplink.send(frames.KeyFrame(self._replica.own_keys[0].public))
        self._context.add_entry(bodies.RenewBody(suite.hash_data(self._replica.own_keys[0].public)), None, UNSET)

    def _open_commit_share(self, box: bytes, digest: bytes) -> tuple[int, bytes, bytes]:
        """Which of our keys the host knew when it sealed our share, the fresh secret in it, and the tag."""
        epoch = self._replica.ledger.epoch
        for at, key in enumerate(self._replica.own_keys):
            try:
                room, member = self._replica.ledger.room, self._replica.me.id
                return at, *commit.open_share(box, key, room, member, epoch, digest)
            except PeerFault:
                continue
        raise PeerFault("unreadable-share")

    def _forget_keys_before(self, at: int) -> None:
        """The host knows this key of ours: of those before it, others seal to the one that is in the log."""
        in_log = self._context.own_member.key_hash
        older = [key for key in self._replica.own_keys[at + 1 :] if suite.hash_data(key.public) == in_log]
        self._replica.own_keys[at + 1 :] = older
