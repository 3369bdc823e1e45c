"""How one link reads the log: what goes over it next, and whether it lags."""

from anonp2p import limits
from anonp2p.errors import PeerFault
from anonp2p.protocol import frames
from anonp2p.protocol.handshake import Channel
from anonp2p.room.log.hashes import ProofReader
from anonp2p.room.log.log import Log


class LogReader:
    """The place of one member's link in the log: what goes over the link next.

    cursor: where it begins. backfill_end: up to this index it is given entries opened, as it has missed them.
    encryption_key: to which its commit shares are sealed; may change. proof: what it is given first, if anything.
    """

    def __init__(
        self,
        log: Log,
        cursor: int,
        member: bytes,
        encryption_key: bytes,
        channel: Channel,
        backfill_end: int | None = None,
        proof: ProofReader | None = None,
    ) -> None:
        self.encryption_key = encryption_key
        self._log = log
        self._cursor = self._sent_up_to = cursor
        self._backfill_end = cursor if backfill_end is None else backfill_end
        self._member = member
        self._channel = channel
        self._taken_at = 0  # `expiries` of the log when data was last taken
        self._end: int | None = None
        self._proof = proof

    @property
    def _is_proving(self) -> bool:
        return self._proof is not None and self._proof.pieces_left > 0

    @property
    def lags(self) -> bool:
        """Whether the log no longer has what comes next."""
        if self._proof is not None and self._proof.pieces_left and self._proof.lags:
            return True
        if self._cursor < self._backfill_end:
            return self._cursor < self._log.oldest
        return self._cursor < self._log.start and not self.is_out

    @property
    def is_through(self) -> bool:
        """Whether there is nothing left to send."""
        return self.is_out or (self._cursor == self._log.sealed_end and not self._is_proving)

    @property
    def is_out(self) -> bool:
        """Whether the member has all that it is to get."""
        return self._end is not None and self._cursor >= self._end

    @property
    def sent_up_to(self) -> int:
        """The index up to which its bytes were sent."""
        return self._sent_up_to

    @property
    def holds_expired(self) -> bool:
        """Whether bytes that are not sent yet contain an expired entry."""
        cursor = self._sent_up_to
        if self._taken_at == self._log.expiries or cursor == self._cursor:
            return False
        while self._log.oldest <= cursor < self._cursor:
            batch = self._log.find_batch(cursor)
            if batch.expired > self._taken_at:
                return True
            cursor = batch.end
        return cursor < self._cursor  # a dropped batch may have had an expired entry

    def stop_at_end(self) -> None:
        """Ends the reader at the present end of the log: later entries are not for this member."""
        self._end = self._log.end

    def mark_sent(self) -> None:
        """Notes that all data taken so far was sent."""
        self._sent_up_to = self._cursor

    def count_batches(self) -> int:
        """How many batches there are left to send, or pieces of a proof."""
        return self._log.count_batches(self._cursor) + (0 if self._proof is None else self._proof.pieces_left)

    def take_data(self, *, single: bool = False) -> bytes:
        """The data to send next, in one piece; empty if there is none. Raises PeerFault when the link lags.

        single: no more than one batch.
        """
        if self.lags:
            raise PeerFault("lagged")
        if self.is_through:
            return b""
        if self._proof is not None and self._is_proving:
            return self._take_proof(self._proof, 1 if single else limits.WRITE_BYTES)
        if self._sent_up_to == self._cursor:
            self._taken_at = self._log.expiries
        if self._cursor >= self._backfill_end:
            end = self._log.sealed_end if self._end is None else self._end
            if single:
                end = min(end, self._log.find_batch(self._cursor).end)
            data, self._cursor = self._log.join_batches(self._cursor, end)
            if data:
                return data
        return self._take_backfill(1 if single else limits.WRITE_BYTES)

    def _take_proof(self, proof: ProofReader, enough: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while proof.pieces_left and size < enough:
            pieces.append(self._channel.seal_frames([frames.ProofFrame(proof.take_steps())]))
            size += len(pieces[-1])
        return b"".join(pieces)

    def _take_backfill(self, enough: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while not (self.is_through or self.lags) and size < enough:
            batch = self._log.find_batch(self._cursor)
            if self._cursor >= self._backfill_end and batch.wire:
                break
            said: list[frames.Frame] = [self._log.backfill_batch(self._cursor)]
            self._cursor = batch.end
            if batch.commit_secret is not None and self._takes_share:
                box = batch.commit_secret.seal_share(self._member, self.encryption_key)
                said.append(frames.CommitShareFrame(box))
            pieces.append(self._channel.seal_frames(said))
            size += len(pieces[-1])
        return b"".join(pieces)

    @property
    def _takes_share(self) -> bool:
        """Whether the member is to get a share of a commit just before the cursor."""
        was_welcomed_later = self._cursor <= self._backfill_end  # its welcome had it
        return not (self.is_out or was_welcomed_later)
