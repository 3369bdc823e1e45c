"""A room: one state machine for host and members. Inputs go in, effects come out.

The host orders: what it has checked gets the next index and goes to everyone as it is. Everyone, the host included,
applies entries in that order and tells the user what they mean. A peer that breaks a rule raises PeerFault within: a
host drops that link, a member gives up a host that lies.
"""

from collections.abc import Callable
from typing import Any, get_args

import msgspec
from msgspec import UNSET

from anonp2p import errors
from anonp2p.crypto import identity, suite
from anonp2p.names import codes
from anonp2p.names.codes import RoomKey
from anonp2p.protocol import bodies, room_state
from anonp2p.room import effects, events, inputs
from anonp2p.room.context import create_context
from anonp2p.room.dice import draw_between
from anonp2p.room.errors import RetentionNotAllowed
from anonp2p.room.file_inputs import AnyFileInput, AnyTransferInput
from anonp2p.room.file_sharing import FileSharing
from anonp2p.room.files import Files
from anonp2p.room.heirs_report import describe_heirs
from anonp2p.room.host.founding import Founding
from anonp2p.room.host.host import HostRole
from anonp2p.room.member.member import MemberRole
from anonp2p.room.moderation import Moderation
from anonp2p.room.moderation_inputs import AnyModerationInput
from anonp2p.room.pool import Pool
from anonp2p.room.retention import ANY, NO_HISTORY, span, ttl_or_none
from anonp2p.room.role import HostPlan, Role
from anonp2p.room.snapshot import MemberView, Snapshot
from anonp2p.room.speech import Speech
from anonp2p.room.verification_report import VerificationReport


class Room:
    """One room, from asking to be let in (or creating it) to being out again.

    label: what the interface calls it in this process. key: the public key of its onion service. random: gives so many
    fresh bytes. nick: the one asked for, empty for one made from our key. room_key: of a room that we create, as its
    host, the key of its onion service with what is secret in it; None for one that we join. name: of the former;
    retention, history: its rules; knock: whether newcomers wait there for a moderator. cover: whether cover traffic is
    sent. is_alone: whether we have no other room now. may_host: whether we may take the room over from its host.
    entrusts: whether we, as its host, give the key of its code to who would take it over first. private: whether the
    room that we create is found with invitations alone. invitation: the key of ours to the room that we join; empty
    without one. re: the id of the input that asked for it.
    """

    def __init__(
        self,
        *,
        label: str,
        key: bytes,
        random: Callable[[int], bytes],
        nick: str,
        room_key: RoomKey | None = None,
        name: str = "",
        retention: room_state.RetentionPolicy = ANY,
        history: room_state.HistoryPolicy = NO_HISTORY,
        knock: bool = False,
        cover: bool = False,
        is_alone: bool = True,
        may_host: bool = False,
        entrusts: bool = True,
        private: bool = False,
        invitation: bytes = b"",
        re: events.Re = UNSET,
    ) -> None:
        self.label = label
        self._context = create_context(
            label=label,
            key=key,
            random=random,
            pool=Pool(invitation, random(suite.SECRET) if private else b""),
            cover=cover,
            is_alone=is_alone,
            may_host=may_host,
            entrusts=entrusts,
            re=re,
        )
        self.replica = self._context.replica
        self._clock = self._context.clock
        self._outbox = self._context.outbox
        self._reporter = self._context.reporter
        self._lifecycle = self._context.lifecycle
        self._verification = VerificationReport(self._context)
        self._moderation = Moderation(self._context)
        self._speech = Speech(self._context, self._moderation)
        self._file_sharing = FileSharing(self._context, self._speech)
        self.role: Role = MemberRole(self._context, nick)
        if room_key is not None:
            self.role = HostRole(self._context, Founding(room_key, nick, name, retention, history, knock))
        self._commands: dict[type[Any], Callable[[Any], None]] = {
            **dict.fromkeys(get_args(inputs.AnySpeechInput), self._say),
            **dict.fromkeys(get_args(AnyFileInput), self._share_file),
            inputs.RetainInput: self._set_retention,
            inputs.VerifyInput: self._tell_safety_words,
            inputs.RenameInput: self._change_nick,
            inputs.AskInput: self._answer,
            inputs.LeaveInput: self._leave,
            **dict.fromkeys(get_args(AnyModerationInput), self._moderate),
            **dict.fromkeys(get_args(inputs.Hosting), self._host_room),
        }

    def handle_input(self, event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        """Takes one input in and says what is to be done about it, in that order."""
        was_over = self.over
        self._clock.now = now
        self._reporter.end_due_messages()
        self._context.sent.expire_entries(now.age)
        if isinstance(event, inputs.LeaveInput) and event.within:
            self._lifecycle.plan_leave(event, self._clock.tick + draw_between(self._context.random, 0.0, event.within))
        elif isinstance(event, inputs.Typed):
            self._handle_typed(event)
        elif self.over:
            pass  # what happens outside does not concern us any more
        elif isinstance(event, inputs.BrokenInput):
            self._lifecycle.break_down(event.error)
        elif isinstance(event, inputs.NetworkInput):
            self._context.health.note_network(up=event.up)
        elif isinstance(event, AnyTransferInput):
            self._file_sharing.take_outcome(event, self.role)
        else:
            if isinstance(event, inputs.DialFailedInput):
                event = self._context.pool.keyring.judge(event)
            self.role.handle_input(event)
        self._replace_role()
        if leave := self._lifecycle.take_due_leave(self._clock.tick):
            self._handle_typed(leave)
        while self._lifecycle.waiting and self._lifecycle.phase == "in":
            self._handle_typed(self._lifecycle.waiting.pop(0))
        if self.entered:
            self._context.knockers.tell_due()
            self.files.end_orphans()
        if self.over and not was_over:
            self.role.close()
            self.replica.forget_secrets()
            self._context.sent.forget_all()
            self._context.serving.forget_keys()
            self._context.pool.forget()
            self._context.inviting.forget()
        return self._reporter.take_effects()

    def _replace_role(self) -> None:
        """Takes up another role, if the present one says so."""
        plan = self.role.successor
        if plan is None or self.over:
            return
        self.role.retire()
        if isinstance(plan, HostPlan):
            self.role = HostRole(self._context, plan)
        else:
            self.role = MemberRole(self._context, "", plan)
        self.role.handle_input(inputs.StartInput())

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due, if nothing else happens before."""
        if self.over:
            return None
        sent = self._context.sent.next_due
        again = None if sent is None else self._clock.tick_at(sent)
        waiting = self._context.knockers.next_deadline()
        dues = (self.role.next_deadline(), self._reporter.next_deadline, self._lifecycle.leaves_at, again, waiting)
        return min((due for due in dues if due is not None), default=None)

    # --- the room as it is

    @property
    def files(self) -> Files:
        """The files on offer: who carries them asks there who may have them."""
        return self._context.files

    @property
    def evidence(self) -> list[tuple[bytes, ...]]:
        """What proves that our host lies."""
        return self.replica.evidence

    @property
    def name(self) -> str:
        """What the room is called; empty while we do not know."""
        return self.replica.ledger.name

    @property
    def code(self) -> str:
        """What newcomers dial."""
        return codes.encode_key(self.replica.ledger.code)

    @property
    def index(self) -> int:
        """Of the latest entry that has taken effect."""
        return self.replica.ledger.index

    @property
    def hosting(self) -> bool:
        """Whether we are its host."""
        return self.role.name == "host"

    @property
    def failure(self) -> errors.AnonError | None:
        """Why we never got in, or had to give up."""
        return self._lifecycle.failure

    @property
    def entered(self) -> bool:
        """Whether we have been let in and are not out yet."""
        return self._lifecycle.entered

    @property
    def stays(self) -> bool:
        """Whether we are in, and have not begun to leave."""
        return self._lifecycle.phase == "in"

    @property
    def over(self) -> bool:
        """Whether we are out for good."""
        return self._lifecycle.over

    @property
    def settled(self) -> bool:
        """Whether what it takes to be in a room is done: for a member to be let in, for a host to be reachable."""
        return self.role.settled

    @property
    def outstanding(self) -> int:
        """How many inputs of ours have not got their place or their answer yet."""
        return len(self._outbox) + len(self._lifecycle.waiting) + self.files.reading

    def people(self) -> list[events.Person]:
        """The members who are here."""
        return self.replica.ledger.list_people()

    def snapshot(self) -> Snapshot:
        """The room at a glance; costs the same however large it is."""
        ledger, ttl = self.replica.ledger, self._context.own_ttl
        now = ledger.rights.restrictions
        me, host = ledger.roster.find_member(self.replica.me.id), ledger.roster.find_member(ledger.host)
        heir = ledger.roster.find_member(ledger.heirs[0].member) if ledger.heirs else None
        return Snapshot(
            name=self.name,
            code=self.code,
            nick=me.nick if me else "",
            member=identity.spell_member(self.replica.me.id),
            hosting=self.hosting,
            host=host.nick if host else "",
            settled=self.settled,
            members=ledger.roster.present_count,
            away=ledger.roster.away_count,
            epoch=ledger.epoch,
            locked=now.locked,
            knock=now.knock,
            slow=now.slow,
            raid=ledger.rights.before_raid is not None,
            private=ledger.is_private,
            moderates=ledger.room_rights.is_moderator(self.replica.me.id),
            heir=heir.nick if heir else "",
            ends_with_us=self.role.ends_room,
            ttl=ttl_or_none(ttl),
            alarmed=bool(self.evidence),
        )

    def members(self) -> list[MemberView]:
        """All members, those who are away too, in the order in which they came."""
        ledger = self.replica.ledger
        ranks = {heir.member: rank for rank, heir in enumerate(ledger.heirs, 1)}
        rights = ledger.room_rights
        return [
            MemberView(
                member=identity.spell_member(member.id),
                nick=member.nick,
                role="host" if member.id == ledger.host else rights.role_of(member.id),
                tag=identity.short_id(member.id),
                away=member.away,
                mine=member.id == self.replica.me.id,
                rank=ranks.get(member.id),
                holds_key=member.id in ledger.holders,
                moderator=rights.is_moderator(member.id),
            )
            for member in ledger.roster
        ]

    def banned(self) -> list[str]:
        """The nicks that those had who are banned now, who was banned last first."""
        return [ban.nick for ban in reversed(self.replica.ledger.rights.bans)]

    # --- what the user wants

    def _handle_typed(self, event: inputs.Typed) -> None:
        """What is typed while we wait to be let in waits too, but for how we are; what comes too late is given back."""
        if self._lifecycle.phase == "in":
            self._commands[type(event)](event)
        elif self._lifecycle.phase in ("leaving", "over"):
            self._lifecycle.give_back(event)
        elif isinstance(event, inputs.AskInput) and event.command == "/health":
            self._answer(event)
        elif isinstance(event, inputs.LeaveInput) and (event.now or self._lifecycle.may_give_up):
            self._lifecycle.give_up_waiting(event.re)
        else:
            self._lifecycle.waiting.append(event)

    def _say(self, event: inputs.AnySpeechInput) -> None:
        self._speech.handle_input(event, self.role)

    def _set_retention(self, event: inputs.RetainInput) -> None:
        """Says for how long our messages are kept; from now on for another time, if one is given that may be."""
        bounds = self.replica.ledger.retention
        if event.ttl is not None and not bounds.least <= event.ttl <= bounds.most:
            self._reporter.tell_error(RetentionNotAllowed(span(bounds.least), span(bounds.most)), event.re)
            return
        if event.ttl is not None:
            self._context.ttl = event.ttl
        names = ("ttl", "minimum", "default", "maximum")
        ttls = (self._context.own_ttl, bounds.least, bounds.default, bounds.most)
        data = {name: ttl_or_none(ttl) for name, ttl in zip(names, ttls, strict=True)}
        self._reporter.tell_event(events.ReplyEvent(room=self.label, command="/retain", data=data, re=event.re))

    def _tell_safety_words(self, event: inputs.VerifyInput) -> None:
        self._verification.tell_safety_words(event, self.role.room_time())

    def _change_nick(self, event: inputs.RenameInput) -> None:
        if event.nick == self._context.own_member.nick:
            self._reporter.tell_event(events.NickUnchangedEvent(room=self.label, nick=event.nick, re=event.re))
        elif silence := self._moderation.find_silence():
            self._reporter.tell_error(silence, event.re)
        elif self.role.refuses_nick(event.nick):
            self._reporter.tell_error(errors.NickTaken(), event.re)
        else:
            self.role.author_entry(bodies.NickBody(event.nick), None, event.re)

    def _answer(self, event: inputs.AskInput) -> None:
        match event.command:
            case "/who":
                data: Any = self._list_people()
            case "/files":
                data = {"files": self.files.list_files()}
            case "/heirs":
                data = describe_heirs(self.replica.ledger, entrusts=self._context.entrusts)
            case "/health":
                data = self._context.health.describe(
                    self.role.name, outstanding=self.outstanding, alarms=self._reporter.alarms
                )
            case "/invites":
                try:
                    data = self._context.inviting.list_invitations()
                except errors.AnonError as error:
                    self._reporter.tell_error(error, event.re)
                    return
            case _:
                data = {"code": self.code}
        self._reporter.tell_event(events.ReplyEvent(room=self.label, command=event.command, data=data, re=event.re))

    def _list_people(self) -> list[events.Person]:
        verified = {
            identity.spell_member(one.id)
            for one in self.replica.ledger.roster
            if self._verification.is_verified(one.id)
        }
        return [msgspec.structs.replace(one, verified=one.member in verified) for one in self.people()]

    def _share_file(self, event: AnyFileInput) -> None:
        self._file_sharing.handle_input(event, self.role)

    def _moderate(self, event: AnyModerationInput) -> None:
        body = self._moderation.read_input(event)
        if body is not None:
            self.role.author_entry(body, None, event.re)
        elif self._context.inviting.waits_for_pool:
            self.role.request_pool()

    def _host_room(self, event: inputs.Hosting) -> None:
        self.role.host_room(event)

    def _leave(self, event: inputs.LeaveInput) -> None:
        self.role.leave(event)
