"""What newcomers are shown of what was said before: a room as it was, to which the host's log leads on."""

from collections import deque

from anonp2p.crypto.epoch import Header
from anonp2p.protocol import frames
from anonp2p.room.ledger import Ledger, content_of
from anonp2p.room.log.log import Burst, Entry, Log


class History:
    """A second ledger of the host's, behind its own: as of the entry after which the history begins.

    ledger: of the empty room. kept: how much of the past is shown.
    """

    def __init__(self, ledger: Ledger, kept: frames.History) -> None:
        self._ledger = ledger
        self._kept = kept
        self._texts: deque[int] = deque(maxlen=kept.texts)  # indices of the latest

    @property
    def index(self) -> int:
        """Of the entry after which it begins."""
        return self._ledger.index

    def note_text(self, index: int) -> None:
        """The entry with this index is a message to all."""
        self._texts.append(index)

    def leave(self, bursts: list[Burst]) -> None:
        """These are in the log no more."""
        for burst in bursts:
            for index, entry in enumerate(burst.entries, burst.first):
                if index > self._ledger.index:
                    self._pass(entry)

    def trim(self, log: Log) -> None:
        """Leaves behind what is not to be shown any more."""
        begin = log.since_time(log.time - self._kept.seconds * 1000) if self._kept.seconds else log.end
        if self._kept.texts:
            begin = self._texts[0] if len(self._texts) == self._kept.texts else 0
        while self._ledger.index + 1 < begin:
            self._pass(log.entry(self._ledger.index + 1))

    def _pass(self, entry: Entry) -> None:
        header = Header.unpack(entry.header)
        author = self._ledger.member(header.author)
        content = content_of(entry.body) if entry.body else None
        self._ledger.take(author, header, content, entry.digest)

    def base(self) -> frames.Base:
        """The room as of there."""
        ledger = self._ledger
        members = [frames.Sitter(it.key, it.nick, it.counter, it.away, it.leaf) for it in ledger.roster]
        return frames.Base(ledger.digest, ledger.epoch, ledger.locked, members)
