"""Invitations in a private room's log: who gives them out, who comes by them, how they end (PROTOCOL.md, 5d)."""

from typing import Any

import msgspec
import pytest

from anonp2p import limits
from anonp2p.crypto import invitations
from anonp2p.crypto.epoch import OPENING, Header
from anonp2p.crypto.identity import Identity
from anonp2p.protocol import bodies
from anonp2p.protocol.field_types import Heir, Invited
from anonp2p.protocol.rights import Invitation, ReturnKey, Rights
from anonp2p.room.entry_rules import check_entry
from anonp2p.room.invitations import find_free_slot
from anonp2p.room.ledger import Ledger
from anonp2p.room.succession import terms
from tests.room.peers import ANN, BOB, EVE, HOST, ROOM
from tests.room.test_rights import KEY, commit, refuse, take

POOL = b"the pool of a private room here."
INVITATION = invitations.find_invitation(invitations.derive_key(POOL, 0))
MEMBERS_KEY, OTHER_KEY = invitations.derive_members_key(POOL), b"k" * 32


def client(who: Identity) -> bytes:
    """The public half of its return key."""
    return invitations.find_client(who.return_key)


@pytest.fixture
def ledger() -> Ledger:
    """Of a private room: Ann is its moderator, and came with the host; Bob came with them and is none."""
    ledger = Ledger(ROOM)
    ledger.name = "demo"
    ledger.host = ledger.add_member(HOST.key, "host", KEY).id
    for who, nick in ((ANN, "ann"), (BOB, "bob")):
        ledger.add_member(who.key, nick, KEY)
    returns = tuple(ReturnKey(who.id, client(who)) for who in (HOST, ANN, BOB))
    ledger.rights = Rights(moderators=(ANN.id,), private=True, members_key=MEMBERS_KEY, returns=returns)
    ledger.begin_log()
    return ledger


def invite(slot: int = 0, uses: int = 1, members_key: bytes = MEMBERS_KEY) -> bodies.InviteBody:
    key = invitations.find_invitation(invitations.derive_key(POOL, slot))
    return bodies.InviteBody(key, slot, uses, members_key)


def comes(who: Identity, nick: str, slot: int = 0, *, by: Identity | None = None) -> bodies.JoinedBody:
    """Who comes by the invitation in a slot. by: whose key the invitation has signed, if it is another's."""
    key = invitations.derive_key(POOL, slot)
    signature = invitations.sign_invited(key, (by or who).key, client(who))
    return bodies.JoinedBody(who.key, nick, KEY, Invited(invitations.find_invitation(key), client(who), signature))


def comes_by(returns: bytes, *, signed: bytes) -> bodies.JoinedBody:
    """Eve, with this return key. signed: the one for which the invitation has signed."""
    key = invitations.derive_key(POOL, 0)
    invited = Invited(INVITATION, returns, invitations.sign_invited(key, EVE.key, signed))
    return bodies.JoinedBody(EVE.key, "eve", KEY, invited)


def test_who_was_invited_comes_as_often_as_the_invitation_may_be_used(ledger: Ledger) -> None:
    """5d.5"""
    cat = Identity(b"c" * 32, ROOM)
    take(ledger, ANN, invite(uses=1))
    take(ledger, HOST, comes(EVE, "eve"))
    [it] = ledger.rights.invitations
    assert (it.used, it.users, it.author) == (1, (EVE.id,), ANN.id)
    refuse(ledger, HOST, comes(cat, "cat"), "joined-uninvited")


@pytest.mark.parametrize(
    "joined",
    [
        bodies.JoinedBody(EVE.key, "eve", KEY),
        comes(EVE, "eve", slot=1),
        comes(EVE, "eve", by=BOB),
        bodies.JoinedBody(EVE.key, "eve", KEY, Invited(INVITATION, client(EVE), bytes(64))),
        comes_by(client(BOB), signed=client(EVE)),
        comes_by(bytes(32), signed=bytes(32)),
    ],
    ids=[
        "without one",
        "by one that nobody gave out",
        "by that of another",
        "without its signature",
        "with another return key than it signed",
        "with one by which everybody could come",
    ],
)
def test_no_host_lets_anybody_into_a_private_room_without_an_invitation(
    ledger: Ledger, joined: bodies.JoinedBody
) -> None:
    """5d.5"""
    take(ledger, ANN, invite())
    refuse(ledger, HOST, joined, "joined-uninvited")


def test_where_the_room_is_not_private_nobody_comes_by_an_invitation(ledger: Ledger) -> None:
    ledger.rights = Rights(moderators=(ANN.id,))
    refuse(ledger, HOST, comes(EVE, "eve"), "joined-uninvited")
    refuse(ledger, ANN, invite(), "without-right")
    refuse(ledger, HOST, bodies.CodeBody(EVE.key, OTHER_KEY), "bad-code")
    take(ledger, HOST, bodies.JoinedBody(EVE.key, "eve", KEY))


def test_only_a_moderator_invites_and_revokes(ledger: Ledger) -> None:
    refuse(ledger, BOB, invite(), "without-right")
    take(ledger, ANN, invite())
    refuse(ledger, HOST, bodies.RevokeBody(INVITATION), "without-right")


def test_an_invitation_that_is_revoked_lets_nobody_else_in(ledger: Ledger) -> None:
    """5d.5"""
    take(ledger, ANN, invite(uses=2))
    take(ledger, HOST, comes(EVE, "eve"))
    take(ledger, ANN, bodies.RevokeBody(INVITATION))
    assert ledger.roster.find_member(EVE.id) is not None
    refuse(ledger, HOST, comes(Identity(b"c" * 32, ROOM), "cat"), "joined-uninvited")
    refuse(ledger, ANN, bodies.RevokeBody(INVITATION), "changes-nothing")
    refuse(ledger, ANN, bodies.RevokeBody(KEY), "changes-nothing")


@pytest.mark.parametrize("ban", [True, False])
def test_whoever_is_ordered_out_takes_its_invitation_along(ledger: Ledger, *, ban: bool) -> None:
    """5d.5: even before the host has carried that out."""
    take(ledger, ANN, invite(uses=2), invite(slot=1))
    take(ledger, HOST, comes(EVE, "eve"))
    take(ledger, ANN, bodies.RemoveBody([EVE.id], "", ban))
    assert [it.revoked for it in ledger.rights.invitations] == [True, False]
    take(ledger, HOST, commit(ledger, EVE))
    assert [(it.used, it.users) for it in ledger.rights.invitations] == [(1, ()), (0, ())]
    take(ledger, ANN, bodies.UnbanBody(EVE.id)) if ban else None
    assert ledger.rights.invitations[0].revoked


def test_who_leaves_has_used_its_invitation_and_who_was_lost_may_use_it_again(ledger: Ledger) -> None:
    """5d.5"""
    cat = Identity(b"c" * 32, ROOM)
    take(ledger, ANN, invite(uses=2))
    take(ledger, HOST, comes(EVE, "eve"), comes(cat, "cat"))
    take(ledger, EVE, bodies.LeaveBody())
    [it] = ledger.rights.invitations
    assert (it.used, it.users) == (2, (cat.id,))
    take(ledger, HOST, bodies.AwayBody(cat.id), commit(ledger, cat, reason="lost"))
    [it] = ledger.rights.invitations
    assert (it.used, it.users) == (1, ())
    take(ledger, HOST, comes(Identity(b"d" * 32, ROOM), "dan"))


def test_the_key_of_a_slot_is_given_out_once(ledger: Ledger) -> None:
    take(ledger, ANN, invite(), bodies.RevokeBody(INVITATION))
    refuse(ledger, ANN, invite(), "changes-nothing")
    refuse(ledger, ANN, bodies.InviteBody(INVITATION, 1, 1, MEMBERS_KEY), "changes-nothing")
    refuse(ledger, ANN, bodies.InviteBody(EVE.key, 0, 1, MEMBERS_KEY), "changes-nothing")
    refuse(ledger, ANN, bodies.InviteBody(bytes(32), 1, 1, MEMBERS_KEY), "bad-invitation")
    assert find_free_slot(ledger.rights) == 1


def test_a_pool_comes_to_an_end(ledger: Ledger) -> None:
    take(ledger, ANN, *(invite(slot) for slot in range(limits.INVITATIONS)))
    assert find_free_slot(ledger.rights) is None


@pytest.mark.parametrize("entry", [invite(), comes(EVE, "eve"), bodies.RevokeBody(INVITATION)], ids=repr)
def test_the_group_context_covers_invitations_and_their_uses(ledger: Ledger, entry: bodies.Body) -> None:
    """4.8"""
    if not isinstance(entry, bodies.InviteBody):
        take(ledger, ANN, invite())
    before, rights = ledger.group_context, ledger.rights
    take(ledger, HOST if isinstance(entry, bodies.JoinedBody) else ANN, entry)
    assert ledger.rights.invitations != rights.invitations
    assert ledger.group_context != before


def test_who_may_have_the_pool_is_known_until_it_is_out_and_the_room_has_another_code(ledger: Ledger) -> None:
    """5d.7"""
    take(ledger, ANN, bodies.RoleBody(BOB.id, "moderator"))
    assert ledger.rights.pooled == (BOB.id,)
    take(ledger, BOB, bodies.RoleBody(BOB.id, "member"))
    take(ledger, ANN, bodies.RemoveBody([BOB.id], "", ban=False))
    take(ledger, HOST, commit(ledger, BOB))
    assert ledger.rights.pooled == (BOB.id,)
    take(ledger, HOST, bodies.CodeBody(EVE.key, OTHER_KEY))
    assert ledger.rights.pooled == (ANN.id,), "of another pool, which she may ask for"


def begins_term(ledger: Ledger, who: Identity) -> None:
    """This member, an heir, begins one at an address of its own, by which newcomers come too."""
    ledger.heirs = (Heir(who.id, who.key),)
    opening = bodies.OpeningBody(terms.heir_number(ledger.number, 0), who.key, who.key, ledger.index + 1)
    content = bodies.Content(bytes(16), ledger.index, ledger.digest, opening)
    header = Header(OPENING, who.id, 0)
    author = ledger.get_member(who.id)
    check_entry(ledger, author, header, content)
    ledger.take_entry(author, header, content, KEY)


def test_with_the_code_of_an_heir_all_end_that_were_given_out_and_not_used_and_the_pool_stays(ledger: Ledger) -> None:
    """5d.7: who was lost may still come back by one that was used. Who had the pool and is out is not forgotten."""
    take(ledger, ANN, invite(), invite(slot=1), bodies.RoleBody(BOB.id, "moderator"))
    take(ledger, ANN, bodies.RemoveBody([BOB.id], "", ban=False))
    take(ledger, HOST, comes(EVE, "eve"), commit(ledger, BOB))
    begins_term(ledger, EVE)
    assert [it.revoked for it in ledger.rights.invitations] == [False, True]
    assert ledger.rights.pooled == (BOB.id, HOST.id), "who had the key of the code before, too"
    assert ledger.rights.members_key == MEMBERS_KEY


def test_with_a_code_come_another_pool_and_another_address_and_all_invitations_end(ledger: Ledger) -> None:
    """5d.7: who knew where members find the host is not to see that it is there."""
    take(ledger, ANN, invite(), invite(slot=1))
    take(ledger, HOST, comes(EVE, "eve"), bodies.CodeBody(ANN.key, OTHER_KEY))
    assert (ledger.rights.members_key, ledger.rights.invitations) == (OTHER_KEY, ())
    assert ledger.address == ledger.code == ledger.carriers[HOST.id] == ANN.key
    assert ReturnKey(EVE.id, client(EVE)) in ledger.rights.returns
    take(ledger, ANN, invite(members_key=OTHER_KEY))
    assert find_free_slot(ledger.rights) == 1


def test_an_invitation_of_a_pool_that_was_replaced_is_none(ledger: Ledger) -> None:
    """5d.5: its code would lead nowhere."""
    take(ledger, HOST, bodies.CodeBody(EVE.key, OTHER_KEY))
    refuse(ledger, ANN, invite(), "changes-nothing")


@pytest.mark.parametrize("members_key", [None, MEMBERS_KEY], ids=["none", "the same"])
def test_a_private_room_has_no_other_code_without_another_pool(ledger: Ledger, members_key: bytes | None) -> None:
    """5d.7"""
    refuse(ledger, HOST, bodies.CodeBody(EVE.key, members_key), "bad-code")


def test_of_members_alone_there_are_return_keys(ledger: Ledger) -> None:
    """5d.5: by those of others, somebody would find the room who was thrown out."""
    take(ledger, ANN, invite(uses=2), bodies.RemoveBody([BOB.id], "", ban=False))
    take(ledger, HOST, comes(EVE, "eve"), commit(ledger, BOB))
    assert [it.member for it in ledger.rights.returns] == [HOST.id, ANN.id, EVE.id]
    take(ledger, EVE, bodies.LeaveBody())
    assert [it.member for it in ledger.rights.returns] == [HOST.id, ANN.id]


def test_who_was_a_moderator_where_the_room_is_not_private_has_no_pool(ledger: Ledger) -> None:
    ledger.rights = Rights(moderators=(ANN.id,))
    take(ledger, ANN, bodies.RoleBody(BOB.id, "moderator"))
    take(ledger, HOST, bodies.CodeBody(EVE.key))
    assert ledger.rights.pooled == ()
    assert ledger.rights.members_key is None


GOOD = Invitation(INVITATION, 0, 2, 1, ANN.id, False, (BOB.id,))


@pytest.mark.parametrize(
    "shown",
    [
        (msgspec.structs.replace(GOOD, users=(EVE.id,)),),
        (msgspec.structs.replace(GOOD, used=0),),
        (msgspec.structs.replace(GOOD, used=3),),
        (msgspec.structs.replace(GOOD, key=bytes(32)),),
        (GOOD, msgspec.structs.replace(GOOD, slot=1, users=())),
        (GOOD, msgspec.structs.replace(GOOD, key=EVE.key, users=())),
        (GOOD, msgspec.structs.replace(GOOD, key=EVE.key, slot=1)),
    ],
    ids=["a stranger", "used less", "used more", "no key", "a key twice", "a slot twice", "a member twice"],
)
def test_no_room_has_invitations_like_these(ledger: Ledger, shown: tuple[Invitation, ...]) -> None:
    """5c.9"""
    ledger.rights = msgspec.structs.replace(ledger.rights, invitations=(GOOD,))
    assert ledger.room_rights.are_proper
    ledger.rights = msgspec.structs.replace(ledger.rights, invitations=shown)
    assert not ledger.room_rights.are_proper


@pytest.mark.parametrize("kept", ["invitations", "members_key", "returns"])
def test_a_room_that_is_not_private_has_none(ledger: Ledger, kept: str) -> None:
    private = msgspec.structs.replace(ledger.rights, invitations=(GOOD,))
    ledger.rights = Rights(moderators=(ANN.id,))
    assert ledger.room_rights.are_proper
    ledger.rights = msgspec.structs.replace(ledger.rights, **{kept: getattr(private, kept)})
    assert not ledger.room_rights.are_proper


@pytest.mark.parametrize(
    "shown",
    [
        {"members_key": None},
        {"returns": ()},
        {"returns": [(HOST, HOST), (ANN, ANN), (BOB, BOB), (EVE, EVE)]},
        {"returns": [(HOST, HOST), (ANN, ANN), (ANN, BOB)]},
        {"returns": [(HOST, HOST), (ANN, ANN), (BOB, None)]},
    ],
    ids=["no key of members", "no return keys", "that of a stranger", "two of one", "one that everybody has"],
)
def test_no_private_room_has_keys_like_these(ledger: Ledger, shown: Any) -> None:
    """5c.9"""
    if shown.get("returns"):
        pairs = ((member.id, client(key) if key else bytes(32)) for member, key in shown["returns"])
        shown = {"returns": tuple(ReturnKey(*pair) for pair in pairs)}
    assert ledger.room_rights.are_proper
    ledger.rights = msgspec.structs.replace(ledger.rights, **shown)
    assert not ledger.room_rights.are_proper
