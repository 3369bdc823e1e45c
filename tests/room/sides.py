"""Both sides of a room that has fallen apart: logs that anybody continues who may, without links and hosts."""

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, OPENING, Header
from anonp2p.crypto.identity import ENTRY as ENTRY_LABEL
from anonp2p.crypto.identity import Identity
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.field_types import Heir
from anonp2p.room import where
from anonp2p.room.contents import entry_content, padded_content
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.entry_rules import check_entry
from anonp2p.room.ledger import Ledger
from anonp2p.room.replica import Replica
from anonp2p.room.succession import terms

ROOM = RoomKey(b"r" * 32).public
HOST, ANN, BEN, CID, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"c", b"e"))
KEY = b"l" * 32


def heir(who: Identity) -> Heir:
    return Heir(who.id, RoomKey(who.id * 2).public)


class Side:
    """Somebody's log, to which anybody adds what the rules allow."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica

    def signed(self, author: Identity, body: bodies.Body) -> OpenedEntry:
        """The entry that comes next."""
        ledger = self.replica.ledger
        kind = {bodies.CommitBody: COMMIT, bodies.OpeningBody: OPENING}.get(type(body), ENTRY)
        counter = 0 if kind == OPENING else ledger.get_member(author.id).counter + 1
        header = Header(kind, author.id, counter)
        content = bodies.Content(bytes(limits.SALT), ledger.index, ledger.digest, body)
        padded = padded_content(content)
        signature = author.sign(ENTRY_LABEL, entry_content(ledger.epoch, header.pack(), padded))
        return OpenedEntry(header, signature + padded, content=content)

    def says(self, author: Identity, body: bodies.Body) -> None:
        entry, ledger = self.signed(author, body), self.replica.ledger
        assert entry.content is not None
        check_entry(ledger, ledger.get_member(author.id), entry.header, entry.content)
        before = ledger.group_context
        self.replica.apply_entry(ledger.get_member(author.id), entry)
        entry.context = None if ledger.group_context == before else ledger.group_context
        self.replica.room_log.append_entry(entry, ledger, b"sealed")
        self.replica.room_log.seal_batch(bytes(112), 0)

    def talks(self, *authors: Identity) -> None:
        for author in authors:
            self.says(author, bodies.TextBody("hello", action=False, reply=None))

    def begins(self, author: Identity) -> None:
        """This heir begins a term, or the host once more."""
        ledger = self.replica.ledger
        own = {it.member: it.address for it in ledger.heirs} | {ledger.host: ledger.address}
        heirs = [it.member for it in ledger.heirs]
        rank = heirs.index(author.id) if author.id in heirs else None
        number = terms.host_number(ledger.number) if rank is None else terms.heir_number(ledger.number, rank)
        self.says(author, bodies.OpeningBody(number, own[author.id], own[author.id], self.replica.ledger.index + 1))

    def tells(self, other: "Side") -> frames.Where:
        ledger = other.replica.ledger
        return where.tell_where(self.replica, ledger.openings, ledger.index)


def side_from(ledger: Ledger) -> Side:
    """A log that goes on from here."""
    replica = Replica(ledger.room, ANN, suite.EncryptionKeyPair(bytes(32)))
    replica.ledger = ledger
    replica.begin_log(ledger.copy())
    return Side(replica)


def founded() -> Side:
    """A log in which ANN and BEN are heirs, EVE is a member, and CID not there yet."""
    ledger = Ledger(ROOM)
    for who, nick in ((HOST, "host"), (ANN, "ann"), (BEN, "ben"), (EVE, "eve")):
        ledger.add_member(who.key, nick, KEY)
    ledger.host = HOST.id
    ledger.begin_log()
    side = side_from(ledger)
    side.says(HOST, bodies.HeirsBody([heir(ANN), heir(BEN)], entrusts=False))
    return side
