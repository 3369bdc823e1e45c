"""Who may do what in a room, and what entries make of it (PROTOCOL.md, 5c)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from anonp2p import limits
from anonp2p.crypto.epoch import ENTRY, KEPT, Header
from anonp2p.crypto.identity import Identity
from anonp2p.errors import PeerFault
from anonp2p.protocol import bodies, field_types
from anonp2p.protocol.rights import Ban, Order, Restrictions, Rights
from anonp2p.room.entry_rules import check_entry, check_tombstone, kind_of
from anonp2p.room.ledger import Ledger
from anonp2p.room.rights import may_come_in

ROOM, KEY = b"r" * 32, b"l" * 32
HOST, ANN, BOB, CAT, EVE = (Identity(name * 32, ROOM) for name in (b"h", b"a", b"b", b"c", b"e"))
TEXT = bodies.TextBody("hello", action=False, reply=None)
PRIVATE = bodies.PrivateBody(bytes(field_types.BOX + 4))
OUT = bodies.RemoveBody([CAT.id], "spam", ban=False)


@pytest.fixture
def ledger() -> Ledger:
    """Hosted by one who is no moderator: Ann is the first, Bob the second, Cat is none."""
    ledger = Ledger(ROOM)
    ledger.name = "demo"
    ledger.host = ledger.add_member(HOST.key, "host", KEY).id
    for who, nick in ((ANN, "ann"), (BOB, "bob"), (CAT, "cat")):
        ledger.add_member(who.key, nick, KEY)
    ledger.rights = Rights(moderators=(ANN.id, BOB.id))
    ledger.begin_log()
    return ledger


def take(ledger: Ledger, author: Identity, *said: bodies.Body) -> None:
    """The next entries, checked and applied."""
    for body in said:
        member = ledger.get_member(author.id)
        header = Header(kind_of(body), author.id, member.counter + 1)
        content = bodies.Content(bytes(limits.SALT), ledger.index, ledger.digest, body)
        check_entry(ledger, member, header, content)
        ledger.take_entry(member, header, content, KEY)


def refuse(ledger: Ledger, author: Identity, body: bodies.Body, fault: str) -> None:
    before = ledger.rights
    with pytest.raises(PeerFault, match=fault):
        take(ledger, author, body)
    assert ledger.rights is before


def commit(ledger: Ledger, *removed: Identity, reason: str = "kicked") -> bodies.CommitBody:
    removals = [bodies.Removal(who.id, "kicked" if reason == "kicked" else "lost") for who in removed]
    return bodies.CommitBody(ledger.epoch + 1, removals, renew=False)


# --- who is a moderator

OF_MODERATORS: list[bodies.Body] = [
    bodies.CloseBody(),
    bodies.LockBody(locked=True),
    bodies.KnockBody(on=True),
    bodies.SlowBody(10),
    bodies.RaidBody(on=True),
    bodies.RoleBody(CAT.id, "moderator"),
    bodies.RoleBody(CAT.id, "muted"),
    bodies.AdmitBody(EVE.key, admitted=False),
    bodies.KeepBody(CAT.id),
    OUT,
]


@pytest.mark.parametrize("body", OF_MODERATORS, ids=repr)
def test_what_moderators_do_nobody_else_does_the_host_neither(ledger: Ledger, body: bodies.Body) -> None:
    """5c.2"""
    ledger.heirs = (field_types.Heir(BOB.id, KEY),)
    for other in (HOST, CAT):
        refuse(ledger, other, body, "without-right")
    take(ledger, BOB, body)


def test_without_a_moderator_the_host_is_one(ledger: Ledger) -> None:
    """5c.1"""
    take(ledger, BOB, bodies.LeaveBody())
    refuse(ledger, HOST, OUT, "without-right")
    take(ledger, ANN, bodies.LeaveBody())
    assert not ledger.rights.moderators
    take(ledger, HOST, OUT)


def test_a_host_that_makes_the_first_moderator_stays_one_before_it(ledger: Ledger) -> None:
    take(ledger, BOB, bodies.LeaveBody())
    take(ledger, ANN, bodies.LeaveBody())
    take(ledger, HOST, bodies.RoleBody(CAT.id, "moderator"))
    assert ledger.rights.moderators == (HOST.id, CAT.id)


def test_a_host_may_end_a_room_that_nobody_can_take_over(ledger: Ledger) -> None:
    take(ledger, HOST, bodies.CloseBody())
    ledger.heirs = (field_types.Heir(BOB.id, KEY),)
    refuse(ledger, HOST, bodies.CloseBody(), "without-right")


@pytest.mark.parametrize("role", ["member", "muted"])
def test_nobody_takes_the_rights_of_who_was_a_moderator_before(ledger: Ledger, role: str) -> None:
    """5c.3"""
    body = bodies.RoleBody(ANN.id, "muted" if role == "muted" else "member")
    refuse(ledger, BOB, body, "without-right")
    refuse(ledger, BOB, bodies.RemoveBody([ANN.id], "", ban=False), "changes-nothing")
    take(ledger, ANN, bodies.RoleBody(BOB.id, body.role))
    assert ledger.rights.moderators == (ANN.id,)


def test_a_moderator_may_cease_to_be_one(ledger: Ledger) -> None:
    take(ledger, BOB, bodies.RoleBody(BOB.id, "member"))
    assert ledger.rights.moderators == (ANN.id,)
    refuse(ledger, BOB, OUT, "without-right")


def test_roles_exclude_each_other(ledger: Ledger) -> None:
    take(ledger, ANN, bodies.RoleBody(CAT.id, "muted"))
    assert ledger.rights.muted == (CAT.id,)
    take(ledger, ANN, bodies.RoleBody(CAT.id, "moderator"))
    assert ledger.rights.moderators == (ANN.id, BOB.id, CAT.id)
    assert CAT.id not in ledger.rights.muted
    take(ledger, ANN, bodies.RoleBody(CAT.id, "muted"), bodies.RoleBody(CAT.id, "member"))
    assert CAT.id not in (*ledger.rights.moderators, *ledger.rights.muted)


def test_there_are_only_so_many_moderators(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MODERATORS", 2)
    refuse(ledger, ANN, bodies.RoleBody(CAT.id, "moderator"), "without-right")


def test_the_host_is_neither_muted_nor_ordered_out(ledger: Ledger) -> None:
    """5c.3: nobody could carry it out."""
    refuse(ledger, ANN, bodies.RoleBody(HOST.id, "muted"), "without-right")
    refuse(ledger, ANN, bodies.RemoveBody([HOST.id], "", ban=False), "changes-nothing")


MOOT: list[bodies.Body] = [
    bodies.LockBody(locked=False),
    bodies.KnockBody(on=False),
    bodies.SlowBody(0),
    bodies.RaidBody(on=False),
    bodies.RoleBody(CAT.id, "member"),
    bodies.RoleBody(BOB.id, "moderator"),
    bodies.RoleBody(EVE.id, "muted"),
    bodies.RemoveBody([EVE.id], "", ban=True),
    bodies.RemoveBody([ANN.id], "", ban=True),
    bodies.UnbanBody(EVE.id),
    bodies.AdmitBody(EVE.key, admitted=True),
    bodies.KeepBody(EVE.id),
]


@pytest.mark.parametrize("body", MOOT, ids=repr)
def test_what_changes_nothing_gets_no_place(ledger: Ledger, body: bodies.Body) -> None:
    """5c.2"""
    refuse(ledger, ANN, body, "changes-nothing")


# --- what it does


def test_a_muted_member_says_nothing_and_may_leave_and_take_back(ledger: Ledger) -> None:
    """5c.4"""
    take(ledger, ANN, bodies.RoleBody(CAT.id, "muted"))
    for body in (TEXT, PRIVATE, bodies.NickBody("tom")):
        refuse(ledger, CAT, body, "entry-of-muted")
    take(ledger, CAT, bodies.RenewBody(KEY), bodies.LeaveBody())
    assert not ledger.rights.muted


def test_nothing_of_a_muted_member_is_passed_off_as_expired(ledger: Ledger) -> None:
    """5.13"""
    ledger.retention = ledger.retention.__class__(0, 60, KEPT)
    header = Header(ENTRY, CAT.id, 1, 0, 60)
    check_tombstone(ledger, header)
    take(ledger, ANN, bodies.RoleBody(CAT.id, "muted"))
    with pytest.raises(PeerFault, match="expired-too-soon"):
        check_tombstone(ledger, header)


def test_who_is_ordered_out_only_leaves(ledger: Ledger) -> None:
    """5c.5"""
    take(ledger, ANN, OUT)
    assert ledger.rights.orders == (Order((CAT.id,), "spam"),)
    for body in (TEXT, PRIVATE, bodies.NickBody("tom"), bodies.RenewBody(KEY), bodies.RetractBody(1)):
        refuse(ledger, CAT, body, "without-right")
    take(ledger, CAT, bodies.LeaveBody())
    assert not ledger.rights.orders


def test_a_commit_removes_whom_moderators_have_ordered_out_and_nobody_else(ledger: Ledger) -> None:
    """5c.5: a host does not throw out by itself, and does not pass over an order."""
    refuse(ledger, HOST, commit(ledger, CAT), "removed-without-order")
    take(ledger, ANN, OUT)
    refuse(ledger, HOST, commit(ledger), "removed-without-order")
    refuse(ledger, HOST, commit(ledger, CAT, BOB), "removed-without-order")
    take(ledger, HOST, commit(ledger, CAT))
    assert ledger.roster.find_member(CAT.id) is None
    assert (ledger.rights.orders, ledger.kicked) == ((), {CAT.id: CAT.key})


def test_who_is_ordered_out_is_not_removed_as_one_who_was_lost(ledger: Ledger) -> None:
    take(ledger, HOST, bodies.AwayBody(CAT.id))
    take(ledger, ANN, OUT)
    refuse(ledger, HOST, commit(ledger, CAT, reason="lost"), "removed-without-order")


def test_of_those_who_are_named_who_cannot_be_ordered_out_any_more_is_passed_over(ledger: Ledger) -> None:
    """5c.5: a purge of a raid does not fail as one of them has left meanwhile."""
    named = [HOST.id, ANN.id, EVE.id, CAT.id, BOB.id]
    take(ledger, BOB, bodies.RemoveBody(named, "raid", ban=True))
    assert ledger.rights.orders == (Order((CAT.id,), "raid"),)
    assert ledger.rights.bans == (Ban(CAT.id, "cat"),)


def test_nobody_is_named_twice(ledger: Ledger) -> None:
    refuse(ledger, ANN, bodies.RemoveBody([CAT.id, CAT.id], "", ban=False), "removed-twice")


def test_orders_that_nobody_carries_out_do_not_pile_up(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ORDERS", 1)
    take(ledger, ANN, OUT)
    refuse(ledger, ANN, bodies.RemoveBody([BOB.id], "", ban=False), "without-right")


def test_a_ban_outlives_its_member_until_it_is_lifted(ledger: Ledger) -> None:
    """5c.6"""
    take(ledger, ANN, bodies.RemoveBody([CAT.id], "", ban=True))
    take(ledger, HOST, commit(ledger, CAT))
    assert ledger.rights.bans == (Ban(CAT.id, "cat"),)
    refuse(ledger, HOST, bodies.JoinedBody(CAT.key, "cat", KEY), "joined-without-right")
    take(ledger, BOB, bodies.UnbanBody(CAT.id))
    assert not ledger.rights.bans


def test_the_latest_bans_are_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BANS", 1)
    take(ledger, ANN, bodies.RemoveBody([CAT.id], "", ban=True), bodies.RemoveBody([BOB.id], "", ban=True))
    assert ledger.rights.bans == (Ban(BOB.id, "bob"),)


def test_while_the_room_is_locked_no_host_lets_anybody_in(ledger: Ledger) -> None:
    """5c.7"""
    take(ledger, ANN, bodies.LockBody(locked=True))
    refuse(ledger, HOST, bodies.JoinedBody(EVE.key, "eve", KEY), "joined-without-right")
    take(ledger, BOB, bodies.LockBody(locked=False))
    take(ledger, HOST, bodies.JoinedBody(EVE.key, "eve", KEY))


def test_where_newcomers_wait_those_come_in_who_were_admitted_once(ledger: Ledger) -> None:
    """5c.7"""
    take(ledger, ANN, bodies.KnockBody(on=True))
    refuse(ledger, HOST, bodies.JoinedBody(EVE.key, "eve", KEY), "joined-without-right")
    take(ledger, BOB, bodies.AdmitBody(EVE.key, admitted=True))
    assert may_come_in(ledger.rights, EVE.key)
    take(ledger, BOB, bodies.AdmitBody(EVE.key, admitted=False))
    assert not may_come_in(ledger.rights, EVE.key)
    take(ledger, BOB, bodies.AdmitBody(EVE.key, admitted=True))
    take(ledger, HOST, bodies.JoinedBody(EVE.key, "eve", KEY))
    assert not ledger.rights.admitted


def test_nobody_stays_admitted_where_nobody_has_to_wait(ledger: Ledger) -> None:
    take(ledger, ANN, bodies.KnockBody(on=True), bodies.AdmitBody(EVE.key, admitted=True), bodies.KnockBody(on=False))
    assert not ledger.rights.admitted


def test_the_latest_who_were_admitted_may_come_in(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ADMITTED", 1)
    take(ledger, ANN, bodies.KnockBody(on=True))
    for key in (EVE.key, KEY):
        take(ledger, ANN, bodies.AdmitBody(key, admitted=True))
    assert ledger.rights.admitted == (KEY,)


@pytest.mark.parametrize(("slow", "closed"), [(0, 10), (30, 30)])
def test_a_raid_closes_the_room_and_leaves_it_as_it_was_before(ledger: Ledger, slow: int, closed: int) -> None:
    """5c.8"""
    if slow:
        take(ledger, ANN, bodies.SlowBody(slow))
    before = ledger.rights.restrictions
    take(ledger, ANN, bodies.RaidBody(on=True))
    assert ledger.rights.restrictions == Restrictions(locked=True, knock=True, slow=closed)
    refuse(ledger, BOB, bodies.RaidBody(on=True), "changes-nothing")
    take(ledger, BOB, bodies.LockBody(locked=False), bodies.AdmitBody(EVE.key, admitted=True))
    take(ledger, BOB, bodies.RaidBody(on=False))
    assert (ledger.rights.restrictions, ledger.rights.before_raid, ledger.rights.admitted) == (before, None, ())


def test_who_is_kept_is_so_until_it_is_out(ledger: Ledger) -> None:
    take(ledger, ANN, bodies.KeepBody(CAT.id))
    assert ledger.rights.kept == (CAT.id,)
    refuse(ledger, BOB, bodies.KeepBody(CAT.id), "changes-nothing")
    take(ledger, CAT, bodies.LeaveBody())
    assert not ledger.rights.kept


# --- what a welcome shows

IMPROPER: list[Rights] = [
    *(replace(Rights(), **{name: (EVE.id,)}) for name in ("moderators", "muted", "kept")),
    *(replace(Rights(), **{name: (CAT.id, CAT.id)}) for name in ("moderators", "muted", "kept")),
    Rights(moderators=(CAT.id,), muted=(CAT.id,)),
    Rights(orders=(Order((EVE.id,), ""),)),
    Rights(orders=(Order((HOST.id,), ""),)),
    Rights(orders=(Order((CAT.id,), ""), Order((CAT.id,), ""))),
    Rights(orders=(Order((), ""),)),
    Rights(bans=(Ban(EVE.id, "e\u200be"),)),
    Rights(bans=(Ban(EVE.id, "eve"), Ban(EVE.id, "eva"))),
    Rights(admitted=(EVE.key,)),
    Rights(Restrictions(knock=True), admitted=(EVE.key, EVE.key)),
]


@pytest.mark.parametrize("rights", IMPROPER, ids=range(len(IMPROPER)))
def test_rights_that_no_room_can_have_are_improper(ledger: Ledger, rights: Rights) -> None:
    """5c.9"""
    assert ledger.room_rights.are_proper
    ledger.rights = rights
    assert not ledger.room_rights.are_proper


WHO = st.sampled_from([HOST.id, ANN.id, BOB.id, CAT.id, EVE.id])
SAID = st.one_of(
    st.builds(bodies.RoleBody, WHO, st.sampled_from(["member", "moderator", "muted"])),
    st.builds(bodies.LockBody, st.booleans()),
    st.builds(bodies.KnockBody, st.booleans()),
    st.builds(bodies.SlowBody, st.sampled_from([0, 5, 60])),
    st.builds(bodies.RaidBody, st.booleans()),
    st.builds(bodies.RemoveBody, st.lists(WHO, min_size=1, max_size=3, unique=True), st.just(""), st.booleans()),
    st.builds(bodies.UnbanBody, WHO),
    st.builds(bodies.AdmitBody, st.sampled_from([EVE.key, KEY]), st.booleans()),
    st.builds(bodies.KeepBody, WHO),
    st.just(bodies.LeaveBody()),
)


@given(said=st.lists(st.tuples(st.sampled_from([HOST, ANN, BOB, CAT]), SAID), max_size=12))
def test_whatever_is_ordered_leads_to_proper_rights(said: list[tuple[Identity, bodies.Body]]) -> None:
    ledger = Ledger(ROOM)
    ledger.host = ledger.add_member(HOST.key, "host", KEY).id
    for who, nick in ((ANN, "ann"), (BOB, "bob"), (CAT, "cat")):
        ledger.add_member(who.key, nick, KEY)
    ledger.rights = Rights(moderators=(ANN.id,))
    ledger.begin_log()
    for author, body in said:
        before = ledger.rights
        try:
            take(ledger, author, body)
        except (PeerFault, AssertionError):
            assert ledger.rights is before
        assert ledger.room_rights.are_proper
        ordered = [member for order in ledger.rights.orders for member in order.members]
        removed = [bodies.Removal(member, "kicked") for member in ordered]
        take(ledger, HOST, bodies.CommitBody(ledger.epoch + 1, removed, renew=False))
        assert not ledger.rights.orders
