"""Whether what is shown as retracted was retracted: nothing but its author's signature says so (PROTOCOL.md, 5.13)."""

from collections.abc import Iterable

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies
from anonp2p.protocol.batches import RetractedEntry
from anonp2p.room.contents import entry_content, unpack_content
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import Ledger


def is_retracted(ledger: Ledger, shown: RetractedEntry, entries: Iterable[OpenedEntry]) -> bool:
    """Whether the author of an entry has signed a Retract of it.

    ledger: as of the entry before these, among which it is. Its author may have joined among them too.
    """
    try:
        header = Header.unpack(shown.header)
        said = unpack_content(shown.retract_body).body
    except PeerFault:
        return False
    if said != bodies.RetractBody(header.counter):
        return False
    key = _find_key(ledger, header.author, entries)
    signature, content = shown.retract_body[: identity.SIGNATURE], shown.retract_body[identity.SIGNATURE :]
    signed = entry_content(shown.epoch, shown.retract_header, content)
    return key is not None and identity.is_signed(identity.ENTRY, ledger.room, signed, signature, key)


def _find_key(ledger: Ledger, author: bytes, entries: Iterable[OpenedEntry]) -> bytes | None:
    member = ledger.roster.find_member(author)
    if member is not None:
        return member.key
    joined = [entry.content.body for entry in entries if entry.content is not None]
    keys = [body.key for body in joined if isinstance(body, bodies.JoinedBody)]
    return next((key for key in keys if identity.member_id(key) == author), None)
