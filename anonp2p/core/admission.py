"""Who is let into a room: a host's decision on a stranger's request, before anything of the room is shown."""

from anonp2p import limits
from anonp2p.core import frames, handshake, identity, names
from anonp2p.core.epochs import suite
from anonp2p.core.ledger import Ledger
from anonp2p.core.roster import Member
from anonp2p.errors import PeerFault


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


def nick_for(ledger: Ledger, hello: bytes, join: frames.Join) -> str:
    """The nick under which this stranger is let in; a member's, if it is one who dials again. Raises NotAdmitted."""
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
    if join.nick and (not names.is_nick(join.nick) or names.reserved_word(join.nick)):
        raise NotAdmitted("bad-nick")
    nick = join.nick or ledger.roster.nick_for(join.key)
    if nick is None or (join.nick and is_refused(ledger, join.nick, b"")):
        raise NotAdmitted("nick-taken")
    return nick


def is_refused(ledger: Ledger, nick: str, member: bytes) -> bool:
    """Whether a host keeps a proper nick from this member, as it is reserved, like another's or confused with one.

    The rules of a room demand that only of the second (PROTOCOL.md, 5.1).
    """
    roster = ledger.roster
    return roster.is_taken(nick, member) or roster.confused(nick, member) is not None or bool(names.reserved_word(nick))


def _try(leaf: bytes) -> None:
    """A leaf that cannot be sealed to would spoil every commit: only trying tells."""
    try:
        suite.seal_to(leaf, b"", b"")
    except PeerFault:
        raise NotAdmitted("leaf") from None
