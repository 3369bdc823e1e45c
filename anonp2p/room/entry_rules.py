"""Which entry may come next: the host checks it before it orders it, all others before they apply it (PROTOCOL.md, 5).

What a host denies, as its author may be honest, is a lie where it was ordered all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.crypto.epoch import COMMIT, ENTRY, KEPT, OPENING, Header
from anonp2p.errors import PeerFault
from anonp2p.names import nicks
from anonp2p.protocol import bodies
from anonp2p.reasons import Fault
from anonp2p.room.invitations import is_invited
from anonp2p.room.ledger import Ledger, expect
from anonp2p.room.offers import may_offer
from anonp2p.room.rights import RightDenial, list_ordered_out, may_come_in
from anonp2p.room.roster import Member
from anonp2p.room.succession import terms

_FAULTS: Final[Mapping[RightDenial, Fault]] = {
    "muted": "entry-of-muted",
    "not-allowed": "without-right",
    "moot": "changes-nothing",
}
_HOST_ONLY = (
    bodies.JoinedBody
    | bodies.HeirsBody
    | bodies.HandOverBody
    | bodies.CodeBody
    | bodies.AwayBody
    | bodies.BackBody
    | bodies.CommitBody
)


def check_tombstone(ledger: Ledger, header: Header) -> Member:
    """The author of an entry of which only a tombstone is left. Raises PeerFault if there can be no such entry.

    Whether the message has expired or was retracted is not known here.
    """
    author = ledger.roster.find_member(header.author)
    if author is None:
        raise PeerFault("stranger")
    _check_author(ledger, author, header)
    may_be_message = _allows_ttl(ledger, header.ttl) and ledger.room_rights.may_speak(author.id)
    expect(header.kind == ENTRY and may_be_message, "expired-too-soon")
    return author


def _check_author(ledger: Ledger, author: Member, header: Header) -> None:
    expect(not ledger.handed_over, "handed-over")
    expect(header.counter > author.counter, "repeated-entry")
    expect(not author.away, "entry-of-absent")


def _allows_ttl(ledger: Ledger, ttl: int) -> bool:
    return ledger.retention.least <= ttl <= ledger.retention.most


def check_entry(ledger: Ledger, author: Member, header: Header, content: bodies.Content) -> None:
    """Raises PeerFault if this author may not write this now."""
    if isinstance(content.body, bodies.OpeningBody):
        _check_opening(ledger, author, header, content, content.body)
        return
    is_host = author.id == ledger.host
    _check_author(ledger, author, header)
    is_message = isinstance(content.body, bodies.TextBody | bodies.PrivateBody)
    kept = _allows_ttl(ledger, header.ttl) if is_message else header.ttl == KEPT
    expect(kept, "retention-not-allowed")
    expect(header.kind == kind_of(content.body), "bad-commit")
    expect(content.index <= ledger.index, "reference-to-future")
    expect(content.index >= ledger.epoch_start, "reference-to-past")
    expect(is_host or not isinstance(content.body, _HOST_ONLY), "host-only")
    denial = ledger.room_rights.find_denial(author.id, content.body)
    if denial is not None:
        raise PeerFault(_FAULTS[denial])
    match content.body:
        case bodies.TextBody(text=text):
            expect(0 < len(text.encode()) <= limits.TEXT, "text-length")
            expect(may_offer(content.body), "bad-offer")
        case bodies.RetractBody(counter=counter):
            expect(0 < counter < header.counter, "retracts-no-message")
        case bodies.NickBody(nick=nick):
            expect(nicks.is_nick(nick) and not ledger.roster.is_taken(nick, author.id), "bad-nick")
        case bodies.LeaveBody():
            expect(not is_host, "host-left")
        case bodies.JoinedBody(key=key, invited=invited):
            expect(may_come_in(ledger.rights, key), "joined-without-right")
            expect(is_invited(ledger.rights, invited, key), "joined-uninvited")
        case bodies.InviteBody(key=key):
            expect(identity.is_key(key), "bad-invitation")
        case bodies.HeirsBody():
            ledger.check_heirs(content.body.heirs)
            expect(bool(content.body.heirs) or not content.body.entrusts, "bad-heirs")
            expect(len(ledger.holders_with(content.body)) <= limits.HOLDERS, "bad-heirs")
        case bodies.HandOverBody():
            expect(bool(ledger.heirs), "bad-hand-over")
        case bodies.CodeBody(code=code, members_key=members_key):
            expect(identity.is_key(code) and code != ledger.code, "bad-code")
            expect((members_key is not None) == ledger.is_private, "bad-code")
            expect(members_key is None or members_key != ledger.rights.members_key, "bad-code")
        case bodies.AwayBody(member=member):
            found = ledger.roster.find_member(member)
            expect(found is not None and member != ledger.host and not found.away, "lost-nobody")
        case bodies.BackBody(member=member):
            found = ledger.roster.find_member(member)
            expect(found is not None and found.away, "returned-without-loss")
        case bodies.CommitBody(epoch=epoch, removed=removed):
            expect(epoch == ledger.epoch + 1, "commit-for-other-epoch")
            _check_removals(ledger, removed)
        case bodies.RemoveBody(members=members):
            expect(len(set(members)) == len(members), "removed-twice")


def _check_removals(ledger: Ledger, removed: Sequence[bodies.Removal]) -> None:
    """Nobody throws anybody out but by order of a moderator, and whom one has ordered out goes with the next commit."""
    expect(len({removal.member for removal in removed}) == len(removed), "removed-twice")
    lost = [ledger.roster.find_member(removal.member) for removal in removed if removal.reason == "lost"]
    are_away = all(found is not None and found.away and found.id != ledger.host for found in lost)
    expect(are_away, "removed-nobody")
    kicked = {removal.member for removal in removed if removal.reason == "kicked"}
    expect(kicked == set(list_ordered_out(ledger.rights)), "removed-without-order")


def _check_opening(
    ledger: Ledger, author: Member, header: Header, content: bodies.Content, opening: bodies.OpeningBody
) -> None:
    """Raises PeerFault if this author may not begin this term after the latest entry.

    It may be away: an heir that lost its host was perhaps lost to that.
    """
    expect(header.kind == OPENING, "bad-opening")
    expect((content.index, content.digest) == (ledger.index, ledger.digest), "bad-opening")
    is_host = author.id == ledger.host
    expect(not (is_host and ledger.handed_over), "handed-over")
    may_begin = terms.may_begin(author.id, opening.number, host=ledger.host, before=ledger.number, heirs=ledger.heirs)
    expect(may_begin, "bad-opening")
    least = 0 if is_host else ledger.index + 1
    expect(least <= opening.since <= ledger.index + 1, "bad-opening")
    own = {heir.member: heir.address for heir in ledger.heirs} | {ledger.host: ledger.address}
    expect(opening.address == own[author.id], "bad-opening")
    keeps_code = opening.code == ledger.code and author.id in ledger.holders
    expect(keeps_code or opening.code == opening.address, "bad-opening")


def kind_of(body: bodies.Body) -> int:
    """The kind of an entry that says this, as its header has it."""
    match body:
        case bodies.CommitBody():
            return COMMIT
        case bodies.OpeningBody():
            return OPENING
        case _:
            return ENTRY
