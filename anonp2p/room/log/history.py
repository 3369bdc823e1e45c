"""The history that newcomers are shown: the room as it was before it, and the host's log from there on."""

from collections import deque

from anonp2p.protocol import room_state
from anonp2p.room.ledger import Ledger
from anonp2p.room.log.log import Log, LogBatch
from anonp2p.room.log.room_log import replay_entry


class History:
    """Another ledger of the host, behind its own: the room as of the entry after which the history begins.

    ledger: as of the entry before the oldest of the log. policy: how much of the log is shown.
    """

    def __init__(self, ledger: Ledger, policy: room_state.HistoryPolicy) -> None:
        self._ledger = ledger
        self._policy = policy
        self._texts: deque[int] = deque(maxlen=policy.texts)  # indices of the latest messages

    @property
    def index(self) -> int:
        """The index of the entry after which the history begins."""
        return self._ledger.index

    def note_text(self, index: int) -> None:
        """Notes that the entry with this index is a message to all."""
        self._texts.append(index)

    def leave_batches(self, batches: list[LogBatch]) -> None:
        """Moves the beginning behind these batches, which the log has dropped."""
        for batch in batches:
            for index, entry in enumerate(batch.entries, batch.first):
                if index > self._ledger.index:
                    replay_entry(self._ledger, entry)

    def trim_to_policy(self, log: Log) -> None:
        """Moves the beginning behind the entries that the policy does not show any more."""
        begin = log.find_index_since(log.time - self._policy.seconds * 1000) if self._policy.seconds else log.end
        if self._policy.texts:
            begin = self._texts[0] if len(self._texts) == self._policy.texts else 0
        while self._ledger.index + 1 < begin:
            replay_entry(self._ledger, log.find_entry(self._ledger.index + 1))

    def take_snapshot(self) -> room_state.RoomSnapshot:
        """The room as of the beginning of the history."""
        ledger = self._ledger
        members = [room_state.SnapshotEntry(it.key, it.nick, it.counter, it.away, it.key_hash) for it in ledger.roster]
        return room_state.RoomSnapshot(ledger.digest, ledger.epoch, ledger.rights, members, ledger.term)
