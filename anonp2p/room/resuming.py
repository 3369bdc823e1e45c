"""Whether a request to resume is of a member: the same check for whoever hosts and whoever may."""

from collections.abc import Container

from anonp2p.crypto import identity, suite
from anonp2p.errors import PeerFault
from anonp2p.protocol import handshake
from anonp2p.protocol.requests import ResumeRequest
from anonp2p.room.gate import NotAdmitted
from anonp2p.room.ledger import Ledger
from anonp2p.room.roster import Member


def check_resume_request(
    ledger: Ledger,
    me: bytes,
    service: bytes,
    hello: bytes,
    resume: ResumeRequest,
    removals: Container[bytes] = (),
) -> Member:
    """The member who comes back with this request.

    me: our own id. service: what was dialled. hello: the hash of ours on this very link; without it in the signature, a
    recorded request could be replayed. removals: ids of members who lose their places. Raises NotAdmitted, for one
    reason whatever it is, and after the same work, so that nobody learns who is in. Only who proves to be one who was
    thrown out is told so.
    """
    member = ledger.roster.find_member(resume.member)
    if member is not None and (member.id == me or member.id in removals):
        member = None
    was_kicked = member is None and resume.member in ledger.kicked
    key = ledger.kicked[resume.member] if was_kicked else (member.key if member else ledger.host_key)
    content = handshake.resume_content(hello, resume)
    is_signed = identity.is_signed(identity.RESUME, service, content, resume.signature, key)
    is_usable = can_seal_to(resume.encryption_key)
    if member is None or not (is_signed and is_usable):
        raise NotAdmitted("kicked" if was_kicked and is_signed else "unknown")
    return member


def can_seal_to(encryption_key: bytes) -> bool:
    """Whether anything can be sealed to an encryption key: one where not would make every commit fail."""
    try:
        suite.seal_to_key(encryption_key, b"", b"")
    except PeerFault:
        return False
    return True
