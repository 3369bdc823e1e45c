"""What a member is shown of entries that it has missed for good: hashes, which prove that the log is still the same."""

from collections.abc import Sequence
from typing import NamedTuple

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import Header
from anonp2p.errors import PeerFault
from anonp2p.room.context import Context
from anonp2p.room.member.head_check import Head, HeadCheck

_HEADER = 33  # bytes of a step before the hash of the body
_STEP = 65  # bytes of it before the group context


class Position(NamedTuple):
    """A point of a log: the index of an entry, the digest up to there, and the group context to which it leads."""

    at: int
    digest: bytes
    context: bytes


class Receipt(NamedTuple):
    """An entry of ours among those that we have missed. digest: of its body."""

    at: int
    header: Header
    digest: bytes


class Proof:
    """Leads from where we were to where a welcome goes on from. head: of the welcome, which covers both.

    end, digest: index of the last entry that is missed for good, and the digest there.
    receipts: entries of ours that were passed by.
    """

    def __init__(
        self, context: Context, heads: HeadCheck, begin: Position, head: Head, end: int, digest: bytes
    ) -> None:
        self.receipts: list[Receipt] = []
        self._has_false_receipt = False  # whether there is an entry in our name that we have not sent, or one twice
        self._context = context
        self._heads = heads
        self._index, self._digest, self._group_context = begin
        self._end = end
        self._end_digest = digest
        self._head = head
        self._other: Head | None = None  # a head that was signed for another log than this
        self._since_other = bytearray()  # the steps after it

    def take_steps(self, steps: Sequence[bytes]) -> bool:
        """Takes the next steps; returns whether they were the last.

        Raises PeerFault if they lead elsewhere, HostLied if they prove that our host has signed for two logs, or for
        entries of ours that we never sent.
        """
        for step in steps:
            self._take_step(step)
        if self._index < self._end:
            return False
        if (self._index, self._digest) != (self._end, self._end_digest):
            raise PeerFault("proof-of-other-log")
        if self._other is not None:
            raise self._heads.contradict(self._other, self._head, bytes(self._since_other))
        if self._has_false_receipt:
            raise self._heads.blame("entry-never-sent", self._head)
        return True

    def _take_step(self, step: bytes) -> None:
        header, body, context = Header.unpack(step[:_HEADER]), step[_HEADER:_STEP], step[_STEP:]
        if context and (len(context) != len(self._group_context) or context == self._group_context):
            raise PeerFault("other-group-context")
        self._index += 1
        self._group_context = context or self._group_context
        self._digest = identity.extend_log_hash(self._digest, self._index, step[:_HEADER], body, self._group_context)
        if self._other is not None:
            self._since_other += step
        elif other := self._heads.find_other(self._index, self._digest):
            self._other = other
        if header.author == self._context.replica.me.id or self._context.outbox.awaits_receipt(header):
            self._take_receipt(Receipt(self._index, header, body))

    def _take_receipt(self, receipt: Receipt) -> None:
        """No more of them are kept than we have sent, however many steps there are."""
        is_repeated = any(it.header == receipt.header for it in self.receipts)
        if is_repeated or not self._context.outbox.has_sent(receipt.header, receipt.digest):
            self._has_false_receipt = True
        else:
            self.receipts.append(receipt)
