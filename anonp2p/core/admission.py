"""Who is let into a room: a host's decision on a stranger's request, before anything of the room is shown."""

from anonp2p import limits
from anonp2p.core import frames, identity, names
from anonp2p.core.ledger import Ledger
from anonp2p.core.log import Log


class NotAdmitted(Exception):
    """A stranger is turned away; `reason` is all it is told."""

    def __init__(self, reason: frames.Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def resumption(ledger: Ledger, log: Log, nonce: bytes, resume: frames.Resume) -> tuple[bytes, int | None]:
    """The member who comes back with this request, and where in the log it goes on; None if it needs a new welcome.

    Raises NotAdmitted for one whose place is gone, and for one who is somebody else.
    """
    member = ledger.roster.get(resume.member)
    if member is None or member.id == ledger.host:
        raise NotAdmitted("unknown")
    position = resume.index.to_bytes(8, "big") + resume.digest
    if not identity.signed(identity.RESUME, ledger.room, nonce + position, resume.signature, member.key):
        raise NotAdmitted("signature")
    return member.id, log.cursor_after(resume.index, resume.digest)


def nick_for(ledger: Ledger, nonce: bytes, join: frames.Join) -> str:
    """The nick under which this stranger is let in; a member's, if it is one who dials again. Raises NotAdmitted.

    nonce: what our hello on this very link held: without it in the signature, a recorded request would do again.
    """
    if not identity.signed(identity.JOIN, ledger.room, nonce + join.nick.encode(), join.signature, join.key):
        raise NotAdmitted("signature")
    if member := ledger.roster.get(identity.member_id(join.key)):
        if member.id == ledger.host:
            raise NotAdmitted("not-allowed")
        return member.nick
    if len(ledger.roster) >= limits.MEMBERS:
        raise NotAdmitted("full")
    if join.nick and not names.is_nick(join.nick):
        raise NotAdmitted("bad-nick")
    nick = join.nick or ledger.roster.nick_for(join.key)
    if nick is None or ledger.roster.is_taken(nick, b""):
        raise NotAdmitted("nick-taken")
    return nick
