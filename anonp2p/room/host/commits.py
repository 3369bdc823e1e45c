"""When an epoch ends, which members the commit removes, and its secret, which only the others get."""

from collections.abc import Iterable

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.crypto.commit import CommitSecret
from anonp2p.crypto.epoch import Epoch
from anonp2p.protocol import bodies
from anonp2p.room.context import Context
from anonp2p.room.host.presence import Presence
from anonp2p.room.host.sequencer import Sequencer
from anonp2p.room.rights import list_ordered_out
from anonp2p.room.token_bucket import TokenBucket


class Commits:
    """Begins epochs: after a while, and soon if somebody who is out still has the keys of the present one."""

    def __init__(self, context: Context, sequencer: Sequencer, presence: Presence) -> None:
        self._context = context
        self._clock = context.clock
        self._replica = context.replica
        self._sequencer = sequencer
        self._presence = presence
        self._removals: set[bytes] = set()  # members whom the next commit removes
        self._somebody_left = False  # who still has this epoch's keys
        self._committed_at = 0.0
        self._commits = TokenBucket(limits.COMMIT_BUCKET, limits.COMMIT_RATE)  # that those who leave may cause
        self._pause = limits.COMMIT_PAUSE  # seconds after the last commit in which nobody's leaving causes another one
        self._renewed_at = 0.0  # when a commit last let members renew their encryption keys
        self._renewable = 0
        self._secrets: list[tuple[float, int]] = []  # when to forget the secret of which epoch's commit

    @property
    def pending_removals(self) -> frozenset[bytes]:
        """The members whom the next commit removes."""
        return frozenset(self._removals)

    @property
    def renewable(self) -> int:
        """How many commits have let the members renew their encryption keys."""
        return self._renewable

    @property
    def secrets_kept_until(self) -> list[float]:
        """When (`Now.tick`) the secrets of commits are forgotten that are still kept."""
        return [until for until, _ in self._secrets]

    @property
    def _somebody_is_out(self) -> bool:
        """Whether somebody who is out, or about to be, has the keys of this epoch."""
        return self._somebody_left or bool(self._removals)

    @property
    def _due(self) -> float:
        if self._somebody_is_out:
            return self._committed_at + self._pause
        is_small = len(self._replica.ledger.roster) <= limits.RENEWING
        return (self._renewed_at if is_small else self._committed_at) + limits.EPOCH

    def next_deadline(self) -> float:
        """When (`Now.tick`) an epoch ends or a secret is to be forgotten."""
        return min([self._due, *self.secrets_kept_until])

    def begin(self) -> None:
        """The first epoch has begun."""
        self._committed_at = self._renewed_at = self._clock.tick

    def begin_term(self, opening: bodies.OpeningBody) -> None:
        """A term of ours begins: again, over the members that we have, or in place of a host that is gone.

        In the latter case nobody gets a share of its secret: whoever comes is welcomed.
        """
        ledger, before = self._replica.ledger, self._replica.current_epoch
        is_again = ledger.host == self._replica.me.id
        self._sequencer.open_term(opening)
        secret, digest, members = self._context.random(suite.SECRET), ledger.digest, [it.id for it in ledger.roster]
        if is_again:
            self._replica.epoch, tag = before.follow(secret, digest, members, ledger.epoch)
            self._keep_secret(CommitSecret(ledger.room, ledger.epoch, digest, secret, tag))
        else:
            self._replica.epoch = Epoch.begin_term(ledger.epoch, secret, digest, members)
        self._committed_at = self._clock.tick
        self._sequencer.begin_epoch()

    def begin_again(self, number: int, since: int) -> None:
        """We go on as host in another term, over the members that we have. since: the first entry with its number."""
        ledger = self._replica.ledger
        self.begin_term(bodies.OpeningBody(number, ledger.address, ledger.code, since))

    def _keep_secret(self, secret: CommitSecret) -> None:
        """Links that reach the end of the last batch get their shares of this, for a while."""
        self._sequencer.log.end_epoch(secret)
        self._secrets.append((self._clock.tick + limits.COMMIT_SHARES, secret.epoch))

    def forget_secrets(self) -> None:
        """We host no more: members that lack shares of our commits are welcomed by who does."""
        for _, epoch in self._secrets:
            self._sequencer.log.forget_commit_secret(epoch)
        self._secrets.clear()

    # --- who is out

    def remove_soon(self, member: bytes) -> None:
        """The next commit removes this member, who is away."""
        self._removals.add(member)

    def note_left(self) -> None:
        """Somebody has left, and still has the keys of this epoch."""
        self._somebody_left = True

    def carry_out_orders(self) -> None:
        """Throws out at once whom moderators have ordered out."""
        if self._replica.ledger.rights.orders:
            self._commit_epoch([])

    def make_room(self) -> bool:
        """Removes idle members and pending removals to make room for a newcomer; returns whether there were any.

        All at once, since a commit costs as much for one as for many: those who join and hang up keep no one out, and
        cause no more commits than those who join and leave. Moderators stay: they are not lost so soon.
        """
        if self._clock.tick < self._committed_at + limits.COMMIT_PAUSE:
            return False
        moderators = self._replica.ledger.rights.moderators
        idle = [member for member in self._presence.idle_members() if member not in moderators]
        if not (idle or self._removals):
            return False
        for member in idle:
            if not self._replica.ledger.get_member(member).away:
                self._sequencer.order_own(bodies.AwayBody(member))
        self._commit_epoch(idle)
        return True

    # --- epochs

    def forget_due_secrets(self) -> None:
        """Forgets commit secrets that were kept long enough: members that lack their shares by now are too late."""
        while self._secrets and self._secrets[0][0] <= self._clock.tick:
            self._sequencer.log.forget_commit_secret(self._secrets.pop(0)[1])

    def commit_if_due(self) -> None:
        """Ends the epoch if it is time."""
        if self._clock.tick >= self._due:
            if self._somebody_is_out:
                wait = self._commits.take_tokens(self._clock.tick)
                self._pause = max(limits.COMMIT_PAUSE, wait)
            self._commit_epoch([])

    def _commit_epoch(self, idle: Iterable[bytes]) -> None:
        """Gives fresh secrets to all but these, those whose removal is pending or ordered, and those who have left."""
        ledger = self._replica.ledger
        kicked = {it: bodies.Removal(it, "kicked") for it in list_ordered_out(ledger.rights)}
        lost = {it: bodies.Removal(it, "lost") for it in (*idle, *self._removals) if ledger.roster.find_member(it)}
        gone = list((lost | kicked).values())
        before = self._replica.current_epoch
        renew = self._takes_renewals(len(ledger.roster) - len(gone))
        self._sequencer.end_batch()  # what was said before goes to all in the same bytes, the commit to each in others
        self._sequencer.order_own(bodies.CommitBody(before.number + 1, gone, renew))
        self._sequencer.end_batch()
        secret, digest = self._context.random(suite.SECRET), ledger.digest
        self._replica.epoch, tag = before.follow(secret, digest, [member.id for member in ledger.roster])
        self._keep_secret(CommitSecret(ledger.room, ledger.epoch, digest, secret, tag))
        self._committed_at, self._somebody_left = self._clock.tick, False
        self._removals.clear()
        self._sequencer.begin_epoch()
        for removal in gone:
            self._presence.remove_member(removal.member)
        self._replica.forget_keys()
        if renew:
            self._renewed_at = self._clock.tick
            self._renewable += 1
            self._renew_own_key()

    def _takes_renewals(self, members: int) -> bool:
        """Whether a commit that leaves so many members lets them renew their encryption keys.

        Not more often than epochs end by themselves: anybody can cause a commit, by joining and leaving, and each
        renewal costs all others an entry and a key.
        """
        return members <= limits.RENEWING and self._clock.tick >= self._renewed_at + limits.EPOCH

    def _renew_own_key(self) -> None:
        key = suite.EncryptionKeyPair(self._context.random(suite.SECRET))
        self._replica.own_keys[:] = [key, self._replica.own_keys[0]]  # the old one may be written to yet
        key_hash = suite.hash_data(key.public)
        self._sequencer.order_own(bodies.RenewBody(key_hash))
        self._replica.add_key(key_hash, key.public)
        self._replica.forget_keys()
