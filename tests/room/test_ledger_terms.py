"""What the log says of terms: who can take over, who does, and what may come when (PROTOCOL.md, 4.4, 4.8, 8)."""

from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import suite
from anonp2p.crypto.epoch import COMMIT, ENTRY, KEPT, OPENING, Header
from anonp2p.crypto.identity import Identity
from anonp2p.errors import PeerFault
from anonp2p.protocol.bodies import (
    AwayBody,
    Body,
    CodeBody,
    CommitBody,
    Content,
    HandOverBody,
    HeirsBody,
    LeaveBody,
    OpeningBody,
    Removal,
    RemoveBody,
    TextBody,
)
from anonp2p.protocol.field_types import Heir, Opening
from anonp2p.room.entry_rules import check_entry, check_tombstone, kind_of
from anonp2p.room.ledger import Ledger
from anonp2p.room.succession.terms import first_epoch, make_place

ROOM, KEY = b"r" * 32, b"l" * 32
HOST, ANN, BOB, CAT, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"c", b"e"))
# Any key will do as the address of a service.
FIRST, SECOND, THIRD, OTHER = (Identity(bytes([number]) * 32, ROOM).key for number in (1, 2, 3, 4))
HEIRS = [Heir(ANN.id, FIRST), Heir(BOB.id, SECOND)]
HELLO = TextBody("hello", action=False, reply=None)
NO_ADDRESS = bytes(32)  # a point of small order


@pytest.fixture
def ledger() -> Ledger:
    """Of a room of four; Eve is none of them."""
    ledger = Ledger(ROOM)
    ledger.host = ledger.add_member(HOST.key, "host", KEY).id
    for who, nick in ((ANN, "ann"), (BOB, "bob"), (CAT, "cat")):
        ledger.add_member(who.key, nick, KEY)
    ledger.begin_log()
    return ledger


@pytest.fixture
def named(ledger: Ledger) -> Ledger:
    """The same, with Ann and Bob as heirs, of whom Ann has the key of the code."""
    take(ledger, HOST, HeirsBody(HEIRS, entrusts=True))
    return ledger


def take(ledger: Ledger, author: Identity, body: Body, **other: Any) -> None:
    """The next entry, checked and applied. other: what is not as it should be of header and content."""
    member = ledger.get_member(author.id)
    if isinstance(body, OpeningBody) and not body.since:
        body = msgspec.structs.replace(body, since=ledger.index + 1)
    counter = 0 if isinstance(body, OpeningBody) else member.counter + 1
    header = Header(kind_of(body), author.id, counter)
    header = header._replace(**{key: value for key, value in other.items() if key in Header._fields})
    content = Content(bytes(limits.SALT), ledger.index, ledger.digest, body)
    changed = {key: value for key, value in other.items() if key not in Header._fields}
    content = msgspec.structs.replace(content, **changed)
    check_entry(ledger, member, header, content)
    ledger.take_entry(member, header, content, suite.hash_data(b"body"))


def refuse(ledger: Ledger, author: Identity, body: Body, match: str, **other: Any) -> None:
    before = ledger.index, ledger.digest, ledger.group_context
    with pytest.raises(PeerFault, match=match):
        take(ledger, author, body, **other)
    assert (ledger.index, ledger.digest, ledger.group_context) == before


# --- heirs


def test_a_founder_is_the_first_host_and_has_the_key_of_the_code(ledger: Ledger) -> None:
    assert (ledger.number, ledger.host, ledger.address, ledger.code) == (0, HOST.id, ROOM, ROOM)
    assert (ledger.heirs, ledger.holders, ledger.handed_over) == ((), (HOST.id,), False)
    assert ledger.openings == (Opening(0, HOST.id, 0, ledger.digest),)
    assert ledger.carriers == {HOST.id: ROOM}


def test_a_host_names_heirs_and_whether_the_first_holds_the_key(named: Ledger) -> None:
    assert named.heirs == tuple(HEIRS)
    assert list(named.holders) == [HOST.id, ANN.id]
    assert named.carriers == {HOST.id: ROOM, ANN.id: FIRST, BOB.id: SECOND}
    take(named, HOST, HeirsBody([HEIRS[1]], entrusts=True))
    assert list(named.heirs) == HEIRS[1:]
    assert list(named.holders) == [HOST.id, ANN.id, BOB.id]  # who has had it may have it still
    take(named, HOST, HeirsBody([HEIRS[1]], entrusts=True))
    take(named, HOST, HeirsBody([], entrusts=False))
    assert [*named.heirs, *named.holders] == [HOST.id, ANN.id, BOB.id]


@pytest.mark.parametrize(
    "body",
    [
        HeirsBody([HEIRS[0], Heir(ANN.id, SECOND)], entrusts=False),
        HeirsBody([HEIRS[0], Heir(BOB.id, FIRST)], entrusts=False),
        HeirsBody([Heir(HOST.id, FIRST)], entrusts=False),
        HeirsBody([Heir(EVE.id, FIRST)], entrusts=False),
        HeirsBody([Heir(ANN.id, NO_ADDRESS)], entrusts=False),
        HeirsBody([], entrusts=True),
    ],
    ids=["twice", "one address", "the host", "no member", "no address", "entrusts nobody"],
)
def test_heirs_are_members_each_with_an_address_of_its_own(ledger: Ledger, body: HeirsBody) -> None:
    """4.4"""
    refuse(ledger, HOST, body, "bad-heirs")


@pytest.mark.parametrize("body", [HeirsBody(HEIRS, entrusts=False), HandOverBody(leaves=False), CodeBody(OTHER)])
def test_nobody_but_the_host_says_who_takes_over(named: Ledger, body: Body) -> None:
    refuse(named, ANN, body, "host-only")


def test_who_is_out_is_no_heir_any_more(named: Ledger) -> None:
    take(named, ANN, LeaveBody())
    assert list(named.heirs) == HEIRS[1:]
    take(named, HOST, RemoveBody([BOB.id], "", ban=False))
    assert not named.heirs, "it could else begin a term before it is carried out"
    refuse(named, HOST, HeirsBody([HEIRS[1]], entrusts=False), "bad-heirs")
    take(named, HOST, CommitBody(1, [Removal(BOB.id, "kicked")], renew=False))
    assert not named.heirs


def test_there_are_only_so_many_holders_of_one_code(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HOLDERS", 2)
    take(ledger, HOST, HeirsBody([HEIRS[0]], entrusts=True))
    refuse(ledger, HOST, HeirsBody([HEIRS[1]], entrusts=True), "bad-heirs")
    take(ledger, HOST, HeirsBody([HEIRS[1]], entrusts=False))


def test_the_addresses_of_the_latest_carriers_are_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CARRIERS", 2)
    take(ledger, HOST, HeirsBody([HEIRS[0]], entrusts=False))
    take(ledger, HOST, HeirsBody([HEIRS[0]], entrusts=False))
    take(ledger, HOST, HeirsBody([HEIRS[1]], entrusts=False))
    assert list(ledger.carriers.items()) == [(ANN.id, FIRST), (BOB.id, SECOND)]


# --- another code


def test_another_code_has_no_holder_but_the_host(named: Ledger) -> None:
    take(named, HOST, CodeBody(OTHER))
    assert (named.code, named.holders) == (OTHER, (HOST.id,))


def test_the_way_of_members_stays_where_nobody_else_had_the_key_of_the_code(ledger: Ledger) -> None:
    take(ledger, HOST, CodeBody(OTHER))
    assert (ledger.address, ledger.carriers[HOST.id]) == (ROOM, ROOM), "nobody else had it"


def test_where_others_had_the_key_of_the_code_members_have_another_way_to_the_host_too(named: Ledger) -> None:
    """8.5: who was thrown out and has the key could keep them from it."""
    take(named, HOST, HeirsBody(HEIRS, entrusts=True))
    take(named, HOST, CodeBody(OTHER))
    assert (named.address, named.carriers[HOST.id]) == (OTHER, OTHER)
    take(named, HOST, HeirsBody(HEIRS, entrusts=True))
    take(named, HOST, CodeBody(ROOM))
    assert named.address == ROOM


@pytest.mark.parametrize("code", [ROOM, NO_ADDRESS], ids=["the same", "no address"])
def test_a_code_is_an_address_and_another_one(ledger: Ledger, code: bytes) -> None:
    refuse(ledger, HOST, CodeBody(code), "bad-code")


# --- handing over


@pytest.mark.parametrize("leaves", [False, True])
def test_after_a_hand_over_nothing_comes_but_an_opening_by_an_heir(named: Ledger, leaves: bool) -> None:
    """4.4"""
    take(named, HOST, HandOverBody(leaves=leaves))
    assert named.handed_over
    assert named.host == HOST.id
    assert named.host_key == HOST.key  # with which it has signed for that
    assert (named.roster.find_member(HOST.id) is None) == leaves
    refuse(named, ANN, HELLO, "handed-over")
    refuse(named, CAT, LeaveBody(), "handed-over")
    with pytest.raises(PeerFault, match="handed-over"):
        check_tombstone(named, Header(ENTRY, ANN.id, 1, 0, 60))
    if not leaves:
        refuse(named, HOST, HELLO, "handed-over")
        refuse(named, HOST, OpeningBody(4, ROOM, ROOM, 0), "handed-over")
    take(named, ANN, OpeningBody(5, FIRST, ROOM, 0))
    assert not named.handed_over
    assert named.host_key == ANN.key
    host = named.roster.find_member(HOST.id)
    assert host is None if leaves else host is not None and host.away
    take(named, CAT, HELLO)


def test_a_host_without_heirs_does_not_hand_over(ledger: Ledger) -> None:
    refuse(ledger, HOST, HandOverBody(leaves=True), "bad-hand-over")


# --- opening a term


@pytest.mark.parametrize(
    ("author", "opening"),
    [
        (ANN, OpeningBody(5, FIRST, ROOM, 0)),
        (BOB, OpeningBody(6, SECOND, SECOND, 0)),
        (HOST, OpeningBody(4, ROOM, ROOM, 0)),
    ],
    ids=["the first heir", "the second", "the host again"],
)
def test_an_heir_or_the_host_again_begins_a_term(named: Ledger, author: Identity, opening: OpeningBody) -> None:
    before, context = named.openings, named.group_context
    take(named, author, opening)
    index = named.index
    assert (named.number, named.host, named.address, named.code) == (
        *(opening.number, author.id),
        *(opening.address, opening.code),
    )
    assert named.openings == (*before, Opening(opening.number, author.id, index, named.digest, index))
    assert named.place == make_place(opening.number, index)
    assert (named.epoch, named.epoch_start) == (first_epoch(opening.number), index)
    assert named.get_member(HOST.id).away == (author is not HOST)
    assert [heir.member for heir in named.heirs] == [it.member for it in HEIRS if it.member != author.id]
    assert named.carriers[author.id] == opening.address
    assert named.group_context != context


def test_the_code_stays_with_who_holds_its_key_and_else_has_one_holder(named: Ledger) -> None:
    own_way = named.copy()
    take(named, ANN, OpeningBody(5, FIRST, ROOM, 0))
    assert (named.code, named.holders) == (ROOM, (HOST.id, ANN.id))
    refuse(own_way, BOB, OpeningBody(6, SECOND, ROOM, 0), "bad-opening")
    take(own_way, BOB, OpeningBody(6, SECOND, SECOND, 0))
    assert (own_way.code, own_way.holders) == (SECOND, (BOB.id,))


def test_an_opening_has_no_counter_of_its_author_and_makes_it_present(named: Ledger) -> None:
    take(named, ANN, HELLO)
    take(named, HOST, AwayBody(ANN.id))
    refuse(named, ANN, OpeningBody(5, FIRST, ROOM, 0), "bad-opening", kind=ENTRY)
    take(named, ANN, OpeningBody(5, FIRST, ROOM, 0))
    ann = named.get_member(ANN.id)
    assert (ann.counter, ann.away) == (1, False)
    take(named, ANN, HELLO, counter=2)


@pytest.mark.parametrize(
    ("author", "opening"),
    [
        (CAT, OpeningBody(5, FIRST, FIRST, 0)),
        (BOB, OpeningBody(5, SECOND, SECOND, 0)),
        (ANN, OpeningBody(6, FIRST, FIRST, 0)),
        (ANN, OpeningBody(4, FIRST, FIRST, 0)),
        (ANN, OpeningBody(0, FIRST, FIRST, 0)),
        (ANN, OpeningBody(1, FIRST, FIRST, 0)),
        (HOST, OpeningBody(5, ROOM, ROOM, 0)),
        (HOST, OpeningBody(0, ROOM, ROOM, 0)),
        (HOST, OpeningBody(limits.TERM_JUMP + 4, ROOM, ROOM, 0)),
        (ANN, OpeningBody(5, SECOND, SECOND, 0)),
        (ANN, OpeningBody(5, OTHER, OTHER, 0)),
        (ANN, OpeningBody(5, FIRST, OTHER, 0)),
        (HOST, OpeningBody(4, OTHER, ROOM, 0)),
        (HOST, OpeningBody(4, ROOM, OTHER, 0)),
    ],
    ids=[
        *("no heir", "another's rank", "a later rank", "a host's number", "no later number", "a number of before"),
        *("an heir's number", "the same again", "too far", "another's address", "a new address", "a new code"),
        *("a host elsewhere", "a host with a new code"),
    ],
)
def test_nobody_else_begins_a_term_nor_another_one(named: Ledger, author: Identity, opening: OpeningBody) -> None:
    refuse(named, author, opening, "bad-opening")


@pytest.mark.parametrize(("since", "good"), [(1, True), (2, True), (3, True), (4, False)])
def test_an_host_that_goes_on_numbers_what_is_left_of_its_log_anew(named: Ledger, since: int, *, good: bool) -> None:
    """8.1: also what its term before had numbered, but no entry that is not there yet."""
    take(named, HOST, OpeningBody(4, ROOM, ROOM, 2))
    again = OpeningBody(8, ROOM, ROOM, since)
    if not good:
        refuse(named, HOST, again, "bad-opening")
        return
    take(named, HOST, again)
    assert [named.place_of(index) for index in (1, 2, 3)] == [
        make_place(8 if since <= index else 4 if index > 1 else 0, index) for index in (1, 2, 3)
    ]


@pytest.mark.parametrize("since", [1, 3])
def test_an_heir_numbers_nothing_that_the_host_before_has_ordered(named: Ledger, since: int) -> None:
    refuse(named, ANN, OpeningBody(5, FIRST, ROOM, since), "bad-opening")


def test_an_opening_is_for_one_place_of_one_log(named: Ledger) -> None:
    """Else it could begin a term where its author did not want to."""
    opening, earlier = OpeningBody(5, FIRST, ROOM, 0), named.digest
    take(named, HOST, HELLO)
    refuse(named, ANN, opening, "bad-opening", index=1)
    refuse(named, ANN, opening, "bad-opening", digest=earlier)
    refuse(named, HOST, HELLO, "bad-commit", kind=OPENING)
    refuse(named, HOST, CommitBody(1, [], renew=False), "bad-commit", kind=OPENING)
    refuse(named, ANN, opening, "bad-opening", kind=COMMIT)


def test_one_who_is_not_named_any_more_begins_no_term(named: Ledger) -> None:
    take(named, HOST, HeirsBody([HEIRS[1]], entrusts=False))
    refuse(named, ANN, OpeningBody(5, FIRST, FIRST, 0), "bad-opening")
    take(named, BOB, OpeningBody(5, SECOND, SECOND, 0))  # who is the first now
    refuse(named, HOST, OpeningBody(8, ROOM, ROOM, 0), "bad-opening")  # which hosts no more


def test_the_latest_terms_are_known(named: Ledger) -> None:
    for number in range(1, limits.OPENINGS + 3):
        take(named, HOST, OpeningBody(4 * number, ROOM, ROOM, 0))
    assert [it.number for it in named.openings] == [4 * number for number in range(3, limits.OPENINGS + 3)]


def test_a_commit_goes_on_from_the_epoch_of_its_term(named: Ledger) -> None:
    take(named, ANN, OpeningBody(5, FIRST, ROOM, 0))
    refuse(named, ANN, CommitBody(1, [], renew=False), "commit-for-other-epoch")
    take(named, ANN, CommitBody(first_epoch(5) + 1, [], renew=False))


# --- who was thrown out


def test_who_was_thrown_out_is_known_and_not_who_was_lost(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    take(ledger, HOST, AwayBody(BOB.id))
    removed = [Removal(ANN.id, "kicked"), Removal(BOB.id, "lost")]
    take(ledger, HOST, RemoveBody([ANN.id], "", ban=False))
    take(ledger, HOST, CommitBody(1, removed, renew=False))
    assert ledger.kicked == {ANN.id: ANN.key}
    monkeypatch.setattr(limits, "KICKED", 1)
    take(ledger, HOST, RemoveBody([CAT.id], "", ban=False))
    take(ledger, HOST, CommitBody(2, [Removal(CAT.id, "kicked")], renew=False))
    assert ledger.kicked == {CAT.id: CAT.key}


# --- copies, and what newcomers are told


def test_a_copy_goes_its_own_way(named: Ledger) -> None:
    other, before = named.copy(), (named.term, dict(named.carriers), named.group_context)
    take(other, HOST, RemoveBody([CAT.id], "", ban=False))
    take(other, HOST, CommitBody(1, [Removal(CAT.id, "kicked")], renew=False))
    take(other, HOST, HeirsBody([Heir(BOB.id, THIRD)], entrusts=True))
    take(other, BOB, OpeningBody(5, THIRD, ROOM, 0))
    assert (named.term, named.carriers, named.group_context) == before
    assert named.kicked == {}
    take(named, CAT, HELLO)


def test_a_newcomer_has_the_term_as_the_log_has_it(named: Ledger) -> None:
    take(named, ANN, OpeningBody(5, FIRST, ROOM, 0))
    other = Ledger(ROOM)
    for member in named.roster:
        other.add_member(member.key, member.nick, member.key_hash, member.counter, away=member.away)
    other.epoch = named.epoch
    other.take_term(named.term)
    other.start_at(named.index, named.digest)
    assert other.group_context == named.group_context
    assert other.term == named.term


@pytest.mark.parametrize(
    ("other", "match"),
    [
        ({"openings": [Opening(5, BOB.id, 2, KEY)]}, "bad-opening"),
        ({"openings": [Opening(4, ANN.id, 2, KEY)]}, "bad-opening"),
        ({"openings": [Opening(5, ANN.id, 2, KEY), Opening(5, ANN.id, 3, KEY)]}, "bad-opening"),
        ({"address": NO_ADDRESS}, "bad-code"),
        ({"code": NO_ADDRESS}, "bad-code"),
        ({"heirs": [Heir(EVE.id, SECOND)]}, "bad-heirs"),
        ({"heirs": [Heir(ANN.id, SECOND)]}, "bad-heirs"),
        ({"heirs": [Heir(BOB.id, SECOND), Heir(BOB.id, THIRD)]}, "bad-heirs"),
    ],
    ids=["host", "number", "order", "address", "code", "heir", "host as heir", "heir twice"],
)
def test_a_term_that_cannot_be_is_none(named: Ledger, other: dict[str, Any], match: str) -> None:
    take(named, ANN, OpeningBody(5, FIRST, ROOM, 0))
    with pytest.raises(PeerFault, match=match):
        named.copy().take_term(msgspec.structs.replace(named.term, **other))


def test_only_an_opening_has_the_header_of_one() -> None:
    """4.3a"""
    good = Header(OPENING, ANN.id, 0)
    assert Header.unpack(good.pack()) == good
    for bad in (good._replace(counter=1), good._replace(generation=1), good._replace(ttl=KEPT - 1)):
        with pytest.raises(PeerFault, match="bad-header"):
            Header.unpack(bad.pack())
