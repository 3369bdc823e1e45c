"""Which host we follow, told to another side of a split so that it can check it; and the check (PROTOCOL.md, 8.15)."""

from collections.abc import Sequence

from anonp2p.crypto import identity
from anonp2p.crypto.epoch import OPENING, Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames, meeting
from anonp2p.protocol.field_types import Opening
from anonp2p.room.contents import entry_content, unpack_content
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.log.log import LogEntry
from anonp2p.room.log.room_log import replay_entry
from anonp2p.room.replica import Replica
from anonp2p.room.succession import terms
from anonp2p.room.succession.meeting import Challenge


def tell_where(replica: Replica, openings: Sequence[Opening], index: int) -> frames.Where:
    """The host that we follow, or are. openings, index: of the log of the other side, to which it is proven."""
    ledger = replica.ledger
    fork = terms.find_fork(ledger.openings, ledger.index, openings, index)
    proof = [] if fork is None else _prove_term(replica, fork)
    return frames.Where(
        ledger.number, ledger.host, ledger.address, ledger.index, ledger.digest, list(ledger.openings), proof
    )


def check_form(where: frames.Where) -> None:
    """Raises PeerFault for what no log can have, of whatever room."""
    _check_log(where.openings, where.index, where.address)
    expect(where.openings[-1].term == (where.number, where.host), "bad-where")


def _check_log(openings: Sequence[Opening], index: int, address: bytes) -> None:
    expect(terms.are_proper(openings) and openings[-1].index <= index and identity.is_key(address), "bad-where")


def judge_where(replica: Replica, where: frames.Where) -> Challenge | None:
    """What another side says of its host, if its term has a higher number than ours, or the same one.

    None as well where somebody began a term there whom we have thrown out since: the other side need not know that; and
    where a log does not reach back to where they part, so that nothing can be proven. Raises PeerFault for what no log
    of this room can be, and for a false proof. Who has left since the logs parted is on no side.
    """
    ledger, openings = replica.ledger, where.openings
    check_form(where)
    fork = terms.find_fork(ledger.openings, ledger.index, openings, where.index)
    if fork is None:
        raise PeerFault("bad-where")
    if not terms.rivals(openings[-1], ledger.openings[-1]):
        return None
    there = _ledger_at(replica, fork)
    if there is None or not where.proof:
        return None
    first = next(opening for opening in openings if opening.index > fork)
    _check_proof(there, first, where.proof)
    departed = replica.room_log.find_departed(fork)
    if departed.kicked & {opening.host for opening in openings if opening.index > fork}:
        return None
    present = [it.id for it in there.roster if not it.away and it.id not in departed.left]
    return Challenge(where.number, where.host, first.host, present, there.host)


def find_key(replica: Replica, member: bytes, openings: Sequence[Opening], index: int) -> bytes | None:
    """The key of a member of the other side of a split, with this log, if it was one before the logs parted.

    One that was thrown out has none: it is told nothing.
    """
    ledger = replica.ledger
    if member in ledger.kicked:
        return None
    found = ledger.roster.find_member(member)
    if found is None:
        fork = terms.find_fork(ledger.openings, ledger.index, openings, index)
        there = None if fork is None else _ledger_at(replica, fork)
        found = None if there is None else there.roster.find_member(member)
    return None if found is None else found.key


def find_asker(replica: Replica, meet: frames.MeetRequest, service: bytes, hello: bytes) -> bytes | None:
    """The key of who asks where we are; None of a stranger, and of what it has not signed for this link.

    Raises PeerFault for a log that none can be.
    """
    _check_log(meet.openings, meet.index, meet.address)
    key = find_key(replica, meet.member, meet.openings, meet.index)
    return key if key is not None and meeting.is_meet_signed(meet, service, hello, key) else None


def find_shared(replica: Replica, member: bytes, openings: Sequence[Opening], index: int) -> int | None:
    """The index after which a member with this log may be shown ours; None if it may not, or we lack what follows.

    Where its log ends, it may say as it likes: nobody is shown what was before it came.
    """
    ledger, room_log = replica.ledger, replica.room_log
    fork = terms.find_fork(ledger.openings, ledger.index, openings, index)
    if fork is None or fork + 1 < room_log.log.oldest or room_log.has_joined_after(member, fork):
        return None
    return fork


def check_signer(
    replica: Replica, redirect: frames.RedirectFrame, service: bytes, hello: bytes, member: bytes | None
) -> None:
    """Raises PeerFault for a first answer that neither this member has signed nor the host that it names.

    The latter may answer in place of the former, by a key of the room's code. member: whom we have dialled; None for
    the code, where anybody may answer who is or was a host. Of a host that we do not know, which has joined on another
    side, the onion service is all that we know.
    """
    where = redirect.where
    check_form(where)
    host, *others = (
        find_key(replica, it, where.openings, where.index)
        for it in (where.host, *(replica.ledger.carriers if member is None else (member,)))
    )
    if host is not None:
        meeting.check_redirect(redirect, service, hello, host, *(key for key in others if key is not None))


def _ledger_at(replica: Replica, index: int) -> Ledger | None:
    """The room as of this entry, if our log reaches back to it; not to be changed."""
    return replica.ledger if index == replica.ledger.index else replica.room_log.ledger_at(index)


def _prove_term(replica: Replica, fork: int) -> list[frames.SignedEntry]:
    """Entries that prove the first term that was begun after this entry; none if there is none, or we lack them."""
    first = next((opening for opening in replica.ledger.openings if opening.index > fork), None)
    there = None if first is None else replica.room_log.ledger_at(fork)
    if first is None or there is None:
        return []
    is_member = there.roster.find_member(first.host) is not None
    may_begin = first.host in {there.host, *(heir.member for heir in there.heirs)}
    joined: list[frames.SignedEntry] = []
    named: list[frames.SignedEntry] = []
    log = replica.room_log.log
    while there.index + 1 < first.index:
        entry = log.find_entry(there.index + 1)
        match _body_of(entry):
            case bodies.JoinedBody(key=key) if not is_member and identity.member_id(key) == first.host:
                joined = [_signed(there, entry)]
            case bodies.HeirsBody(heirs=heirs) if not may_begin and first.host in {heir.member for heir in heirs}:
                named = [_signed(there, entry)]
        replay_entry(there, entry)
    return [*joined, *named, _signed(there, log.find_entry(first.index))]


def _body_of(entry: LogEntry) -> bodies.Body | None:
    return unpack_content(entry.body).body if entry.body else None


def _signed(before: Ledger, entry: LogEntry) -> frames.SignedEntry:
    return frames.SignedEntry(before.epoch, entry.header, entry.body)


def _check_proof(there: Ledger, first: Opening, proof: Sequence[frames.SignedEntry]) -> None:
    """Raises PeerFault unless this proves that one who might has begun the term. there: the room where logs part."""
    keys = {member.id: member.key for member in there.roster} | {there.host: there.host_key}
    may_begin = {there.host, *(heir.member for heir in there.heirs)}
    for entry in proof[:-1]:
        header, content = _open_signed(there.room, entry, keys)
        expect(header.author == there.host and content.index >= there.index, "unproven-term")
        match content.body:
            case bodies.JoinedBody(key=key):
                keys.setdefault(identity.member_id(key), key)
            case bodies.HeirsBody(heirs=heirs):
                may_begin.update(heir.member for heir in heirs)
            case _:
                raise PeerFault("unproven-term")
    header, content = _open_signed(there.room, proof[-1], keys)
    if header.kind != OPENING or not isinstance(content.body, bodies.OpeningBody):
        raise PeerFault("unproven-term")
    begun = content.body.number, header.author, content.index + 1
    expect(begun == (first.number, first.host, first.index) and header.author in may_begin, "unproven-term")
    expect(content.index != there.index or content.digest == there.digest, "unproven-term")


def _open_signed(room: bytes, entry: frames.SignedEntry, keys: dict[bytes, bytes]) -> tuple[Header, bodies.Content]:
    """What one of these members has signed. Raises PeerFault."""
    header = Header.unpack(entry.header)
    signature, signed = entry.body[: identity.SIGNATURE], entry.body[identity.SIGNATURE :]
    key = keys.get(header.author, b"")
    content = entry_content(entry.epoch, entry.header, signed)
    expect(identity.is_signed(identity.ENTRY, room, content, signature, key), "unproven-term")
    return header, unpack_content(entry.body)
