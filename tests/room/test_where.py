"""Telling another side of a split which host one follows, and checking what it tells."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, OPENING, Header
from anonp2p.crypto.identity import ENTRY as ENTRY_LABEL
from anonp2p.crypto.identity import Identity
from anonp2p.errors import PeerFault
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies, frames
from anonp2p.protocol.field_types import Heir
from anonp2p.room import where
from anonp2p.room.entries import OpenedEntry
from anonp2p.room.ledger import entry_content, padded_content
from anonp2p.room.replica import Replica
from anonp2p.room.succession import terms

ROOM = RoomKey(b"r" * 32).public
HOST, ANN, BEN, CID, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"c", b"e"))
KEY = b"l" * 32


def heir(who: Identity) -> Heir:
    return Heir(who.id, RoomKey(who.id * 2).public)


class Side:
    """Somebody's log, to which anybody adds what the rules allow. EVE is a member but no heir, CID not there yet."""

    def __init__(self) -> None:
        self.replica = Replica(ROOM, ANN, suite.EncryptionKeyPair(bytes(32)))
        ledger = self.replica.ledger
        for who, nick in ((HOST, "host"), (ANN, "ann"), (BEN, "ben"), (EVE, "eve")):
            ledger.add_member(who.key, nick, KEY)
        ledger.host = HOST.id
        ledger.begin_log()
        self.replica.begin_log(ledger.copy())
        self.says(HOST, bodies.HeirsBody([heir(ANN), heir(BEN)], entrusts=False))

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
        ledger.check_entry(ledger.get_member(author.id), entry.header, entry.content)
        self.replica.apply_entry(ledger.get_member(author.id), entry)
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
        self.says(author, bodies.OpeningBody(number, own[author.id], own[author.id]))

    def tells(self, other: "Side") -> frames.Where:
        ledger = other.replica.ledger
        return where.tell_where(self.replica, ledger.openings, ledger.index)

    def judges(self, other: "Side") -> Any:
        return where.judge_where(self.replica, other.tells(self))


@pytest.fixture
def sides() -> tuple[Side, Side]:
    """Two logs that were one, of which the second has a term that ANN has begun."""
    mine, theirs = Side(), Side()
    mine.talks(BEN, EVE)
    theirs.talks(BEN)
    theirs.begins(ANN)
    return mine, theirs


def test_a_higher_term_is_judged_by_who_was_there_where_the_logs_part(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    mine.says(HOST, bodies.AwayBody(ANN.id))
    challenge = mine.judges(theirs)
    assert (challenge.number, challenge.host, challenge.host_there) == (5, ANN.id, HOST.id)
    assert challenge.present == [HOST.id, ANN.id, BEN.id, EVE.id]


def test_a_term_that_is_not_higher_needs_no_judgement(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    assert theirs.judges(mine) is None
    assert mine.judges(mine) is None


def test_the_first_term_after_the_fork_is_proven_whatever_terms_came_after_it(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    theirs.begins(ANN)
    theirs.talks(ANN, BEN)
    assert mine.judges(theirs).number == 8
    assert len(theirs.tells(mine).proof) == 1


def test_a_host_that_begins_a_term_again_is_proven_too() -> None:
    mine, theirs = Side(), Side()
    mine.talks(EVE)
    theirs.begins(HOST)
    assert mine.judges(theirs).number == 4


def test_an_heir_that_was_named_after_the_fork_is_proven_by_who_named_it(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides[1], Side()
    theirs.talks(BEN, EVE)
    theirs.says(HOST, bodies.HeirsBody([heir(EVE)], entrusts=False))
    theirs.says(EVE, bodies.NickBody("eva"))
    theirs.begins(EVE)
    theirs.begins(EVE)
    assert len(theirs.tells(mine).proof) == 2
    assert mine.judges(theirs).host == EVE.id


def test_one_that_joined_after_the_fork_is_proven_by_who_let_it_in(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides[1], Side()
    theirs.talks(BEN, EVE)
    theirs.says(HOST, bodies.CommitBody(1, [], False))
    theirs.says(HOST, bodies.JoinedBody(CID.key, "cid", KEY))
    theirs.talks(EVE)
    theirs.says(HOST, bodies.HeirsBody([heir(CID)], entrusts=False))
    theirs.begins(CID)
    theirs.begins(CID)
    proof = theirs.tells(mine).proof
    assert len(proof) == limits.PROOF_OF_HEIR
    assert all(len(it.body) <= limits.PROOF_BODY for it in proof)
    assert mine.judges(theirs).host == CID.id


def test_a_log_that_does_not_reach_back_to_the_fork_proves_and_judges_nothing(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    for side in sides:
        side.replica.begin_log(side.replica.ledger.copy())
    assert theirs.tells(mine).proof == []
    mine.talks(EVE)
    with pytest.raises(PeerFault, match="unproven-term"):
        mine.judges(theirs)


# --- lies


def changed(said: frames.Where, **fields: Any) -> frames.Where:
    return msgspec.structs.replace(said, **fields)


IMPROPER: dict[str, Callable[[frames.Where], frames.Where]] = {
    "another room's openings": lambda it: changed(
        it, openings=[msgspec.structs.replace(opening, digest=bytes(32)) for opening in it.openings]
    ),
    "openings out of order": lambda it: changed(it, openings=it.openings[::-1]),
    "another number than the openings": lambda it: changed(it, number=6),
    "another host than the openings": lambda it: changed(it, host=BEN.id),
    "a log that ends before its latest term": lambda it: changed(it, index=it.openings[-1].index - 1),
    "an address that is none": lambda it: changed(it, address=bytes(32)),
}


@pytest.mark.parametrize("case", IMPROPER)
def test_what_no_log_of_this_room_can_be_is_refused(case: str, sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    with pytest.raises(PeerFault, match="bad-where"):
        where.judge_where(mine.replica, IMPROPER[case](theirs.tells(mine)))


def forged(author: Identity, body: bodies.Body, before: Side, signer: Identity | None = None) -> frames.SignedEntry:
    """An entry that comes next in this log, as far as its form goes. signer: who signs it, if not its author."""
    entry = before.signed(author, body)
    if signer is not None:
        content = entry_content(before.replica.ledger.epoch, entry.header.pack(), entry.body[64:])
        entry = OpenedEntry(entry.header, signer.sign(ENTRY_LABEL, content) + entry.body[64:], content=entry.content)
    return frames.SignedEntry(before.replica.ledger.epoch, entry.header.pack(), entry.body)


def opening_by(who: Identity, number: int = 5) -> bodies.OpeningBody:
    return bodies.OpeningBody(number, heir(who).address, heir(who).address)


def before_opening() -> Side:
    side = Side()
    side.talks(BEN)
    return side


EARLIER, LATER, OTHER_LOG = Side(), Side(), Side()
LATER.talks(EVE, EVE)
OTHER_LOG.talks(EVE)
UNPROVEN: dict[str, Callable[[], list[frames.SignedEntry]]] = {
    "nothing": list,
    "an opening that another signed": lambda: [forged(ANN, opening_by(ANN), before_opening(), EVE)],
    "a text": lambda: [forged(ANN, bodies.LeaveBody(), before_opening())],
    "an opening at another place": lambda: [forged(ANN, opening_by(ANN), LATER)],
    "an opening of another term": lambda: [forged(ANN, opening_by(ANN, 9), before_opening())],
    "an opening after another log": lambda: [forged(ANN, opening_by(ANN), OTHER_LOG)],
}


@pytest.mark.parametrize("case", UNPROVEN)
def test_a_higher_term_that_nothing_proves_moves_nobody(case: str, sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    with pytest.raises(PeerFault, match="unproven-term"):
        where.judge_where(mine.replica, changed(theirs.tells(mine), proof=UNPROVEN[case]()))


NAMES_EVE = bodies.HeirsBody([heir(EVE)], entrusts=False)


def by_eve(proof: list[frames.SignedEntry], mine: Side, theirs: Side) -> frames.Where:
    """EVE, who is no heir, says that she has begun the term."""
    said = theirs.tells(mine)
    openings = [*said.openings[:-1], msgspec.structs.replace(said.openings[-1], host=EVE.id)]
    return changed(said, host=EVE.id, openings=openings, proof=proof)


def test_who_the_host_has_named_since_has_begun_a_term(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    named = forged(HOST, NAMES_EVE, before_opening())
    proof = [named, forged(EVE, opening_by(EVE), before_opening())]
    challenge = where.judge_where(mine.replica, by_eve(proof, mine, theirs))
    assert challenge is not None
    assert challenge.host == EVE.id


NO_HEIR: dict[str, Callable[[], list[frames.SignedEntry]]] = {
    "by her word alone": list,
    "by another heir's word": lambda: [forged(ANN, NAMES_EVE, before_opening())],
    "by what the host once said": lambda: [forged(HOST, NAMES_EVE, EARLIER)],
    "by what the host says of something else": lambda: [forged(HOST, bodies.LockBody(True), before_opening())],
    "by what another signs in the host's name": lambda: [forged(HOST, NAMES_EVE, before_opening(), EVE)],
}


@pytest.mark.parametrize("case", NO_HEIR)
def test_who_is_no_heir_has_begun_no_term(case: str, sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    proof = [*NO_HEIR[case](), forged(EVE, opening_by(EVE), before_opening())]
    with pytest.raises(PeerFault, match="unproven-term"):
        where.judge_where(mine.replica, by_eve(proof, mine, theirs))
