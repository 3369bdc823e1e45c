"""What a moderator of a private room does with invitations: the codes that it gives out, its notes, and the list."""

from typing import Any

from anonp2p.crypto import identity
from anonp2p.protocol import bodies
from anonp2p.protocol.rights import Invitation
from anonp2p.room import events
from anonp2p.room.errors import ModeratorsOnly, NoInvitationLeft, NoPool, NoSuchInvitation, NotPrivate, RevokedAlready
from anonp2p.room.invitations import find_free_slot, find_invitation
from anonp2p.room.moderation_inputs import InviteInput, RevokeInput
from anonp2p.room.pool import Pool
from anonp2p.room.replica import Replica
from anonp2p.room.reporter import Reporter


class Inviting:
    """label: how events name the room. Notes stay with us: they name people. Numbers are those of slots, from 1."""

    def __init__(self, label: str, replica: Replica, pool: Pool, reporter: Reporter) -> None:
        self._label = label
        self._replica = replica
        self._pool = pool
        self._reporter = reporter
        self._notes: dict[bytes, str] = {}  # by the key of the invitation
        self._waiting: list[InviteInput] = []  # for the pool
        self._untold: list[InviteInput] = []  # those of them whose user was not told that the host gives us none

    @property
    def waits_for_pool(self) -> bool:
        """Whether our host is to give us the pool, as we are to invite somebody."""
        return bool(self._waiting)

    def read_invite(self, event: InviteInput) -> bodies.InviteBody | None:
        """The entry by which a moderator invites; None if it has to wait for the pool. Raises AnonError."""
        rights = self._replica.ledger.rights
        if not rights.private:
            raise NotPrivate
        if (slot := find_free_slot(rights)) is None:
            raise NoInvitationLeft
        if not self._pool.is_ours and self._replica.ledger.host == self._replica.me.id:
            raise NoPool
        if not self._pool.is_ours:
            self._waiting.append(event)
            self._untold.append(event)
            return None
        key = self._pool.find_invitation(slot)
        self._notes[key] = event.note
        assert rights.members_key is not None, "the room is private"
        return bodies.InviteBody(key, slot, event.uses, rights.members_key)

    def take_waiting(self) -> list[InviteInput]:
        """We have the pool: what waits for it goes on."""
        waiting, self._waiting = self._waiting, []
        self._untold.clear()
        return waiting

    @property
    def awaits_answer(self) -> bool:
        """Whether something waits for the pool of which the user was not told that it does."""
        return bool(self._untold)

    def take_unanswered(self) -> list[events.Re]:
        """The inputs that wait for the pool, of each once: they go on all the same, where the next host has it."""
        late, self._untold = self._untold, []
        return [event.re for event in late]

    def read_revoke(self, event: RevokeInput) -> bodies.RevokeBody:
        """The entry by which a moderator takes an invitation back. Raises AnonError."""
        rights = self._replica.ledger.rights
        if not rights.private:
            raise NotPrivate
        found = next((it for it in rights.invitations if it.slot == event.number - 1), None)
        if found is None:
            raise NoSuchInvitation
        if found.revoked:
            raise RevokedAlready
        return bodies.RevokeBody(found.key)

    def tell_placed(self, placed: bodies.InviteBody | bodies.RevokeBody, re: events.Re) -> None:
        """An invitation of ours is good from now on, and the user is told its code; or one is not any more."""
        if isinstance(placed, bodies.InviteBody):
            code = self._pool.spell_code(self._replica.ledger.code, placed.slot)
            self._reply("/invite", {"code": code, "invitation": placed.slot + 1, "uses": placed.uses}, re)
        elif found := find_invitation(self._replica.ledger.rights, placed.key):
            self._reply("/revoke", {"invitation": found.slot + 1}, re)

    def _reply(self, command: str, data: dict[str, Any], re: events.Re) -> None:
        self._reporter.tell_event(events.ReplyEvent(room=self._label, command=command, data=data, re=re))

    def list_invitations(self) -> list[dict[str, Any]]:
        """All that were given out, as data. Raises AnonError where we may not know, or there are none."""
        ledger = self._replica.ledger
        if not ledger.rights.private:
            raise NotPrivate
        if not ledger.room_rights.is_moderator(self._replica.me.id):
            raise ModeratorsOnly
        return [self._describe(it) for it in ledger.rights.invitations]

    def _describe(self, invitation: Invitation) -> dict[str, Any]:
        note = self._notes.get(invitation.key, "")
        members = [self._replica.ledger.get_member(user) for user in invitation.users]
        return {
            "invitation": invitation.slot + 1,
            "uses": invitation.uses,
            "used": invitation.used,
            "revoked": invitation.revoked,
            **({"note": note} if note else {}),
            "members": [{"member": identity.spell_member(it.id), "nick": it.nick} for it in members],
        }

    def forget(self) -> None:
        """We are out."""
        self._notes.clear()
        self._waiting.clear()
        self._untold.clear()
