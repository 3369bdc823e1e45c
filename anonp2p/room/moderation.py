"""What moderators ask for, and what becomes of it: an entry, or one sentence that says what is wrong."""

from anonp2p import errors
from anonp2p.errors import NoSuchNick
from anonp2p.names import nicks
from anonp2p.protocol import bodies
from anonp2p.room.context import Context
from anonp2p.room.errors import (
    AlreadyKept,
    AlreadyModerator,
    AlreadyMuted,
    ChangesNothing,
    FormerModerator,
    HostModerates,
    HostStays,
    KickSelf,
    KnockOff,
    KnockOn,
    ModeratorsOnly,
    Muted,
    NobodyBanned,
    NobodyKnocks,
    NobodyToPurge,
    NoModerator,
    NotMuted,
    OrderedOut,
    RaidOff,
    RaidOn,
    RoomSlow,
    SlowUnchanged,
    TooManyModerators,
)
from anonp2p.room.moderation_events import LockUnchangedEvent
from anonp2p.room.moderation_inputs import (
    AdmitInput,
    AnyModerationInput,
    InviteInput,
    KeepInput,
    KickInput,
    KnockInput,
    LockInput,
    PurgeInput,
    RaidInput,
    RevokeInput,
    RoleInput,
    SlowInput,
    UnbanInput,
)
from anonp2p.room.rights import RoomRights
from anonp2p.room.roster import Member


class Moderation:
    """Checks what the user asks by the same rules by which the host does, for both roles."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._replica = context.replica
        self._reporter = context.reporter

    def read_input(self, event: AnyModerationInput) -> bodies.Body | None:
        """The entry that the user wants; None if there is none, of which the user is told."""
        try:
            if not self._rights.is_moderator(self._replica.me.id):
                raise ModeratorsOnly
            return self._make_body(event)
        except errors.AnonError as error:
            self._reporter.tell_error(error, event.re)
            return None

    def find_silence(self) -> errors.AnonError | None:
        """Why we can say nothing at all, if it is so."""
        me = self._replica.me.id
        if self._rights.is_ordered_out(me):
            return OrderedOut()
        return None if self._rights.may_speak(me) else Muted()

    def find_text_error(self, time: int) -> errors.AnonError | None:
        """Why we cannot say something to all just now, as far as we know. time: of the room, in milliseconds."""
        me = self._replica.me.id
        if error := self.find_silence():
            return error
        waits = self._replica.holds_back(me) and self._context.outbox.has_text
        if waits or self._replica.find_right_denial(me, _A_TEXT, time) == "slow":
            return RoomSlow()
        return None

    @property
    def _rights(self) -> RoomRights:
        return self._replica.ledger.room_rights

    def _make_body(self, event: AnyModerationInput) -> bodies.Body | None:
        """Raises AnonError."""
        now = self._rights.rights.restrictions
        match event:
            case KickInput():
                return bodies.RemoveBody([self._find_removable(event.nick).id], event.why, event.ban)
            case PurgeInput():
                return self._purge(event.seconds)
            case RoleInput():
                return self._change_role(event)
            case LockInput(locked=locked) if locked == now.locked:
                room = self._context.label
                self._reporter.tell_event(LockUnchangedEvent(room=room, locked=locked, re=event.re))
                return None
            case LockInput(locked=locked):
                return bodies.LockBody(locked)
            case KnockInput(on=on):
                return _changing(bodies.KnockBody(on), is_so=on == now.knock, otherwise=KnockOn() if on else KnockOff())
            case SlowInput(seconds=seconds):
                is_so = seconds == now.slow
                return _changing(bodies.SlowBody(seconds), is_so=is_so, otherwise=SlowUnchanged())
            case RaidInput(on=on):
                is_so = on == (self._rights.rights.before_raid is not None)
                return _changing(bodies.RaidBody(on), is_so=is_so, otherwise=RaidOn() if on else RaidOff())
            case UnbanInput(nick=nick):
                return bodies.UnbanBody(self._find_banned(nick))
            case KeepInput(nick=nick):
                member = self._find_member(nick).id
                is_so = member in self._rights.rights.kept
                return _changing(bodies.KeepBody(member), is_so=is_so, otherwise=AlreadyKept())
            case AdmitInput(nick=nick, admitted=admitted):
                return bodies.AdmitBody(self._find_knocker(nick), admitted)
            case InviteInput():
                return self._context.inviting.read_invite(event)
            case RevokeInput():
                return self._context.inviting.read_revoke(event)

    def _find_member(self, nick: str) -> Member:
        member = self._replica.ledger.roster.find_nick(nick)
        if member is None:
            raise NoSuchNick
        return member

    def _find_removable(self, nick: str) -> Member:
        member, me = self._find_member(nick), self._replica.me.id
        if member.id == me:
            raise KickSelf
        if member.id == self._replica.ledger.host:
            raise HostStays
        if not self._rights.outranks(me, member.id):
            raise FormerModerator
        if self._rights.is_ordered_out(member.id):
            raise ChangesNothing
        return member

    def _purge(self, seconds: int) -> bodies.RemoveBody:
        """Throws out who came lately, but the host, moderators and those who are kept."""
        rights, me = self._rights, self._replica.me.id
        since = self._context.clock.now.age - seconds
        came = self._context.arrivals.list_since(since)
        found = [it for it in came if it not in rights.rights.kept and not rights.is_moderator(it)]
        found = [it for it in found if rights.may_remove(me, it)]
        if not found:
            raise NobodyToPurge
        return bodies.RemoveBody(found, "", ban=False)

    def _change_role(self, event: RoleInput) -> bodies.RoleBody:
        member, rights = self._find_member(event.nick), self._rights
        is_moderator, is_muted = rights.is_moderator(member.id), rights.role_of(member.id) == "muted"
        match event.command:
            case "/op" if is_moderator:
                raise AlreadyModerator
            case "/deop" if member.id not in rights.rights.moderators:
                raise NoModerator
            case "/deop" if rights.rights.moderators == (self._replica.ledger.host,):
                raise HostModerates
            case "/mute" if is_muted:
                raise AlreadyMuted
            case "/unmute" if not is_muted:
                raise NotMuted
            case "/mute" if member.id == self._replica.ledger.host:
                raise HostStays
        if not rights.outranks(self._replica.me.id, member.id):
            raise FormerModerator
        body = bodies.RoleBody(member.id, event.role)
        if rights.find_denial(self._replica.me.id, body) is not None:
            raise TooManyModerators
        return body

    def _find_knocker(self, nick: str) -> bytes:
        key = self._context.knockers.find_key(nick)
        if key is None:
            raise NobodyKnocks
        return key

    def _find_banned(self, nick: str) -> bytes:
        """Who was banned last under this nick, or one that looks like it."""
        looks = nicks.narrow_looks(nick)
        for ban in reversed(self._rights.rights.bans):
            if looks & nicks.narrow_looks(ban.nick):
                return ban.member
        raise NobodyBanned


def _changing(body: bodies.Body, *, is_so: bool, otherwise: errors.AnonError) -> bodies.Body:
    if is_so:
        raise otherwise
    return body


_A_TEXT = bodies.TextBody("", action=False, reply=None)  # stands for what the user is about to say
