"""A room: the machine that host and members run alike. Events in, effects out; see `steps` for both.

The host orders: what it has checked gets the next index and goes to everyone as it is. Everyone, the host included,
applies entries in that order and tells the user what they mean. Being host is data: who may put entries in their
places. A peer that breaks a rule raises PeerFault within: a host drops that link, a member gives up a host that lies.
"""

from collections.abc import Callable
from typing import Any

from anonp2p import errors, limits
from anonp2p.crypto import identity
from anonp2p.names import safety_words
from anonp2p.protocol import frames
from anonp2p.room import effects, events, inputs
from anonp2p.room.host import admission
from anonp2p.room.host.hosting import Hosting
from anonp2p.room.life import End
from anonp2p.room.member.following import Following
from anonp2p.room.pending import Whisper
from anonp2p.room.retention import span, ttl_or_none
from anonp2p.room.snapshot import Snapshot, Standing


class Room(Hosting, Following):
    """One room, from asking to be let in (or creating it) to being out again. Parameters: see `life.Life`."""

    def _prepare(self) -> None:
        self._prepare_hosting()
        self._prepare_following()
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            inputs.Start: self._start,
            inputs.Published: self._published,
            inputs.Dialling: self._dialling,
            inputs.Linked: self._linked,
            inputs.Heard: self._heard,
            inputs.Dropped: self._lose_link if self.hosting else self._lose_uplink,
            inputs.Broken: self._broken,
            inputs.Tick: self._tick,
            inputs.Say: self._say,
            inputs.Whisper: self._whisper,
            inputs.Retain: self._retain,
            inputs.Verify: self._verify,
            inputs.Rename: self._rename,
            inputs.Ask: self._ask,
            inputs.Kick: self._moderate,
            inputs.Lock: self._moderate,
            inputs.Leave: self._leave,
        }

    def handle(self, event: inputs.Input, now: inputs.Now) -> list[effects.Effect]:
        """Takes one event in and says what is to be done about it, in that order."""
        self._effects = []
        self._now = now
        self._tell_expired(self._expiry.end_due(now.age))
        if isinstance(event, inputs.Typed):
            self._typed(event)
        elif not self.over:
            self._handlers[type(event)](event)
        effects, self._effects = self._effects, []  # which may hold what somebody said
        return effects

    def next_deadline(self) -> float | None:
        """When (`Now.tick`) a Tick is due, if nothing else happens before."""
        end = self._expiry.next_due
        expires_at = None if end is None else self._after(end)
        dues = (self._leave_by, self._beat_at, self._cover_at, self._wait_ends_at, expires_at)
        ours = [due for due in dues if due is not None]
        return min([*self._due(), *ours], default=None)

    @property
    def settled(self) -> bool:
        """Whether what it takes to be in a room is done: for a member to be let in, for a host to be reachable."""
        return self._reachable if self.hosting else self.entered

    def snapshot(self) -> Snapshot:
        """The room at a glance; costs the same however large it is."""
        roster = self._ledger.roster
        me, host = roster.get(self._me.id), roster.get(self._ledger.host)
        return Snapshot(
            name=self.name,
            code=self.code,
            nick=me.nick if me else "",
            member=identity.spell(self._me.id),
            hosting=self.hosting,
            host=host.nick if host else "",
            settled=self.settled,
            members=roster.here,
            epoch=self._ledger.epoch,
            locked=self._ledger.locked,
            ttl=ttl_or_none(self._my_ttl),
            alarmed=bool(self.evidence),
        )

    def standings(self) -> list[Standing]:
        """All members, those who are away too, in the order in which they came."""
        return [
            Standing(
                member=identity.spell(member.id),
                nick=member.nick,
                role="host" if member.id == self._ledger.host else "member",
                tag=identity.tag(member.id),
                away=member.away,
                mine=member.id == self._me.id,
            )
            for member in self._ledger.roster
        ]

    # --- what happens

    def _start(self, _: inputs.Start) -> None:
        if self._name is not None:
            self._open(self._name)

    def _heard(self, event: inputs.Heard) -> None:
        if self.hosting:
            self._take(event.link, event.payload)
        else:
            self._hear(event.payload)

    def _tick(self, _: inputs.Tick) -> None:
        if self._leave_by is not None and self._now.tick >= self._leave_by:
            self._out("left")  # the host did not confirm it in time: so be it
        else:
            self._do_what_is_due()
            self._end_wait()
            self._beat()

    def _out(self, reason: End) -> None:
        self._close_hosting()
        self._beat_at = self._cover_at = None
        super()._out(reason)

    # --- what the user wants

    def _typed(self, event: inputs.Typed) -> None:
        """What is typed while we wait to be let in waits too; what comes too late is given back."""
        if self._phase == "in":
            self._handlers[type(event)](event)
        elif self._phase in ("leaving", "over"):
            self._give_back(event)
        elif isinstance(event, inputs.Leave) and (event.now or not self._waiting):
            self._leave_re = event.re
            self._out("left")
        else:
            self._waiting.append(event)

    def _say(self, event: inputs.Say) -> None:
        self._author(frames.Text(event.text, event.action), event.text, event.re)

    def _whisper(self, event: inputs.Whisper) -> None:
        member = self._ledger.roster.called(event.nick)
        error: errors.AnonError | None = None
        if member is None:
            error = errors.NoSuchNick()
        elif member.id == self._me.id:
            error = errors.WhisperToSelf()
        elif self.hosting and member.leaf not in self._shown:
            error = errors.Unsealable()
        if member is None or error is not None:
            assert error is not None, "there is one for nobody"
            self._error(error, event.re)
            self._give_back(event)
        else:
            self._author(Whisper(member.id, member.nick, event.text), event.line, event.re)

    def _retain(self, event: inputs.Retain) -> None:
        """Says for how long our messages are kept; from now on for another time, if one is given that may be."""
        bounds = self._ledger.retention
        if event.ttl is not None and not bounds.least <= event.ttl <= bounds.most:
            allowed = f"{span(bounds.least)} to {span(bounds.most)}"
            self._error(errors.RetentionNotAllowed(allowed), event.re)
            return
        self._ttl = self._ttl if event.ttl is None else event.ttl
        names = ("ttl", "minimum", "default", "maximum")
        ttls = (self._my_ttl, bounds.least, bounds.default, bounds.most)
        data = {name: ttl_or_none(ttl) for name, ttl in zip(names, ttls, strict=True)}
        self._tell(events.Reply(room=self.label, command="/retain", data=data, re=event.re))

    def _verify(self, event: inputs.Verify) -> None:
        """Words to compare: for the room at its last marks, or for us and another member."""
        if event.nick:
            member = self._ledger.roster.called(event.nick)
            if member is None or member.id == self._me.id:
                self._error(errors.NoSuchNick() if member is None else errors.VerifySelf(), event.re)
                return
            words = safety_words.words_of_two(self._ledger.room, self._me.key, member.key)
            data: Any = {"nick": member.nick, "member": identity.spell(member.id), "words": words}
        else:
            rows = [self._mark(mark) for mark in self._replica.marks.latest()]
            latest, previous = (*rows, None, None)[:2]
            data = (latest or {"words": [], "at": None, "minutes": None}) | {"previous": previous}
        self._tell(events.Reply(room=self.label, command="/verify", data=data, re=event.re))

    def _mark(self, mark: safety_words.Mark) -> dict[str, Any]:
        """Its words; when it was by our clock, as seconds since the epoch, and in minutes since the room's creation."""
        ago = ((self._room_time() if self.hosting else self._member_time()) - mark.time) / 1000
        words = safety_words.words_of_room(self._ledger.room, mark)
        return {"words": words, "at": round(self._now.wall - ago), "minutes": mark.time // 60_000}

    def _rename(self, event: inputs.Rename) -> None:
        if event.nick == self._my.nick:
            self._tell(events.NickUnchanged(room=self.label, nick=event.nick, re=event.re))
        elif self.hosting and admission.is_refused(self._ledger, event.nick, self._me.id):
            self._error(errors.NickTaken(), event.re)
        else:
            self._author(frames.Nick(event.nick), None, event.re)

    def _ask(self, event: inputs.Ask) -> None:
        data: Any = self._ledger.people() if event.command == "/who" else {"code": self.code}
        self._tell(events.Reply(room=self.label, command=event.command, data=data, re=event.re))

    def _moderate(self, event: inputs.Kick | inputs.Lock) -> None:
        if not self.hosting:
            self._error(errors.HostOnly(), event.re)
        elif isinstance(event, inputs.Kick):
            self._kick(event)
        else:
            self._lock(event)

    def _leave(self, event: inputs.Leave) -> None:
        if event.close and not self.hosting:
            self._error(errors.CloseNotAllowed(), event.re)
            return
        self._leave_re = event.re
        self._phase = "leaving"
        if not self.hosting:
            self._leave_by = self._now.tick + limits.LEAVE
        self._author(frames.Close() if self.hosting else frames.Leave(), None, event.re)

    def _author(self, body: frames.Body | Whisper, line: str | None, re: events.Re) -> None:
        """An entry of ours: a host puts it in its place, a member hands it to the host."""
        if self.hosting:
            self._place(body, line, re)
        else:
            self._submit(body, line, re)
