"""Who is let into a room: a host's decision on a stranger's request, before anything of the room is shown."""

from collections.abc import Container

from anonp2p import limits
from anonp2p.crypto import identity, suite
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import frames, handshake
from anonp2p.room.ledger import Ledger
from anonp2p.room.roster import Member


class NotAdmitted(Exception):
    """A stranger is turned away; `reason` is all it is told."""

    def __init__(self, reason: frames.Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


def returning(ledger: Ledger, hello: bytes, resume: frames.Resume) -> Member:
    """The member who comes back with this request.

    hello: the hash of ours on this very link; without it in the signature, a recorded request would do again. Raises
    NotAdmitted for one whose place is gone, for one who is somebody else, and for one to whom nothing can be sealed.
    """
    member = ledger.roster.get(resume.member)
    if member is None or member.id == ledger.host:
        raise NotAdmitted("unknown")
    content = handshake.resume_content(hello, resume)
    if not identity.signed(identity.RESUME, ledger.room, content, resume.signature, member.key):
        raise NotAdmitted("signature")
    _try(resume.leaf)
    return member


def nick_for(ledger: Ledger, hello: bytes, join: frames.Join, unlinked: Container[bytes] = ()) -> str:
    """The nick under which this stranger is let in; a member's, if it is one who dials again. Raises NotAdmitted.

    unlinked: ids of members who have no link, whether they count as away already or not. A nick that only those hold is
    refused as not allowed rather than taken, on which a stranger asks for another one.
    """
    content = handshake.join_content(hello, join)
    if not identity.signed(identity.JOIN, ledger.room, content, join.signature, join.key):
        raise NotAdmitted("signature")
    _try(join.leaf)
    if member := ledger.roster.get(identity.member_id(join.key)):
        if member.id == ledger.host:
            raise NotAdmitted("not-allowed")
        return member.nick
    if ledger.locked:
        raise NotAdmitted("locked")
    if len(ledger.roster) >= limits.MEMBERS:
        raise NotAdmitted("full")
    if join.nick and (not nicks.is_nick(join.nick) or nicks.reserved_word(join.nick)):
        raise NotAdmitted("bad-nick")
    nick = join.nick or ledger.roster.nick_for(join.key)
    if nick is None:
        raise NotAdmitted("nick-taken")
    if join.nick and (holders := holders_of(ledger, nick, b"")):
        absent = all(holder.away or holder.id in unlinked for holder in holders)
        raise NotAdmitted("not-allowed" if absent else "nick-taken")
    return nick


def holders_of(ledger: Ledger, nick: str, member: bytes) -> list[Member]:
    """The members, other than this one, from whose nicks a host keeps this one apart: alike, or else confused with it.

    The rules of a room demand only the former (PROTOCOL.md, 5.1).
    """
    roster = ledger.roster
    alike = [holder for holder in roster.alike(nick) if holder.id != member]
    if not alike and (confused := roster.confused(nick, member)):
        return [confused]
    return alike


def is_refused(ledger: Ledger, nick: str, member: bytes) -> bool:
    """Whether a host keeps a proper nick from this member, as it is reserved or has holders."""
    return bool(nicks.reserved_word(nick) or holders_of(ledger, nick, member))


def _try(leaf: bytes) -> None:
    """A leaf that cannot be sealed to would spoil every commit: only trying tells."""
    try:
        suite.seal_to(leaf, b"", b"")
    except PeerFault:
        raise NotAdmitted("leaf") from None
