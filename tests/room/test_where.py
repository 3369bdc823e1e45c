"""Telling another side of a split which host one follows, and checking what it tells."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto.epoch import OPENING, Header
from anonp2p.crypto.identity import ENTRY as ENTRY_LABEL
from anonp2p.crypto.identity import Identity
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, frames, meeting
from anonp2p.protocol.requests import MeetRequest
from anonp2p.room import where
from anonp2p.room.contents import entry_content
from anonp2p.room.entries import OpenedEntry
from tests.room.sides import ANN, BEN, CID, EVE, HOST, KEY, Side, founded, heir, side_from


def judged(mine: Side, theirs: Side) -> Any:
    return where.judge_where(mine.replica, theirs.tells(mine))


def sides_apart() -> tuple[Side, Side]:
    """Two logs that were one, of which the second has a term that ANN has begun."""
    mine, theirs = founded(), founded()
    mine.talks(BEN, EVE)
    theirs.talks(BEN)
    theirs.begins(ANN)
    return mine, theirs


@pytest.fixture
def sides() -> tuple[Side, Side]:
    """Both."""
    return sides_apart()


def test_a_higher_term_is_judged_by_who_was_there_where_the_logs_part(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    mine.says(HOST, bodies.AwayBody(ANN.id))
    challenge = judged(mine, theirs)
    assert (challenge.number, challenge.opener, challenge.host_there) == (5, ANN.id, HOST.id)
    assert challenge.present == [HOST.id, ANN.id, BEN.id, EVE.id]


def test_a_term_that_is_not_higher_needs_no_judgement(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    assert judged(theirs, mine) is None
    assert judged(mine, mine) is None


def test_a_term_of_the_same_number_is_judged_whichever_is_higher() -> None:
    mine, theirs = founded(), founded()
    theirs.says(HOST, bodies.HeirsBody([heir(BEN)], entrusts=False))
    mine.begins(ANN)
    theirs.begins(BEN)
    assert (judged(mine, theirs).number, judged(mine, theirs).host) == (5, BEN.id)
    assert (judged(theirs, mine).number, judged(theirs, mine).host) == (5, ANN.id)


def test_the_first_term_after_the_fork_is_proven_whatever_terms_came_after_it(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    theirs.begins(ANN)
    theirs.talks(ANN, BEN)
    assert judged(mine, theirs).number == 8
    assert len(theirs.tells(mine).proof) == 1


def test_a_host_that_begins_a_term_again_is_proven_too() -> None:
    mine, theirs = founded(), founded()
    mine.talks(EVE)
    theirs.begins(HOST)
    assert judged(mine, theirs).number == 4


def test_an_heir_that_was_named_after_the_fork_is_proven_by_who_named_it(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides[1], founded()
    theirs.talks(BEN, EVE)
    theirs.says(HOST, bodies.HeirsBody([heir(EVE)], entrusts=False))
    theirs.says(EVE, bodies.NickBody("eva"))
    theirs.begins(EVE)
    theirs.begins(EVE)
    assert len(theirs.tells(mine).proof) == 2
    assert judged(mine, theirs).opener == EVE.id


def test_one_that_joined_after_the_fork_is_proven_by_who_let_it_in(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides[1], founded()
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
    assert judged(mine, theirs).opener == CID.id


def test_a_log_that_does_not_reach_back_to_the_fork_proves_and_judges_nothing(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    for side in sides:
        side.replica.begin_log(side.replica.ledger.copy())
    assert theirs.tells(mine).proof == []
    assert judged(founded(), theirs) is None
    mine.talks(EVE)
    assert where.judge_where(mine.replica, sides_apart()[1].tells(founded())) is None


def test_members_of_before_the_logs_parted_have_keys_for_both_sides(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    mine.says(HOST, bodies.AwayBody(ANN.id))
    mine.says(HOST, bodies.CommitBody(1, [bodies.Removal(ANN.id, "lost")], False))
    theirs.says(ANN, bodies.JoinedBody(CID.key, "cid", KEY))
    ledger = theirs.replica.ledger
    found = [where.find_key(mine.replica, it.id, ledger.openings, ledger.index) for it in (ANN, BEN, CID)]
    assert found == [ANN.key, BEN.key, None]


def test_one_that_was_thrown_out_has_none(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    throw_out(mine, HOST, ANN)
    ledger = theirs.replica.ledger
    assert where.find_key(mine.replica, ANN.id, ledger.openings, ledger.index) is None


def test_who_has_left_since_the_logs_parted_is_on_no_side(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    mine.says(BEN, bodies.LeaveBody())
    mine.says(HOST, bodies.AwayBody(ANN.id))
    mine.says(HOST, bodies.CommitBody(1, [bodies.Removal(ANN.id, "lost")], False))
    assert judged(mine, theirs).present == [HOST.id, ANN.id, EVE.id]


def throw_out(side: Side, host: Identity, *members: Identity, why: str = "") -> None:
    side.says(host, bodies.RemoveBody([who.id for who in members], why, ban=False))
    removed = [bodies.Removal(who.id, "kicked") for who in members]
    side.says(host, bodies.CommitBody(side.replica.ledger.epoch + 1, removed, False))


def test_a_challenge_by_one_that_we_have_thrown_out_says_so(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    assert not judged(mine, theirs).is_removed
    throw_out(mine, HOST, ANN)
    assert judged(mine, theirs).is_removed


def test_a_challenge_says_whether_the_host_of_both_has_thrown_out_who_began_a_term_of_ours(
    sides: tuple[Side, Side],
) -> None:
    """8.15: whatever the reason that it gave."""
    theirs, mine = sides
    theirs.begins(HOST)
    theirs.begins(HOST)
    assert not judged(mine, theirs).is_overruled
    throw_out(theirs, HOST, ANN, why="\U0001f600" * limits.KICK_REASON)
    theirs.begins(HOST)
    [proof] = theirs.tells(mine).proof
    assert len(proof.body) <= limits.PROOF_BODY
    assert judged(mine, theirs).is_overruled


def test_the_word_of_another_host_than_that_of_both_is_no_proof(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides[1], founded()
    theirs.begins(BEN)
    throw_out(theirs, BEN, ANN)
    theirs.begins(BEN)
    assert Header.unpack(theirs.tells(mine).proof[0].header).kind == OPENING
    assert not judged(mine, theirs).is_overruled


def test_who_was_thrown_out_before_the_logs_parted_or_began_no_term_of_ours_is_no_proof() -> None:
    mine, theirs = founded(), founded()
    for side in (mine, theirs):
        throw_out(side, HOST, BEN)
    mine.begins(ANN)
    throw_out(theirs, HOST, EVE)
    theirs.begins(HOST)
    theirs.begins(HOST)
    assert Header.unpack(theirs.tells(mine).proof[0].header).kind == OPENING
    assert not judged(mine, theirs).is_overruled


def test_where_each_side_has_thrown_out_who_began_a_term_of_the_other_neither_is_moved(
    sides: tuple[Side, Side],
) -> None:
    theirs, mine = sides
    throw_out(mine, ANN, HOST)
    throw_out(theirs, HOST, ANN)
    theirs.begins(HOST)
    theirs.begins(HOST)
    assert judged(mine, theirs) is None


def test_where_logs_part_is_told_and_nothing_after_that(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    other = theirs.replica.ledger
    told = where.tell_fork(mine.replica, other.openings, other.index)
    assert told is not None
    assert (told.host, told.index, told.proof) == (HOST.id, 2, [])
    ours = mine.replica.ledger
    assert where.tell_fork(mine.replica, ours.openings, ours.index) is None
    unrelated = [msgspec.structs.replace(it, digest=bytes(32)) for it in other.openings]
    assert where.tell_fork(mine.replica, unrelated, other.index) is None
    mine.replica.begin_log(mine.replica.ledger.copy())
    assert where.tell_fork(mine.replica, other.openings, other.index) is None


def test_a_host_of_the_other_side_is_proven_with_its_key_whatever_its_term(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    proven = where.prove_host(mine.replica, theirs.tells(mine))
    assert proven == where.ProvenHost(theirs.replica.ledger.openings[-1], ANN.key)
    for _ in range(3):
        mine.begins(HOST)
    assert where.prove_host(mine.replica, theirs.tells(mine)) == proven
    assert where.prove_host(mine.replica, changed(theirs.tells(mine), proof=[])) is None
    assert where.prove_host(mine.replica, mine.tells(mine)) is None


def test_a_challenge_is_of_who_has_begun_the_first_term_and_of_no_name_that_is_made_up(
    sides: tuple[Side, Side],
) -> None:
    mine, theirs = sides
    said = theirs.tells(mine)
    made_up = msgspec.structs.replace(said.openings[-1], number=9, host=CID.id, index=said.index + 1)
    openings = [*said.openings, made_up]
    lie = changed(said, number=9, host=CID.id, index=said.index + 1, openings=openings)
    challenge = where.judge_where(mine.replica, lie)
    assert challenge is not None
    assert (challenge.number, challenge.opener) == (9, ANN.id)


# --- whose word it is


@pytest.mark.parametrize(
    ("signer", "dialled", "counts"),
    [
        (BEN, BEN.id, True),
        (ANN, BEN.id, True),  # who hosts may have the key of the code, which was his address once
        (EVE, BEN.id, False),
        (HOST, BEN.id, True),  # who hosted serves the code of then yet
        (HOST, None, True),  # the code: it may be the address of one who follows the host by now
        (EVE, None, False),
    ],
    ids=[
        "who was dialled",
        "the host",
        "another",
        "a carrier elsewhere",
        "a carrier at the code",
        "another at the code",
    ],
)
def test_what_is_told_of_a_host_is_the_word_of_who_was_dialled_or_of_a_host_of_now_or_before(
    sides: tuple[Side, Side], signer: Identity, dialled: bytes | None, counts: bool
) -> None:
    """8.15"""
    mine, theirs = sides
    redirect = meeting.sign_redirect(theirs.tells(mine), KEY, b"hello", signer)
    assert where.has_known_signer(mine.replica, redirect, KEY, b"hello", dialled) == counts


def test_the_word_of_a_host_that_came_on_another_side_counts_where_it_proves_that_or_a_known_one_has_signed(
    sides: tuple[Side, Side],
) -> None:
    """8.15: or whoever has the key of the code would send those who have lost their host to itself."""
    mine, theirs = sides
    theirs.says(ANN, bodies.JoinedBody(CID.key, "cid", KEY))
    theirs.says(ANN, bodies.HeirsBody([heir(CID)], entrusts=True))
    theirs.begins(CID)
    for signer, counts in ((CID, False), (ANN, True), (EVE, False)):
        redirect = meeting.sign_redirect(theirs.tells(mine), KEY, b"hello", signer)
        assert where.has_known_signer(mine.replica, redirect, KEY, b"hello", ANN.id) == counts
    ours, proven = sides_apart()[1], founded()
    proven.talks(BEN)
    proven.says(HOST, bodies.JoinedBody(CID.key, "cid", KEY))
    proven.says(HOST, bodies.HeirsBody([heir(CID)], entrusts=False))
    proven.begins(CID)
    redirect = meeting.sign_redirect(proven.tells(ours), KEY, b"hello", CID)
    assert where.has_known_signer(ours.replica, redirect, KEY, b"hello", None)
    false = meeting.sign_redirect(proven.tells(ours), KEY, b"hello", Identity(b"z" * 32, KEY))
    assert not where.has_known_signer(ours.replica, false, KEY, b"hello", None)


# --- whom we show our log


def test_who_is_behind_is_shown_what_follows_where_the_logs_part(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    ledger = theirs.replica.ledger
    assert where.find_shared(mine.replica, ANN.id, ledger.openings, ledger.index) == 2
    assert where.find_shared(mine.replica, ANN.id, ledger.openings[:1], 1) == 1


def test_nobody_is_shown_what_was_before_it_came(sides: tuple[Side, Side]) -> None:
    theirs = sides[1]
    theirs.says(ANN, bodies.JoinedBody(CID.key, "cid", KEY))
    joined = theirs.replica.ledger.index
    theirs.talks(ANN)
    openings = theirs.replica.ledger.openings
    assert where.find_shared(theirs.replica, CID.id, openings, joined) == joined
    for index in (0, 1, joined - 1):
        assert where.find_shared(theirs.replica, CID.id, openings, index) is None
    assert where.find_shared(theirs.replica, CID.id, openings[:1], joined) is None


def test_a_log_that_does_not_reach_back_to_the_fork_is_not_shown(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    mine.replica.begin_log(mine.replica.ledger.copy())
    ledger = theirs.replica.ledger
    assert where.find_shared(mine.replica, ANN.id, ledger.openings, ledger.index) is None


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
    "our latest term by another number": lambda it: changed(
        it, number=9, openings=[msgspec.structs.replace(it.openings[0], number=9, host=it.host)]
    ),
    "an address that is none": lambda it: changed(it, address=bytes(32)),
}


@pytest.mark.parametrize("case", IMPROPER)
def test_what_no_log_of_this_room_can_be_is_refused(case: str, sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    with pytest.raises(PeerFault, match="bad-where"):
        where.judge_where(mine.replica, IMPROPER[case](theirs.tells(mine)))


def test_what_asks_with_a_log_that_none_can_be_is_refused(sides: tuple[Side, Side]) -> None:
    mine, theirs = sides
    said = theirs.tells(mine)
    log = said.address, said.index, said.digest, said.openings
    meet = meeting.sign_meet(MeetRequest(bytes(32), ANN.id, *log, bytes(64)), KEY, b"hello", ANN)
    assert where.find_asker(mine.replica, meet, KEY, b"hello") == ANN.key
    for wrong in ({"address": bytes(32)}, {"index": said.openings[-1].index - 1}, {"openings": said.openings[::-1]}):
        with pytest.raises(PeerFault, match="bad-where"):
            where.find_asker(mine.replica, msgspec.structs.replace(meet, **wrong), KEY, b"hello")


def forged(author: Identity, body: bodies.Body, before: Side, signer: Identity | None = None) -> frames.SignedEntry:
    """An entry that comes next in this log, as far as its form goes. signer: who signs it, if not its author."""
    entry = before.signed(author, body)
    if signer is not None:
        content = entry_content(before.replica.ledger.epoch, entry.header.pack(), entry.body[64:])
        entry = OpenedEntry(entry.header, signer.sign(ENTRY_LABEL, content) + entry.body[64:], content=entry.content)
    return frames.SignedEntry(before.replica.ledger.epoch, entry.header.pack(), entry.body)


def opening_by(who: Identity, number: int = 5, since: int = 0) -> bodies.OpeningBody:
    return bodies.OpeningBody(number, heir(who).address, heir(who).address, since)


def before_opening() -> Side:
    side = founded()
    side.talks(BEN)
    return side


REMOVES = bodies.CommitBody(1, [bodies.Removal(EVE.id, "kicked")], False)
EARLIER, LATER, OTHER_LOG = founded(), founded(), founded()
LATER.talks(EVE, EVE)
OTHER_LOG.talks(EVE)
UNPROVEN: dict[str, Callable[[], list[frames.SignedEntry]]] = {
    "a removal of one who has begun no term of ours": lambda: [forged(HOST, REMOVES, before_opening())],
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


def at_the_beginning() -> Side:
    """Before anything was ordered."""
    ledger = founded().replica.room_log.ledger_at(0)
    assert ledger is not None
    return side_from(ledger)


REMOVES_ANN = bodies.CommitBody(1, [bodies.Removal(ANN.id, "kicked")], False)
NO_LAST_WORDS: dict[str, Callable[[], frames.SignedEntry]] = {
    "another's than the host's": lambda: forged(BEN, REMOVES_ANN, founded()),
    "one that another has signed": lambda: forged(HOST, REMOVES_ANN, founded(), EVE),
    "one before the logs parted": lambda: forged(HOST, REMOVES_ANN, at_the_beginning()),
}


@pytest.mark.parametrize("case", NO_LAST_WORDS)
def test_a_removal_that_the_host_of_both_has_not_ordered_since_moves_nobody(case: str) -> None:
    mine, theirs = founded(), founded()
    mine.begins(ANN)
    for _ in range(2):
        theirs.begins(HOST)
    said = theirs.tells(mine)
    assert where.judge_where(mine.replica, changed(said, proof=[forged(HOST, REMOVES_ANN, founded())])) is not None
    with pytest.raises(PeerFault, match="unproven-term"):
        where.judge_where(mine.replica, changed(said, proof=[NO_LAST_WORDS[case]()]))


def test_nor_does_one_of_which_nothing_is_shown(sides: tuple[Side, Side]) -> None:
    """8.17: a log may not reach back to where they part."""
    mine, theirs = sides
    assert where.judge_where(mine.replica, changed(theirs.tells(mine), proof=[])) is None


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
    assert challenge.opener == EVE.id


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
