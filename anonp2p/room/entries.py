"""An entry of the log without its seal, as all who take it get it."""

from collections.abc import Sequence

from anonp2p.crypto import suite
from anonp2p.crypto.epoch import Header
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.batches import Backfilled, BackfilledEntry, RetractedEntry
from anonp2p.room.contents import unpack_content
from anonp2p.room.ledger import expect
from anonp2p.room.log.log import Retraction


class OpenedEntry:
    """Header and body of an entry, which is empty if the entry has expired; each is hashed and decoded once at most.

    digest: of the body, as it was; None to make it from the body. content: what the body says, if known already.
    context: the group context that it leads to, as the host that ordered it says; None if it leaves that as it is.
    retraction: what has ended it, if its author has. signed: in which epoch and by which key its signature was found to
    be right; None if nobody has looked.
    """

    __slots__ = ("_content", "body", "context", "digest", "header", "retraction", "signed")

    def __init__(
        self, header: Header, body: bytes, digest: bytes | None = None, content: bodies.Content | None = None
    ) -> None:
        self.header = header
        self.body = body
        self.digest = suite.hash_data(body) if digest is None else digest
        self._content = content
        self.context: bytes | None = None
        self.retraction: Retraction | None = None
        self.signed: tuple[int, bytes] | None = None

    @classmethod
    def from_backfill(cls, entry: Backfilled) -> "OpenedEntry":
        """An entry of a backfill. Raises PeerFault."""
        if isinstance(entry, BackfilledEntry):
            expect(bool(entry.body), "entry-without-body")
            return cls(Header.unpack(entry.header), entry.body)
        opened = cls(Header.unpack(entry.header), b"", entry.digest)
        if isinstance(entry, RetractedEntry):
            opened.retraction = Retraction(entry.epoch, entry.retract_header, entry.retract_body)
        return opened

    @property
    def content(self) -> bodies.Content | None:
        """The content of the body; None if it has expired. Raises PeerFault for a malformed body."""
        if self._content is None and self.body:
            self._content = unpack_content(self.body)
        return self._content


def open_missed(missed: frames.BackfillFrame) -> list[OpenedEntry]:
    """The entries of a backfill, at least one. Raises PeerFault."""
    expect(bool(missed.entries), "empty-backfill")
    entries = list(map(OpenedEntry.from_backfill, missed.entries))
    note_contexts(entries, missed.contexts)
    return entries


def note_contexts(entries: Sequence[OpenedEntry], contexts: Sequence[bytes | None]) -> None:
    """Notes to which group contexts the entries lead, as the host says. Raises PeerFault unless it says it of each."""
    expect(len(contexts) == len(entries), "missing-group-context")
    for entry, context in zip(entries, contexts, strict=True):
        entry.context = context
