"""Who may do what in a room, and what entries make of it: pure functions of values (PROTOCOL.md, 5c).

A moderator checks by them what it is about to write, the host what it is about to order, and everyone what was ordered.
"""

from typing import Literal, NamedTuple

import msgspec

from anonp2p import limits
from anonp2p.crypto import identity
from anonp2p.names import nicks
from anonp2p.protocol import bodies
from anonp2p.protocol.field_types import Invited
from anonp2p.protocol.rights import Ban, Order, Restrictions, Rights
from anonp2p.room import invitations
from anonp2p.room.moderation_events import RoleName
from anonp2p.room.roster import Roster

RightDenial = Literal["muted", "not-allowed", "moot"]


class RoomRights(NamedTuple):
    """Rights, and to whom they belong: the members, and which of them hosts. For reading only.

    has_heirs: whether anybody could host in its place.
    """

    rights: Rights
    roster: Roster
    host: bytes
    has_heirs: bool

    def __repr__(self) -> str:
        return "<RoomRights>"

    # --- who may do what

    def is_moderator(self, member: bytes) -> bool:
        """Whether this member is one: where nobody else is, the host."""
        moderators = self.rights.moderators
        return member in moderators if moderators else member == self.host

    def outranks(self, author: bytes, member: bytes) -> bool:
        """Whether a moderator may take the rights of this member: not those of one who was a moderator before it."""
        moderators = self.rights.moderators
        return member not in moderators or moderators.index(author) <= moderators.index(member)

    def role_of(self, member: bytes) -> RoleName:
        """What the member may do, whoever hosts."""
        if self.is_moderator(member):
            return "moderator"
        return "muted" if member in self.rights.muted else "member"

    def is_ordered_out(self, member: bytes) -> bool:
        """Whether a moderator has ordered the member out, and no commit has removed it yet."""
        return any(member in order.members for order in self.rights.orders)

    def may_remove(self, author: bytes, member: bytes) -> bool:
        """Whether this moderator may order this member out."""
        is_target = self.roster.find_member(member) is not None and member not in (author, self.host)
        return is_target and not self.is_ordered_out(member) and self.outranks(author, member)

    def may_speak(self, member: bytes) -> bool:
        """Whether messages of this member have places."""
        return member not in self.rights.muted and not self.is_ordered_out(member)

    def slow_of(self, member: bytes) -> int:
        """Seconds between two messages of this member; 0 without such a rule, as for a moderator."""
        return 0 if self.is_moderator(member) else self.rights.restrictions.slow

    def find_denial(self, author: bytes, body: bodies.Body) -> RightDenial | None:
        """Why this is not ordered, though its author may be honest: it did not know what was ordered before it.

        `moot`: it would change nothing. Of an entry that nobody needs rights for: only of who has lost those of all.
        """
        if self.is_ordered_out(author) and not isinstance(body, bodies.LeaveBody):
            return "not-allowed"
        if isinstance(body, bodies.TextBody | bodies.PrivateBody | bodies.NickBody):
            return "muted" if author in self.rights.muted else None
        if isinstance(body, bodies.CloseBody) and author == self.host and not self.has_heirs:
            return None  # it may leave, and nobody could go on
        if not isinstance(body, MODERATING):
            return None
        if not self.is_moderator(author):
            return "not-allowed"
        return self._find_moderators_denial(author, body)

    def _find_moderators_denial(self, author: bytes, body: bodies.Body) -> RightDenial | None:
        rights, now = self.rights, self.rights.restrictions
        match body:
            case bodies.RoleBody():
                return self._find_role_denial(author, body)
            case bodies.RemoveBody(members=members):
                if len(rights.orders) >= limits.ORDERS:
                    return "not-allowed"
                return None if any(self.may_remove(author, member) for member in members) else "moot"
            case bodies.LockBody(locked=locked):
                is_moot = locked == now.locked
            case bodies.KnockBody(on=on):
                is_moot = on == now.knock
            case bodies.SlowBody(seconds=seconds):
                is_moot = seconds == now.slow
            case bodies.RaidBody(on=on):
                is_moot = on == (rights.before_raid is not None)
            case bodies.UnbanBody(member=member):
                is_moot = not is_banned(rights, member)
            case bodies.AdmitBody(admitted=admitted):
                is_moot = admitted and not now.knock
            case bodies.InviteBody() if not rights.private:
                return "not-allowed"
            case bodies.InviteBody(key=key, slot=slot, members_key=members_key):
                is_taken = any(it.key == key or it.slot == slot for it in rights.invitations)
                is_moot = is_taken or members_key != rights.members_key  # it would be of a pool that was replaced
            case bodies.RevokeBody(key=key):
                found = invitations.find_invitation(rights, key)
                is_moot = found is None or found.revoked
            case bodies.KeepBody(member=member):
                is_moot = self.roster.find_member(member) is None or member in rights.kept
            case _:
                is_moot = False
        return "moot" if is_moot else None

    def _find_role_denial(self, author: bytes, body: bodies.RoleBody) -> RightDenial | None:
        member, moderators = body.member, self.rights.moderators
        if self.roster.find_member(member) is None or self._listed_role(member) == body.role:
            return "moot"
        if not self.outranks(author, member) or (body.role == "muted" and member == self.host):
            return "not-allowed"
        is_one_more = body.role == "moderator" and len(moderators) + (not moderators) >= limits.MODERATORS
        return "not-allowed" if is_one_more else None

    def _listed_role(self, member: bytes) -> RoleName:
        """The same as `role_of`, but for a host that is a moderator only as there is no other."""
        if member in self.rights.moderators:
            return "moderator"
        return "muted" if member in self.rights.muted else "member"

    # --- what entries make of it

    def apply_body(self, author: bytes, body: bodies.Body) -> Rights:
        """The rights after an entry that was checked, and that lets nobody in or out."""
        rights, now = self.rights, self.rights.restrictions
        match body:
            case bodies.LockBody(locked=locked):
                return _with(rights, restrictions=_with(now, locked=locked))
            case bodies.KnockBody(on=on):
                return _restricted(rights, _with(now, knock=on))
            case bodies.SlowBody(seconds=seconds):
                return _with(rights, restrictions=_with(now, slow=seconds))
            case bodies.RaidBody(on=True):
                closed = Restrictions(locked=True, knock=True, slow=max(now.slow, limits.RAID_SLOW))
                return _with(rights, restrictions=closed, before_raid=now)
            case bodies.RaidBody() if rights.before_raid is not None:
                return _restricted(_with(rights, before_raid=None), rights.before_raid)
            case bodies.RoleBody():
                return self._with_role(author, body)
            case bodies.RemoveBody():
                return self._with_orders(author, body)
            case bodies.UnbanBody(member=member):
                return _with(rights, bans=tuple(ban for ban in rights.bans if ban.member != member))
            case bodies.AdmitBody(key=key, admitted=admitted):
                others = tuple(it for it in rights.admitted if it != key)
                return _with(rights, admitted=(*others, key)[-limits.ADMITTED :] if admitted else others)
            case bodies.KeepBody(member=member):
                return _with(rights, kept=(*rights.kept, member))
            case bodies.InviteBody(key=key, slot=slot, uses=uses):
                return invitations.add_invitation(rights, author, key, slot, uses)
            case bodies.RevokeBody(key=key):
                return invitations.revoke(rights, key)
        return rights

    def _with_role(self, author: bytes, body: bodies.RoleBody) -> Rights:
        """A host that makes the first moderator has been one by right of there being none, and stays one."""
        member, rights = body.member, self.rights
        moderators, muted = _without(rights.moderators, member), _without(rights.muted, member)
        if body.role == "moderator":
            first = (author,) if not rights.moderators and author != member else ()
            moderators = (*first, *moderators, member)
        elif body.role == "muted":
            muted = (*muted, member)
        if body.role == "moderator" and rights.private:
            rights = invitations.note_pooled(rights, member)
        return _with(rights, moderators=moderators, muted=muted)

    def list_targets(self, author: bytes, body: bodies.RemoveBody) -> list[bytes]:
        """Whom of those that it names an entry orders out: not who has left meanwhile, or is the host now."""
        return [member for member in body.members if self.may_remove(author, member)]

    def _with_orders(self, author: bytes, body: bodies.RemoveBody) -> Rights:
        targets = self.list_targets(author, body)
        orders = (*self.rights.orders, Order(tuple(targets), body.why))
        bans = self.rights.bans
        if body.ban:
            found = (self.roster.find_member(member) for member in targets)
            bans = (*bans, *(Ban(it.id, it.nick) for it in found if it is not None))[-limits.BANS :]
        return invitations.revoke_of(_with(self.rights, orders=orders, bans=bans), targets)

    # --- what a welcome shows

    @property
    def are_proper(self) -> bool:
        """Whether a room can have these rights."""
        rights = self.rights
        ordered = list_ordered_out(rights)
        for members in (rights.moderators, rights.muted, rights.kept, ordered):
            if len(set(members)) < len(members) or any(self.roster.find_member(it) is None for it in members):
                return False
        is_apart = not set(rights.moderators) & set(rights.muted) and self.host not in ordered
        is_apart = is_apart and all(order.members for order in rights.orders)
        is_once = len({ban.member for ban in rights.bans}) == len(rights.bans)
        is_once = is_once and len(set(rights.admitted)) == len(rights.admitted)
        has_cause = rights.restrictions.knock or not rights.admitted
        has_cause = has_cause and invitations.are_proper(rights, {member.id for member in self.roster})
        return is_apart and is_once and has_cause and all(nicks.is_nick(ban.nick) for ban in rights.bans)


MODERATING = bodies.Moderating | bodies.LockBody | bodies.CloseBody  # what takes a moderator


def drop_member(rights: Rights, member: bytes, *, was_lost: bool) -> Rights:
    """The rights once the member is none any more. was_lost: it was away for too long."""
    rights = invitations.forget_user(rights, member, was_lost=was_lost)
    lists = rights.moderators, rights.muted, rights.kept
    if not any(member in members for members in (*lists, *(order.members for order in rights.orders))):
        return rights
    moderators, muted, kept = (_without(members, member) for members in lists)
    left = [_with(order, members=_without(order.members, member)) for order in rights.orders]
    orders = tuple(order for order in left if order.members)
    return _with(rights, moderators=moderators, muted=muted, kept=kept, orders=orders)


def list_ordered_out(rights: Rights) -> list[bytes]:
    """Whom moderators have ordered out, and no commit has removed yet."""
    return [member for order in rights.orders for member in order.members]


def admit_newcomer(rights: Rights, key: bytes, invited: Invited | None) -> Rights:
    """The rights once the owner of this key has come in, perhaps by an invitation."""
    rights = invitations.note_use(rights, invited, key)
    return _with(rights, admitted=_without(rights.admitted, key)) if key in rights.admitted else rights


def may_come_in(rights: Rights, key: bytes) -> bool:
    """Whether the rights let a host let in who has this key."""
    now, member = rights.restrictions, identity.member_id(key)
    is_held = now.locked or (now.knock and key not in rights.admitted)
    return not is_held and not is_banned(rights, member)


def is_banned(rights: Rights, member: bytes) -> bool:
    """Whether one who was thrown out may not come back under the same key."""
    return any(ban.member == member for ban in rights.bans)


def _restricted(rights: Rights, restrictions: Restrictions) -> Rights:
    admitted = rights.admitted if restrictions.knock else ()
    return _with(rights, restrictions=restrictions, admitted=admitted)


def _without(members: tuple[bytes, ...], member: bytes) -> tuple[bytes, ...]:
    return tuple(it for it in members if it != member)


_with = msgspec.structs.replace
