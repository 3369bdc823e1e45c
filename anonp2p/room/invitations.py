"""Invitations to a private room, and what entries make of them: pure functions of values (PROTOCOL.md, 5d)."""

from collections.abc import Collection, Container, Iterable

import msgspec

from anonp2p import limits
from anonp2p.crypto import identity, invitations
from anonp2p.crypto.identity import Identity
from anonp2p.protocol.field_types import Invited
from anonp2p.protocol.rights import Invitation, ReturnKey, Rights


def found_private(rights: Rights, founder: Identity, members_key: bytes) -> Rights:
    """The rights of a private room without entries. members_key: of its pool."""
    own = ReturnKey(founder.id, invitations.find_client(founder.return_key))
    return _with(rights, private=True, members_key=members_key, returns=(own,))


def returns_us(rights: Rights, me: Identity) -> bool:
    """Whether we, members with this identity, find the room by our return key, if it is private."""
    return not rights.private or ReturnKey(me.id, invitations.find_client(me.return_key)) in rights.returns


def find_invitation(rights: Rights, key: bytes) -> Invitation | None:
    """The invitation with this public key."""
    return next((it for it in rights.invitations if it.key == key), None)


def is_open(invitation: Invitation) -> bool:
    """Whether somebody may still come by it."""
    return not invitation.revoked and invitation.used < invitation.uses


def find_free_slot(rights: Rights) -> int | None:
    """The first slot of the pool whose key was never given out."""
    taken = {it.slot for it in rights.invitations}
    return next((slot for slot in range(limits.INVITATIONS) if slot not in taken), None)


def is_invited(rights: Rights, invited: Invited | None, key: bytes) -> bool:
    """Whether the owner of this key may come in as far as invitations go: without one where the room is not private."""
    if not rights.private or invited is None:
        return not rights.private and invited is None
    found = find_invitation(rights, invited.invitation)
    if found is None or not (is_open(found) and invitations.is_client(invited.client)):
        return False
    return invitations.is_invited(found.key, invited.signature, key, invited.client)


def add_invitation(rights: Rights, author: bytes, key: bytes, slot: int, uses: int) -> Rights:
    """A moderator gives an invitation out."""
    new = Invitation(key, slot, uses, 0, author, revoked=False, users=())
    return _with(rights, invitations=(*rights.invitations, new))


def note_use(rights: Rights, invited: Invited | None, key: bytes) -> Rights:
    """The owner of this key has come by its invitation, if it came by one."""
    if invited is None:
        return rights
    member = identity.member_id(key)

    def used(it: Invitation) -> Invitation:
        return _with(it, used=it.used + 1, users=(*it.users, member)) if it.key == invited.invitation else it

    returns = (*rights.returns, ReturnKey(member, invited.client))
    return _with(rights, invitations=tuple(map(used, rights.invitations)), returns=returns)


def forget_user(rights: Rights, member: bytes, *, was_lost: bool) -> Rights:
    """The member is none any more. was_lost: it may come back by the same invitation, as somebody new."""
    if rights.private:
        rights = _with(rights, returns=tuple(it for it in rights.returns if it.member != member))
    if not any(member in it.users for it in rights.invitations):
        return rights

    def left(it: Invitation) -> Invitation:
        if member not in it.users:
            return it
        return _with(it, used=it.used - was_lost, users=tuple(user for user in it.users if user != member))

    return _with(rights, invitations=tuple(map(left, rights.invitations)))


def revoke(rights: Rights, key: bytes) -> Rights:
    """Nobody else comes by this invitation."""
    ended = (_with(it, revoked=True) if it.key == key else it for it in rights.invitations)
    return _with(rights, invitations=tuple(ended))


def revoke_of(rights: Rights, members: Container[bytes]) -> Rights:
    """Nobody else comes by the invitations of these members, who are thrown out."""
    ended = (_with(it, revoked=True) if any(user in members for user in it.users) else it for it in rights.invitations)
    return _with(rights, invitations=tuple(ended))


def note_pooled(rights: Rights, member: bytes) -> Rights:
    """The member may have the pool from now on."""
    others = tuple(it for it in rights.pooled if it != member)
    return _with(rights, pooled=(*others, member)[-limits.MEMBERS :])


def pass_code(rights: Rights, holders: Iterable[bytes]) -> Rights:
    """Whoever hosts now has not the key of the code, so that the room has another one, but the same pool.

    Nobody comes by what was given out with the one before. holders: of its key, who got the pool with it.
    """
    if not rights.private:
        return rights
    for holder in holders:
        rights = note_pooled(rights, holder)
    ended = (_with(it, revoked=True) if is_open(it) else it for it in rights.invitations)
    return _with(rights, invitations=tuple(ended))


def replace_pool(rights: Rights, members_key: bytes | None) -> Rights:
    """The room has another code, and with it, if it is private, another pool, of which moderators may have the secret.

    members_key: of that pool. With the one before end all invitations that come from it.
    """
    if not rights.private:
        return rights
    return _with(rights, invitations=(), pooled=rights.moderators, members_key=members_key)


def are_proper(rights: Rights, members: Collection[bytes]) -> bool:
    """Whether a room with these members can have these invitations and keys."""
    all_ = rights.invitations
    users = [user for it in all_ for user in it.users]
    is_once = len({it.key for it in all_}) == len({it.slot for it in all_}) == len(all_) and len(set(users)) == len(
        users
    )
    are_counted = all(len(it.users) <= it.used <= it.uses and identity.is_key(it.key) for it in all_)
    is_once = is_once and len(set(rights.pooled)) == len(rights.pooled)
    has_cause = rights.private or not (all_ or rights.pooled)
    have_keys = sorted(it.member for it in rights.returns) == (sorted(members) if rights.private else [])
    have_keys = have_keys and rights.private == (rights.members_key is not None)
    have_keys = have_keys and all(invitations.is_client(it.client) for it in rights.returns)
    return is_once and are_counted and has_cause and have_keys and all(user in members for user in users)


_with = msgspec.structs.replace
