"""Which host we follow, told to another side of a split so that it can check it; and the check (PROTOCOL.md, 8.15)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import COMMIT, OPENING, Header
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames, meeting
from anonp2p.protocol.field_types import Opening
from anonp2p.protocol.requests import MeetRequest
from anonp2p.room.contents import entry_content, unpack_content
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.replica import Replica
from anonp2p.room.succession import terms
from anonp2p.room.succession.meeting import Challenge


class ProvenHost(NamedTuple):
    """A host of another side. first: its first term that our log lacks, which is proven. key: its own."""

    first: Opening
    key: bytes


def tell_where(replica: Replica, openings: Sequence[Opening], index: int) -> frames.Where:
    """The host that we follow, or are. openings, index: of the log of the other side, to which it is proven."""
    ledger = replica.ledger
    fork = terms.find_fork(ledger.openings, ledger.index, openings, index)
    proof = [] if fork is None else _prove_removal(replica, fork, openings) or _prove_term(replica, fork)
    return _as_where(ledger, proof)


def tell_fork(replica: Replica, openings: Sequence[Opening], index: int) -> frames.Where | None:
    """The host where our log and another with these openings part, which tells nothing that is not in both.

    None if they have nothing in common, or ours does not reach back there, or the other goes no other way.
    """
    fork = terms.find_fork(replica.ledger.openings, replica.ledger.index, openings, index)
    there = None if fork is None else _ledger_at(replica, fork)
    if there is None or openings[-1] in replica.ledger.openings:
        return None
    return _as_where(there, [])


def _as_where(ledger: Ledger, proof: list[frames.SignedEntry]) -> frames.Where:
    openings = list(ledger.openings)
    return frames.Where(ledger.number, ledger.host, ledger.address, ledger.index, ledger.digest, openings, proof)


class _Claim(NamedTuple):
    """What another side says, held against our log. there: the room where the logs part; first: its next term."""

    there: Ledger
    first: Opening


def check_form(where: frames.Where) -> None:
    """Raises PeerFault for what no log can have, of whatever room."""
    _check_log(where.openings, where.index, where.address)
    expect(where.openings[-1].term == (where.number, where.host), "bad-where")


def _check_log(openings: Sequence[Opening], index: int, address: bytes) -> None:
    expect(terms.are_proper(openings) and openings[-1].index <= index and identity.is_key(address), "bad-where")


def judge_where(replica: Replica, where: frames.Where) -> Challenge | None:
    """What another side says of its host, if its term has a higher number than ours, or the same one.

    None as well where nothing is proven, as one of both logs does not reach back, or where each side has thrown out one
    who began a term of the other one. Raises PeerFault for what no log of this room can be, and for a false proof. Who
    has left since the logs parted is on no side.
    """
    ledger, openings = replica.ledger, where.openings
    claim = _read_claim(replica, where)
    if claim is None or not terms.rivals(openings[-1], ledger.openings[-1]):
        return None
    there, first = claim
    departed = replica.room_log.find_departed(there.index)
    is_removed = bool(departed.kicked & _openers_after(there.index, openings))
    is_overruled = _proves_removal(there, ledger.openings, where.proof)
    if not is_overruled:
        _check_proof(there, first, where.proof)
    elif is_removed:
        return None
    present = [it.id for it in there.roster if not it.away and it.id not in departed.left]
    return Challenge(where.number, where.host, first.host, present, there.host, is_removed, is_overruled)


def prove_host(replica: Replica, where: frames.Where) -> ProvenHost | None:
    """Who hosts another side, of whatever term, by the word of somebody whom we do not know.

    None where nothing is proven. Raises PeerFault.
    """
    claim = _read_claim(replica, where)
    if claim is None:
        return None
    key = _check_proof(*claim, where.proof).get(where.host)
    return None if key is None else ProvenHost(claim.first, key)


def _read_claim(replica: Replica, where: frames.Where) -> _Claim | None:
    """None where the other side proves no term that ours lacks, or our log does not reach back. Raises PeerFault."""
    ledger = replica.ledger
    check_form(where)
    fork = terms.find_fork(ledger.openings, ledger.index, where.openings, where.index)
    if fork is None:
        raise PeerFault("bad-where")
    first = next((opening for opening in where.openings if opening.index > fork), None)
    there = _ledger_at(replica, fork) if first is not None and where.proof else None
    return None if first is None or there is None else _Claim(there, first)


def _openers_after(index: int, openings: Sequence[Opening]) -> set[bytes]:
    """Who has begun the terms after this entry."""
    return {opening.host for opening in openings if opening.index > index}


def find_key(replica: Replica, member: bytes, openings: Sequence[Opening], index: int) -> bytes | None:
    """The key of a member of the other side of a split, with this log, if it was one before the logs parted.

    One that was thrown out has none: it is told nothing.
    """
    return None if member in replica.ledger.kicked else _find_member_key(replica, member, openings, index)


def _find_member_key(replica: Replica, member: bytes, openings: Sequence[Opening], index: int) -> bytes | None:
    ledger = replica.ledger
    found = ledger.roster.find_member(member)
    if found is None:
        fork = terms.find_fork(ledger.openings, ledger.index, openings, index)
        there = None if fork is None else _ledger_at(replica, fork)
        found = None if there is None else there.roster.find_member(member)
    return None if found is None else found.key


def find_asker(replica: Replica, meet: MeetRequest, service: bytes, hello: bytes) -> bytes | None:
    """The key of who asks where we are; None of a stranger, and of what it has not signed for this link.

    Raises PeerFault for a log that none can be.
    """
    _check_log(meet.openings, meet.index, meet.address)
    key = find_key(replica, meet.member, meet.openings, meet.index)
    return key if key is not None and meeting.is_meet_signed(meet, service, hello, key) else None


def was_thrown_out(replica: Replica, meet: MeetRequest, service: bytes, hello: bytes) -> bool:
    """Whether who asks where we are has proven to be one who was thrown out, by our log."""
    key = replica.ledger.kicked.get(meet.member)
    return key is not None and meeting.is_meet_signed(meet, service, hello, key)


def find_shared(replica: Replica, member: bytes, openings: Sequence[Opening], index: int) -> int | None:
    """The index after which a member with this log may be shown ours; None if it may not, or we lack what follows.

    Where its log ends, it may say as it likes: nobody is shown what was before it came.
    """
    ledger, room_log = replica.ledger, replica.room_log
    fork = terms.find_fork(ledger.openings, ledger.index, openings, index)
    if fork is None or fork + 1 < room_log.log.oldest or room_log.has_joined_after(member, fork):
        return None
    return fork


def has_known_signer(
    replica: Replica, redirect: frames.RedirectFrame, service: bytes, hello: bytes, member: bytes | None
) -> bool:
    """Whether somebody whom we know has signed a first answer: this member, the host that it names, or a carrier.

    Others may answer in place of who was dialled, whose address may have been the room's code: others have had its key,
    who may have been carriers on another side, of which we know nothing. member: whom we have dialled, if we know. Of a
    host that has joined on another side, the key may be in the proof. Raises PeerFault for what no log can be.
    """
    where = redirect.where
    check_form(where)
    signers = dict.fromkeys((where.host, member or where.host, *replica.ledger.carriers))
    for signer in signers:
        key = _find_member_key(replica, signer, where.openings, where.index)
        if key is not None and meeting.is_redirect_signed(redirect, service, hello, key):
            return True
    if _find_member_key(replica, where.host, where.openings, where.index) is not None:
        return False
    proven = prove_host(replica, where)
    return proven is not None and meeting.is_redirect_signed(redirect, service, hello, proven.key)


def _ledger_at(replica: Replica, index: int) -> Ledger | None:
    """The room as of this entry, if our log reaches back to it; not to be changed."""
    return replica.ledger if index == replica.ledger.index else replica.room_log.ledger_at(index)


def _prove_term(replica: Replica, fork: int) -> list[frames.SignedEntry]:
    """Entries that prove the first term that was begun after this entry; none if there is none, or we lack them."""
    first = next((opening for opening in replica.ledger.openings if opening.index > fork), None)
    there = None if first is None else _ledger_at(replica, fork)
    if first is None or there is None:
        return []
    is_member = there.roster.find_member(first.host) is not None
    may_begin = first.host in {there.host, *(heir.member for heir in there.heirs)}
    joined: list[frames.SignedEntry] = []
    named: list[frames.SignedEntry] = []
    begun: list[frames.SignedEntry] = []
    for signed, body in _list_changes(replica, there, first.index):
        match body:
            case bodies.JoinedBody(key=key) if not is_member and identity.member_id(key) == first.host:
                joined = [signed]
            case bodies.HeirsBody(heirs=heirs) if not may_begin and first.host in {heir.member for heir in heirs}:
                named = [signed]
            case bodies.OpeningBody():
                begun = [signed]
    return [*joined, *named, *begun]


def _prove_removal(replica: Replica, fork: int, openings: Sequence[Opening]) -> list[frames.SignedEntry]:
    """The entry by which the host at this one threw out somebody who began a term of the other side; none without."""
    out = replica.room_log.find_departed(fork).kicked & _openers_after(fork, openings)
    there = _ledger_at(replica, fork) if out else None
    if there is None:
        return []
    for signed, body in _list_changes(replica, there, replica.ledger.index):
        is_provable = len(signed.body) <= limits.PROOF_BODY
        if is_provable and Header.unpack(signed.header).author == there.host and _removed_by(body) & out:
            return [signed]
    return []


def _list_changes(replica: Replica, there: Ledger, last: int) -> Iterator[tuple[frames.SignedEntry, bodies.Body]]:
    """The entries after `there`, up to this index, that have changed the group context, and what they say.

    Nothing is replayed: who asks for proofs again and again would else keep us busy.
    """
    epoch = there.epoch
    for header, signed in replica.room_log.list_changes(there.index, last):
        body = unpack_content(signed).body
        yield frames.SignedEntry(epoch, header, signed), body
        match body:
            case bodies.CommitBody(epoch=number):
                epoch = number
            case bodies.OpeningBody(number=number):
                epoch = terms.first_epoch(number)


def _removed_by(body: bodies.Body) -> set[bytes]:
    """Who is thrown out by an entry."""
    removed = body.removed if isinstance(body, bodies.CommitBody) else ()
    return {it.member for it in removed if it.reason == "kicked"}


def _proves_removal(there: Ledger, openings: Sequence[Opening], proof: Sequence[frames.SignedEntry]) -> bool:
    """Whether this shows that the host where the logs part has thrown out since who began a term with these openings.

    Raises PeerFault for what it has not signed, or signed before.
    """
    if len(proof) != 1 or Header.unpack(proof[0].header).kind != COMMIT:
        return False
    _, content = _open_signed(there.room, proof[0], {there.host: there.host_key})
    expect(content.index >= there.index, "unproven-term")
    return bool(_removed_by(content.body) & _openers_after(there.index, openings))


def _check_proof(there: Ledger, first: Opening, proof: Sequence[frames.SignedEntry]) -> dict[bytes, bytes]:
    """The keys of the members that it shows and of those where the logs part, by their ids. there: the room then.

    Raises PeerFault unless it proves that one who might has begun the term.
    """
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
    return keys


def _open_signed(room: bytes, entry: frames.SignedEntry, keys: dict[bytes, bytes]) -> tuple[Header, bodies.Content]:
    """What one of these members has signed. Raises PeerFault."""
    header = Header.unpack(entry.header)
    signature, signed = entry.body[: identity.SIGNATURE], entry.body[identity.SIGNATURE :]
    key = keys.get(header.author, b"")
    content = entry_content(entry.epoch, entry.header, signed)
    expect(identity.is_signed(identity.ENTRY, room, content, signature, key), "unproven-term")
    return header, unpack_content(entry.body)
