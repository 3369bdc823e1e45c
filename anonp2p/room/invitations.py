"""Invitations to a private room, and what entries make of them: pure functions of values (PROTOCOL.md, 5d)."""

from collections.abc import Container, Iterable

import msgspec

from anonp2p import limits
from anonp2p.crypto import identity, invitations
from anonp2p.protocol.field_types import Invited
from anonp2p.protocol.rights import Invitation, Rights


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
    return found is not None and is_open(found) and invitations.is_invited(found.key, invited.signature, key)


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

    return _with(rights, invitations=tuple(map(used, rights.invitations)))


def forget_user(rights: Rights, member: bytes, *, was_lost: bool) -> Rights:
    """The member is none any more. was_lost: it may come back by the same invitation, as somebody new."""
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


def renew_code(rights: Rights, holders: Iterable[bytes], members: Container[bytes]) -> Rights:
    """The room has another code: nobody comes by what was given out with the one before.

    holders: of the key of that one, who got the pool with it.
    """
    if not rights.private:
        return rights
    for holder in holders:
        rights = note_pooled(rights, holder)
    ended = (_with(it, revoked=True) if is_open(it) else it for it in rights.invitations)
    return _with(rights, invitations=tuple(ended), pooled=tuple(it for it in rights.pooled if it in members))


def are_proper(rights: Rights, members: Container[bytes]) -> bool:
    """Whether a room with these members can have these invitations."""
    all_ = rights.invitations
    users = [user for it in all_ for user in it.users]
    is_once = len({it.key for it in all_}) == len({it.slot for it in all_}) == len(all_) and len(set(users)) == len(
        users
    )
    are_counted = all(len(it.users) <= it.used <= it.uses and identity.is_key(it.key) for it in all_)
    is_once = is_once and len(set(rights.pooled)) == len(rights.pooled)
    has_cause = rights.private or not (all_ or rights.pooled)
    return is_once and are_counted and has_cause and all(user in members for user in users)


_with = msgspec.structs.replace
